//! The metrics over many rows, one thread: seconds, and the values for comparison with
//! scikit-learn's.
//!
//! The rows are made by rule, as `peers/sklearn_metrics.py` makes them, and are equal to the last
//! bit.

use clap::{Parser, ValueEnum};
use eval::metrics::{Confusion, average_precision, mae, roc_auc};
use eval::{Ranking, threshold};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;
use study_benches::{emit, peak_memory_mib};

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Distinct numbers between 0 and 1.
    Probabilities,
    /// The same, rounded to 32 bits: what a model predicts.
    Float32,
    /// Distinct numbers of both signs.
    Logits,
    /// 64 different numbers.
    Few,
    /// In ascending order.
    Sorted,
}

/// Times ROC AUC, average precision and the rest over rows made by rule.
#[derive(Parser)]
struct Arguments {
    /// How many rows.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Which scores.
    #[arg(long, value_enum, default_value = "probabilities")]
    kind: Kind,
    /// Times each is measured after one run that is not; the median is reported.
    #[arg(long, default_value_t = 5)]
    times: usize,
}

/// Numbers of [0, 1) with 53 random bits: splitmix64, counted on from stream to stream.
fn unit(stream: u64, rows: u64, i: u64) -> f64 {
    let mut z = (i + 1 + stream * rows).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn rows(kind: Kind, n: u64) -> (Vec<bool>, Vec<f64>) {
    let (present, mut score): (Vec<bool>, Vec<f64>) = (0..n)
        .map(|i| {
            let (u, v, present) = (unit(0, n, i), unit(1, n, i), unit(2, n, i) < 0.3);
            // Something to find.
            let u = if present { (u + v) / 2.0 } else { u * v };
            let score = match kind {
                Kind::Probabilities | Kind::Sorted => u,
                Kind::Float32 => f64::from(u as f32),
                Kind::Logits => (u - 0.3) * 20.0,
                Kind::Few => (u * 64.0).floor() / 64.0,
            };
            (present, score)
        })
        .unzip();
    if let Kind::Sorted = kind {
        score.sort_unstable_by(f64::total_cmp);
    }
    (present, score)
}

fn main() {
    let a = Arguments::parse();
    let (present, score) = rows(a.kind, a.rows);
    let intensity: Vec<f64> = present
        .iter()
        .map(|&p| f64::from(u8::from(p)) * 3.0)
        .collect();
    let more = json!({"rows": a.rows, "threads": 1});

    let time = |name: &str, measured: &dyn Fn() -> Option<f64>| {
        let mut seconds: Vec<f64> = (0..=a.times.max(1))
            .map(|_| {
                let start = Instant::now();
                black_box(measured());
                start.elapsed().as_secs_f64()
            })
            .skip(1)
            .collect();
        seconds.sort_unstable_by(f64::total_cmp);
        emit(name, 1e3 * seconds[seconds.len() / 2], "ms", more.clone());
    };
    let f1_at_half = || {
        let predicted: Vec<bool> = score.iter().map(|&s| s >= 0.5).collect();
        Confusion::count(&present, &predicted)?.f1()
    };
    let both = || {
        let ranking = Ranking::new(&present, &score)?;
        Some(ranking.roc_auc()? + ranking.average_precision()?)
    };
    time("roc auc time", &|| roc_auc(&present, &score));
    time("average precision time", &|| {
        average_precision(&present, &score)
    });
    time("both time", &both);
    time("threshold time", &|| threshold::best_f1(&present, &score));
    time("f1 time", &f1_at_half);
    time("mae time", &|| mae(&intensity, &score));
    let values = [
        ("roc auc", roc_auc(&present, &score)),
        ("average precision", average_precision(&present, &score)),
        ("threshold", threshold::best_f1(&present, &score)),
        ("f1", f1_at_half()),
        ("mae", mae(&intensity, &score)),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            emit(name, value, "1", more.clone());
        }
    }
    if let Some(mib) = peak_memory_mib() {
        emit("peak memory", mib, "MiB", more);
    }
}
