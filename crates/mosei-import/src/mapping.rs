//! The mapping file: the meaning of columns, categories and ids where their names do not give it.
//!
//! What lives here: its keys, their defaults and their checks. What does not: code that uses them.

use crate::ImportError;
use crate::recording_ids::IdRules;
use mosei_data::files;
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN, near_miss, with_near_miss};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Longest mapping file, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A mapping file. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mapping {
    /// How file names become ids.
    pub ids: IdRules,
    /// Columns of the features.
    pub features: FeatureMapping,
    /// Columns of the labels.
    pub labels: LabelMapping,
}

/// The unit of a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum TimeUnit {
    /// 1 s.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// 1e-3 s.
    #[serde(rename = "ms")]
    Milliseconds,
    /// 1e-6 s.
    #[serde(rename = "us")]
    Microseconds,
    /// 1e-9 s.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl TimeUnit {
    /// Converts to seconds. Divides, so that whole milliseconds round to the nearest float.
    pub fn seconds(self, x: f64) -> f64 {
        match self {
            TimeUnit::Seconds => x,
            TimeUnit::Milliseconds => x / 1e3,
            TimeUnit::Microseconds => x / 1e6,
            TimeUnit::Nanoseconds => x / 1e9,
        }
    }
}

/// Columns of the features that do not have the expected names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FeatureMapping {
    /// The recording.
    pub video: Option<String>,
    /// The segment of the recording, where segments have frames of their own.
    pub segment: Option<String>,
    /// The unit of times that are plain numbers. Default seconds.
    pub unit: TimeUnit,
    /// Start of a frame.
    pub start: Option<String>,
    /// End of a frame.
    pub end: Option<String>,
    /// Frame number, from 0, where there is no time.
    pub frame: Option<String>,
    /// Columns that are not features.
    pub ignore: Vec<String>,
    /// Columns that are features, although they have the name of row numbers, times or a target, or
    /// grow by one step from frame to frame.
    pub keep: Vec<String>,
    /// More words that mean a missing value.
    pub missing: Vec<String>,
    /// What the axes of arrays are, where their shapes do not tell.
    pub axes: Option<Axes>,
    /// The name of the features in a release that holds several modalities.
    pub modality: Option<String>,
}

/// The axes of an array of one recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) enum Axes {
    /// `["frames", "columns"]`
    FramesColumns,
    /// `["columns", "frames"]`, as librosa returns them.
    ColumnsFrames,
    /// `["frames"]`: a value for each frame.
    Frames,
    /// `["columns"]`: one vector for each recording.
    Columns,
}

impl Axes {
    /// The axes in words.
    pub const fn words(self) -> &'static str {
        match self {
            Axes::FramesColumns => "[frames, columns]",
            Axes::ColumnsFrames => "[columns, frames]",
            Axes::Frames => "[frames], of one column",
            Axes::Columns => "[columns], of one frame",
        }
    }
}

impl TryFrom<Vec<String>> for Axes {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["frames", "columns"] => Ok(Axes::FramesColumns),
            ["columns", "frames"] => Ok(Axes::ColumnsFrames),
            ["frames"] => Ok(Axes::Frames),
            ["columns"] => Ok(Axes::Columns),
            _ => Err(format!(
                "expected [\"frames\", \"columns\"], [\"columns\", \"frames\"], [\"frames\"] or [\"columns\"], found {names:?}"
            )),
        }
    }
}

/// Columns of the labels, and their values.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LabelMapping {
    /// The recording.
    pub video: Option<String>,
    /// The segment of the recording.
    pub segment: Option<String>,
    /// The unit of times that are plain numbers. Default seconds.
    pub unit: TimeUnit,
    /// Start of the segment.
    pub start: Option<String>,
    /// End of the segment; where open (NaT), that of the recording.
    pub end: Option<String>,
    /// The speaker: all recordings of one speaker are in one split.
    pub speaker: Option<String>,
    /// train, valid or test.
    pub split: Option<String>,
    /// Columns of intensities. Default: all without another meaning.
    pub columns: Option<Vec<String>>,
    /// Columns that are not labels.
    pub ignore: Vec<String>,
    /// New names of label columns.
    pub rename: BTreeMap<String, String>,
    /// The values for absent and strongest, scaled to 0 to 3. Default [0, 3].
    pub range: [f64; 2],
    /// A column with one category per segment.
    pub category: Option<Category>,
    /// Names of the columns of a label array in HDF5 or a pickle.
    pub names: Option<Vec<String>>,
    /// More words that mean a missing value.
    pub missing: Vec<String>,
    /// The name of the array of labels in a pickle.
    pub array: Option<String>,
    /// Whether values beyond the scale are set to its ends, and counted. Default false.
    pub clip: bool,
}

impl Default for LabelMapping {
    fn default() -> Self {
        LabelMapping {
            video: None,
            segment: None,
            unit: TimeUnit::Seconds,
            start: None,
            end: None,
            speaker: None,
            split: None,
            columns: None,
            ignore: Vec::new(),
            rename: BTreeMap::new(),
            range: [INTENSITY_MIN, INTENSITY_MAX],
            category: None,
            names: None,
            missing: Vec::new(),
            array: None,
            clip: false,
        }
    }
}

/// A column with one category per segment, and the labels of each category.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Category {
    /// The column.
    pub column: String,
    /// Intensity of a label given without one. Default 3.
    #[serde(default = "strongest")]
    pub intensity: f64,
    /// The labels of each category.
    pub meaning: BTreeMap<String, CategoryLabels>,
}

const fn strongest() -> f64 {
    INTENSITY_MAX
}

/// The labels of a category; all others are absent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a label, a list of labels, or a table of intensities such as { anger = 2 }"
)]
pub(crate) enum CategoryLabels {
    /// One label.
    One(String),
    /// Several, or none.
    Several(Vec<String>),
    /// Intensities by label.
    Intensities(BTreeMap<String, f64>),
}

impl Category {
    /// The labels of a category with their intensities.
    pub fn labels_of(&self, word: &str) -> Option<Vec<(&str, f64)>> {
        Some(match self.meaning.get(word)? {
            CategoryLabels::One(label) => vec![(label.as_str(), self.intensity)],
            CategoryLabels::Several(labels) => labels
                .iter()
                .map(|label| (label.as_str(), self.intensity))
                .collect(),
            CategoryLabels::Intensities(labels) => labels
                .iter()
                .map(|(label, x)| (label.as_str(), *x))
                .collect(),
        })
    }

    /// The category that was probably meant.
    pub fn near(&self, word: &str) -> Option<&str> {
        near_miss(word, self.meaning.keys().map(String::as_str))
    }

    /// The labels of all categories.
    pub fn labels(&self) -> Vec<&str> {
        self.meaning
            .keys()
            .filter_map(|word| self.labels_of(word))
            .flatten()
            .map(|(label, _)| label)
            .collect()
    }
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// Where it is not TOML, or has an unknown key (the most similar one is named) or an invalid
    /// value.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let bytes = files::read_bounded(path, MAX_BYTES)?;
        let fail = |key: String, reason: String| ImportError::Mapping {
            path: path.to_path_buf(),
            key,
            reason,
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| fail(".".into(), "expected text in UTF-8".into()))?;
        let message = |e: &toml::de::Error| {
            let line = e
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count());
            let line = line.map(|n| format!("line {n}: ")).unwrap_or_default();
            format!("{line}{}", with_near_miss(e.message()))
        };
        let parsed = toml::Deserializer::parse(&text).map_err(|e| fail(".".into(), message(&e)))?;
        let mapping: Mapping = serde_path_to_error::deserialize(parsed)
            .map_err(|e| fail(e.path().to_string(), message(e.inner())))?;
        mapping
            .check()
            .map_err(|(key, reason)| fail(key.into(), reason))?;
        Ok(mapping)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        let labels = &self.labels;
        let [low, high] = labels.range;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err((
                "labels.range",
                format!("expected two numbers, the smaller one first, found [{low}, {high}]"),
            ));
        }
        if let Some(category) = &labels.category {
            if category.meaning.is_empty() {
                return Err((
                    "labels.category.meaning",
                    "expected at least one category, found none".into(),
                ));
            }
            for word in category.meaning.keys() {
                for (label, x) in category.labels_of(word).unwrap_or_default() {
                    if !(INTENSITY_MIN..=INTENSITY_MAX).contains(&x) {
                        return Err((
                            "labels.category",
                            format!("expected intensities from 0 to 3, found {x} for '{label}'"),
                        ));
                    }
                }
            }
        }
        if labels.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err((
                "labels.columns",
                "expected at least one column, found none".into(),
            ));
        }
        Ok(())
    }
}
