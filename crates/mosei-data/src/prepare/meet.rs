//! Whether files speak of the same videos, and what is nearly the same where they do not.

use crate::{Csd, DataError, FoldLists, LabelSet};
use mosei_schema::near_miss;
use std::collections::BTreeMap;
use std::path::Path;

/// Ids that are compared with all others by their letters: of a large corpus, the first ones tell enough.
const COMPARED: usize = 50;

/// Wants labels and features to share a video.
pub(super) fn labels_meet_features(labels: &LabelSet, features: &Csd) -> Result<(), DataError> {
    let known = features.by_video();
    if labels.videos.is_empty() || labels.videos.keys().any(|id| known.contains_key(id)) {
        return Ok(());
    }
    Err(apart(labels.path(), ids(&labels.videos), features.path(), ids(known)))
}

/// Wants folds and labels to share a video.
pub(super) fn folds_meet_labels(path: &Path, lists: &FoldLists, labels: &LabelSet) -> Result<(), DataError> {
    if labels.videos.is_empty() || lists.split.keys().any(|id| labels.videos.contains_key(id)) {
        return Ok(());
    }
    Err(apart(path, ids(&lists.split), labels.path(), ids(&labels.videos)))
}

fn ids<T>(videos: &BTreeMap<String, T>) -> Vec<&str> {
    videos.keys().map(String::as_str).collect()
}

fn apart(path: &Path, found: Vec<&str>, other: &Path, expected: Vec<&str>) -> DataError {
    let pair = found.iter().take(COMPARED).find_map(|id| alike(id, expected.iter().copied()).map(|near| (*id, near)));
    let first = |ids: &[&str]| ids.first().map_or_else(String::new, |id| id.to_string());
    let (first, other_first, hint) = match pair {
        None => (first(&found), first(&expected), None),
        Some((id, near)) => (id.to_string(), near.to_string(), Some(difference(id, near))),
    };
    let (path, other) = (path.to_path_buf(), other.to_path_buf());
    let (first, other_first, hint) = (first.into(), other_first.into(), hint.map(String::into));
    DataError::NoSharedVideo { path, other, count: found.len(), first, other_first, hint }
}

/// The id that is probably the same video's: one that differs in its ending or beginning alone, or in capitals; else a near
/// miss by letters.
pub(super) fn alike<'a>(id: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let within = |other: &str| {
        let (short, long) = if other.len() < id.len() { (other, id) } else { (id, other) };
        // Short ids are part of many.
        short.len() >= 3 && rest(short, long).is_some_and(|rest| !rest.chars().all(char::is_alphanumeric))
    };
    let same = ids.clone().find(|other| other.eq_ignore_ascii_case(id));
    let near = || near_miss(id, ids.clone()).filter(|near| near.len() >= 3);
    same.or_else(|| ids.clone().find(|other| within(other))).or_else(near)
}

/// What a longer id has before or behind a shorter one.
fn rest<'a>(short: &str, long: &'a str) -> Option<&'a str> {
    long.strip_prefix(short).or_else(|| long.strip_suffix(short)).filter(|rest| !rest.is_empty())
}

/// In what two ids differ.
fn difference(id: &str, near: &str) -> String {
    match (rest(near, id), rest(id, near)) {
        _ if id.eq_ignore_ascii_case(near) => format!("'{id}' and '{near}' differ in capitals alone"),
        (Some(more), _) => format!("'{id}' is '{near}' with '{more}' more: the same ids are needed on both sides"),
        (_, Some(less)) => format!("'{id}' is '{near}' without '{less}': the same ids are needed on both sides"),
        _ => format!("is '{id}' what is called '{near}' there?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_notation_is_alike() {
        let ids = ["vid00", "vid01", "other"];
        let found = |id| alike(id, ids.iter().copied());
        assert_eq!(found("vid01.mp4"), Some("vid01"));
        assert_eq!(found("VID01"), Some("vid01"));
        assert_eq!(found("corpus-vid00"), Some("vid00"));
        assert_eq!(found("vid01_audio"), Some("vid01"));
        assert_eq!(found("vid0l"), Some("vid00"));
        assert_eq!(found("nothing_alike"), None);
        assert_eq!(
            difference("vid01.mp4", "vid01"),
            "'vid01.mp4' is 'vid01' with '.mp4' more: the same ids are needed on both sides"
        );
    }
}
