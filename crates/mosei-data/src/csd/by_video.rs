//! Which groups of a file are of one video: those of its segments, or one of all of it.

use super::VideoShape;
use crate::DataError;
use mosei_schema::{Numbering, segment_name};
use std::collections::BTreeMap;
use std::path::Path;

/// How a file holds a video: places in its list of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// One group under the video's id.
    Whole(usize),
    /// A group for each segment, by number.
    Segments(Numbering, BTreeMap<i32, usize>),
}

/// The groups of a file by video.
///
/// # Errors
/// Where one video or segment is there in two ways.
pub(super) fn by_video(path: &Path, data: &str, groups: &[VideoShape]) -> Result<BTreeMap<String, Held>, DataError> {
    let mut videos: BTreeMap<String, Held> = BTreeMap::new();
    let fail = |place: &str, expected: String, found: String| {
        Err(DataError::structure(path, format!("{data}/{place}"), expected, found))
    };
    // In order of id, a video stands before its segments.
    for (place, group) in groups.iter().enumerate() {
        let Some(name) = segment_name(&group.id) else {
            videos.insert(group.id.clone(), Held::Whole(place));
            continue;
        };
        if segment_name(name.video).is_some() {
            return fail(&group.id, "the id of a video or of one of its segments".into(), "two numbers".into());
        }
        let empty = || Held::Segments(name.numbering, BTreeMap::new());
        let other = match videos.entry(name.video.to_string()).or_insert_with(empty) {
            Held::Segments(numbering, segments) if *numbering == name.numbering => segments.insert(name.number, place),
            Held::Segments(_, segments) => segments.values().next().copied(),
            Held::Whole(other) => Some(*other),
        };
        if let Some(other) = other {
            let expected = format!("'{}' whole, or segments of it that are numbered in one way, each once", name.video);
            return fail(&group.id, expected, format!("'{}' beside it", groups[other].id));
        }
    }
    Ok(videos)
}
