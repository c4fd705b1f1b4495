//! The groups of a file by video: one for all of it, or one for each of its segments.

use super::VideoShape;
use crate::DataError;
use mosei_schema::{Numbering, segment_name};
use std::collections::BTreeMap;
use std::path::Path;

/// The groups of a video, as indices in the file's list of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VideoGroups {
    /// One group under the video's id.
    Whole(usize),
    /// A group for each segment, by number.
    Segments(Numbering, BTreeMap<i32, usize>),
}

/// The groups of a file by video.
///
/// # Errors
/// Where a video or segment occurs more than once.
pub(super) fn by_video(
    path: &Path,
    data: &str,
    groups: &[VideoShape],
) -> Result<BTreeMap<String, VideoGroups>, DataError> {
    let mut videos: BTreeMap<String, VideoGroups> = BTreeMap::new();
    let fail = |place: &str, expected: String, found: String| {
        Err(DataError::structure(
            path,
            format!("{data}/{place}"),
            expected,
            found,
        ))
    };
    // In order of id, a video comes before its segments.
    for (place, group) in groups.iter().enumerate() {
        let Some(name) = segment_name(&group.id) else {
            videos.insert(group.id.clone(), VideoGroups::Whole(place));
            continue;
        };
        if segment_name(name.video).is_some() {
            return fail(
                &group.id,
                "the id of a video or of one of its segments".into(),
                "two numbers".into(),
            );
        }
        let empty = || VideoGroups::Segments(name.numbering, BTreeMap::new());
        let other = match videos.entry(name.video.to_string()).or_insert_with(empty) {
            VideoGroups::Segments(numbering, segments) if *numbering == name.numbering => {
                segments.insert(name.number, place)
            }
            VideoGroups::Segments(_, segments) => segments.values().next().copied(),
            VideoGroups::Whole(other) => Some(*other),
        };
        if let Some(other) = other {
            let expected = format!(
                "one group for '{}', or one for each of its segments in one notation",
                name.video
            );
            return fail(&group.id, expected, format!("also '{}'", groups[other].id));
        }
    }
    Ok(videos)
}
