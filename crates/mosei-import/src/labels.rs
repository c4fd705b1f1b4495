//! Tables with one row per labelled segment.
//!
//! What lives here: the meaning of columns, the checks of rows, and the conversion to intensities
//! from 0 to 3. All rows are held in memory. What does not: the join with frames.

use crate::ImportError;
use crate::cell::Cell;
use crate::duration_text;
use crate::frames::listed;
use crate::mapping::{Category, LabelMapping, Mapping};
use crate::recording_ids::SegmentRef;
use crate::table::{Table, is_row_number};
use mosei_data::{DataError, quoted};
use mosei_schema::{
    Emotion, INTENSITY_MAX, INTENSITY_MIN, SENTIMENT_MAX, SENTIMENT_MIN, Split, near_miss,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 2] = ["start", "start_s"];
const END: [&str; 2] = ["end", "end_s"];
const SPEAKER: [&str; 2] = ["speaker", "speaker_id"];
const SPLIT: [&str; 2] = ["split", "fold"];

/// Most rows of a label table.
const MAX_ROWS: usize = 1 << 22;
/// Longest label name, bytes.
const MAX_NAME_BYTES: usize = 64;

/// The labels of all segments, in the order of the file.
#[derive(Debug)]
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
    /// Line or row of the file, for messages.
    pub place: String,
    /// Whether the times are relative to the video even where the segment has features of its own,
    /// whose times must then match.
    pub relative_to_video: bool,
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

/// The columns of a label table, by meaning.
struct Columns {
    video: usize,
    segment: Option<usize>,
    /// Start and end.
    time: Option<(usize, usize)>,
    speaker: Option<usize>,
    split: Option<usize>,
    category: Option<usize>,
    /// Columns of intensities, each with its index in `names`.
    intensities: Vec<(usize, usize)>,
    names: Vec<String>,
}

/// Reads all rows of a table.
///
/// # Errors
/// Where a column or a cell is invalid, or a segment occurs twice; the error names file, row and
/// column.
pub(crate) fn read(mut table: Table, mapping: &Mapping) -> Result<Labels, ImportError> {
    let own = &mapping.labels;
    let columns = Columns::of(&table, own)?;
    let mut labels = Labels {
        path: table.path().to_path_buf(),
        names: columns.names.clone(),
        rows: Vec::new(),
        values: Vec::new(),
        speakers: columns.speaker.is_some(),
    };
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
        for &(column, place) in &columns.intensities {
            values[place] = intensity(&table, column, &columns.names[place], own.range)?;
        }
        if let (Some(column), Some(category)) = (columns.category, &own.category) {
            add_category(&table, column, category, &columns.names, values)?;
        }
    }
    if labels.rows.is_empty() {
        return Err(ImportError::table(
            table.path(),
            "",
            "at least one labelled segment",
            "none",
        ));
    }
    Ok(labels)
}

impl Columns {
    fn of(table: &Table, own: &LabelMapping) -> Result<Self, ImportError> {
        let find = |name: &String| table.find(name, "[labels]");
        let ignored = own.ignore.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let named = |name: &Option<String>, usual: &[&str]| match name {
            Some(name) => table.find(name, "[labels]").map(Some),
            None => Ok(table.find_any(usual, &ignored)),
        };
        let Some(video) = named(&own.video, &VIDEO)? else {
            let expected = "a column with the recording of each segment ('video', 'file', 'name' or 'id', or a [labels] video in a mapping file)";
            return Err(ImportError::table(
                table.path(),
                "header",
                expected,
                listed(table.names()),
            ));
        };
        let (segment, speaker) = (
            named(&own.segment, &SEGMENT)?,
            named(&own.speaker, &SPEAKER)?,
        );
        let split = named(&own.split, &SPLIT)?;
        let time = match (named(&own.start, &START)?, named(&own.end, &END)?) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            (start, _) => {
                let (there, missing) = if start.is_some() {
                    ("start", "end")
                } else {
                    ("end", "start")
                };
                let expected = "both 'start' and 'end', or neither";
                return Err(ImportError::table(
                    table.path(),
                    "header",
                    expected,
                    format!("'{there}' without '{missing}'"),
                ));
            }
        };
        let category = own
            .category
            .as_ref()
            .map(|c| table.find(&c.column, "[labels.category]"))
            .transpose()?;
        own.rename
            .keys()
            .try_for_each(|name| find(name).map(drop))?;
        let keys = [
            Some(video),
            segment,
            time.map(|t| t.0),
            time.map(|t| t.1),
            speaker,
            split,
            category,
        ];
        let other = |i: &usize| {
            !keys.contains(&Some(*i)) && !ignored.contains(i) && !is_row_number(&table.names()[*i])
        };
        let chosen: Vec<usize> = match (&own.columns, category) {
            (Some(columns), _) => columns.iter().map(find).collect::<Result<_, _>>()?,
            // The category column alone gives the labels.
            (None, Some(_)) => Vec::new(),
            (None, None) => (0..table.names().len()).filter(other).collect(),
        };
        if own.columns.is_none() {
            refuse_misspelt_emotions(table, own, &chosen)?;
        }
        let name = |column: usize| {
            let name = &table.names()[column];
            canonical(own.rename.get(name).unwrap_or(name))
        };
        let mut names: Vec<String> = chosen.iter().map(|&column| name(column)).collect();
        for label in own
            .category
            .iter()
            .flat_map(Category::labels)
            .map(canonical)
        {
            if !names.contains(&label) {
                names.push(label);
            }
        }
        if names.iter().all(|name| is_sentiment(name)) {
            let expected = "at least one label column (an emotion or another label) beside the columns that identify a segment";
            return Err(ImportError::table(
                table.path(),
                "header",
                expected,
                listed(table.names()),
            ));
        }
        check_names(table.path(), &names)?;
        sort_labels(&mut names);
        let place = |column: &usize| {
            (
                *column,
                names
                    .iter()
                    .position(|n| *n == name(*column))
                    .unwrap_or_default(),
            )
        };
        let intensities: Vec<(usize, usize)> = chosen.iter().map(place).collect();
        for (i, (_, place)) in intensities.iter().enumerate() {
            if intensities[..i].iter().any(|(_, p)| p == place)
                || (i > 0 && chosen[..i].contains(&chosen[i]))
            {
                let found = format!("'{}' twice", names[*place]);
                return Err(ImportError::table(
                    table.path(),
                    "header",
                    "a unique name for each label",
                    found,
                ));
            }
        }
        Ok(Columns {
            video,
            segment,
            time,
            speaker,
            split,
            category,
            intensities,
            names,
        })
    }
}

/// MOSEI's label names in lower case, others unchanged.
fn canonical(name: impl AsRef<str>) -> String {
    let name = name.as_ref();
    let lower = name.to_lowercase();
    if Emotion::from_name(&lower).is_some() || lower == "sentiment" {
        lower
    } else {
        name.to_string()
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

/// Sorts sentiment first, then MOSEI's emotions in their order, then all others in file order.
fn sort_labels(names: &mut [String]) {
    names.sort_by_key(|name| match Emotion::from_name(name) {
        _ if is_sentiment(name) => 0,
        Some(emotion) => 1 + emotion as usize,
        None => 1 + Emotion::ALL.len(),
    });
}

/// Refuses a column whose name is similar to one of MOSEI's emotions, unless the mapping lists it.
fn refuse_misspelt_emotions(
    table: &Table,
    own: &LabelMapping,
    chosen: &[usize],
) -> Result<(), ImportError> {
    let there = |e: &Emotion| {
        chosen
            .iter()
            .any(|&i| canonical(&table.names()[i]) == e.name())
    };
    let absent: Vec<&str> = Emotion::ALL
        .iter()
        .filter(|e| !there(e))
        .map(|e| e.name())
        .collect();
    for name in chosen.iter().map(|&i| &table.names()[i]) {
        if own.rename.contains_key(name) || Emotion::from_name(&canonical(name)).is_some() {
            continue;
        }
        if let Some(near) = near_miss(name, absent.iter().copied()) {
            let hint = format!(
                "did you mean '{near}'? If not, list it under 'columns' in [labels] of a mapping file"
            );
            return Err(ImportError::table(
                table.path(),
                "header",
                "names of labels",
                format!("'{name}'"),
            )
            .with_hint(Some(hint)));
        }
    }
    Ok(())
}

fn row(table: &Table, columns: &Columns, mapping: &Mapping) -> Result<LabelRow, ImportError> {
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
        Some((start, end))
            if table.cell(start) == Cell::Missing && table.cell(end) == Cell::Missing =>
        {
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
            let to = if table.cell(end) == Cell::Missing {
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
        place: table.place(),
        relative_to_video: false,
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
fn intensity(
    table: &Table,
    column: usize,
    label: &str,
    range: [f64; 2],
) -> Result<f32, ImportError> {
    let sentiment = is_sentiment(label);
    let [low, high] = if sentiment {
        [SENTIMENT_MIN, SENTIMENT_MAX]
    } else {
        range
    };
    let cell = table.cell(column);
    let expected = || format!("a label in [{low}, {high}]");
    let Some(x) = cell.number() else {
        let error = table.invalid_cell(column, expected());
        let hint = "if the column is not an intensity, list it under 'ignore' in [labels] of a mapping file, or use it in [labels.category]";
        return Err(match (&error, cell) {
            (ImportError::Data(DataError::Content { hint: None, .. }), Cell::Text(_)) => {
                error.with_hint(Some(hint.into()))
            }
            _ => error,
        });
    };
    intensity_of(x, label, range).map_err(|_| {
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
