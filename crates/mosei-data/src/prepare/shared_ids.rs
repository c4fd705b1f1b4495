//! Checks that files share videos, and finds similar ids where they do not.

use crate::{Csd, DataError, FoldLists, LabelSet};
use mosei_schema::near_miss;
use std::collections::BTreeMap;
use std::path::Path;

/// Ids compared with all others by similarity: in a large corpus, the first ones are enough.
const MAX_COMPARED: usize = 50;

/// Checks that labels and features share a video.
pub(super) fn require_labels_share_features(
    labels: &LabelSet,
    features: &Csd,
) -> Result<(), DataError> {
    let known = features.by_video();
    if labels.videos.is_empty() || labels.videos.keys().any(|id| known.contains_key(id)) {
        return Ok(());
    }
    Err(no_shared_video(
        labels.path(),
        ids(&labels.videos),
        features.path(),
        ids(known),
    ))
}

/// Checks that folds and labels share a video.
pub(super) fn require_folds_share_labels(
    path: &Path,
    lists: &FoldLists,
    labels: &LabelSet,
) -> Result<(), DataError> {
    if labels.videos.is_empty() || lists.split.keys().any(|id| labels.videos.contains_key(id)) {
        return Ok(());
    }
    Err(no_shared_video(
        path,
        ids(&lists.split),
        labels.path(),
        ids(&labels.videos),
    ))
}

fn ids<T>(videos: &BTreeMap<String, T>) -> Vec<&str> {
    videos.keys().map(String::as_str).collect()
}

fn no_shared_video(path: &Path, found: Vec<&str>, other: &Path, expected: Vec<&str>) -> DataError {
    let pair = found
        .iter()
        .take(MAX_COMPARED)
        .find_map(|id| similar_id(id, expected.iter().copied()).map(|near| (*id, near)));
    let first = |ids: &[&str]| ids.first().map_or_else(String::new, |id| id.to_string());
    let (first, other_first, hint) = match pair {
        None => (first(&found), first(&expected), None),
        Some((id, near)) => (id.to_string(), near.to_string(), Some(difference(id, near))),
    };
    let (path, other) = (path.to_path_buf(), other.to_path_buf());
    let (first, other_first, hint) = (first.into(), other_first.into(), hint.map(String::into));
    DataError::NoSharedVideo {
        path,
        other,
        count: found.len(),
        first,
        other_first,
        hint,
    }
}

/// The id that probably refers to the same video: it differs only in case, prefix or suffix; else a
/// similarly spelt one.
pub(super) fn similar_id<'a>(
    id: &str,
    ids: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let within = |other: &str| {
        let (short, long) = if other.len() < id.len() {
            (other, id)
        } else {
            (id, other)
        };
        // Short ids are contained in many.
        short.len() >= 3
            && rest(short, long).is_some_and(|rest| !rest.chars().all(char::is_alphanumeric))
    };
    let same = ids.clone().find(|other| other.eq_ignore_ascii_case(id));
    let near = || near_miss(id, ids.clone()).filter(|near| near.len() >= 3);
    same.or_else(|| ids.clone().find(|other| within(other)))
        .or_else(near)
}

/// The prefix or suffix by which `long` differs from `short`.
fn rest<'a>(short: &str, long: &'a str) -> Option<&'a str> {
    long.strip_prefix(short)
        .or_else(|| long.strip_suffix(short))
        .filter(|rest| !rest.is_empty())
}

/// How two ids differ, in words.
fn difference(id: &str, near: &str) -> String {
    match (rest(near, id), rest(id, near)) {
        _ if id.eq_ignore_ascii_case(near) => format!("'{id}' and '{near}' differ only in case"),
        (Some(more), _) => {
            format!("'{id}' is '{near}' with '{more}' added: use the same ids in both")
        }
        (_, Some(less)) => format!("'{id}' is '{near}' without '{less}': use the same ids in both"),
        _ => format!("does '{id}' correspond to '{near}'?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_other_notations_are_similar() {
        let ids = ["vid00", "vid01", "other"];
        let found = |id| similar_id(id, ids.iter().copied());
        assert_eq!(found("vid01.mp4"), Some("vid01"));
        assert_eq!(found("VID01"), Some("vid01"));
        assert_eq!(found("corpus-vid00"), Some("vid00"));
        assert_eq!(found("vid01_audio"), Some("vid01"));
        assert_eq!(found("vid0l"), Some("vid00"));
        assert_eq!(found("nothing_alike"), None);
        assert_eq!(
            difference("vid01.mp4", "vid01"),
            "'vid01.mp4' is 'vid01' with '.mp4' added: use the same ids in both"
        );
    }
}
