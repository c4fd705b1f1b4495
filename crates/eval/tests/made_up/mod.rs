//! Made-up studies whose metric is the mean absolute error: the error on each video is given.
#![allow(dead_code, reason = "each test file uses its share")]

use eval::Metric;
use eval::run::PretrainSeeds;
use eval::statistics::{AnalysisPlan, TestVideo};
use run_record::{CellId, CellPredictions, PredictionRow};

/// ssl against scratch.
pub fn analysis(pretrain_seeds: PretrainSeeds) -> AnalysisPlan {
    AnalysisPlan {
        treated: "ssl".into(),
        baseline: "scratch".into(),
        metrics: vec![Metric::Mae],
        pretrain_seeds,
        level: 0.95,
    }
}

/// The name of a fold's video.
pub fn video(fold: usize, v: usize) -> String {
    format!("v{fold}-{v}")
}

/// A test video of a study with one partition.
pub fn tested(fold: usize, v: usize) -> TestVideo {
    TestVideo {
        partition: 0,
        fold: fold as i32,
        video: video(fold, v),
    }
}

/// A cell of a study with one partition, by its errors on the videos of its fold.
pub fn cell(
    start: &str,
    fold: usize,
    [seed, draw]: [usize; 2],
    pretrain_seed: Option<usize>,
    errors: &[f64],
) -> CellPredictions {
    let named = errors.iter().enumerate();
    let named: Vec<(String, f64)> = named.map(|(v, e)| (video(fold, v), *e)).collect();
    cell_of(start, [0, fold], [seed, draw], pretrain_seed, &named)
}

/// A cell of a partition's fold, by its errors on named videos.
pub fn cell_of(
    start: &str,
    [partition, fold]: [usize; 2],
    [seed, draw]: [usize; 2],
    pretrain_seed: Option<usize>,
    errors: &[(String, f64)],
) -> CellPredictions {
    let row = |(video, error): &(String, f64)| PredictionRow {
        split: "test".into(),
        video: video.clone(),
        segment: 0,
        emotion: "happy".into(),
        intensity: 0.0,
        present: false,
        score: None,
        predicted_intensity: Some(*error),
        threshold: 0.5,
    };
    let id = CellId {
        partition: partition as i32,
        cell: format!("{start}-{fold}-{seed}-{draw}-{pretrain_seed:?}"),
        fold: fold as i32,
        start: start.into(),
        fraction: 0.5,
        n_labels: 10,
        seed: seed as i32,
        draw: draw as i32,
        budget: "n10".into(),
        pretrain_seed: pretrain_seed.map(|p| p as i32),
    };
    CellPredictions {
        id,
        rows: errors.iter().map(row).collect(),
    }
}
