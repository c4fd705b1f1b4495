//! The runs of a study, their means and the variance of these.

use super::levels::LeveledMean;
use super::multiway::{Multiway, SourceLevels, SourceVariance, multiway, over_partitions};
use super::replicates::{Replicates, Sample, defined_mean};
use super::sample::{MeasuredCell, StudySample};
use super::{FoldClusters, VariedSource};
use crate::Metric;
use crate::budget::{Budget, place};
use crate::run::Run;
use std::collections::{BTreeMap, BTreeSet};

/// A statistic of each run.
pub(super) type Runs = BTreeMap<Run, Replicates>;

/// Where a run has its level of a source.
type LevelOf = fn(&Run) -> Option<i32>;

/// The sources of variation between runs that are seeds or draws: training seeds, label draws, and
/// the seeds of pre-trainings that are crossed with them.
const SOURCES: [(VariedSource, LevelOf); 3] = [
    (VariedSource::TrainingSeed, |run| Some(run.seed)),
    (VariedSource::LabelDraw, |run| Some(run.draw)),
    (VariedSource::PretrainSeed, |run| run.pretrain_seed),
];

/// The cells by their settings.
pub(super) struct Grid<'a> {
    sample: &'a StudySample,
    /// (start, budget, run, fold) to the cell.
    cells: BTreeMap<(&'a str, usize, Run, i32), &'a MeasuredCell>,
    runs: BTreeSet<Run>,
    /// Partition and number of each fold.
    folds: Vec<[i32; 2]>,
    /// Clusters of each fold, in the order of `folds`.
    fold_sizes: Vec<f64>,
}

impl<'a> Grid<'a> {
    /// `budgets` are those of the cells.
    pub(super) fn new(sample: &'a StudySample, budgets: &[Budget]) -> Self {
        let ids = || sample.cells.iter().map(|c| &c.id);
        let run = |c: &MeasuredCell| sample.analysis.pretrain_seeds.run(&c.id);
        let cell = |c: &'a MeasuredCell| {
            let budget = place(budgets, &c.id.budget)?;
            Some(((c.id.start.as_str(), budget, run(c), c.id.fold), c))
        };
        let cells = sample.cells.iter().filter_map(cell).collect();
        let runs: BTreeSet<Run> = sample.cells.iter().map(run).collect();
        let folds: Vec<[i32; 2]> = ids()
            .map(|id| [id.partition, id.fold])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let of_fold = |[partition, k]: [i32; 2]| {
            let places = sample.fold_of.iter();
            places
                .filter(move |&(&(p, _), &fold)| p == partition && fold == k)
                .map(|((_, cluster), _)| *cluster)
        };
        Grid {
            cells,
            runs,
            fold_sizes: folds.iter().map(|&k| of_fold(k).count() as f64).collect(),
            folds,
            sample,
        }
    }

    /// The value of each run of a start and a budget that has all folds of its partition: the mean
    /// over these folds, weighted by their clusters.
    pub(super) fn runs(&self, start: &str, budget: usize, emotion: &str, metric: Metric) -> Runs {
        let key = (metric, emotion.to_string());
        let number = |run: Run| {
            let of_run = self.places_of(run.partition);
            let of_fold = |&k: &usize| {
                let [_, fold] = self.folds[k];
                self.cells
                    .get(&(start, budget, run, fold))?
                    .numbers
                    .get(&key)
            };
            let folds: Vec<&Replicates> = of_run.iter().map(of_fold).collect::<Option<_>>()?;
            let mut drawn =
                Replicates::weighted_mean(&folds, |sample, i| self.fold_size(sample, of_run[i]));
            drawn.folds = vec![f64::NAN; self.folds.len()];
            for (&k, fold) in of_run.iter().zip(&folds) {
                drawn.folds[k] = fold.value;
            }
            (!drawn.value.is_nan()).then_some((run, drawn))
        };
        self.runs.iter().filter_map(|&run| number(run)).collect()
    }

    /// The places of a partition's folds.
    fn places_of(&self, partition: i32) -> Vec<usize> {
        (0..self.folds.len())
            .filter(|&k| self.folds[k][0] == partition)
            .collect()
    }

    /// The clusters of the k-th fold in a sample.
    fn fold_size(&self, sample: Sample, k: usize) -> f64 {
        match sample {
            Sample::Whole => self.fold_sizes[k],
            // Else all differences between folds would be lost from the pseudo-values.
            Sample::Without(c) => {
                let [partition, fold] = self.folds[k];
                let out = self.sample.fold_of.get(&(partition, c)) == Some(&fold);
                self.fold_sizes[k] - f64::from(u8::from(out))
            }
        }
    }

    /// The mean over runs, with the means of the levels of each source; `None` without runs.
    pub(super) fn mean(&self, runs: &Runs) -> Option<LeveledMean> {
        let all: Vec<&Replicates> = runs.values().collect();
        if all.is_empty() {
            return None;
        }
        let mean = Replicates::combine(&all, defined_mean);
        let levels = |(_, of): &(VariedSource, LevelOf)| {
            let mut values: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
            for (run, drawn) in runs {
                if let Some(level) = of(run) {
                    values.entry(level).or_default().push(drawn.value);
                }
            }
            let means = values.into_iter();
            means
                .filter_map(|(level, values)| Some((level, crate::mean(values)?)))
                .collect()
        };
        Some(LeveledMean {
            value: mean.value,
            videos: mean.pseudo_values(),
            folds: mean.folds,
            sources: SOURCES.iter().map(levels).collect(),
        })
    }

    /// The t interval and test of a mean.
    pub(super) fn test(&self, mean: &LeveledMean) -> Option<Multiway> {
        let variances: Vec<SourceVariance> = self
            .variances(mean)
            .into_iter()
            .filter_map(|(_, _, variance)| variance)
            .collect();
        multiway(mean.value, &variances, self.sample.analysis.level)
    }

    /// What each source that the study has gives to the variance of a mean: its levels, and the
    /// variance; `None` for a single level.
    pub(super) fn variances(
        &self,
        mean: &LeveledMean,
    ) -> Vec<(VariedSource, usize, Option<SourceVariance>)> {
        let (source, levels) = match self.folds.len() {
            1 => (VariedSource::Videos, mean.videos.len()),
            n => (VariedSource::Folds, n),
        };
        let data = (source, levels, self.variance_of_data(mean));
        let others = SOURCES
            .iter()
            .zip(&mean.sources)
            .filter(|(_, l)| !l.is_empty());
        let of_runs = others.map(|((source, _), levels)| {
            let means: Vec<f64> = levels.values().copied().collect();
            let n = means.len();
            (*source, n, SourceLevels::alike(means).variance())
        });
        [data].into_iter().chain(of_runs).collect()
    }

    /// The variance that training segments and test videos give a mean over runs: between folds, or
    /// between the videos of a single one.
    fn variance_of_data(&self, mean: &LeveledMean) -> Option<SourceVariance> {
        let videos = SourceLevels::alike(mean.videos.clone());
        let of_partition = |partition: i32| {
            let places = self.places_of(partition);
            let [sizes, means] = [&self.fold_sizes, &mean.folds]
                .map(|all| places.iter().map(|&k| all[k]).collect::<Vec<_>>());
            SourceLevels::of_sizes(&sizes, &means)
        };
        let folds: Vec<SourceLevels> = self
            .partitions()
            .into_iter()
            .map(of_partition)
            .filter(|of_one| !of_one.means.is_empty())
            .collect();
        match folds.iter().all(|of_one| of_one.means.len() > 1) {
            true => over_partitions(&folds, &videos),
            // A partition of which one fold was run.
            false if folds.len() > 1 => {
                SourceLevels::of_sizes(&self.fold_sizes, &mean.folds).variance()
            }
            false => videos.variance(),
        }
    }

    /// How many training seeds, label draws and crossed pre-trainings there are.
    pub(super) fn levels(&self) -> [usize; 3] {
        SOURCES.map(|(_, of)| {
            self.runs
                .iter()
                .filter_map(of)
                .collect::<BTreeSet<_>>()
                .len()
        })
    }

    /// The differences of the runs that are pairs.
    pub(super) fn differences(&self, ours: &Runs, theirs: &Runs) -> Runs {
        let counterparts = |(our, a): (&Run, &Replicates)| {
            let pairs = theirs
                .iter()
                .filter_map(|(their, b)| Some((our.pair(*their)?, a.minus(b))));
            pairs.collect::<Vec<_>>()
        };
        ours.iter().flat_map(counterparts).collect()
    }

    /// The mean of `ours` over their pairs with `others`.
    pub(super) fn paired_mean(&self, ours: &Runs, others: &Runs) -> Option<f64> {
        let times = |our: &Run| {
            others
                .keys()
                .filter(|other| our.pair(**other).is_some())
                .count()
        };
        crate::mean(
            ours.iter()
                .flat_map(|(run, drawn)| std::iter::repeat_n(drawn.value, times(run))),
        )
    }

    /// The partitions.
    pub(super) fn partitions(&self) -> BTreeSet<i32> {
        self.folds.iter().map(|fold| fold[0]).collect()
    }

    /// The number of clusters of each fold.
    pub(super) fn fold_clusters(&self) -> Vec<FoldClusters> {
        let folds = self.folds.iter().zip(&self.fold_sizes);
        folds
            .map(|(&[partition, fold], &size)| FoldClusters {
                partition,
                fold,
                clusters: size as usize,
            })
            .collect()
    }

    /// The measured cells.
    pub(super) fn sample(&self) -> &StudySample {
        self.sample
    }
}
