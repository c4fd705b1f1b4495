/// Maximum length of a video id in UTF-8 bytes, below the usual limit of file names.
pub const VIDEO_ID_MAX_BYTES: usize = 200;

/// The rule of [`is_video_id`], for messages.
pub const VIDEO_ID_RULE: &str = "a video id (1 to 200 bytes; no '/' or '\\', no control or invisible characters, no space at an end; not '.' or '..')";

/// Whether a text is a valid video id: safe to print, and safe as a file name.
///
/// ```
/// use mosei_schema::is_video_id;
/// assert!(is_video_id("-3g5yACwYnA") && is_video_id("81406") && is_video_id("Zürich 1"));
/// assert!(!is_video_id("../a") && !is_video_id("a\nb") && !is_video_id("a\u{200b}"));
/// ```
pub fn is_video_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= VIDEO_ID_MAX_BYTES
        && !matches!(text, "." | "..")
        && text.trim() == text
        && !text
            .chars()
            .any(|c| matches!(c, '/' | '\\') || c.is_control() || is_invisible(c))
}

/// Invisible characters, characters that change the writing direction, and replacement or
/// private-use characters. They include all spaces except the plain one, which they resemble.
fn is_invisible(c: char) -> bool {
    (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_many_corpora_are_valid() {
        let longest = "x".repeat(VIDEO_ID_MAX_BYTES);
        for id in [
            "a",
            "-",
            "-3g5yACwYnA",
            "_0efYOjQYRc",
            "03-01-06_Actor_01",
            "80866[3]",
            "Zürich 1",
            "第一集",
            ".a",
            "...",
            &longest,
        ] {
            assert!(is_video_id(id), "{id}");
        }
    }

    #[test]
    fn unsafe_and_invisible_ids_are_rejected() {
        let long = "x".repeat(VIDEO_ID_MAX_BYTES + 1);
        let invisible = [
            "a\u{200b}",
            "\u{202e}a",
            "a\u{feff}",
            "a\u{a0}b",
            "a\u{2028}b",
            "a\u{fffd}",
            "\u{e0041}",
            "a\u{ad}b",
        ];
        let outside = [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "C:\\a",
            &long,
        ];
        let control = [
            "a\nb",
            "a\0b",
            "a\tb",
            "\u{1b}[31ma",
            "a\u{7f}",
            "a\u{85}",
            " a",
            "a ",
        ];
        for id in invisible.iter().chain(&outside).chain(&control) {
            assert!(!is_video_id(id), "{id:?}");
        }
    }
}
