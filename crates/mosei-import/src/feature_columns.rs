//! Which columns of a table of frames are features, and which identify a frame.
//!
//! What lives here: the meaning of columns by their names, types and the mapping file, and the
//! reason for each column that is left out. What does not: the rows (`frames`).

use crate::ImportError;
use crate::frames::listed;
use crate::mapping::Mapping;
use crate::table::{Table, is_row_number};

const VIDEO: [&str; 6] = ["video", "file", "name", "id", "video_id", "filename"];
const SEGMENT: [&str; 1] = ["segment"];
const START: [&str; 6] = [
    "start",
    "start_s",
    "start_time",
    "time",
    "frametime",
    "timestamp",
];
/// Praat's names for the time of a frame, which is that of its centre.
const CENTRE: [&str; 3] = ["time(s)", "time (s)", "time_s"];
const END: [&str; 3] = ["end", "end_s", "end_time"];
const FRAME: [&str; 3] = ["frame", "frame_index", "frameindex"];
/// Names of a target, which must not be a feature unless that is said.
const TARGET: [&str; 4] = ["class", "label", "emotion", "target"];

/// Whether a column with this name identifies a frame.
pub(crate) fn identifies(name: &str) -> bool {
    let name = name.to_lowercase();
    [&VIDEO[..], &START, &CENTRE, &FRAME]
        .concat()
        .contains(&name.as_str())
}

/// A column that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutColumn {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// The columns of a table of frames, by meaning.
#[derive(Debug, Default)]
pub(crate) struct FeatureColumns {
    pub video: Option<usize>,
    pub segment: Option<usize>,
    pub start: Option<usize>,
    /// Whether `start` is the centre of a frame.
    pub centred: bool,
    pub end: Option<usize>,
    pub frame: Option<usize>,
    /// The features.
    pub features: Vec<usize>,
    /// Of these, indices of the columns that have the name of a target.
    pub targets: Vec<usize>,
    /// Of these, indices of the columns that are left out where no row has a value: openSMILE's
    /// `class ?`.
    pub droppable: Vec<usize>,
    pub left_out: Vec<LeftOutColumn>,
    /// Where the features are one column of lists: 1 for a vector in each row, 2 for an array.
    pub depth: usize,
}

impl FeatureColumns {
    /// The columns of a table; with `in_a_folder` a column with the recording may be missing.
    ///
    /// # Errors
    /// Where the mapping file names a column that is not there, or nothing identifies recordings or
    /// is a feature.
    pub fn of(table: &Table, mapping: &Mapping, in_a_folder: bool) -> Result<Self, ImportError> {
        let own = &mapping.features;
        let find = |names: &[String], key: &str| {
            let all = names.iter().map(|name| table.find(name, key));
            all.collect::<Result<Vec<_>, _>>()
        };
        let ignored = find(&own.ignore, "[features] ignore")?;
        let kept = find(&own.keep, "[features] keep")?;
        let taken = [&ignored[..], &kept[..]].concat();
        let named = |name: &Option<String>, usual: &[&str]| match name {
            Some(name) => table.find(name, "[features]").map(Some),
            None => Ok(table.find_any(usual, &taken)),
        };
        let mut columns = FeatureColumns {
            video: named(&own.video, &VIDEO)?,
            segment: named(&own.segment, &SEGMENT)?,
            start: named(&own.start, &START)?,
            end: named(&own.end, &END)?,
            frame: named(&own.frame, &FRAME)?,
            ..FeatureColumns::default()
        };
        if columns.start.is_none() {
            columns.start = table.find_any(&CENTRE, &taken);
            columns.centred = columns.start.is_some();
        }
        if columns.video.is_none() && !in_a_folder {
            let expected = "a column with the recording of each frame ('video', 'file', 'name' or 'id', or a [features] video in a mapping file)";
            let found = listed(table.names());
            return Err(ImportError::table(table.path(), "header", expected, found));
        }
        columns.choose(table, &ignored, &kept);
        columns.choose_lists(table)?;
        if columns.features.is_empty() {
            let (expected, found) = ("at least one column with a feature", listed(table.names()));
            return Err(ImportError::table(table.path(), "header", expected, found));
        }
        Ok(columns)
    }

    /// Sorts all other columns into features and columns left out.
    fn choose(&mut self, table: &Table, ignored: &[usize], kept: &[usize]) {
        let keys = [self.video, self.segment, self.start, self.end, self.frame];
        for (i, name) in table.names().iter().enumerate() {
            if keys.contains(&Some(i)) {
                continue;
            }
            let reason = match table.not_numeric(i) {
                _ if ignored.contains(&i) => Some("'ignore' names it".to_string()),
                Some(kind) => Some(format!("no numbers (ARFF type '{kind}')")),
                _ if kept.contains(&i) => None,
                None => is_row_number(name).then(|| "row numbers, by its name".to_string()),
            };
            if let Some(reason) = reason {
                let name = name.clone();
                self.left_out.push(LeftOutColumn { name, reason });
                continue;
            }
            let target = TARGET.contains(&name.to_lowercase().as_str()) && !kept.contains(&i);
            if target {
                self.targets.push(self.features.len());
            }
            if target || table.is_arff() {
                self.droppable.push(self.features.len());
            }
            self.features.push(i);
        }
    }

    /// Where a column holds lists, it is all features; numbers beside it are one for each list.
    fn choose_lists(&mut self, table: &Table) -> Result<(), ImportError> {
        let lists: Vec<usize> = self
            .features
            .iter()
            .copied()
            .filter(|&i| table.depth(i) > 0)
            .collect();
        match lists.as_slice() {
            [] => return Ok(()),
            [one] => self.depth = table.depth(*one),
            several => {
                let names: Vec<String> =
                    several.iter().map(|&i| table.names()[i].clone()).collect();
                let hint = "list the others under 'ignore' in [features] of a mapping file";
                let (expected, found) = ("one column of arrays", listed(&names));
                let error = ImportError::table(table.path(), "header", expected, found);
                return Err(error.with_hint(Some(hint.into())));
            }
        }
        for &i in self.features.iter().filter(|i| !lists.contains(i)) {
            let (name, reason) = (
                table.names()[i].clone(),
                "one value beside an array".to_string(),
            );
            self.left_out.push(LeftOutColumn { name, reason });
        }
        (self.features, self.targets, self.droppable) = (lists, Vec::new(), Vec::new());
        Ok(())
    }
}
