//! Tables whose features are one column of lists: a vector for each frame, or an array for each
//! recording (Hugging Face's data sets, polars).
//!
//! What lives here: what the lists are, and the frames of arrays. What does not: the shapes' axes
//! (`axes`), rows that are frames (`frames`).

use crate::axes;
use crate::feature_columns::FeatureColumns;
use crate::frame_store::FrameWriter;
use crate::frames::{FrameTable, begin, names_of, require_columns};
use crate::mapping::{Axes, Mapping};
use crate::parquet_lists::List;
use crate::table::{Table, TableFormat};
use crate::{ImportError, cell::Cell, duration_text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the lists of a table are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Lists {
    /// A vector for each frame.
    Frames,
    /// An array for each recording.
    Recordings(Axes),
}

/// What the lists of tables are; `None` where they have none.
///
/// # Errors
/// Where an array is ragged, or its axes are not clear.
pub(crate) fn find(
    path: &Path,
    files: &[PathBuf],
    format: TableFormat,
    mapping: &Mapping,
    names: Option<usize>,
    hop_s: Option<f64>,
) -> Result<Option<Lists>, ImportError> {
    if format != TableFormat::Parquet {
        return Ok(None);
    }
    let (mut shapes, mut seen, mut rows_are_frames) = (Vec::new(), BTreeSet::new(), false);
    for file in files {
        let mut table = Table::open(file, format, None)?;
        let columns = FeatureColumns::of(&table, mapping, true)?;
        if columns.depth == 0 {
            return Ok(None);
        }
        let timed = columns.start.is_some() || columns.frame.is_some();
        while table.advance()? {
            let (name, segment) = names_of(&table, &columns, None)?;
            let name = format!("{name}{segment}");
            let shape = shape_of(&table, &columns)?;
            let again = columns.video.is_some() && !seen.insert(name.clone());
            rows_are_frames |= columns.depth == 1 && (timed || again);
            if rows_are_frames {
                return Ok(Some(Lists::Frames));
            }
            shapes.extend(shape.map(|shape| (name, shape)));
        }
    }
    let hop = hop_s.unwrap_or(0.0);
    axes::decide(path, &shapes, mapping.features.axes, names, hop)
        .map(|axes| Some(Lists::Recordings(axes)))
}

/// The list of this row.
pub(crate) fn list_of<'t>(
    table: &'t Table,
    columns: &FeatureColumns,
) -> Result<&'t List, ImportError> {
    let column = columns.features[0];
    match table.cell(column) {
        Cell::List(list) => Ok(list),
        _ => Err(table.invalid_cell(column, "a list of numbers")),
    }
}

fn shape_of(table: &Table, columns: &FeatureColumns) -> Result<Option<Vec<usize>>, ImportError> {
    list_of(table, columns)?
        .shape(columns.depth)
        .map_err(|[one, other]| {
            let place = format!(
                "{}, column '{}'",
                table.place(),
                table.names()[columns.features[0]]
            );
            let found = format!("{one} and {other}");
            ImportError::table(
                table.path(),
                place,
                "lists of one length in an array",
                found,
            )
        })
}

/// Reads the arrays of a table, one for each row. A row's own start, where there is a column with
/// it, is that of its first frame.
///
/// # Errors
/// Where there is no frame rate, a recording has two rows without a start, or widths differ.
pub(crate) fn read(
    mut table: Table,
    mapping: &Mapping,
    columns: &FeatureColumns,
    recording: Option<&str>,
    axes: Axes,
    hop_s: Option<f64>,
    writer: &mut FrameWriter,
) -> Result<FrameTable, ImportError> {
    let Some(hop) = hop_s else {
        let (expected, found) = (
            "--rate with the frame rate, as arrays hold no times",
            "none",
        );
        return Err(ImportError::table(table.path(), "", expected, found));
    };
    while table.advance()? {
        let (name, segment) = names_of(&table, columns, recording)?;
        let Some(shape) = shape_of(&table, columns)? else {
            continue;
        };
        let width = axes::columns_of(&shape, axes);
        require_columns(table.path(), writer, width)?;
        let at = begin(&table, mapping, &name, &segment, writer)?;
        let start = match columns.start {
            None => 0.0,
            Some(column) => table
                .cell(column)
                .seconds(mapping.features.unit)
                .ok_or_else(|| table.invalid_cell(column, duration_text::EXPECTED))?,
        };
        let begun = writer.get(at);
        if begun.frames > 0 && start <= begun.last_start {
            let expected = "one array for each recording, or a later 'start' for each";
            let found = format!("another one of '{}'", begun.name);
            return Err(ImportError::table(
                table.path(),
                table.place(),
                expected,
                found,
            ));
        }
        let values = axes::by_frame(list_of(&table, columns)?.values.clone(), &shape, axes);
        for (k, row) in values.chunks_exact(width).enumerate() {
            writer.push(
                at,
                start + k as f64 * hop,
                start + (k + 1) as f64 * hop,
                row,
            )?;
        }
    }
    let column = &table.names()[columns.features[0]];
    Ok(FrameTable {
        left_out: columns.left_out.clone(),
        notes: vec![format!(
            "features come from the arrays of the column '{column}', read as {}",
            axes.words()
        )],
        ..FrameTable::default()
    })
}
