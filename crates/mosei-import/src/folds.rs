//! The folds of an import, from a file, a column or the features, as lists of the videos written.

use crate::ImportError;
use crate::frame_store::FrameStore;
use crate::join::Joined;
use crate::labels::Labels;
use crate::recording_ids::IdRules;
use mosei_data::{FoldLists, MOSEI_STANDARD_FOLDS};
use mosei_schema::{Split, near_miss, video_of};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Videos by split, and the number of ids left out because nothing of them is written.
pub(crate) type Folds = (BTreeMap<Split, Vec<String>>, usize);

/// Reads the folds from a file, which may name videos, recordings or their files.
///
/// # Errors
/// Where it is not a folds file, names an id of neither features nor labels, or assigns one video
/// to two splits. Ids of MOSEI's standard folds, which are given by name, are counted instead.
pub(crate) fn from_file(
    path: &Path,
    joined: &Joined,
    labels: &Labels,
    ids: IdRules,
) -> Result<Folds, ImportError> {
    let labelled: BTreeSet<&str> = labels
        .rows
        .iter()
        .flat_map(|row| [Some(row.name.as_str()), row.speaker.as_deref()])
        .flatten()
        .collect();
    let known: Vec<&str> = joined.videos.iter().map(|v| v.id.as_str()).collect();
    let mut splits = Splits::default();
    let standard = path == Path::new(MOSEI_STANDARD_FOLDS);
    for (name, split) in FoldLists::read(path)?.split {
        let file = ids.id(&name);
        let id = video_of(&file).to_string();
        let video = [&name, &file, &id].into_iter().find_map(|id| {
            match known.binary_search(&id.as_str()) {
                Ok(_) => Some(id.clone()),
                Err(_) => joined.video_of.get(id).cloned(),
            }
        });
        if let Some(video) = video {
            splits.assign(path, split.name(), video, split, &name)?;
        } else if standard || labelled.contains(id.as_str()) || labelled.contains(name.as_str()) {
            splits.left_out += 1;
        } else {
            let names = known
                .iter()
                .copied()
                .chain(joined.video_of.keys().map(String::as_str));
            let hint = near_miss(&id, names).map(|near| format!("did you mean '{near}'?"));
            let expected = "ids of recordings or speakers of the features or labels";
            return Err(
                ImportError::table(path, split.name(), expected, format!("'{name}'"))
                    .with_hint(hint),
            );
        }
    }
    splits.finish(path)
}

/// The folds that the labels declare, else those of the features: a release's own split holds where
/// its labels come from elsewhere. `None` where neither declares any.
///
/// # Errors
/// Where one video is in two splits, or a split is empty.
pub(crate) fn declared(
    features: &Path,
    joined: &Joined,
    labels: &Labels,
    frames: &FrameStore,
) -> Result<Option<Folds>, ImportError> {
    if labels.rows.iter().any(|row| row.split.is_some()) {
        return from_labels(joined, labels).map(Some);
    }
    if labels.rows.is_empty()
        || frames
            .recordings
            .iter()
            .all(|recording| recording.split.is_none())
    {
        return Ok(None);
    }
    let mut splits = Splits::default();
    for video in &joined.videos {
        for recording in video.units.iter().flatten().map(|&i| &frames.recordings[i]) {
            if let Some(split) = recording.split {
                splits.assign(
                    features,
                    split.name(),
                    video.id.clone(),
                    split,
                    &recording.name,
                )?;
            }
        }
    }
    splits.finish(features).map(Some)
}

/// The folds given by a column of the labels.
fn from_labels(joined: &Joined, labels: &Labels) -> Result<Folds, ImportError> {
    let mut splits = Splits::default();
    for video in &joined.videos {
        for segment in &video.segments {
            let row = &labels.rows[segment.row];
            if let Some(split) = row.split {
                splits.assign(&labels.path, &row.place, video.id.clone(), split, &row.name)?;
            }
        }
    }
    splits.finish(&labels.path)
}

#[derive(Default)]
struct Splits {
    /// Split of each video, and the id that assigned it.
    by_video: BTreeMap<String, (Split, String)>,
    left_out: usize,
}

impl Splits {
    fn assign(
        &mut self,
        path: &Path,
        place: &str,
        video: String,
        split: Split,
        id: &str,
    ) -> Result<(), ImportError> {
        if let Some((first, other)) = self.by_video.get(&video) {
            if *first != split {
                let expected = format!("all of '{video}' in one split, to avoid leakage");
                let found = format!("'{other}' in '{first}' and '{id}' in '{split}'");
                return Err(ImportError::table(path, place, expected, found));
            }
            return Ok(());
        }
        self.by_video.insert(video, (split, id.into()));
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Folds, ImportError> {
        let mut lists: BTreeMap<Split, Vec<String>> =
            Split::ALL.into_iter().map(|s| (s, Vec::new())).collect();
        for (video, (split, _)) in self.by_video {
            lists.entry(split).or_default().push(video);
        }
        for (split, videos) in &lists {
            if videos.is_empty() {
                let found = match self.left_out {
                    0 => "none".to_string(),
                    n => format!("none, and {n} ids without features or labels"),
                };
                return Err(ImportError::table(
                    path,
                    split.name(),
                    "at least one video with features and labels",
                    found,
                ));
            }
        }
        Ok((lists, self.left_out))
    }
}
