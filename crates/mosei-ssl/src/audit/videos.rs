//! The rule of ids that name segments: all segments of one video are in one split.

use super::Verdict;
use super::evidence::Evidence;
use crate::StudyError;
use mosei_schema::{Split, video_of};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn segment_ids_in_one_split(e: &Evidence) -> Result<Verdict, StudyError> {
    let manifest = e.manifest();
    let unlabelled = manifest.unlabelled.as_ref().map_or(&[][..], |u| &u.videos);
    let mut problems = Vec::new();
    for (k, fold) in manifest.folds.iter().enumerate() {
        // What has no labels is listed apart, and trains.
        let ids = manifest.videos.iter().zip(fold.split.iter().copied());
        let ids = ids.chain(unlabelled.iter().map(|id| (id, Some(Split::Train))));
        let mut first: BTreeMap<&str, (&str, Split)> = BTreeMap::new();
        let mut reported: BTreeSet<&str> = BTreeSet::new();
        for (id, split) in ids.filter_map(|(id, split)| Some((id.as_str(), split?))) {
            let video = video_of(id);
            let (other, other_split) = *first.entry(video).or_insert((id, split));
            // Once for each video.
            if other_split != split && other != id && reported.insert(video) {
                problems.push(format!(
                    "fold {k}: video {video}: {other} is in {other_split}, {id} in {split}"
                ));
            }
        }
    }
    let videos: BTreeSet<&str> = manifest.videos.iter().map(|id| video_of(id)).collect();
    Ok(Verdict::of(
        &problems,
        format!("{} ids of {} videos", manifest.videos.len(), videos.len()),
    ))
}
