//! The runs of a study, and their means in each resample.

use super::FoldClusters;
use super::multiway::{SourceLevels, SourceVariance, over_partitions};
use super::replicates::{Replicates, Sample};
use super::resamples::Resamples;
use super::sample::{MeasuredCell, StudySample};
use crate::Metric;
use crate::budget::{Budget, place};
use crate::run::Run;
use std::collections::{BTreeMap, BTreeSet};

/// A statistic of each run.
pub(super) type Runs = BTreeMap<Run, Replicates>;

/// A source of variation of which a run has one level; its levels are resampled.
pub(super) struct Source {
    levels: Vec<i32>,
    of: fn(&Run) -> Option<i32>,
    counts: Resamples,
}

impl Source {
    fn new(
        sample: &StudySample,
        what: &str,
        runs: &BTreeSet<Run>,
        of: fn(&Run) -> Option<i32>,
    ) -> Self {
        let levels: Vec<i32> = runs
            .iter()
            .filter_map(of)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let (seed, n) = (sample.analysis.seed, sample.analysis.resamples);
        Source {
            counts: Resamples::bootstrap_of_few(seed, what, levels.len(), n),
            levels,
            of,
        }
    }

    /// How many levels it has.
    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// The index of a run's level; `None` for a run without one.
    fn place(&self, run: &Run) -> Option<usize> {
        self.levels.binary_search(&(self.of)(run)?).ok()
    }

    /// The mean value of each level that has runs.
    pub(super) fn means(&self, runs: &Runs) -> Vec<f64> {
        let of_level = |level: &i32| {
            crate::mean(
                runs.iter()
                    .filter(|(run, _)| (self.of)(run) == Some(*level))
                    .map(|(_, drawn)| drawn.value),
            )
        };
        self.levels.iter().filter_map(of_level).collect()
    }
}

/// The cells by their settings, and how often each resample contains a run.
pub(super) struct Grid<'a> {
    sample: &'a StudySample,
    /// (start, budget, run, fold) to the cell.
    cells: BTreeMap<(&'a str, usize, Run, i32), &'a MeasuredCell>,
    runs: BTreeSet<Run>,
    /// Partition and number of each fold.
    folds: Vec<[i32; 2]>,
    /// Training seeds, label draws, and the seeds of pre-trainings that are crossed with them.
    pub(super) sources: [Source; 3],
    /// Clusters of each fold, in the order of `folds`.
    fold_sizes: Vec<f64>,
    /// The same in each resample.
    drawn_fold_sizes: Vec<Vec<f64>>,
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
        let drawn = |b: usize, k: [i32; 2]| {
            of_fold(k)
                .map(|c| f64::from(sample.resamples.count(b, c)))
                .sum::<f64>()
        };
        let studies = 0..sample.analysis.resamples;
        Grid {
            cells,
            sources: [
                Source::new(sample, "seeds", &runs, |run| Some(run.seed)),
                Source::new(sample, "label draws", &runs, |run| Some(run.draw)),
                Source::new(sample, "pre-training seeds", &runs, |run| run.pretrain_seed),
            ],
            runs,
            fold_sizes: folds.iter().map(|&k| of_fold(k).count() as f64).collect(),
            drawn_fold_sizes: studies
                .map(|b| folds.iter().map(|&k| drawn(b, k)).collect())
                .collect(),
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
            Sample::Resample(b) => self.drawn_fold_sizes[b][k],
            // Else all differences between folds would be lost from the pseudo-values.
            Sample::Without(c) => {
                let [partition, fold] = self.folds[k];
                let out = self.sample.fold_of.get(&(partition, c)) == Some(&fold);
                self.fold_sizes[k] - f64::from(u8::from(out))
            }
        }
    }

    /// The mean over runs, each as often as each resample contains it; `None` without runs.
    pub(super) fn mean(&self, runs: &Runs) -> Option<Replicates> {
        let places: Vec<_> = runs
            .keys()
            .map(|run| self.sources.each_ref().map(|s| s.place(run)))
            .collect();
        let times = |sample: Sample, run: usize| {
            let Sample::Resample(b) = sample else {
                return 1.0;
            };
            let each = self.sources.iter().zip(places[run]);
            each.filter_map(|(source, place)| Some(f64::from(source.counts.count(b, place?))))
                .product()
        };
        let all: Vec<&Replicates> = runs.values().collect();
        (!all.is_empty()).then(|| Replicates::weighted_mean(&all, times))
    }

    /// The variance of every source that would differ in a replication and has several levels:
    /// folds (their training segments and test videos), or the videos of a single one; and those of
    /// the runs.
    pub(super) fn variances(&self, mean: &Replicates, runs: &Runs) -> Vec<SourceVariance> {
        let others = self
            .sources
            .iter()
            .map(|s| SourceLevels::alike(s.means(runs)).variance());
        [self.variance_of_data(mean, runs)]
            .into_iter()
            .chain(others)
            .flatten()
            .collect()
    }

    /// The variance that training segments and test videos give a mean over runs.
    fn variance_of_data(&self, mean: &Replicates, runs: &Runs) -> Option<SourceVariance> {
        let videos = SourceLevels::alike(mean.pseudo_values());
        let partitions: BTreeSet<i32> = runs.keys().map(|run| run.partition).collect();
        let of_partition = |partition: &i32| {
            let places = self.places_of(*partition);
            let [sizes, means] = [&self.fold_sizes, &mean.folds]
                .map(|all| places.iter().map(|&k| all[k]).collect::<Vec<_>>());
            SourceLevels::of_sizes(&sizes, &means)
        };
        let folds: Vec<SourceLevels> = partitions.iter().map(of_partition).collect();
        match folds.iter().all(|of_one| of_one.means.len() > 1) {
            true => over_partitions(&folds, &videos),
            // A partition of which one fold was run.
            false if folds.len() > 1 => {
                SourceLevels::of_sizes(&self.fold_sizes, &mean.folds).variance()
            }
            false => videos.variance(),
        }
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

    /// The number of partitions.
    pub(super) fn partitions(&self) -> usize {
        let partitions: BTreeSet<i32> = self.folds.iter().map(|fold| fold[0]).collect();
        partitions.len()
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

    /// The resampled cells.
    pub(super) fn sample(&self) -> &StudySample {
        self.sample
    }
}
