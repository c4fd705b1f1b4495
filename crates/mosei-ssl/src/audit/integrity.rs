//! Rules of the files: what a run holds is what its steps wrote, and its tables are made of it.

use super::Verdict;
use super::evidence::Evidence;
use crate::integrity::{Collection, cell_keys, check_grid, check_outputs, check_planned};
use crate::run_folder::names;
use crate::statistics::read_statistics;
use crate::step::StepKind;
use crate::{Study, StudyError};
use eval::measure_cell;
use mosei_data::Prepared;
use run_record::error_chain;
use run_record::{ResultRow, each_cell, read_results};

/// The kinds of steps whose files the numbers depend on. Those before and after them are computed
/// from these, or hashed elsewhere.
const KINDS: [StepKind; 4] = [
    StepKind::Prepare,
    StepKind::Sample,
    StepKind::Pretrain,
    StepKind::Cell,
];

pub(super) fn outputs(e: &Evidence) -> Result<Verdict, StudyError> {
    let (mut problems, mut files, mut silent) = (Vec::new(), 0, 0);
    for step in KINDS
        .into_iter()
        .flat_map(|kind| e.of_kind(kind))
        .filter(|s| e.run.is_done(s))
    {
        match check_outputs(&e.run, step) {
            Ok(0) => silent += 1,
            Ok(n) => files += n,
            Err(error) => problems.push(error_chain(&error)),
        }
    }
    // Of the prepared data, steps record the hash of the manifest, which holds those of the rest.
    if let Err(error) =
        Prepared::open(&e.run.prepared()).and_then(|prepared| prepared.check_frames())
    {
        problems.push(error_chain(&error));
    }
    if files == 0 && problems.is_empty() {
        return Ok(Verdict::not_checked(
            "no step wrote down the hashes of its files",
        ));
    }
    let more = if silent == 0 {
        String::new()
    } else {
        format!("; {silent} steps wrote down no hashes")
    };
    Ok(Verdict::of(&problems, format!("{files} files{more}")))
}

pub(super) fn grid(e: &Evidence) -> Result<Verdict, StudyError> {
    let path = e.run.config();
    if !path.exists() {
        return Ok(Verdict::not_checked(format!(
            "{} is not there",
            names::CONFIG
        )));
    }
    check_grid(&e.run, &e.plan, &Study::load(&path)?)?;
    Ok(Verdict::ok(format!("{} cells", e.cells().count())))
}

pub(super) fn tables(e: &Evidence) -> Result<Verdict, StudyError> {
    let Some(collection) = Collection::read(&e.run)? else {
        return Ok(Verdict::not_checked(format!(
            "{} is not there: the run has not been evaluated",
            names::COLLECTED
        )));
    };
    for name in collection.files.keys() {
        collection.check(&e.run, name)?;
    }
    let keys = cell_keys(&e.plan);
    let path = e.run.predictions();
    collection
        .cells
        .iter()
        .try_for_each(|cell| check_planned(&path, &keys, cell))?;
    read_statistics(&e.run)?;
    Ok(Verdict::ok(format!(
        "{} tables of {} cells",
        collection.files.len(),
        collection.cells.len()
    )))
}

/// What two machines may round otherwise.
const TOLERANCE: f64 = 1e-12;

pub(super) fn measured(e: &Evidence) -> Result<Verdict, StudyError> {
    let (predictions, results) = (e.run.predictions(), e.run.results());
    if let Some(missing) = [&predictions, &results]
        .into_iter()
        .find(|path| !path.exists())
    {
        let name = missing
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        return Ok(Verdict::not_checked(format!("{name} is not there yet")));
    }
    let rows = read_results(&results)?;
    let file = names::RESULTS;
    let (mut problems, mut left) = (Vec::new(), rows.as_slice());
    each_cell(&predictions, |cell| {
        let expected = measure_cell(&cell)?;
        let own;
        (own, left) = left.split_at(expected.len().min(left.len()));
        let differs = |(a, b): &(&ResultRow, &ResultRow)| !alike(a, b);
        if let Some((expected, found)) = expected.iter().zip(own).find(differs) {
            problems.push(format!(
                "{file}: expected {}, found {}",
                say(expected),
                say(found)
            ));
        } else if own.len() < expected.len() {
            problems.push(format!(
                "{file}: cell {}: a measurement is missing",
                cell.id.cell
            ));
        }
        Ok::<(), StudyError>(())
    })?;
    if let Some(odd) = left.first() {
        problems.push(format!(
            "{file}: {}, of nothing that {} holds",
            say(odd),
            names::PREDICTIONS
        ));
    }
    Ok(Verdict::of(
        &problems,
        format!("{} measurements, computed again", rows.len()),
    ))
}

fn alike(a: &ResultRow, b: &ResultRow) -> bool {
    let values = match (a.value, b.value) {
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        (a, b) => a.is_none() && b.is_none(),
    };
    values
        && ResultRow {
            value: None,
            ..a.clone()
        } == ResultRow {
            value: None,
            ..b.clone()
        }
}

fn say(row: &ResultRow) -> String {
    let value = row.value.map_or("none".into(), |value| value.to_string());
    format!(
        "cell {}, {}, {} {} {value}",
        row.cell, row.split, row.emotion, row.metric
    )
}
