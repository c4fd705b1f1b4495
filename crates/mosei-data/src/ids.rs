//! Ids that files give to videos: which are taken, and which are too much alike to be two.

use crate::DataError;
use mosei_schema::{VIDEO_ID_RULE, is_video_id};
use std::collections::BTreeMap;
use std::path::Path;
use unicode_security::confusable_detection::skeleton;

/// Characters of an id that a message shows.
const SHOWN: usize = 40;

/// Wants each of some ids, all different, to be one, and no two to look alike.
///
/// Letters of ASCII may look alike (`l` and `I`), as in the ids of MOSEI; it is ids with others that are compared, for the same
/// video under two spellings would be in two splits at a time.
///
/// # Errors
/// The first that is none, or that looks like another.
pub(crate) fn check<'a>(
    path: &Path,
    place: &str,
    ids: impl IntoIterator<Item = &'a String, IntoIter: Clone>,
) -> Result<(), DataError> {
    let ids = ids.into_iter();
    if let Some(bad) = ids.clone().find(|id| !is_video_id(id)) {
        return Err(DataError::structure(path, place, VIDEO_ID_RULE, shown(bad)));
    }
    if ids.clone().all(|id| id.is_ascii()) {
        return Ok(());
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for id in ids {
        if let Some(other) = seen.insert(skeleton(id).collect(), id)
            && !(id.is_ascii() && other.is_ascii())
        {
            let found = format!("{} and {}", escaped(other), escaped(id));
            return Err(DataError::structure(path, place, "ids that do not look alike", found));
        }
    }
    Ok(())
}

/// An id for a message: what cannot be seen is spelt out, what is long is cut.
fn shown(id: &str) -> String {
    let start: String = id.chars().take(SHOWN).collect();
    match id.len() - start.len() {
        0 => format!("{start:?}"),
        _ => format!("{start:?}… of {} bytes", id.len()),
    }
}

/// An id with all that is not ASCII spelt out.
fn escaped(id: &str) -> String {
    let spelt: String =
        id.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect();
    format!("'{spelt}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ids: &[&str]) -> Option<String> {
        let ids: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
        check(Path::new("f"), "p", &ids).err().map(|e| e.to_string())
    }

    #[test]
    fn look_alikes_are_refused_where_one_is_not_ascii() {
        assert_eq!(refused(&["Il", "lI", "ll", "O0", "00", "rn", "m"]), None);
        assert_eq!(refused(&["Z\u{fc}rich", "Zurich", "第一集", "第二集"]), None);
        let expected = |a, b| Some(format!("f: 'p': expected ids that do not look alike, found '{a}' and '{b}'"));
        assert_eq!(refused(&["paypal", "p\u{430}ypal"]), expected("paypal", "p\\u{430}ypal"));
        assert_eq!(refused(&["u\u{308}", "\u{fc}"]), expected("u\\u{308}", "\\u{fc}"));
    }

    #[test]
    fn what_is_long_is_cut() {
        let expected = format!("f: 'p': expected {VIDEO_ID_RULE}, found \"{}\"… of 300 bytes", "x".repeat(40));
        assert_eq!(refused(&["a", &"x".repeat(300)]), Some(expected));
    }
}
