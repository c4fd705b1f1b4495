//! The `[data]` and `[labels]` tables of a study's configuration.
//!
//! What lives here: the settings, their defaults and their checks. What does not: code that uses
//! them; the settings of the synthetic corpus (`synth`).

use mosei_schema::{LabelBudget, SettingError};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::{Component, Path};

/// An error naming `key` unless `holds`.
pub(crate) fn require(
    holds: bool,
    key: impl Into<String>,
    expected: impl Into<String>,
    found: impl std::fmt::Display,
) -> Result<(), SettingError> {
    if holds {
        return Ok(());
    }
    Err(SettingError::new(key, expected, found))
}

/// Largest `max_frames`: attention over more would exceed any memory.
const MAX_FRAMES: usize = 100_000;
/// Largest `pool_frames`: nearly three hours at 100 Hz, longer than any segment.
/// More partitions than any study can afford.
const MAX_REPEATS: usize = 1000;
const MAX_POOL_FRAMES: usize = 1_000_000;

/// Whether a clip is valid: above 0 and within float32, like the values.
pub(crate) fn is_clip(clip: f64) -> bool {
    clip > 0.0 && clip <= f64::from(f32::MAX)
}

fn at_most(n: usize) -> String {
    format!("at most {n}")
}

/// Which frames are kept of a segment longer than `max_frames`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// The first frames.
    Start,
    /// The frames in the middle; of an odd surplus, the larger half is cropped at the end.
    Centre,
    /// The last frames.
    End,
}

/// What to do about video ids that the folds name but no file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownIds {
    /// Refuse the folds.
    Error,
    /// Count them in the manifest.
    Count,
}

/// What to keep of the speech outside labelled segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlabelled {
    /// Nothing.
    #[default]
    None,
    /// The speech outside all labelled segments, for pre-training.
    Outside,
}

/// Default of `unlabelled_min_s`, seconds.
const UNLABELLED_MIN_S: f64 = 1.0;

/// Which data to use, and how to prepare it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The features file in the data folder. Default `CMU_MOSEI_COVAREP.csd`.
    pub features: String,
    /// The label file, or list of label files, in the data folder. Default `CMU_MOSEI_Labels.csd`.
    #[serde(deserialize_with = "one_or_many")]
    pub labels: Vec<String>,
    /// The folds file in the data folder (JSON, or the SDK's `cmu_mosei_std_folds.py`), or
    /// `mosei-standard`: the standard folds of CMU-MOSEI, of which videos that are in neither file
    /// are counted. Default: `folds.json` where it exists, else a seeded split by video.
    pub folds: Option<String>,
    /// Frames averaged into one, at most 1,000,000; 1 means no pooling. Default 1.
    pub pool_frames: usize,
    /// Maximum frames of a segment, after pooling; at most 100,000. Default 500.
    pub max_frames: usize,
    /// What is kept of a longer segment. Default `centre`.
    pub crop: Crop,
    /// Standardised values are clipped to this many standard deviations. Default 8.
    pub clip: f64,
    /// An emotion is present where its intensity is above this. Default 0.
    pub presence_above: f64,
    /// Whether the folds may name videos that are in neither file. Default `error`.
    pub unknown_fold_ids: UnknownIds,
    /// Whether speech outside all labelled segments is stored too, for pre-training: `none` or
    /// `outside`. It has no labels, is in no split, and is not used to fit the normaliser. Default
    /// `none`.
    // Not serialised at its default, so that the keys of steps do not depend on it.
    #[serde(skip_serializing_if = "is_none")]
    pub unlabelled: Unlabelled,
    /// Shorter stretches of such speech are dropped and counted, seconds. Default 1.
    #[serde(skip_serializing_if = "is_unlabelled_min_s")]
    pub unlabelled_min_s: f64,
    /// The split by video, where no folds are given.
    pub split: SplitConfig,
}

fn is_none(unlabelled: &Unlabelled) -> bool {
    *unlabelled == Unlabelled::None
}

fn is_unlabelled_min_s(seconds: &f64) -> bool {
    *seconds == UNLABELLED_MIN_S
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig {
            features: "CMU_MOSEI_COVAREP.csd".into(),
            labels: vec!["CMU_MOSEI_Labels.csd".into()],
            folds: None,
            pool_frames: 1,
            max_frames: 500,
            crop: Crop::Centre,
            clip: 8.0,
            presence_above: 0.0,
            unknown_fold_ids: UnknownIds::Error,
            unlabelled: Unlabelled::None,
            unlabelled_min_s: UNLABELLED_MIN_S,
            split: SplitConfig::default(),
        }
    }
}

/// A drawn split by video, used where no folds are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitConfig {
    /// Number of groups of a cross-validation by video, at least 3; 0 for a single split. Fold `f`
    /// tests on group `f`, validates on group `f + 1` and trains on the rest. Default 0.
    pub k_folds: usize,
    /// Number of partitions of the videos into `k_folds` groups, each drawn by itself and run as a
    /// cross-validation of its own. Fold `k` of partition `p` is fold `p * k_folds + k` of the
    /// study. Default 1.
    #[serde(skip_serializing_if = "is_one")]
    pub repeats: usize,
    /// Share of validation videos in a single split. Default 0.1.
    pub valid_share: f64,
    /// Share of test videos in a single split. Default 0.2.
    pub test_share: f64,
    /// Seed of the draw. Default 0.
    pub seed: u64,
}

impl Default for SplitConfig {
    fn default() -> Self {
        SplitConfig {
            k_folds: 0,
            repeats: 1,
            valid_share: 0.1,
            test_share: 0.2,
            seed: 0,
        }
    }
}

impl DataConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn check(&self) -> Result<(), SettingError> {
        let inside = |key: &str, name: &str| {
            let normal = |part| matches!(part, Component::Normal(_));
            require(
                !name.contains('\0') && Path::new(name).components().all(normal),
                key,
                "a file inside the data folder",
                format!("{name:?}"),
            )
        };
        require(!self.features.is_empty(), "features", "a file name", "''")?;
        inside("features", &self.features)?;
        require(
            !self.labels.is_empty(),
            "labels",
            "at least one file name",
            "none",
        )?;
        for (i, name) in self.labels.iter().enumerate() {
            require(!name.is_empty(), "labels", "file names", "''")?;
            inside("labels", name)?;
            require(
                !self.labels[..i].contains(name),
                "labels",
                "different files",
                format!("'{name}' twice"),
            )?;
        }
        require(
            self.folds.as_deref() != Some(""),
            "folds",
            "a file name",
            "''",
        )?;
        inside("folds", self.folds.as_deref().unwrap_or_default())?;
        require(
            self.pool_frames >= 1,
            "pool_frames",
            "at least 1",
            self.pool_frames,
        )?;
        require(
            self.pool_frames <= MAX_POOL_FRAMES,
            "pool_frames",
            at_most(MAX_POOL_FRAMES),
            self.pool_frames,
        )?;
        require(
            self.max_frames >= 1,
            "max_frames",
            "at least 1",
            self.max_frames,
        )?;
        require(
            self.max_frames <= MAX_FRAMES,
            "max_frames",
            at_most(MAX_FRAMES),
            self.max_frames,
        )?;
        require(is_clip(self.clip), "clip", "a number above 0", self.clip)?;
        require(
            (0.0..3.0).contains(&self.presence_above),
            "presence_above",
            "a number from 0 to below 3",
            self.presence_above,
        )?;
        let min_s = self.unlabelled_min_s;
        require(
            min_s >= 0.0 && min_s.is_finite(),
            "unlabelled_min_s",
            "a number from 0",
            min_s,
        )?;
        self.split.check()?;
        require(
            self.folds.is_none() || self.split.k_folds == 0,
            "split.k_folds",
            "0 where 'folds' names a file",
            self.split.k_folds,
        )
    }
}

/// Settings enter content keys, and those of a single partition keep theirs.
fn is_one(n: &usize) -> bool {
    *n == 1
}

impl SplitConfig {
    /// How many folds there are.
    pub fn fold_count(&self) -> usize {
        self.k_folds.max(1) * self.repeats
    }

    /// The partition of a fold.
    pub fn partition(&self, fold: usize) -> usize {
        fold / self.k_folds.max(1)
    }

    fn check(&self) -> Result<(), SettingError> {
        let (valid, test) = (self.valid_share, self.test_share);
        require(
            self.k_folds == 0 || self.k_folds >= 3,
            "split.k_folds",
            "0, or at least 3 (one group to test, one to validate, the rest to train)",
            self.k_folds,
        )?;
        require(
            self.repeats >= 1 && self.repeats <= MAX_REPEATS,
            "split.repeats",
            at_most(MAX_REPEATS),
            self.repeats,
        )?;
        require(
            self.repeats == 1 || self.k_folds >= 3,
            "split.repeats",
            "1 without k_folds: only a cross-validation is repeated with other partitions",
            self.repeats,
        )?;
        require(
            valid > 0.0 && valid < 1.0,
            "split.valid_share",
            "a share between 0 and 1",
            valid,
        )?;
        require(
            test > 0.0 && test < 1.0,
            "split.test_share",
            "a share between 0 and 1",
            test,
        )?;
        require(
            valid + test < 1.0,
            "split.test_share",
            "valid_share + test_share below 1",
            valid + test,
        )
    }
}

/// How many labels fine-tuning uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "LabelsAsWritten")]
pub struct LabelConfig {
    /// Label budgets as shares of the training segments, each above 0 and at most 1, without
    /// repeats. Default 0.01, 0.03, 0.1, 0.3 and 1 where `counts` is not given either, else none.
    pub fractions: Vec<f64>,
    /// Label budgets as numbers of segments, without repeats. Default none.
    pub counts: Vec<usize>,
    /// How many times the budgets are drawn. Default 1.
    pub draws: usize,
    /// Seed of the draws, independent of the training seed. Default 0.
    pub seed: u64,
    /// Minimum number of segments with each emotion in every budget; 0 allows none. Default 1.
    pub min_positives: usize,
}

impl Default for LabelConfig {
    fn default() -> Self {
        LabelConfig {
            fractions: vec![0.01, 0.03, 0.1, 0.3, 1.0],
            counts: Vec::new(),
            draws: 1,
            seed: 0,
            min_positives: 1,
        }
    }
}

/// [`LabelConfig`] as in a file, with absent keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsAsWritten {
    fractions: Option<Vec<f64>>,
    counts: Option<Vec<usize>>,
    draws: Option<usize>,
    seed: Option<u64>,
    min_positives: Option<usize>,
}

impl From<LabelsAsWritten> for LabelConfig {
    fn from(written: LabelsAsWritten) -> Self {
        let default = LabelConfig::default();
        // With counts given, the default shares do not apply.
        let shares = if written.counts.is_none() {
            default.fractions
        } else {
            Vec::new()
        };
        LabelConfig {
            fractions: written.fractions.unwrap_or(shares),
            counts: written.counts.unwrap_or(default.counts),
            draws: written.draws.unwrap_or(default.draws),
            seed: written.seed.unwrap_or(default.seed),
            min_positives: written.min_positives.unwrap_or(default.min_positives),
        }
    }
}

impl LabelConfig {
    /// The budgets in order of configuration: shares, then counts.
    pub fn budgets(&self) -> Vec<LabelBudget> {
        let shares = self.fractions.iter().copied().map(LabelBudget::Fraction);
        shares
            .chain(self.counts.iter().copied().map(LabelBudget::Count))
            .collect()
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn check(&self) -> Result<(), SettingError> {
        require(
            !(self.fractions.is_empty() && self.counts.is_empty()),
            "fractions",
            "at least one budget here or in 'counts'",
            "none",
        )?;
        for (i, &f) in self.fractions.iter().enumerate() {
            require(
                f > 0.0 && f <= 1.0,
                "fractions",
                "shares above 0 and at most 1",
                f,
            )?;
            require(
                !self.fractions[..i].contains(&f),
                "fractions",
                "each share once",
                format!("{f} twice"),
            )?;
        }
        for (i, &n) in self.counts.iter().enumerate() {
            require(n >= 1, "counts", "at least 1", n)?;
            require(
                !self.counts[..i].contains(&n),
                "counts",
                "each count once",
                format!("{n} twice"),
            )?;
        }
        require(self.draws >= 1, "draws", "at least 1", self.draws)?;
        require(
            i32::try_from(self.draws).is_ok(),
            "draws",
            "a number that fits 32 bits",
            self.draws,
        )
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a file name or a list of file names")
        }

        fn visit_str<E>(self, name: &str) -> Result<Vec<String>, E> {
            Ok(vec![name.to_string()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = seq.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    deserializer.deserialize_any(Names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&mut DataConfig)) -> String {
        let mut config = DataConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn labels_are_one_file_or_a_list() {
        let one: DataConfig = serde_json::from_str(r#"{"labels": "a.csd"}"#).unwrap();
        let many: DataConfig = serde_json::from_str(r#"{"labels": ["a.csd", "b.csd"]}"#).unwrap();
        assert_eq!((one.labels.len(), many.labels.len()), (1, 2));
        let message = serde_json::from_str::<DataConfig>(r#"{"labels": 3}"#)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("expected a file name or a list of file names"),
            "{message}"
        );
        assert!(serde_json::from_str::<DataConfig>(r#"{"lables": "a"}"#).is_err());
    }

    #[test]
    fn invalid_settings_are_named() {
        DataConfig::default().check().unwrap();
        LabelConfig::default().check().unwrap();
        assert_eq!(
            refused(|c| c.pool_frames = 0),
            "key 'pool_frames': expected at least 1, found 0"
        );
        assert_eq!(
            refused(|c| c.clip = f64::NAN),
            "key 'clip': expected a number above 0, found NaN"
        );
        assert!(refused(|c| c.labels.clear()).contains("'labels'"));
        assert!(refused(|c| c.labels = vec!["a".into(), "a".into()]).contains("'a' twice"));
        assert!(refused(|c| c.max_frames = 0).contains("'max_frames'"));
        assert!(refused(|c| c.presence_above = 3.0).contains("'presence_above'"));
        assert!(refused(|c| c.unlabelled_min_s = -1.0).contains("'unlabelled_min_s'"));
        assert!(refused(|c| c.split.repeats = 2).contains("'split.repeats': expected 1 without"));
        assert!(refused(|c| (c.split.k_folds, c.split.repeats) = (3, 0)).contains("at most 1000"));
        assert!(refused(|c| c.split.k_folds = 2).contains("at least 3"));
        assert!(refused(|c| c.split.test_share = 0.95).contains("below 1"));
        assert!(
            refused(|c| (c.folds, c.split.k_folds) = (Some("f.json".into()), 5))
                .contains("'split.k_folds'")
        );
        let none = LabelConfig {
            fractions: vec![],
            ..LabelConfig::default()
        };
        assert!(
            none.check()
                .unwrap_err()
                .to_string()
                .contains("at least one budget")
        );
        let zero = LabelConfig {
            fractions: vec![0.0],
            ..LabelConfig::default()
        };
        assert!(zero.check().is_err());
    }

    #[test]
    fn excessive_numbers_are_refused() {
        assert_eq!(
            refused(|c| c.max_frames = 100_001),
            "key 'max_frames': expected at most 100000, found 100001"
        );
        assert_eq!(
            refused(|c| c.pool_frames = 1_000_001),
            "key 'pool_frames': expected at most 1000000, found 1000001"
        );
        DataConfig {
            max_frames: 100_000,
            pool_frames: 1_000_000,
            ..DataConfig::default()
        }
        .check()
        .unwrap();
    }

    #[test]
    fn counts_replace_the_default_shares() {
        let labels = |json: &str| serde_json::from_str::<LabelConfig>(json).unwrap();
        let budgets = |json: &str| {
            let labels = labels(json);
            (labels.fractions, labels.counts)
        };
        let usual = LabelConfig::default().fractions;
        assert_eq!(labels("{}"), LabelConfig::default());
        assert_eq!(budgets(r#"{"draws": 2}"#), (usual, vec![]));
        assert_eq!(budgets(r#"{"counts": [24, 72]}"#), (vec![], vec![24, 72]));
        assert_eq!(budgets(r#"{"fractions": [0.5]}"#), (vec![0.5], vec![]));
        assert_eq!(
            budgets(r#"{"counts": [24], "fractions": [1.0]}"#),
            (vec![1.0], vec![24])
        );
        for none in [
            r#"{"counts": [], "fractions": []}"#,
            r#"{"counts": []}"#,
            r#"{"fractions": []}"#,
        ] {
            let message = labels(none).check().unwrap_err().to_string();
            assert_eq!(
                message,
                "key 'fractions': expected at least one budget here or in 'counts', found none",
                "{none}"
            );
        }
        assert!(serde_json::from_str::<LabelConfig>(r#"{"count": [24]}"#).is_err());
    }

    #[test]
    fn repeated_budgets_are_refused() {
        let refused = |fractions: &[f64], counts: &[usize]| {
            let labels = LabelConfig {
                fractions: fractions.into(),
                counts: counts.into(),
                ..LabelConfig::default()
            };
            labels.check().unwrap_err().to_string()
        };
        assert_eq!(
            refused(&[0.3, 0.1, 0.3], &[]),
            "key 'fractions': expected each share once, found 0.3 twice"
        );
        assert_eq!(
            refused(&[], &[16, 16]),
            "key 'counts': expected each count once, found 16 twice"
        );
    }
}
