//! `predictions.parquet`: one row per (cell, segment, emotion).

use crate::{Column, RecordError, Table, TableReader};
use std::collections::BTreeSet;
use std::path::Path;

/// The settings that identify a cell of the study's grid.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellId {
    /// The cell's key.
    pub cell: String,
    /// Partition of the videos into folds, from 0.
    pub partition: i32,
    /// Cross-validation fold, counted over all partitions; 0 with a single split.
    pub fold: i32,
    /// `ssl`, `scratch`, `frozen`, `random-frozen`, or a control.
    pub start: String,
    /// Fraction of the training segments whose labels were used.
    pub fraction: f64,
    /// The number of these segments.
    pub n_labels: i32,
    /// Training seed: initial weights of the heads (and of an encoder that is not pre-trained),
    /// batches, dropout.
    pub seed: i32,
    /// The number of the label draw.
    pub draw: i32,
    /// Name of the label budget, as configured: `n24`, `f0.05`. A budget may amount to different
    /// numbers in folds of different size.
    pub budget: String,
    /// Seed of the pre-training; `None` for a start without one.
    pub pretrain_seed: Option<i32>,
}

/// The prediction of a cell for one emotion in one segment, with the label.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionRow {
    /// `valid` or `test`.
    pub split: String,
    /// Video id, as in the file.
    pub video: String,
    /// Row of the segment in its video.
    pub segment: i32,
    /// Name of the emotion.
    pub emotion: String,
    /// The label, as in the file.
    pub intensity: f64,
    /// The binary label, by the presence rule.
    pub present: bool,
    /// Predicted probability of presence; `None` without such a head.
    pub score: Option<f64>,
    /// Predicted intensity; `None` without such a head.
    pub predicted_intensity: Option<f64>,
    /// The threshold applied to `score`: present if `score >= threshold`.
    pub threshold: f64,
}

/// All predictions of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPredictions {
    /// The cell.
    pub id: CellId,
    /// Its rows, in the order of the file.
    pub rows: Vec<PredictionRow>,
}

impl CellPredictions {
    /// The rows as a table in the columns of `predictions.parquet`.
    pub fn to_table(&self) -> Table {
        let n = self.rows.len();
        let text = |value: &str| Column::Text(vec![value.to_string(); n]);
        let column = |of: fn(&PredictionRow) -> &str| {
            Column::Text(self.rows.iter().map(|r| of(r).to_string()).collect())
        };
        Table::new()
            .with("cell", text(&self.id.cell))
            .with("partition", Column::I32(vec![self.id.partition; n]))
            .with("fold", Column::I32(vec![self.id.fold; n]))
            .with("start", text(&self.id.start))
            .with("fraction", Column::F64(vec![self.id.fraction; n]))
            .with("n_labels", Column::I32(vec![self.id.n_labels; n]))
            .with("seed", Column::I32(vec![self.id.seed; n]))
            .with("draw", Column::I32(vec![self.id.draw; n]))
            .with("budget", text(&self.id.budget))
            .with(
                "pretrain_seed",
                Column::OptionI32(vec![self.id.pretrain_seed; n]),
            )
            .with("split", column(|r| &r.split))
            .with("video", column(|r| &r.video))
            .with(
                "segment",
                Column::I32(self.rows.iter().map(|r| r.segment).collect()),
            )
            .with("emotion", column(|r| &r.emotion))
            .with(
                "intensity",
                Column::F64(self.rows.iter().map(|r| r.intensity).collect()),
            )
            .with(
                "present",
                Column::Bool(self.rows.iter().map(|r| r.present).collect()),
            )
            .with(
                "score",
                Column::OptionF64(self.rows.iter().map(|r| r.score).collect()),
            )
            .with(
                "predicted_intensity",
                Column::OptionF64(self.rows.iter().map(|r| r.predicted_intensity).collect()),
            )
            .with(
                "threshold",
                Column::F64(self.rows.iter().map(|r| r.threshold).collect()),
            )
    }

    /// The cells of a table, in file order; the rows of a cell must be contiguous.
    ///
    /// # Errors
    /// A missing column; a column of another type; a cell whose rows have different settings.
    pub fn from_table(path: &Path, table: &Table) -> Result<Vec<Self>, RecordError> {
        let (cell, fold, start) = (
            table.to_text(path, "cell")?,
            table.to_i32(path, "fold")?,
            table.to_text(path, "start")?,
        );
        let (fraction, n_labels) = (
            table.to_f64(path, "fraction")?,
            table.to_i32(path, "n_labels")?,
        );
        let (seed, draw, budget) = (
            table.to_i32(path, "seed")?,
            table.to_i32(path, "draw")?,
            table.to_text(path, "budget")?,
        );
        let (split, video) = (table.to_text(path, "split")?, table.to_text(path, "video")?);
        let (segment, emotion) = (
            table.to_i32(path, "segment")?,
            table.to_text(path, "emotion")?,
        );
        let (intensity, present) = (
            table.to_f64(path, "intensity")?,
            table.to_bool(path, "present")?,
        );
        let score = table.to_option_f64(path, "score")?;
        let predicted = table.to_option_f64(path, "predicted_intensity")?;
        let threshold = table.to_f64(path, "threshold")?;
        // Tables from other software may come without pre-training and without partitions.
        let pretrain_seed = match table.get("pretrain_seed") {
            Some(_) => table.to_option_i32(path, "pretrain_seed")?,
            None => Vec::new().into(),
        };
        let partition = match table.get("partition") {
            Some(_) => table.to_i32(path, "partition")?,
            None => vec![0; table.rows()].into(),
        };
        let mut cells: Vec<CellPredictions> = Vec::new();
        for i in 0..table.rows() {
            let pretrain_seed = pretrain_seed.get(i).copied().flatten();
            let row = PredictionRow {
                split: split[i].clone(),
                video: video[i].clone(),
                segment: segment[i],
                emotion: emotion[i].clone(),
                intensity: intensity[i],
                present: present[i],
                score: score[i],
                predicted_intensity: predicted[i],
                threshold: threshold[i],
            };
            match cells.last_mut() {
                Some(last) if last.id.cell == cell[i] => {
                    let id = &last.id;
                    let same = (id.partition, id.fold, id.n_labels)
                        == (partition[i], fold[i], n_labels[i])
                        && (id.seed, id.draw, id.pretrain_seed)
                            == (seed[i], draw[i], pretrain_seed)
                        && (&id.start, &id.budget, id.fraction)
                            == (&start[i], &budget[i], fraction[i]);
                    if !same {
                        return Err(RecordError::Column {
                            path: path.to_path_buf(),
                            column: "cell".into(),
                            expected: format!("equal settings of cell {} in all its rows", cell[i]),
                            found: format!("different ones in row {}", i + 1),
                        });
                    }
                    last.rows.push(row);
                }
                _ => cells.push(CellPredictions {
                    id: CellId {
                        cell: cell[i].clone(),
                        partition: partition[i],
                        fold: fold[i],
                        start: start[i].clone(),
                        fraction: fraction[i],
                        n_labels: n_labels[i],
                        seed: seed[i],
                        draw: draw[i],
                        budget: budget[i].clone(),
                        pretrain_seed,
                    },
                    rows: vec![row],
                }),
            }
        }
        Ok(cells)
    }
}

/// Visits the cells of a table of predictions. At most two cells are in memory at a time.
///
/// # Errors
/// As [`CellPredictions::from_table`]; a cell whose rows are not contiguous; the errors of `visit`.
pub fn each_cell<E: From<RecordError>>(
    path: &Path,
    visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = TableReader::open(path)?;
    visit_cells(path, || parts.next().transpose(), |_| true, visit)
}

/// Like [`each_cell`], but only for the cells with these keys. Parts of the file without any of
/// them are skipped.
///
/// # Errors
/// As [`each_cell`].
pub fn each_cell_of<E: From<RecordError>>(
    path: &Path,
    keys: &BTreeSet<String>,
    visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = TableReader::open(path)?;
    visit_cells(
        path,
        || parts.next_with("cell", |key| keys.contains(key)),
        |key| keys.contains(key),
        visit,
    )
}

fn visit_cells<E: From<RecordError>>(
    path: &Path,
    mut next: impl FnMut() -> Result<Option<Table>, RecordError>,
    wanted: impl Fn(&str) -> bool,
    mut visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut open: Option<CellPredictions> = None;
    let mut seen = BTreeSet::new();
    while let Some(part) = next()? {
        for cell in CellPredictions::from_table(path, &part)?
            .into_iter()
            .filter(|c| wanted(&c.id.cell))
        {
            match &mut open {
                // A cell may continue in the next part.
                Some(last) if last.id == cell.id => last.rows.extend(cell.rows),
                _ if !seen.insert(cell.id.cell.clone()) => {
                    return Err(E::from(RecordError::Column {
                        path: path.to_path_buf(),
                        column: "cell".into(),
                        expected: "contiguous rows of each cell (sort the table by cell)".into(),
                        found: format!("cell {} in two places", cell.id.cell),
                    }));
                }
                _ => {
                    if let Some(whole) = open.replace(cell) {
                        visit(whole)?;
                    }
                }
            }
        }
    }
    open.map_or(Ok(()), visit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(name: &str, seed: i32) -> CellPredictions {
        let id = CellId {
            cell: name.into(),
            partition: 1,
            fold: 1,
            start: "ssl".into(),
            fraction: 0.05,
            n_labels: 12,
            seed,
            draw: 2,
            budget: "f0.05".into(),
            pretrain_seed: Some(5),
        };
        let row = PredictionRow {
            split: "test".into(),
            video: "-x_1".into(),
            segment: 4,
            emotion: "fear".into(),
            intensity: 1.0 / 3.0,
            present: true,
            score: Some(0.7),
            predicted_intensity: None,
            threshold: 0.5,
        };
        CellPredictions {
            id,
            rows: vec![
                row.clone(),
                PredictionRow {
                    split: "valid".into(),
                    score: None,
                    ..row
                },
            ],
        }
    }

    #[test]
    fn cells_round_trip_through_a_table() {
        let path = Path::new("p.parquet");
        assert_eq!(
            CellPredictions::from_table(path, &cell("a", 3).to_table()).unwrap(),
            [cell("a", 3)]
        );
    }

    #[test]
    fn a_table_without_pretraining_is_read_and_one_without_budgets_is_not() {
        let without = |left_out: &str| {
            let table = cell("a", 3).to_table();
            let kept = table.columns().iter().filter(|(name, _)| name != left_out);
            let table = kept.fold(Table::new(), |table, (name, column)| {
                table.with(name, column.clone())
            });
            CellPredictions::from_table(Path::new("p.parquet"), &table).map_err(|e| e.to_string())
        };
        let got = without("pretrain_seed").unwrap();
        assert_eq!(
            (got[0].id.pretrain_seed, &got[0].rows),
            (None, &cell("a", 3).rows)
        );
        let got = without("partition").unwrap();
        assert_eq!((got[0].id.partition, got[0].id.fold), (0, 1));
        let message = without("budget").unwrap_err();
        assert!(
            message.contains("column 'budget': expected text, found no such column"),
            "{message}"
        );
    }

    #[test]
    fn a_cell_with_separate_rows_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.parquet");
        let mut writer = crate::TableWriter::create(&path).unwrap();
        for name in ["a", "b", "a"] {
            writer.append(&cell(name, 3).to_table()).unwrap();
        }
        writer.finish().unwrap();
        let visited = each_cell(&path, |_| Ok::<(), RecordError>(()));
        let message = visited.unwrap_err().to_string();
        assert!(
            message.contains("sort the table by cell") && message.contains("cell a in two places"),
            "{message}"
        );
    }

    #[test]
    fn requested_cells_are_visited_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.parquet");
        let mut writer = crate::TableWriter::create(&path).unwrap();
        // Cell b spans two parts.
        for name in ["a", "b", "b", "c"] {
            writer.append(&cell(name, 3).to_table()).unwrap();
        }
        writer.finish().unwrap();
        let visited = |keys: Option<&[&str]>| {
            let mut seen = Vec::new();
            let mut visit = |cell: CellPredictions| -> Result<(), RecordError> {
                seen.push(format!("{}{}", cell.id.cell, cell.rows.len()));
                Ok(())
            };
            match keys {
                None => each_cell(&path, &mut visit).unwrap(),
                Some(keys) => {
                    each_cell_of(
                        &path,
                        &keys.iter().map(|k| k.to_string()).collect(),
                        &mut visit,
                    )
                    .unwrap();
                }
            }
            seen.join(" ")
        };
        assert_eq!(visited(None), "a2 b4 c2");
        assert_eq!(visited(Some(&["b", "x"])), "b4");
        assert_eq!(visited(Some(&[])), "");
    }

    #[test]
    fn a_cell_with_two_settings_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.parquet");
        let mut writer = crate::TableWriter::create(&path).unwrap();
        writer.append(&cell("a", 3).to_table()).unwrap();
        writer.append(&cell("a", 4).to_table()).unwrap();
        writer.finish().unwrap();
        let error = CellPredictions::from_table(&path, &Table::read(&path).unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains("equal settings of cell a"), "{error}");
    }
}
