//! An invented study: its numbers come from a formula and mean nothing.

pub mod statistics;

use eval::Metric;
use eval::run::{PretrainSeeds, Run};
use report::{
    Curve, CurvePoint, FactGroup, RebuiltColumn, Reconstruction, ReportInput, ScoredRows, Training,
};
use run_record::ResultRow;

const EMOTIONS: [&str; 6] = ["happy", "sad", "anger", "surprise", "disgust", "fear"];
const STARTS: [&str; 4] = ["ssl", "scratch", "frozen", "random-frozen"];
const BUDGETS: [(i32, f64); 6] = [
    (24, 0.0015),
    (81, 0.005),
    (163, 0.01),
    (816, 0.05),
    (4081, 0.25),
    (16327, 1.0),
];

/// Something between -1 and 1 that looks random.
fn wobble(of: [usize; 5]) -> f64 {
    let mut x = 0x9e37_79b9_u64;
    for part in of {
        x = (x ^ part as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^= x >> 29;
    }
    (x % 20_001) as f64 / 10_000.0 - 1.0
}

fn value(metric: Metric, start: usize, labels: i32, emotion: usize, run: usize) -> f64 {
    let gain = (f64::from(labels) / 20.0).ln() * 0.025;
    let head_start = [0.035, 0.0, 0.02, -0.03][start] * (-f64::from(labels) / 3000.0).exp();
    let noise = 0.02 * wobble([run, labels as usize, emotion, 0, 0])
        + 0.012
            * wobble([
                start,
                labels as usize,
                emotion,
                run,
                Metric::ALL.iter().position(|&m| m == metric).unwrap_or(0),
            ]);
    let base = 0.55 + gain + head_start + noise - 0.012 * emotion as f64;
    match metric {
        Metric::RocAuc | Metric::BalancedAccuracy => base,
        Metric::Mae => 0.7 - 0.5 * base,
        Metric::Accuracy | Metric::Accuracy4 | Metric::WeightedF1 => 0.4 + 0.5 * base,
        _ => base - 0.1 - 0.05 * emotion as f64,
    }
}

/// A study of two folds, two seeds and two draws; `intensity`: whether it has that head.
pub fn study(intensity: bool) -> ReportInput {
    let mut results = Vec::new();
    for (start, start_name) in STARTS.iter().enumerate() {
        for (n_labels, fraction) in BUDGETS {
            for run in 0..8_usize {
                let (fold, seed, draw) = (run / 4, run / 2 % 2, run % 2);
                if start == 1 && n_labels == 163 && run == 7 {
                    continue;
                }
                for (e, emotion) in EMOTIONS.into_iter().chain(["macro", "micro"]).enumerate() {
                    for metric in Metric::ALL {
                        let of_intensity = matches!(metric, Metric::Mae | Metric::Accuracy4);
                        let undefined = (of_intensity && !intensity)
                            || (metric == Metric::Precision && e == 5 && run < 2);
                        results.push(ResultRow {
                            cell: format!("{start_name}-{n_labels}-{fold}-{seed}-{draw}"),
                            partition: 0,
                            fold: fold as i32,
                            start: start_name.to_string(),
                            fraction,
                            n_labels: n_labels + fold as i32,
                            seed: seed as i32,
                            draw: draw as i32,
                            budget: format!("f{fraction}"),
                            pretrain_seed: [0, 2].contains(&start).then_some(seed as i32),
                            split: "test".into(),
                            emotion: emotion.into(),
                            metric: metric.name().into(),
                            value: (!undefined)
                                .then(|| value(metric, start, n_labels, e.min(3), run)),
                            support: match (of_intensity, e < 6) {
                                (true, true) => 4662,
                                (true, false) => 6 * 4662,
                                (false, _) => {
                                    [2505, 1129, 1071, 441, 805, 385, 6336, 6336][e] + fold as u64
                                }
                            },
                        });
                    }
                }
            }
        }
    }
    let trivial = |start: &str, of: fn(Metric) -> Option<f64>| -> Vec<ResultRow> {
        let one = |row: &&ResultRow| row.cell.starts_with("ssl-24-") && row.cell.ends_with("-0-0");
        let with = |row: &ResultRow| {
            let value = of(Metric::from_name(&row.metric)?).filter(|_| row.value.is_some())?;
            Some(ResultRow {
                cell: start.into(),
                start: start.into(),
                n_labels: 0,
                value: Some(value),
                ..row.clone()
            })
        };
        results.iter().filter(one).filter_map(with).collect()
    };
    let trivial = [
        trivial("always-absent", |m| match m {
            Metric::Accuracy | Metric::Accuracy4 => Some(0.78),
            Metric::WeightedF1 => Some(0.68),
            Metric::BalancedAccuracy => Some(0.5),
            Metric::Mae => Some(0.43),
            _ => None,
        }),
        trivial("always-present", |m| match m {
            Metric::RocAuc | Metric::BalancedAccuracy => Some(0.5),
            Metric::F1 => Some(0.36),
            _ => None,
        }),
        trivial("prevalence", |m| {
            matches!(m, Metric::RocAuc | Metric::BalancedAccuracy).then_some(0.5)
        }),
        trivial("training-mean", |m| (m == Metric::Mae).then_some(0.4)),
    ]
    .concat();
    let curve = |i: usize| Curve {
        name: format!("fold {}, seed {}", i / 2, i % 2),
        points: (0..800_usize)
            .map(|step| {
                let loss = 0.35 + 0.6 * (-(step as f64) / 120.0).exp() + 0.01 * i as f64;
                let valid_loss = (step % 100 == 99).then_some(loss + 0.02);
                CurvePoint {
                    step: step as u64 * 5 + 5,
                    train_loss: loss + 0.02 * wobble([step, i, 0, 0, 0]),
                    valid_loss,
                }
            })
            .collect(),
    };
    let fact = |name: &str, value: &str| (name.to_string(), value.to_string());
    let input = ReportInput {
        pretrain_seeds: PretrainSeeds::Tied,
        name: "Invented study".into(),
        facts: vec![
            FactGroup {
                title: "Data".into(),
                rows: vec![
                    fact("Corpus", "invented"),
                    fact("Segments", "23,259 of 3,293 videos"),
                    fact("Hash", "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"),
                ],
            },
            FactGroup { title: "Versions".into(), rows: vec![fact("libtorch", "2.11.0")] },
        ],
        config_toml: "[study]\nname = \"invented\"\nprimary_metric = \"roc_auc\"\n".into(),
        results,
        trivial,
        starts: STARTS.map(String::from).to_vec(),
        emotions: EMOTIONS.map(String::from).to_vec(),
        pretraining: (0..4).map(curve).collect(),
        reconstruction: Some(reconstruction()),
        trainings: trainings(),
        scored: scored(),
        failures: vec![(
            "scratch-163-1-1-1".into(),
            "failed to fine-tune: loss: expected a finite number, found NaN at step 120 (learning rate 0.001)".into(),
        )],
        notes: vec!["These numbers are invented.".into(), "Two sentences only are spoken in this corpus.".into()],
        planned_cells: 192,
        finished_cells: 191,
        ..ReportInput::default()
    };
    ReportInput {
        statistics: Some(statistics::of(&input)),
        ..input
    }
}

/// Guesses that follow a wave, but for its tops.
fn reconstruction() -> Reconstruction {
    let hidden: Vec<bool> = (0..90)
        .map(|frame| frame % 13 == 4 || (40..47).contains(&frame))
        .collect();
    let column = |(c, name): (usize, &str)| {
        let at = |frame: usize| (frame as f64 / (4.0 + c as f64)).sin() * 1.4;
        let guess =
            |frame: usize| (at(frame) * 0.7 + 0.1 * wobble([frame, c, 0, 0, 0])).clamp(-0.9, 0.9);
        RebuiltColumn {
            name: name.into(),
            input: (0..hidden.len()).map(at).collect(),
            guess: (0..hidden.len())
                .map(|frame| hidden[frame].then(|| guess(frame)))
                .collect(),
        }
    };
    let columns = ["F0", "VUV", "NAQ", "QOQ", "peakSlope", "MCEP_0", "MCEP_1"]
        .into_iter()
        .enumerate()
        .map(column);
    Reconstruction {
        name: "Fold 0, seed 0, validation segment -invented-[3]".into(),
        frame_s: Some(0.05),
        columns: columns.collect(),
        hidden: hidden.clone(),
    }
}

/// Eight runs of each start, the pre-trained one faster.
fn trainings() -> Vec<Training> {
    let one = |start: usize, run: usize| {
        let pace = [40.0, 70.0, 55.0, 90.0][start] + 3.0 * run as f64;
        let point = |i: usize| {
            let step = 15 * (i as u64 + 1);
            let loss =
                0.4 + 0.5 * (-(step as f64) / pace).exp() + 0.004 * wobble([i, start, run, 1, 0]);
            CurvePoint {
                step,
                train_loss: loss,
                valid_loss: Some(loss + 0.05 + 0.0004 * step as f64),
            }
        };
        let curve = Curve {
            name: format!("{} {run}", STARTS[start]),
            points: (0..20).map(point).collect(),
        };
        Training {
            start: STARTS[start].into(),
            curve,
            best_step: Some(15 * (4 + start as u64 + run as u64 % 3)),
        }
    };
    (0..STARTS.len())
        .flat_map(|start| (0..8).map(move |run| one(start, run)))
        .collect()
}

/// Scores of eight cells of each start over the same 120 segments of their fold.
fn scored() -> Vec<ScoredRows> {
    let mut out = Vec::new();
    for (start, name) in STARTS.iter().enumerate() {
        for run in 0..8_usize {
            let (fold, seed, draw) = (run / 4, run / 2 % 2, run % 2);
            for (e, emotion) in EMOTIONS.iter().enumerate() {
                let present = |i: usize| wobble([i, e, fold, 2, 0]) > 0.1 + 0.12 * e as f64;
                let score = |i: usize| {
                    let signal = if present(i) {
                        0.35 - 0.05 * start as f64
                    } else {
                        0.0
                    };
                    let noise = wobble([i, e, run, start, 3]) + 0.4 * wobble([i, e, 5, 5, 5]);
                    1.0 / (1.0 + (1.2 - 2.0 * signal - 1.3 * noise).exp())
                };
                out.push(ScoredRows {
                    cell: format!("{name}-163-{fold}-{seed}-{draw}"),
                    start: name.to_string(),
                    run: Run {
                        partition: 0,
                        seed: seed as i32,
                        draw: draw as i32,
                        pretrain_seed: None,
                    },
                    emotion: emotion.to_string(),
                    present: (0..120).map(present).collect(),
                    score: (0..120).map(score).collect(),
                });
            }
        }
    }
    out
}

/// Leaves a row with three positives at most.
pub fn too_few(row: &mut ResultRow) {
    if !matches!(row.metric.as_str(), "mae" | "accuracy4") {
        row.support = if row.fold == 0 { 3 } else { 0 };
    }
}
