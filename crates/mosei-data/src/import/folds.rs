//! The folds of what was imported: those of a file or of a column, in our videos.

use super::join::Joined;
use super::labels::Labels;
use super::names::IdRules;
use crate::{DataError, FoldLists};
use mosei_schema::{Split, near_miss, video_of};
use std::collections::BTreeMap;
use std::path::Path;

/// Videos by split, and how many names of the folds are left out, as nothing of them is written.
pub(super) type Folds = (BTreeMap<Split, Vec<String>>, usize);

/// The folds of a file, which may name our videos, recordings, or files of recordings.
///
/// # Errors
/// Where it is no folds file, names what neither features nor labels know, or puts one of our videos into two splits.
pub(super) fn of_file(path: &Path, joined: &Joined, labels: &Labels, ids: IdRules) -> Result<Folds, DataError> {
    let known: Vec<&str> = joined.videos.iter().map(|v| v.id.as_str()).collect();
    let mut splits = Splits::default();
    for (said, split) in FoldLists::read(path)?.split {
        let file = ids.id(&said);
        let id = video_of(&file).to_string();
        let video = [&said, &file, &id].into_iter().find_map(|name| match known.binary_search(&name.as_str()) {
            Ok(_) => Some(name.clone()),
            Err(_) => joined.home.get(name).cloned(),
        });
        if let Some(video) = video {
            splits.put(path, split.name(), video, split, &said)?;
        } else if labels.rows.iter().any(|row| row.name == id || row.speaker.as_ref() == Some(&said)) {
            splits.left_out += 1;
        } else {
            let names = known.iter().copied().chain(joined.home.keys().map(String::as_str));
            let hint = near_miss(&id, names).map(|near| format!("did you mean '{near}'?"));
            let expected = "ids of recordings or speakers of the features or labels";
            return Err(DataError::table(path, split.name(), expected, format!("'{said}'")).with_hint(hint));
        }
    }
    splits.finish(path)
}

/// The folds that a column of the labels says; nothing where no row has one.
///
/// # Errors
/// Where one of our videos is in two splits, or a split is empty.
pub(super) fn of_column(joined: &Joined, labels: &Labels) -> Result<Option<Folds>, DataError> {
    if labels.rows.iter().all(|row| row.split.is_none()) {
        return Ok(None);
    }
    let mut splits = Splits::default();
    for video in &joined.videos {
        for segment in &video.segments {
            let row = &labels.rows[segment.row];
            if let Some(split) = row.split {
                splits.put(&labels.path, &row.place, video.id.clone(), split, &row.name)?;
            }
        }
    }
    splits.finish(&labels.path).map(Some)
}

#[derive(Default)]
struct Splits {
    /// Split of each video, and who said so.
    of: BTreeMap<String, (Split, String)>,
    left_out: usize,
}

impl Splits {
    fn put(&mut self, path: &Path, place: &str, video: String, split: Split, who: &str) -> Result<(), DataError> {
        if let Some((first, other)) = self.of.get(&video) {
            if *first != split {
                let expected = format!("all of '{video}' in one split, or it would leak");
                let found = format!("'{other}' in '{first}' and '{who}' in '{split}'");
                return Err(DataError::table(path, place, expected, found));
            }
            return Ok(());
        }
        self.of.insert(video, (split, who.into()));
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Folds, DataError> {
        let mut lists: BTreeMap<Split, Vec<String>> = Split::ALL.into_iter().map(|s| (s, Vec::new())).collect();
        for (video, (split, _)) in self.of {
            lists.entry(split).or_default().push(video);
        }
        for (split, videos) in &lists {
            if videos.is_empty() {
                let found = match self.left_out {
                    0 => "none".to_string(),
                    n => format!("none, and {n} names of which nothing is left"),
                };
                return Err(DataError::table(path, split.name(), "at least one video with features and labels", found));
            }
        }
        Ok((lists, self.left_out))
    }
}
