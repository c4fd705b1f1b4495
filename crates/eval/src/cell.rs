//! From a cell's predictions to its rows of `results.csv`.

use crate::metrics::{Confusion, accuracy4, mae};
use crate::sum::mean;
use crate::{EvalError, Head, Metric, Ranking};
use mosei_schema::{SegmentId, Split};
use run_record::{CellPredictions, PredictionRow, ResultRow};

/// The name in the emotion column of the mean over the emotions whose value exists.
pub const MACRO: &str = "macro";
/// The name in the emotion column of all rows of the cell taken as one.
pub const MICRO: &str = "micro";

/// All measurements of a cell.
///
/// Rows come for validation, then test (a split without predictions has none); in each for every
/// emotion in the order of its first appearance in the cell, then [`MACRO`], then [`MICRO`]; in
/// each for every [`Metric`]. A metric that is undefined, or whose head some row of it lacks, has a
/// row without a value. The support is the number of present rows, for `mae` and `accuracy4` of all
/// rows; that of the macro rows is the sum over the emotions.
///
/// # Errors
/// A score, an intensity or a prediction that is not finite, a threshold that is NaN, a split other
/// than validation and test, an emotion named like an average.
pub fn measure_cell(cell: &CellPredictions) -> Result<Vec<ResultRow>, EvalError> {
    for row in &cell.rows {
        check(&cell.id.cell, row)?;
    }
    let mut emotions: Vec<&str> = Vec::new();
    for row in &cell.rows {
        if !emotions.contains(&row.emotion.as_str()) {
            emotions.push(&row.emotion);
        }
    }
    let mut out = Vec::new();
    for split in [Split::Valid, Split::Test] {
        let rows: Vec<&PredictionRow> = cell
            .rows
            .iter()
            .filter(|r| r.split == split.name())
            .collect();
        if rows.is_empty() {
            continue;
        }
        let each: Vec<Measured> = emotions
            .iter()
            .map(|&emotion| {
                measure(
                    &rows
                        .iter()
                        .copied()
                        .filter(|r| r.emotion == emotion)
                        .collect::<Vec<_>>(),
                )
            })
            .collect();
        let averaged: Measured = std::array::from_fn(|m| Measurement {
            value: mean(each.iter().filter_map(|measured| measured[m].value)),
            support: each.iter().map(|measured| measured[m].support).sum(),
        });
        let names = emotions.iter().copied().chain([MACRO, MICRO]);
        for (emotion, measured) in names.zip(each.into_iter().chain([averaged, measure(&rows)])) {
            out.extend(
                Metric::ALL
                    .into_iter()
                    .zip(measured)
                    .map(|(metric, m)| ResultRow {
                        cell: cell.id.cell.clone(),
                        partition: cell.id.partition,
                        fold: cell.id.fold,
                        start: cell.id.start.clone(),
                        fraction: cell.id.fraction,
                        n_labels: cell.id.n_labels,
                        seed: cell.id.seed,
                        draw: cell.id.draw,
                        budget: cell.id.budget.clone(),
                        pretrain_seed: cell.id.pretrain_seed,
                        split: split.name().to_string(),
                        emotion: emotion.to_string(),
                        metric: metric.name().to_string(),
                        value: m.value,
                        support: m.support,
                    }),
            );
        }
    }
    Ok(out)
}

/// One metric of one group of rows.
#[derive(Debug, Clone, Copy)]
struct Measurement {
    value: Option<f64>,
    support: u64,
}

/// All metrics of one group of rows, in the order of [`Metric::ALL`].
type Measured = [Measurement; Metric::ALL.len()];

fn measure(rows: &[&PredictionRow]) -> Measured {
    let present: Vec<bool> = rows.iter().map(|r| r.present).collect();
    // A head that only some rows have would be measured on other rows than the support counts.
    let score: Option<Vec<f64>> = rows.iter().map(|r| r.score).collect();
    let predicted: Option<Vec<f64>> = rows.iter().map(|r| r.predicted_intensity).collect();
    let intensity: Vec<f64> = rows.iter().map(|r| r.intensity).collect();
    let confusion = score.as_ref().and_then(|scores| {
        let decided: Vec<bool> = rows
            .iter()
            .zip(scores)
            .map(|(row, &score)| score >= row.threshold)
            .collect();
        Confusion::count(&present, &decided)
    });
    let ranking = score.as_ref().and_then(|s| Ranking::new(&present, s));
    let positives = present.iter().filter(|&&p| p).count() as u64;
    Metric::ALL.map(|metric| {
        let value = match metric {
            Metric::Precision => confusion.and_then(|c| c.precision()),
            Metric::Recall => confusion.and_then(|c| c.recall()),
            Metric::F1 => confusion.and_then(|c| c.f1()),
            Metric::WeightedF1 => confusion.and_then(|c| c.weighted_f1()),
            Metric::Accuracy => confusion.and_then(|c| c.accuracy()),
            Metric::BalancedAccuracy => confusion.and_then(|c| c.balanced_accuracy()),
            Metric::RocAuc => ranking.as_ref().and_then(Ranking::roc_auc),
            Metric::AveragePrecision => ranking.as_ref().and_then(Ranking::average_precision),
            Metric::Mae => predicted.as_ref().and_then(|p| mae(&intensity, p)),
            Metric::Accuracy4 => predicted.as_ref().and_then(|p| accuracy4(&intensity, p)),
        };
        let support = match metric.head() {
            Head::Presence => positives,
            Head::Intensity => rows.len() as u64,
        };
        Measurement { value, support }
    })
}

fn check(cell: &str, row: &PredictionRow) -> Result<(), EvalError> {
    if ![Split::Valid.name(), Split::Test.name()].contains(&row.split.as_str()) {
        return Err(EvalError::UnknownSplit {
            cell: cell.to_string(),
            found: row.split.clone(),
        });
    }
    if [MACRO, MICRO].contains(&row.emotion.as_str()) {
        return Err(EvalError::ReservedEmotion {
            cell: cell.to_string(),
            found: row.emotion.clone(),
        });
    }
    const FINITE: &str = "a finite number";
    let numbers = [
        (
            "intensity",
            Some(row.intensity).filter(|x| !x.is_finite()),
            FINITE,
        ),
        ("score", row.score.filter(|x| !x.is_finite()), FINITE),
        (
            "predicted_intensity",
            row.predicted_intensity.filter(|x| !x.is_finite()),
            FINITE,
        ),
        // An infinite threshold means "always" or "never"; NaN is meaningless.
        (
            "threshold",
            Some(row.threshold).filter(|x| x.is_nan()),
            "a number",
        ),
    ];
    for (column, refused, expected) in numbers {
        if let Some(found) = refused {
            return Err(EvalError::NotFinite {
                cell: cell.to_string(),
                split: row.split.clone(),
                segment: Box::new(SegmentId {
                    video: row.video.clone(),
                    segment: row.segment,
                }),
                emotion: row.emotion.clone(),
                column,
                expected,
                found,
            });
        }
    }
    Ok(())
}
