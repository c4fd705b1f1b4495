//! Rows of a table that are frames.
//!
//! What lives here: which column is which, and what each row must be. What does not: the file's format, and where the frames go.

use super::cell::Cell;
use super::mapping::{Mapping, TimeUnit};
use super::names::{Part, spellings};
use super::scratch::{MOST_TIED, Recording, Scratch};
use super::seconds;
use super::table::{Table, numbers_rows};
use crate::DataError;
use std::borrow::Cow;
use std::path::Path;

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 5] = ["start", "start_s", "time", "frametime", "timestamp"];
const END: [&str; 2] = ["end", "end_s"];
const FRAME: [&str; 3] = ["frame", "frame_index", "frameindex"];

/// Largest number of a frame: nobody has a hundred years of speech at 100 Hz.
const MOST_FRAME: f64 = 4e11;

/// The columns of a table of frames by what they mean.
struct Columns {
    video: Option<usize>,
    segment: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    frame: Option<usize>,
    features: Vec<usize>,
}

/// Reads a table to its end; names of its feature columns. `recording` is the name of the recording that all of it belongs to, where
/// the table is one of a folder; what it says of its own recording is left out then. `hop_s` is the time from frame to frame.
///
/// # Errors
/// Where a column or a cell is not what it must be; names file, row and column.
pub(super) fn read(
    mut table: Table,
    mapping: &Mapping,
    recording: Option<&str>,
    hop_s: Option<f64>,
    scratch: &mut Scratch,
) -> Result<Vec<String>, DataError> {
    let columns = Columns::of(&table, mapping, recording.is_some())?;
    let names: Vec<String> = columns.features.iter().map(|&i| table.names()[i].clone()).collect();
    require_columns(table.path(), scratch, names.len())?;
    if columns.start.is_none() && hop_s.is_none() {
        let expected =
            "a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate";
        let found = format!("neither: {}", listed(table.names()));
        return Err(DataError::table(table.path(), "header", expected, found));
    }
    let mut current: Option<(String, String, usize)> = None;
    let mut features = vec![0.0; names.len()];
    while table.advance()? {
        let (called, segment) = called(&table, &columns, recording)?;
        let at = match &current {
            Some((name, part, at)) if *name == *called && *part == *segment => *at,
            _ => {
                let at = begin(&table, mapping, &called, &segment, scratch)?;
                current = Some((called.into_owned(), segment.into_owned(), at));
                at
            }
        };
        let (start, end) = times(&table, &columns, mapping.features.unit, hop_s, at, scratch)?;
        for (x, &column) in features.iter_mut().zip(&columns.features) {
            *x = table.cell(column).feature().ok_or_else(|| not_a_feature(&table, column))?;
        }
        scratch.push(at, start, end, &features)?;
    }
    Ok(names)
}

/// Wants as many columns as the files before have.
pub(super) fn require_columns(path: &Path, scratch: &mut Scratch, columns: usize) -> Result<(), DataError> {
    let other = scratch.first_name().unwrap_or_default().to_string();
    scratch.require_columns(columns).map_err(|before| {
        let expected = format!("{before} feature columns, as in '{other}'");
        DataError::table(path, "header", expected, format!("{columns}"))
    })
}

impl Columns {
    fn of(table: &Table, mapping: &Mapping, in_a_folder: bool) -> Result<Self, DataError> {
        let own = &mapping.features;
        let ignored =
            own.ignore.iter().map(|name| table.find(name, "[features] ignore")).collect::<Result<Vec<_>, _>>()?;
        let named = |name: &Option<String>, usual: &[&str]| match name {
            Some(name) => table.find(name, "[features]").map(Some),
            None => Ok(table.find_any(usual, &ignored)),
        };
        let video = named(&own.video, &VIDEO)?;
        let segment = named(&own.segment, &SEGMENT)?;
        let (start, end, frame) = (named(&own.start, &START)?, named(&own.end, &END)?, named(&own.frame, &FRAME)?);
        if video.is_none() && !in_a_folder {
            let expected = "a column with the recording of each frame ('video', 'file', 'name' or 'id', or a [features] video in a mapping file)";
            return Err(DataError::table(table.path(), "header", expected, listed(table.names())));
        }
        let other = |i: &usize| {
            ![video, segment, start, end, frame].contains(&Some(*i))
                && !ignored.contains(i)
                && !numbers_rows(&table.names()[*i])
        };
        let features: Vec<usize> = (0..table.names().len()).filter(other).collect();
        if features.is_empty() {
            return Err(DataError::table(
                table.path(),
                "header",
                "at least one column with a feature",
                listed(table.names()),
            ));
        }
        Ok(Columns { video, segment, start, end, frame, features })
    }
}

/// The recording and segment of this row, as they are called there.
fn called<'a>(
    table: &'a Table,
    columns: &Columns,
    recording: Option<&'a str>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), DataError> {
    if let Some(called) = recording {
        return Ok((Cow::Borrowed(called), Cow::Borrowed("")));
    }
    let text = |column: Option<usize>, expected: &str| match column {
        Some(column) => table.cell(column).text().ok_or_else(|| table.wrong(column, expected)),
        None => Ok(Cow::Borrowed("")),
    };
    Ok((text(columns.video, "the name of a recording")?, text(columns.segment, "the name of a segment")?))
}

/// The recording that this row belongs to.
fn begin(
    table: &Table,
    mapping: &Mapping,
    called: &str,
    segment: &str,
    scratch: &mut Scratch,
) -> Result<usize, DataError> {
    let id = mapping.ids.id(called);
    let (name, segment) = match segment {
        "" => (id, None),
        segment => (spellings(&id, segment)[0].0.clone(), Some(Part::named(id, segment.to_string()))),
    };
    begin_called(table.path(), &table.place(), &name, segment, called, scratch)
}

/// The recording of that id, begun where there is none. Where no column says a segment, the id does.
pub(super) fn begin_called(
    path: &Path,
    place: &str,
    name: &str,
    segment: Option<Part>,
    called: &str,
    scratch: &mut Scratch,
) -> Result<usize, DataError> {
    scratch.recording(name, segment.or_else(|| Part::of(name)), called).map_err(|other| {
        let found = format!("'{other}' and '{called}', both '{name}'");
        DataError::table(path, place, "recordings whose names differ without folder and extension", found)
            .with_hint(Some("see [ids] in docs/your-data.md".into()))
    })
}

/// Whether a frame may begin with the one before: openSMILE's last few do, where features of different windows end together.
fn may_tie(recording: &Recording, start: f64) -> bool {
    start == recording.last_start && recording.frames > recording.tied + 1 && recording.tied < MOST_TIED
}

/// When this row's frame begins and ends, seconds; the end is NaN where nothing says it.
fn times(
    table: &Table,
    columns: &Columns,
    unit: TimeUnit,
    hop_s: Option<f64>,
    recording: usize,
    scratch: &Scratch,
) -> Result<(f64, f64), DataError> {
    let recording = scratch.get(recording);
    let last = recording.last_start;
    let (column, start) = match (columns.start, columns.frame, hop_s) {
        (Some(column), ..) => {
            (Some(column), table.cell(column).seconds(unit).ok_or_else(|| table.wrong(column, seconds::EXPECTED))?)
        }
        (None, Some(column), Some(hop)) => {
            let number = table.cell(column).number().filter(|n| n.fract() == 0.0 && (0.0..MOST_FRAME).contains(n));
            (Some(column), number.ok_or_else(|| table.wrong(column, "the number of a frame, from 0"))? * hop)
        }
        (None, _, hop) => (None, recording.frames as f64 * hop.unwrap_or(0.0)),
    };
    if let (Some(column), true) = (column, start > last && recording.tied > 0) {
        let expected = format!(
            "no frame after those of '{}' that begin at the same time ({last} s): only the last of a recording may",
            recording.name
        );
        return Err(table.wrong(column, expected));
    }
    if let (Some(column), true) = (column, start <= last && !may_tie(recording, start)) {
        return Err(table
            .wrong(column, format!("a later time than that of the frame before in '{}' ({last} s)", recording.name)));
    }
    let end = match columns.end {
        None => return Ok((start, f64::NAN)),
        Some(column) => match table.cell(column) {
            Cell::Missing => return Ok((start, f64::NAN)),
            cell => (column, cell.seconds(unit).ok_or_else(|| table.wrong(column, seconds::EXPECTED))?),
        },
    };
    match end {
        (_, end) if end > start => Ok((start, end)),
        (column, _) => Err(table.wrong(column, format!("an end after the start ({start} s)"))),
    }
}

fn not_a_feature(table: &Table, column: usize) -> DataError {
    let error = table.wrong(column, "a number");
    match &error {
        DataError::Table { hint: None, .. } => error.with_hint(Some(
            "where the column is no feature, name it in 'ignore' under [features] of a mapping file".into(),
        )),
        _ => error,
    }
}

/// Names of columns for a message.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let first: Vec<String> = names.iter().take(MOST).map(|n| format!("'{n}'")).collect();
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("the columns {}{more}", first.join(", "))
}
