//! Which frames belong to which labels, and in which video of ours they go.
//!
//! What lives here: the decision, of names and counts alone. What does not: frames.
//!
//! A recording that has a video of ours to itself keeps its times. Where several share one (segments with frames of their own,
//! recordings of one speaker) they follow each other: [`super::write`] lays them out.

use super::labels::Labels;
use super::names::spellings;
use super::scratch::Taken;
use crate::recording::{OtherTime, other_time};
use crate::{DataError, ids};
use mosei_schema::{Numbering, near_miss, video_of};
use std::collections::BTreeMap;
use std::path::Path;

/// A video of ours.
#[derive(Debug, Default)]
pub(super) struct Video {
    /// Its id.
    pub id: String,
    /// Recordings, in the order in which they follow each other.
    pub recordings: Vec<usize>,
    /// Labelled segments, in the order of the labels.
    pub segments: Vec<Segment>,
}

/// A labelled segment of a video of ours.
#[derive(Debug)]
pub(super) struct Segment {
    /// Row of the labels.
    pub row: usize,
    /// Place of its recording among those of the video.
    pub recording: usize,
    /// When it begins and ends in the recording, seconds; `None` for all of it.
    pub time: Option<[f64; 2]>,
}

/// What goes where, and what is left over.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// The videos, ordered by id.
    pub videos: Vec<Video>,
    /// Labelled segments without frames, and the first of them.
    pub without_features: (usize, Option<String>),
    /// Recordings without labels, and the first of them.
    pub without_labels: (usize, Option<String>),
    /// Of these, recordings that are left out, as nobody knows who speaks.
    pub left_out: usize,
    /// Our video of each recording or label, by its name.
    pub home: BTreeMap<String, String>,
}

/// Decides it.
///
/// # Errors
/// Where names can be understood in two ways, labels contradict each other, an id is none, or nothing is left.
pub(super) fn join(labels: &Labels, features: &Path, taken: &Taken) -> Result<Joined, DataError> {
    let mut joined = Joined::default();
    let mut videos: BTreeMap<String, Video> = BTreeMap::new();
    // The rows of each recording, and whose it is.
    let mut uses: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..labels.rows.len() {
        let said = &labels.rows[row];
        let Some(recording) = find(labels, row, taken)? else {
            joined.without_features.0 += 1;
            joined.without_features.1.get_or_insert_with(|| labels.called(row));
            continue;
        };
        // What is written is read again, where such a name is one of a segment.
        let home = video_of(said.speaker.as_ref().unwrap_or(&said.name)).to_string();
        let rows = uses.entry(recording).or_default();
        if let Some(&first) = rows.first() {
            same_recording(labels, first, row)?;
        }
        rows.push(row);
        let video = videos.entry(home.clone()).or_insert_with(|| Video { id: home.clone(), ..Video::default() });
        let place = video.recordings.iter().position(|r| *r == recording).unwrap_or_else(|| {
            video.recordings.push(recording);
            video.recordings.len() - 1
        });
        // A recording that is nothing but this segment is taken whole: times are those of something longer that it was cut from.
        let own = said.segment.is_some() && taken.recordings[recording].name != said.name;
        let time = said.time.filter(|_| !own);
        video.segments.push(Segment { row, recording: place, time });
        joined.home.insert(taken.recordings[recording].name.clone(), home.clone());
        joined.home.insert(said.name.clone(), home.clone());
    }
    if videos.is_empty() {
        return Err(nothing_left(labels, features, taken));
    }
    for (i, recording) in taken.recordings.iter().enumerate().filter(|(i, _)| !uses.contains_key(i)) {
        joined.without_labels.0 += 1;
        joined.without_labels.1.get_or_insert_with(|| recording.name.clone());
        if labels.speakers {
            joined.left_out += 1;
            continue;
        }
        let home = video_of(recording.segment.as_ref().map_or(recording.name.as_str(), |part| part.video.as_str()));
        let video = videos.entry(home.into()).or_insert_with(|| Video { id: home.into(), ..Video::default() });
        video.recordings.push(i);
        joined.home.insert(recording.name.clone(), home.into());
    }
    ids::check(&labels.path, "ids of videos", videos.keys())?;
    same_times(labels, features, taken, &videos)?;
    joined.videos = videos.into_values().collect();
    Ok(joined)
}

/// The recording that a row speaks of: its segment's own, else that of the whole.
fn find(labels: &Labels, row: usize, taken: &Taken) -> Result<Option<usize>, DataError> {
    let said = &labels.rows[row];
    let Some(part) = &said.segment else { return Ok(taken.find(&said.name)) };
    let (mut found, mut refused) = (Vec::new(), None);
    for (name, counts) in spellings(&said.name, &part.segment) {
        let Some(i) = taken.find(&name) else { continue };
        // A segment that a column names on either side is meant to be the one of that name on the other.
        let named = taken.recordings[i].segment.as_ref().is_some_and(|own| own.numbering.is_none());
        match (part.numbering, counts) {
            (Some(own), Some(other)) if own != other && !named => refused = Some((name, own, other)),
            _ => found.push(i),
        }
    }
    found.dedup();
    match found.as_slice() {
        [] => match (taken.find(&said.name), refused) {
            (None, Some((name, own, other))) => Err(other_numbers(labels, row, &name, [own, other])),
            (whole, _) => Ok(whole),
        },
        [one] => Ok(Some(*one)),
        [one, other, ..] => {
            let name = |i: &usize| &taken.recordings[*i].name;
            let found = format!("'{}' and '{}'", name(one), name(other));
            let expected = format!("one recording for {}", labels.called(row));
            Err(DataError::table(&labels.path, said.place.clone(), expected, found))
        }
    }
}

/// Why a segment is not joined to the one recording that has its number.
fn other_numbers(labels: &Labels, row: usize, name: &str, [own, other]: [Numbering; 2]) -> DataError {
    let expected = format!("frames of {}, which counts {}", labels.called(row), own.counts());
    let found = format!("'{name}', which counts {}; the numbers do not mean the same", other.counts());
    let hint = "labels with 'start' and 'end' and features of whole recordings are joined by time; where the numbers do mean the same, say so in columns 'video' and 'segment' of a label table";
    DataError::table(&labels.path, labels.rows[row].place.clone(), expected, found).with_hint(Some(hint.into()))
}

/// Wants segments with features of their own to be at the time of their labels, where both are on the video's time axis.
fn same_times(
    labels: &Labels,
    features: &Path,
    taken: &Taken,
    videos: &BTreeMap<String, Video>,
) -> Result<(), DataError> {
    for video in videos.values() {
        let mut extents = BTreeMap::new();
        for (place, &recording) in video.recordings.iter().enumerate() {
            let recording = &taken.recordings[recording];
            if let (Some(extent), Some(_)) = (recording.on_video, &recording.segment) {
                extents.insert(place as i32, extent);
            }
        }
        let said = video.segments.iter().filter_map(|segment| {
            let row = &labels.rows[segment.row];
            row.time.filter(|_| row.on_video && segment.time.is_none()).map(|time| (segment.recording as i32, time))
        });
        let Some(OtherTime { number, label, own, other }) = other_time(said, &extents) else { continue };
        let name = |place: i32| &taken.recordings[video.recordings[place as usize]].name;
        let expected = format!("the frames of {} to {} s, as in {}", label[0], label[1], labels.path.display());
        let more = other.map_or_else(String::new, |(k, [a, b])| format!(", and {a} to {b} s in '{}'", name(k)));
        let found = format!("{} to {} s{more}; the numbers do not mean the same", own[0], own[1]);
        let hint = format!("`mosei-ssl prepare` joins labels of '{}' by start and end by time", video.id);
        return Err(DataError::table(features, format!("'{}'", name(number)), expected, found).with_hint(Some(hint)));
    }
    Ok(())
}

/// Whether two rows may speak of one recording.
fn same_recording(labels: &Labels, first: usize, row: usize) -> Result<(), DataError> {
    let (one, other) = (&labels.rows[first], &labels.rows[row]);
    let wrong =
        |expected: &str, found: String| Err(DataError::table(&labels.path, other.place.clone(), expected, found));
    if one.speaker != other.speaker {
        let name = |speaker: &Option<String>| speaker.clone().unwrap_or_default();
        let found = format!("'{}', and '{}' in {}", name(&other.speaker), name(&one.speaker), one.place);
        return wrong(&format!("one speaker for all segments of '{}'", other.name), found);
    }
    if one.name != other.name {
        return wrong("recordings that belong to one video", format!("one of '{}' and '{}'", one.name, other.name));
    }
    if one.time.is_none() || other.time.is_none() {
        let found = format!("{} and {} without them", labels.called(first), labels.called(row));
        return wrong("'start' and 'end' where a recording has several labelled segments", found);
    }
    Ok(())
}

fn nothing_left(labels: &Labels, features: &Path, taken: &Taken) -> DataError {
    let row = &labels.rows[0];
    let near = near_miss(&row.name, taken.names()).map(|near| format!("did you mean '{near}'?"));
    let first = taken.names().next().unwrap_or_default();
    let expected =
        format!("segments of the {} recordings in {}, such as '{first}'", taken.recordings.len(), features.display());
    let found = format!("{} segments of others, such as {}", labels.rows.len(), labels.called(0));
    DataError::table(&labels.path, row.place.clone(), expected, found).with_hint(near)
}
