use serde::{Deserialize, Serialize};

/// A labelled segment: the video's id as the file spells it, and the segment's row there (from 0), or its number where the file
/// names segments ([`crate::segment_name`]).
///
/// The id of unlabelled speech outside all segments is row -1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId {
    /// Video id: a string, even where it looks like a number.
    pub video: String,
    /// Row of the segment in the label file's video, or its number.
    pub segment: i32,
}

impl std::fmt::Display for SegmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.video, self.segment)
    }
}

/// The part of a corpus a video belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Fitted on.
    Train,
    /// Chosen on: early stopping, thresholds.
    Valid,
    /// Judged on, once.
    Test,
}

impl Split {
    /// The three splits in their usual order.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
