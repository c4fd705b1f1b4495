//! Start and end of frames, and the frames of several segments on one axis.
//!
//! What lives here: what extractors' times mean: overlapping windows, a stretched last frame, equal
//! starts at the end, centres. What does not: the time axis of a video (`write`).

use crate::ImportError;
use crate::frame_store::{FrameStore, Frames};
use mosei_data::align::median;
use mosei_data::{MergeConflict, Sequence, merge_on_one_axis};
use std::path::Path;

/// Relative difference up to which lengths are equal: times may be rounded to milliseconds.
const SAME_LENGTH: f64 = 0.1;

/// The frames of recordings on one time axis, in order of time.
///
/// # Errors
/// Where they cannot be read, or the length of a frame is unknown; within, where frames of two
/// recordings overlap with different values.
pub(crate) fn merged(
    path: &Path,
    frames: &FrameStore,
    unit: &[usize],
    hop_s: Option<f64>,
) -> Result<Result<Sequence, MergeConflict>, ImportError> {
    let mut parts = Vec::with_capacity(unit.len());
    for &index in unit {
        let read = frames.read(index)?;
        let Some(intervals) = of_frames(&read, hop_s, frames.centred) else {
            let place = format!("'{}'", frames.recordings[index].name);
            let expected = "at least two frames, a column 'end', or --rate";
            return Err(ImportError::table(
                path,
                place,
                expected,
                "one frame without an end",
            ));
        };
        parts.push(Sequence {
            width: frames.columns,
            features: read.features,
            intervals,
        });
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(Ok(only)),
        last => {
            parts.extend(last);
            Ok(merge_on_one_axis(frames.columns, &parts))
        }
    }
}

/// Start and end of each frame, seconds. A frame ends at its own end, but no later than the next
/// start; without an end it has the median length. Where times are those of centres, it begins half a
/// step earlier. `None` where no length is known.
fn of_frames(frames: &Frames, hop_s: Option<f64>, centred: bool) -> Option<Vec<[f64; 2]>> {
    let mut starts = frames.starts.clone();
    let typical = median(
        starts
            .windows(2)
            .map(|w| w[1] - w[0])
            .filter(|hop| *hop > 0.0)
            .collect(),
    )
    .or(hop_s);
    let mut ends = frames.ends.clone();
    for i in 1..starts.len() {
        if starts[i] <= starts[i - 1] {
            // openSMILE's last frames may share a start: each is moved on by one step.
            starts[i] = starts[i - 1] + typical?;
            ends[i] = starts[i] + typical?;
        }
    }
    if let (Some(typical), Some(last)) = (
        typical,
        is_stretched(&starts, &ends).then(|| ends.len() - 1),
    ) {
        ends[last] = starts[last] + typical;
    }
    if centred {
        let half = typical? / 2.0;
        starts.iter_mut().chain(&mut ends).for_each(|t| *t -= half);
    }
    let mut intervals = Vec::with_capacity(starts.len());
    for (i, (&start, &end)) in starts.iter().zip(&ends).enumerate() {
        let next = starts.get(i + 1).copied().unwrap_or(f64::INFINITY);
        let end = if end.is_finite() {
            end
        } else {
            start + typical?
        };
        intervals.push([start, next.min(end)]);
    }
    Some(intervals)
}

/// Whether the last frame is longer than intended: openSMILE stretches the first and the last
/// frame, where all others have equal lengths and steps.
fn is_stretched(starts: &[f64], ends: &[f64]) -> bool {
    let lengths: Vec<f64> = starts.iter().zip(ends).map(|(s, e)| e - s).collect();
    let [_, middle @ .., last] = lengths.as_slice() else {
        return false;
    };
    let hops: Vec<f64> = starts.windows(2).map(|w| w[1] - w[0]).collect();
    let equal = |values: &[f64]| {
        values.first().is_some_and(|&first| {
            values
                .iter()
                .all(|x| (x - first).abs() <= SAME_LENGTH * first)
        })
    };
    equal(middle) && equal(&hops) && *last > middle[0] * (1.0 + SAME_LENGTH)
}

/// Start of the first frame and end of the last; starts and ends increase.
pub(crate) fn extent(intervals: &[[f64; 2]]) -> [f64; 2] {
    [
        intervals.first().map_or(0.0, |i| i[0]),
        intervals.last().map_or(0.0, |i| i[1]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(starts: &[f64], ends: &[f64], hop_s: Option<f64>) -> Option<Vec<[f64; 2]>> {
        of_frames(
            &Frames {
                starts: starts.into(),
                ends: ends.into(),
                features: Vec::new(),
            },
            hop_s,
            false,
        )
    }

    #[test]
    fn frames_do_not_overlap() {
        // As openSMILE writes them: frames of 20 ms every 10 ms, the last one stretched.
        let found = of(&[0.0, 1.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 9.0], None);
        assert_eq!(
            found,
            Some(vec![[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
        );
    }

    #[test]
    fn frames_of_unequal_length_keep_their_ends() {
        // Words with a pause.
        let found = of(&[0.0, 0.55, 2.0, 2.2], &[0.55, 1.9, 2.2, 4.0], None);
        assert_eq!(
            found,
            Some(vec![[0.0, 0.55], [0.55, 1.9], [2.0, 2.2], [2.2, 4.0]])
        );
        // Windows of 2 s every 0.5 s: the last one is as long as the others.
        let found = of(&[0.0, 0.5, 1.0, 1.5], &[2.0, 2.5, 3.0, 3.5], None).unwrap();
        assert_eq!(found[2..], [[1.0, 1.5], [1.5, 3.5]]);
    }

    #[test]
    fn last_frames_with_equal_starts_are_moved_on() {
        let found = of(&[0.0, 1.0, 2.0, 2.0, 2.0], &[6.0, 7.0, 8.0, 8.0, 8.0], None);
        assert_eq!(
            found,
            Some(vec![
                [0.0, 1.0],
                [1.0, 2.0],
                [2.0, 3.0],
                [3.0, 4.0],
                [4.0, 5.0]
            ])
        );
    }

    #[test]
    fn gaps_are_kept() {
        let nan = f64::NAN;
        let found = of(&[0.0, 1.0, 2.0, 7.0, 8.0], &[nan; 5], None);
        assert_eq!(
            found,
            Some(vec![
                [0.0, 1.0],
                [1.0, 2.0],
                [2.0, 3.0],
                [7.0, 8.0],
                [8.0, 9.0]
            ])
        );
    }

    #[test]
    fn the_length_of_a_single_frame_must_be_given() {
        assert_eq!(of(&[0.0], &[f64::NAN], None), None);
        assert_eq!(of(&[0.0], &[f64::NAN], Some(0.5)), Some(vec![[0.0, 0.5]]));
        assert_eq!(of(&[0.0], &[0.25], None), Some(vec![[0.0, 0.25]]));
    }

    #[test]
    fn centres_are_in_the_middle_of_their_frames() {
        // Praat's pitch every 10 ms.
        let frames = Frames {
            starts: vec![0.02, 0.03, 0.04],
            ends: vec![f64::NAN; 3],
            features: Vec::new(),
        };
        let found = of_frames(&frames, None, true).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            near(found[0][0], 0.015) && near(found[0][1], 0.025) && near(found[2][1], 0.045),
            "{found:?}"
        );
    }
}
