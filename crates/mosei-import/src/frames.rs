//! Tables with one row per frame.
//!
//! What lives here: the checks of rows, and their order. What does not: the meaning of columns
//! (`feature_columns`), the file's format, and storing the frames.

use crate::ImportError;
use crate::duration_text;
use crate::feature_columns::{FeatureColumns, LeftOutColumn};
use crate::frame_store::{Disorder, FrameWriter, MAX_TIED, Recording};
use crate::list_frames::{self, Lists};
use crate::mapping::{Mapping, TimeUnit};
use crate::recording_ids::{SegmentRef, spellings};
use crate::table::Table;
use mosei_data::DataError;
use std::borrow::Cow;
use std::path::Path;

/// Largest frame number: a hundred years at 100 Hz.
const MAX_FRAME: f64 = 4e11;

/// What a table of frames holds beside its frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FrameTable {
    /// Names of the feature columns; `None` where they have none.
    pub names: Option<Vec<String>>,
    /// Indices of those that are left out where no row has a value.
    pub droppable: Vec<usize>,
    /// Columns that are no features.
    pub left_out: Vec<LeftOutColumn>,
    /// The column with the times, where it has any.
    pub times: Option<String>,
    /// Whether these are centres of frames.
    pub centred: bool,
    /// Whether the names of all columns were given, as the file has none.
    pub headerless: bool,
    /// What else a person should check.
    pub notes: Vec<String>,
}

/// Reads all rows of a table. `recording` is the name of the one recording of a table in a folder,
/// and replaces a column with that name. `hop_s` is the step between frames in seconds.
///
/// # Errors
/// Where a column or a cell is invalid; the error names file, row and column.
pub(crate) fn read(
    mut table: Table,
    mapping: &Mapping,
    recording: Option<&str>,
    lists: Option<Lists>,
    hop_s: Option<f64>,
    frame_writer: &mut FrameWriter,
) -> Result<FrameTable, ImportError> {
    let columns = FeatureColumns::of(&table, mapping, recording.is_some())?;
    if let Some(Lists::Recordings(axes)) = lists {
        return list_frames::read(
            table,
            mapping,
            &columns,
            recording,
            axes,
            hop_s,
            frame_writer,
        );
    }
    let vectors = lists.is_some();
    let name = |i: usize| table.names()[i].clone();
    let found = FrameTable {
        names: (!vectors).then(|| columns.features.iter().map(|&i| name(i)).collect()),
        droppable: columns.droppable.clone(),
        left_out: columns.left_out.clone(),
        times: columns.start.map(name),
        centred: columns.centred,
        headerless: table.headerless(),
        notes: Vec::new(),
    };
    if !vectors {
        require_columns(table.path(), frame_writer, columns.features.len())?;
    }
    if columns.start.is_none() && hop_s.is_none() {
        let expected = "a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate";
        let found = format!("neither: {}", listed(table.names()));
        return Err(ImportError::table(table.path(), "header", expected, found));
    }
    let mut current: Option<(String, String, usize)> = None;
    let mut features = vec![0.0; columns.features.len()];
    // The recording's name in a table that is named by its file.
    let mut own: Option<String> = None;
    while table.advance()? {
        if let (Some(_), Some(column)) = (recording, columns.video) {
            let name = table.cell(column).text().unwrap_or_default();
            let own = own.get_or_insert_with(|| name.to_string());
            if *own != *name {
                let expected = format!("'{own}' in all rows, as the file holds one recording");
                let hint = "name the column as video in [features] of a mapping file where the files of the folder hold several";
                return Err(table
                    .invalid_cell(column, expected)
                    .with_hint(Some(hint.into())));
            }
        }
        if vectors {
            let width = list_frames::list_of(&table, &columns)?.values.len();
            require_columns(table.path(), frame_writer, width)?;
        }
        let (name, segment) = names_of(&table, &columns, recording)?;
        let at = match &current {
            Some((current, part, at)) if *current == *name && *part == *segment => *at,
            _ => {
                let at = begin(&table, mapping, &name, &segment, frame_writer)?;
                current = Some((name.into_owned(), segment.into_owned(), at));
                at
            }
        };
        let (start, end) = times(
            &table,
            &columns,
            mapping.features.unit,
            hop_s,
            at,
            frame_writer,
        )?;
        if vectors {
            features.clone_from(&list_frames::list_of(&table, &columns)?.values);
        } else {
            for (x, &column) in features.iter_mut().zip(&columns.features) {
                *x = table
                    .cell(column)
                    .feature()
                    .ok_or_else(|| not_a_feature(&table, &columns, column))?;
            }
        }
        for &target in &columns.targets {
            if !features[target].is_nan() {
                return Err(a_target(&table, columns.features[target]));
            }
        }
        frame_writer.push(at, start, end, &features)?;
    }
    Ok(found)
}

/// Checks that a file has as many columns as those before.
pub(crate) fn require_columns(
    path: &Path,
    frame_writer: &mut FrameWriter,
    columns: usize,
) -> Result<(), ImportError> {
    let other = frame_writer.first_name().unwrap_or_default().to_string();
    frame_writer.require_columns(columns).map_err(|before| {
        let expected = format!("{before} feature columns, as in '{other}'");
        ImportError::table(path, "header", expected, format!("{columns}"))
    })
}

/// Names of the recording and segment of this row.
pub(crate) fn names_of<'a>(
    table: &'a Table,
    columns: &FeatureColumns,
    recording: Option<&'a str>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), ImportError> {
    if let Some(name) = recording {
        return Ok((Cow::Borrowed(name), Cow::Borrowed("")));
    }
    let text = |column: Option<usize>, expected: &str| match column {
        Some(column) => table
            .cell(column)
            .text()
            .ok_or_else(|| table.invalid_cell(column, expected)),
        None => Ok(Cow::Borrowed("")),
    };
    Ok((
        text(columns.video, "the name of a recording")?,
        text(columns.segment, "the name of a segment")?,
    ))
}

/// The recording of this row, added where it is new.
pub(crate) fn begin(
    table: &Table,
    mapping: &Mapping,
    source_name: &str,
    segment: &str,
    frame_writer: &mut FrameWriter,
) -> Result<usize, ImportError> {
    let id = mapping.ids.id(source_name);
    let (name, segment) = match segment {
        "" => (id, None),
        segment => (
            spellings(&id, segment)[0].0.clone(),
            Some(SegmentRef::named(id, segment.to_string())),
        ),
    };
    begin_recording(
        table.path(),
        &table.place(),
        &name,
        segment,
        source_name,
        frame_writer,
    )
}

/// The recording with id `name`, added where it is new. Without a `segment`, the id may name one.
pub(crate) fn begin_recording(
    path: &Path,
    place: &str,
    name: &str,
    segment: Option<SegmentRef>,
    source_name: &str,
    frame_writer: &mut FrameWriter,
) -> Result<usize, ImportError> {
    frame_writer
        .recording(name, segment.or_else(|| SegmentRef::of(name)), source_name)
        .map_err(|other| {
            let found = format!("'{other}' and '{source_name}', both '{name}'");
            ImportError::table(
                path,
                place,
                "file names that differ without folder and extension",
                found,
            )
            .with_hint(Some("see [ids] in docs/your-data.md".into()))
        })
}

/// Start and end of this row's frame, seconds; the end is NaN where unknown.
fn times(
    table: &Table,
    columns: &FeatureColumns,
    unit: TimeUnit,
    hop_s: Option<f64>,
    recording: usize,
    frame_writer: &mut FrameWriter,
) -> Result<(f64, f64), ImportError> {
    let found = frame_writer.get(recording);
    let (column, start) = match (columns.start, columns.frame, hop_s) {
        (Some(column), ..) => (
            Some(column),
            table
                .cell(column)
                .seconds(unit)
                .ok_or_else(|| table.invalid_cell(column, duration_text::EXPECTED))?,
        ),
        (None, Some(column), Some(hop)) => {
            let number = table
                .cell(column)
                .number()
                .filter(|n| n.fract() == 0.0 && (0.0..MAX_FRAME).contains(n));
            (
                Some(column),
                number
                    .ok_or_else(|| table.invalid_cell(column, "the number of a frame, from 0"))?
                    * hop,
            )
        }
        (None, _, hop) => (None, found.frames as f64 * hop.unwrap_or(0.0)),
    };
    if let Some(column) = column {
        require_order(table, column, found, start)?;
        if start < found.last_start && found.disorder.is_none() {
            let place = format!("{}, column '{}'", table.place(), table.names()[column]);
            let disorder = Disorder {
                place,
                start,
                before: found.last_start,
            };
            frame_writer.set_disorder(recording, disorder);
        }
    }
    let end = match columns.end {
        None => return Ok((start, f64::NAN)),
        Some(column) => match table.cell(column) {
            cell if cell.is_missing() => return Ok((start, f64::NAN)),
            cell => (
                column,
                cell.seconds(unit)
                    .ok_or_else(|| table.invalid_cell(column, duration_text::EXPECTED))?,
            ),
        },
    };
    match end {
        (_, end) if end > start => Ok((start, end)),
        (column, _) => {
            Err(table.invalid_cell(column, format!("an end after the start ({start} s)")))
        }
    }
}

/// Checks the start of a frame against that of the frame before: only the last few frames of a
/// recording, or of a stretch of it, may share one. openSMILE's do, where windows of different
/// lengths end together.
fn require_order(
    table: &Table,
    column: usize,
    recording: &Recording,
    start: f64,
) -> Result<(), ImportError> {
    let (name, last) = (&recording.name, recording.last_start);
    let tied = recording.tied_in_stretch();
    let expected = if start > last && tied > 0 && !recording.follows(start) {
        format!(
            "no frame after those of '{name}' with the same start ({last} s): only the last frames of a recording, or of a stretch of it, may share one"
        )
    } else if start == last && (recording.frames <= tied + 1 || tied >= MAX_TIED) {
        format!("a later time than that of the previous frame of '{name}' ({last} s)")
    } else {
        return Ok(());
    };
    Err(table
        .invalid_cell(column, expected)
        .with_hint(Some(OWN_FRAMES.into())))
}

/// The hint where frames of one recording overlap.
const OWN_FRAMES: &str =
    "segments of one recording that have frames of their own need a column 'segment'";

/// Checks that the frames of each recording are in order of time, or in stretches that do not
/// overlap.
///
/// # Errors
/// The first recording whose stretches overlap.
pub(crate) fn check_order(path: &Path, frame_writer: &FrameWriter) -> Result<(), ImportError> {
    for recording in frame_writer.recordings() {
        let (Some(disorder), true) = (&recording.disorder, recording.stretches_overlap()) else {
            continue;
        };
        let expected = format!(
            "the frames of '{}' in order of time, or in stretches that do not overlap",
            recording.name
        );
        let found = format!(
            "a start at {} s after one at {} s",
            disorder.start, disorder.before
        );
        let error = ImportError::table(path, disorder.place.clone(), expected, found);
        return Err(error.with_hint(Some(OWN_FRAMES.into())));
    }
    Ok(())
}

/// The error for a cell that is no number; all such columns of the row are named.
fn not_a_feature(table: &Table, columns: &FeatureColumns, column: usize) -> ImportError {
    let words: Vec<String> = columns
        .features
        .iter()
        .filter(|&&i| table.cell(i).feature().is_none())
        .map(|&i| format!("{:?}", table.names()[i]))
        .collect();
    let hint = match words.as_slice() {
        [_] => {
            "if the column is not a feature, list it under 'ignore' in [features] of a mapping file"
                .into()
        }
        _ => format!(
            "if these columns are not features, a mapping file leaves them out: [features] ignore = [{}]",
            words.join(", ")
        ),
    };
    let error = table.invalid_cell(column, "a number");
    match &error {
        ImportError::Data(DataError::Content { hint: None, .. }) => error.with_hint(Some(hint)),
        _ => error,
    }
}

/// The error for a value in a column with the name of a target.
fn a_target(table: &Table, column: usize) -> ImportError {
    let expected = "features, and no target among them unless a mapping file says so";
    let hint = format!(
        "list {0:?} under 'ignore' in [features] of a mapping file, or under 'keep' where it is a feature",
        table.names()[column]
    );
    table.invalid_cell(column, expected).with_hint(Some(hint))
}

/// Column names for an error message.
pub(crate) fn listed(names: &[String]) -> String {
    const MAX: usize = 8;
    let first: Vec<String> = names.iter().take(MAX).map(|n| format!("'{n}'")).collect();
    let more = if names.len() > MAX {
        format!(" and {} more", names.len() - MAX)
    } else {
        String::new()
    };
    format!("the columns {}{more}", first.join(", "))
}
