//! `results.csv`: one row per measurement.

use crate::{RecordError, StagedFile};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One measurement of one cell. An undefined value is `None`, an empty field in the file, and never
/// 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The cell's key.
    pub cell: String,
    /// Partition of the videos into folds, from 0.
    #[serde(default)]
    pub partition: i32,
    /// Cross-validation fold, counted over all partitions; 0 with a single split.
    pub fold: i32,
    /// `ssl`, `scratch`, `frozen`, `random-frozen`, or a control.
    pub start: String,
    /// Fraction of the training segments whose labels were used.
    pub fraction: f64,
    /// The number of these segments.
    pub n_labels: i32,
    /// Training seed.
    pub seed: i32,
    /// The number of the label draw.
    pub draw: i32,
    /// Name of the label budget, as configured: `n24`, `f0.05`.
    pub budget: String,
    /// Seed of the pre-training; `None` for a start without one.
    pub pretrain_seed: Option<i32>,
    /// `valid` or `test`.
    pub split: String,
    /// An emotion, `macro` or `micro`.
    pub emotion: String,
    /// Name of the metric.
    pub metric: String,
    /// The value, if it is defined.
    pub value: Option<f64>,
    /// The number of positive rows; of all rows for intensity errors.
    pub support: u64,
}

/// Writes `results.csv` atomically.
pub fn write_results(path: &Path, rows: &[ResultRow]) -> Result<(), RecordError> {
    let staged = StagedFile::create(path)?;
    let mut writer = csv::Writer::from_writer(staged.reopen()?);
    for row in rows {
        writer.serialize(row).map_err(RecordError::csv(path))?;
    }
    writer.flush().map_err(RecordError::io("write", path))?;
    drop(writer);
    staged.commit()
}

/// Reads `results.csv`.
pub fn read_results(path: &Path) -> Result<Vec<ResultRow>, RecordError> {
    let mut reader = csv::Reader::from_path(path).map_err(RecordError::csv(path))?;
    reader
        .deserialize()
        .map(|row| row.map_err(RecordError::csv(path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_are_empty_fields() {
        let row = ResultRow {
            cell: "c".into(),
            partition: 0,
            fold: 0,
            start: "ssl".into(),
            fraction: 0.1,
            n_labels: 7,
            seed: 1,
            draw: 2,
            budget: "f0.1".into(),
            pretrain_seed: None,
            split: "test".into(),
            emotion: "fear".into(),
            metric: "roc_auc".into(),
            value: None,
            support: 0,
        };
        let rows = vec![
            row.clone(),
            ResultRow {
                value: Some(0.1 + 0.2),
                pretrain_seed: Some(1),
                ..row
            },
        ];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.csv");
        write_results(&path, &rows).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "cell,partition,fold,start,fraction,n_labels,seed,draw,budget,pretrain_seed,split,emotion,metric,value,support\n\
             c,0,0,ssl,0.1,7,1,2,f0.1,,test,fear,roc_auc,,0\n\
             c,0,0,ssl,0.1,7,1,2,f0.1,1,test,fear,roc_auc,0.30000000000000004,0\n"
        );
        assert_eq!(read_results(&path).unwrap(), rows);
    }
}
