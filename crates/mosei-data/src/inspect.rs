//! Statistics of .csd files, as text for people and JSON for programs.
//!
//! What lives here: counting. What does not: validation; a file with odd values is described, not
//! refused.

mod text;

use crate::align::Timeline;
use crate::csd::LABELS_ROOT;
use crate::labels::{LabelColumn, label_columns};
use crate::rates::{CorpusSpacing, FrameRate};
use crate::{Csd, DataError, FoldLists, LabelSet, feature_columns, targets};
use mosei_schema::{Emotion, Split, segment_name};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Statistics of some files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The files, in the order given.
    pub files: Vec<FileFacts>,
    /// Segments with each emotion: by fold where folds are given, else in `all`.
    pub prevalence: Vec<PrevalenceRow>,
    /// Statistics of the label files together; `None` without any.
    pub labels: Option<LabelFacts>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileFacts {
    /// The file.
    pub path: PathBuf,
    /// Whether its columns are labels.
    pub is_labels: bool,
    /// Whether this was inferred from their number alone, as the file names none.
    pub by_number_of_columns: bool,
    /// Name of the root group.
    pub root: String,
    /// Number of videos; groups of segments count as their video.
    pub videos: usize,
    /// Number of groups with one segment each; 0 where there is one group per video.
    pub segment_groups: usize,
    /// Rows of all videos.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Their names.
    pub column_names: Vec<String>,
    /// Rate in Hz, from the median step between rows; `None` for labels, and where the times are
    /// irregular.
    pub rate_hz: Option<f64>,
    /// Whether the step between rows varies within recordings, as for words.
    pub irregular: bool,
    /// Non-finite values by column; columns without any are left out.
    pub nonfinite: BTreeMap<String, u64>,
    /// Labels outside the range of their column, by column; columns without any are left out.
    pub out_of_range: BTreeMap<String, OutOfRange>,
}

/// Labels outside the range of their column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutOfRange {
    /// Smallest value allowed.
    pub low: f64,
    /// Largest value allowed.
    pub high: f64,
    /// How many labels lie outside.
    pub labels: u64,
}

/// Segments with one emotion in one fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrevalenceRow {
    /// `train`, `valid`, `test`, `none`, or `all`.
    pub fold: String,
    /// Segments of the fold.
    pub segments: usize,
    /// Labelled videos of the fold.
    pub videos: usize,
    /// The emotion.
    pub emotion: String,
    /// Segments where its intensity is above 0.
    pub positives: usize,
}

/// Statistics of label files together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFacts {
    /// The emotions, in file order.
    pub emotions: Vec<String>,
    /// One row per fold, and `all`.
    pub folds: Vec<FoldFacts>,
    /// Segments whose intensity rounds (half up) to a class above 0, by emotion.
    pub rounded_above_0: Vec<usize>,
    /// Lengths of segments, seconds: min, 5 %, median, mean, 95 %, 99 %, max.
    pub lengths_s: Lengths,
    /// Segments that start before 0.
    pub negative_starts: usize,
    /// Pairs of neighbours in time within a video.
    pub neighbours: usize,
    /// Of these, overlapping pairs.
    pub overlapping: usize,
    /// Median overlap of those, seconds; `None` without any.
    pub median_overlap_s: Option<f64>,
    /// Videos whose rows are not in order of time.
    pub videos_out_of_order: usize,
    /// Ids of the folds file that have no labels, by split; empty without folds.
    pub fold_ids_without_labels: BTreeMap<Split, Vec<String>>,
}

/// Lengths of segments, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Lengths {
    pub min: f64,
    pub q05: f64,
    pub median: f64,
    pub mean: f64,
    pub q95: f64,
    pub q99: f64,
    pub max: f64,
}

/// One fold's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoldFacts {
    /// `train`, `valid`, `test`, `none`, or `all`.
    pub fold: String,
    /// Segments.
    pub segments: usize,
    /// Labelled videos.
    pub videos: usize,
    /// Segments with each emotion.
    pub positives: Vec<usize>,
    /// Segments with any emotion.
    pub any: usize,
}

/// Computes statistics of `files`, and of the labels among them by split of `folds`.
///
/// Features are read one video at a time. Label files are combined, as parts of one corpus.
///
/// # Errors
/// Where a file cannot be read or is not a .csd file, or label files contradict each other.
pub fn inspect(files: &[PathBuf], folds: Option<&Path>) -> Result<Inspection, DataError> {
    let lists = folds.map(FoldLists::read).transpose()?;
    let (mut facts, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let csd = Csd::open(path)?;
        facts.push(count_file(&csd)?);
        if is_labels(&csd) {
            labels.push(csd);
        }
    }
    let labels = match labels.is_empty() {
        true => None,
        false => {
            let labels = LabelSet::read(&labels)?;
            if let (Some(lists), Some(path)) = (&lists, folds) {
                lists.check_complete(path, &labels)?;
            }
            Some(count_labels(&labels, lists.as_ref()))
        }
    };
    let prevalence = labels
        .as_ref()
        .map(|l| prevalence(l, folds.is_some()))
        .unwrap_or_default();
    Ok(Inspection {
        files: facts,
        prevalence,
        labels,
    })
}

/// Whether a file's columns are labels: by their names, by their number where it names none, or by
/// the name of the root group.
fn is_labels(csd: &Csd) -> bool {
    csd.root() == LABELS_ROOT
        || label_columns(csd).is_some_and(|columns| {
            columns
                .iter()
                .any(|c| *c == LabelColumn::Sentiment || Emotion::from_name(c.name()).is_some())
        })
}

/// Whether a file is considered labels only because of its number of columns.
fn by_number_of_columns(csd: &Csd) -> bool {
    is_labels(csd) && csd.root() != LABELS_ROOT && csd.dimension_names().is_none()
}

fn count_file(csd: &Csd) -> Result<FileFacts, DataError> {
    let is_labels = is_labels(csd);
    let labels = label_columns(csd).filter(|_| is_labels);
    let column_names = match &labels {
        Some(columns) => columns.iter().map(|c| c.name().to_string()).collect(),
        None => feature_columns(csd),
    };
    let ranges: Vec<(f64, f64)> = labels.iter().flatten().map(|c| c.range()).collect();
    let mut outside = vec![0; ranges.len()];
    let mut nonfinite = vec![0; csd.width()];
    let mut spacings = CorpusSpacing::default();
    for video in csd.videos() {
        let sequence = csd.read(&video.id)?;
        for row in sequence.features.chunks_exact(csd.width()) {
            nonfinite
                .iter_mut()
                .zip(row)
                .for_each(|(n, x)| *n += u64::from(!x.is_finite()));
            for ((n, (low, high)), &x) in outside.iter_mut().zip(&ranges).zip(row) {
                *n += u64::from(f64::from(x) < *low || f64::from(x) > *high);
            }
        }
        if !sequence.intervals.is_empty() {
            spacings.add(&video.id, Timeline::new(&sequence.intervals).spacing());
        }
    }
    Ok(FileFacts {
        path: csd.path().to_path_buf(),
        is_labels,
        root: csd.root().to_string(),
        by_number_of_columns: by_number_of_columns(csd),
        videos: csd.by_video().len(),
        segment_groups: csd
            .videos()
            .iter()
            .filter(|group| segment_name(&group.id).is_some())
            .count(),
        rows: csd.rows(),
        columns: csd.width(),
        nonfinite: column_names
            .iter()
            .cloned()
            .zip(nonfinite)
            .filter(|&(_, n)| n > 0)
            .collect(),
        out_of_range: column_names
            .iter()
            .zip(ranges.into_iter().zip(outside))
            .filter(|&(_, (_, labels))| labels > 0)
            .map(|(name, ((low, high), labels))| (name.clone(), OutOfRange { low, high, labels }))
            .collect(),
        column_names,
        rate_hz: if is_labels {
            None
        } else {
            spacings.rate().hz()
        },
        irregular: !is_labels && spacings.rate() == FrameRate::Irregular,
    })
}

fn count_labels(labels: &LabelSet, lists: Option<&FoldLists>) -> LabelFacts {
    let e = labels.emotions.len();
    let row = |fold: &str| FoldFacts {
        fold: fold.to_string(),
        positives: vec![0; e],
        ..FoldFacts::default()
    };
    let mut folds: Vec<FoldFacts> = match lists {
        Some(_) => ["train", "valid", "test", "none", "all"].map(row).into(),
        None => vec![row("all")],
    };
    let mut facts = LabelFacts {
        emotions: labels.emotions.clone(),
        folds: Vec::new(),
        rounded_above_0: vec![0; e],
        lengths_s: Lengths::default(),
        negative_starts: 0,
        neighbours: 0,
        overlapping: 0,
        median_overlap_s: None,
        videos_out_of_order: 0,
        fold_ids_without_labels: BTreeMap::new(),
    };
    let (mut lengths, mut overlaps) = (Vec::new(), Vec::new());
    for (id, video) in &labels.videos {
        let own = lists.map(|l| l.split.get(id).map_or("none", |s| s.name()));
        for fold in folds
            .iter_mut()
            .filter(|f| f.fold == "all" || own == Some(f.fold.as_str()))
        {
            fold.videos += 1;
            fold.segments += video.intervals.len();
            for intensities in video.intensities.chunks_exact(e.max(1)) {
                let present: Vec<bool> = intensities
                    .iter()
                    .map(|&x| targets::present(x, 0.0))
                    .collect();
                fold.positives
                    .iter_mut()
                    .zip(&present)
                    .for_each(|(n, &p)| *n += usize::from(p));
                fold.any += usize::from(present.contains(&true));
            }
        }
        for intensities in video.intensities.chunks_exact(e.max(1)) {
            for (n, &x) in facts.rounded_above_0.iter_mut().zip(intensities) {
                *n += usize::from(targets::intensity_class(f64::from(x)) > 0);
            }
        }
        lengths.extend(video.intervals.iter().map(|[s, e]| e - s));
        facts.negative_starts += video.intervals.iter().filter(|[s, _]| *s < 0.0).count();
        facts.videos_out_of_order +=
            usize::from(!video.intervals.is_sorted_by(|a, b| a[0] <= b[0]));
        let mut in_time = video.intervals.clone();
        in_time.sort_by(|a, b| a[0].total_cmp(&b[0]));
        facts.neighbours += in_time.len().saturating_sub(1);
        overlaps.extend(
            in_time
                .windows(2)
                .map(|w| w[0][1] - w[1][0])
                .filter(|&o| o > 0.0),
        );
    }
    facts.overlapping = overlaps.len();
    overlaps.sort_by(f64::total_cmp);
    lengths.sort_by(f64::total_cmp);
    facts.median_overlap_s = quantile(&overlaps, 0.5);
    let at = |q| quantile(&lengths, q).unwrap_or(0.0);
    facts.lengths_s = Lengths {
        min: at(0.0),
        q05: at(0.05),
        median: at(0.5),
        mean: lengths.iter().sum::<f64>() / (lengths.len().max(1)) as f64,
        q95: at(0.95),
        q99: at(0.99),
        max: at(1.0),
    };
    facts.folds = folds;
    for (id, &split) in lists.map(|l| &l.split).into_iter().flatten() {
        if !labels.videos.contains_key(id) {
            facts
                .fold_ids_without_labels
                .entry(split)
                .or_default()
                .push(id.clone());
        }
    }
    facts
}

/// The quantile of sorted values, linearly interpolated.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

fn prevalence(labels: &LabelFacts, has_folds: bool) -> Vec<PrevalenceRow> {
    let folds = labels
        .folds
        .iter()
        .filter(|f| !has_folds || f.fold != "all");
    folds
        .flat_map(|fold| {
            labels
                .emotions
                .iter()
                .zip(&fold.positives)
                .map(|(emotion, &positives)| PrevalenceRow {
                    fold: fold.fold.clone(),
                    segments: fold.segments,
                    videos: fold.videos,
                    emotion: emotion.clone(),
                    positives,
                })
        })
        .collect()
}
