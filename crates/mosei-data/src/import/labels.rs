//! Rows of a table that are labelled segments.
//!
//! What lives here: which column is which, what each row must be, and what a row says in intensities from 0 to 3. All rows are held in
//! memory. What does not: which frames they belong to.

use super::cell::{Cell, shown};
use super::frames::listed;
use super::mapping::{Category, LabelMapping, Mapping};
use super::names::Part;
use super::seconds;
use super::table::{Table, numbers_rows};
use crate::DataError;
use mosei_schema::{Emotion, INTENSITY_MAX, INTENSITY_MIN, SENTIMENT_MAX, SENTIMENT_MIN, Split, near_miss};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 2] = ["start", "start_s"];
const END: [&str; 2] = ["end", "end_s"];
const SPEAKER: [&str; 2] = ["speaker", "speaker_id"];
const SPLIT: [&str; 2] = ["split", "fold"];

/// Rows of a table of labels.
const MOST_ROWS: usize = 1 << 22;
/// Bytes of the name of a label.
const MOST_NAME_BYTES: usize = 64;

/// The labels of all segments, in the order of the file.
#[derive(Debug)]
pub(super) struct Labels {
    /// Where they stand.
    pub path: PathBuf,
    /// Their names.
    pub names: Vec<String>,
    /// The segments.
    pub rows: Vec<LabelRow>,
    /// Intensities `[rows, names]`, row-major.
    pub values: Vec<f32>,
    /// Whether speakers are named.
    pub speakers: bool,
}

/// A labelled segment.
#[derive(Debug, Clone)]
pub(super) struct LabelRow {
    /// The id of its recording.
    pub name: String,
    /// Which segment of that recording it is.
    pub segment: Option<Part>,
    /// When it begins and ends in the recording, seconds, infinity where it ends with it; `None` for all of it.
    pub time: Option<[f64; 2]>,
    /// Who speaks.
    pub speaker: Option<String>,
    /// Its part of the corpus.
    pub split: Option<Split>,
    /// Line or row of the file.
    pub place: String,
    /// Whether the times are those of the video also where the segment has features of its own, which then must be there too.
    pub on_video: bool,
}

impl Labels {
    /// The labels of a row.
    pub fn of(&self, row: usize) -> &[f32] {
        &self.values[row * self.names.len()..(row + 1) * self.names.len()]
    }

    /// What is said of a segment, to tell it from others in messages.
    pub fn called(&self, row: usize) -> String {
        match (&self.rows[row].segment, self.rows[row].time) {
            (Some(part), _) => format!("segment '{}' of '{}'", part.segment, self.rows[row].name),
            (None, Some([start, f64::INFINITY])) => format!("{start} s to the end of '{}'", self.rows[row].name),
            (None, Some([start, end])) => format!("{start} to {end} s of '{}'", self.rows[row].name),
            (None, None) => format!("'{}'", self.rows[row].name),
        }
    }
}

/// The columns of a table of labels by what they mean.
struct Columns {
    video: usize,
    segment: Option<usize>,
    /// Start and end.
    time: Option<(usize, usize)>,
    speaker: Option<usize>,
    split: Option<usize>,
    category: Option<usize>,
    /// Columns of intensities, and the place of each among the names.
    intensities: Vec<(usize, usize)>,
    names: Vec<String>,
}

/// Reads a table to its end.
///
/// # Errors
/// Where a column or a cell is not what it must be, or a segment stands twice; names file, row and column.
pub(super) fn read(mut table: Table, mapping: &Mapping) -> Result<Labels, DataError> {
    let own = &mapping.labels;
    let columns = Columns::of(&table, own)?;
    let mut labels = Labels {
        path: table.path().to_path_buf(),
        names: columns.names.clone(),
        rows: Vec::new(),
        values: Vec::new(),
        speakers: columns.speaker.is_some(),
    };
    // By recording, segment and time, as they are written.
    let mut seen: BTreeMap<(String, String, [u64; 2]), String> = BTreeMap::new();
    while table.advance()? {
        if labels.rows.len() == MOST_ROWS {
            return Err(DataError::table(table.path(), table.place(), format!("at most {MOST_ROWS} rows"), "more"));
        }
        let row = row(&table, &columns, mapping)?;
        let key = (
            row.name.clone(),
            row.segment.as_ref().map(|part| part.segment.clone()).unwrap_or_default(),
            match row.segment {
                Some(_) => [0; 2],
                None => row.time.map(|t| t.map(f64::to_bits)).unwrap_or_default(),
            },
        );
        let place = row.place.clone();
        labels.rows.push(row);
        if let Some(first) = seen.insert(key, place.clone()) {
            let found = format!("{} also in {first}", labels.called(labels.rows.len() - 1));
            return Err(DataError::table(table.path(), place, "every segment once", found));
        }
        let begin = labels.values.len();
        labels.values.resize(begin + columns.names.len(), 0.0);
        let values = &mut labels.values[begin..];
        for &(column, place) in &columns.intensities {
            values[place] = intensity(&table, column, &columns.names[place], own.range)?;
        }
        if let (Some(column), Some(category)) = (columns.category, &own.category) {
            mean(&table, column, category, &columns.names, values)?;
        }
    }
    if labels.rows.is_empty() {
        return Err(DataError::table(table.path(), "", "at least one labelled segment", "none"));
    }
    Ok(labels)
}

impl Columns {
    fn of(table: &Table, own: &LabelMapping) -> Result<Self, DataError> {
        let find = |name: &String| table.find(name, "[labels]");
        let ignored = own.ignore.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let named = |name: &Option<String>, usual: &[&str]| match name {
            Some(name) => table.find(name, "[labels]").map(Some),
            None => Ok(table.find_any(usual, &ignored)),
        };
        let Some(video) = named(&own.video, &VIDEO)? else {
            let expected = "a column with the recording of each segment ('video', 'file', 'name' or 'id', or a [labels] video in a mapping file)";
            return Err(DataError::table(table.path(), "header", expected, listed(table.names())));
        };
        let (segment, speaker) = (named(&own.segment, &SEGMENT)?, named(&own.speaker, &SPEAKER)?);
        let split = named(&own.split, &SPLIT)?;
        let time = match (named(&own.start, &START)?, named(&own.end, &END)?) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            (start, _) => {
                let (there, missing) = if start.is_some() { ("start", "end") } else { ("end", "start") };
                let expected = "both 'start' and 'end', or neither";
                return Err(DataError::table(
                    table.path(),
                    "header",
                    expected,
                    format!("'{there}' without '{missing}'"),
                ));
            }
        };
        let category = own.category.as_ref().map(|c| table.find(&c.column, "[labels.category]")).transpose()?;
        own.rename.keys().try_for_each(|name| find(name).map(drop))?;
        let keys = [Some(video), segment, time.map(|t| t.0), time.map(|t| t.1), speaker, split, category];
        let other = |i: &usize| !keys.contains(&Some(*i)) && !ignored.contains(i) && !numbers_rows(&table.names()[*i]);
        let chosen: Vec<usize> = match (&own.columns, category) {
            (Some(columns), _) => columns.iter().map(find).collect::<Result<_, _>>()?,
            // Words say it all.
            (None, Some(_)) => Vec::new(),
            (None, None) => (0..table.names().len()).filter(other).collect(),
        };
        if own.columns.is_none() {
            refuse_near_misses(table, own, &chosen)?;
        }
        let name = |column: usize| {
            let name = &table.names()[column];
            canonical(own.rename.get(name).unwrap_or(name))
        };
        let mut names: Vec<String> = chosen.iter().map(|&column| name(column)).collect();
        for label in own.category.iter().flat_map(Category::labels).map(canonical) {
            if !names.contains(&label) {
                names.push(label);
            }
        }
        if names.iter().all(|name| is_sentiment(name)) {
            let expected = "at least one label (an emotion or another one), beside what says where a segment is";
            return Err(DataError::table(table.path(), "header", expected, listed(table.names())));
        }
        check_names(table.path(), &names)?;
        in_order(&mut names);
        let place = |column: &usize| (*column, names.iter().position(|n| *n == name(*column)).unwrap_or_default());
        let intensities: Vec<(usize, usize)> = chosen.iter().map(place).collect();
        for (i, (_, place)) in intensities.iter().enumerate() {
            if intensities[..i].iter().any(|(_, p)| p == place) || (i > 0 && chosen[..i].contains(&chosen[i])) {
                let found = format!("'{}' twice", names[*place]);
                return Err(DataError::table(table.path(), "header", "a name of its own for each label", found));
            }
        }
        Ok(Columns { video, segment, time, speaker, split, category, intensities, names })
    }
}

/// The names of MOSEI's labels in small letters, others as they are.
fn canonical(name: impl AsRef<str>) -> String {
    let name = name.as_ref();
    let small = name.to_lowercase();
    if Emotion::from_name(&small).is_some() || small == "sentiment" { small } else { name.to_string() }
}

/// Wants names that the tables of a study can hold.
pub(super) fn check_names(path: &Path, names: &[String]) -> Result<(), DataError> {
    const KEPT: [&str; 2] = ["macro", "micro"];
    let good = |name: &String| {
        name.len() <= MOST_NAME_BYTES
            && !name.trim().is_empty()
            && !name.chars().any(char::is_control)
            && !KEPT.contains(&name.as_str())
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => {
            let expected = format!(
                "names of labels (text that can be seen, of at most {MOST_NAME_BYTES} bytes, other than {})",
                KEPT.join(" and ")
            );
            Err(DataError::table(path, "header", expected, shown(name)))
        }
    }
}

/// Whether a label is sentiment, which has a range of its own.
pub(super) fn is_sentiment(name: &str) -> bool {
    name.to_lowercase().starts_with("sentiment")
}

/// Puts sentiment first, then MOSEI's emotions in their order, then all others as they stand.
fn in_order(names: &mut [String]) {
    names.sort_by_key(|name| match Emotion::from_name(name) {
        _ if is_sentiment(name) => 0,
        Some(emotion) => 1 + emotion as usize,
        None => 1 + Emotion::ALL.len(),
    });
}

/// Refuses a column that is nearly one of MOSEI's emotions, where nobody said that it is a label of its own.
fn refuse_near_misses(table: &Table, own: &LabelMapping, chosen: &[usize]) -> Result<(), DataError> {
    let there = |e: &Emotion| chosen.iter().any(|&i| canonical(&table.names()[i]) == e.name());
    let absent: Vec<&str> = Emotion::ALL.iter().filter(|e| !there(e)).map(|e| e.name()).collect();
    for name in chosen.iter().map(|&i| &table.names()[i]) {
        if own.rename.contains_key(name) || Emotion::from_name(&canonical(name)).is_some() {
            continue;
        }
        if let Some(near) = near_miss(name, absent.iter().copied()) {
            let hint = format!("did you mean '{near}'? Else list it under [labels] columns of a mapping file");
            return Err(
                DataError::table(table.path(), "header", "names of labels", format!("'{name}'")).with_hint(Some(hint))
            );
        }
    }
    Ok(())
}

fn row(table: &Table, columns: &Columns, mapping: &Mapping) -> Result<LabelRow, DataError> {
    let text = |column: usize, expected: &str| {
        table.cell(column).text().map(|t| t.into_owned()).ok_or_else(|| table.wrong(column, expected))
    };
    let id = mapping.ids.id(&text(columns.video, "the name of a recording")?);
    let segment = match columns.segment {
        Some(column) if table.cell(column) != Cell::Missing => {
            Some(Part::named(id.clone(), text(column, "the name of a segment")?))
        }
        _ => Part::of(&id),
    };
    let name = segment.as_ref().map_or(id, |part| part.video.clone());
    let time = match columns.time {
        // All of the recording.
        Some((start, end)) if table.cell(start) == Cell::Missing && table.cell(end) == Cell::Missing => None,
        Some((start, end)) => {
            let unit = mapping.labels.unit;
            let time = |column| table.cell(column).seconds(unit).ok_or_else(|| table.wrong(column, seconds::EXPECTED));
            let from = time(start)?;
            // Left open, as audformat leaves it, it ends with its recording.
            let to = if table.cell(end) == Cell::Missing { f64::INFINITY } else { time(end)? };
            if to <= from {
                return Err(table.wrong(end, format!("an end after the start ({from} s)")));
            }
            Some([from, to])
        }
        None => None,
    };
    let speaker = columns.speaker.map(|column| text(column, "the name of a speaker")).transpose()?;
    let split = match columns.split {
        Some(column) => split(table, column)?,
        None => None,
    };
    Ok(LabelRow { name, segment, time, speaker, split, place: table.place(), on_video: false })
}

fn split(table: &Table, column: usize) -> Result<Option<Split>, DataError> {
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
            let hint = "where the column is no split, name it in 'ignore' under [labels] of a mapping file";
            Err(table.wrong(column, "train, valid, test or none").with_hint(Some(hint.into())))
        }
    }
}

/// The intensity from 0 to 3 (sentiment: -3 to 3) of a cell.
fn intensity(table: &Table, column: usize, label: &str, range: [f64; 2]) -> Result<f32, DataError> {
    let sentiment = is_sentiment(label);
    let [low, high] = if sentiment { [SENTIMENT_MIN, SENTIMENT_MAX] } else { range };
    let cell = table.cell(column);
    let expected = || format!("a label in [{low}, {high}]");
    let Some(x) = cell.number() else {
        let error = table.wrong(column, expected());
        let hint = "where the column is no intensity, name it in 'ignore' under [labels] of a mapping file, or under [labels.category]";
        return Err(match (&error, cell) {
            (DataError::Table { hint: None, .. }, Cell::Text(_)) => error.with_hint(Some(hint.into())),
            _ => error,
        });
    };
    intensity_of(x, label, range).map_err(|_| {
        let error = table.wrong(column, expected());
        let hint = "'range' under [labels] of a mapping file says what values mean absent and strongest";
        if sentiment { error } else { error.with_hint(Some(hint.into())) }
    })
}

/// The intensity from 0 to 3 (sentiment: -3 to 3) of a value, or the range that it is out of.
pub(super) fn intensity_of(x: f64, label: &str, range: [f64; 2]) -> Result<f32, [f64; 2]> {
    let sentiment = is_sentiment(label);
    let [low, high] = if sentiment { [SENTIMENT_MIN, SENTIMENT_MAX] } else { range };
    // Written so that NaN is refused.
    if !(low..=high).contains(&x) {
        return Err([low, high]);
    }
    Ok(match sentiment || range == [INTENSITY_MIN, INTENSITY_MAX] {
        true => x as f32,
        false => ((x - low) / (high - low) * INTENSITY_MAX) as f32,
    })
}

/// Adds what a word means.
fn mean(
    table: &Table,
    column: usize,
    category: &Category,
    names: &[String],
    values: &mut [f32],
) -> Result<(), DataError> {
    let word = table.cell(column).text().ok_or_else(|| table.wrong(column, "a word"))?;
    let Some(labels) = category.meaning(&word) else {
        let hint = category.near(&word).map(|near| format!("did you mean '{near}'?"));
        let words: Vec<&str> = category.meaning.keys().map(String::as_str).collect();
        let expected = format!("a word of [labels.category.meaning] ({})", words.join(", "));
        return Err(table.wrong(column, expected).with_hint(hint));
    };
    for (label, x) in labels {
        let label = canonical(label);
        if let Some(place) = names.iter().position(|name| *name == label) {
            values[place] = values[place].max(x as f32);
        }
    }
    Ok(())
}
