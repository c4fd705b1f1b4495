use crate::config::require;
use mosei_schema::Emotion;
use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Default of `segments_spread`.
const SEGMENTS_SPREAD: f64 = 0.8;
/// Default of `length_spread`: with a median of 6.5 s it gives MOSEI's mean and quantiles.
const LENGTH_SPREAD: f64 = 0.56;

/// The synthetic corpus. CMU-MOSEI itself has 3,293 videos and 23,259 segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SynthConfig {
    /// Labelled videos. Default 60.
    pub videos: usize,
    /// Labelled segments of all videos, at least one per video. Default 420.
    pub segments: usize,
    /// How unequally segments are distributed: each video has one, and the others are assigned in
    /// proportion to a log-normal weight whose logarithm has this standard deviation. With 0 all
    /// videos are equally likely; with 2 a few videos have most segments. Default 0.8.
    // Like other later keys, not serialised at its default, so that the keys of steps do not depend
    // on it.
    #[serde(skip_serializing_if = "is_segments_spread")]
    pub segments_spread: f64,
    /// Median length of a segment, seconds; lengths are log-normal. Default 6.5.
    pub median_segment_s: f64,
    /// Standard deviation of the logarithm of lengths; with 0 all segments have the same length.
    /// Default 0.56.
    #[serde(skip_serializing_if = "is_length_spread")]
    pub length_spread: f64,
    /// Mean length of the unlabelled speech between segments that do not overlap, seconds. Default
    /// 1.
    pub mean_gap_s: f64,
    /// Labelled videos that the features file lacks. Default 1.
    pub videos_without_features: usize,
    /// Additional videos with features, listed for the test split, that the label file lacks.
    /// Default 2.
    pub videos_without_labels: usize,
    /// How much an emotion changes the dynamics of the latent factors; 0 for no effect. Default 1.
    pub signal: f64,
    /// Shift of a column's mean per unit of intensity, in its standard deviations. Default 0.05.
    pub level: f64,
    /// Standard deviation of a speaker's offset in each column, in the column's standard
    /// deviations. Default 0.7.
    pub speaker: f64,
    /// Standard deviation of the noise of frames, in the column's standard deviations. Default 0.5.
    pub noise: f64,
    /// Seed. Default 0.
    pub seed: u64,
    /// Deflate level, 0 to 9; CMU's files use 9, which is slow to write. Default 4.
    pub deflate: u8,
    /// Emotions that are rarer than in MOSEI: for each, the number of labelled videos with it in
    /// some segment, drawn among the videos with features; 0 leaves it out of the corpus. `{ fear =
    /// 0, disgust = 1 }` gives a corpus without fear, in which only one fold of a cross-validation
    /// can test disgust. Default none.
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
    /// Checks the settings.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn check(&self) -> Result<(), SettingError> {
        require(
            (4..=100_000).contains(&self.videos),
            "videos",
            "4 to 100000",
            self.videos,
        )?;
        require(
            (self.videos..=10_000_000).contains(&self.segments),
            "segments",
            format!("{} (one per video) to 10000000", self.videos),
            self.segments,
        )?;
        let median = self.median_segment_s;
        require(
            (0.2..=60.0).contains(&median),
            "median_segment_s",
            "0.2 to 60 seconds",
            median,
        )?;
        require(
            (0.0..=60.0).contains(&self.mean_gap_s),
            "mean_gap_s",
            "0 to 60 seconds",
            self.mean_gap_s,
        )?;
        // Half of the smallest training split, which is over half of the videos.
        let most = self.videos / 4;
        let missing = self.videos_without_features;
        require(
            missing <= most,
            "videos_without_features",
            format!("at most {most}, a quarter"),
            missing,
        )?;
        require(
            self.videos_without_labels <= self.videos,
            "videos_without_labels",
            format!("at most {}, as many as labelled", self.videos),
            self.videos_without_labels,
        )?;
        for (key, value) in [
            ("segments_spread", self.segments_spread),
            ("length_spread", self.length_spread),
        ] {
            require((0.0..=3.0).contains(&value), key, "0 to 3", value)?;
        }
        let most = self.videos - self.videos_without_features;
        for (emotion, &n) in &self.videos_with {
            let key = format!("videos_with.{}", emotion.name());
            require(
                n <= most,
                key,
                format!("at most {most}, the labelled videos with features"),
                n,
            )?;
        }
        for (key, value) in [
            ("signal", self.signal),
            ("level", self.level),
            ("speaker", self.speaker),
            ("noise", self.noise),
        ] {
            require((0.0..=10.0).contains(&value), key, "0 to 10", value)?;
        }
        require(self.deflate <= 9, "deflate", "0 to 9", self.deflate)
    }
}
