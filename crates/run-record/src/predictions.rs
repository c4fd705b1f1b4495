//! `predictions.parquet`: one row a (cell, segment, emotion).

use crate::{Column, RecordError, Table, TableReader};
use std::collections::BTreeSet;
use std::path::Path;

const PRETRAIN_SEED: &str = "pretrain_seed";

/// The settings that name a cell of the study's grid.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellId {
    /// The cell's key.
    pub cell: String,
    /// Cross-validation fold; 0 where there is one split.
    pub fold: i32,
    /// `ssl`, `scratch`, `frozen`, `random-frozen`, or a control.
    pub start: String,
    /// Share of the training segments whose labels were used.
    pub fraction: f64,
    /// How many that was.
    pub n_labels: i32,
    /// Training seed: first weights of the heads (and of an encoder that is not pre-trained), batches, dropout.
    pub seed: i32,
    /// Which label draw.
    pub draw: i32,
    /// Seed of the pre-training; `None` for a start without one, and in tables of before this column.
    pub pretrain_seed: Option<i32>,
}

/// What a cell predicts of one emotion in one segment, beside its label.
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
    /// The label under the presence rule.
    pub present: bool,
    /// Predicted probability of presence; `None` without such a head.
    pub score: Option<f64>,
    /// Predicted intensity; `None` without such a head.
    pub predicted_intensity: Option<f64>,
    /// The threshold applied to `score`: present where `score >= threshold`.
    pub threshold: f64,
}

/// All predictions of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPredictions {
    /// Which cell.
    pub id: CellId,
    /// Its rows, in the order of the file.
    pub rows: Vec<PredictionRow>,
}

impl CellPredictions {
    /// The rows as a table in the columns of `predictions.parquet`.
    pub fn to_table(&self) -> Table {
        let n = self.rows.len();
        let text = |value: &str| Column::Text(vec![value.to_string(); n]);
        let column =
            |of: fn(&PredictionRow) -> &str| Column::Text(self.rows.iter().map(|r| of(r).to_string()).collect());
        Table::new()
            .with("cell", text(&self.id.cell))
            .with("fold", Column::I32(vec![self.id.fold; n]))
            .with("start", text(&self.id.start))
            .with("fraction", Column::F64(vec![self.id.fraction; n]))
            .with("n_labels", Column::I32(vec![self.id.n_labels; n]))
            .with("seed", Column::I32(vec![self.id.seed; n]))
            .with("draw", Column::I32(vec![self.id.draw; n]))
            .with(PRETRAIN_SEED, Column::OptionI32(vec![self.id.pretrain_seed; n]))
            .with("split", column(|r| &r.split))
            .with("video", column(|r| &r.video))
            .with("segment", Column::I32(self.rows.iter().map(|r| r.segment).collect()))
            .with("emotion", column(|r| &r.emotion))
            .with("intensity", Column::F64(self.rows.iter().map(|r| r.intensity).collect()))
            .with("present", Column::Bool(self.rows.iter().map(|r| r.present).collect()))
            .with("score", Column::OptionF64(self.rows.iter().map(|r| r.score).collect()))
            .with("predicted_intensity", Column::OptionF64(self.rows.iter().map(|r| r.predicted_intensity).collect()))
            .with("threshold", Column::F64(self.rows.iter().map(|r| r.threshold).collect()))
    }

    /// The cells of a table, in the order of their first rows; the rows of a cell stand together.
    ///
    /// # Errors
    /// A column that is missing or of another type, and a cell whose rows differ in its settings.
    pub fn from_table(path: &Path, table: &Table) -> Result<Vec<Self>, RecordError> {
        let (cell, fold, start) = (table.text(path, "cell")?, table.i32(path, "fold")?, table.text(path, "start")?);
        let (fraction, n_labels) = (table.f64(path, "fraction")?, table.i32(path, "n_labels")?);
        let (seed, draw, split) = (table.i32(path, "seed")?, table.i32(path, "draw")?, table.text(path, "split")?);
        let (video, segment, emotion) =
            (table.text(path, "video")?, table.i32(path, "segment")?, table.text(path, "emotion")?);
        let (intensity, present) = (table.f64(path, "intensity")?, table.bool(path, "present")?);
        let (score, predicted) = (table.option_f64(path, "score")?, table.option_f64(path, "predicted_intensity")?);
        let threshold = table.f64(path, "threshold")?;
        let pretrain_seed = match table.get(PRETRAIN_SEED) {
            Some(_) => table.option_i32(path, PRETRAIN_SEED)?,
            None => &[],
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
                    let same = (last.id.fold, last.id.n_labels, last.id.seed, last.id.draw, last.id.pretrain_seed)
                        == (fold[i], n_labels[i], seed[i], draw[i], pretrain_seed)
                        && last.id.start == start[i]
                        && last.id.fraction == fraction[i];
                    if !same {
                        return Err(RecordError::Column {
                            path: path.to_path_buf(),
                            column: "cell".into(),
                            expected: format!("the settings of cell {} to be the same in all its rows", cell[i]),
                            found: format!("others in row {i}"),
                        });
                    }
                    last.rows.push(row);
                }
                _ => cells.push(CellPredictions {
                    id: CellId {
                        cell: cell[i].clone(),
                        fold: fold[i],
                        start: start[i].clone(),
                        fraction: fraction[i],
                        n_labels: n_labels[i],
                        seed: seed[i],
                        draw: draw[i],
                        pretrain_seed,
                    },
                    rows: vec![row],
                }),
            }
        }
        Ok(cells)
    }
}

/// Visits the cells of a table of predictions, of which no more than two are held at a time.
///
/// # Errors
/// As [`CellPredictions::from_table`], and those of `visit`.
pub fn each_cell<E: From<RecordError>>(
    path: &Path,
    visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = TableReader::open(path)?;
    visit_cells(path, || parts.next().transpose(), |_| true, visit)
}

/// The same for the cells of these keys; parts without one of them are passed over.
///
/// # Errors
/// As [`each_cell`].
pub fn each_cell_of<E: From<RecordError>>(
    path: &Path,
    keys: &BTreeSet<String>,
    visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = TableReader::open(path)?;
    visit_cells(path, || parts.next_with("cell", |key| keys.contains(key)), |key| keys.contains(key), visit)
}

fn visit_cells<E: From<RecordError>>(
    path: &Path,
    mut next: impl FnMut() -> Result<Option<Table>, RecordError>,
    wanted: impl Fn(&str) -> bool,
    mut visit: impl FnMut(CellPredictions) -> Result<(), E>,
) -> Result<(), E> {
    let mut open: Option<CellPredictions> = None;
    while let Some(part) = next()? {
        for cell in CellPredictions::from_table(path, &part)?.into_iter().filter(|c| wanted(&c.id.cell)) {
            match &mut open {
                // A cell may go on in the next part.
                Some(last) if last.id == cell.id => last.rows.extend(cell.rows),
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
            fold: 1,
            start: "ssl".into(),
            fraction: 0.05,
            n_labels: 12,
            seed,
            draw: 2,
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
        CellPredictions { id, rows: vec![row.clone(), PredictionRow { split: "valid".into(), score: None, ..row }] }
    }

    #[test]
    fn cells_come_back_from_their_table() {
        let path = Path::new("p.parquet");
        assert_eq!(CellPredictions::from_table(path, &cell("a", 3).to_table()).unwrap(), [cell("a", 3)]);
    }

    #[test]
    fn a_table_of_before_the_pretraining_seed_is_read() {
        let mut old = Table::new();
        for (name, column) in cell("a", 3).to_table().columns().iter().filter(|(name, _)| name != PRETRAIN_SEED) {
            old = old.with(name, column.clone());
        }
        let got = CellPredictions::from_table(Path::new("p.parquet"), &old).unwrap();
        assert_eq!((got[0].id.pretrain_seed, &got[0].rows), (None, &cell("a", 3).rows));
    }

    #[test]
    fn cells_are_visited_whole_and_only_those_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.parquet");
        let mut writer = crate::TableWriter::create(&path).unwrap();
        // Cell b stands in two parts.
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
                    each_cell_of(&path, &keys.iter().map(|k| k.to_string()).collect(), &mut visit).unwrap();
                }
            }
            seen.join(" ")
        };
        assert_eq!(visited(None), "a2 b4 c2");
        assert_eq!(visited(Some(&["b", "x"])), "b4");
        assert_eq!(visited(Some(&[])), "");
    }

    #[test]
    fn a_cell_of_two_settings_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.parquet");
        let mut writer = crate::TableWriter::create(&path).unwrap();
        writer.append(&cell("a", 3).to_table()).unwrap();
        writer.append(&cell("a", 4).to_table()).unwrap();
        writer.finish().unwrap();
        let error = CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains("settings of cell a"), "{error}");
    }
}
