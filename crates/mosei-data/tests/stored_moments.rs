//! What an audit asks of a prepared folder: its statistics computed from scratch, and withheld
//! labels.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{
    DataConfig, Prepared, SplitConfig, StoredMoments, SynthConfig, prepare, synthesise,
};
use mosei_schema::Split;
use std::path::Path;

fn prepared(folder: &Path) -> Prepared {
    let corpus = SynthConfig {
        videos: 24,
        segments: 90,
        median_segment_s: 1.0,
        ..SynthConfig::default()
    };
    synthesise(&corpus, &folder.join("data"), &mut |_, _| {}).unwrap();
    let split = SplitConfig {
        k_folds: 3,
        ..SplitConfig::default()
    };
    let config = DataConfig {
        pool_frames: 10,
        split,
        ..DataConfig::default()
    };
    prepare(
        &config,
        &folder.join("data"),
        &folder.join("prepared"),
        &mut |_, _| (),
    )
    .unwrap();
    Prepared::open(&folder.join("prepared")).unwrap()
}

#[test]
fn recomputed_statistics_equal_the_recorded_ones_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let prepared = prepared(folder.path());
    let moments = StoredMoments::of(&prepared);
    let all = moments.fit(|_| true);
    for record in &prepared.manifest().folds {
        let training = moments.fit(|video| record.split[video] == Some(Split::Train));
        assert_eq!(training.normaliser, record.normaliser);
        assert_eq!(
            (training.dropped_columns, training.frames),
            (record.dropped_columns.clone(), record.training_frames)
        );
        assert_ne!(
            all.normaliser.mean, record.normaliser.mean,
            "all frames have other means"
        );
    }
}

#[test]
fn withheld_labels_are_the_only_copy() {
    let folder = tempfile::tempdir().unwrap();
    let mut prepared = prepared(folder.path());
    let before: Vec<Vec<f32>> = (0..prepared.len())
        .map(|i| prepared.intensities(i).to_vec())
        .collect();
    let test = prepared.fold(1).unwrap().test.clone();
    let withheld = prepared.withhold(&test);
    assert_eq!(withheld.segments(), test);
    for (i, labels) in before.iter().enumerate() {
        match test.iter().position(|&t| t == i) {
            None => assert_eq!(prepared.intensities(i), labels),
            Some(row) => {
                assert_eq!(withheld.intensities(row), labels);
                assert!(
                    prepared.intensities(i).iter().all(|x| x.is_nan()) && !prepared.presence(i, 0)
                );
                assert!(prepared.sentiment(i).is_none_or(f32::is_nan));
            }
        }
    }
}
