//! The statistics of a study: differences between starts and their uncertainty.
//!
//! The study's values are means over runs (a run is a partition into folds, a training seed, a label
//! draw and, where training seeds are crossed with them, a pre-training) of metrics on the test rows
//! of all folds of the partition. A replication would have other folds (or videos), seeds and label
//! draws: each is a source of the variance.

use super::curve::{area_under_curve, reaching_range, value_at, weights};
use super::design::between_videos;
use super::grid::{Grid, Runs};
use super::levels::LeveledMean;
use super::sample::StudySample;
use super::{
    AreaContrast, Contrast, CurvePoint, Estimate, LabelEquivalence, OtherContrast, SourceShare,
    StudyStatistics, labels_to_reach,
};
use crate::budget::{Budget, Labels, budgets, points};
use crate::run::PretrainSeeds;
use crate::{MACRO, Metric};
use std::collections::BTreeMap;

impl StudySample {
    /// Computes the statistics.
    pub fn finish(self) -> StudyStatistics {
        let ids = self.cells.iter().map(|c| &c.id);
        let budgets = budgets(ids.map(|id| Labels {
            budget: &id.budget,
            fold: id.fold,
            n_labels: id.n_labels,
        }));
        let grid = Grid::new(&self, &budgets);
        let [seeds, draws, pretrain_seeds] = grid.levels();
        let mut out = StudyStatistics {
            clusters: self.clusters.len(),
            folds: grid.fold_clusters(),
            partitions: grid.partitions().len(),
            seeds,
            draws,
            pretrain_seeds: (self.analysis.pretrain_seeds == PretrainSeeds::Crossed)
                .then_some(pretrain_seeds),
            budgets: budgets.clone(),
            curves: Vec::new(),
            contrasts: Vec::new(),
            equivalences: Vec::new(),
            areas: Vec::new(),
            others: Vec::new(),
            analysis: self.analysis.clone(),
        };
        let mut starts: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !starts.contains(&cell.id.start.as_str()) {
                starts.push(&cell.id.start);
            }
        }
        for &metric in &self.analysis.metrics {
            for emotion in self.emotions.iter().map(String::as_str).chain([MACRO]) {
                let curves = Curves::new(&grid, &starts, &budgets, emotion, metric);
                out.curves.extend(curves.points(&starts));
                out.contrasts
                    .extend((0..budgets.len()).filter_map(|b| curves.contrast(b)));
                out.areas.extend(curves.area());
                if emotion == MACRO {
                    out.others.extend(curves.others(&starts));
                    out.equivalences
                        .extend((0..budgets.len()).filter_map(|b| curves.equivalence(b)));
                }
            }
        }
        out
    }
}

/// The learning curves of all starts in one emotion and metric.
struct Curves<'a> {
    grid: &'a Grid<'a>,
    budgets: &'a [Budget],
    emotion: &'a str,
    metric: Metric,
    /// By start and budget: the runs and their mean, where there is a run.
    means: BTreeMap<(&'a str, usize), (Runs, LeveledMean)>,
}

impl<'a> Curves<'a> {
    fn new(
        grid: &'a Grid<'a>,
        starts: &[&'a str],
        budgets: &'a [Budget],
        emotion: &'a str,
        metric: Metric,
    ) -> Self {
        let places = starts
            .iter()
            .flat_map(|&start| (0..budgets.len()).map(move |budget| (start, budget)));
        let mean = |(start, budget): (&'a str, usize)| {
            let runs = grid.runs(start, budget, emotion, metric);
            let mean = grid.mean(&runs)?;
            Some(((start, budget), (runs, mean)))
        };
        Curves {
            means: places.filter_map(mean).collect(),
            grid,
            budgets,
            emotion,
            metric,
        }
    }

    fn points(&self, starts: &[&str]) -> Vec<CurvePoint> {
        let places = starts
            .iter()
            .flat_map(|&start| (0..self.budgets.len()).map(move |budget| (start, budget)));
        let point = |(start, budget): (&str, usize)| {
            let (runs, mean) = self.means.get(&(start, budget))?;
            Some(CurvePoint {
                start: start.to_string(),
                budget,
                emotion: self.emotion.to_string(),
                metric: self.metric,
                runs: runs.len(),
                estimate: self.estimate(mean).0,
            })
        };
        places.filter_map(point).collect()
    }

    /// A mean with its confidence interval, and p against 0.
    fn estimate(&self, mean: &LeveledMean) -> (Estimate, Option<f64>) {
        let found = self.grid.test(mean);
        let estimate = Estimate {
            value: mean.value,
            interval: found.map(|f| f.interval),
        };
        (estimate, found.map(|f| f.p))
    }

    /// What each source of variation gives to the variance of a mean.
    fn sources(&self, mean: &LeveledMean) -> Vec<SourceShare> {
        let each = self.grid.variances(mean).into_iter();
        each.map(|(source, levels, variance)| {
            let found = variance.filter(|found| found.variance.is_finite());
            SourceShare {
                source,
                levels,
                variance: found.map(|found| found.variance),
                freedom: found.map(|found| found.freedom),
            }
        })
        .collect()
    }

    /// The names of the treated start and the baseline.
    fn arms(&self) -> [&'a str; 2] {
        let analysis = &self.grid.sample().analysis;
        [&analysis.treated, &analysis.baseline]
    }

    /// treated - baseline.
    fn contrast(&self, budget: usize) -> Option<Contrast> {
        self.contrast_with(self.arms()[1], budget)
    }

    /// treated - each start that is neither of the two arms.
    fn others(&self, starts: &[&'a str]) -> Vec<OtherContrast> {
        let others = starts.iter().filter(|start| !self.arms().contains(start));
        let places =
            others.flat_map(|&other| (0..self.budgets.len()).map(move |budget| (other, budget)));
        let contrast = |(other, budget)| {
            Some(OtherContrast {
                contrast: self.contrast_with(other, budget)?,
                other: String::from(other),
            })
        };
        places.filter_map(contrast).collect()
    }

    /// treated - another start, over the runs that are pairs.
    fn contrast_with(&self, other: &'a str, budget: usize) -> Option<Contrast> {
        let treated = self.arms()[0];
        let [ours, theirs] =
            [treated, other].map(|start| self.means.get(&(start, budget)).map(|(runs, _)| runs));
        let (ours, theirs) = (ours?, theirs?);
        let runs = self.grid.differences(ours, theirs);
        let mean = self.grid.mean(&runs)?;
        let (difference, p) = self.estimate(&mean);
        Some(Contrast {
            budget,
            emotion: self.emotion.to_string(),
            metric: self.metric,
            pairs: runs.len(),
            difference,
            arms: [
                self.grid.paired_mean(ours, theirs)?,
                self.grid.paired_mean(theirs, ours)?,
            ],
            p,
            sources: self.sources(&mean),
            between_videos: between_videos(&mean.videos),
            each: runs.values().map(|d| d.value).collect(),
        })
    }

    /// The mean of a start at each budget; `None` where one has no run.
    fn curve(&self, start: &'a str) -> Option<Vec<&LeveledMean>> {
        (0..self.budgets.len())
            .map(|b| self.means.get(&(start, b)).map(|(_, mean)| mean))
            .collect()
    }

    fn area(&self) -> Option<AreaContrast> {
        let [treated, baseline] = self.arms();
        let weights = weights(self.budgets, area_under_curve)?;
        let treated = weighted(&weights, 1.0, &self.curve(treated)?);
        let baseline = weighted(&weights, -1.0, &self.curve(baseline)?);
        let difference = LeveledMean::combine(&[treated, baseline].concat());
        (!difference.value.is_nan()).then(|| AreaContrast {
            emotion: self.emotion.to_string(),
            metric: self.metric,
            difference: self.estimate(&difference).0,
        })
    }

    fn equivalence(&self, budget: usize) -> Option<LabelEquivalence> {
        let [treated, baseline] = self.arms();
        let reached = &self.means.get(&(treated, budget))?.1;
        let curve = self.curve(baseline)?;
        let rising = self.metric.higher_is_better();
        let values = points(self.budgets, curve.iter().map(|mean| mean.value));
        let labels = labels_to_reach(&values, reached.value, rising)?;
        // Labels at which the baseline cannot be distinguished from the value to reach.
        let gain = |labels: f64| {
            let weights = weights(self.budgets, |curve| value_at(curve, labels))?;
            let below = weighted(&weights, -1.0, &curve);
            let difference = LeveledMean::combine(&[&[(1.0, reached)], &below[..]].concat());
            self.grid.test(&difference).map(|found| found.interval)
        };
        let ends = reaching_range(&values, labels, rising, gain);
        let [low, high] = ends.map_or([None, None], |ends| ends.map(Some));
        Some(LabelEquivalence {
            budget,
            metric: self.metric,
            labels,
            low,
            high,
        })
    }
}

/// The means of a curve with their weights, times a sign; those without weight are left out.
fn weighted<'m>(
    weights: &[f64],
    sign: f64,
    curve: &[&'m LeveledMean],
) -> Vec<(f64, &'m LeveledMean)> {
    let parts = weights.iter().zip(curve);
    parts
        .filter(|(weight, _)| **weight != 0.0)
        .map(|(weight, mean)| (sign * weight, *mean))
        .collect()
}
