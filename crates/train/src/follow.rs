//! What a training says while it runs: a line of its journal, and the same numbers as TensorBoard events beside it.
//!
//! What lives here: opening both, cut back to the checkpoint that is gone on from, and writing both. What does not: what
//! is said.

use crate::TrainError;
use crate::checkpoint::State;
use crate::made::{self, MADE};
use crate::pretrain::SEEN_EVENT;
use crate::test_labels::TEST_LABELS_EVENT;
use crate::training::JOURNAL_FILE;
use run_record::Journal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use syntaxdot_summary::SummaryWriter;

/// In the name of every event file, by which TensorBoard knows them.
const EVENTS: &str = ".tfevents.";
/// The event of a process that goes on from a checkpoint.
const RESUME_EVENT: &str = "resume";

/// A training's journal, and where they are wanted its TensorBoard events.
pub(crate) struct Followed {
    place: PathBuf,
    journal: Journal,
    events: Option<SummaryWriter<BufWriter<File>>>,
}

impl Followed {
    /// Opens both in `place`, cut back to the checkpoint that is gone on from, or begun anew. Events are made anew from what
    /// stays of the journal: TensorBoard shows each step once.
    pub(crate) fn open(
        place: &Path,
        events: bool,
        restored: Option<&State>,
        beginning: &BTreeMap<&'static str, String>,
    ) -> Result<Self, TrainError> {
        let path = place.join(JOURNAL_FILE);
        let kept: Vec<(String, Value)> = match restored {
            None => Vec::new(),
            Some(state) => run_record::read_to_string(&path)
                .unwrap_or_default()
                .lines()
                .filter_map(|line| Some((line.to_string(), serde_json::from_str(line).ok()?)))
                .filter(|(_, value)| belongs(value, state.step))
                .collect(),
        };
        let text: String = kept.iter().map(|(line, _)| format!("{line}\n")).collect();
        run_record::write_atomic(&path, text.as_bytes())?;
        remove_events(place)?;
        let mut followed = Followed { place: place.to_path_buf(), journal: Journal::append(&path)?, events: None };
        if events {
            let writer = SummaryWriter::from_prefix(place.join("events")).map_err(failed(place))?;
            followed.events = Some(writer);
        }
        kept.iter().try_for_each(|(_, value)| followed.show(value))?;
        made::went_on_with(kept.iter().map(|(_, value)| value));
        let event = if restored.is_some() { RESUME_EVENT } else { "start" };
        followed.write(&json!({
            "event": event, "step": restored.map_or(0, |s| s.step), "version": env!("CARGO_PKG_VERSION"),
            MADE: made::own(), crate::paired::BEGINNING: beginning,
        }))?;
        Ok(followed)
    }

    /// Writes one line, and its numbers.
    pub(crate) fn write(&mut self, line: &Value) -> Result<(), TrainError> {
        self.journal.write(line)?;
        self.show(line)
    }

    fn show(&mut self, line: &Value) -> Result<(), TrainError> {
        let Some(writer) = &mut self.events else { return Ok(()) };
        let step = line["step"].as_i64().unwrap_or(0);
        for (tag, value) in scalars(line) {
            writer.write_scalar(tag, step, value as f32).map_err(failed(&self.place))?;
        }
        Ok(())
    }
}

/// What TensorBoard draws of a line, by tag.
fn scalars(line: &Value) -> Vec<(String, f64)> {
    let numbers = |prefix: &str, names: Vec<(&str, &Value)>| -> Vec<(String, f64)> {
        names.into_iter().filter_map(|(name, value)| Some((format!("{prefix}/{name}"), value.as_f64()?))).collect()
    };
    match line["event"].as_str() {
        Some("step") => {
            numbers("train", ["loss", "learning_rate", "gradient_norm"].map(|name| (name, &line[name])).into())
        }
        Some("validation") => {
            let mut names: Vec<(&str, &Value)> = ["loss", "score"].map(|name| (name, &line[name])).into();
            names.extend(line["more"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)));
            numbers("validation", names)
        }
        _ => Vec::new(),
    }
}

/// The event files of a folder.
fn event_files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let is_event = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(EVENTS));
    entries.flatten().map(|entry| entry.path()).filter(is_event).collect()
}

fn remove_events(place: &Path) -> Result<(), TrainError> {
    event_files(place)
        .into_iter()
        .try_for_each(|path| std::fs::remove_file(&path).map_err(TrainError::io("remove", &path)))
}

/// Moves the event files of one training to another folder, in the place of those there.
pub(crate) fn move_events(from: &Path, to: &Path) -> Result<(), TrainError> {
    remove_events(to)?;
    for path in event_files(from) {
        let Some(name) = path.file_name() else { continue };
        std::fs::rename(&path, to.join(name)).map_err(TrainError::io("move", &path))?;
    }
    Ok(())
}

fn failed(place: &Path) -> impl FnOnce(std::io::Error) -> TrainError {
    TrainError::io("write TensorBoard events in", place)
}

/// Whether a line was written before the checkpoint of `done` steps.
fn belongs(line: &Value, done: usize) -> bool {
    let Some(step) = line["step"].as_u64() else { return false };
    match line["event"].as_str() {
        // What a process that went on from this checkpoint did afterwards is lost, and so it had no part in what comes of it.
        Some("step" | RESUME_EVENT) => step < done as u64,
        // Of a process that ended after them: this one will do both again.
        Some("end" | SEEN_EVENT | TEST_LABELS_EVENT) => false,
        _ => step <= done as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of an event file: length, its checksum, content, its checksum.
    fn records(path: &Path) -> usize {
        let bytes = std::fs::read(path).unwrap();
        let (mut at, mut n) = (0, 0);
        while at < bytes.len() {
            let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
            at += 8 + 4 + length + 4;
            n += 1;
        }
        assert_eq!(at, bytes.len());
        n
    }

    #[test]
    fn events_are_those_of_the_journal_and_of_each_step_once() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        let step =
            |k: usize| json!({"event": "step", "step": k, "loss": 1.5, "learning_rate": 1e-3, "gradient_norm": 0.1});
        let look = |k: usize| json!({"event": "validation", "step": k, "loss": 1.0, "score": -1.0, "more": {"roc_auc": null, "mae": 0.3}});
        let mut followed = Followed::open(place, true, None, &BTreeMap::new()).unwrap();
        for k in 0..4 {
            followed.write(&step(k)).unwrap();
        }
        followed.write(&look(4)).unwrap();
        drop(followed);
        // The version, three numbers a step, three of a look whose fourth is undefined.
        assert_eq!(event_files(place).len(), 1);
        assert_eq!(records(&event_files(place)[0]), 1 + 4 * 3 + 3);

        // Gone on with after step 2: the third and fourth are done again.
        let state = State { settings: String::new(), step: 2, best: None, looks_since_best: 0 };
        let mut followed = Followed::open(place, true, Some(&state), &BTreeMap::new()).unwrap();
        (2..4).for_each(|k| followed.write(&step(k)).unwrap());
        drop(followed);
        assert_eq!(event_files(place).len(), 1);
        assert_eq!(records(&event_files(place)[0]), 1 + 4 * 3);

        let other = place.join("other");
        std::fs::create_dir(&other).unwrap();
        move_events(place, &other).unwrap();
        assert_eq!((event_files(place).len(), event_files(&other).len()), (0, 1));
        // Where none are wanted, none are left.
        drop(Followed::open(&other, false, None, &BTreeMap::new()).unwrap());
        assert!(event_files(&other).is_empty());
    }
}
