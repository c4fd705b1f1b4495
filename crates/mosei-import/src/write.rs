//! Writes recordings and labels as two .csd files, video by video.
//!
//! What lives here: the time axis of each video, and the files. What does not: the join.
//!
//! Several threads read, lay out and compress one video each; a few videos are in memory at a time.

use crate::ImportError;
use crate::duration_text::MAX_S;
use crate::frame_store::{FrameStore, Frames};
use crate::join::{Joined, Video};
use crate::labels::Labels;
use mosei_data::align::median;
use mosei_data::parallel::{available_threads, for_each_ordered};
use mosei_data::rates::{CorpusSpacing, FrameRate, FrameSpacing, LateLabels, ends_late};
use mosei_data::{CsdWriter, LABELS_ROOT, PackedVideo, SequenceInfo, sequence_metadata};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Gap between recordings concatenated in one video, seconds, so that no frame of one overlaps a
/// segment of another.
const GAP_S: f64 = 1.0;
/// Longest median frame, seconds; a longer one means times in another unit.
const MAX_FRAME_S: f64 = 3600.0;
/// Relative difference up to which lengths are equal: times may be rounded to milliseconds.
const SAME_LENGTH: f64 = 0.1;
/// Deflate level of the files.
const DEFLATE: u8 = 4;

const FEATURES_ROOT: &str = "Features";

/// What to write.
pub(crate) struct Pair<'a> {
    pub joined: &'a Joined,
    pub labels: &'a Labels,
    pub frames: &'a FrameStore,
    /// Names of the feature columns.
    pub columns: &'a [String],
    /// Step between frames that have no other, seconds.
    pub hop_s: Option<f64>,
    /// The features imported, for messages.
    pub source: &'a Path,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Frames of all videos.
    pub frames: u64,
    /// Labelled segments.
    pub segments: usize,
    /// Of these, segments that start after the end of their recording.
    pub past_the_end: usize,
    /// Videos with labels.
    pub videos: usize,
    /// Frames at the end of recordings with the start of the frame before, which are moved on by
    /// one step.
    pub tied: usize,
    /// Number of segments that end long after their recording, and the first.
    pub late: (usize, Option<String>),
    /// The frame rate of the corpus.
    pub rate: Option<FrameRate>,
}

/// A video, compressed.
struct LaidOutVideo {
    features: Option<PackedVideo>,
    labels: Option<PackedVideo>,
    frames: usize,
    past_the_end: usize,
    tied: usize,
    /// Name and frame spacing of each recording.
    spacings: Vec<(String, Option<FrameSpacing>)>,
    /// For each recording with labels: how many end long after it, and the first.
    late: Vec<(usize, Option<String>)>,
}

/// Recordings of one video, concatenated.
#[derive(Default)]
struct TimeAxis {
    features: Vec<f32>,
    intervals: Vec<[f64; 2]>,
    /// Start and end of each recording in its own time, and its shift in the video's, seconds.
    extents: Vec<([f64; 2], f64)>,
    spacings: Vec<(String, Option<FrameSpacing>)>,
    tied: usize,
}

/// Writes both files. `progress` is called with the number of videos written and their total.
///
/// # Errors
/// Where the length of a frame is unknown, times are implausible, recordings have different rates,
/// or a file cannot be written.
pub(crate) fn write(
    pair: &Pair<'_>,
    features_file: &Path,
    labels_file: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Written, ImportError> {
    let Pair { joined, labels, .. } = pair;
    let mut features = CsdWriter::create(
        features_file,
        FEATURES_ROOT,
        &info(FEATURES_ROOT, pair.columns),
        DEFLATE,
    )?;
    let mut labelled = CsdWriter::create(
        labels_file,
        LABELS_ROOT,
        &info(LABELS_ROOT, &labels.names),
        DEFLATE,
    )?;
    let mut written = Written::default();
    let (mut spacings, mut late) = (CorpusSpacing::default(), LateLabels::default());
    let mut done = 0;
    for_each_ordered(
        joined.videos.len(),
        available_threads(),
        |i| lay_out(pair, &joined.videos[i]),
        |laid_out| {
            let (laid_out, video) = (laid_out?, &joined.videos[done]);
            if let Some(packed) = &laid_out.features {
                features.write_packed(&video.id, packed)?;
            }
            if let Some(packed) = &laid_out.labels {
                labelled.write_packed(&video.id, packed)?;
                written.videos += 1;
            }
            written.frames += laid_out.frames as u64;
            written.segments += video.segments.len();
            written.past_the_end += laid_out.past_the_end;
            written.tied += laid_out.tied;
            laid_out
                .spacings
                .iter()
                .for_each(|(name, spacing)| spacings.add(name, *spacing));
            laid_out
                .late
                .into_iter()
                .for_each(|(count, first)| late.add(count, first));
            done += 1;
            progress(done, joined.videos.len());
            Ok::<(), ImportError>(())
        },
    )?;
    written.rate = Some(spacings.check(pair.source, "times of the frames")?);
    late.check(&labels.path, "times of the segments")?;
    written.late = (late.count, late.first);
    features.finish()?;
    labelled.finish()?;
    Ok(written)
}

/// Places the recordings and labels of a video on its time axis, and compresses them.
fn lay_out(pair: &Pair<'_>, video: &Video) -> Result<LaidOutVideo, ImportError> {
    let labels = pair.labels;
    let shared = video.recordings.len() > 1 || labels.speakers;
    let axis = concatenate(pair, video, shared)?;
    let (mut past_the_end, mut intervals, mut intensities) = (0, Vec::new(), Vec::new());
    let mut late: BTreeMap<usize, (usize, Option<String>)> = BTreeMap::new();
    for segment in &video.segments {
        let ([start, end], shift) = axis.extents[segment.recording];
        let mut time = segment.time.unwrap_or([start, end]);
        if time[1] == f64::INFINITY {
            if time[0] >= end {
                let expected = format!(
                    "a start before the end of its recording ({end} s), as its own end is open"
                );
                let place = labels.rows[segment.row].place.clone();
                return Err(ImportError::table(
                    &labels.path,
                    place,
                    expected,
                    format!("{} s", time[0]),
                ));
            }
            time[1] = end;
        }
        let (count, first) = late.entry(segment.recording).or_default();
        if ends_late(time[1], end) {
            *count += 1;
            first.get_or_insert_with(|| {
                format!(
                    "{}, of a recording that ends at {end} s",
                    labels.describe(segment.row)
                )
            });
        }
        past_the_end += usize::from(time[0] >= end);
        if shared {
            // A segment that extends beyond its recording would reach into the next.
            time = time.map(|t| t.clamp(start, end));
        }
        intervals.push(time.map(|t| t + shift));
        intensities.extend_from_slice(labels.of(segment.row));
    }
    // The lengths match by construction, so packing cannot fail.
    let pack = |width: usize, values: &[f32], intervals: &[[f64; 2]]| {
        (!intervals.is_empty())
            .then(|| PackedVideo::new(width, values, intervals, DEFLATE).ok())
            .flatten()
    };
    Ok(LaidOutVideo {
        features: pack(pair.frames.columns, &axis.features, &axis.intervals),
        labels: pack(labels.names.len(), &intensities, &intervals),
        frames: axis.intervals.len(),
        past_the_end,
        tied: axis.tied,
        spacings: axis.spacings,
        late: late.into_values().collect(),
    })
}

/// Concatenates the recordings of a video; a `shared` time axis starts at 0, else that of its one
/// recording is kept.
fn concatenate(pair: &Pair<'_>, video: &Video, shared: bool) -> Result<TimeAxis, ImportError> {
    let mut axis = TimeAxis::default();
    let mut next_s = 0.0;
    for &index in &video.recordings {
        let recording = &pair.frames.recordings[index];
        let fail = |expected: String, found: String| {
            ImportError::table(
                pair.source,
                format!("'{}'", recording.name),
                expected,
                found,
            )
        };
        let frames = pair.frames.read(index)?;
        let intervals = intervals(&frames, pair.hop_s).ok_or_else(|| {
            fail(
                "at least two frames, a column 'end', or --rate".into(),
                "one frame without an end".into(),
            )
        })?;
        let [start, end] = extent(&intervals);
        let shift = if shared { next_s - start } else { 0.0 };
        next_s += end - start + GAP_S;
        if next_s > MAX_S {
            let (place, expected) = (
                format!("'{}'", video.id),
                format!("at most {MAX_S} s in a video"),
            );
            let found = format!("{next_s} s after '{}'", recording.name);
            return Err(ImportError::table(pair.source, place, expected, found));
        }
        let length = median(intervals.iter().map(|[s, e]| e - s).collect());
        if let Some(length) = length.filter(|length| *length > MAX_FRAME_S) {
            let error = fail(
                format!("frames of at most {MAX_FRAME_S} s"),
                format!("{length} s"),
            );
            return Err(error.with_hint(Some("are the times in seconds?".into())));
        }
        axis.tied += recording.tied;
        axis.spacings
            .push((recording.name.clone(), FrameSpacing::of(&intervals)));
        axis.intervals
            .extend(intervals.iter().map(|[s, e]| [s + shift, e + shift]));
        axis.features.extend(frames.features);
        axis.extents.push(([start, end], shift));
    }
    Ok(axis)
}

/// Start and end of each frame, seconds. A frame ends at its own end, but no later than the next
/// start; without an end it has the median length. `None` where no length is known.
fn intervals(frames: &Frames, hop_s: Option<f64>) -> Option<Vec<[f64; 2]>> {
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
fn extent(intervals: &[[f64; 2]]) -> [f64; 2] {
    [
        intervals.first().map_or(0.0, |i| i[0]),
        intervals.last().map_or(0.0, |i| i[1]),
    ]
}

/// The metadata of one of the files.
fn info(root: &'static str, columns: &[String]) -> [(&'static str, Value); 13] {
    let columns = columns.iter().map(String::as_str).collect();
    let (description, dataset) = ("imported from other tables", "imported");
    sequence_metadata(SequenceInfo {
        description,
        dataset,
        root,
        columns,
        uuid: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(starts: &[f64], ends: &[f64], hop_s: Option<f64>) -> Option<Vec<[f64; 2]>> {
        intervals(
            &Frames {
                starts: starts.into(),
                ends: ends.into(),
                features: Vec::new(),
            },
            hop_s,
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
}
