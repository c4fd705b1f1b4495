//! How a recording is called: of the name of a file its id.

use mosei_schema::{Numbering, segment_name};
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

/// Ways to write a segment of a video as one name, and what the number counts where the notation says it; the first is ours.
pub(super) fn spellings(video: &str, segment: &str) -> [(String, Option<Numbering>); 4] {
    // Files of clips are numbered as the transcript's.
    let clips = Some(Numbering::Clips);
    [
        (format!("{video}[{segment}]"), Some(Numbering::Rows)),
        (format!("{video}_{segment}"), clips),
        (format!("{video}$_${segment}"), clips),
        (format!("{video}${segment}"), clips),
    ]
}

/// A segment of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The recording.
    pub video: String,
    /// Its name among the segments of that.
    pub segment: String,
    /// What its number counts; `None` where a column names it, which says nothing of that.
    pub numbering: Option<Numbering>,
}

impl Part {
    /// The segment that an id names ([`segment_name`]); `None` for the id of a whole recording.
    pub fn of(id: &str) -> Option<Self> {
        let name = segment_name(id)?;
        // As it is written, for its other spellings: `V_03` is one of `V$_$03`.
        let rest = id[name.video.len()..].trim_matches(|c: char| !c.is_ascii_digit());
        Some(Part { video: name.video.into(), segment: rest.into(), numbering: Some(name.numbering) })
    }

    /// A segment that a column names.
    pub fn named(video: String, segment: String) -> Self {
        Part { video, segment, numbering: None }
    }
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
    fn segments_keep_their_spelling() {
        let part = |id| Part::of(id).map(|p| (p.video, p.segment, p.numbering));
        assert_eq!(part("-a_b[12]"), Some(("-a_b".into(), "12".into(), Some(Numbering::Rows))));
        assert_eq!(part("v$_$03"), Some(("v".into(), "03".into(), Some(Numbering::Clips))));
        assert_eq!(part("v_3"), None);
    }
}
