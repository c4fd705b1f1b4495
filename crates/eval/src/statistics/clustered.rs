//! A metric of one emotion of one cell, over many resamples of its clusters at once.
//!
//! The rows are put in the order of their scores once. A resample only changes how much each row
//! weighs, so it is one walk along the rows, and several resamples walk together.

use super::resamples::{LANES, Resamples};
use crate::metrics::Confusion;
use crate::{Head, Metric};
use mosei_schema::intensity_class;

/// The label and predictions of one emotion in one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredRow {
    /// Number of its cluster.
    pub cluster: usize,
    /// Whether the emotion is present.
    pub present: bool,
    /// Probability of presence, where there is such a head.
    pub score: Option<f64>,
    /// Predicted present where the score is not below it.
    pub threshold: f64,
    /// The label.
    pub intensity: f64,
    /// Predicted intensity, where there is such a head.
    pub predicted: Option<f64>,
}

/// The rows of one emotion of one cell, by cluster.
#[derive(Debug, Clone)]
pub struct Clustered {
    ranked: Option<Vec<Ranked>>,
    tallies: Vec<(usize, Tally)>,
    has_intensity: bool,
}

/// A row in the order of scores, the highest first.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    cluster: u32,
    present: bool,
    /// Whether the next row has another score.
    ends_tie: bool,
}

/// The contribution of a cluster to metrics that are sums over rows.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    confusion: Confusion,
    rows: u64,
    correct4: u64,
    absolute_error: f64,
}

type Lanes = [f64; LANES];

impl Clustered {
    /// Sorts the rows. A head that some row lacks counts as absent.
    ///
    /// `None` where a number is not finite.
    pub fn new(rows: &[ClusteredRow]) -> Option<Self> {
        let finite = |r: &ClusteredRow| {
            let score = r.score.is_none_or(f64::is_finite) && !r.threshold.is_nan();
            score && r.intensity.is_finite() && r.predicted.is_none_or(f64::is_finite)
        };
        if !rows.iter().all(finite) {
            return None;
        }
        let scored: Option<Vec<(f64, &ClusteredRow)>> =
            rows.iter().map(|r| Some((r.score?, r))).collect();
        let ranked = scored.filter(|s| !s.is_empty()).map(|mut scored| {
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            let next = scored.iter().skip(1).map(|s| Some(s.0)).chain([None]);
            let row = |(&(score, r), next): (&(f64, &ClusteredRow), Option<f64>)| Ranked {
                cluster: r.cluster as u32,
                present: r.present,
                // 0 and -0 have one rank.
                ends_tie: next != Some(score),
            };
            scored.iter().zip(next).map(row).collect()
        });
        let has_intensity = !rows.is_empty() && rows.iter().all(|r| r.predicted.is_some());
        let mut tallies: std::collections::BTreeMap<usize, Tally> =
            std::collections::BTreeMap::new();
        for r in rows {
            let tally = tallies.entry(r.cluster).or_default();
            tally.rows += 1;
            let c = &mut tally.confusion;
            match (r.present, r.score.is_some_and(|s| s >= r.threshold)) {
                (true, true) => c.tp += 1,
                (false, true) => c.fp += 1,
                (true, false) => c.fn_ += 1,
                (false, false) => c.tn += 1,
            }
            if let Some(predicted) = r.predicted {
                tally.absolute_error += (r.intensity - predicted).abs();
                tally.correct4 +=
                    u64::from(intensity_class(r.intensity) == intensity_class(predicted));
            }
        }
        Some(Clustered {
            ranked,
            tallies: tallies.into_iter().collect(),
            has_intensity,
        })
    }

    /// The metric in each resample; NaN where it is undefined.
    ///
    /// # Panics
    /// Where a row's cluster is not among those of the resamples.
    pub fn replicates(&self, metric: Metric, resamples: &Resamples) -> Vec<f64> {
        let has_head = match metric.head() {
            Head::Presence => self.ranked.is_some(),
            Head::Intensity => self.has_intensity,
        };
        if !has_head {
            return vec![f64::NAN; resamples.len()];
        }
        let mut out = Vec::with_capacity(resamples.len());
        let mut weights: Vec<Lanes> = vec![[0.0; LANES]; resamples.clusters()];
        for (lanes, counts) in resamples.blocks() {
            let values = match metric {
                Metric::RocAuc | Metric::AveragePrecision => {
                    weights
                        .iter_mut()
                        .zip(counts)
                        .for_each(|(w, counts)| *w = counts.map(f64::from));
                    let ranked = self.ranked.as_deref().unwrap_or_default();
                    if metric == Metric::RocAuc {
                        roc_auc(ranked, &weights)
                    } else {
                        average_precision(ranked, &weights)
                    }
                }
                _ => self.of_sums(metric, counts),
            };
            out.extend_from_slice(&values[..lanes]);
        }
        out
    }

    /// The metric of the rows as they are.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let clusters = self.tallies.last().map_or(0, |(cluster, _)| cluster + 1);
        self.replicates(metric, &Resamples::once(clusters))
            .first()
            .copied()
            .filter(|v| !v.is_nan())
    }

    /// Rows in which the emotion is present.
    pub fn positives(&self) -> u64 {
        self.tallies
            .iter()
            .map(|(_, t)| t.confusion.positives())
            .sum()
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tallies.iter().map(|(_, t)| t.rows).sum()
    }

    fn of_sums(&self, metric: Metric, counts: &[[u16; LANES]]) -> Lanes {
        std::array::from_fn(|lane| {
            let mut all = Tally::default();
            for (cluster, t) in &self.tallies {
                let w = u64::from(counts[*cluster][lane]);
                all.confusion.tp += w * t.confusion.tp;
                all.confusion.fp += w * t.confusion.fp;
                all.confusion.fn_ += w * t.confusion.fn_;
                all.confusion.tn += w * t.confusion.tn;
                all.rows += w * t.rows;
                all.correct4 += w * t.correct4;
                all.absolute_error += w as f64 * t.absolute_error;
            }
            let share = |part: f64| (all.rows > 0).then(|| part / all.rows as f64);
            let value = match metric {
                Metric::Precision => all.confusion.precision(),
                Metric::Recall => all.confusion.recall(),
                Metric::F1 => all.confusion.f1(),
                Metric::WeightedF1 => all.confusion.weighted_f1(),
                Metric::Accuracy => all.confusion.accuracy(),
                Metric::BalancedAccuracy => all.confusion.balanced_accuracy(),
                Metric::Mae => share(all.absolute_error),
                Metric::Accuracy4 => share(all.correct4 as f64),
                Metric::RocAuc | Metric::AveragePrecision => None,
            };
            value.unwrap_or(f64::NAN)
        })
    }
}

fn add(to: &mut Lanes, x: &Lanes) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += x);
}

/// Weights are whole numbers, so that all sums here are exact up to 2^53.
fn roc_auc(ranked: &[Ranked], weights: &[Lanes]) -> Lanes {
    // Twice the weight of the ordered pairs, a tie counting one.
    let (mut doubled, mut tp, mut fp) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let (mut tie_tp, mut tie_fp) = ([0.0; LANES], [0.0; LANES]);
    for row in ranked {
        let w = &weights[row.cluster as usize];
        add(
            if row.present {
                &mut tie_tp
            } else {
                &mut tie_fp
            },
            w,
        );
        if row.ends_tie {
            for l in 0..LANES {
                doubled[l] += tie_fp[l] * (2.0 * tp[l] + tie_tp[l]);
            }
            add(&mut tp, &tie_tp);
            add(&mut fp, &tie_fp);
            (tie_tp, tie_fp) = ([0.0; LANES], [0.0; LANES]);
        }
    }
    // 0 / 0 is NaN: undefined without both classes.
    std::array::from_fn(|l| doubled[l] / (2.0 * tp[l] * fp[l]))
}

fn average_precision(ranked: &[Ranked], weights: &[Lanes]) -> Lanes {
    let (mut total, mut tp, mut rows, mut before) =
        ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for row in ranked {
        let w = &weights[row.cluster as usize];
        add(&mut rows, w);
        if row.present {
            add(&mut tp, w);
        }
        if row.ends_tie {
            for l in 0..LANES {
                // Nothing gained counts nothing, also where no row was drawn yet.
                let precision = if rows[l] > 0.0 { tp[l] / rows[l] } else { 0.0 };
                total[l] += (tp[l] - before[l]) * precision;
            }
            before = tp;
        }
    }
    std::array::from_fn(|l| total[l] / tp[l])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ranking, metrics};

    /// Rows of a small linear congruential generator, with ties.
    fn rows(n: usize, clusters: usize) -> Vec<ClusteredRow> {
        let mut state = 7_u64;
        let mut draw = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f64 / f64::from(1 << 24)
        };
        (0..n)
            .map(|i| {
                let present = draw() < 0.3;
                let score = ((draw() + f64::from(u8::from(present)) * 0.2) * 20.0).floor() / 20.0;
                ClusteredRow {
                    cluster: i % clusters,
                    present,
                    score: Some(score),
                    threshold: 0.5,
                    intensity: if present { 1.0 + draw() * 2.0 } else { 0.0 },
                    predicted: Some(draw() * 3.0),
                }
            })
            .collect()
    }

    /// The rows of a resample, written out.
    fn written_out(rows: &[ClusteredRow], resamples: &Resamples, b: usize) -> Vec<ClusteredRow> {
        rows.iter()
            .flat_map(|r| vec![*r; usize::from(resamples.count(b, r.cluster))])
            .collect()
    }

    #[test]
    fn a_resample_measures_as_its_rows_written_out() {
        let all = rows(200, 13);
        let clustered = Clustered::new(&all).unwrap();
        let resamples = Resamples::bootstrap(5, "videos", 13, 19);
        for metric in Metric::ALL {
            let draws = clustered.replicates(metric, &resamples);
            for (b, draw) in draws.iter().enumerate() {
                let rows = written_out(&all, &resamples, b);
                let present: Vec<bool> = rows.iter().map(|r| r.present).collect();
                let score: Vec<f64> = rows.iter().map(|r| r.score.unwrap()).collect();
                let intensity: Vec<f64> = rows.iter().map(|r| r.intensity).collect();
                let predicted: Vec<f64> = rows.iter().map(|r| r.predicted.unwrap()).collect();
                let decided: Vec<bool> = score.iter().map(|&s| s >= 0.5).collect();
                let confusion = Confusion::count(&present, &decided).unwrap();
                let expected = match metric {
                    Metric::Precision => confusion.precision(),
                    Metric::Recall => confusion.recall(),
                    Metric::F1 => confusion.f1(),
                    Metric::WeightedF1 => confusion.weighted_f1(),
                    Metric::Accuracy => confusion.accuracy(),
                    Metric::BalancedAccuracy => confusion.balanced_accuracy(),
                    Metric::RocAuc => Ranking::new(&present, &score).unwrap().roc_auc(),
                    Metric::AveragePrecision => {
                        Ranking::new(&present, &score).unwrap().average_precision()
                    }
                    Metric::Mae => metrics::mae(&intensity, &predicted),
                    Metric::Accuracy4 => metrics::accuracy4(&intensity, &predicted),
                };
                assert!(
                    (draw - expected.unwrap()).abs() < 1e-12,
                    "{metric:?} {b}: {draw} {expected:?}"
                );
            }
        }
    }

    #[test]
    fn missing_heads_and_classes_have_no_value() {
        let mut all = rows(20, 4);
        all[3].predicted = None;
        let clustered = Clustered::new(&all).unwrap();
        assert_eq!(clustered.value(Metric::Mae), None);
        assert!(clustered.value(Metric::RocAuc).is_some());
        all.iter_mut().for_each(|r| r.present = false);
        let none = Clustered::new(&all).unwrap();
        assert_eq!(
            (
                none.value(Metric::RocAuc),
                none.value(Metric::AveragePrecision)
            ),
            (None, None)
        );
        assert_eq!((none.positives(), none.rows()), (0, 20));
        all[0].score = Some(f64::NAN);
        assert!(Clustered::new(&all).is_none());
        assert_eq!(Clustered::new(&[]).unwrap().value(Metric::RocAuc), None);
    }

    #[test]
    fn a_resample_without_a_class_has_no_auc() {
        let row = |cluster, present| ClusteredRow {
            cluster,
            present,
            ..rows(1, 1)[0]
        };
        let clustered = Clustered::new(&[row(0, true), row(1, false)]).unwrap();
        let draws = clustered.replicates(Metric::RocAuc, &Resamples::leave_one_out(2));
        assert!(draws.iter().all(|d| d.is_nan()), "{draws:?}");
    }
}
