//! Checks that a manifest is valid and consistent with the other files.

use super::{Segments, unlabelled::StoredStretches};
use crate::manifest::SplitSize;
use crate::{DataError, Manifest, csd, ids};
use mosei_schema::Split;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Checks that names are valid and unique, and settings valid.
pub(super) fn check_names(path: &Path, manifest: &Manifest) -> Result<(), DataError> {
    let fail = |place: &str, expected: &str, found: String| {
        Err(DataError::structure(path, place, expected, found))
    };
    manifest
        .config
        .check()
        .map_err(|e| DataError::within(path, "config", e.into()))?;
    let unlabelled = manifest.unlabelled.as_ref().map_or(&[][..], |u| &u.videos);
    for (place, videos) in [
        ("videos", &manifest.videos[..]),
        ("unlabelled.videos", unlabelled),
    ] {
        if let Some(pair) = videos.windows(2).find(|pair| pair[0] >= pair[1]) {
            return fail(
                place,
                "sorted ids, each once",
                format!("{:?} after {:?}", pair[1], pair[0]),
            );
        }
        ids::check_ids(path, place, videos)?;
    }
    if let Some(both) = unlabelled
        .iter()
        .find(|id| manifest.videos.binary_search(id).is_ok())
    {
        return fail(
            "unlabelled.videos",
            "videos without labels",
            format!("{both:?}, which is one of 'videos'"),
        );
    }
    let most = csd::MAX_COLUMNS;
    for (place, names, most) in [
        ("columns", &manifest.columns, most),
        ("emotions", &manifest.emotions, most),
    ] {
        let mut seen = BTreeSet::new();
        if !(1..=most).contains(&names.len()) {
            return fail(
                place,
                &format!("1 to {most} names"),
                names.len().to_string(),
            );
        }
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return fail(place, "unique names", format!("{twice:?} twice"));
        }
    }
    if manifest.folds.is_empty() {
        return fail("folds", "at least one", "none".into());
    }
    Ok(())
}

/// Checks the counts of the manifest against the files.
pub(super) fn check_counts(
    path: &Path,
    manifest: &Manifest,
    segments: &Segments,
    unlabelled: Option<&StoredStretches>,
) -> Result<(), DataError> {
    let same = |place: &str, stored: u64, recorded: u64| match stored == recorded {
        true => Ok(()),
        false => Err(DataError::structure(
            path,
            place,
            format!("{stored} as in the files"),
            recorded.to_string(),
        )),
    };
    let frames_of = |segments: &Segments| segments.offsets.last().map_or(0, |&n| n as u64);
    let kept = (0..segments.len())
        .filter(|&i| !segments.frames(i).is_empty())
        .count();
    same(
        "counts.segments.kept",
        kept as u64,
        manifest.counts.segments.kept as u64,
    )?;
    same(
        "counts.frames.stored",
        frames_of(segments),
        manifest.counts.frames.stored,
    )?;
    same(
        "counts.videos.labelled",
        manifest.videos.len() as u64,
        manifest.counts.videos.labelled as u64,
    )?;
    if let (Some(stored), Some(record)) = (unlabelled, &manifest.unlabelled) {
        same(
            "unlabelled.frames",
            frames_of(&stored.segments),
            record.frames,
        )?;
    }
    for (k, fold) in manifest.folds.iter().enumerate() {
        let sizes = sizes(&fold.split, segments);
        for split in Split::ALL {
            let (stored, recorded) = (
                sizes[&split],
                fold.sizes.get(&split).copied().unwrap_or_default(),
            );
            if stored != recorded {
                let words = |s: SplitSize| {
                    format!(
                        "{} videos, {} segments, {} frames",
                        s.videos, s.segments, s.frames
                    )
                };
                let expected = format!("{} as in the files", words(stored));
                return Err(DataError::structure(
                    path,
                    format!("folds[{k}].sizes.{split}"),
                    expected,
                    words(recorded),
                ));
            }
        }
    }
    Ok(())
}

/// Counts the sizes of the splits.
fn sizes(split: &[Option<Split>], segments: &Segments) -> BTreeMap<Split, SplitSize> {
    let mut sizes: BTreeMap<Split, SplitSize> = Split::ALL
        .into_iter()
        .map(|s| (s, SplitSize::default()))
        .collect();
    let mut last = None;
    for i in (0..segments.len()).filter(|&i| !segments.frames(i).is_empty()) {
        let video = segments.video[i];
        if let Some(size) = split[video as usize].and_then(|s| sizes.get_mut(&s)) {
            // Segments are in order of video.
            size.videos += usize::from(last.replace(video) != Some(video));
            size.segments += 1;
            size.frames += segments.frames(i).len() as u64;
        }
    }
    sizes
}
