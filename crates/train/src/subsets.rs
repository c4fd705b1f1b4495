//! `subsets.parquet`: which training segments have labels, under each budget of each draw.
//!
//! A row holds for every budget that its column `budget` names: budgets of one fold with the
//! same share, such as a count of all and a share of 1, have the same segments and share their rows,
//! as `f1=n298`.

use crate::{Corpus, TrainError};
use mosei_data::subset::{self, Subset};
use mosei_data::{DataError, Fold, LabelConfig, Prepared};
use mosei_schema::LabelBudget;
use run_record::{Column, Table};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands between the names of budgets that are the same in one fold.
const SAME: char = '=';

/// Draws every budget of every draw in the given folds and writes the table. Returns its number of
/// rows.
///
/// # Errors
/// A budget that leaves an emotion with too few positives, or that is larger than the training
/// split.
pub fn write_subsets(
    labels: &LabelConfig,
    folds: &[usize],
    prepared: &Prepared,
    path: &Path,
) -> Result<usize, TrainError> {
    write(labels, folds, prepared, path, subset::draw)
}

/// The same of the validation split, for `validation_labels = "budget"`.
pub fn write_validation_subsets(
    labels: &LabelConfig,
    folds: &[usize],
    prepared: &Prepared,
    path: &Path,
) -> Result<usize, TrainError> {
    write(labels, folds, prepared, path, subset::draw_validation)
}

/// Draws the subsets of a fold's budgets in one draw.
type Draw = fn(&Prepared, &Fold, &LabelConfig, usize) -> Result<Vec<Subset>, DataError>;

fn write(
    labels: &LabelConfig,
    folds: &[usize],
    prepared: &Prepared,
    path: &Path,
    subsets_of: Draw,
) -> Result<usize, TrainError> {
    let (mut fold_of, mut draw_of, mut fraction_of) = (Vec::new(), Vec::new(), Vec::new());
    let (mut budget_of, mut video_of, mut segment_of) = (Vec::new(), Vec::new(), Vec::new());
    for &k in folds {
        for draw in 0..labels.draws {
            for (names, subset) in named(subsets_of(prepared, prepared.fold(k)?, labels, draw)?) {
                if draw == 0 && names.contains(SAME) {
                    let n = subset.n_labels;
                    tracing::warn!(
                        "fold {k}: label budgets {names} are the same {n} segments; each is trained under its name"
                    );
                }
                for &i in &subset.segments {
                    let id = prepared.id(i);
                    fold_of.push(k as i32);
                    draw_of.push(draw as i32);
                    budget_of.push(names.clone());
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
        .with("budget", Column::Text(budget_of))
        .with("fraction", Column::F64(fraction_of))
        .with("video", Column::Text(video_of))
        .with("segment", Column::I32(segment_of));
    table.write(path)?;
    Ok(table.rows())
}

/// The subsets of a fold and draw, ascending, each with the names of all budgets with its share.
fn named(subsets: Vec<Subset>) -> Vec<(String, Subset)> {
    let mut named: Vec<(String, Subset)> = Vec::new();
    for subset in subsets {
        match named
            .iter_mut()
            .find(|(_, other)| other.fraction.to_bits() == subset.fraction.to_bits())
        {
            Some((names, _)) => *names = format!("{names}{SAME}{}", subset.budget),
            None => named.push((subset.budget.to_string(), subset)),
        }
    }
    named
}

/// The budgets that a value of the column `budget` names.
pub fn budget_names(budgets: &str) -> impl Iterator<Item = &str> {
    budgets.split(SAME)
}

/// The share and the segments of one budget, in the order of the table.
///
/// # Errors
/// A table without such rows, or with segments that are not in the fold's training split.
pub(crate) fn read_subset(
    path: &Path,
    corpus: &Corpus,
    draw: usize,
    budget: LabelBudget,
) -> Result<(f64, Vec<usize>), TrainError> {
    read(path, corpus, &corpus.fold().train, draw, budget)
}

/// The validation segments that a budget gives labels of, in the order of the table.
pub(crate) fn read_validation_subset(
    path: &Path,
    corpus: &Corpus,
    draw: usize,
    budget: LabelBudget,
) -> Result<Vec<usize>, TrainError> {
    read(path, corpus, &corpus.fold().valid, draw, budget).map(|(_, segments)| segments)
}

/// The share and the segments of a budget in the corpus' fold and a draw, all of them among the
/// segments given.
fn read(
    path: &Path,
    corpus: &Corpus,
    among: &[usize],
    draw: usize,
    budget: LabelBudget,
) -> Result<(f64, Vec<usize>), TrainError> {
    let table = Table::read(path)?;
    let (folds, draws, budgets) = (
        table.i32(path, "fold")?,
        table.i32(path, "draw")?,
        table.text(path, "budget")?,
    );
    let (fractions, videos, segments) = (
        table.f64(path, "fraction")?,
        table.text(path, "video")?,
        table.i32(path, "segment")?,
    );
    let prepared = &corpus.prepared;
    let places: BTreeMap<(String, i32), usize> = among
        .iter()
        .map(|&i| {
            let id = prepared.id(i);
            ((id.video, id.segment), i)
        })
        .collect();
    let wanted = budget.to_string();
    let (mut fraction, mut found) = (None, Vec::new());
    for row in 0..table.rows() {
        let here = (folds[row], draws[row]) == (corpus.fold_index as i32, draw as i32);
        if !here || !budget_names(&budgets[row]).any(|name| name == wanted) {
            continue;
        }
        let Some(&i) = places.get(&(videos[row].clone(), segments[row])) else {
            let segment = format!("{}[{}]", videos[row], segments[row]);
            return Err(TrainError::UnknownSegment {
                path: path.to_path_buf(),
                segment,
            });
        };
        fraction = Some(fractions[row]);
        found.push(i);
    }
    fraction
        .map(|fraction| (fraction, found))
        .ok_or_else(|| TrainError::NoSubset {
            path: path.to_path_buf(),
            fold: corpus.fold_index,
            draw,
            budget: wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_that_come_to_the_same_keep_both_names() {
        let subset = |budget: LabelBudget| Subset {
            budget,
            fraction: budget.share_of(20),
            n_labels: budget.labels_of(20),
            segments: (0..budget.labels_of(20)).collect(),
        };
        let budgets = [
            LabelBudget::Count(5),
            LabelBudget::Fraction(0.26),
            LabelBudget::Fraction(1.0),
            LabelBudget::Count(20),
        ];
        let found = named(budgets.map(subset).to_vec());
        let found: Vec<_> = found
            .iter()
            .map(|(names, subset)| (names.as_str(), subset.n_labels))
            .collect();
        // A share that rounds to a count is another share.
        assert_eq!(found, [("n5", 5), ("f0.26", 5), ("f1=n20", 20)]);
        assert_eq!(budget_names("f1=n20").collect::<Vec<_>>(), ["f1", "n20"]);
    }
}
