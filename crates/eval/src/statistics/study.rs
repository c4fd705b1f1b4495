//! What a study says of the difference between two starts, and how sure it is.
//!
//! The study's numbers are means over runs (a run is a training seed and a label draw) of metrics on the test rows of all
//! folds. Another study like it would have met other videos, seeds and label draws; so all three are drawn anew, for both
//! starts alike, and every number here comes with what it was in each of many such studies.

use super::resamples::Resamples;
use super::{
    Clustered, ClusteredRow, Equivalence, Interval, area_under_curve, bca, expanded_percentile, labels_to_reach,
};
use super::{SignFlip, sign_flip};
use crate::budget::{Budget, Labels, budgets};
use crate::{EvalError, MACRO, Metric};
use mosei_schema::Split;
use run_record::{CellId, CellPredictions};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Questions {
    /// The start whose gain is in question.
    pub treated: String,
    /// The start that it is compared with.
    pub baseline: String,
    /// Metrics to answer for.
    pub metrics: Vec<Metric>,
    /// Studies to draw.
    pub resamples: usize,
    /// Share of such studies that an interval shall hold.
    pub level: f64,
    /// Seed of all draws.
    pub seed: u64,
}

/// A number with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Mean over the runs.
    pub value: f64,
    /// The expanded percentile interval; `None` where too many draws have no value.
    pub interval: Option<Interval>,
    /// Efron's BCa interval, which does not allow for few clusters.
    pub bca: Option<Interval>,
}

/// A point of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The start.
    pub start: String,
    /// Place of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// An emotion or `macro`.
    pub emotion: String,
    /// The metric.
    pub metric: Metric,
    /// Runs.
    pub runs: usize,
    /// The mean over them.
    pub estimate: Estimate,
}

/// treated - baseline at one budget, run by run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Place of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// An emotion or `macro`.
    pub emotion: String,
    /// The metric.
    pub metric: Metric,
    /// Pairs of runs.
    pub pairs: usize,
    /// The mean difference.
    pub difference: Estimate,
    /// Two-sided p of the sign-flip test over videos, seeds and draws.
    pub p: Option<f64>,
    /// The difference in each pair, by seed and draw.
    pub each: Vec<f64>,
}

/// How many labels the baseline needs to reach what the treated start has at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelEquivalence {
    /// Place of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// The metric, macro.
    pub metric: Metric,
    /// The answer of the study as it is.
    pub labels: Equivalence,
    /// Interval of labels; 0 stands for "fewer than were tried", infinite (null in JSON) for "not reached".
    #[serde(with = "infinite_as_null")]
    pub low: f64,
    /// Its upper end.
    #[serde(with = "infinite_as_null")]
    pub high: f64,
}

/// The treated start's mean gain over all budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AreaContrast {
    /// An emotion or `macro`.
    pub emotion: String,
    /// The metric.
    pub metric: Metric,
    /// Difference of the areas under the learning curves over log labels, as a mean height.
    pub difference: Estimate,
}

/// All answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyStatistics {
    /// What was asked.
    pub questions: Questions,
    /// Test videos (or speakers) that were resampled.
    pub clusters: usize,
    /// Training seeds.
    pub seeds: usize,
    /// Label draws.
    pub draws: usize,
    /// The label budgets, fewest first.
    pub budgets: Vec<Budget>,
    /// Learning curves.
    pub curves: Vec<CurvePoint>,
    /// Paired differences.
    pub contrasts: Vec<Contrast>,
    /// Label equivalence.
    pub equivalences: Vec<LabelEquivalence>,
    /// Areas under the curves.
    pub areas: Vec<AreaContrast>,
}

mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}

/// A number in the study as it is, in each drawn study, and without each cluster.
#[derive(Debug, Clone)]
struct Drawn {
    value: f64,
    draws: Vec<f64>,
    left_out: Vec<f64>,
}

impl Drawn {
    /// Combines the same place of several, such as the draws b of all.
    fn combine(all: &[&Drawn], with: impl Fn(usize, &mut dyn Iterator<Item = f64>) -> f64) -> Self {
        let Some(first) = all.first() else {
            return Drawn { value: f64::NAN, draws: Vec::new(), left_out: Vec::new() };
        };
        let at = |b: usize| with(AS_IT_IS + 1 + b, &mut all.iter().map(|d| d.draws[b]));
        let without = |c: usize| with(AS_IT_IS, &mut all.iter().map(|d| d.left_out[c]));
        Drawn {
            value: with(AS_IT_IS, &mut all.iter().map(|d| d.value)),
            draws: (0..first.draws.len()).map(at).collect(),
            left_out: (0..first.left_out.len()).map(without).collect(),
        }
    }
}

/// The first argument of what [`Drawn::combine`] is given: 0 for the study as it is, 1 + b for draw b.
const AS_IT_IS: usize = 0;

/// The mean of those that have a value.
fn defined_mean(values: &mut dyn Iterator<Item = f64>) -> f64 {
    let (mut total, mut n) = (0.0, 0_u64);
    for value in values.filter(|v| !v.is_nan()) {
        total += value;
        n += 1;
    }
    total / n as f64
}

/// What a cell has: for each metric, each emotion and their mean.
struct MeasuredCell {
    id: CellId,
    numbers: BTreeMap<(Metric, String), Drawn>,
}

/// Cells on resampled videos, added one at a time.
pub struct StudySample {
    questions: Questions,
    /// Number and fold of each cluster.
    clusters: BTreeMap<String, (usize, i32)>,
    resamples: Resamples,
    left_out: Resamples,
    cells: Vec<MeasuredCell>,
    emotions: Vec<String>,
    /// What the first cell of each fold was tested on, and its key.
    tested: BTreeMap<i32, (String, Vec<Tested>)>,
}

/// A test row, but for what a model says of it: video, segment, emotion, label and presence.
type Tested = (String, i32, String, u64, bool);

impl StudySample {
    /// Draws the studies. `clusters` are the test videos of each fold; a video is tested in one fold.
    pub fn new(questions: Questions, clusters: impl IntoIterator<Item = (i32, String)>) -> Self {
        let mut folds: Vec<(String, i32)> = clusters.into_iter().map(|(fold, name)| (name, fold)).collect();
        folds.sort();
        folds.dedup_by(|a, b| a.0 == b.0);
        let n = folds.len();
        let clusters = folds.into_iter().enumerate().map(|(i, (name, fold))| (name, (i, fold))).collect();
        let resamples = Resamples::bootstrap(questions.seed, "clusters", n, questions.resamples);
        let left_out = Resamples::leave_one_out(n);
        let (cells, emotions, tested) = (Vec::new(), Vec::new(), BTreeMap::new());
        StudySample { questions, clusters, resamples, left_out, cells, emotions, tested }
    }

    /// Measures a cell's test rows in every drawn study.
    ///
    /// # Errors
    /// A test row of a video that is not among the clusters, or that belongs to another fold; test rows or labels that
    /// differ from those of the fold's other cells; a second cell of the same settings.
    pub fn add(&mut self, cell: &CellPredictions) -> Result<(), EvalError> {
        self.check(cell)?;
        let mut rows: BTreeMap<&str, Vec<ClusteredRow>> = BTreeMap::new();
        for row in cell.rows.iter().filter(|r| r.split == Split::Test.name()) {
            let Some(&(cluster, fold)) = self.clusters.get(&row.video) else {
                return Err(EvalError::UnknownVideo {
                    cell: cell.id.cell.clone(),
                    video: row.video.clone(),
                    fold: None,
                });
            };
            if fold != cell.id.fold {
                let fold = Some(fold);
                return Err(EvalError::UnknownVideo { cell: cell.id.cell.clone(), video: row.video.clone(), fold });
            }
            if !self.emotions.contains(&row.emotion) {
                self.emotions.push(row.emotion.clone());
            }
            rows.entry(&row.emotion).or_default().push(ClusteredRow {
                cluster,
                present: row.present,
                score: row.score,
                threshold: row.threshold,
                intensity: row.intensity,
                predicted: row.predicted_intensity,
            });
        }
        let mut numbers = BTreeMap::new();
        let clustered: Vec<(&str, Clustered)> =
            rows.into_iter().filter_map(|(emotion, rows)| Some((emotion, Clustered::new(&rows)?))).collect();
        for &metric in &self.questions.metrics {
            let each: Vec<(&str, Drawn)> = clustered
                .iter()
                .map(|(emotion, rows)| {
                    let value = rows.value(metric).unwrap_or(f64::NAN);
                    let draws = rows.draws(metric, &self.resamples);
                    (*emotion, Drawn { value, draws, left_out: rows.draws(metric, &self.left_out) })
                })
                .collect();
            let all: Vec<&Drawn> = each.iter().map(|(_, drawn)| drawn).collect();
            let mean = Drawn::combine(&all, |_, values| defined_mean(values));
            numbers.insert((metric, MACRO.to_string()), mean);
            numbers.extend(each.into_iter().map(|(emotion, drawn)| ((metric, emotion.to_string()), drawn)));
        }
        self.cells.push(MeasuredCell { id: cell.id.clone(), numbers });
        Ok(())
    }

    fn check(&mut self, cell: &CellPredictions) -> Result<(), EvalError> {
        let of = |id: &CellId| (id.fold, id.start.clone(), id.n_labels, id.seed, id.draw);
        if let Some(first) = self.cells.iter().find(|c| of(&c.id) == of(&cell.id)) {
            return Err(EvalError::TwoCells { first: first.id.cell.clone(), second: cell.id.cell.clone() });
        }
        let tested: Vec<Tested> = cell
            .rows
            .iter()
            .filter(|r| r.split == Split::Test.name())
            .map(|r| (r.video.clone(), r.segment, r.emotion.clone(), r.intensity.to_bits(), r.present))
            .collect();
        let (first, expected) =
            self.tested.entry(cell.id.fold).or_insert_with(|| (cell.id.cell.clone(), tested.clone()));
        let place = (0..expected.len().max(tested.len())).find(|&i| expected.get(i) != tested.get(i));
        match place {
            None => Ok(()),
            Some(i) => {
                let row = tested.get(i).or(expected.get(i));
                Err(EvalError::OtherRows {
                    cell: cell.id.cell.clone(),
                    first: first.clone(),
                    row: row.map_or_else(String::new, |r| format!("{}[{}] {}", r.0, r.1, r.2)),
                })
            }
        }
    }

    /// The answers.
    pub fn finish(self) -> StudyStatistics {
        let labels: Vec<Labels> = self
            .cells
            .iter()
            .map(|c| Labels { fold: c.id.fold, fraction: c.id.fraction, n_labels: c.id.n_labels })
            .collect();
        let (budgets, budget_of) = budgets(&labels);
        let asked = self.questions.clone();
        let grid = Grid::new(&self, budget_of);
        let mut out = StudyStatistics {
            clusters: self.clusters.len(),
            seeds: grid.seeds.len(),
            draws: grid.draws.len(),
            budgets: budgets.clone(),
            curves: Vec::new(),
            contrasts: Vec::new(),
            equivalences: Vec::new(),
            areas: Vec::new(),
            questions: asked.clone(),
        };
        let mut starts: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !starts.contains(&cell.id.start.as_str()) {
                starts.push(&cell.id.start);
            }
        }
        let emotions = || self.emotions.iter().map(String::as_str).chain([MACRO]);
        for &metric in &asked.metrics {
            for emotion in emotions() {
                for start in &starts {
                    for budget in 0..budgets.len() {
                        let runs = grid.runs(start, budget, emotion, metric);
                        let Some(estimate) = grid.estimate(&runs) else { continue };
                        let (start, emotion) = ((*start).to_string(), emotion.to_string());
                        out.curves.push(CurvePoint { start, budget, emotion, metric, runs: runs.len(), estimate });
                    }
                }
                out.contrasts.extend((0..budgets.len()).filter_map(|b| grid.contrast(b, emotion, metric)));
                out.areas.extend(grid.area(&budgets, emotion, metric));
            }
            out.equivalences.extend((0..budgets.len()).filter_map(|b| grid.equivalence(b, &budgets, metric)));
        }
        out
    }
}

/// A run's training seed and label draw.
type Run = (i32, i32);

/// The cells by what they are, and which runs each drawn study has.
struct Grid<'a> {
    sample: &'a StudySample,
    /// (start, budget, run, fold) to the cell.
    cells: BTreeMap<(&'a str, usize, Run, i32), &'a MeasuredCell>,
    folds: Vec<i32>,
    seeds: Vec<i32>,
    draws: Vec<i32>,
    /// How often each seed and each label draw stands in each drawn study.
    seed_counts: Resamples,
    draw_counts: Resamples,
    /// Clusters of each fold in each drawn study, in the order of `folds`.
    fold_weights: Vec<Vec<f64>>,
}

impl<'a> Grid<'a> {
    fn new(sample: &'a StudySample, budget_of: Vec<usize>) -> Self {
        let ids = || sample.cells.iter().map(|c| &c.id);
        let sorted = |of: fn(&CellId) -> i32| ids().map(of).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let (folds, seeds, draws) = (sorted(|id| id.fold), sorted(|id| id.seed), sorted(|id| id.draw));
        let cells = sample
            .cells
            .iter()
            .zip(budget_of)
            .map(|(c, budget)| ((c.id.start.as_str(), budget, (c.id.seed, c.id.draw), c.id.fold), c))
            .collect();
        let (n, seed) = (sample.questions.resamples, sample.questions.seed);
        let weight = |b: usize, fold: i32| {
            let of_fold = sample.clusters.values().filter(|(_, f)| *f == fold);
            of_fold.map(|(cluster, _)| f64::from(sample.resamples.count(b, *cluster))).sum::<f64>()
        };
        Grid {
            sample,
            cells,
            seed_counts: Resamples::bootstrap_of_few(seed, "seeds", seeds.len(), n),
            draw_counts: Resamples::bootstrap_of_few(seed, "label draws", draws.len(), n),
            fold_weights: (0..n).map(|b| folds.iter().map(|&f| weight(b, f)).collect()).collect(),
            folds,
            seeds,
            draws,
        }
    }

    /// A number of each run that has all folds: the mean over folds, each weighted by its clusters.
    fn runs(&self, start: &str, budget: usize, emotion: &str, metric: Metric) -> BTreeMap<Run, Drawn> {
        let fold_sizes: Vec<f64> = self
            .folds
            .iter()
            .map(|&f| self.sample.clusters.values().filter(|(_, fold)| *fold == f).count() as f64)
            .collect();
        let runs = self.seeds.iter().flat_map(|&s| self.draws.iter().map(move |&d| (s, d)));
        runs.filter_map(|run| {
            let key = (metric, emotion.to_string());
            let of_fold = |fold| self.cells.get(&(start, budget, run, fold))?.numbers.get(&key);
            let folds: Vec<&Drawn> = self.folds.iter().map(|&fold| of_fold(fold)).collect::<Option<_>>()?;
            let drawn = Drawn::combine(&folds, |place, values| {
                let weights = place.checked_sub(AS_IT_IS + 1).map_or(&fold_sizes, |b| &self.fold_weights[b]);
                let (mut total, mut weight) = (0.0, 0.0);
                for (value, w) in values.zip(weights).filter(|(value, _)| !value.is_nan()) {
                    total += w * value;
                    weight += w;
                }
                total / weight
            });
            (!drawn.value.is_nan()).then_some((run, drawn))
        })
        .collect()
    }

    /// The mean over runs, as often as each drawn study has them.
    fn mean(&self, runs: &BTreeMap<Run, Drawn>) -> Option<Drawn> {
        let place = |list: &[i32], wanted: i32| list.binary_search(&wanted).unwrap_or_default();
        let places: Vec<(usize, usize)> =
            runs.keys().map(|&(s, d)| (place(&self.seeds, s), place(&self.draws, d))).collect();
        let all: Vec<&Drawn> = runs.values().collect();
        (!all.is_empty()).then(|| {
            Drawn::combine(&all, |at, values| {
                let (mut total, mut weight) = (0.0, 0.0);
                for (value, &(s, d)) in values.zip(&places).filter(|(value, _)| !value.is_nan()) {
                    let w = at.checked_sub(AS_IT_IS + 1).map_or(1.0, |b| {
                        f64::from(self.seed_counts.count(b, s)) * f64::from(self.draw_counts.count(b, d))
                    });
                    total += w * value;
                    weight += w;
                }
                total / weight
            })
        })
    }

    fn with_interval(&self, mean: &Drawn) -> Estimate {
        let (level, clusters) = (self.sample.questions.level, self.sample.clusters.len());
        Estimate {
            value: mean.value,
            interval: expanded_percentile(&mean.draws, level, clusters),
            bca: bca(&mean.draws, mean.value, &mean.left_out, level),
        }
    }

    fn estimate(&self, runs: &BTreeMap<Run, Drawn>) -> Option<Estimate> {
        Some(self.with_interval(&self.mean(runs)?))
    }

    /// treated - baseline of the runs that both have.
    fn differences(&self, budget: usize, emotion: &str, metric: Metric) -> BTreeMap<Run, Drawn> {
        let q = &self.sample.questions;
        let (ours, theirs) =
            (self.runs(&q.treated, budget, emotion, metric), self.runs(&q.baseline, budget, emotion, metric));
        let paired = ours.into_iter().filter_map(|(run, ours)| {
            let both = [&ours, theirs.get(&run)?];
            let less = |_: usize, values: &mut dyn Iterator<Item = f64>| {
                values.next().unwrap_or(f64::NAN) - values.next().unwrap_or(f64::NAN)
            };
            Some((run, Drawn::combine(&both, less)))
        });
        paired.collect()
    }

    fn contrast(&self, budget: usize, emotion: &str, metric: Metric) -> Option<Contrast> {
        let runs = self.differences(budget, emotion, metric);
        let mean = self.mean(&runs)?;
        Some(Contrast {
            budget,
            emotion: emotion.to_string(),
            metric,
            pairs: runs.len(),
            difference: self.with_interval(&mean),
            p: self.test(&mean, &runs).map(|test| test.p),
            each: runs.values().map(|d| d.value).collect(),
        })
    }

    /// Signs are flipped of what each cluster adds (its pseudo-value: n times the whole less n - 1 times the rest), of the
    /// seeds and of the label draws.
    fn test(&self, mean: &Drawn, runs: &BTreeMap<Run, Drawn>) -> Option<SignFlip> {
        let n = mean.left_out.len() as f64;
        let added: Vec<f64> = mean.left_out.iter().map(|rest| n * mean.value - (n - 1.0) * rest).collect();
        let levels = |list: &[i32], of: fn(&Run) -> i32| -> Vec<f64> {
            let of_level = |level: &i32| {
                crate::mean(runs.iter().filter(|(run, _)| of(run) == *level).map(|(_, drawn)| drawn.value))
            };
            list.iter().filter_map(of_level).collect()
        };
        let others = [levels(&self.seeds, |run| run.0), levels(&self.draws, |run| run.1)];
        sign_flip(&added, &others, self.sample.questions.resamples, self.sample.questions.seed)
    }

    /// The mean of a start at each budget; `None` where one has no run.
    fn curve(&self, start: &str, budgets: usize, emotion: &str, metric: Metric) -> Option<Vec<Drawn>> {
        (0..budgets).map(|b| self.mean(&self.runs(start, b, emotion, metric))).collect()
    }

    fn area(&self, budgets: &[Budget], emotion: &str, metric: Metric) -> Option<AreaContrast> {
        let q = &self.sample.questions;
        let area = |start: &str| {
            let curve = self.curve(start, budgets.len(), emotion, metric)?;
            let all: Vec<&Drawn> = curve.iter().collect();
            Some(Drawn::combine(&all, |_, values| {
                let points: Vec<(f64, f64)> = budgets.iter().map(|b| b.labels).zip(values).collect();
                area_under_curve(&points).unwrap_or(f64::NAN)
            }))
        };
        let (ours, theirs) = (area(&q.treated)?, area(&q.baseline)?);
        let difference = Drawn::combine(&[&ours, &theirs], |_, values| {
            values.next().unwrap_or(f64::NAN) - values.next().unwrap_or(f64::NAN)
        });
        (!difference.value.is_nan()).then(|| AreaContrast {
            emotion: emotion.to_string(),
            metric,
            difference: self.with_interval(&difference),
        })
    }

    fn equivalence(&self, budget: usize, budgets: &[Budget], metric: Metric) -> Option<LabelEquivalence> {
        let q = &self.sample.questions;
        let reached = self.mean(&self.runs(&q.treated, budget, MACRO, metric))?;
        let curve = self.curve(&q.baseline, budgets.len(), MACRO, metric)?;
        let answer = |target: f64, values: &mut dyn Iterator<Item = f64>| {
            let points: Vec<(f64, f64)> = budgets.iter().map(|b| b.labels).zip(values).collect();
            labels_to_reach(&points, target, metric.higher_is_better())
        };
        let labels = answer(reached.value, &mut curve.iter().map(|d| d.value))?;
        let draws: Vec<f64> = (0..q.resamples)
            .map(|b| {
                answer(reached.draws[b], &mut curve.iter().map(|d| d.draws[b])).map_or(f64::NAN, Equivalence::labels)
            })
            .collect();
        let interval = expanded_percentile(&draws, q.level, self.sample.clusters.len())?;
        Some(LabelEquivalence { budget, metric, labels, low: interval.low, high: interval.high })
    }
}
