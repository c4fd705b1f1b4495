use crate::ConfigError;
use crate::config::require;
use mosei_schema::Emotion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `segments_spread` is where nothing is written.
const SEGMENTS_SPREAD: f64 = 0.8;
/// What `length_spread` is where nothing is written: with a median of 6.5 s it gives MOSEI's mean and quantiles.
const LENGTH_SPREAD: f64 = 0.56;

/// The synthetic corpus. MOSEI's own size is 3,293 videos and 23,259 segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthConfig {
    /// Labelled videos. Default 60.
    pub videos: usize,
    /// Labelled segments of all videos, at least one a video. Default 420.
    pub segments: usize,
    /// How unequally the segments fall on the videos: each has one, and the others fall on it in proportion to a log-normal
    /// weight, whose logarithm has this standard deviation. 0 makes all videos equally likely; with 2 a few videos hold most
    /// segments. Default 0.8.
    // Left out where it is as ever, as are the other keys that came later: corpora made without them keep their keys.
    #[serde(skip_serializing_if = "is_segments_spread")]
    pub segments_spread: f64,
    /// Median length of a segment, seconds; lengths are log-normal. Default 6.5.
    pub median_segment_s: f64,
    /// Standard deviation of the logarithm of lengths; 0 makes all segments equally long. Default 0.56.
    #[serde(skip_serializing_if = "is_length_spread")]
    pub length_spread: f64,
    /// Mean length of the unlabelled speech between segments that do not overlap, seconds. Default 1.
    pub mean_gap_s: f64,
    /// Labelled videos that the features file lacks. Default 1.
    pub videos_without_features: usize,
    /// Further videos with features, named in the test list, that the label file lacks. Default 2.
    pub videos_without_labels: usize,
    /// How much an emotion changes the movement of the hidden factors; 0 hides nothing. Default 1.
    pub signal: f64,
    /// How far one step of intensity moves a column's mean, in its standard deviations. Default 0.05.
    pub level: f64,
    /// Standard deviation of a speaker's offset in each column, in the column's standard deviations. Default 0.7.
    pub speaker: f64,
    /// Standard deviation of the frames' noise, in the column's standard deviations. Default 0.5.
    pub noise: f64,
    /// Seed. Default 0.
    pub seed: u64,
    /// Deflate level, 0 to 9; the real files have 9, which is slow to write. Default 4.
    pub deflate: u8,
    /// Emotions that are rarer than in MOSEI: by name, how many labelled videos have one in some segment; 0 leaves an emotion out
    /// of the whole corpus. They are drawn among the videos that have features. `{ fear = 0, disgust = 1 }` makes a
    /// corpus without fear, in which one fold of a cross-validation alone tests disgust. Default none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub videos_with: BTreeMap<Emotion, usize>,
}

fn is_segments_spread(spread: &f64) -> bool {
    *spread == SEGMENTS_SPREAD
}

fn is_length_spread(spread: &f64) -> bool {
    *spread == LENGTH_SPREAD
}

impl Default for SynthConfig {
    fn default() -> Self {
        SynthConfig {
            videos: 60,
            segments: 420,
            segments_spread: SEGMENTS_SPREAD,
            median_segment_s: 6.5,
            length_spread: LENGTH_SPREAD,
            mean_gap_s: 1.0,
            videos_without_features: 1,
            videos_without_labels: 2,
            signal: 1.0,
            level: 0.05,
            speaker: 0.7,
            noise: 0.5,
            seed: 0,
            deflate: 4,
            videos_with: BTreeMap::new(),
        }
    }
}

impl SynthConfig {
    /// Whether these settings can be carried out.
    ///
    /// # Errors
    /// The first key that cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        require((4..=100_000).contains(&self.videos), "videos", "4 to 100000", self.videos)?;
        require(
            (self.videos..=10_000_000).contains(&self.segments),
            "segments",
            format!("{} (one a video) to 10000000", self.videos),
            self.segments,
        )?;
        let median = self.median_segment_s;
        require((0.2..=60.0).contains(&median), "median_segment_s", "0.2 to 60 seconds", median)?;
        require((0.0..=60.0).contains(&self.mean_gap_s), "mean_gap_s", "0 to 60 seconds", self.mean_gap_s)?;
        // Half of the smallest training split, which is over half of the videos.
        let most = self.videos / 4;
        let missing = self.videos_without_features;
        require(missing <= most, "videos_without_features", format!("at most {most}, a quarter"), missing)?;
        require(
            self.videos_without_labels <= self.videos,
            "videos_without_labels",
            format!("at most {}, as many as labelled", self.videos),
            self.videos_without_labels,
        )?;
        for (key, value) in [("segments_spread", self.segments_spread), ("length_spread", self.length_spread)] {
            require((0.0..=3.0).contains(&value), key, "0 to 3", value)?;
        }
        let most = self.videos - self.videos_without_features;
        for (emotion, &n) in &self.videos_with {
            let key = format!("videos_with.{}", emotion.name());
            require(n <= most, key, format!("at most {most}, the labelled videos with features"), n)?;
        }
        for (key, value) in
            [("signal", self.signal), ("level", self.level), ("speaker", self.speaker), ("noise", self.noise)]
        {
            require((0.0..=10.0).contains(&value), key, "0 to 10", value)?;
        }
        require(self.deflate <= 9, "deflate", "0 to 9", self.deflate)
    }
}
