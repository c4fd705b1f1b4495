//! Joins labels and recordings, and assigns them to the videos to be written.
//!
//! What lives here: the join, by times wherever both sides have them, else by ids. What does not:
//! frames, and whether times are those of a video (`time_axis`).
//!
//! A recording that is the only one of its video keeps its times. Several recordings of one video
//! (segments with frames of their own, recordings of one speaker) are concatenated by `write`;
//! segments whose times are those of their video are put together on its axis.

use crate::frame_store::FrameStore;
use crate::labels::Labels;
use crate::recording_ids::spellings;
use crate::{ImportError, check_join, intervals, time_axis};
use mosei_data::check_ids;
use mosei_schema::video_of;
use std::collections::BTreeMap;
use std::path::Path;

/// A video to be written.
#[derive(Debug, Default)]
pub(crate) struct Video {
    /// Its id.
    pub id: String,
    /// Its recordings, in order of concatenation. Those of one unit lie on one axis.
    pub units: Vec<Vec<usize>>,
    /// Its labelled segments, in the order of the labels.
    pub segments: Vec<Segment>,
}

/// A labelled segment of a video to be written.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Row of the labels.
    pub row: usize,
    /// Index of its unit among those of the video.
    pub unit: usize,
    /// Start and end within the unit, seconds; `None` for all of it.
    pub time: Option<[f64; 2]>,
}

/// How labelled segments got their frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinCounts {
    /// By start and end, as both sides have times.
    pub by_time: usize,
    /// By the id of a recording or segment, all of whose frames they get.
    pub by_id: usize,
    /// Of these, segments whose times were not used, as the frames of a segment have times of their
    /// own.
    pub times_unused: usize,
    /// By row, as neither side has ids.
    pub by_row: usize,
}

/// The result of the join.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// The videos, ordered by id.
    pub videos: Vec<Video>,
    /// Number of labelled segments without features, and the first.
    pub without_features: (usize, Option<String>),
    /// Number of recordings without labels, and the first.
    pub without_labels: (usize, Option<String>),
    /// Of these, recordings left out because their speaker is unknown.
    pub left_out: usize,
    /// The video written for each recording or label, by name.
    pub video_of: BTreeMap<String, String>,
    /// How segments got their frames.
    pub counts: JoinCounts,
}

/// Whether times join labels and features, as both are those of videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByVideoTimes {
    /// One side has other times, or none.
    No,
    /// Both have, but segments have different values at one time: then numbers join them.
    Conflicting,
    /// Both have: the segments of a video are put together on its axis.
    Yes,
}

impl ByVideoTimes {
    /// Decides it from the formats, or from how the segments lie.
    ///
    /// # Errors
    /// Where frames cannot be read.
    pub fn of(
        labels: &Labels,
        path: &Path,
        frames: &FrameStore,
        hop_s: Option<f64>,
    ) -> Result<Self, ImportError> {
        if !(time_axis::of_features(frames) && time_axis::of_labels(labels)) {
            return Ok(ByVideoTimes::No);
        }
        // Segments that were averaged have different values at one time.
        match Features::new(path, frames, true).can_merge(labels, hop_s)? {
            true => Ok(ByVideoTimes::Yes),
            false => Ok(ByVideoTimes::Conflicting),
        }
    }
}

/// What the join knows of the features.
struct Features<'a> {
    path: &'a Path,
    frames: &'a FrameStore,
    /// Whether times of segments are those of their video, on both sides.
    by_time: bool,
    /// The recordings of each video whose segments have frames of their own.
    segments: BTreeMap<&'a str, Vec<usize>>,
}

/// The recordings without labels: each is a video by itself, with its own id.
///
/// # Errors
/// Where an id is invalid.
pub(crate) fn unlabelled(path: &Path, frames: &FrameStore) -> Result<Joined, ImportError> {
    let mut joined = Joined::default();
    for (i, recording) in frames.recordings.iter().enumerate() {
        let (id, units) = (recording.name.clone(), vec![vec![i]]);
        joined.videos.push(Video {
            id,
            units,
            segments: Vec::new(),
        });
    }
    joined.videos.sort_by(|a, b| a.id.cmp(&b.id));
    check_ids(
        path,
        "ids of recordings",
        joined.videos.iter().map(|video| &video.id),
    )?;
    Ok(joined)
}

/// Joins labels and recordings: by time where both sides have times of one axis, else by name. A
/// segment that names a recording of its own gets all of it.
///
/// # Errors
/// Where a name is ambiguous, labels contradict each other, an id is invalid, or nothing is joined.
pub(crate) fn join(
    labels: &Labels,
    path: &Path,
    frames: &FrameStore,
    times: ByVideoTimes,
) -> Result<Joined, ImportError> {
    let features = Features::new(path, frames, times == ByVideoTimes::Yes);
    let mut joined = Joined::default();
    let mut videos: BTreeMap<String, Video> = BTreeMap::new();
    // The label rows of each unit, by its first recording.
    let mut uses: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..labels.rows.len() {
        let Some(unit) = features.unit_of(labels, row)? else {
            joined.without_features.0 += 1;
            joined
                .without_features
                .1
                .get_or_insert_with(|| labels.describe(row));
            continue;
        };
        features.add(labels, row, unit, &mut joined, &mut videos, &mut uses)?;
    }
    if videos.is_empty() {
        return Err(check_join::nothing_joined(labels, path, frames));
    }
    let used: Vec<bool> = {
        let mut used = vec![false; frames.recordings.len()];
        let units = videos
            .values()
            .flat_map(|video| video.units.iter().flatten());
        units.for_each(|&i| used[i] = true);
        used
    };
    for (i, recording) in frames
        .recordings
        .iter()
        .enumerate()
        .filter(|(i, _)| !used[*i])
    {
        joined.without_labels.0 += 1;
        joined
            .without_labels
            .1
            .get_or_insert_with(|| recording.name.clone());
        if labels.speakers {
            joined.left_out += 1;
            continue;
        }
        let of_part = recording.segment.as_ref().map(|part| part.video.as_str());
        let id = video_of(of_part.unwrap_or(recording.name.as_str()));
        video_with(&mut videos, id).units.push(vec![i]);
        joined.video_of.insert(recording.name.clone(), id.into());
    }
    check_ids(&labels.path, "ids of videos", videos.keys())?;
    if times == ByVideoTimes::Conflicting {
        check_join::check_times(labels, path, frames, &videos)?;
    }
    joined.videos = videos.into_values().collect();
    Ok(joined)
}

fn video_with<'v>(videos: &'v mut BTreeMap<String, Video>, id: &str) -> &'v mut Video {
    videos.entry(id.into()).or_insert_with(|| Video {
        id: id.into(),
        ..Video::default()
    })
}

impl<'a> Features<'a> {
    fn new(path: &'a Path, frames: &'a FrameStore, by_time: bool) -> Self {
        let mut segments: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, recording) in frames.recordings.iter().enumerate() {
            if let Some(part) = &recording.segment {
                segments.entry(part.video.as_str()).or_default().push(i);
            }
        }
        Features {
            path,
            frames,
            by_time,
            segments,
        }
    }

    /// Whether the frames of all labelled videos that come in segments can be put on one axis.
    fn can_merge(&self, labels: &Labels, hop_s: Option<f64>) -> Result<bool, ImportError> {
        let labelled: std::collections::BTreeSet<&str> =
            labels.rows.iter().map(|row| row.name.as_str()).collect();
        for (video, unit) in &self.segments {
            let whole = self.frames.find(video).is_some();
            if !whole
                && labelled.contains(video)
                && intervals::merged(self.path, self.frames, unit, hop_s)?.is_err()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The recordings of a label row: those of its video on one axis, that of its segment alone, or
    /// the whole recording.
    fn unit_of(&self, labels: &Labels, row: usize) -> Result<Option<Vec<usize>>, ImportError> {
        let label = &labels.rows[row];
        if self.by_time
            && self.frames.find(&label.name).is_none()
            && let Some(unit) = self.segments.get(label.name.as_str())
        {
            // By its number it would get frames that others get by their times.
            if label.time.is_none() {
                let expected = "'start' and 'end', by which other segments are joined";
                let found = format!("{} without them", labels.describe(row));
                return Err(ImportError::table(
                    &labels.path,
                    label.place.clone(),
                    expected,
                    found,
                ));
            }
            return Ok(Some(unit.clone()));
        }
        Ok(self.find(labels, row)?.map(|i| vec![i]))
    }

    /// The recording of a label row by name: that of its segment alone, else the whole recording.
    fn find(&self, labels: &Labels, row: usize) -> Result<Option<usize>, ImportError> {
        let (label, frames) = (&labels.rows[row], self.frames);
        let Some(part) = &label.segment else {
            return Ok(frames.find(&label.name));
        };
        let (mut found, mut refused) = (Vec::new(), None);
        for (name, counts) in spellings(&label.name, &part.segment) {
            let Some(i) = frames.find(&name) else {
                continue;
            };
            // A segment named by a column, on either side, is the one with that name on the other side.
            let named = frames.recordings[i]
                .segment
                .as_ref()
                .is_some_and(|own| own.numbering.is_none());
            match (part.numbering, counts) {
                (Some(own), Some(other)) if own != other && !named => {
                    refused = Some((name, own, other))
                }
                _ => found.push(i),
            }
        }
        found.dedup();
        match found.as_slice() {
            [] => match (frames.find(&label.name), refused) {
                (None, Some((name, own, other))) => Err(check_join::numbering_mismatch(
                    labels,
                    row,
                    &name,
                    [own, other],
                )),
                (whole, _) => Ok(whole),
            },
            [one] => Ok(Some(*one)),
            [one, other, ..] => {
                let name = |i: &usize| &frames.recordings[*i].name;
                let found = format!("'{}' and '{}'", name(one), name(other));
                let expected = format!("one recording for {}", labels.describe(row));
                Err(ImportError::table(
                    &labels.path,
                    label.place.clone(),
                    expected,
                    found,
                ))
            }
        }
    }

    /// Adds a label row with its recordings.
    fn add(
        &self,
        labels: &Labels,
        row: usize,
        unit: Vec<usize>,
        joined: &mut Joined,
        videos: &mut BTreeMap<String, Video>,
        uses: &mut BTreeMap<usize, Vec<usize>>,
    ) -> Result<(), ImportError> {
        let label = &labels.rows[row];
        // A name that looks like a segment's would be read back as one; its video's id is used.
        let id = video_of(label.speaker.as_ref().unwrap_or(&label.name)).to_string();
        let recording = &self.frames.recordings[unit[0]];
        let rows = uses.entry(unit[0]).or_default();
        if let Some(&first) = rows.first() {
            check_join::check_shared_recording(labels, first, row)?;
        }
        rows.push(row);
        for &i in &unit {
            joined
                .video_of
                .insert(self.frames.recordings[i].name.clone(), id.clone());
        }
        joined.video_of.insert(label.name.clone(), id.clone());
        // A recording of just this segment is used whole: the label's times refer to the longer
        // recording that it was cut from.
        let on_axis = self.by_time && self.segments.get(label.name.as_str()) == Some(&unit);
        let own = label.segment.is_some() && recording.name != label.name && !on_axis;
        let time = label.time.filter(|_| !own);
        match time {
            Some(_) => joined.counts.by_time += 1,
            None if label.found_by_time => joined.counts.by_time += 1,
            None if labels.unnamed => joined.counts.by_row += 1,
            None => {
                joined.counts.by_id += 1;
                joined.counts.times_unused += usize::from(label.time.is_some());
            }
        }
        let video = video_with(videos, &id);
        let place = video
            .units
            .iter()
            .position(|u| *u == unit)
            .unwrap_or_else(|| {
                video.units.push(unit);
                video.units.len() - 1
            });
        video.segments.push(Segment {
            row,
            unit: place,
            time,
        });
        Ok(())
    }
}
