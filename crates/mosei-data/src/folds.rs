//! The split of each video: training, validation or test.
//!
//! What lives here: reading a folds file, and drawing a split by video where there is none. What
//! does not: segments.

mod python;
mod standard;

pub use standard::MOSEI_STANDARD_FOLDS;
pub(crate) use standard::standard;

use crate::{DataError, LabelSet, SplitConfig, files, ids};
use mosei_schema::{Numbering, Split, segment_name};
use rand::seq::SliceRandom;
use run_record::seed::{Stream, rng};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Longest folds file, bytes: enough for a million videos.
const MAX_BYTES: u64 = 64 << 20;

/// The content of a folds file, `{"train": [ids], "valid": [ids], "test": [ids]}`. The split of a
/// segment ([`mosei_schema::segment_name`]) is that of its video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldLists {
    /// Split of each video.
    pub split: BTreeMap<String, Split>,
    /// Segments that the file names, by video; without videos that it names as a whole.
    segments: BTreeMap<String, BTreeSet<(Numbering, i32)>>,
}

impl FoldLists {
    /// Reads a folds file: JSON, or the SDK's Python file of lists (`.py`), as text. The path
    /// [`MOSEI_STANDARD_FOLDS`] names the standard folds of CMU-MOSEI, which need no file.
    ///
    /// # Errors
    /// Where it has another form, a split is empty, an id is repeated or invalid, or a video is in
    /// two splits.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            train: Vec<String>,
            valid: Vec<String>,
            test: Vec<String>,
        }
        let text = match standard(path) {
            Some(text) => text.to_vec(),
            None => files::read_bounded(path, MAX_BYTES)?,
        };
        if path.extension().is_some_and(|extension| extension == "py") {
            return Self::of_lists(path, python::read(path, &text)?);
        }
        // serde would accept a list as the fields in order.
        if text.trim_ascii_start().starts_with(b"[") {
            return Err(DataError::structure(
                path,
                "/",
                "an object of three lists",
                "a list",
            ));
        }
        let expected = r#"{"train": [ids], "valid": [ids], "test": [ids]}, each id a string"#;
        let file: File = serde_json::from_slice(&text).map_err(|source| DataError::Json {
            path: path.to_path_buf(),
            expected,
            source,
        })?;
        Self::of_lists(path, [file.train, file.valid, file.test])
    }

    /// Checks the ids of the three splits.
    fn of_lists(path: &Path, lists: [Vec<String>; 3]) -> Result<Self, DataError> {
        let mut listed: BTreeMap<String, Split> = BTreeMap::new();
        for (name, ids) in Split::ALL.into_iter().zip(lists) {
            if ids.is_empty() {
                return Err(DataError::structure(
                    path,
                    name.name(),
                    "at least one video id",
                    "none",
                ));
            }
            for id in ids {
                if let Some(first) = listed.get(&id) {
                    let (first, second) = (first.name(), name.name());
                    return Err(DataError::DuplicateFoldId {
                        path: path.to_path_buf(),
                        video: id,
                        first,
                        second,
                    });
                }
                listed.insert(id, name);
            }
        }
        ids::check_ids(path, "/", listed.keys())?;
        Self::by_video(path, listed)
    }

    /// Groups ids of videos and segments by video.
    fn by_video(path: &Path, listed: BTreeMap<String, Split>) -> Result<Self, DataError> {
        let mut lists = FoldLists {
            split: BTreeMap::new(),
            segments: BTreeMap::new(),
        };
        // The id that assigned the split.
        let mut assigned_by: BTreeMap<String, String> = BTreeMap::new();
        for (id, split) in listed {
            let name = segment_name(&id);
            let video = name.map_or_else(|| id.clone(), |name| name.video.to_string());
            let first = assigned_by
                .entry(video.clone())
                .or_insert_with(|| id.clone());
            let other = *lists.split.entry(video.clone()).or_insert(split);
            if other != split {
                let expected = format!("all of video '{video}' in one split, to avoid leakage");
                let found = format!("'{id}', and '{first}' in '{other}'");
                return Err(DataError::structure(path, split.name(), expected, found));
            }
            if let Some(name) = name
                && *first != video
            {
                lists
                    .segments
                    .entry(video)
                    .or_default()
                    .insert((name.numbering, name.number));
            }
        }
        Ok(lists)
    }

    /// Checks that a video named by its segments is named with all its labelled ones, as videos are
    /// never divided.
    pub(crate) fn check_complete(&self, path: &Path, labels: &LabelSet) -> Result<(), DataError> {
        for (video, named) in &self.segments {
            let Some(labels) = labels.videos.get(video) else {
                continue;
            };
            let numbering = labels.numbering.unwrap_or(Numbering::Rows);
            // Numbers of another numbering cannot be compared.
            if !named.iter().all(|(other, _)| *other == numbering) {
                continue;
            }
            if let Some(number) = labels
                .numbers
                .iter()
                .find(|number| !named.contains(&(numbering, **number)))
            {
                let split = self.split.get(video).map_or("none", |split| split.name());
                let expected = format!(
                    "'{video}', or all of its labelled segments, as a video is in one split"
                );
                let found = format!(
                    "{} of them without '{}'",
                    named.len(),
                    numbering.name(video, *number)
                );
                return Err(DataError::structure(path, split, expected, found));
            }
        }
        Ok(())
    }
}

/// Draws folds over `videos` (sorted ids) with the configuration's seed; returns the split of each
/// video by fold.
///
/// Either one fold with the configured shares, or `k_folds` folds: fold `f` tests on group `f` and
/// validates on group `f + 1`.
///
/// # Errors
/// Where there are too few videos for one in every split.
pub(crate) fn draw(
    config: &SplitConfig,
    videos: &[&str],
) -> Result<Vec<BTreeMap<String, Split>>, DataError> {
    let n = videos.len();
    let needed = config.k_folds.max(3);
    if n < needed {
        return Err(DataError::TooFewVideos {
            expected: needed,
            found: n,
        });
    }
    if config.k_folds > 0 {
        return Ok((0..config.repeats)
            .flat_map(|partition| cross_validation(config, partition, videos))
            .collect());
    }
    let share = |s: f64| ((s * n as f64).round() as usize).max(1);
    let test = share(config.test_share).min(n - 2);
    let valid = share(config.valid_share).min(n - 1 - test);
    let split = |i: usize| match i {
        i if i < test => Split::Test,
        i if i < test + valid => Split::Valid,
        _ => Split::Train,
    };
    let order = shuffled(config, 0, videos);
    let fold = order.iter().enumerate();
    Ok(vec![fold.map(|(i, v)| (v.to_string(), split(i))).collect()])
}

/// The videos in the random order of a partition.
fn shuffled<'v>(config: &SplitConfig, partition: usize, videos: &[&'v str]) -> Vec<&'v str> {
    let mut order = videos.to_vec();
    order.shuffle(&mut rng(config.seed, Stream::Split, partition as u64));
    order
}

/// The folds of one partition of the videos into groups.
fn cross_validation(
    config: &SplitConfig,
    partition: usize,
    videos: &[&str],
) -> Vec<BTreeMap<String, Split>> {
    let order = shuffled(config, partition, videos);
    let k = config.k_folds;
    let fold = |f: usize| {
        let split = |group: usize| match group {
            g if g == f => Split::Test,
            g if g == (f + 1) % k => Split::Valid,
            _ => Split::Train,
        };
        order
            .iter()
            .enumerate()
            .map(|(i, v)| (v.to_string(), split(i % k)))
            .collect()
    };
    (0..k).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("v{i}")).collect()
    }

    #[test]
    fn a_drawn_split_follows_shares_and_seed() {
        let ids = ids(40);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let config = SplitConfig::default();
        let one = draw(&config, &ids).unwrap();
        let count = |s| one[0].values().filter(|&&x| x == s).count();
        assert_eq!(
            [count(Split::Train), count(Split::Valid), count(Split::Test)],
            [28, 4, 8]
        );
        assert_eq!(one, draw(&config, &ids).unwrap());
        assert_ne!(
            one,
            draw(
                &SplitConfig {
                    seed: 1,
                    ..config.clone()
                },
                &ids
            )
            .unwrap()
        );
        assert!(draw(&config, &ids[..2]).is_err());
        let three = draw(&config, &ids[..3]).unwrap();
        assert_eq!(
            three[0]
                .values()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            3
        );
    }

    #[test]
    fn each_partition_is_a_cross_validation_of_its_own() {
        let ids = ids(11);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let with = |repeats| {
            let config = SplitConfig {
                k_folds: 4,
                repeats,
                ..SplitConfig::default()
            };
            draw(&config, &ids).unwrap()
        };
        let folds = with(3);
        assert_eq!(folds.len(), 12);
        for partition in folds.chunks(4) {
            for id in &ids {
                for split in [Split::Test, Split::Valid] {
                    assert_eq!(partition.iter().filter(|f| f[*id] == split).count(), 1);
                }
            }
        }
        // More partitions change none of those before, and differ from them.
        assert_eq!(folds[..4], with(1));
        assert!(folds[4..].iter().all(|fold| !folds[..4].contains(fold)));
    }

    #[test]
    fn each_video_is_tested_and_validated_once_in_k_folds() {
        let ids = ids(11);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let folds = draw(
            &SplitConfig {
                k_folds: 4,
                ..SplitConfig::default()
            },
            &ids,
        )
        .unwrap();
        assert_eq!(folds.len(), 4);
        for id in ids {
            for split in [Split::Test, Split::Valid] {
                assert_eq!(folds.iter().filter(|f| f[id] == split).count(), 1);
            }
        }
    }
}
