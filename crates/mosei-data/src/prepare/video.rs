//! Prepares one video, independently of others, so that several can be prepared in parallel.

use crate::align::{Dropped, EPSILON_S};
use crate::normalise::Moments;
use crate::rates::{FrameSpacing, ends_late};
use crate::recording::Recording;
use crate::stretches::{Cut, outside};
use crate::{Csd, DataConfig, DataError, Unlabelled, VideoLabels, pool};
use std::path::Path;

/// A video, aligned, pooled and cropped.
pub(super) struct PreparedVideo {
    /// Whether the features file has it.
    pub has_features: bool,
    /// For each of its segments, what was kept or why it was dropped.
    pub segments: Vec<Result<KeptSegment, Dropped>>,
    /// The stored frames of all its segments `[frames, width]`.
    pub frames: Vec<f32>,
    /// The moments of these.
    pub moments: Moments,
    /// Non-finite values by column, over all frames in the file.
    pub nonfinite: Vec<u64>,
    /// Frames in the file outside all segments.
    pub outside_segments: u64,
    /// The spacing of its frames; `None` where no frame follows another.
    pub spacing: Option<FrameSpacing>,
    /// End of its frames, seconds; negative infinity without frames.
    pub end_s: f64,
    /// Its speech outside all segments; empty unless configured.
    pub unlabelled: UnlabelledSpeech,
}

/// Speech outside all segments of a video.
#[derive(Default)]
pub(super) struct UnlabelledSpeech {
    /// The stretches kept, in order of time.
    pub stretches: Vec<KeptStretch>,
    /// Their stored frames `[frames, width]`.
    pub frames: Vec<f32>,
    /// Stretches dropped because they were too short.
    pub too_short: usize,
    /// Frames of the file in these.
    pub too_short_frames: usize,
}

/// One stretch.
pub(super) struct KeptStretch {
    /// Start and end, seconds.
    pub interval: [f64; 2],
    /// Frames in the file.
    pub in_file: usize,
    /// Frames after pooling.
    pub stored: usize,
}

/// Numbers of frames of one segment.
pub(super) struct KeptSegment {
    /// In the file.
    pub in_file: usize,
    /// After pooling.
    pub pooled: usize,
    /// After cropping.
    pub stored: usize,
    /// Whether it ends after the features end.
    pub cut_by_the_end: bool,
    /// Whether it has a finite value.
    pub finite: bool,
}

impl PreparedVideo {
    /// Whether it has at least one frame.
    pub fn has_frames(&self) -> bool {
        self.end_s > f64::NEG_INFINITY
    }

    /// Rows of its segments that end long after it.
    pub fn late_segments(&self, intervals: &[[f64; 2]]) -> Vec<usize> {
        let late = |i: &usize| self.has_frames() && ends_late(intervals[*i][1], self.end_s);
        (0..intervals.len()).filter(late).collect()
    }

    /// Reads and prepares one video; its labels are from `labels_path`.
    ///
    /// # Errors
    /// Where its features cannot be read, or do not match its labels.
    pub fn new(
        config: &DataConfig,
        features: &Csd,
        id: &str,
        labels: &VideoLabels,
        labels_path: &Path,
    ) -> Result<Self, DataError> {
        let one_axis = config.unlabelled == Unlabelled::Outside;
        let recording = Recording::read(features, id, labels, labels_path, one_axis)?;
        let width = features.width();
        let mut video = PreparedVideo {
            has_features: recording.is_some(),
            segments: Vec::with_capacity(labels.intervals.len()),
            frames: Vec::new(),
            moments: Moments::new(width),
            nonfinite: vec![0; width],
            outside_segments: 0,
            spacing: None,
            end_s: f64::NEG_INFINITY,
            unlabelled: UnlabelledSpeech::default(),
        };
        let Some(recording) = recording else {
            video
                .segments
                .extend(labels.intervals.iter().map(|_| Err(Dropped::NoFeatures)));
            return Ok(video);
        };
        let Recording {
            sequence, timeline, ..
        } = &recording;
        let mut in_segment = vec![false; sequence.intervals.len()];
        let mut pooled = Vec::new();
        for (&number, &interval) in labels.numbers.iter().zip(&labels.intervals) {
            let segment = recording.frames_of(number, interval).map(|(rows, end_s)| {
                rows.iter().for_each(|&r| in_segment[r] = true);
                pooled.clear();
                pool::pool(
                    rows.iter().map(|&r| sequence.row(r)),
                    config.pool_frames,
                    &mut pooled,
                );
                let frames = pooled.len() / width;
                let kept = pool::kept(frames, config.max_frames, config.crop);
                video
                    .frames
                    .extend_from_slice(&pooled[kept.start * width..kept.end * width]);
                let cut_by_the_end = interval[1] > end_s + EPSILON_S;
                let finite = pooled[kept.start * width..kept.end * width]
                    .iter()
                    .any(|x| x.is_finite());
                KeptSegment {
                    in_file: rows.len(),
                    pooled: frames,
                    stored: kept.len(),
                    cut_by_the_end,
                    finite,
                }
            });
            video.segments.push(segment);
        }
        video.moments.add(&video.frames);
        for row in sequence.features.chunks_exact(width) {
            video
                .nonfinite
                .iter_mut()
                .zip(row)
                .for_each(|(n, x)| *n += u64::from(!x.is_finite()));
        }
        video.outside_segments = in_segment.iter().filter(|&&inside| !inside).count() as u64;
        (video.spacing, video.end_s) = (timeline.spacing(), timeline.end_s());
        if config.unlabelled == Unlabelled::Outside {
            let cut = Cut {
                most_frames: config.max_frames * config.pool_frames,
                min_s: config.unlabelled_min_s,
            };
            let outside = outside(timeline, &labels.intervals, cut);
            let speech = &mut video.unlabelled;
            (speech.too_short, speech.too_short_frames) =
                (outside.too_short, outside.too_short_frames);
            for stretch in outside.stretches {
                let before = speech.frames.len();
                pool::pool(
                    stretch.rows.iter().map(|&r| sequence.row(r)),
                    config.pool_frames,
                    &mut speech.frames,
                );
                let stored = (speech.frames.len() - before) / width;
                let in_file = stretch.rows.len();
                speech.stretches.push(KeptStretch {
                    interval: stretch.interval,
                    in_file,
                    stored,
                });
            }
        }
        Ok(video)
    }
}
