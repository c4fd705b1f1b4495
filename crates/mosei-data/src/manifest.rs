//! `manifest.json` of a prepared folder: its inputs, what was kept, and what was dropped and why.

use crate::{DataConfig, Normaliser};
use mosei_schema::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Format number of a prepared folder.
pub const FORMAT: u32 = 3;

/// Everything about a prepared folder but frames and labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The input files.
    pub inputs: Vec<InputFile>,
    /// The settings they were prepared with.
    pub config: DataConfig,
    /// Names of the feature columns, in file order; none is dropped in `frames.safetensors`.
    pub columns: Vec<String>,
    /// Names of the emotions, in file order.
    pub emotions: Vec<String>,
    /// Whether sentiment is stored too.
    pub has_sentiment: bool,
    /// Ids of the labelled videos, sorted.
    pub videos: Vec<String>,
    /// Frame rate of the features file before pooling, Hz; `None` without frames, and where they
    /// are irregular.
    pub frame_rate_hz: Option<f64>,
    /// Whether the step between frames varies within recordings (words, turns, functionals), so
    /// that there is no rate.
    pub irregular: bool,
    /// Implausible properties of the data.
    pub oddities: Oddities,
    /// What was kept and what was dropped.
    pub counts: Counts,
    /// Non-finite values by column, over the frames of all labelled videos; columns without any are
    /// left out.
    pub nonfinite: BTreeMap<String, u64>,
    /// Where the folds come from.
    pub fold_source: FoldSource,
    /// The folds.
    pub folds: Vec<FoldRecord>,
    /// Speech outside all labelled segments, where configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlabelled: Option<UnlabelledRecord>,
    /// The other files of the folder, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileRecord>,
    /// The BLAKE3 hash of all of the above, hexadecimal; `None` while it is computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// A file of the folder, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 hash of its content, hexadecimal.
    pub blake3: String,
}

/// Speech outside all labelled segments, split into stretches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlabelledRecord {
    /// Ids of videos without any label that the folds file lists for training, sorted: all their
    /// speech is unlabelled. They are training videos in every fold. Other videos without labels
    /// are only counted.
    pub videos: Vec<String>,
    /// Stretches stored.
    pub stretches: usize,
    /// Frames of the file in these.
    pub frames_in_file: u64,
    /// Frames stored, after pooling.
    pub frames: u64,
    /// Stretches dropped because they were shorter than `unlabelled_min_s`.
    pub too_short: usize,
    /// Frames of the file in these.
    pub too_short_frames: u64,
}

/// An input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// The key of the configuration that names it.
    pub key: String,
    /// Its name in the data folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 hash of its content, hexadecimal.
    pub blake3: String,
}

/// Where folds come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldSource {
    /// A folds file.
    File,
    /// A seeded split by video.
    Split,
    /// A seeded cross-validation by video.
    KFold,
}

/// What was kept and what was dropped, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Videos.
    pub videos: VideoCounts,
    /// Segments.
    pub segments: SegmentCounts,
    /// Frames.
    pub frames: FrameCounts,
}

/// Implausible properties of the data, counted over the labelled segments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddities {
    /// Segments that end long after their recording, at twice its end or later.
    pub far_behind: Oddity,
    /// Segments with frames but without a finite value: standardised, they are the mean of every
    /// column.
    pub nothing_finite: Oddity,
    /// Stored frames of the median segment with frames.
    pub median_frames: usize,
}

/// The number of segments with one implausible property, and the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddity {
    /// Segments.
    pub segments: usize,
    /// The first, in words.
    pub first: Option<String>,
}

impl Manifest {
    /// Implausible properties of the data in words, as title and text; empty without any.
    pub fn remarks(&self) -> Vec<(&'static str, String)> {
        let mut remarks = Vec::new();
        let describe = |odd: &Oddity| {
            format!(
                "{}, such as {}",
                odd.segments,
                odd.first.as_deref().unwrap_or_default()
            )
        };
        let Oddities {
            far_behind,
            nothing_finite,
            median_frames,
        } = &self.oddities;
        if far_behind.segments > 0 {
            remarks.push((
                "Segments that end long after their recording",
                describe(far_behind),
            ));
        }
        if nothing_finite.segments > 0 {
            let what = format!(
                "{}; standardised, they are the mean of every column",
                describe(nothing_finite)
            );
            remarks.push(("Segments without a finite value", what));
        }
        if *median_frames < LEAST_MEDIAN_FRAMES {
            let what = format!("{median_frames}: masking frames in time is not possible");
            remarks.push(("Frames of the median segment", what));
        }
        remarks
    }
}

/// Minimum stored frames of the median segment for masking frames in time: a single frame has no
/// context.
pub const LEAST_MEDIAN_FRAMES: usize = 2;

/// Numbers of videos.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoCounts {
    /// With labels.
    pub labelled: usize,
    /// Of these, without features.
    pub without_features: usize,
    /// With features but without labels.
    pub without_labels: usize,
}

/// Segments: `labelled` is the sum of `kept` and the four reasons for being dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentCounts {
    /// In the label files.
    pub labelled: usize,
    /// With at least one frame.
    pub kept: usize,
    /// Dropped: the label is shorter than 1e-5 s.
    pub too_short: usize,
    /// Dropped: its video has no features.
    pub video_without_features: usize,
    /// Dropped: it starts after the features end.
    pub past_the_end: usize,
    /// Dropped: no frame overlaps it, though features follow.
    pub no_frame: usize,
    /// Of the kept: ends after the features end, and has the frames up to there.
    pub cut_by_the_end: usize,
    /// Of the kept: starts before 0, and has the frames from there.
    pub negative_start: usize,
    /// Of the kept: longer than `max_frames`.
    pub cropped: usize,
}

/// Numbers of frames. A frame in two overlapping segments counts twice, except in the first three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameCounts {
    /// In the features file.
    pub in_file: u64,
    /// Of these, in videos without labels.
    pub in_videos_without_labels: u64,
    /// Of these, in labelled videos but in no segment.
    pub outside_segments: u64,
    /// In segments.
    pub in_segments: u64,
    /// In segments, after pooling.
    pub pooled: u64,
    /// Of these, cropped.
    pub cropped: u64,
    /// Of these, stored.
    pub stored: u64,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldRecord {
    /// The partition of the videos that it belongs to, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub partition: usize,
    /// The split of each video of the manifest's list; `None` where it is in none.
    pub split: Vec<Option<Split>>,
    /// Sizes of the splits.
    pub sizes: BTreeMap<Split, SplitSize>,
    /// Mean and standard deviation of each column that varies, over the training frames.
    pub normaliser: Normaliser,
    /// Columns left out because they do not vary over the training frames.
    pub dropped_columns: Vec<String>,
    /// Frames that the normaliser was fitted on: those of training segments, pooled and cropped.
    pub training_frames: u64,
    /// Missing values among them by column; columns without any are left out.
    pub training_missing: BTreeMap<String, u64>,
    /// Video ids of the folds file that are in neither file.
    pub unknown_ids: Vec<String>,
    /// How many ids of the folds file have no labels, unknown ones included.
    pub ids_without_labels: usize,
    /// How many ids of the folds file have labels but no features.
    pub ids_without_features: usize,
    /// Unlabelled speech of each split's videos; empty unless configured. Pre-training uses only
    /// that of training videos, unless declared as transductive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlabelled: BTreeMap<Split, StretchSize>,
}

/// Unlabelled speech of a split's videos.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StretchSize {
    /// Videos with at least one stretch.
    pub videos: usize,
    /// Stretches.
    pub stretches: usize,
    /// Stored frames of these.
    pub frames: u64,
}

/// Size of a split, counting what is usable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSize {
    /// Videos with at least one segment with frames.
    pub videos: usize,
    /// Segments with at least one frame.
    pub segments: usize,
    /// Stored frames of these.
    pub frames: u64,
}
