/// Most bytes (UTF-8) of a video id; names of files are hardly ever longer.
pub const VIDEO_ID_MAX_BYTES: usize = 200;

/// The rule of [`is_video_id`], in words for messages.
pub const VIDEO_ID_RULE: &str = "a video id (1 to 200 bytes; no '/' or '\\', no control or invisible characters, no space at an end; not '.' or '..')";

/// Whether a text may be a video id: one that is safe to print, and that names one thing in one folder even if somebody should
/// make a file name of it.
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
        && !text.chars().any(|c| matches!(c, '/' | '\\') || c.is_control() || is_unseen(c))
}

/// Characters that show nothing, turn the direction of writing, or stand for bytes that were none. Spaces but the plain one
/// are among them: they look like it.
fn is_unseen(c: char) -> bool {
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
    fn ids_of_all_kinds_of_corpora_may_be() {
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
    fn what_could_leave_a_folder_or_hide_may_not() {
        let long = "x".repeat(VIDEO_ID_MAX_BYTES + 1);
        let unseen =
            ["a\u{200b}", "\u{202e}a", "a\u{feff}", "a\u{a0}b", "a\u{2028}b", "a\u{fffd}", "\u{e0041}", "a\u{ad}b"];
        let outside = ["", ".", "..", "../a", "a/b", "/etc/passwd", "a\\b", "C:\\a", &long];
        let control = ["a\nb", "a\0b", "a\tb", "\u{1b}[31ma", "a\u{7f}", "a\u{85}", " a", "a "];
        for id in unseen.iter().chain(&outside).chain(&control) {
            assert!(!is_video_id(id), "{id:?}");
        }
    }
}
