//! Trivial predictors: baselines that see no features, shown beside every metric.
//!
//! `trivial/chance.rs` computes the expected metrics of random decisions.
//!
//! ```
//! use eval::trivial::{EmotionLabels, Label, trivial_rows};
//! use mosei_schema::Split;
//! use run_record::CellId;
//!
//! let label = |intensity: f64| Label { intensity, present: intensity > 0.0 };
//! let sad = EmotionLabels {
//!     emotion: "sad".into(),
//!     train: [0.0, 0.0, 0.0, 1.0].map(label).to_vec(),
//!     evaluated: [0.0, 2.0].map(label).to_vec(),
//! };
//! let id = CellId { partition: 0, cell: "f0".into(), fold: 0, start: String::new(), fraction: 1.0, n_labels: 4, seed: 0, draw: 0, budget: "f1".into(), pretrain_seed: None };
//! let rows = trivial_rows(&id, Split::Test, &[sad])?;
//! let value = |start: &str, metric: &str| {
//!     rows.iter().find(|r| r.start == start && r.metric == metric && r.emotion == "sad").and_then(|r| r.value)
//! };
//! assert_eq!(value("always-present", "recall"), Some(1.0));
//! assert_eq!(value("prevalence", "recall"), Some(0.25)); // the share of the training labels that are present
//! assert_eq!(value("training-mean", "mae"), Some((0.25 + 1.75) / 2.0));
//! assert_eq!(value("training-median", "mae"), Some(1.0));
//! # Ok::<(), eval::EvalError>(())
//! ```

mod chance;

use crate::sum::{mean, median};
use crate::{EvalError, MACRO, MICRO, Metric, measure_cell};
use chance::Chance;
use mosei_schema::Split;
use run_record::{CellId, CellPredictions, PredictionRow, ResultRow};
use strum::IntoStaticStr;

/// A predictor that sees only the training labels, no features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Trivial {
    /// Predicts that every emotion is absent.
    AlwaysAbsent,
    /// Predicts that every emotion is present.
    AlwaysPresent,
    /// Draws a score uniformly from [0, 1) and predicts presence where it is at least 1 -
    /// prevalence, with the prevalence of the training labels. Its metrics are expected values.
    Prevalence,
    /// Predicts the mean intensity of the training labels.
    TrainingMean,
    /// Predicts their median, which no other constant beats in absolute error on them; mostly 0.
    TrainingMedian,
}

impl Trivial {
    /// All five, in the order of tables.
    pub const ALL: [Trivial; 5] = [
        Trivial::AlwaysAbsent,
        Trivial::AlwaysPresent,
        Trivial::Prevalence,
        Trivial::TrainingMean,
        Trivial::TrainingMedian,
    ];

    /// The name in the start column of tables.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One emotion's label of one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// As in the file.
    pub intensity: f64,
    /// Under the presence rule.
    pub present: bool,
}

/// The labels of one emotion.
#[derive(Debug, Clone, PartialEq)]
pub struct EmotionLabels {
    /// Its name.
    pub emotion: String,
    /// Of the training segments.
    pub train: Vec<Label>,
    /// Of the segments to evaluate on.
    pub evaluated: Vec<Label>,
}

/// The result rows of all five predictors on one split of a fold, in the rows and with the rules of
/// [`measure_cell`].
///
/// `id` gives fold, budget, seed and draw; each row's start is its predictor's name, and its cell
/// `START-CELL`.
///
/// # Errors
/// As those of [`measure_cell`].
pub fn trivial_rows(
    id: &CellId,
    split: Split,
    emotions: &[EmotionLabels],
) -> Result<Vec<ResultRow>, EvalError> {
    let mut out = Vec::new();
    for trivial in Trivial::ALL {
        let mut rows = measure_cell(&constant(trivial, id, split, emotions))?;
        if trivial == Trivial::Prevalence {
            fill_in_expectations(&mut rows, emotions);
        }
        out.extend(rows);
    }
    Ok(out)
}

/// The predictions of a constant predictor; without scores for one that draws them.
fn constant(
    trivial: Trivial,
    id: &CellId,
    split: Split,
    emotions: &[EmotionLabels],
) -> CellPredictions {
    let mut rows = Vec::new();
    for EmotionLabels {
        emotion,
        train,
        evaluated,
    } in emotions
    {
        let score = match trivial {
            Trivial::AlwaysAbsent => Some(0.0),
            Trivial::AlwaysPresent => Some(1.0),
            _ => None,
        };
        let predicted_intensity = match trivial {
            Trivial::TrainingMean => mean(train.iter().map(|l| l.intensity)),
            Trivial::TrainingMedian => median(train.iter().map(|l| l.intensity)),
            _ => None,
        };
        rows.extend(
            evaluated
                .iter()
                .enumerate()
                .map(|(i, label)| PredictionRow {
                    split: split.name().into(),
                    video: String::new(),
                    segment: i as i32,
                    emotion: emotion.clone(),
                    intensity: label.intensity,
                    present: label.present,
                    score,
                    predicted_intensity,
                    threshold: 0.5,
                }),
        );
    }
    let cell = format!("{}-{}", trivial.name(), id.cell);
    CellPredictions {
        id: CellId {
            partition: 0,
            cell,
            start: trivial.name().into(),
            ..id.clone()
        },
        rows,
    }
}

/// Fills the expected values of [`Trivial::Prevalence`] into rows without values.
fn fill_in_expectations(rows: &mut [ResultRow], emotions: &[EmotionLabels]) {
    let each: Vec<(&str, Chance)> = emotions
        .iter()
        .map(|e| (e.emotion.as_str(), Chance::of(e)))
        .collect();
    let measured: Vec<(&str, Measured)> = each
        .iter()
        .map(|(emotion, chance)| (*emotion, measure(chance)))
        .collect();
    let together = each
        .iter()
        .map(|(_, chance)| chance.clone())
        .reduce(|a, b| a.and(&b))
        .map(|c| measure(&c));
    for row in rows {
        let Some(m) =
            Metric::from_name(&row.metric).and_then(|m| Metric::ALL.iter().position(|&x| x == m))
        else {
            continue;
        };
        row.value = match row.emotion.as_str() {
            MACRO => mean(measured.iter().filter_map(|(_, values)| values[m])),
            MICRO => together.and_then(|values| values[m]),
            name => measured
                .iter()
                .find(|(emotion, _)| *emotion == name)
                .and_then(|(_, values)| values[m]),
        };
    }
}

/// In the order of [`Metric::ALL`].
type Measured = [Option<f64>; Metric::ALL.len()];

fn measure(chance: &Chance) -> Measured {
    Metric::ALL.map(|metric| match metric {
        Metric::Precision => chance.expected(|c| c.precision()),
        Metric::Recall => chance.expected(|c| c.recall()),
        Metric::F1 => chance.expected(|c| c.f1()),
        Metric::WeightedF1 => chance.expected(|c| c.weighted_f1()),
        Metric::Accuracy => chance.expected(|c| c.accuracy()),
        Metric::BalancedAccuracy => chance.expected(|c| c.balanced_accuracy()),
        Metric::RocAuc => chance.roc_auc(),
        Metric::AveragePrecision => chance.average_precision(),
        Metric::Mae | Metric::Accuracy4 => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(intensities: &[f64]) -> Vec<Label> {
        intensities
            .iter()
            .map(|&intensity| Label {
                intensity,
                present: intensity > 0.0,
            })
            .collect()
    }

    #[test]
    fn rows_carry_their_predictor_and_their_support() {
        let sad = EmotionLabels {
            emotion: "sad".into(),
            train: Vec::new(),
            evaluated: labels(&[0.0, 1.0, 2.0]),
        };
        let id = CellId {
            partition: 0,
            cell: "k".into(),
            fold: 3,
            start: "x".into(),
            fraction: 0.5,
            n_labels: 9,
            seed: 1,
            draw: 2,
            budget: "f0.5".into(),
            pretrain_seed: None,
        };
        let rows = trivial_rows(&id, Split::Valid, &[sad]).unwrap();
        assert_eq!(rows.len(), 5 * 3 * Metric::ALL.len());
        for trivial in Trivial::ALL {
            let own: Vec<_> = rows.iter().filter(|r| r.start == trivial.name()).collect();
            assert_eq!(own.len(), 3 * Metric::ALL.len());
            assert!(own.iter().all(|r| r.cell == format!("{}-k", trivial.name())
                && r.split == "valid"
                && r.fold == 3));
            let support = |metric| {
                own.iter()
                    .find(|r| r.metric == metric && r.emotion == "sad")
                    .map(|r| r.support)
            };
            assert_eq!((support("f1"), support("mae")), (Some(2), Some(3)));
        }
        // Without training labels there is no mean and no prevalence.
        let value = |start, metric| {
            rows.iter()
                .find(|r| r.start == start && r.metric == metric)
                .and_then(|r| r.value)
        };
        assert_eq!(
            (value("training-mean", "mae"), value("prevalence", "recall")),
            (None, None)
        );
    }
}
