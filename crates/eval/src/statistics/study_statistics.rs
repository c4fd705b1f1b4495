//! The analysis plan of a study and its statistics, as stored in `statistics.json`.

use super::{Equivalence, Interval};
use crate::Metric;
use crate::budget::Budget;
use crate::run::PretrainSeeds;
use serde::{Deserialize, Serialize};

/// The statistical analysis of a study: which starts, metrics and level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisPlan {
    /// The start under test.
    pub treated: String,
    /// The start it is compared with.
    pub baseline: String,
    /// Metrics to analyse.
    pub metrics: Vec<Metric>,
    /// How the plan varies pre-training.
    pub pretrain_seeds: PretrainSeeds,
    /// Confidence level of the intervals.
    pub level: f64,
}

/// An estimate with its confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Mean over the runs.
    pub value: f64,
    /// The t interval over all sources ([`crate::statistics::multiway()`]). `None` where nothing
    /// varies, or values are missing.
    pub interval: Option<Interval>,
}

/// A point of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The start.
    pub start: String,
    /// Index of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// An emotion or `macro`.
    pub emotion: String,
    /// The metric.
    pub metric: Metric,
    /// Runs.
    pub runs: usize,
    /// The mean over the runs.
    pub estimate: Estimate,
}

/// treated - baseline at one budget, run by run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Index of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// An emotion or `macro`.
    pub emotion: String,
    /// The metric.
    pub metric: Metric,
    /// Pairs of runs.
    pub pairs: usize,
    /// The mean difference.
    pub difference: Estimate,
    /// The mean of each start over the pairs, the treated one first; they subtract to the
    /// difference.
    pub arms: [f64; 2],
    /// Two-sided, from the same t as the interval.
    pub p: Option<f64>,
    /// What each source of variation gives to the variance of the difference.
    pub sources: Vec<SourceShare>,
    /// The variance of the difference if only its test videos varied; `None` where the metric has no
    /// value without one of them.
    pub between_videos: Option<f64>,
    /// The difference in each pair, by partition, training seed, label draw and pre-training seed.
    pub each: Vec<f64>,
}

/// Something that would differ in a replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariedSource {
    /// The folds of cross-validations: their training segments and test videos.
    Folds,
    /// The test videos of a single fold.
    Videos,
    /// Training seed.
    TrainingSeed,
    /// Label draw.
    LabelDraw,
    /// Seed of a pre-training, where it is crossed with training seeds.
    PretrainSeed,
}

/// The part of a source in the variance of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SourceShare {
    /// The source.
    pub source: VariedSource,
    /// Levels that the runs have.
    pub levels: usize,
    /// The variance that it gives the mean; `None` for a single level, and where a level has no
    /// value.
    pub variance: Option<f64>,
    /// Degrees of freedom of that variance.
    pub freedom: Option<f64>,
}

/// How many labels the baseline needs to match the treated start at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelEquivalence {
    /// Index of the budget in [`StudyStatistics::budgets`].
    pub budget: usize,
    /// The metric, macro.
    pub metric: Metric,
    /// The estimate.
    pub labels: Equivalence,
    /// The lower end of its confidence interval; `None` where the difference between the curves has
    /// none.
    pub low: Option<Equivalence>,
    /// The upper end.
    pub high: Option<Equivalence>,
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

/// The weight of a fold in a run's mean over folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldClusters {
    /// Partition of the videos into folds.
    #[serde(default)]
    pub partition: i32,
    /// Cross-validation fold.
    pub fold: i32,
    /// Its test videos (or speakers).
    pub clusters: usize,
}

fn one() -> usize {
    1
}

/// All statistics of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyStatistics {
    /// The analysis that was run.
    #[serde(rename = "questions")]
    pub analysis: AnalysisPlan,
    /// Test videos (or speakers).
    pub clusters: usize,
    /// How many of them each fold has.
    pub folds: Vec<FoldClusters>,
    /// Partitions of the videos into folds.
    #[serde(default = "one")]
    pub partitions: usize,
    /// Training seeds.
    pub seeds: usize,
    /// Pre-training seeds, where training seeds are crossed with them; `None` where each has its
    /// own, or there is none.
    pub pretrain_seeds: Option<usize>,
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
    /// treated - every other start, macro.
    pub others: Vec<OtherContrast>,
}

/// treated - a start that is not the baseline, at one budget, macro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherContrast {
    /// The other start.
    pub other: String,
    /// The difference.
    pub contrast: Contrast,
}
