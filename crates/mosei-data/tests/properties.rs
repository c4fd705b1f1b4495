//! What holds for every input.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::align::{Dropped, EPSILON_S, Timeline};
use mosei_data::pool::{kept, pool};
use mosei_data::{
    Crop, DataConfig, Fold, LabelConfig, Prepared, SynthConfig, prepare, subset, synthesise,
};
use mosei_schema::Split;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// A prepared synthetic corpus that the tests of this file share.
fn corpus() -> &'static Prepared {
    static CORPUS: OnceLock<Prepared> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let config = SynthConfig {
            videos: 60,
            segments: 420,
            median_segment_s: 0.5,
            ..SynthConfig::default()
        };
        synthesise(&config, &dir.path().join("data"), &mut |_, _| {}).unwrap();
        let out = dir.path().join("prepared");
        prepare(
            &DataConfig::default(),
            &dir.path().join("data"),
            &out,
            &mut |_, _| {},
        )
        .unwrap();
        // The map outlives the folder's name.
        Prepared::open(&out).unwrap()
    })
}

fn intervals() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec((0..500u32, 0..60u32), 0..60).prop_map(|v| {
        v.into_iter()
            .map(|(s, n)| [f64::from(s) / 100.0, f64::from(s + n) / 100.0])
            .collect()
    })
}

proptest! {
    #[test]
    fn alignment_equals_brute_force(frames in intervals(), start in -100..600i32, n in 0..200i32, nudge in -3..=3i32) {
        // Nudged by steps about as large as epsilon, where the rule decides.
        let start = f64::from(start) / 100.0 + f64::from(nudge) * 0.6e-5;
        let end = start + f64::from(n) / 100.0;
        let timeline = Timeline::new(&frames);
        let mut expected: Vec<usize> =
            (0..frames.len()).filter(|&i| frames[i][1].min(end) - frames[i][0].max(start) > EPSILON_S).collect();
        match timeline.frames_of([start, end]) {
            Ok(mut rows) => {
                prop_assert!(rows.is_sorted_by(|&a, &b| frames[a][0] <= frames[b][0]));
                rows.sort_unstable();
                prop_assert_eq!(rows, expected);
            }
            Err(why) => {
                if end - start < EPSILON_S {
                    prop_assert_eq!(why, Dropped::TooShort);
                    expected.clear();
                }
                prop_assert!(expected.is_empty());
                let last = frames.iter().map(|f| f[1]).fold(f64::NEG_INFINITY, f64::max);
                if why == Dropped::NoFrame {
                    prop_assert!(start < last);
                }
            }
        }
    }

    #[test]
    fn pooling_is_the_mean_of_finite_values(
        values in prop::collection::vec(prop_oneof![4 => -1e3..1e3f32, 1 => Just(f32::NEG_INFINITY), 1 => Just(f32::NAN)], 0..120),
        k in 1..9usize,
    ) {
        let width = 3;
        let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
        let mut out = Vec::new();
        pool(rows.iter().copied(), k, &mut out);
        prop_assert_eq!(out.len(), rows.len().div_ceil(k) * width);
        for (w, window) in rows.chunks(k).enumerate() {
            for c in 0..width {
                let finite: Vec<f64> = window.iter().map(|r| f64::from(r[c])).filter(|x| x.is_finite()).collect();
                let found = out[w * width + c];
                if finite.is_empty() {
                    prop_assert!(found.is_nan());
                } else {
                    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
                    prop_assert!((f64::from(found) - mean).abs() <= 1e-6 * mean.abs().max(1.0));
                }
            }
        }
    }

    #[test]
    fn a_crop_keeps_the_maximum(frames in 0..2000usize, max in 1..600usize) {
        for crop in [Crop::Start, Crop::Centre, Crop::End] {
            let kept = kept(frames, max, crop);
            prop_assert_eq!(kept.len(), frames.min(max));
            prop_assert!(kept.end <= frames);
        }
    }

    #[test]
    fn budgets_are_nested_stratified_and_training_only(
        seed in any::<u64>(),
        draw in 0..5usize,
        counts in prop::collection::btree_set(1..200usize, 1..5),
    ) {
        let data = corpus();
        let fold = data.fold(0).unwrap();
        let config = LabelConfig { fractions: vec![], counts: counts.iter().copied().collect(), seed, min_positives: 0, draws: 5 };
        let subsets = subset::draw(data, fold, &config, draw).unwrap();
        prop_assert_eq!(&subsets, &subset::draw(data, fold, &config, draw).unwrap());
        let train: BTreeSet<usize> = fold.train.iter().copied().collect();
        for (s, n) in subsets.iter().zip(&counts) {
            let unique: BTreeSet<usize> = s.segments.iter().copied().collect();
            prop_assert_eq!((s.n_labels, unique.len()), (*n, *n));
            prop_assert!(unique.is_subset(&train));
            for e in 0..data.emotions().len() {
                let positives = |of: &[usize]| of.iter().filter(|&&i| data.presence(i, e)).count() as f64;
                let expected = positives(&fold.train) / train.len() as f64 * *n as f64;
                prop_assert!((positives(&s.segments) - expected).abs() <= 3.0, "{} of {}", positives(&s.segments), expected);
            }
        }
        for pair in subsets.windows(2) {
            prop_assert_eq!(&pair[0].segments[..], &pair[1].segments[..pair[0].n_labels]);
        }
    }

    #[test]
    fn a_batch_concatenates_its_segments(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let data = corpus();
        let fold = data.fold(0).unwrap();
        let bound = fold.normaliser.bind(data.columns()).unwrap();
        let segments: Vec<usize> = picks.iter().map(|p| p.index(data.len())).collect();
        let batch = data.gather(&bound, &segments);
        let mut expected = Vec::new();
        for (b, &i) in segments.iter().enumerate() {
            prop_assert_eq!((batch.offsets[b + 1] - batch.offsets[b]) as usize, data.frames(i));
            bound.apply(data.raw(i), &mut expected);
        }
        prop_assert_eq!(batch.x_nc, expected);
    }
}

#[test]
fn different_seeds_and_draws_give_different_budgets() {
    let data = corpus();
    let draw = |seed, draw| {
        let config = LabelConfig {
            fractions: vec![0.2],
            seed,
            min_positives: 0,
            ..LabelConfig::default()
        };
        subset::draw(data, data.fold(0).unwrap(), &config, draw).unwrap()[0]
            .segments
            .clone()
    };
    assert_ne!(draw(0, 0), draw(0, 1));
    assert_ne!(draw(0, 0), draw(1, 0));
}

#[test]
fn no_video_is_in_two_splits() {
    let data = corpus();
    let fold: &Fold = data.fold(0).unwrap();
    let videos = |s| {
        fold.segments(s)
            .iter()
            .map(|&i| data.video(i))
            .collect::<BTreeSet<_>>()
    };
    let sizes: usize = Split::ALL.map(|s| videos(s).len()).iter().sum();
    let union: BTreeSet<usize> = Split::ALL.into_iter().flat_map(videos).collect();
    assert_eq!(sizes, union.len());
}

#[test]
fn the_normaliser_is_fitted_on_training_frames_alone() {
    let data = corpus();
    let fold = data.fold(0).unwrap();
    let column = data
        .columns()
        .iter()
        .position(|c| c == &fold.normaliser.columns[0])
        .unwrap();
    let values: Vec<f64> = fold
        .train
        .iter()
        .flat_map(|&i| {
            data.raw(i)
                .chunks_exact(data.columns().len())
                .map(|row| f64::from(row[column]))
        })
        .filter(|x| x.is_finite())
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!((mean - fold.normaliser.mean[0]).abs() < 1e-9 * mean.abs());
    assert!((variance.sqrt() - fold.normaliser.std[0]).abs() < 1e-9 * variance.sqrt());
}
