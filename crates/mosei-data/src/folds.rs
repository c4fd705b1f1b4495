//! Which video trains, validates or tests.
//!
//! What lives here: reading a folds file, and drawing a split by video where there is none. What does not: segments.

use crate::{DataError, SplitConfig, ids, whole};
use mosei_schema::Split;
use rand::seq::SliceRandom;
use run_record::seed::{Stream, rng};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Longest folds file: a million videos fit in.
const MOST_BYTES: u64 = 64 << 20;

/// Lists of videos, as a folds file gives them: `{"train": [ids], "valid": [ids], "test": [ids]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldLists {
    /// Split of each video.
    pub split: BTreeMap<String, Split>,
}

impl FoldLists {
    /// Reads a folds file.
    ///
    /// # Errors
    /// Where it is not of that form, a split is empty, a video stands twice, or an id is none.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            train: Vec<String>,
            valid: Vec<String>,
            test: Vec<String>,
        }
        let text = whole::read(path, MOST_BYTES)?;
        // Read as a table, a list would be taken for its values in order.
        if text.trim_ascii_start().starts_with(b"[") {
            return Err(DataError::structure(path, "/", "a table of three lists", "a list"));
        }
        let expected = r#"{"train": [ids], "valid": [ids], "test": [ids]}, each id a string"#;
        let file: File = serde_json::from_slice(&text).map_err(|source| DataError::Json {
            path: path.to_path_buf(),
            expected,
            source,
        })?;
        let mut lists = FoldLists { split: BTreeMap::new() };
        for (name, ids) in Split::ALL.into_iter().zip([file.train, file.valid, file.test]) {
            if ids.is_empty() {
                return Err(DataError::structure(path, name.name(), "at least one video id", "none"));
            }
            for id in ids {
                if let Some(first) = lists.split.get(&id) {
                    let (first, second) = (first.name(), name.name());
                    return Err(DataError::DuplicateFoldId { path: path.to_path_buf(), video: id, first, second });
                }
                lists.split.insert(id, name);
            }
        }
        ids::check(path, "/", lists.split.keys())?;
        Ok(lists)
    }
}

/// Folds over `videos` (ids in order), drawn by the configuration's seed: the split of each, by fold.
///
/// One fold of shares, or `k_folds` folds where fold `f` tests on group `f` and validates on group `f + 1`.
///
/// # Errors
/// Where there are too few videos for every split to have one.
pub(crate) fn draw(config: &SplitConfig, videos: &[&str]) -> Result<Vec<BTreeMap<String, Split>>, DataError> {
    let n = videos.len();
    let needed = config.k_folds.max(3);
    if n < needed {
        return Err(DataError::TooFewVideos { expected: needed, found: n });
    }
    let mut order: Vec<&str> = videos.to_vec();
    order.shuffle(&mut rng(config.seed, Stream::Split, 0));
    if config.k_folds == 0 {
        let share = |s: f64| ((s * n as f64).round() as usize).max(1);
        let test = share(config.test_share).min(n - 2);
        let valid = share(config.valid_share).min(n - 1 - test);
        let split = |i: usize| match i {
            i if i < test => Split::Test,
            i if i < test + valid => Split::Valid,
            _ => Split::Train,
        };
        return Ok(vec![order.iter().enumerate().map(|(i, v)| (v.to_string(), split(i))).collect()]);
    }
    let k = config.k_folds;
    let fold = |f: usize| {
        let split = |group: usize| match group {
            g if g == f => Split::Test,
            g if g == (f + 1) % k => Split::Valid,
            _ => Split::Train,
        };
        order.iter().enumerate().map(|(i, v)| (v.to_string(), split(i % k))).collect()
    };
    Ok((0..k).map(fold).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("v{i}")).collect()
    }

    #[test]
    fn a_drawn_split_has_its_shares_and_its_seed() {
        let ids = ids(40);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let config = SplitConfig::default();
        let one = draw(&config, &ids).unwrap();
        let count = |s| one[0].values().filter(|&&x| x == s).count();
        assert_eq!([count(Split::Train), count(Split::Valid), count(Split::Test)], [28, 4, 8]);
        assert_eq!(one, draw(&config, &ids).unwrap());
        assert_ne!(one, draw(&SplitConfig { seed: 1, ..config.clone() }, &ids).unwrap());
        assert!(draw(&config, &ids[..2]).is_err());
        let three = draw(&config, &ids[..3]).unwrap();
        assert_eq!(three[0].values().collect::<std::collections::BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn every_video_tests_once_and_validates_once_in_k_folds() {
        let ids = ids(11);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let folds = draw(&SplitConfig { k_folds: 4, ..SplitConfig::default() }, &ids).unwrap();
        assert_eq!(folds.len(), 4);
        for id in ids {
            for split in [Split::Test, Split::Valid] {
                assert_eq!(folds.iter().filter(|f| f[id] == split).count(), 1);
            }
        }
    }
}
