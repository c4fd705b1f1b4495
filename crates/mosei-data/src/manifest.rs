//! `manifest.json` of a prepared folder: what went in, what was kept, what was dropped and why.

use crate::{DataConfig, Normaliser};
use mosei_schema::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format of a prepared folder; another number is another format.
pub const FORMAT: u32 = 3;

/// Everything about a prepared folder but its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The files that went in.
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
    /// Frames a second of the features file, before pooling; `None` where it has no frame, and where they have no rate.
    pub frame_rate_hz: Option<f64>,
    /// Whether the time from frame to frame varies within recordings (words, turns, functionals): then there is no rate.
    pub irregular: bool,
    /// What of the data can hardly be meant.
    pub oddities: Oddities,
    /// What was kept and what was dropped.
    pub counts: Counts,
    /// Non-finite values by column, over the frames of all labelled videos; columns without any are left out.
    pub nonfinite: BTreeMap<String, u64>,
    /// Where the folds come from.
    pub fold_source: FoldSource,
    /// The folds.
    pub folds: Vec<FoldRecord>,
    /// Speech outside all labelled segments, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlabelled: Option<UnlabelledRecord>,
    /// The other files of the folder, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileRecord>,
    /// The BLAKE3 hash of all the above, hexadecimal; `None` while it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// A file of the folder, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 hash of its content, hexadecimal.
    pub blake3: String,
}

/// Speech outside all labelled segments, cut into stretches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlabelledRecord {
    /// Ids of videos without any label that the folds file lists for training, sorted: all their speech is unlabelled.
    /// They train in every fold. Other videos without labels are counted and no more.
    pub videos: Vec<String>,
    /// Stretches stored.
    pub stretches: usize,
    /// Frames of the file in these.
    pub frames_in_file: u64,
    /// Frames stored, after pooling.
    pub frames: u64,
    /// Stretches dropped, for they were shorter than `unlabelled_min_s`.
    pub too_short: usize,
    /// Frames of the file in these.
    pub too_short_frames: u64,
}

/// A file that went in.
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

/// What of the data can hardly be meant, counted over the labelled segments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddities {
    /// End far behind their recording: twice as late or later.
    pub far_behind: Oddity,
    /// Have frames, but not one finite value: they are taken for the mean of all columns.
    pub nothing_finite: Oddity,
    /// Stored frames of the median segment with frames.
    pub median_frames: usize,
}

/// How many segments are odd in one way, and the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oddity {
    /// Segments.
    pub segments: usize,
    /// The first, in words.
    pub first: Option<String>,
}

impl Manifest {
    /// What of the data can hardly be meant, in words: a title and what is said; empty where nothing is.
    pub fn remarks(&self) -> Vec<(&'static str, String)> {
        let mut remarks = Vec::new();
        let said = |odd: &Oddity| format!("{}, such as {}", odd.segments, odd.first.as_deref().unwrap_or_default());
        let Oddities { far_behind, nothing_finite, median_frames } = &self.oddities;
        if far_behind.segments > 0 {
            remarks.push(("Segments that end far behind their recording", said(far_behind)));
        }
        if nothing_finite.segments > 0 {
            let what = format!("{}; they are taken for the mean of all columns", said(nothing_finite));
            remarks.push(("Segments without one finite value", what));
        }
        if *median_frames < LEAST_MEDIAN_FRAMES {
            let what = format!("{median_frames}: hiding frames in time has no meaning");
            remarks.push(("Frames of the median segment", what));
        }
        remarks
    }
}

/// Fewest stored frames of the median segment where frames are hidden in time: of one there is nothing left to rebuild it from.
pub const LEAST_MEDIAN_FRAMES: usize = 2;

/// Videos of the two kinds of files.
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
    /// Dropped: it starts where the features have ended.
    pub past_the_end: usize,
    /// Dropped: no frame overlaps it, though the features go on after it.
    pub no_frame: usize,
    /// Of the kept: ends after the features have ended, and takes what there is.
    pub cut_by_the_end: usize,
    /// Of the kept: starts before 0, and takes what there is.
    pub negative_start: usize,
    /// Of the kept: longer than the cap.
    pub cropped: usize,
}

/// Frames. A frame in two overlapping segments counts twice, but for the first three.
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
    /// Of these, cut off by the cap.
    pub cropped: u64,
    /// Of these, stored.
    pub stored: u64,
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldRecord {
    /// The split of each video of the manifest's list; `None` where it is in none.
    pub split: Vec<Option<Split>>,
    /// Sizes of the splits.
    pub sizes: BTreeMap<Split, SplitSize>,
    /// Mean and deviation of each column that varies, over the training frames.
    pub normaliser: Normaliser,
    /// Columns left out, for they do not vary over the training frames.
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
    /// Unlabelled speech of each split's videos; empty where none was asked for. Only that of training videos is for
    /// pre-training, but for one that is labelled transductive.
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

/// Size of a split, over what can be used.
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
