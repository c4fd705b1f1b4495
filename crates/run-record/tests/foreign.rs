//! Predictions that other software wrote, by `foreign/make.py`.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use run_record::{CellPredictions, RecordError, each_cell};
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/foreign")
        .join(name)
}

fn cells(name: &str) -> Vec<CellPredictions> {
    let mut cells = Vec::new();
    each_cell(&file(name), |cell| {
        cells.push(cell);
        Ok::<(), RecordError>(())
    })
    .unwrap();
    cells
}

#[test]
fn tables_of_pandas_polars_and_duckdb_are_equal() {
    let all = ["pandas.parquet", "polars.parquet", "duckdb.parquet"].map(cells);
    let [a, b] = &all[0][..] else {
        panic!("two cells: {:?}", all[0])
    };
    assert_eq!(
        (
            a.id.cell.as_str(),
            a.id.budget.as_str(),
            a.id.fold,
            a.id.n_labels
        ),
        ("a", "n8", 2, 8)
    );
    assert_eq!((a.id.pretrain_seed, b.id.pretrain_seed), (Some(1), None));
    assert_eq!(
        (a.rows.len(), b.rows.len()),
        (6, 6),
        "a cell continues in the next row group"
    );
    // Missing intensities, and ids that look like numbers.
    assert_eq!(
        (a.rows[3].predicted_intensity, b.rows[3].predicted_intensity),
        (Some(0.75), None)
    );
    assert_eq!(
        (a.rows[5].video.as_str(), a.rows[5].score, a.rows[5].present),
        ("005", Some(0.625), true)
    );
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}
