//! Fixtures made by h5py, and what numpy says should come of them: see `golden/make.py`.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, DataConfig, Manifest, Prepared, prepare};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Expected {
    segments: Vec<Segment>,
    columns: Vec<String>,
    dropped: Vec<String>,
    mean: Vec<f64>,
    std: Vec<f64>,
    training_missing: BTreeMap<String, u64>,
    nonfinite: BTreeMap<String, u64>,
    outside_segments: u64,
}

#[derive(Deserialize)]
struct Segment {
    video: String,
    row: i32,
    intensities: Vec<f32>,
    sentiment: f32,
    frames: Vec<Vec<Option<f32>>>,
    standardised: Vec<Vec<f32>>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn config(labels: &[&str]) -> DataConfig {
    DataConfig {
        features: "features.csd".into(),
        labels: labels.iter().map(|l| l.to_string()).collect(),
        pool_frames: 3,
        max_frames: 4,
        clip: 1.5,
        ..DataConfig::default()
    }
}

fn prepared(labels: &[&str], out: &Path) -> (Manifest, Prepared) {
    let manifest = prepare(&config(labels), &fixtures(), out, &mut |_, _| {}).unwrap();
    let prepared = Prepared::open(out).unwrap();
    assert_eq!(&manifest, prepared.manifest());
    (manifest, prepared)
}

#[test]
fn prepared_values_equal_those_of_numpy() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, data) = prepared(&["labels.csd"], &dir.path().join("p"));
    let expected: Expected =
        serde_json::from_str(&std::fs::read_to_string(fixtures().join("expected.json")).unwrap())
            .unwrap();
    assert_eq!(data.len(), expected.segments.len());
    let fold = data.fold(0).unwrap();
    let bound = fold.normaliser.bind(data.columns()).unwrap();
    let all: Vec<usize> = (0..data.len()).collect();
    let batch = data.gather(&bound, &all);
    for (i, s) in expected.segments.iter().enumerate() {
        let id = data.id(i);
        assert_eq!((id.video.as_str(), id.segment), (s.video.as_str(), s.row));
        assert_eq!(data.intensities(i), s.intensities);
        assert_eq!(data.sentiment(i), Some(s.sentiment));
        assert_eq!(data.frames(i), s.frames.len(), "{id}");
        for (found, expected) in data.raw(i).iter().zip(s.frames.iter().flatten()) {
            assert_eq!(
                Some(found).filter(|x| !x.is_nan()),
                expected.as_ref(),
                "{id}"
            );
        }
        let rows =
            batch.offsets[i] as usize * batch.width..batch.offsets[i + 1] as usize * batch.width;
        for (found, expected) in batch.x_nc[rows].iter().zip(s.standardised.iter().flatten()) {
            assert!((found - expected).abs() < 1e-6, "{id}: {found} {expected}");
        }
    }
    let record = &manifest.folds[0];
    assert_eq!(record.normaliser.columns, expected.columns);
    assert_eq!(record.dropped_columns, expected.dropped);
    for (found, expected) in [
        (&record.normaliser.mean, expected.mean),
        (&record.normaliser.std, expected.std),
    ] {
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
    assert_eq!(record.training_missing, expected.training_missing);
    assert_eq!(manifest.nonfinite, expected.nonfinite);
    assert_eq!(
        manifest.counts.frames.outside_segments,
        expected.outside_segments
    );
}

#[test]
fn every_segment_is_kept_or_has_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, data) = prepared(&["labels.csd"], &dir.path().join("p"));
    let c = manifest.counts.segments;
    assert_eq!((c.labelled, c.kept, c.too_short), (12, 9, 1));
    assert_eq!(
        (c.video_without_features, c.past_the_end, c.no_frame),
        (1, 1, 0)
    );
    assert_eq!((c.cut_by_the_end, c.negative_start), (1, 1));
    assert_eq!(
        (
            manifest.counts.videos.without_features,
            manifest.counts.videos.without_labels
        ),
        (1, 1)
    );
    let record = &manifest.folds[0];
    assert_eq!(
        (
            record.ids_without_labels,
            record.ids_without_features,
            record.unknown_ids.len()
        ),
        (1, 1, 0)
    );
    let fold = data.fold(0).unwrap();
    assert_eq!(
        [fold.train.len(), fold.valid.len(), fold.test.len()],
        [4, 1, 2]
    );
    assert!(
        [&fold.train, &fold.valid, &fold.test]
            .into_iter()
            .flatten()
            .all(|&i| data.frames(i) > 0)
    );
    let frames = manifest.counts.frames;
    assert_eq!(frames.in_file, 224);
    assert_eq!(frames.pooled - frames.cropped, frames.stored);
}

#[test]
fn both_layouts_and_string_types_are_equal() {
    let dir = tempfile::tempdir().unwrap();
    let (_, whole) = prepared(&["labels.csd"], &dir.path().join("whole"));
    let (_, split) = prepared(
        &["sentiment.csd", "emotions.csd"],
        &dir.path().join("split"),
    );
    assert_eq!(whole.emotions(), split.emotions());
    for i in 0..whole.len() {
        assert_eq!(
            (whole.id(i), whole.intensities(i)),
            (split.id(i), split.intensities(i))
        );
        assert_eq!(
            (whole.sentiment(i), whole.frames(i)),
            (split.sentiment(i), split.frames(i))
        );
    }
    for name in ["labels.csd", "emotions.csd"] {
        let csd = Csd::open(&fixtures().join(name)).unwrap();
        assert_eq!(csd.metadata().len(), 4, "{name}");
        assert!(csd.dimension_names().is_some(), "{name}");
    }
}

#[test]
fn float16_is_read() {
    let csd = Csd::open(&fixtures().join("float16.csd")).unwrap();
    let features = csd.read("v").unwrap().features;
    let expected = [
        0.099_975_586,
        -2.5,
        65504.0,
        f32::NAN,
        5.960_464_5e-8,
        f32::NEG_INFINITY,
    ];
    assert!(
        features
            .iter()
            .zip(expected)
            .all(|(x, y)| *x == y || (x.is_nan() && y.is_nan())),
        "{features:?}"
    );
    assert_eq!(features.len(), 6);
}

#[test]
fn equal_inputs_give_equal_folders() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        prepared(&["labels.csd"], &dir.path().join(name));
    }
    for file in [
        "manifest.json",
        "frames.safetensors",
        "segments.safetensors",
    ] {
        let read = |name: &str| std::fs::read(dir.path().join(name).join(file)).unwrap();
        assert_eq!(read("a"), read("b"), "{file}");
    }
}
