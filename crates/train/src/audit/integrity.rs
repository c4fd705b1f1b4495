//! Rules of the files: what a run holds is what its steps wrote, and its tables are made of it.

use super::evidence::Evidence;
use super::{Verdict, words};
use crate::collect::{RESULTS_FILE, is_done};
use crate::finetune::PREDICTIONS_FILE;
use crate::integrity::{COLLECTED_FILE, Collection, cell_keys, check_grid, check_outputs, check_planned};
use crate::plan::{CONFIG_FILE, PREPARED_FOLDER, kinds};
use crate::statistics::read_statistics;
use crate::{Study, TrainError};
use eval::measure_cell;
use mosei_data::Prepared;
use run_record::{ResultRow, each_cell, read_results};

/// The kinds of steps whose files numbers rest on; what lies before and behind them is made anew from them, or hashed elsewhere.
const KINDS: [&str; 4] = [kinds::PREPARE, kinds::SAMPLE, kinds::PRETRAIN, kinds::CELL];

pub(super) fn outputs(e: &Evidence) -> Result<Verdict, TrainError> {
    let (mut problems, mut files, mut silent) = (Vec::new(), 0, 0);
    for step in KINDS.into_iter().flat_map(|kind| e.of_kind(kind)).filter(|s| is_done(&e.run, s)) {
        match check_outputs(&e.run, step) {
            Ok(0) => silent += 1,
            Ok(n) => files += n,
            Err(error) => problems.push(words(&error)),
        }
    }
    // Of the prepared data steps wrote down the manifest alone, which tells the hashes of the rest.
    if let Err(error) = Prepared::open(&e.run.join(PREPARED_FOLDER)).and_then(|prepared| prepared.check_frames()) {
        problems.push(words(&error.into()));
    }
    if files == 0 && problems.is_empty() {
        return Ok(Verdict::not_checked("no step wrote down the hashes of its files"));
    }
    let more = if silent == 0 { String::new() } else { format!("; {silent} steps wrote down no hashes") };
    Ok(Verdict::of(&problems, format!("{files} files{more}")))
}

pub(super) fn grid(e: &Evidence) -> Result<Verdict, TrainError> {
    let path = e.run.join(CONFIG_FILE);
    if !path.exists() {
        return Ok(Verdict::not_checked(format!("{CONFIG_FILE} is not there")));
    }
    check_grid(&e.run, &e.plan, &Study::load(&path)?)?;
    Ok(Verdict::ok(format!("{} cells", e.cells().count())))
}

pub(super) fn tables(e: &Evidence) -> Result<Verdict, TrainError> {
    let Some(collection) = Collection::read(&e.run)? else {
        return Ok(Verdict::not_checked(format!("{COLLECTED_FILE} is not there: no hashes of the tables")));
    };
    for name in collection.files.keys() {
        collection.check(&e.run, name)?;
    }
    let keys = cell_keys(&e.plan);
    let path = e.run.join(PREDICTIONS_FILE);
    collection.cells.iter().try_for_each(|cell| check_planned(&path, &keys, cell))?;
    read_statistics(&e.run)?;
    Ok(Verdict::ok(format!("{} tables of {} cells", collection.files.len(), collection.cells.len())))
}

/// What two machines may round otherwise.
const TOLERANCE: f64 = 1e-12;

pub(super) fn measured(e: &Evidence) -> Result<Verdict, TrainError> {
    let (predictions, results) = (e.run.join(PREDICTIONS_FILE), e.run.join(RESULTS_FILE));
    if let Some(missing) = [&predictions, &results].into_iter().find(|path| !path.exists()) {
        let name = missing.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(Verdict::not_checked(format!("{name} is not there yet")));
    }
    let rows = read_results(&results)?;
    let (mut problems, mut left) = (Vec::new(), rows.as_slice());
    each_cell(&predictions, |cell| {
        let expected = measure_cell(&cell)?;
        let own;
        (own, left) = left.split_at(expected.len().min(left.len()));
        let differs = |(a, b): &(&ResultRow, &ResultRow)| !alike(a, b);
        if let Some((expected, found)) = expected.iter().zip(own).find(differs) {
            problems.push(format!("{RESULTS_FILE}: expected {}, found {}", say(expected), say(found)));
        } else if own.len() < expected.len() {
            problems.push(format!("{RESULTS_FILE}: cell {}: a measurement is missing", cell.id.cell));
        }
        Ok::<(), TrainError>(())
    })?;
    if let Some(odd) = left.first() {
        problems.push(format!("{RESULTS_FILE}: {}, of nothing that {PREDICTIONS_FILE} holds", say(odd)));
    }
    Ok(Verdict::of(&problems, format!("{} measurements, made anew", rows.len())))
}

fn alike(a: &ResultRow, b: &ResultRow) -> bool {
    let values = match (a.value, b.value) {
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        (a, b) => a.is_none() && b.is_none(),
    };
    values && ResultRow { value: None, ..a.clone() } == ResultRow { value: None, ..b.clone() }
}

fn say(row: &ResultRow) -> String {
    let value = row.value.map_or("none".into(), |value| value.to_string());
    format!("cell {}, {}, {} {} {value}", row.cell, row.split, row.emotion, row.metric)
}
