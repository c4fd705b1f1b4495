//! Uncertainty: confidence intervals and tests over all sources of variation, metrics on resampled
//! clusters, and statistics of learning curves.

mod clustered;
mod curve;
mod delong;
mod design;
mod grid;
mod holm;
mod interval;
mod levels;
mod meta;
mod multiway;
mod replicates;
mod resamples;
mod robust;
mod sample;
mod study;
mod study_statistics;
mod variance;

pub use clustered::{Clustered, ClusteredRow};
pub use curve::{Equivalence, area_under_curve, labels_to_reach};
pub use delong::{DeLong, delong};
pub use design::{Components, Design};
pub use holm::holm;
pub use interval::Interval;
pub use meta::{Pooled, StudyEstimate, pool, study_difference};
pub use multiway::{Multiway, SourceLevels, SourceVariance, multiway, over_partitions};
pub use resamples::Resamples;
pub use robust::{interquartile_mean, probability_of_improvement};
pub use sample::{StudySample, TestVideo};
pub use study_statistics::{
    AnalysisPlan, AreaContrast, Contrast, CurvePoint, Estimate, FoldClusters, LabelEquivalence,
    OtherContrast, SourceShare, StudyStatistics, VariedSource,
};
pub use variance::{Component, crossed_components};
