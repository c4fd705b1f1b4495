use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// The id of a labelled segment: the video's id as in the file, and the segment's row in that video
/// (from 0), or its number if the file names segments ([`crate::segment_name`]).
///
/// Unlabelled speech outside all segments has row -1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId {
    /// Video id: a string, even if it looks like a number.
    pub video: String,
    /// Row of the segment in its video in the label file, or its number.
    pub segment: i32,
}

impl std::fmt::Display for SegmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.video, self.segment)
    }
}

/// The split of a corpus that a video belongs to.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Split {
    /// Training set.
    Train,
    /// Validation set, for model selection: early stopping, thresholds.
    Valid,
    /// Held-out test set, evaluated once.
    Test,
}

impl Split {
    /// The three splits in their usual order.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// The name used in files and tables.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
