//! How a recording is called: of the name of a file its id.

use serde::Deserialize;

/// Endings of files that are no part of an id.
const ENDINGS: [&str; 19] = [
    "wav", "flac", "mp3", "ogg", "opus", "m4a", "aac", "mp4", "mov", "avi", "mkv", "webm", "npy", "csv", "tsv", "txt",
    "arff", "parquet", "pq",
];

/// How ids are made of names of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IdRules {
    /// What becomes of folders before a name: `strip` or `join`. Default `strip`.
    pub folders: Folders,
    /// Whether `.wav` and the like stay. Default false.
    pub keep_extension: bool,
}

/// What becomes of folders before a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Folders {
    /// They are left out.
    #[default]
    Strip,
    /// The last of them is put before the name, with `_` between.
    Join,
}

impl IdRules {
    /// The id of a recording that is called so.
    pub fn id(self, name: &str) -> String {
        let mut parts = name.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        let stem = match file.rsplit_once('.') {
            Some((stem, ending))
                if !self.keep_extension && !stem.is_empty() && ENDINGS.contains(&ending.to_lowercase().as_str()) =>
            {
                stem
            }
            _ => file,
        };
        match (self.folders, parts.next()) {
            (Folders::Join, Some(folder)) if !folder.is_empty() => format!("{folder}_{stem}"),
            _ => stem.to_string(),
        }
    }
}

/// Ways to write a segment of a video as one name; the first is ours.
pub(super) fn spellings(video: &str, segment: &str) -> [String; 4] {
    [
        format!("{video}[{segment}]"),
        format!("{video}_{segment}"),
        format!("{video}$_${segment}"),
        format!("{video}${segment}"),
    ]
}

/// Video and segment of a name in the two spellings that say for certain where the one ends.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    let bracketed = name.strip_suffix(']').and_then(|n| n.rsplit_once('['));
    let (video, segment) = bracketed.or_else(|| name.rsplit_once("$_$"))?;
    (!video.is_empty() && !segment.is_empty()).then_some((video, segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_name_of_the_file() {
        let strip = IdRules::default();
        for (name, id) in [
            ("a/b/c.wav", "c"),
            (r"C:\x\c.WAV", "c"),
            ("Mr. X", "Mr. X"),
            ("v1.2", "v1.2"),
            (".wav", ".wav"),
            ("a.b.flac", "a.b"),
        ] {
            assert_eq!(strip.id(name), id, "{name}");
        }
        let join = IdRules { folders: Folders::Join, keep_extension: true };
        assert_eq!((join.id("a/b/c.wav").as_str(), join.id("/c").as_str()), ("b_c.wav", "c"));
    }

    #[test]
    fn segments_are_told_from_videos_where_that_is_certain() {
        assert_eq!(split("-a_b[12]"), Some(("-a_b", "12")));
        assert_eq!(split("v$_$3"), Some(("v", "3")));
        assert_eq!((split("v_3"), split("[3]"), split("v[]")), (None, None, None));
    }
}
