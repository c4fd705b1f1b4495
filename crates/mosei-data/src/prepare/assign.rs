//! The folds of a corpus: from a file, checked against the existing videos, or drawn.

use super::shared_ids;
use crate::manifest::FoldSource;
use crate::{
    Csd, DataConfig, DataError, FoldLists, FoldOrigin, LabelSet, SplitConfig, UnknownIds, folds,
    ids,
};
use mosei_schema::Split;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the folds come from, decided before the features are read.
pub(super) enum Assignment {
    /// A folds file.
    File {
        path: PathBuf,
        lists: FoldLists,
        unknown_ids: Vec<String>,
        without_labels: usize,
        without_features: usize,
    },
    /// A draw by video.
    Drawn(SplitConfig),
}

/// One fold over the labelled videos.
pub(super) struct AssignedFold {
    /// The partition of the videos that it belongs to, from 0.
    pub partition: usize,
    /// Split of each labelled video.
    pub split: Vec<Option<Split>>,
    pub unknown_ids: Vec<String>,
    pub ids_without_labels: usize,
    pub ids_without_features: usize,
}

impl Assignment {
    /// Reads the folds file, where there is one.
    pub fn new(
        config: &DataConfig,
        path: Option<&Path>,
        labels: &LabelSet,
        features: &Csd,
    ) -> Result<Self, DataError> {
        // Each file has been checked by itself; this finds one video under two spellings.
        let known: BTreeSet<&String> = labels
            .videos
            .keys()
            .chain(features.by_video().keys())
            .collect();
        ids::check_ids(
            features.path(),
            "ids here and in the labels",
            known.iter().copied(),
        )?;
        shared_ids::require_labels_share_features(labels, features)?;
        let named = config.folds.as_deref().map(Path::new);
        let standard = named.filter(|name| folds::standard(name).is_some());
        let Some(path) = path.or(standard) else {
            return Ok(Assignment::Drawn(config.split.clone()));
        };
        let lists = FoldLists::read(path)?;
        let all: BTreeSet<&String> = known.iter().copied().chain(lists.split.keys()).collect();
        ids::check_ids(
            path,
            "ids here, in the features and in the labels",
            all.iter().copied(),
        )?;
        lists.check_complete(path, labels)?;
        let labelled = |id: &String| labels.videos.contains_key(id);
        let featured = |id: &String| features.by_video().contains_key(id);
        shared_ids::require_folds_share_labels(path, &lists, labels)?;
        let unknown: Vec<(&String, &Split)> = lists
            .split
            .iter()
            .filter(|(id, _)| !labelled(id) && !featured(id))
            .collect();
        // Ids that are given by name are not misspelt: some of MOSEI's videos have no labels, and a
        // copy may lack others.
        let unknown_ids = match standard {
            Some(_) => UnknownIds::Count,
            None => config.unknown_fold_ids,
        };
        if let (UnknownIds::Error, Some((first, split))) = (unknown_ids, unknown.first()) {
            return Err(DataError::UnknownFoldIds {
                path: path.to_path_buf(),
                count: unknown.len(),
                first: first.to_string(),
                split: split.name(),
                others: format!(
                    "{} or {}",
                    features.path().display(),
                    labels.path().display()
                )
                .into(),
                near: shared_ids::similar_id(first, known.iter().map(|id| id.as_str()))
                    .map(Box::from),
            });
        }
        let unknown_ids = unknown.iter().map(|(id, _)| id.to_string()).collect();
        let without_labels = lists.split.keys().filter(|id| !labelled(id)).count();
        let without_features = lists
            .split
            .keys()
            .filter(|id| labelled(id) && !featured(id))
            .count();
        Ok(Assignment::File {
            path: path.to_path_buf(),
            lists,
            unknown_ids,
            without_labels,
            without_features,
        })
    }

    /// Training videos that have features but no labels: those that a folds file lists, sorted. A
    /// draw is over labelled videos only.
    pub fn training_without_labels(&self, labels: &LabelSet, features: &Csd) -> Vec<String> {
        let Assignment::File { lists, .. } = self else {
            return Vec::new();
        };
        let training = lists
            .split
            .iter()
            .filter(|(_, split)| **split == Split::Train)
            .map(|(id, _)| id);
        training
            .filter(|id| !labels.videos.contains_key(*id) && features.by_video().contains_key(*id))
            .cloned()
            .collect()
    }

    /// Where the folds come from, for the manifest.
    pub fn source(&self) -> FoldSource {
        match self {
            Assignment::File { .. } => FoldSource::File,
            Assignment::Drawn(split) if split.k_folds > 0 => FoldSource::KFold,
            Assignment::Drawn(_) => FoldSource::Split,
        }
    }

    /// Where the folds come from, for messages.
    pub fn origin(&self) -> FoldOrigin {
        match self {
            Assignment::File { path, .. } => FoldOrigin::File(path.clone()),
            Assignment::Drawn(split) => FoldOrigin::Drawn { seed: split.seed },
        }
    }

    /// The folds over `videos`; a draw is over those that are `usable`, that is, have labelled
    /// frames.
    pub fn folds(
        &self,
        videos: &[String],
        usable: &[bool],
    ) -> Result<Vec<AssignedFold>, DataError> {
        match self {
            Assignment::File {
                lists,
                unknown_ids,
                without_labels,
                without_features,
                ..
            } => Ok(vec![AssignedFold {
                partition: 0,
                split: videos
                    .iter()
                    .map(|id| lists.split.get(id).copied())
                    .collect(),
                unknown_ids: unknown_ids.clone(),
                ids_without_labels: *without_labels,
                ids_without_features: *without_features,
            }]),
            Assignment::Drawn(config) => {
                let drawn: Vec<&str> = videos
                    .iter()
                    .zip(usable)
                    .filter(|&(_, &usable)| usable)
                    .map(|(id, _)| id.as_str())
                    .collect();
                let folds = folds::draw(config, &drawn)?;
                let assigned = folds.iter().enumerate().map(|(k, fold)| AssignedFold {
                    partition: config.partition(k),
                    split: videos.iter().map(|id| fold.get(id).copied()).collect(),
                    unknown_ids: Vec::new(),
                    ids_without_labels: 0,
                    ids_without_features: 0,
                });
                Ok(assigned.collect())
            }
        }
    }
}
