//! Which frames belong to which segment.
//!
//! What lives here: the rule of CMU's SDK, and the reasons why a segment has no frames. What does
//! not: the values of frames.

use crate::rates::FrameSpacing;

/// Overlaps and labels up to this length, seconds, do not count (the SDK's epsilon).
pub const EPSILON_S: f64 = 1e-5;

/// The frames of one video in order of time.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Rows of the file, in order of time.
    rows: Vec<usize>,
    /// Their intervals, seconds.
    intervals: Vec<[f64; 2]>,
    /// Latest end of a frame and all before it: sorted even where frames are nested.
    latest_end: Vec<f64>,
}

/// Why a segment has no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The label is shorter than [`EPSILON_S`].
    TooShort,
    /// It starts after the features end.
    PastTheEnd,
    /// The features have a gap there, or start later.
    NoFrame,
    /// Its video has no features. Never returned by [`Timeline::frames_of`], as there is no
    /// timeline then.
    NoFeatures,
}

impl Timeline {
    /// Orders a video's frames; `intervals` are start and end in seconds, in any order.
    pub fn new(intervals: &[[f64; 2]]) -> Self {
        let mut rows: Vec<usize> = (0..intervals.len()).collect();
        rows.sort_by(|&a, &b| {
            let ([s, e], [t, f]) = (intervals[a], intervals[b]);
            s.total_cmp(&t).then(e.total_cmp(&f))
        });
        let intervals: Vec<[f64; 2]> = rows.iter().map(|&r| intervals[r]).collect();
        let latest_end = intervals
            .iter()
            .scan(f64::NEG_INFINITY, |latest, &[_, end]| {
                *latest = latest.max(end);
                Some(*latest)
            })
            .collect();
        Timeline {
            rows,
            intervals,
            latest_end,
        }
    }

    /// Number of frames.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Row in the file of frame `p` in order of time.
    pub(crate) fn row(&self, p: usize) -> usize {
        self.rows[p]
    }

    /// Start and end of frame `p` in order of time, seconds.
    pub(crate) fn interval(&self, p: usize) -> [f64; 2] {
        self.intervals[p]
    }

    /// Start of the first frame, seconds; infinity without frames.
    pub(crate) fn start_s(&self) -> f64 {
        self.intervals.first().map_or(f64::INFINITY, |[s, _]| *s)
    }

    /// Latest end of a frame, seconds; negative infinity without frames.
    pub fn end_s(&self) -> f64 {
        self.latest_end.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// The spacing of its frames; `None` where no frame follows another.
    pub(crate) fn spacing(&self) -> Option<FrameSpacing> {
        FrameSpacing::of(&self.intervals)
    }

    /// Rows of the frames that overlap `[start, end)` by more than [`EPSILON_S`], in order of time.
    ///
    /// # Errors
    /// Why there are none.
    pub fn frames_of(&self, [start, end]: [f64; 2]) -> Result<Vec<usize>, Dropped> {
        if end - start < EPSILON_S {
            return Err(Dropped::TooShort);
        }
        let rows: Vec<usize> = self.positions([start, end]).map(|p| self.rows[p]).collect();
        match rows.is_empty() {
            false => Ok(rows),
            true if start + EPSILON_S >= self.end_s() => Err(Dropped::PastTheEnd),
            true => Err(Dropped::NoFrame),
        }
    }

    /// Indices, in order of time, of the frames that overlap `[start, end)` by more than
    /// [`EPSILON_S`].
    pub(crate) fn positions(&self, [start, end]: [f64; 2]) -> impl Iterator<Item = usize> + '_ {
        let first = self.latest_end.partition_point(|&e| e <= start);
        let past = self.intervals.partition_point(|&[s, _]| s < end);
        (first..past.max(first)).filter(move |&p| {
            let [s, e] = self.intervals[p];
            end.min(e) - start.max(s) > EPSILON_S
        })
    }
}

/// The median; of an even number of values, the upper of the middle two. `None` without values.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundredths(n: usize) -> Timeline {
        Timeline::new(
            &(0..n)
                .map(|k| [k as f64 * 0.01, (k + 1) as f64 * 0.01])
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_segment_takes_the_frames_it_overlaps() {
        let t = hundredths(100);
        assert_eq!(
            t.frames_of([0.105, 0.205]).unwrap(),
            (10..=20).collect::<Vec<_>>()
        );
        assert_eq!(
            t.frames_of([0.1, 0.2]).unwrap(),
            (10..20).collect::<Vec<_>>()
        );
        assert_eq!(
            t.frames_of([0.100_005, 0.199_995]).unwrap(),
            (10..20).collect::<Vec<_>>()
        );
    }

    #[test]
    fn an_edge_within_epsilon_does_not_count() {
        let t = hundredths(100);
        assert_eq!(t.frames_of([0.109_995, 0.13]).unwrap(), [11, 12]);
        assert_eq!(t.frames_of([0.109_98, 0.13]).unwrap(), [10, 11, 12]);
    }

    #[test]
    fn a_segment_beyond_the_features_takes_the_frames_there_are() {
        let t = hundredths(100);
        assert_eq!(t.frames_of([-0.3, 0.02]).unwrap(), [0, 1]);
        assert_eq!(t.frames_of([0.98, 7.0]).unwrap(), [98, 99]);
    }

    #[test]
    fn a_segment_without_frames_has_a_reason() {
        let t = hundredths(100);
        assert_eq!(t.frames_of([1.0, 2.0]), Err(Dropped::PastTheEnd));
        assert_eq!(t.frames_of([0.5, 0.500_001]), Err(Dropped::TooShort));
        assert_eq!(t.frames_of([-2.0, -1.0]), Err(Dropped::NoFrame));
        let hole = Timeline::new(&[[0.0, 0.01], [5.0, 5.01]]);
        assert_eq!(hole.frames_of([1.0, 2.0]), Err(Dropped::NoFrame));
        assert_eq!(
            Timeline::new(&[]).frames_of([0.0, 1.0]),
            Err(Dropped::PastTheEnd)
        );
    }

    #[test]
    fn rows_out_of_order_come_in_order_of_time() {
        let t = Timeline::new(&[[0.02, 0.03], [0.0, 0.01], [0.01, 0.02]]);
        assert_eq!(t.frames_of([0.0, 1.0]).unwrap(), [1, 2, 0]);
    }
}
