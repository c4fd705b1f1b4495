//! `subsets.parquet`: which training segments have labels, under each budget of each draw.

use crate::{Budget, Corpus, Study, TrainError};
use mosei_data::subset::{self, Subset};
use mosei_data::{DataError, Fold, LabelConfig, Prepared};
use run_record::{Column, Table};
use std::collections::BTreeMap;
use std::path::Path;

/// Draws every budget of every draw and fold of a study and writes the table.
///
/// # Errors
/// A budget that leaves an emotion with too few positives, or that is larger than the training split.
pub fn write_subsets(study: &Study, prepared: &Prepared, path: &Path) -> Result<usize, TrainError> {
    write(study, prepared, path, subset::draw)
}

/// The same of the validation split, for `validation_labels = "budget"`.
pub fn write_validation_subsets(study: &Study, prepared: &Prepared, path: &Path) -> Result<usize, TrainError> {
    write(study, prepared, path, subset::draw_validation)
}

/// Draws the subsets of a fold's budgets in one draw.
type Draw = fn(&Prepared, &Fold, &LabelConfig, usize) -> Result<Vec<Subset>, DataError>;

fn write(study: &Study, prepared: &Prepared, path: &Path, subsets_of: Draw) -> Result<usize, TrainError> {
    let (mut fold_of, mut draw_of, mut fraction_of) = (Vec::new(), Vec::new(), Vec::new());
    let (mut video_of, mut segment_of) = (Vec::new(), Vec::new());
    for k in study.folds(prepared.fold_count())? {
        for draw in 0..study.labels.draws {
            for subset in subsets_of(prepared, prepared.fold(k)?, &study.labels, draw)? {
                for &i in &subset.segments {
                    let id = prepared.id(i);
                    fold_of.push(k as i32);
                    draw_of.push(draw as i32);
                    fraction_of.push(subset.fraction);
                    video_of.push(id.video);
                    segment_of.push(id.segment);
                }
            }
        }
    }
    let table = Table::new()
        .with("fold", Column::I32(fold_of))
        .with("draw", Column::I32(draw_of))
        .with("fraction", Column::F64(fraction_of))
        .with("video", Column::Text(video_of))
        .with("segment", Column::I32(segment_of));
    table.write(path)?;
    Ok(table.rows())
}

/// The share and the segments of one budget, in the order of the table.
pub fn read_subset(path: &Path, corpus: &Corpus, draw: usize, budget: Budget) -> Result<(f64, Vec<usize>), TrainError> {
    let fold = corpus.fold();
    let wanted = budget.labels_of(fold.train.len());
    let by_fraction = by_fraction(path, corpus, &fold.train, draw)?;
    let found = by_fraction.into_iter().find(|(_, subset)| subset.len() == wanted);
    found.map(|(bits, subset)| (f64::from_bits(bits), subset)).ok_or_else(|| TrainError::NoSubset {
        path: path.to_path_buf(),
        fold: corpus.fold_index,
        draw,
        budget: budget.to_string(),
    })
}

/// The validation segments that a budget gives labels of, in the order of the table.
pub(crate) fn read_validation_subset(
    path: &Path,
    corpus: &Corpus,
    draw: usize,
    fraction: f64,
) -> Result<Vec<usize>, TrainError> {
    let mut by_fraction = by_fraction(path, corpus, &corpus.fold().valid, draw)?;
    by_fraction.remove(&fraction.to_bits()).ok_or_else(|| TrainError::NoSubset {
        path: path.to_path_buf(),
        fold: corpus.fold_index,
        draw,
        budget: Budget::Fraction(fraction).to_string(),
    })
}

/// The subsets of a fold and draw, all of them among the segments given, by the bits of their share.
fn by_fraction(
    path: &Path,
    corpus: &Corpus,
    among: &[usize],
    draw: usize,
) -> Result<BTreeMap<u64, Vec<usize>>, TrainError> {
    let table = Table::read(path)?;
    let (folds, draws) = (table.i32(path, "fold")?, table.i32(path, "draw")?);
    let (fractions, videos, segments) =
        (table.f64(path, "fraction")?, table.text(path, "video")?, table.i32(path, "segment")?);
    let prepared = &corpus.prepared;
    let places: BTreeMap<(String, i32), usize> = among
        .iter()
        .map(|&i| {
            let id = prepared.id(i);
            ((id.video, id.segment), i)
        })
        .collect();
    // Shares are compared by their bits: they were written by this program from one number.
    let mut by_fraction: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for row in 0..table.rows() {
        if (folds[row], draws[row]) != (corpus.fold_index as i32, draw as i32) {
            continue;
        }
        let Some(&i) = places.get(&(videos[row].clone(), segments[row])) else {
            let segment = format!("{}[{}]", videos[row], segments[row]);
            return Err(TrainError::UnknownSegment { path: path.to_path_buf(), segment });
        };
        by_fraction.entry(fractions[row].to_bits()).or_default().push(i);
    }
    Ok(by_fraction)
}
