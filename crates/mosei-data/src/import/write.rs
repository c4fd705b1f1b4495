//! Recordings and labels to a pair of .csd files, video by video.
//!
//! What lives here: the time axis of each video, and the files. What does not: who belongs where.
//!
//! Several threads read, lay out and pack a video each; a few videos are in memory at a time.

use super::join::{Joined, Video};
use super::labels::Labels;
use super::scratch::{Frames, Taken};
use super::seconds::MOST_S;
use crate::align::median;
use crate::csd::{About, PackedVideo, metadata};
use crate::rates::{FarBehind, Pace, Paces, Rate, is_far_behind};
use crate::{CsdWriter, DataError, ahead};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Seconds between recordings that share a video, so that no frame of one overlaps a segment of another.
const GAP_S: f64 = 1.0;
/// Seconds of a frame beyond which times are in another unit.
const MOST_FRAME_S: f64 = 3600.0;
/// Lengths of time that differ by no more than this share are the same: they may be rounded to milliseconds.
const SAME_LENGTH: f64 = 0.1;
/// How much the files are packed.
const DEFLATE: u8 = 4;

/// What the labels' root group is called; that it holds labels is known by it.
pub(crate) const LABELS_ROOT: &str = "Labels";
const FEATURES_ROOT: &str = "Features";

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Frames of all videos.
    pub frames: u64,
    /// Labelled segments.
    pub segments: usize,
    /// Of these, segments that begin after their recording has ended.
    pub past_the_end: usize,
    /// Videos with labels.
    pub videos: usize,
    /// Frames that begin with the one before at the end of their recording, and are put one hop on.
    pub tied: usize,
    /// Of these, segments that end far behind their recording, and the first.
    pub far_behind: (usize, Option<String>),
    /// The rate of all frames.
    pub rate: Option<Rate>,
}

/// A video, ready to be written.
struct Laid {
    features: Option<PackedVideo>,
    labels: Option<PackedVideo>,
    frames: usize,
    past_the_end: usize,
    tied: usize,
    /// Name and pace of each recording.
    paces: Vec<(String, Option<Pace>)>,
    /// Of each recording with labels: how many end far behind it, and the first.
    far_behind: Vec<(usize, Option<String>)>,
}

/// Writes both files. `progress` hears videos done and in all.
///
/// # Errors
/// Where the length of a frame cannot be known, times cannot be right, recordings have different rates, or a file cannot be written.
#[allow(clippy::too_many_arguments, reason = "what is written, where, and who hears of it")]
pub(super) fn write(
    joined: &Joined,
    labels: &Labels,
    taken: &Taken,
    columns: &[String],
    hop_s: Option<f64>,
    [features_file, labels_file]: [&Path; 2],
    source: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Written, DataError> {
    let mut features = CsdWriter::create(features_file, FEATURES_ROOT, &about(FEATURES_ROOT, columns), DEFLATE)?;
    let mut labelled = CsdWriter::create(labels_file, LABELS_ROOT, &about(LABELS_ROOT, &labels.names), DEFLATE)?;
    let mut written = Written::default();
    let (mut paces, mut far) = (Paces::default(), FarBehind::default());
    let lay = |i: usize| lay_out(&joined.videos[i], labels, taken, hop_s, source);
    let mut done = 0;
    ahead::in_order(joined.videos.len(), ahead::threads(), lay, |laid| {
        let (laid, video) = (laid?, &joined.videos[done]);
        if let Some(packed) = &laid.features {
            features.write_packed(&video.id, packed)?;
        }
        if let Some(packed) = &laid.labels {
            labelled.write_packed(&video.id, packed)?;
            written.videos += 1;
        }
        written.frames += laid.frames as u64;
        written.segments += video.segments.len();
        written.past_the_end += laid.past_the_end;
        written.tied += laid.tied;
        laid.paces.iter().for_each(|(name, pace)| paces.add(name, *pace));
        laid.far_behind.into_iter().for_each(|(count, first)| far.add(count, first));
        done += 1;
        progress(done, joined.videos.len());
        Ok::<(), DataError>(())
    })?;
    written.rate = Some(paces.check(source, "times of the frames")?);
    far.check(&labels.path, "times of the segments")?;
    written.far_behind = (far.count, far.first);
    features.finish()?;
    labelled.finish()?;
    Ok(written)
}

fn lay_out(
    video: &Video,
    labels: &Labels,
    taken: &Taken,
    hop_s: Option<f64>,
    source: &Path,
) -> Result<Laid, DataError> {
    let shared = video.recordings.len() > 1 || labels.speakers;
    let (mut values, mut frames, mut extents, mut paces) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut tied = 0;
    let mut next_s = 0.0;
    for &recording in &video.recordings {
        let read = taken.read(recording)?;
        let intervals = intervals(&read, hop_s).ok_or_else(|| {
            let (place, found) = (format!("'{}'", taken.recordings[recording].name), "one frame without an end");
            DataError::table(source, place, "at least two frames, a column 'end', or --rate", found)
        })?;
        let [begin, end] = extent(&intervals);
        let shift = if shared { next_s - begin } else { 0.0 };
        next_s += end - begin + GAP_S;
        if next_s > MOST_S {
            let found = format!("{next_s} s after '{}'", taken.recordings[recording].name);
            return Err(DataError::table(
                source,
                format!("'{}'", video.id),
                format!("at most {MOST_S} s in a video"),
                found,
            ));
        }
        let hop = median(intervals.iter().map(|[s, e]| e - s).collect());
        if let Some(hop) = hop.filter(|hop| *hop > MOST_FRAME_S) {
            let (place, expected) =
                (format!("'{}'", taken.recordings[recording].name), format!("frames of at most {MOST_FRAME_S} s"));
            let error = DataError::table(source, place, expected, format!("{hop} s"));
            return Err(error.with_hint(Some("are the times in seconds?".into())));
        }
        tied += taken.recordings[recording].tied;
        paces.push((taken.recordings[recording].name.clone(), Pace::of(&intervals)));
        frames.extend(intervals.iter().map(|[s, e]| [s + shift, e + shift]));
        values.extend(read.features);
        extents.push(([begin, end], shift));
    }
    let mut past_the_end = 0;
    let mut rows = Vec::new();
    let mut said = Vec::new();
    let mut far_behind: BTreeMap<usize, (usize, Option<String>)> = BTreeMap::new();
    for segment in &video.segments {
        let ([begin, end], shift) = extents[segment.recording];
        let mut time = segment.time.unwrap_or([begin, end]);
        if time[1] == f64::INFINITY {
            if time[0] >= end {
                let expected = format!("a start before the end of its recording ({end} s), where the end is left open");
                let place = labels.rows[segment.row].place.clone();
                return Err(DataError::table(&labels.path, place, expected, format!("{} s", time[0])));
            }
            time[1] = end;
        }
        let far = far_behind.entry(segment.recording).or_default();
        if is_far_behind(time[1], end) {
            far.0 += 1;
            far.1.get_or_insert_with(|| format!("{}, a recording that ends at {end} s", labels.called(segment.row)));
        }
        past_the_end += usize::from(time[0] >= end);
        if shared {
            // What reaches out of its recording would reach into the next.
            time = time.map(|t| t.clamp(begin, end));
        }
        rows.push(time.map(|t| t + shift));
        said.extend_from_slice(labels.of(segment.row));
    }
    // What is packed has the rows and columns that it says, so packing never fails.
    let pack = |width: usize, values: &[f32], intervals: &[[f64; 2]]| {
        (!intervals.is_empty()).then(|| PackedVideo::new(width, values, intervals, DEFLATE).ok()).flatten()
    };
    Ok(Laid {
        features: pack(taken.columns, &values, &frames),
        labels: pack(labels.names.len(), &said, &rows),
        frames: frames.len(),
        past_the_end,
        tied,
        paces,
        far_behind: far_behind.into_values().collect(),
    })
}

/// When each frame begins and ends, seconds: a frame ends where it says, and at the latest where the next one begins. Where nothing says
/// its end it is as long as usual. Nothing where no length can be known.
fn intervals(frames: &Frames, hop_s: Option<f64>) -> Option<Vec<[f64; 2]>> {
    let mut starts = frames.starts.clone();
    let usual = median(starts.windows(2).map(|w| w[1] - w[0]).filter(|hop| *hop > 0.0).collect()).or(hop_s);
    let mut ends = frames.ends.clone();
    for i in 1..starts.len() {
        if starts[i] <= starts[i - 1] {
            // One hop on each, for as long as openSMILE's last frames begin together.
            starts[i] = starts[i - 1] + usual?;
            ends[i] = starts[i] + usual?;
        }
    }
    if let (Some(usual), Some(last)) = (usual, is_stretched(&starts, &ends).then(|| ends.len() - 1)) {
        ends[last] = starts[last] + usual;
    }
    let mut intervals = Vec::with_capacity(starts.len());
    for (i, (&start, &end)) in starts.iter().zip(&ends).enumerate() {
        let next = starts.get(i + 1).copied().unwrap_or(f64::INFINITY);
        let end = if end.is_finite() { end } else { start + usual? };
        intervals.push([start, next.min(end)]);
    }
    Some(intervals)
}

/// Whether the last frame is longer than it is meant to be: openSMILE stretches its first and last one, where all others are equal and
/// follow each other regularly.
fn is_stretched(starts: &[f64], ends: &[f64]) -> bool {
    let lengths: Vec<f64> = starts.iter().zip(ends).map(|(s, e)| e - s).collect();
    let [_, middle @ .., last] = lengths.as_slice() else { return false };
    let hops: Vec<f64> = starts.windows(2).map(|w| w[1] - w[0]).collect();
    let equal = |values: &[f64]| {
        values.first().is_some_and(|&first| values.iter().all(|x| (x - first).abs() <= SAME_LENGTH * first))
    };
    equal(middle) && equal(&hops) && *last > middle[0] * (1.0 + SAME_LENGTH)
}

/// When the first frame begins and the last one ends; starts increase and so do ends.
fn extent(intervals: &[[f64; 2]]) -> [f64; 2] {
    [intervals.first().map_or(0.0, |i| i[0]), intervals.last().map_or(0.0, |i| i[1])]
}

/// What a file of the pair says of itself.
fn about(root: &'static str, columns: &[String]) -> [(&'static str, Value); 13] {
    let columns = columns.iter().map(String::as_str).collect();
    let (description, dataset) = ("imported from other tables", "imported");
    metadata(About { description, dataset, root, columns, uuid: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(starts: &[f64], ends: &[f64], hop_s: Option<f64>) -> Option<Vec<[f64; 2]>> {
        intervals(&Frames { starts: starts.into(), ends: ends.into(), features: Vec::new() }, hop_s)
    }

    #[test]
    fn frames_do_not_overlap() {
        // As openSMILE writes them: frames of 20 ms every 10 ms, the last one as long as what is left.
        let found = of(&[0.0, 1.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 9.0], None);
        assert_eq!(found, Some(vec![[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]));
    }

    #[test]
    fn frames_of_unequal_length_end_where_they_say() {
        // Words, and a pause between.
        let found = of(&[0.0, 0.55, 2.0, 2.2], &[0.55, 1.9, 2.2, 4.0], None);
        assert_eq!(found, Some(vec![[0.0, 0.55], [0.55, 1.9], [2.0, 2.2], [2.2, 4.0]]));
        // Windows of two seconds, two a second: the last one is as long as the others.
        let found = of(&[0.0, 0.5, 1.0, 1.5], &[2.0, 2.5, 3.0, 3.5], None).unwrap();
        assert_eq!(found[2..], [[1.0, 1.5], [1.5, 3.5]]);
    }

    #[test]
    fn frames_that_begin_together_at_the_end_follow_each_other() {
        let found = of(&[0.0, 1.0, 2.0, 2.0, 2.0], &[6.0, 7.0, 8.0, 8.0, 8.0], None);
        assert_eq!(found, Some(vec![[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]]));
    }

    #[test]
    fn holes_stay_holes() {
        let nan = f64::NAN;
        let found = of(&[0.0, 1.0, 2.0, 7.0, 8.0], &[nan; 5], None);
        assert_eq!(found, Some(vec![[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [7.0, 8.0], [8.0, 9.0]]));
    }

    #[test]
    fn the_length_of_one_frame_must_be_said() {
        assert_eq!(of(&[0.0], &[f64::NAN], None), None);
        assert_eq!(of(&[0.0], &[f64::NAN], Some(0.5)), Some(vec![[0.0, 0.5]]));
        assert_eq!(of(&[0.0], &[0.25], None), Some(vec![[0.0, 0.25]]));
    }
}
