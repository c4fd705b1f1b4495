//! Checks of a join, and the errors where labels and recordings do not belong together.
//!
//! What lives here: the messages. What does not: the join.

use crate::ImportError;
use crate::frame_store::FrameStore;
use crate::join::Video;
use crate::labels::Labels;
use mosei_data::{TimeMismatch, find_time_mismatch};
use mosei_schema::{Numbering, near_miss};
use std::collections::BTreeMap;
use std::path::Path;

/// The error for a segment whose number, in another numbering, is that of a recording.
pub(crate) fn numbering_mismatch(
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

/// Start and end of the features of segments, and of their labels, by index of the recording.
type Times = (BTreeMap<i32, [f64; 2]>, Vec<(i32, [f64; 2])>);

/// Checks that segments with features of their own, which were joined by number, have the times of
/// their labels, where both are those of the video.
pub(crate) fn check_times(
    labels: &Labels,
    features: &Path,
    frames: &FrameStore,
    videos: &BTreeMap<String, Video>,
) -> Result<(), ImportError> {
    // By the video that segments are numbered in, which is not the one written where speakers are given.
    let mut by_video: BTreeMap<&str, Times> = BTreeMap::new();
    for video in videos.values() {
        for segment in &video.segments {
            let (row, index) = (&labels.rows[segment.row], video.units[segment.unit][0]);
            let recording = &frames.recordings[index];
            // Segments found by time were compared there.
            let time = row.time.filter(|_| !row.found_by_time);
            if let (Some(_), Some(time), None) = (&recording.segment, time, segment.time) {
                by_video
                    .entry(&row.name)
                    .or_default()
                    .1
                    .push((index as i32, time));
            }
        }
    }
    for (index, recording) in frames.recordings.iter().enumerate() {
        let of = recording
            .segment
            .as_ref()
            .and_then(|part| by_video.get_mut(part.video.as_str()));
        if let Some((extents, _)) = of {
            extents.insert(index as i32, recording.extent);
        }
    }
    let name = |index: i32| &frames.recordings[index as usize].name;
    for (extents, times) in by_video.into_values() {
        let Some(TimeMismatch {
            number,
            label,
            own,
            other,
        }) = find_time_mismatch(times.into_iter(), &extents)
        else {
            continue;
        };
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
        let hint = "frames that overlap in time and have different values cannot be joined by time";
        let place = format!("'{}'", name(number));
        return Err(
            ImportError::table(features, place, expected, found).with_hint(Some(hint.into()))
        );
    }
    Ok(())
}

/// Checks that two label rows of one recording are compatible.
pub(crate) fn check_shared_recording(
    labels: &Labels,
    first: usize,
    row: usize,
) -> Result<(), ImportError> {
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

/// The error where no label has a recording.
pub(crate) fn nothing_joined(labels: &Labels, features: &Path, frames: &FrameStore) -> ImportError {
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
