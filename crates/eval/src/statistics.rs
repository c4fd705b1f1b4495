//! How sure a number is: resampling by cluster, intervals, tests, and what a study reads from its learning curves.
//!
//! Everything random is a function of a seed. Draws that have no value are NaN and are left out by whoever reads them.

mod answers;
mod clustered;
mod curve;
mod delong;
mod drawn;
mod grid;
mod holm;
mod interval;
mod permutation;
mod resamples;
mod robust;
mod sample;
mod study;
mod variance;

pub use answers::{
    AreaContrast, Contrast, CurvePoint, Estimate, FoldClusters, LabelEquivalence, OtherContrast, Questions,
    StudyStatistics,
};
pub use clustered::{Clustered, ClusteredRow};
pub use curve::{Equivalence, area_under_curve, labels_to_reach};
pub use delong::{DeLong, delong};
pub use holm::holm;
pub use interval::{Interval, bca, expanded_percentile, percentile, quantile};
pub use permutation::{SignFlip, sign_flip};
pub use resamples::Resamples;
pub use robust::{interquartile_mean, probability_of_improvement};
pub use sample::StudySample;
pub use variance::{Component, crossed_components};
