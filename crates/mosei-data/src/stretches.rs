//! Speech outside all labelled segments of a video, split into stretches.
//!
//! What lives here: finding the gaps and splitting them. What does not: which frames belong to an
//! interval (`align`), pooling (`pool`).

use crate::align::{EPSILON_S, Timeline};

/// Consecutive frames in no labelled segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Rows of the file, in order of time.
    pub rows: Vec<usize>,
    /// Start and end, seconds; overlaps no labelled segment.
    pub interval: [f64; 2],
}

/// The speech of a video outside all its labelled segments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outside {
    /// In order of time.
    pub stretches: Vec<Stretch>,
    /// Stretches dropped because they were too short.
    pub too_short: usize,
    /// Frames of the file in these.
    pub too_short_frames: usize,
}

/// How gaps are split into stretches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Most frames of the file in one stretch.
    pub most_frames: usize,
    /// Shorter stretches are dropped, seconds.
    pub min_s: f64,
}

/// The parts of `[start, end]` outside all `segments`, in order of time. Segments may overlap, be
/// nested and be in any order; those too short for a frame do not count.
pub fn gaps(segments: &[[f64; 2]], [start, end]: [f64; 2]) -> Vec<[f64; 2]> {
    let mut segments: Vec<[f64; 2]> = segments
        .iter()
        .copied()
        .filter(|[s, e]| e - s >= EPSILON_S)
        .collect();
    segments.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut gaps, mut free_from) = (Vec::new(), start);
    for [s, e] in segments.into_iter().chain([[end, end]]) {
        if s.min(end) > free_from {
            gaps.push([free_from, s.min(end)]);
        }
        free_from = free_from.max(e);
    }
    gaps
}

/// The speech of a video outside its labelled `segments`: the frames of none of them, gap by gap,
/// each gap split from its start. Frames belong to gaps by the same rule as to segments.
pub fn outside(timeline: &Timeline, segments: &[[f64; 2]], cut: Cut) -> Outside {
    let mut out = Outside::default();
    let mut taken = vec![false; timeline.len()];
    for &segment in segments.iter().filter(|[s, e]| e - s >= EPSILON_S) {
        timeline.positions(segment).for_each(|p| taken[p] = true);
    }
    for gap in gaps(segments, [timeline.start_s(), timeline.end_s()]) {
        let free: Vec<usize> = timeline.positions(gap).filter(|&p| !taken[p]).collect();
        for part in free.chunks(cut.most_frames.max(1)) {
            let spans = || part.iter().map(|&p| timeline.interval(p));
            let start = spans()
                .map(|[s, _]| s)
                .fold(f64::INFINITY, f64::min)
                .max(gap[0]);
            let end = spans()
                .map(|[_, e]| e)
                .fold(f64::NEG_INFINITY, f64::max)
                .min(gap[1]);
            // Times are sums of float steps: a second may be slightly less than 1.
            if end - start + EPSILON_S < cut.min_s {
                out.too_short += 1;
                out.too_short_frames += part.len();
                continue;
            }
            let rows = part.iter().map(|&p| timeline.row(p)).collect();
            out.stretches.push(Stretch {
                rows,
                interval: [start, end],
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_before_between_and_after_segments() {
        let segments = [[4.0, 5.0], [1.0, 2.0], [1.5, 3.0], [1.6, 1.7]];
        assert_eq!(
            gaps(&segments, [0.0, 9.0]),
            [[0.0, 1.0], [3.0, 4.0], [5.0, 9.0]]
        );
        // Segments beyond the ends, and adjacent segments, leave no gap.
        assert_eq!(
            gaps(&[[-1.0, 1.0], [1.0, 2.0], [7.0, 12.0]], [0.0, 9.0]),
            [[2.0, 7.0]]
        );
        assert_eq!(gaps(&[[3.0, 3.0], [11.0, 12.0]], [0.0, 9.0]), [[0.0, 9.0]]);
        assert_eq!(gaps(&[], [0.0, 9.0]), [[0.0, 9.0]]);
        assert!(gaps(&[[-1.0, 10.0]], [0.0, 9.0]).is_empty());
        assert!(gaps(&[], [f64::INFINITY, f64::NEG_INFINITY]).is_empty());
    }

    fn tenths(n: usize) -> Timeline {
        Timeline::new(
            &(0..n)
                .map(|k| [k as f64 / 10.0, (k + 1) as f64 / 10.0])
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn stretches_hold_the_frames_of_no_segment() {
        // Frames 12 and 30 overlap a segment each, and so belong to it.
        let segments = [[1.25, 2.0], [1.9, 3.05]];
        let found = outside(
            &tenths(60),
            &segments,
            Cut {
                most_frames: 20,
                min_s: 1.0,
            },
        );
        let rows: Vec<Vec<usize>> = found.stretches.iter().map(|s| s.rows.clone()).collect();
        assert_eq!(rows, [(0..12).collect::<Vec<_>>(), (31..51).collect()]);
        assert_eq!((found.too_short, found.too_short_frames), (1, 9));
        assert_eq!(found.stretches[0].interval, [0.0, 1.2]);
        // A stretch of exactly the minimum length is kept.
        let all = outside(
            &tenths(60),
            &segments,
            Cut {
                most_frames: 20,
                min_s: 0.9,
            },
        );
        assert_eq!((all.stretches.len(), all.too_short), (3, 0));
    }
}
