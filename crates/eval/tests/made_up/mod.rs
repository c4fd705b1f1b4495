//! Made-up studies whose metric is the mean absolute error: the error on each video is given.

use eval::Metric;
use eval::run::PretrainSeeds;
use eval::statistics::AnalysisPlan;
use run_record::{CellId, CellPredictions, PredictionRow};

/// ssl against scratch.
pub fn analysis(pretrain_seeds: PretrainSeeds, resamples: usize, seed: u64) -> AnalysisPlan {
    AnalysisPlan {
        treated: "ssl".into(),
        baseline: "scratch".into(),
        metrics: vec![Metric::Mae],
        pretrain_seeds,
        resamples,
        level: 0.95,
        seed,
    }
}

/// The name of a fold's video.
pub fn video(fold: usize, v: usize) -> String {
    format!("v{fold}-{v}")
}

/// A cell, by its errors on the videos of its fold.
pub fn cell(
    start: &str,
    fold: usize,
    [seed, draw]: [usize; 2],
    pretrain_seed: Option<usize>,
    errors: &[f64],
) -> CellPredictions {
    let row = |(v, error): (usize, &f64)| PredictionRow {
        split: "test".into(),
        video: video(fold, v),
        segment: 0,
        emotion: "happy".into(),
        intensity: 0.0,
        present: false,
        score: None,
        predicted_intensity: Some(*error),
        threshold: 0.5,
    };
    let id = CellId {
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
        rows: errors.iter().enumerate().map(row).collect(),
    }
}
