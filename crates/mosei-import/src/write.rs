//! Writes recordings and labels as two .csd files, video by video.
//!
//! What lives here: the time axis of each video, and the files. What does not: the join.
//!
//! Several threads read, lay out and compress one video each; a few videos are in memory at a time.

use crate::ImportError;
use crate::duration_text::MAX_S;
use crate::examples::{FrameExample, JoinExample};
use crate::frame_store::FrameStore;
use crate::growth::{self, Growth};
use crate::intervals;
use crate::join::{Joined, Segment, Video};
use crate::labels::Labels;
use mosei_data::align::median;
use mosei_data::parallel::{available_threads, for_each_ordered};
use mosei_data::rates::{CorpusSpacing, FrameRate, FrameSpacing, LateLabels, ends_late};
use mosei_data::{CsdWriter, LABELS_ROOT, PackedVideo, SequenceInfo, sequence_metadata};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Gap between recordings concatenated in one video, seconds, so that no frame of one overlaps a
/// segment of another.
const GAP_S: f64 = 1.0;
/// Longest median frame, seconds; a longer one means times in another unit.
const MAX_FRAME_S: f64 = 3600.0;
/// Deflate level of the files.
const DEFLATE: u8 = 4;

const FEATURES_ROOT: &str = "Features";

/// What to write.
pub(crate) struct Pair<'a> {
    pub joined: &'a Joined,
    /// The labels; without a row where there are none.
    pub labels: &'a Labels,
    pub frames: &'a FrameStore,
    /// Names of the feature columns.
    pub columns: &'a [String],
    /// Of these, columns that may grow by one step.
    pub kept: &'a [String],
    /// Step between frames that have no other, seconds.
    pub hop_s: Option<f64>,
    /// The features imported, for messages.
    pub source: &'a Path,
}

/// The files to write; without labels there is no label file.
pub(crate) struct Files {
    pub features: PathBuf,
    pub labels: Option<PathBuf>,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Frames of all videos.
    pub frames: u64,
    /// Length of all recordings, seconds.
    pub seconds: f64,
    /// Labelled segments.
    pub segments: usize,
    /// Of these, segments that start after the end of their recording.
    pub past_the_end: usize,
    /// Videos with labels.
    pub videos: usize,
    /// Frames at the end of recordings with the start of the frame before, which are moved on by
    /// one step.
    pub tied: usize,
    /// Recordings of a single frame.
    pub single: usize,
    /// Number of segments that end long after their recording, and the first.
    pub late: (usize, Option<String>),
    /// The frame rate of the corpus.
    pub rate: Option<FrameRate>,
    /// The first recording.
    pub example: Option<FrameExample>,
    /// Segments from the beginning, the middle and the end of the corpus.
    pub joined: Vec<JoinExample>,
}

/// A video, compressed.
#[derive(Default)]
struct LaidOutVideo {
    features: Option<PackedVideo>,
    labels: Option<PackedVideo>,
    frames: usize,
    seconds: f64,
    past_the_end: usize,
    tied: usize,
    single: usize,
    /// Name and frame spacing of each recording.
    spacings: Vec<(String, Option<FrameSpacing>)>,
    growth: Vec<Option<(BTreeMap<usize, f32>, usize)>>,
    /// For each recording with labels: how many end long after it, and the first.
    late: Vec<(usize, Option<String>)>,
    example: Option<FrameExample>,
    joined: Vec<JoinExample>,
}

/// Recordings of one video, concatenated.
#[derive(Default)]
struct TimeAxis {
    features: Vec<f32>,
    intervals: Vec<[f64; 2]>,
    /// Start and end of each unit in its own time, and its shift in the video's, seconds.
    extents: Vec<([f64; 2], f64)>,
    /// First frame of each unit.
    begins: Vec<usize>,
}

/// Lays out all videos, and writes both files where there are any. `progress` is called with the
/// number of videos done and their total.
///
/// # Errors
/// Where the length of a frame is unknown, times are implausible, recordings have different rates, a
/// column counts frames, or a file cannot be written.
pub(crate) fn write(
    pair: &Pair<'_>,
    files: Option<&Files>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Written, ImportError> {
    let Pair { joined, labels, .. } = pair;
    let create = |path: &Path, root, columns: &[String]| {
        CsdWriter::create(path, root, &info(root, columns), DEFLATE)
    };
    let mut features = files
        .map(|files| create(&files.features, FEATURES_ROOT, pair.columns))
        .transpose()?;
    let mut labelled = files
        .and_then(|files| files.labels.as_deref())
        .map(|path| create(path, LABELS_ROOT, &labels.names))
        .transpose()?;
    let examples = JoinExample::choose(&joined.videos);
    let mut written = Written::default();
    let (mut spacings, mut late) = (CorpusSpacing::default(), LateLabels::default());
    let (mut growth, mut done) = (Growth::default(), 0);
    for_each_ordered(
        joined.videos.len(),
        available_threads(),
        |i| {
            lay_out(
                pair,
                i,
                examples.get(&i).map_or(&[], Vec::as_slice),
                files.is_some(),
            )
        },
        |laid_out| {
            let (laid_out, video) = (laid_out?, &joined.videos[done]);
            if let (Some(file), Some(packed)) = (&mut features, &laid_out.features) {
                file.write_packed(&video.id, packed)?;
            }
            if let (Some(file), Some(packed)) = (&mut labelled, &laid_out.labels) {
                file.write_packed(&video.id, packed)?;
            }
            written.add(&laid_out, video);
            laid_out
                .spacings
                .iter()
                .for_each(|(name, spacing)| spacings.add(name, *spacing));
            laid_out
                .growth
                .into_iter()
                .for_each(|found| growth.add(found));
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
    refuse_counters(pair, &growth)?;
    features.map(CsdWriter::finish).transpose()?;
    labelled.map(CsdWriter::finish).transpose()?;
    Ok(written)
}

impl Written {
    fn add(&mut self, laid_out: &LaidOutVideo, video: &Video) {
        self.frames += laid_out.frames as u64;
        self.seconds += laid_out.seconds;
        self.segments += video.segments.len();
        self.videos += usize::from(!video.segments.is_empty());
        self.past_the_end += laid_out.past_the_end;
        self.tied += laid_out.tied;
        self.single += laid_out.single;
        if self.example.is_none() {
            self.example = laid_out.example.clone();
        }
        self.joined.extend(laid_out.joined.clone());
    }
}

/// Refuses a column that grows by one step in all recordings, unless the mapping file keeps it.
fn refuse_counters(pair: &Pair<'_>, growth: &Growth) -> Result<(), ImportError> {
    let name = |c: usize| pair.columns.get(c).map_or("", String::as_str);
    let mut found = growth
        .columns()
        .filter(|&(c, _)| !pair.kept.iter().any(|kept| kept == name(c)));
    let Some((c, step)) = found.next() else {
        return Ok(());
    };
    let expected = "features, and no row numbers or times among them";
    let found = format!("a column that grows by {step} from frame to frame in all recordings");
    let hint = format!(
        "list {0:?} under 'ignore' in [features] of a mapping file, or under 'keep' where it is a feature",
        name(c)
    );
    let place = format!("column '{}'", name(c));
    Err(ImportError::table(pair.source, place, expected, found).with_hint(Some(hint)))
}

/// Places the recordings and labels of a video on its time axis, and compresses them where they are
/// to be written. `wanted` are the segments that become examples.
fn lay_out(
    pair: &Pair<'_>,
    index: usize,
    wanted: &[usize],
    pack: bool,
) -> Result<LaidOutVideo, ImportError> {
    let (labels, video) = (pair.labels, &pair.joined.videos[index]);
    let shared = video.units.len() > 1 || labels.speakers;
    let mut found = LaidOutVideo::default();
    let axis = concatenate(pair, video, shared, index == 0, &mut found)?;
    let (mut intervals, mut intensities) = (Vec::new(), Vec::new());
    let mut late: BTreeMap<usize, (usize, Option<String>)> = BTreeMap::new();
    for (k, segment) in video.segments.iter().enumerate() {
        let ([start, end], shift) = axis.extents[segment.unit];
        let mut time = time_of(labels, segment, [start, end])?;
        let (count, first) = late.entry(segment.unit).or_default();
        if ends_late(time[1], end) {
            *count += 1;
            first.get_or_insert_with(|| {
                format!(
                    "{}, of a recording that ends at {end} s",
                    labels.describe(segment.row)
                )
            });
        }
        found.past_the_end += usize::from(time[0] >= end);
        if wanted.contains(&k) {
            let frames = axis.frames_of(segment.unit);
            found
                .joined
                .push(JoinExample::new(pair, video, k, time, frames));
        }
        if shared {
            // A segment that extends beyond its recording would reach into the next.
            time = time.map(|t| t.clamp(start, end));
        }
        intervals.push(time.map(|t| t + shift));
        intensities.extend_from_slice(labels.of(segment.row));
    }
    found.late = late.into_values().collect();
    found.frames = axis.intervals.len();
    // The lengths match by construction, so packing cannot fail.
    let packed = |width: usize, values: &[f32], intervals: &[[f64; 2]]| {
        (pack && !intervals.is_empty())
            .then(|| PackedVideo::new(width, values, intervals, DEFLATE).ok())
            .flatten()
    };
    found.features = packed(pair.frames.columns, &axis.features, &axis.intervals);
    found.labels = packed(labels.names.len(), &intensities, &intervals);
    Ok(found)
}

/// Start and end of a labelled segment within its recording, which has these.
fn time_of(
    labels: &Labels,
    segment: &Segment,
    [start, end]: [f64; 2],
) -> Result<[f64; 2], ImportError> {
    match segment.time {
        None => Ok([start, end]),
        Some([from, f64::INFINITY]) if from >= end => {
            let expected = format!(
                "a start before the end of its recording ({end} s), as its own end is open"
            );
            let place = labels.rows[segment.row].place.clone();
            Err(ImportError::table(
                &labels.path,
                place,
                expected,
                format!("{from} s"),
            ))
        }
        Some([from, f64::INFINITY]) => Ok([from, end]),
        Some(time) => Ok(time),
    }
}

impl TimeAxis {
    /// The frames of a unit, in its own time.
    fn frames_of(&self, unit: usize) -> Vec<[f64; 2]> {
        let to = self
            .begins
            .get(unit + 1)
            .copied()
            .unwrap_or(self.intervals.len());
        let shift = self.extents[unit].1;
        self.intervals[self.begins[unit]..to]
            .iter()
            .map(|i| i.map(|t| t - shift))
            .collect()
    }
}

/// Concatenates the recordings of a video; a `shared` time axis starts at 0, else that of its one
/// recording is kept. `first` says that the video is the first, whose frames become an example.
fn concatenate(
    pair: &Pair<'_>,
    video: &Video,
    shared: bool,
    first: bool,
    found: &mut LaidOutVideo,
) -> Result<TimeAxis, ImportError> {
    let mut axis = TimeAxis::default();
    let mut next_s = 0.0;
    for unit in &video.units {
        let name = pair.frames.name_of(unit);
        let place = || format!("'{name}'");
        let frames = intervals::merged(pair.source, pair.frames, unit, pair.hop_s)?;
        let frames = frames.map_err(|_| {
            let expected = "frames that do not overlap with other values";
            ImportError::table(pair.source, place(), expected, "some that do")
        })?;
        let [start, end] = intervals::extent(&frames.intervals);
        let shift = if shared { next_s - start } else { 0.0 };
        next_s += end - start + GAP_S;
        if next_s > MAX_S {
            let (place, expected) = (
                format!("'{}'", video.id),
                format!("at most {MAX_S} s in a video"),
            );
            let found = format!("{next_s} s after '{name}'");
            return Err(ImportError::table(pair.source, place, expected, found));
        }
        let length = median(frames.intervals.iter().map(|[s, e]| e - s).collect());
        if let Some(length) = length.filter(|length| *length > MAX_FRAME_S) {
            let expected = format!("frames of at most {MAX_FRAME_S} s");
            let error = ImportError::table(pair.source, place(), expected, format!("{length} s"));
            return Err(error.with_hint(Some("are the times in seconds?".into())));
        }
        if first && found.example.is_none() {
            found.example = Some(FrameExample::new(name, pair.columns, &frames));
        }
        found.tied += unit
            .iter()
            .map(|&i| pair.frames.recordings[i].tied)
            .sum::<usize>();
        found.single += usize::from(frames.intervals.len() == 1);
        found.seconds += end - start;
        found.growth.push(growth::of_recording(&frames));
        found
            .spacings
            .push((name.to_string(), FrameSpacing::of(&frames.intervals)));
        axis.begins.push(axis.intervals.len());
        axis.intervals
            .extend(frames.intervals.iter().map(|[s, e]| [s + shift, e + shift]));
        axis.features.extend(frames.features);
        axis.extents.push(([start, end], shift));
    }
    Ok(axis)
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
