//! Ids of recordings and segments, from file names and columns.

use mosei_schema::{Numbering, segment_name};
use serde::Deserialize;

/// File extensions that are not part of an id.
const EXTENSIONS: [&str; 21] = [
    "wav", "flac", "mp3", "ogg", "opus", "m4a", "aac", "mp4", "mov", "avi", "mkv", "webm", "npy",
    "npz", "mat", "csv", "tsv", "txt", "arff", "parquet", "pq",
];

/// How file names become ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdRules {
    /// What to do with folders before a file name: `strip` or `join`. Default `strip`.
    pub folders: Folders,
    /// Whether extensions such as `.wav` are kept. Default false.
    pub keep_extension: bool,
}

/// What to do with folders before a file name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Folders {
    /// Remove them.
    #[default]
    Strip,
    /// Prefix the file name with the last of them and `_`.
    Join,
}

impl IdRules {
    /// The id of the recording with this file name.
    pub fn id(self, name: &str) -> String {
        let mut parts = name.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        let stem = match file.rsplit_once('.') {
            Some((stem, extension))
                if !self.keep_extension
                    && !stem.is_empty()
                    && EXTENSIONS.contains(&extension.to_lowercase().as_str()) =>
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

/// The notations for a segment of a video as one id, and what its number counts; the first one is
/// used here.
pub(crate) fn spellings(video: &str, segment: &str) -> [(String, Option<Numbering>); 4] {
    // Files of clips are numbered like the transcript.
    let clips = Some(Numbering::Clips);
    [
        (format!("{video}[{segment}]"), Some(Numbering::Rows)),
        (format!("{video}_{segment}"), clips),
        (format!("{video}$_${segment}"), clips),
        (format!("{video}${segment}"), clips),
    ]
}

/// A reference to a segment of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentRef {
    /// The recording.
    pub video: String,
    /// The segment's name within it.
    pub segment: String,
    /// What its number counts; `None` where a column names it, so that this is unknown.
    pub numbering: Option<Numbering>,
}

impl SegmentRef {
    /// The segment that an id names ([`segment_name`]); `None` for the id of a whole recording.
    pub fn of(id: &str) -> Option<Self> {
        let name = segment_name(id)?;
        // As written, for its other notations: `V_03` is one of `V$_$03`.
        let rest = id[name.video.len()..].trim_matches(|c: char| !c.is_ascii_digit());
        Some(SegmentRef {
            video: name.video.into(),
            segment: rest.into(),
            numbering: Some(name.numbering),
        })
    }

    /// A segment that a column names.
    pub fn named(video: String, segment: String) -> Self {
        SegmentRef {
            video,
            segment,
            numbering: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_file_names() {
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
        let join = IdRules {
            folders: Folders::Join,
            keep_extension: true,
        };
        assert_eq!(
            (join.id("a/b/c.wav").as_str(), join.id("/c").as_str()),
            ("b_c.wav", "c")
        );
    }

    #[test]
    fn segment_names_keep_their_leading_zeros() {
        let part = |id| SegmentRef::of(id).map(|p| (p.video, p.segment, p.numbering));
        assert_eq!(
            part("-a_b[12]"),
            Some(("-a_b".into(), "12".into(), Some(Numbering::Rows)))
        );
        assert_eq!(
            part("v$_$03"),
            Some(("v".into(), "03".into(), Some(Numbering::Clips)))
        );
        assert_eq!(part("v_3"), None);
    }
}
