//! Video ids: which are valid, and which are too similar to distinguish.

use crate::DataError;
use mosei_schema::{VIDEO_ID_RULE, is_video_id};
use std::collections::BTreeMap;
use std::path::Path;
use unicode_security::confusable_detection::skeleton;

/// Characters of a text that an error message shows.
const MAX_SHOWN: usize = 40;

/// Checks that each of the given distinct ids is valid ([`is_video_id`]), and that no two look
/// alike.
///
/// ASCII letters may look alike (`l` and `I`), as they do in MOSEI's ids. Ids with other characters
/// are compared with all others: one video under two spellings could be in two splits, which is
/// leakage.
///
/// # Errors
/// The first id that is invalid or looks like another. `path` and `place` are for the message.
pub fn check_ids<'a>(
    path: &Path,
    place: &str,
    ids: impl IntoIterator<Item = &'a String, IntoIter: Clone>,
) -> Result<(), DataError> {
    let ids = ids.into_iter();
    if let Some(bad) = ids.clone().find(|id| !is_video_id(id)) {
        return Err(DataError::structure(
            path,
            place,
            VIDEO_ID_RULE,
            quoted(bad),
        ));
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
            return Err(DataError::structure(
                path,
                place,
                "ids that do not look alike",
                found,
            ));
        }
    }
    Ok(())
}

/// A text in quotes for an error message: invisible characters are escaped, a long text is
/// truncated.
pub fn quoted(text: &str) -> String {
    let start: String = text.chars().take(MAX_SHOWN).collect();
    match text.len() - start.len() {
        0 => format!("{start:?}"),
        _ => format!("{start:?}… of {} bytes", text.len()),
    }
}

/// An id with all characters but ASCII escaped.
fn escaped(id: &str) -> String {
    let spelt: String = id
        .chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                c.escape_unicode().to_string()
            }
        })
        .collect();
    format!("'{spelt}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ids: &[&str]) -> Option<String> {
        let ids: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
        check_ids(Path::new("f"), "p", &ids)
            .err()
            .map(|e| e.to_string())
    }

    #[test]
    fn look_alikes_are_refused_where_one_is_not_ascii() {
        assert_eq!(refused(&["Il", "lI", "ll", "O0", "00", "rn", "m"]), None);
        assert_eq!(
            refused(&["Z\u{fc}rich", "Zurich", "第一集", "第二集"]),
            None
        );
        let expected = |a, b| {
            Some(format!(
                "f: 'p': expected ids that do not look alike, found '{a}' and '{b}'"
            ))
        };
        assert_eq!(
            refused(&["paypal", "p\u{430}ypal"]),
            expected("paypal", "p\\u{430}ypal")
        );
        assert_eq!(
            refused(&["u\u{308}", "\u{fc}"]),
            expected("u\\u{308}", "\\u{fc}")
        );
    }

    #[test]
    fn long_ids_are_truncated() {
        let expected = format!(
            "f: 'p': expected {VIDEO_ID_RULE}, found \"{}\"… of 300 bytes",
            "x".repeat(40)
        );
        assert_eq!(refused(&["a", &"x".repeat(300)]), Some(expected));
    }
}
