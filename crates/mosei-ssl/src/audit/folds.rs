//! Rules of the splits: by video, by segment, by time.

use super::Verdict;
use super::evidence::Evidence;
use crate::StudyError;
use mosei_data::align::EPSILON_S;
use mosei_data::manifest::{FoldSource, SplitSize};
use mosei_schema::Split;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn videos_in_one_split(e: &Evidence) -> Result<Verdict, StudyError> {
    let manifest = e.manifest();
    let mut problems = Vec::new();
    for (k, fold) in manifest.folds.iter().enumerate() {
        // By name and not by place: a list may hold a name twice.
        let mut split_of: BTreeMap<&str, Split> = BTreeMap::new();
        for (video, split) in manifest.videos.iter().zip(&fold.split) {
            let Some(split) = *split else { continue };
            match split_of.insert(video, split) {
                Some(other) if other != split => {
                    problems.push(format!(
                        "fold {k}: video {video} is in {other} and in {split}"
                    ));
                }
                _ => {}
            }
        }
    }
    Ok(Verdict::of(
        &problems,
        format!("{} folds of {} videos", e.folds(), manifest.videos.len()),
    ))
}

pub(super) fn segments_in_one_split(e: &Evidence) -> Result<Verdict, StudyError> {
    let (mut problems, mut left_out) = (Vec::new(), BTreeSet::new());
    for i in 0..e.prepared.len() {
        let id = e.prepared.id(i);
        if e.place(&id) != Some(i) {
            problems.push(format!("segment {id} is there twice"));
        }
        for k in 0..e.folds() {
            if e.prepared.frames(i) == 0 || e.split(k, i).is_some() {
                continue;
            }
            // A file may leave videos out of the study; a draw is over all of them.
            match e.manifest().fold_source {
                FoldSource::File => {
                    left_out.insert(e.prepared.video(i));
                }
                FoldSource::Split | FoldSource::KFold => {
                    problems.push(format!("fold {k}: segment {id} is in no split"))
                }
            }
        }
    }
    let with_frames = (0..e.prepared.len())
        .filter(|&i| e.prepared.frames(i) > 0)
        .count();
    let mut checked = format!("{with_frames} segments with frames");
    if !left_out.is_empty() {
        checked += &format!("; the folds file leaves out {} videos", left_out.len());
    }
    Ok(Verdict::of(&problems, checked))
}

pub(super) fn sizes_as_recorded(e: &Evidence) -> Result<Verdict, StudyError> {
    let mut problems = Vec::new();
    for (k, fold) in e.manifest().folds.iter().enumerate() {
        for split in Split::ALL {
            let segments = e.prepared.fold(k)?.segments(split);
            let videos: BTreeSet<usize> = segments.iter().map(|&i| e.prepared.video(i)).collect();
            let frames = segments.iter().map(|&i| e.prepared.frames(i) as u64).sum();
            let found = SplitSize {
                videos: videos.len(),
                segments: segments.len(),
                frames,
            };
            let recorded = fold.sizes.get(&split).copied().unwrap_or_default();
            if recorded != found {
                let say = |s: SplitSize| {
                    format!(
                        "{} segments of {} videos, {} frames",
                        s.segments, s.videos, s.frames
                    )
                };
                problems.push(format!(
                    "fold {k}: {split}: recorded {}, found {}",
                    say(recorded),
                    say(found)
                ));
            }
        }
    }
    Ok(Verdict::of(&problems, format!("{} splits", 3 * e.folds())))
}

pub(super) fn videos_tested_once(e: &Evidence) -> Result<Verdict, StudyError> {
    let manifest = e.manifest();
    if manifest.fold_source != FoldSource::KFold {
        return Ok(Verdict::not_checked("one split, no cross-validation"));
    }
    let partitions: BTreeSet<usize> = manifest.folds.iter().map(|f| f.partition).collect();
    let mut tested: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut videos = BTreeSet::new();
    for i in (0..e.prepared.len()).filter(|&i| e.prepared.frames(i) > 0) {
        let video = manifest.videos[e.prepared.video(i)].as_str();
        videos.insert(video);
        for &partition in &partitions {
            tested.entry((partition, video)).or_default();
        }
    }
    for fold in &manifest.folds {
        for (video, split) in manifest.videos.iter().zip(&fold.split) {
            if *split == Some(Split::Test) {
                *tested.entry((fold.partition, video)).or_default() += 1;
            }
        }
    }
    let of_several = |partition: usize| match partitions.len() {
        1 => String::new(),
        _ => format!(" in partition {partition}"),
    };
    let wrong = tested.iter().filter(|(_, times)| **times != 1);
    let problems: Vec<String> = wrong
        .map(|((partition, video), times)| {
            format!(
                "video {video} is tested {times} times{}",
                of_several(*partition)
            )
        })
        .collect();
    let mut checked = format!("{} videos over {} folds", videos.len(), e.folds());
    if partitions.len() > 1 {
        checked += &format!(" of {} partitions", partitions.len());
    }
    Ok(Verdict::of(&problems, checked))
}

pub(super) fn overlaps_in_one_split(e: &Evidence) -> Result<Verdict, StudyError> {
    let manifest = e.manifest();
    let mut of_video: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for i in (0..e.prepared.len()).filter(|&i| e.prepared.frames(i) > 0) {
        of_video
            .entry(&manifest.videos[e.prepared.video(i)])
            .or_default()
            .push(i);
    }
    let (mut problems, mut overlapping) = (Vec::new(), 0);
    for segments in of_video.values_mut() {
        segments.sort_by(|&a, &b| e.prepared.interval(a)[0].total_cmp(&e.prepared.interval(b)[0]));
        overlapping += overlaps(e, segments, |_| 0).len();
        for k in 0..e.folds() {
            let place = |i: usize| e.split(k, i).map_or(3, |s| s as usize);
            for (a, b) in overlaps(e, segments, place)
                .into_iter()
                .filter(|&(a, b)| place(a) != place(b))
            {
                let say = |i: usize| {
                    let split = e.split(k, i).map_or("no split", Split::name);
                    let [from, to] = e.prepared.interval(i);
                    format!("{} ({from:.2} to {to:.2} s, {split})", e.prepared.id(i))
                };
                problems.push(format!(
                    "fold {k}: segments {} and {} overlap",
                    say(a),
                    say(b)
                ));
            }
        }
    }
    Ok(Verdict::of(
        &problems,
        format!("{overlapping} segments begin before an earlier one of their video has ended"),
    ))
}

/// Of segments in order of time, each with the one of each place that ends last before it and
/// reaches into it.
fn overlaps(
    e: &Evidence,
    segments: &[usize],
    place: impl Fn(usize) -> usize,
) -> Vec<(usize, usize)> {
    let mut latest: [Option<usize>; 4] = [None; 4];
    let mut pairs = Vec::new();
    for &i in segments {
        let [start, end] = e.prepared.interval(i);
        let reaches =
            |&earlier: &usize| e.prepared.interval(earlier)[1].min(end) - start > EPSILON_S;
        pairs.extend(
            latest
                .iter()
                .flatten()
                .filter(|earlier| reaches(earlier))
                .map(|&earlier| (earlier, i)),
        );
        let last = &mut latest[place(i)];
        if last.is_none_or(|l| e.prepared.interval(l)[1] < end) {
            *last = Some(i);
        }
    }
    pairs
}
