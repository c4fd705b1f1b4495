//! Whether the times of segments are those of their video, or begin with each segment.
//!
//! What lives here: the decision, from the format or from how the segments of a video lie. What does
//! not: the join that depends on it (`join`).

use crate::frame_store::{FrameStore, TimesOf};
use crate::labels::Labels;
use std::collections::BTreeMap;

/// Share of a segment's length that must overlap the one before it for their times to be their own.
const STACKED: f64 = 0.5;
/// No segment with times of its own begins later than this, seconds.
const LATE_S: f64 = 1.0;

/// Whether the times of recordings of single segments are those of their videos.
pub(crate) fn of_features(frames: &FrameStore) -> bool {
    match frames.times {
        TimesOf::Videos => true,
        TimesOf::Frames => false,
        TimesOf::Table => {
            let parts = frames.recordings.iter();
            on_video_axis(
                parts.filter_map(|r| Some((r.segment.as_ref()?.video.as_str(), r.extent))),
            )
        }
    }
}

/// Whether the times of labelled segments are those of their videos. Those of segments without a
/// name of their own are.
pub(crate) fn of_labels(labels: &Labels) -> bool {
    let timed = || labels.rows.iter().filter_map(|row| Some((row, row.time?)));
    let numbered = || timed().filter(|(row, _)| row.segment.is_some());
    labels
        .on_video_axis
        .unwrap_or_else(|| match numbered().next() {
            None => timed().next().is_some(),
            Some(_) => on_video_axis(numbered().map(|(row, time)| (row.name.as_str(), time))),
        })
}

/// Whether segments, each of a video and with start and end in seconds, lie on the axes of their
/// videos: one after the other, and not all at the beginning. Where no video has two, one that
/// begins late tells.
fn on_video_axis<'a>(segments: impl Iterator<Item = (&'a str, [f64; 2])>) -> bool {
    let mut by_video: BTreeMap<&str, Vec<[f64; 2]>> = BTreeMap::new();
    for (video, extent) in segments {
        by_video.entry(video).or_default().push(extent);
    }
    let (mut pairs, mut stacked) = (0, 0);
    for extents in by_video.values_mut() {
        extents.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        for w in extents.windows(2) {
            let shortest = (w[0][1] - w[0][0]).min(w[1][1] - w[1][0]);
            let overlap = w[0][1].min(w[1][1]) - w[1][0];
            pairs += 1;
            stacked += usize::from(overlap > STACKED * shortest || w[0][0] == w[1][0]);
        }
    }
    if pairs == 0 {
        return by_video
            .values()
            .flatten()
            .any(|[start, _]| *start > LATE_S);
    }
    stacked * 2 <= pairs
}

#[cfg(test)]
mod tests {
    use super::on_video_axis;

    #[test]
    fn segments_that_follow_each_other_are_on_the_axis_of_their_video() {
        let of = |extents: &[[f64; 2]]| on_video_axis(extents.iter().map(|e| ("v", *e)));
        // Turns, some of which overlap.
        assert!(of(&[[0.0, 3.0], [10.5, 14.8], [2.5, 7.0]]));
        // Clips with times of their own, and pauses at their beginning.
        assert!(!of(&[[0.0, 3.0], [0.4, 4.8], [0.1, 2.0]]));
        // A single segment begins late, or may have either.
        assert!(of(&[[10.5, 14.8]]) && !of(&[[0.0, 3.0]]));
    }
}
