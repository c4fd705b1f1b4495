//! What is asked of a study, and the answers as `statistics.json` holds them.

use super::{Equivalence, Interval};
use crate::Metric;
use crate::budget::Budget;
use crate::run::PretrainSeeds;
use serde::{Deserialize, Serialize};

/// What is asked of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Questions {
    /// The start whose gain is in question.
    pub treated: String,
    /// The start that it is compared with.
    pub baseline: String,
    /// Metrics to answer for.
    pub metrics: Vec<Metric>,
    /// How the plan varies pre-training.
    pub pretrain_seeds: PretrainSeeds,
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
    /// What each start has, mean over the pairs, the treated one first: their difference is that.
    pub arms: [f64; 2],
    /// Two-sided p of the sign-flip test over videos, seeds (of training, and of pre-training where crossed) and draws.
    pub p: Option<f64>,
    /// The difference in each pair, by training seed, label draw and pre-training seed.
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
    /// The lower end of its interval; `None` where too many draws have no value.
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
    /// Cross-validation fold.
    pub fold: i32,
    /// Its test videos (or speakers).
    pub clusters: usize,
}

/// All answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyStatistics {
    /// What was asked.
    pub questions: Questions,
    /// Test videos (or speakers) that were resampled.
    pub clusters: usize,
    /// How many of them each fold has.
    pub folds: Vec<FoldClusters>,
    /// Training seeds.
    pub seeds: usize,
    /// Pre-training seeds, where training seeds are crossed with them; `None` where each has its own, or there is none.
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
    /// treated less every other start, macro.
    pub others: Vec<OtherContrast>,
}

/// treated less a start that is not the baseline, at one budget, macro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherContrast {
    /// That start.
    pub other: String,
    /// The difference.
    pub contrast: Contrast,
}
