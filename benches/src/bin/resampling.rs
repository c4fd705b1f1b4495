//! ROC AUC of six emotions over many resamples of the videos, one thread: resamples a second.
//!
//! The rows are made by rule, as `peers/numpy_bootstrap.py` makes them; a study's size is MOSEI's
//! test split.

use clap::Parser;
use eval::Metric;
use eval::statistics::{Clustered, ClusteredRow, Resamples};
use rand::RngExt;
use run_record::seed::{Stream, rng};
use serde_json::json;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use study_benches::emit;

/// Times a bootstrap over videos.
#[derive(Parser)]
struct Arguments {
    /// Segments.
    #[arg(long, default_value_t = 4662)]
    segments: usize,
    /// Videos; segments take turns among them.
    #[arg(long, default_value_t = 678)]
    videos: usize,
    /// Emotions.
    #[arg(long, default_value_t = 6)]
    emotions: usize,
    /// Resamples.
    #[arg(long, default_value_t = 10_000)]
    resamples: usize,
    /// Metric.
    #[arg(long, default_value = "roc_auc")]
    metric: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let a = Arguments::parse();
    let metric = Metric::from_name(&a.metric).ok_or("no such metric")?;
    let mut rng = rng(1, Stream::Synth, 0);
    let emotions: Vec<Vec<ClusteredRow>> = (0..a.emotions)
        .map(|_| {
            let row = |i: usize| {
                let present = rng.random::<f64>() < 0.3;
                let score = rng.random::<f64>() + if present { 0.3 } else { 0.0 };
                let cluster = i % a.videos;
                ClusteredRow {
                    cluster,
                    present,
                    score: Some(score),
                    threshold: 0.5,
                    intensity: 0.0,
                    predicted: Some(score),
                }
            };
            (0..a.segments).map(row).collect()
        })
        .collect();
    let began = Instant::now();
    let resamples = Resamples::bootstrap(1, "videos", a.videos, a.resamples);
    let drawing = began.elapsed().as_secs_f64();
    for rows in &emotions {
        let clustered = Clustered::new(rows).ok_or("a row that is no number")?;
        black_box(clustered.replicates(metric, &resamples));
    }
    let seconds = began.elapsed().as_secs_f64();
    let more = json!({"segments": a.segments, "videos": a.videos, "emotions": a.emotions, "resamples": a.resamples,
        "seconds for drawing videos": drawing, "threads": 1});
    emit("time", seconds, "s", more.clone());
    emit("rate", a.resamples as f64 / seconds, "resamples/s", more);
    Ok(())
}
