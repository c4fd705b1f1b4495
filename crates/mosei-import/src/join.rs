//! Joins labels and recordings, and assigns them to the videos to be written.
//!
//! What lives here: the join, by names and times. What does not: frames.
//!
//! A recording that is the only one of its video keeps its times. Several recordings of one video
//! (segments with frames of their own, recordings of one speaker) are concatenated by `write`.

use crate::ImportError;
use crate::frame_store::FrameStore;
use crate::labels::Labels;
use crate::recording_ids::spellings;
use mosei_data::{TimeMismatch, check_ids, find_time_mismatch};
use mosei_schema::{Numbering, near_miss, video_of};
use std::collections::BTreeMap;
use std::path::Path;

/// A video to be written.
#[derive(Debug, Default)]
pub(crate) struct Video {
    /// Its id.
    pub id: String,
    /// Its recordings, in order of concatenation.
    pub recordings: Vec<usize>,
    /// Its labelled segments, in the order of the labels.
    pub segments: Vec<Segment>,
}

/// A labelled segment of a video to be written.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Row of the labels.
    pub row: usize,
    /// Index of its recording among those of the video.
    pub recording: usize,
    /// Start and end within the recording, seconds; `None` for all of it.
    pub time: Option<[f64; 2]>,
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
}

/// Joins labels and recordings by name, and by time where segments have features of their own.
///
/// # Errors
/// Where a name is ambiguous, labels contradict each other, an id is invalid, or nothing is joined.
pub(crate) fn join(
    labels: &Labels,
    features: &Path,
    frames: &FrameStore,
) -> Result<Joined, ImportError> {
    let mut joined = Joined::default();
    let mut videos: BTreeMap<String, Video> = BTreeMap::new();
    // The label rows of each recording.
    let mut uses: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..labels.rows.len() {
        let label = &labels.rows[row];
        let Some(recording) = find(labels, row, frames)? else {
            joined.without_features.0 += 1;
            joined
                .without_features
                .1
                .get_or_insert_with(|| labels.describe(row));
            continue;
        };
        // A name that looks like a segment's would be read back as one; its video's id is used.
        let id = video_of(label.speaker.as_ref().unwrap_or(&label.name)).to_string();
        let rows = uses.entry(recording).or_default();
        if let Some(&first) = rows.first() {
            check_shared_recording(labels, first, row)?;
        }
        rows.push(row);
        let video = videos.entry(id.clone()).or_insert_with(|| Video {
            id: id.clone(),
            ..Video::default()
        });
        let place = video
            .recordings
            .iter()
            .position(|r| *r == recording)
            .unwrap_or_else(|| {
                video.recordings.push(recording);
                video.recordings.len() - 1
            });
        // A recording of just this segment is used whole: the label's times refer to the longer
        // recording that it was cut from.
        let own = label.segment.is_some() && frames.recordings[recording].name != label.name;
        let time = label.time.filter(|_| !own);
        video.segments.push(Segment {
            row,
            recording: place,
            time,
        });
        joined
            .video_of
            .insert(frames.recordings[recording].name.clone(), id.clone());
        joined.video_of.insert(label.name.clone(), id);
    }
    if videos.is_empty() {
        return Err(nothing_joined(labels, features, frames));
    }
    for (i, recording) in frames
        .recordings
        .iter()
        .enumerate()
        .filter(|(i, _)| !uses.contains_key(i))
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
        let id = video_of(
            recording
                .segment
                .as_ref()
                .map_or(recording.name.as_str(), |part| part.video.as_str()),
        );
        let video = videos.entry(id.into()).or_insert_with(|| Video {
            id: id.into(),
            ..Video::default()
        });
        video.recordings.push(i);
        joined.video_of.insert(recording.name.clone(), id.into());
    }
    check_ids(&labels.path, "ids of videos", videos.keys())?;
    check_times(labels, features, frames, &videos)?;
    joined.videos = videos.into_values().collect();
    Ok(joined)
}

/// The recording of a label row: that of its segment alone, else the whole recording.
fn find(labels: &Labels, row: usize, frames: &FrameStore) -> Result<Option<usize>, ImportError> {
    let label = &labels.rows[row];
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
            (None, Some((name, own, other))) => {
                Err(numbering_mismatch(labels, row, &name, [own, other]))
            }
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

/// The error for a segment whose number, in another numbering, is that of a recording.
fn numbering_mismatch(
    labels: &Labels,
    row: usize,
    name: &str,
    [own, other]: [Numbering; 2],
) -> ImportError {
    let expected = format!(
        "frames of {}, which counts {}",
        labels.describe(row),
        own.counts()
    );
    let found = format!(
        "'{name}', which counts {}; the numbers differ in meaning",
        other.counts()
    );
    let hint = "use labels with 'start' and 'end' and features of whole recordings, which are joined by time; or, if the numbers do correspond, give them in columns 'video' and 'segment' of a label table";
    ImportError::table(
        &labels.path,
        labels.rows[row].place.clone(),
        expected,
        found,
    )
    .with_hint(Some(hint.into()))
}

/// Checks that segments with features of their own have the times of their labels, where both are
/// relative to the video.
fn check_times(
    labels: &Labels,
    features: &Path,
    frames: &FrameStore,
    videos: &BTreeMap<String, Video>,
) -> Result<(), ImportError> {
    for video in videos.values() {
        let mut extents = BTreeMap::new();
        for (place, &recording) in video.recordings.iter().enumerate() {
            let recording = &frames.recordings[recording];
            if let (Some(extent), Some(_)) = (recording.extent_in_video, &recording.segment) {
                extents.insert(place as i32, extent);
            }
        }
        let times = video.segments.iter().filter_map(|segment| {
            let row = &labels.rows[segment.row];
            row.time
                .filter(|_| row.relative_to_video && segment.time.is_none())
                .map(|time| (segment.recording as i32, time))
        });
        let Some(TimeMismatch {
            number,
            label,
            own,
            other,
        }) = find_time_mismatch(times, &extents)
        else {
            continue;
        };
        let name = |place: i32| &frames.recordings[video.recordings[place as usize]].name;
        let expected = format!(
            "the frames of {} to {} s, as in {}",
            label[0],
            label[1],
            labels.path.display()
        );
        let more = other.map_or_else(String::new, |(k, [a, b])| {
            format!(", and {a} to {b} s in '{}'", name(k))
        });
        let found = format!(
            "{} to {} s{more}; the numbers differ in meaning",
            own[0], own[1]
        );
        let hint = format!(
            "`mosei-ssl prepare` joins labels of '{}' by start and end by time",
            video.id
        );
        return Err(
            ImportError::table(features, format!("'{}'", name(number)), expected, found)
                .with_hint(Some(hint)),
        );
    }
    Ok(())
}

/// Checks that two label rows of one recording are compatible.
fn check_shared_recording(labels: &Labels, first: usize, row: usize) -> Result<(), ImportError> {
    let (one, other) = (&labels.rows[first], &labels.rows[row]);
    let wrong = |expected: &str, found: String| {
        Err(ImportError::table(
            &labels.path,
            other.place.clone(),
            expected,
            found,
        ))
    };
    if one.speaker != other.speaker {
        let name = |speaker: &Option<String>| speaker.clone().unwrap_or_default();
        let found = format!(
            "'{}', and '{}' in {}",
            name(&other.speaker),
            name(&one.speaker),
            one.place
        );
        return wrong(
            &format!("one speaker for all segments of '{}'", other.name),
            found,
        );
    }
    if one.name != other.name {
        return wrong(
            "recordings of one video each",
            format!("one of '{}' and '{}'", one.name, other.name),
        );
    }
    if one.time.is_none() || other.time.is_none() {
        let found = format!(
            "{} and {} without them",
            labels.describe(first),
            labels.describe(row)
        );
        return wrong(
            "'start' and 'end' where a recording has several labelled segments",
            found,
        );
    }
    Ok(())
}

fn nothing_joined(labels: &Labels, features: &Path, frames: &FrameStore) -> ImportError {
    let row = &labels.rows[0];
    let near = near_miss(&row.name, frames.names()).map(|near| format!("did you mean '{near}'?"));
    let first = frames.names().next().unwrap_or_default();
    let expected = format!(
        "segments of the {} recordings in {}, such as '{first}'",
        frames.recordings.len(),
        features.display()
    );
    let found = format!(
        "{} segments of others, such as {}",
        labels.rows.len(),
        labels.describe(0)
    );
    ImportError::table(&labels.path, row.place.clone(), expected, found).with_hint(near)
}
