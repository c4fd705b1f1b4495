//! Tables with one row per labelled segment.
//!
//! What lives here: the checks of rows, and the conversion to intensities from 0 to 3. All rows are
//! held in memory. What does not: the meaning of columns (`label_columns`), the join with frames.

use crate::ImportError;
use crate::cell::Cell;
use crate::class_numbers::ClassNumbers;
use crate::duration_text;
use crate::feature_columns::LeftOutColumn;
use crate::label_columns::{LabelColumns, canonical};
use crate::mapping::{Category, Mapping};
use crate::recording_ids::SegmentRef;
use crate::scale::Scale;
use crate::table::Table;
use mosei_data::{DataError, quoted};
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN, SENTIMENT_MAX, SENTIMENT_MIN, Split};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most rows of a label table.
const MAX_ROWS: usize = 1 << 22;
/// Longest label name, bytes.
const MAX_NAME_BYTES: usize = 64;

/// The labels of all segments, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// The file.
    pub path: PathBuf,
    /// Names of the labels.
    pub names: Vec<String>,
    /// The segments.
    pub rows: Vec<LabelRow>,
    /// Intensities `[rows, names]`, row-major.
    pub values: Vec<f32>,
    /// Whether speakers are given.
    pub speakers: bool,
    /// Columns that were left out.
    pub left_out: Vec<LeftOutColumn>,
    /// Whether the times of segments are those of their videos, where the format says so.
    pub on_video_axis: Option<bool>,
    /// Whether the segments have no ids, and are named by their rows.
    pub unnamed: bool,
    /// How many values were beyond the scale, and set to its ends.
    pub clipped: usize,
}

/// A labelled segment.
#[derive(Debug, Clone)]
pub(crate) struct LabelRow {
    /// The id of its recording.
    pub name: String,
    /// The segment of that recording.
    pub segment: Option<SegmentRef>,
    /// Start and end, seconds; an infinite end is that of the recording, `None` all of the
    /// recording.
    pub time: Option<[f64; 2]>,
    /// The speaker.
    pub speaker: Option<String>,
    /// Its split.
    pub split: Option<Split>,
    /// Whether its segment was found by time, with the interval that the segment was cut by.
    pub found_by_time: bool,
    /// Line or row of the file, for messages.
    pub place: String,
}

impl Labels {
    /// The labels of a row.
    pub fn of(&self, row: usize) -> &[f32] {
        &self.values[row * self.names.len()..(row + 1) * self.names.len()]
    }

    /// A segment in words, for messages.
    pub fn describe(&self, row: usize) -> String {
        match (&self.rows[row].segment, self.rows[row].time) {
            (Some(part), _) => format!("segment '{}' of '{}'", part.segment, self.rows[row].name),
            (None, Some([start, f64::INFINITY])) => {
                format!("{start} s to the end of '{}'", self.rows[row].name)
            }
            (None, Some([start, end])) => {
                format!("{start} to {end} s of '{}'", self.rows[row].name)
            }
            (None, None) => format!("'{}'", self.rows[row].name),
        }
    }
}

/// Reads all rows of a table.
///
/// # Errors
/// Where a column or a cell is invalid, or a segment occurs twice; the error names file, row and
/// column.
pub(crate) fn read(mut table: Table, mapping: &Mapping) -> Result<Labels, ImportError> {
    let own = &mapping.labels;
    let columns = LabelColumns::of(&table, own)?;
    let mut labels = Labels {
        path: table.path().to_path_buf(),
        names: columns.names.clone(),
        rows: Vec::new(),
        values: Vec::new(),
        speakers: columns.speaker.is_some(),
        left_out: columns.left_out.clone(),
        ..Labels::default()
    };
    let mut classes = ClassNumbers::of(&columns);
    let scale = Scale::of(own);
    // The place of each recording, segment and time.
    let mut seen: BTreeMap<(String, String, [u64; 2]), String> = BTreeMap::new();
    while table.advance()? {
        if labels.rows.len() == MAX_ROWS {
            return Err(ImportError::table(
                table.path(),
                table.place(),
                format!("at most {MAX_ROWS} rows"),
                "more",
            ));
        }
        let row = row(&table, &columns, mapping)?;
        let key = (
            row.name.clone(),
            row.segment
                .as_ref()
                .map(|part| part.segment.clone())
                .unwrap_or_default(),
            match row.segment {
                Some(_) => [0; 2],
                None => row.time.map(|t| t.map(f64::to_bits)).unwrap_or_default(),
            },
        );
        let place = row.place.clone();
        labels.rows.push(row);
        if let Some(first) = seen.insert(key, place.clone()) {
            let found = format!("{} also in {first}", labels.describe(labels.rows.len() - 1));
            return Err(ImportError::table(
                table.path(),
                place,
                "each segment once",
                found,
            ));
        }
        let begin = labels.values.len();
        labels.values.resize(begin + columns.names.len(), 0.0);
        let values = &mut labels.values[begin..];
        classes.add(&table);
        for &(column, place) in &columns.intensities {
            values[place] =
                intensity(&table, column, &columns.names[place], &scale).map_err(|error| {
                    classes
                        .refusal(&table, column)
                        .unwrap_or_else(|| name_text_columns(&table, &columns, error))
                })?;
        }
        if let (Some(column), Some(category)) = (columns.category, &own.category) {
            add_category(&table, column, category, &columns.names, values)?;
        }
    }
    labels.clipped = scale.clipped();
    if labels.rows.is_empty() {
        return Err(ImportError::table(
            table.path(),
            "",
            "at least one labelled segment",
            "none",
        ));
    }
    match classes.any(&table) {
        Some(refusal) => Err(refusal),
        None => Ok(labels),
    }
}

/// Checks that label names can be used in the tables of a study.
pub(crate) fn check_names(path: &Path, names: &[String]) -> Result<(), ImportError> {
    const RESERVED: [&str; 2] = ["macro", "micro"];
    let good = |name: &String| {
        name.len() <= MAX_NAME_BYTES
            && !name.trim().is_empty()
            && !name.chars().any(char::is_control)
            && !RESERVED.contains(&name.as_str())
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => {
            let expected = format!(
                "names of labels (visible text of at most {MAX_NAME_BYTES} bytes, other than {})",
                RESERVED.join(" and ")
            );
            Err(ImportError::table(path, "header", expected, quoted(name)))
        }
    }
}

/// Whether a label is sentiment, which has its own range.
pub(crate) fn is_sentiment(name: &str) -> bool {
    name.to_lowercase().starts_with("sentiment")
}

fn row(table: &Table, columns: &LabelColumns, mapping: &Mapping) -> Result<LabelRow, ImportError> {
    let text = |column: usize, expected: &str| {
        table
            .cell(column)
            .text()
            .map(|t| t.into_owned())
            .ok_or_else(|| table.invalid_cell(column, expected))
    };
    let id = mapping
        .ids
        .id(&text(columns.video, "the name of a recording")?);
    let segment = match columns.segment {
        Some(column) if table.cell(column) != Cell::Missing => Some(SegmentRef::named(
            id.clone(),
            text(column, "the name of a segment")?,
        )),
        _ => SegmentRef::of(&id),
    };
    let name = segment.as_ref().map_or(id, |part| part.video.clone());
    let time = match columns.time {
        // The whole recording.
        Some((start, end)) if table.cell(start).is_missing() && table.cell(end).is_missing() => {
            None
        }
        Some((start, end)) => {
            let unit = mapping.labels.unit;
            let time = |column| {
                table
                    .cell(column)
                    .seconds(unit)
                    .ok_or_else(|| table.invalid_cell(column, duration_text::EXPECTED))
            };
            let from = time(start)?;
            // An open end, as audformat writes it, is that of the recording.
            let to = if table.cell(end).is_missing() {
                f64::INFINITY
            } else {
                time(end)?
            };
            if to <= from {
                return Err(table.invalid_cell(end, format!("an end after the start ({from} s)")));
            }
            Some([from, to])
        }
        None => None,
    };
    let speaker = columns
        .speaker
        .map(|column| text(column, "the name of a speaker"))
        .transpose()?;
    let split = match columns.split {
        Some(column) => split(table, column)?,
        None => None,
    };
    Ok(LabelRow {
        name,
        segment,
        time,
        speaker,
        split,
        found_by_time: false,
        place: table.place(),
    })
}

fn split(table: &Table, column: usize) -> Result<Option<Split>, ImportError> {
    let word = match table.cell(column) {
        Cell::Missing => return Ok(None),
        Cell::Text(word) => word.to_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "train" | "training" => Ok(Some(Split::Train)),
        "valid" | "val" | "validation" | "dev" | "devel" => Ok(Some(Split::Valid)),
        "test" => Ok(Some(Split::Test)),
        "none" => Ok(None),
        _ => {
            let hint = "if the column is not a split, list it under 'ignore' in [labels] of a mapping file";
            Err(table
                .invalid_cell(column, "train, valid, test or none")
                .with_hint(Some(hint.into())))
        }
    }
}

/// The intensity of a cell, from 0 to 3 (sentiment: -3 to 3).
fn intensity(table: &Table, column: usize, label: &str, scale: &Scale) -> Result<f32, ImportError> {
    let sentiment = is_sentiment(label);
    let [low, high] = scale.range_of(label);
    let cell = table.cell(column);
    if let (Some(present), false) = (cell.truth(), sentiment) {
        return Ok((if present {
            INTENSITY_MAX
        } else {
            INTENSITY_MIN
        }) as f32);
    }
    let expected = || format!("a label in [{low}, {high}]");
    let Some(x) = cell.number() else {
        let error = table.invalid_cell(column, expected());
        let hint = "if the column is not an intensity, list it under 'ignore' in [labels] of a mapping file, or use it in [labels.category]";
        return Err(match (&error, cell) {
            (ImportError::Data(DataError::Content { hint: None, .. }), Cell::Text(_))
                if !cell.is_missing() =>
            {
                error.with_hint(Some(hint.into()))
            }
            _ => error,
        });
    };
    scale.intensity(x, label).map_err(|_| {
        let error = table.invalid_cell(column, expected());
        let hint =
            "'range' in [labels] of a mapping file gives the values for absent and strongest";
        if sentiment {
            error
        } else {
            error.with_hint(Some(hint.into()))
        }
    })
}

/// The same error, with the mapping that leaves out all columns with text of this row, where there
/// are several.
fn name_text_columns(table: &Table, columns: &LabelColumns, error: ImportError) -> ImportError {
    let is_text = |i: &usize| match table.cell(*i) {
        cell @ Cell::Text(_) => {
            cell.number().or(cell.truth().map(f64::from)).is_none() && !cell.is_missing()
        }
        _ => false,
    };
    let words: Vec<String> = columns
        .intensities
        .iter()
        .filter(|(i, _)| is_text(i))
        .map(|(i, _)| format!("{:?}", table.names()[*i]))
        .collect();
    if words.len() < 2 {
        return error;
    }
    error.with_hint(Some(format!(
        "if these columns are not labels, a mapping file leaves them out: [labels] ignore = [{}]; a column with a word for each segment is for [labels.category]",
        words.join(", ")
    )))
}

/// The intensity of a value, from 0 to 3 (sentiment: -3 to 3).
///
/// # Errors
/// The range, where the value is outside it.
pub(crate) fn intensity_of(x: f64, label: &str, range: [f64; 2]) -> Result<f32, [f64; 2]> {
    let sentiment = is_sentiment(label);
    let [low, high] = if sentiment {
        [SENTIMENT_MIN, SENTIMENT_MAX]
    } else {
        range
    };
    // NaN is in no range.
    if !(low..=high).contains(&x) {
        return Err([low, high]);
    }
    Ok(match sentiment || range == [INTENSITY_MIN, INTENSITY_MAX] {
        true => x as f32,
        false => ((x - low) / (high - low) * INTENSITY_MAX) as f32,
    })
}

/// Adds the intensities of a category.
fn add_category(
    table: &Table,
    column: usize,
    category: &Category,
    names: &[String],
    values: &mut [f32],
) -> Result<(), ImportError> {
    let word = table
        .cell(column)
        .text()
        .ok_or_else(|| table.invalid_cell(column, "a category"))?;
    let Some(labels) = category.labels_of(&word) else {
        let hint = category
            .near(&word)
            .map(|near| format!("did you mean '{near}'?"));
        let words: Vec<&str> = category.meaning.keys().map(String::as_str).collect();
        let expected = format!(
            "a category of [labels.category.meaning] ({})",
            words.join(", ")
        );
        return Err(table.invalid_cell(column, expected).with_hint(hint));
    };
    for (label, x) in labels {
        let label = canonical(label);
        if let Some(place) = names.iter().position(|name| *name == label) {
            values[place] = values[place].max(x as f32);
        }
    }
    Ok(())
}
