//! Rules of the finished cells: their settings, their rows, and when they read the test labels.

use super::Verdict;
use super::evidence::{Cell, Evidence};
use crate::StudyError;
use crate::run_folder::{RunFolder, names};
use crate::step::StudyStep;
use mosei_data::targets::present;
use mosei_schema::{SegmentId, Split};
use run_record::{CellPredictions, PredictionRow, Table, each_cell};
use std::collections::BTreeMap;
use std::path::Path;
use train::Event;

pub(super) fn as_planned(e: &Evidence, cell: &Cell<'_>) -> Result<Vec<String>, StudyError> {
    let id = &cell.predictions.id;
    let mut problems = cell.planned.differences(&cell.step.key, id);
    // The command is what was run; it must follow from the facts that all other rules read. A run
    // folder may have been moved since, so its place then is taken from the command.
    let found = &cell.step.command;
    let config = found
        .iter()
        .position(|word| word == "--config")
        .and_then(|i| found.get(i + 1));
    let folder = config
        .and_then(|config| Path::new(config).parent())
        .unwrap_or(e.run.path());
    let step = StudyStep::Cell(cell.planned.clone());
    let command = step.command(&RunFolder::new(folder), &cell.step.key);
    if let Some((expected, found)) = first_difference(&command, &cell.step.command) {
        problems.push(format!("its command: expected {expected}, found {found}"));
    }
    if e.fold(id.fold).is_none() {
        problems.push(format!(
            "fold {} is none of the data's {}",
            id.fold,
            e.folds()
        ));
    }
    Ok(problems)
}

/// The first words in which two commands differ.
fn first_difference(expected: &[String], found: &[String]) -> Option<(String, String)> {
    let word =
        |words: &[String], i: usize| words.get(i).cloned().unwrap_or_else(|| "its end".into());
    (0..expected.len().max(found.len()))
        .map(|i| (word(expected, i), word(found, i)))
        .find(|(a, b)| a != b)
}

/// The split that a row names, where it is one that is evaluated.
fn judged(row: &PredictionRow) -> Option<Split> {
    [Split::Valid, Split::Test]
        .into_iter()
        .find(|s| s.name() == row.split)
}

/// The place of each row's segment, looked up once for rows of one segment that stand together.
fn places(e: &Evidence, rows: &[PredictionRow]) -> Vec<Option<usize>> {
    let mut places: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| (&rows[i], places[i]));
        places.push(match before {
            Some((before, place))
                if (&before.video, before.segment) == (&row.video, row.segment) =>
            {
                place
            }
            _ => e.place(&SegmentId {
                video: row.video.clone(),
                segment: row.segment,
            }),
        });
    }
    places
}

pub(super) fn judged_on_the_split(
    e: &Evidence,
    cell: &Cell<'_>,
) -> Result<Vec<String>, StudyError> {
    let rows = &cell.predictions.rows;
    let Some(fold) = e.fold(cell.predictions.id.fold) else {
        return Ok(Vec::new());
    };
    let emotions = e.prepared.emotions();
    let mut times = vec![0u32; e.prepared.len() * emotions.len()];
    let mut problems = Vec::new();
    for (row, place) in rows.iter().zip(places(e, rows)) {
        let name = format!("{}[{}] {}", row.video, row.segment, row.emotion);
        let emotion = emotions.iter().position(|emotion| *emotion == row.emotion);
        let (Some(i), Some(emotion)) = (place, emotion) else {
            problems.push(format!(
                "row {name}: expected a segment and an emotion of the prepared data"
            ));
            continue;
        };
        match (judged(row), e.split(fold, i)) {
            (Some(named), Some(split)) if named == split => {
                times[i * emotions.len() + emotion] += 1
            }
            (_, split) => {
                let split = split.map_or("no split", Split::name);
                problems.push(format!(
                    "row {name}: expected {split} of fold {fold}, found {}",
                    row.split
                ));
            }
        }
    }
    for split in [Split::Valid, Split::Test] {
        for &i in e.prepared.fold(fold)?.segments(split) {
            for (emotion, &n) in emotions
                .iter()
                .zip(&times[i * emotions.len()..])
                .filter(|(_, n)| **n != 1)
            {
                problems.push(format!(
                    "row {} {emotion} of {split}: expected once, found {n} times",
                    e.prepared.id(i)
                ));
            }
        }
    }
    Ok(problems)
}

pub(super) fn labels_unaltered(e: &Evidence, cell: &Cell<'_>) -> Result<Vec<String>, StudyError> {
    let rows = &cell.predictions.rows;
    let above = e.manifest().config.presence_above;
    let emotions = e.prepared.emotions();
    let mut problems = Vec::new();
    for (row, place) in rows.iter().zip(places(e, rows)) {
        // Rows of nothing break another rule.
        let Some((i, emotion)) =
            place.zip(emotions.iter().position(|emotion| *emotion == row.emotion))
        else {
            continue;
        };
        let label = e.prepared.intensities(i)[emotion];
        if (f64::from(label), present(label, above)) != (row.intensity, row.present) {
            let (id, emotion, intensity) = (e.prepared.id(i), &row.emotion, row.intensity);
            let word = |present| if present { "present" } else { "absent" };
            let (expected, found) = (word(present(label, above)), word(row.present));
            problems.push(format!(
                "row {id} {emotion}: expected {label}, {expected}, found {intensity}, {found}"
            ));
        }
    }
    Ok(problems)
}

pub(super) fn test_labels_read_once(
    e: &Evidence,
    cell: &Cell<'_>,
) -> Result<Vec<String>, StudyError> {
    let is_read = |event: &Event| matches!(event, Event::TestLabels { .. });
    let read: Vec<usize> = (0..cell.journal.len())
        .filter(|&i| is_read(&cell.journal[i]))
        .collect();
    let [only] = read[..] else {
        return Ok(vec![format!(
            "expected one reading of the test labels in its journal, found {}",
            read.len()
        )]);
    };
    let mut problems = Vec::new();
    if let Some(after) = cell.journal[only + 1..]
        .iter()
        .find(|event| !matches!(event, Event::End { .. }))
    {
        problems.push(format!(
            "expected nothing but the end after the test labels were read, found '{}'",
            after.name()
        ));
    }
    if let Some(fold) = e.fold(cell.predictions.id.fold) {
        let expected = e.prepared.fold(fold)?.test.len();
        if let Event::TestLabels {
            segments: found, ..
        } = cell.journal[only]
            && found != expected
        {
            problems.push(format!(
                "expected the labels of {expected} test segments to be read, found {found}"
            ));
        }
    }
    Ok(problems)
}

pub(super) fn collected(e: &Evidence) -> Result<Verdict, StudyError> {
    let together = e.run.predictions();
    if !together.exists() {
        return Ok(Verdict::not_checked(format!(
            "{} is not there yet",
            names::PREDICTIONS
        )));
    }
    let of_key: BTreeMap<&str, _> = e
        .finished_cells()
        .map(|step| (step.key.as_str(), step))
        .collect();
    let (mut problems, mut cells) = (Vec::new(), 0);
    each_cell(&together, |cell| {
        cells += 1;
        let key = &cell.id.cell;
        let Some(step) = of_key.get(key.as_str()) else {
            problems.push(format!("cell {key}: expected a finished cell of the plan"));
            return Ok(());
        };
        let path = e.run.cell_predictions(step);
        let own = CellPredictions::from_table(&path, &Table::read(&path)?)?;
        if own != std::slice::from_ref(&cell) {
            let difference = changed(&own, &cell);
            problems.push(format!(
                "{}: {difference} in {} of the run",
                step.id,
                names::PREDICTIONS
            ));
        }
        Ok::<(), StudyError>(())
    })?;
    Ok(Verdict::of(
        &problems,
        format!("{cells} cells of {} that are finished", of_key.len()),
    ))
}

/// Where two tables of one cell differ first, with the row that both name.
fn changed(own: &[CellPredictions], other: &CellPredictions) -> String {
    let rows = own.iter().map(|cell| cell.rows.len()).sum::<usize>();
    if rows != other.rows.len() {
        return format!("{rows} rows became {}", other.rows.len());
    }
    match own
        .iter()
        .flat_map(|cell| &cell.rows)
        .zip(&other.rows)
        .find(|(a, b)| a != b)
    {
        Some((a, _)) => format!("row {}[{}] {} is another", a.video, a.segment, a.emotion),
        None => "its settings are others".into(),
    }
}
