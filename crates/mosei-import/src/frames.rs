//! Tables with one row per frame.
//!
//! What lives here: the meaning of columns, and the checks of rows. What does not: the file's
//! format, and storing the frames.

use crate::ImportError;
use crate::cell::Cell;
use crate::duration_text;
use crate::frame_store::{FrameWriter, MAX_TIED, Recording};
use crate::mapping::{Mapping, TimeUnit};
use crate::recording_ids::{SegmentRef, spellings};
use crate::table::{Table, is_row_number};
use mosei_data::DataError;
use std::borrow::Cow;
use std::path::Path;

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 5] = ["start", "start_s", "time", "frametime", "timestamp"];
const END: [&str; 2] = ["end", "end_s"];
const FRAME: [&str; 3] = ["frame", "frame_index", "frameindex"];

/// Largest frame number: a hundred years at 100 Hz.
const MAX_FRAME: f64 = 4e11;

/// The columns of a table of frames, by meaning.
struct Columns {
    video: Option<usize>,
    segment: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    frame: Option<usize>,
    features: Vec<usize>,
}

/// Reads all rows of a table; returns the names of its feature columns. `recording` is the name of
/// the one recording of a table in a folder, and replaces a column with that name. `hop_s` is the
/// step between frames in seconds.
///
/// # Errors
/// Where a column or a cell is invalid; the error names file, row and column.
pub(crate) fn read(
    mut table: Table,
    mapping: &Mapping,
    recording: Option<&str>,
    hop_s: Option<f64>,
    frame_writer: &mut FrameWriter,
) -> Result<Vec<String>, ImportError> {
    let columns = Columns::of(&table, mapping, recording.is_some())?;
    let names: Vec<String> = columns
        .features
        .iter()
        .map(|&i| table.names()[i].clone())
        .collect();
    require_columns(table.path(), frame_writer, names.len())?;
    if columns.start.is_none() && hop_s.is_none() {
        let expected = "a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate";
        let found = format!("neither: {}", listed(table.names()));
        return Err(ImportError::table(table.path(), "header", expected, found));
    }
    let mut current: Option<(String, String, usize)> = None;
    let mut features = vec![0.0; names.len()];
    while table.advance()? {
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
        for (x, &column) in features.iter_mut().zip(&columns.features) {
            *x = table
                .cell(column)
                .feature()
                .ok_or_else(|| not_a_feature(&table, column))?;
        }
        frame_writer.push(at, start, end, &features)?;
    }
    Ok(names)
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

impl Columns {
    fn of(table: &Table, mapping: &Mapping, in_a_folder: bool) -> Result<Self, ImportError> {
        let own = &mapping.features;
        let ignored = own
            .ignore
            .iter()
            .map(|name| table.find(name, "[features] ignore"))
            .collect::<Result<Vec<_>, _>>()?;
        let named = |name: &Option<String>, usual: &[&str]| match name {
            Some(name) => table.find(name, "[features]").map(Some),
            None => Ok(table.find_any(usual, &ignored)),
        };
        let video = named(&own.video, &VIDEO)?;
        let segment = named(&own.segment, &SEGMENT)?;
        let (start, end, frame) = (
            named(&own.start, &START)?,
            named(&own.end, &END)?,
            named(&own.frame, &FRAME)?,
        );
        if video.is_none() && !in_a_folder {
            let expected = "a column with the recording of each frame ('video', 'file', 'name' or 'id', or a [features] video in a mapping file)";
            return Err(ImportError::table(
                table.path(),
                "header",
                expected,
                listed(table.names()),
            ));
        }
        let other = |i: &usize| {
            ![video, segment, start, end, frame].contains(&Some(*i))
                && !ignored.contains(i)
                && !is_row_number(&table.names()[*i])
        };
        let features: Vec<usize> = (0..table.names().len()).filter(other).collect();
        if features.is_empty() {
            return Err(ImportError::table(
                table.path(),
                "header",
                "at least one column with a feature",
                listed(table.names()),
            ));
        }
        Ok(Columns {
            video,
            segment,
            start,
            end,
            frame,
            features,
        })
    }
}

/// Names of the recording and segment of this row.
fn names_of<'a>(
    table: &'a Table,
    columns: &Columns,
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
fn begin(
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

/// Whether a frame may have the start of the frame before: openSMILE's last few do, where windows
/// of different lengths end together.
fn may_tie(recording: &Recording, start: f64) -> bool {
    start == recording.last_start
        && recording.frames > recording.tied + 1
        && recording.tied < MAX_TIED
}

/// Start and end of this row's frame, seconds; the end is NaN where unknown.
fn times(
    table: &Table,
    columns: &Columns,
    unit: TimeUnit,
    hop_s: Option<f64>,
    recording: usize,
    frame_writer: &FrameWriter,
) -> Result<(f64, f64), ImportError> {
    let recording = frame_writer.get(recording);
    let last = recording.last_start;
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
        (None, _, hop) => (None, recording.frames as f64 * hop.unwrap_or(0.0)),
    };
    if let (Some(column), true) = (column, start > last && recording.tied > 0) {
        let expected = format!(
            "no frame after those of '{}' with the same start ({last} s): only the last frames of a recording may share one",
            recording.name
        );
        return Err(table.invalid_cell(column, expected));
    }
    if let (Some(column), true) = (column, start <= last && !may_tie(recording, start)) {
        return Err(table.invalid_cell(
            column,
            format!(
                "a later time than that of the previous frame of '{}' ({last} s)",
                recording.name
            ),
        ));
    }
    let end = match columns.end {
        None => return Ok((start, f64::NAN)),
        Some(column) => match table.cell(column) {
            Cell::Missing => return Ok((start, f64::NAN)),
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

fn not_a_feature(table: &Table, column: usize) -> ImportError {
    let error = table.invalid_cell(column, "a number");
    match &error {
        ImportError::Data(DataError::Content { hint: None, .. }) => error.with_hint(Some(
            "if the column is not a feature, list it under 'ignore' in [features] of a mapping file".into(),
        )),
        _ => error,
    }
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
