//! The mapping file: what columns, categories and names mean where they do not say it themselves.
//!
//! What lives here: its keys, their defaults, and what makes them valid. What does not: anything that acts on them.

use super::names::IdRules;
use crate::{DataError, whole};
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN, near_miss, with_near_miss};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Longest mapping file.
const MOST_BYTES: u64 = 1 << 20;

/// A mapping file. Every key may be left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mapping {
    /// How ids are made of names of files.
    pub ids: IdRules,
    /// Columns of the features.
    pub features: FeatureMapping,
    /// Columns of the labels.
    pub labels: LabelMapping,
}

/// The unit of a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum TimeUnit {
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
    /// A number of this unit in seconds. Divided, so that whole milliseconds become the nearest numbers.
    pub fn seconds(self, x: f64) -> f64 {
        match self {
            TimeUnit::Seconds => x,
            TimeUnit::Milliseconds => x / 1e3,
            TimeUnit::Microseconds => x / 1e6,
            TimeUnit::Nanoseconds => x / 1e9,
        }
    }
}

/// Columns of the features that are called otherwise than expected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FeatureMapping {
    /// The recording.
    pub video: Option<String>,
    /// The segment of the recording, where a segment has frames of its own.
    pub segment: Option<String>,
    /// The unit of times that are plain numbers. Default seconds.
    pub unit: TimeUnit,
    /// When a frame begins.
    pub start: Option<String>,
    /// When it ends.
    pub end: Option<String>,
    /// Its number, from 0, where it has no time.
    pub frame: Option<String>,
    /// Columns that are no features.
    pub ignore: Vec<String>,
}

/// Columns of the labels, and what is in them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LabelMapping {
    /// The recording.
    pub video: Option<String>,
    /// The segment of the recording.
    pub segment: Option<String>,
    /// The unit of times that are plain numbers. Default seconds.
    pub unit: TimeUnit,
    /// When the segment begins.
    pub start: Option<String>,
    /// When it ends; left open (NaT), it ends with its recording.
    pub end: Option<String>,
    /// Who speaks: recordings of one speaker are never divided between splits.
    pub speaker: Option<String>,
    /// train, valid or test.
    pub split: Option<String>,
    /// The columns with intensities. Default: all that have no other meaning.
    pub columns: Option<Vec<String>>,
    /// Columns that are no labels.
    pub ignore: Vec<String>,
    /// New names of label columns.
    pub rename: BTreeMap<String, String>,
    /// The values that mean absent and strongest: what lies between is scaled to 0 to 3. Default [0, 3].
    pub range: [f64; 2],
    /// A column with a word for each segment.
    pub category: Option<Category>,
    /// Names of the columns of a label array in HDF5.
    pub names: Option<Vec<String>>,
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
        }
    }
}

/// A column with a word for each segment, and what the words mean.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    /// The column.
    pub column: String,
    /// Intensity of a label that a word names. Default 3.
    #[serde(default = "strongest")]
    pub intensity: f64,
    /// What each word means.
    pub meaning: BTreeMap<String, Meaning>,
}

const fn strongest() -> f64 {
    INTENSITY_MAX
}

/// The labels of a word; all others are absent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a label, a list of labels, or a table of intensities such as { anger = 2 }")]
pub(super) enum Meaning {
    /// One label.
    One(String),
    /// Several, or none.
    Several(Vec<String>),
    /// Intensities by label.
    Intensities(BTreeMap<String, f64>),
}

impl Category {
    /// What a word means: labels and intensities.
    pub fn meaning(&self, word: &str) -> Option<Vec<(&str, f64)>> {
        Some(match self.meaning.get(word)? {
            Meaning::One(label) => vec![(label.as_str(), self.intensity)],
            Meaning::Several(labels) => labels.iter().map(|label| (label.as_str(), self.intensity)).collect(),
            Meaning::Intensities(labels) => labels.iter().map(|(label, x)| (label.as_str(), *x)).collect(),
        })
    }

    /// The word that was probably meant.
    pub fn near(&self, word: &str) -> Option<&str> {
        near_miss(word, self.meaning.keys().map(String::as_str))
    }

    /// All labels that words mean.
    pub fn labels(&self) -> Vec<&str> {
        self.meaning.keys().filter_map(|word| self.meaning(word)).flatten().map(|(label, _)| label).collect()
    }
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// Where it is no TOML, has a key that is unknown (the near miss is named), or one that cannot be carried out.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = whole::read(path, MOST_BYTES)?;
        let fail = |key: String, reason: String| DataError::Mapping { path: path.to_path_buf(), key, reason };
        let text = String::from_utf8(bytes).map_err(|_| fail(".".into(), "expected text in UTF-8".into()))?;
        let said = |e: &toml::de::Error| {
            let line = e.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let line = line.map(|n| format!("line {n}: ")).unwrap_or_default();
            format!("{line}{}", with_near_miss(e.message()))
        };
        let parsed = toml::Deserializer::parse(&text).map_err(|e| fail(".".into(), said(&e)))?;
        let mapping: Mapping =
            serde_path_to_error::deserialize(parsed).map_err(|e| fail(e.path().to_string(), said(e.inner())))?;
        mapping.check().map_err(|(key, reason)| fail(key.into(), reason))?;
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
                return Err(("labels.category.meaning", "expected a word with its meaning, found none".into()));
            }
            for word in category.meaning.keys() {
                for (label, x) in category.meaning(word).unwrap_or_default() {
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
            return Err(("labels.columns", "expected at least one column, found none".into()));
        }
        Ok(())
    }
}
