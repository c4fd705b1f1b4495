//! A recording without labels, split into pieces short enough for a model.
//!
//! What lives here: where to split. What does not: which frames belong to an interval (`align`),
//! pooling (`pool`).

use crate::Sequence;
use crate::align::{EPSILON_S, Timeline};
use crate::pool::pool;
use crate::rates::PAUSE_S;

/// One piece of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingPiece {
    /// Start and end, seconds.
    pub interval: [f64; 2],
    /// Frames after pooling, `[frames, columns]`, row-major; NaN where missing.
    pub frames: Vec<f32>,
}

/// The frame rate of a recording in Hz, from the median step between frame starts; `None` with
/// fewer than two frames.
pub fn recording_rate_hz(recording: &Sequence) -> Option<f64> {
    Timeline::new(&recording.intervals)
        .spacing()
        .map(|spacing| spacing.hz())
}

/// Splits a recording into the fewest pieces of at most `max_frames` pooled frames, of about equal
/// length: a remainder of a few frames would give a poor prediction. Every frame is in one piece, and
/// no piece goes across a pause of a second or more, which separates two recordings of one video.
pub fn split_recording(
    recording: &Sequence,
    pool_frames: usize,
    max_frames: usize,
) -> Vec<RecordingPiece> {
    let timeline = Timeline::new(&recording.intervals);
    let pool_frames = pool_frames.max(1);
    let most = pool_frames.saturating_mul(max_frames.max(1));
    let places: Vec<usize> = (0..timeline.len()).collect();
    let together = |&a: &usize, &b: &usize| {
        timeline.interval(b)[0] - timeline.interval(a)[1] < PAUSE_S - EPSILON_S
    };
    let piece = |part: &[usize]| {
        let ends = part.iter().map(|&p| timeline.interval(p)[1]);
        let interval = [
            timeline.interval(part[0])[0],
            ends.fold(f64::NEG_INFINITY, f64::max),
        ];
        let mut frames = Vec::new();
        pool(
            part.iter().map(|&p| recording.row(timeline.row(p))),
            pool_frames,
            &mut frames,
        );
        RecordingPiece { interval, frames }
    };
    let pieces = |part: &'_ [usize]| {
        let frames = part.len();
        // A multiple of the pooling window, so that only the last piece may end in a shorter window.
        let each = frames
            .div_ceil(frames.div_ceil(most))
            .next_multiple_of(pool_frames)
            .min(most);
        part.chunks(each).map(piece).collect::<Vec<_>>()
    };
    places.chunk_by(together).flat_map(pieces).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording at 10 Hz whose one column is the frame number.
    fn counting(n: usize) -> Sequence {
        Sequence {
            width: 1,
            features: (0..n).map(|k| k as f32).collect(),
            intervals: (0..n)
                .map(|k| [k as f64 / 10.0, (k + 1) as f64 / 10.0])
                .collect(),
        }
    }

    #[test]
    fn pieces_have_about_equal_length_and_hold_every_frame() {
        let cut = |n, pool, most| split_recording(&counting(n), pool, most);
        let lengths =
            |found: &[RecordingPiece]| found.iter().map(|p| p.frames.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&cut(10, 1, 10)), [10]);
        assert_eq!(lengths(&cut(11, 1, 10)), [6, 5]);
        assert_eq!(lengths(&cut(21, 2, 5)), [4, 4, 3]);
        assert!(cut(0, 2, 5).is_empty());
        let found = cut(11, 1, 10);
        assert_eq!(
            (found[0].interval, found[1].interval),
            ([0.0, 0.6], [0.6, 1.1])
        );
        let all: Vec<f32> = found.into_iter().flat_map(|p| p.frames).collect();
        assert_eq!(all, counting(11).features);
        assert_eq!(recording_rate_hz(&counting(11)), Some(10.0));
        assert_eq!(recording_rate_hz(&counting(0)), None);
        // The mean of two frames each.
        assert_eq!(cut(5, 2, 5)[0].frames, [0.5, 2.5, 4.0]);
    }

    /// Recordings of one speaker, as `mosei-import` puts them together a second apart.
    #[test]
    fn no_piece_holds_frames_of_two_recordings() {
        let mut all = counting(7);
        let second = counting(4);
        let shift = all.intervals[6][1] + 1.0;
        all.intervals
            .extend(second.intervals.iter().map(|i| i.map(|t| t + shift)));
        all.features.extend(second.features);
        let lengths = |most| {
            let found = split_recording(&all, 1, most);
            found.iter().map(|p| p.frames.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(100), [7, 4]);
        assert_eq!(lengths(5), [4, 3, 4]);
        assert_eq!(
            split_recording(&all, 1, 100)[1].frames,
            [0.0, 1.0, 2.0, 3.0]
        );
    }
}
