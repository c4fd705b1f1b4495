//! Kept and dropped segments of one split, for errors about a split that is empty or has no usable
//! column.
//!
//! What lives here: the counts of a split and their text. What does not: the counts over all
//! segments, which are in the manifest.

use crate::align::Dropped;
use std::fmt;
use std::path::PathBuf;

/// Where a fold comes from, as error messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldOrigin {
    /// A folds file.
    File(PathBuf),
    /// Drawn by video with this seed.
    Drawn {
        /// `split.seed` of the configuration.
        seed: u64,
    },
}

impl fmt::Display for FoldOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FoldOrigin::File(path) => path.display().fmt(f),
            FoldOrigin::Drawn { seed } => {
                write!(f, "the split by video drawn with data.split.seed = {seed}")
            }
        }
    }
}

/// How many labelled segments of a split are kept, and how many are dropped for which reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitCounts {
    /// With at least one frame.
    pub kept: usize,
    /// Their video has no features.
    pub without_features: usize,
    /// They start after the features end.
    pub past_the_end: usize,
    /// No frame overlaps them, though features follow.
    pub no_frame: usize,
    /// Their label is shorter than 1e-5 s.
    pub too_short: usize,
}

impl SplitCounts {
    /// Counts segments by the reason for dropping them; `None` for a kept one.
    pub(crate) fn count(segments: impl Iterator<Item = Option<Dropped>>) -> Self {
        let mut counts = SplitCounts::default();
        for reason in segments {
            *match reason {
                None => &mut counts.kept,
                Some(Dropped::NoFeatures) => &mut counts.without_features,
                Some(Dropped::PastTheEnd) => &mut counts.past_the_end,
                Some(Dropped::NoFrame) => &mut counts.no_frame,
                Some(Dropped::TooShort) => &mut counts.too_short,
            } += 1;
        }
        counts
    }
}

impl fmt::Display for SplitCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SplitCounts {
            kept,
            without_features,
            past_the_end,
            no_frame,
            too_short,
        } = self;
        let labelled = kept + without_features + past_the_end + no_frame + too_short;
        write!(
            f,
            "{kept} kept of {labelled} labelled (without features {without_features}, past the end {past_the_end}, \
             no frame {no_frame}, too short {too_short})"
        )
    }
}
