//! Which columns of a label table are labels, and which identify a segment.
//!
//! What lives here: the meaning of columns by their names and the mapping file, and the refusal of
//! names that are nearly those of emotions. What does not: the rows (`labels`).

use crate::ImportError;
use crate::feature_columns::LeftOutColumn;
use crate::frames::listed;
use crate::labels::{check_names, is_sentiment};
use crate::mapping::{Category, LabelMapping};
use crate::scale::SENTIMENT_ALONE;
use crate::table::{Table, is_row_number};
use mosei_schema::{Emotion, near_miss};

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 3] = ["start", "start_s", "start_time"];
const END: [&str; 3] = ["end", "end_s", "end_time"];
const SPEAKER: [&str; 2] = ["speaker", "speaker_id"];
const SPLIT: [&str; 2] = ["split", "fold"];

/// Names that are usual for a column with the number of a class.
const CLASS: [&str; 10] = [
    "class",
    "class_id",
    "label",
    "label_id",
    "labels",
    "emotion",
    "emotion_id",
    "category",
    "target",
    "y",
];

/// The columns of a label table, by meaning.
#[derive(Debug)]
pub(crate) struct LabelColumns {
    pub video: usize,
    pub segment: Option<usize>,
    /// Start and end.
    pub time: Option<(usize, usize)>,
    pub speaker: Option<usize>,
    pub split: Option<usize>,
    pub category: Option<usize>,
    /// Columns of intensities, each with its index in `names`.
    pub intensities: Vec<(usize, usize)>,
    pub names: Vec<String>,
    /// Of these columns, those with a name that is usual for the numbers of classes.
    pub class_named: Vec<usize>,
    /// Columns that are no labels.
    pub left_out: Vec<LeftOutColumn>,
}

impl LabelColumns {
    /// The columns of a table.
    ///
    /// # Errors
    /// Where the mapping file names a column that is not there, a column is missing, or a name is that
    /// of no label.
    pub fn of(table: &Table, own: &LabelMapping) -> Result<Self, ImportError> {
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
        let reason = |i: usize| {
            if ignored.contains(&i) {
                Some("'ignore' names it")
            } else if is_row_number(&table.names()[i]) {
                Some("row numbers, by its name")
            } else if own.columns.is_some() {
                Some("'columns' does not name it")
            } else {
                category.map(|_| "the labels come from [labels.category]")
            }
        };
        let others = (0..table.names().len()).filter(|i| !keys.contains(&Some(*i)));
        let other = |i: &usize| !keys.contains(&Some(*i)) && reason(*i).is_none();
        let chosen: Vec<usize> = match (&own.columns, category) {
            (Some(columns), _) => columns.iter().map(find).collect::<Result<_, _>>()?,
            // The category column alone gives the labels.
            (None, Some(_)) => Vec::new(),
            (None, None) => (0..table.names().len()).filter(other).collect(),
        };
        if own.columns.is_none() {
            refuse_misspelt_emotions(table, own, &chosen)?;
        }
        let left_out = others
            .filter(|i| !chosen.contains(i))
            .filter_map(|i| {
                let (name, reason) = (table.names()[i].clone(), reason(i)?.to_string());
                Some(LeftOutColumn { name, reason })
            })
            .collect();
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
            )
            .with_hint(names.first().map(|_| SENTIMENT_ALONE.into())));
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
        Ok(LabelColumns {
            video,
            segment,
            time,
            speaker,
            split,
            category,
            class_named: class_named(table, own, &chosen),
            intensities,
            names,
            left_out,
        })
    }
}

/// The chosen columns whose name is usual for class numbers, and which the mapping file does not
/// list.
fn class_named(table: &Table, own: &LabelMapping, chosen: &[usize]) -> Vec<usize> {
    let named = |i: &usize| {
        let name = &table.names()[*i];
        let listed = own.columns.is_some() || own.rename.contains_key(name);
        !listed && CLASS.contains(&name.to_lowercase().as_str())
    };
    chosen.iter().copied().filter(named).collect()
}

/// MOSEI's label names in lower case, others unchanged.
pub(crate) fn canonical(name: impl AsRef<str>) -> String {
    let name = name.as_ref();
    let lower = name.to_lowercase();
    if Emotion::from_name(&lower).is_some() || lower == "sentiment" {
        lower
    } else {
        name.to_string()
    }
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
