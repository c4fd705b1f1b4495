//! What became of the segments of a split, for the messages about one that is empty or teaches nothing.
//!
//! What lives here: the words. What does not: the counting over all segments, which stands in the manifest.

use crate::align::Dropped;
use std::fmt;
use std::path::PathBuf;

/// Where a fold comes from, as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldOrigin {
    /// A folds file.
    File(PathBuf),
    /// A draw by video with this seed.
    Drawn {
        /// `split.seed` of the configuration.
        seed: u64,
    },
}

impl fmt::Display for FoldOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FoldOrigin::File(path) => path.display().fmt(f),
            FoldOrigin::Drawn { seed } => write!(f, "the split by video drawn with data.split.seed = {seed}"),
        }
    }
}

/// How many labelled segments a split has, and why the others have no frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitLosses {
    /// With at least one frame.
    pub kept: usize,
    /// Their video has no features.
    pub without_features: usize,
    /// They start where the features have ended.
    pub past_the_end: usize,
    /// No frame overlaps them, though the features go on after them.
    pub no_frame: usize,
    /// Their label is shorter than 1e-5 s.
    pub too_short: usize,
}

impl SplitLosses {
    /// Counts segments by why they have no frame; `None` where they have some.
    pub(crate) fn count(segments: impl Iterator<Item = Option<Dropped>>) -> Self {
        let mut losses = SplitLosses::default();
        for why in segments {
            *match why {
                None => &mut losses.kept,
                Some(Dropped::NoFeatures) => &mut losses.without_features,
                Some(Dropped::PastTheEnd) => &mut losses.past_the_end,
                Some(Dropped::NoFrame) => &mut losses.no_frame,
                Some(Dropped::TooShort) => &mut losses.too_short,
            } += 1;
        }
        losses
    }
}

impl fmt::Display for SplitLosses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SplitLosses { kept, without_features, past_the_end, no_frame, too_short } = self;
        let labelled = kept + without_features + past_the_end + no_frame + too_short;
        write!(
            f,
            "{kept} kept of {labelled} labelled (without features {without_features}, past the end {past_the_end}, \
             no frame {no_frame}, too short {too_short})"
        )
    }
}
