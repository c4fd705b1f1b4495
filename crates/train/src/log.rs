//! The log of a training: its journal, and the same numbers as TensorBoard events beside it.
//!
//! What lives here: opening both, cut back to the checkpoint that a training continues from, and
//! writing both. What does not: the lines themselves ([`crate::Event`]).

use crate::event::{Beginning, Event, JOURNAL_FILE, Process};
use crate::made;
use crate::{TrainError, checkpoint::State};
use run_record::Journal;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use syntaxdot_summary::SummaryWriter;

/// In the name of every event file, by which TensorBoard knows them.
const EVENTS: &str = ".tfevents.";

/// The open log of a training.
pub(crate) struct TrainingLog {
    folder: PathBuf,
    journal: Journal,
    events: Option<SummaryWriter<BufWriter<File>>>,
}

impl TrainingLog {
    /// Opens both in `folder`: cut back to the checkpoint that the training continues from, or
    /// empty. TensorBoard's events are written again from the lines that stay, so that it shows
    /// each step once.
    pub(crate) fn open(
        folder: &Path,
        tensorboard: bool,
        restored: Option<&State>,
        beginning: Beginning,
    ) -> Result<Self, TrainError> {
        let path = folder.join(JOURNAL_FILE);
        let kept: Vec<(String, Event)> = match restored {
            None => Vec::new(),
            Some(state) => run_record::read_to_string(&path)
                .unwrap_or_default()
                .lines()
                .filter_map(|line| Some((line.to_string(), Event::parse(line)?)))
                .filter(|(_, event)| is_before(event, state.step))
                .collect(),
        };
        let text: String = kept.iter().map(|(line, _)| format!("{line}\n")).collect();
        run_record::write_atomic(&path, text.as_bytes())?;
        remove_events(folder)?;
        let mut log = TrainingLog {
            folder: folder.to_path_buf(),
            journal: Journal::append(&path)?,
            events: None,
        };
        if tensorboard {
            let writer =
                SummaryWriter::from_prefix(folder.join("events")).map_err(failed(folder))?;
            log.events = Some(writer);
        }
        kept.iter().try_for_each(|(_, event)| log.show(event))?;
        made::continue_from(kept.iter().map(|(_, event)| event));
        let step = restored.map_or(0, |s| s.step);
        let process = Process {
            step,
            version: env!("CARGO_PKG_VERSION").into(),
            made: made::own(),
            beginning,
        };
        log.write(&if restored.is_some() {
            Event::Resume(process)
        } else {
            Event::Start(process)
        })?;
        Ok(log)
    }

    /// Writes one line, and its numbers.
    pub(crate) fn write(&mut self, event: &Event) -> Result<(), TrainError> {
        event.write(&mut self.journal)?;
        self.show(event)
    }

    fn show(&mut self, event: &Event) -> Result<(), TrainError> {
        let Some(writer) = &mut self.events else {
            return Ok(());
        };
        let step = i64::try_from(event.step()).unwrap_or(i64::MAX);
        for (tag, value) in scalars(event) {
            writer
                .write_scalar(tag, step, value as f32)
                .map_err(failed(&self.folder))?;
        }
        Ok(())
    }
}

/// The numbers of a line that TensorBoard draws, by tag.
fn scalars(event: &Event) -> Vec<(String, f64)> {
    let numbers = |prefix: &str, values: Vec<(&str, Option<f64>)>| -> Vec<(String, f64)> {
        values
            .into_iter()
            .filter_map(|(name, value)| Some((format!("{prefix}/{name}"), value?)))
            .collect()
    };
    match event {
        Event::Step(s) => {
            let values = [
                ("loss", s.loss),
                ("learning_rate", s.learning_rate),
                ("gradient_norm", s.gradient_norm),
            ];
            numbers(
                "train",
                values.map(|(name, value)| (name, Some(value))).into(),
            )
        }
        Event::Validation {
            loss, score, more, ..
        } => {
            let mut values = vec![("loss", *loss), ("score", *score)];
            values.extend(more.iter().map(|(name, value)| (name.as_str(), *value)));
            numbers("validation", values)
        }
        _ => Vec::new(),
    }
}

/// The event files of a folder.
fn event_files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let is_event = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().contains(EVENTS))
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_event)
        .collect()
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
        let Some(name) = path.file_name() else {
            continue;
        };
        std::fs::rename(&path, to.join(name)).map_err(TrainError::io("move", &path))?;
    }
    Ok(())
}

fn failed(place: &Path) -> impl FnOnce(std::io::Error) -> TrainError {
    TrainError::io("write TensorBoard events in", place)
}

/// Whether a line was written before the checkpoint of `done` steps.
fn is_before(event: &Event, done: usize) -> bool {
    match event {
        // What a process did after it continued from this checkpoint is lost, so it had no part in
        // the outcome.
        Event::Step(_) | Event::Resume(_) => event.step() < done,
        // These come after the last step: this process will write them again.
        Event::End { .. } | Event::Seen { .. } | Event::TestLabels { .. } => false,
        _ => event.step() <= done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StepEvent;
    use std::collections::BTreeMap;

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
        let step = |step: usize| {
            Event::Step(StepEvent {
                step,
                epoch: 0,
                loss: 1.5,
                learning_rate: 1e-3,
                gradient_norm: 0.1,
                valid_frames: 1,
                computed_frames: 1,
                seconds: 0.0,
                batch: String::new(),
                dropout: 0,
            })
        };
        let more = BTreeMap::from([
            ("roc_auc".to_string(), None),
            ("mae".to_string(), Some(0.3)),
        ]);
        let validation = Event::Validation {
            step: 4,
            loss: Some(1.0),
            score: Some(-1.0),
            more,
        };
        let mut log = TrainingLog::open(place, true, None, Beginning::default()).unwrap();
        for k in 0..4 {
            log.write(&step(k)).unwrap();
        }
        log.write(&validation).unwrap();
        drop(log);
        // The version, three numbers a step, three of a validation whose fourth is undefined.
        assert_eq!(event_files(place).len(), 1);
        assert_eq!(records(&event_files(place)[0]), 1 + 4 * 3 + 3);

        // Continued after step 2: the third and fourth are done again.
        let state = State {
            settings: String::new(),
            step: 2,
            best: None,
            validations_since_best: 0,
        };
        let mut log = TrainingLog::open(place, true, Some(&state), Beginning::default()).unwrap();
        (2..4).for_each(|k| log.write(&step(k)).unwrap());
        drop(log);
        assert_eq!(event_files(place).len(), 1);
        assert_eq!(records(&event_files(place)[0]), 1 + 4 * 3);

        let other = place.join("other");
        std::fs::create_dir(&other).unwrap();
        move_events(place, &other).unwrap();
        assert_eq!(
            (event_files(place).len(), event_files(&other).len()),
            (0, 1)
        );
        // Where none are wanted, none are left.
        drop(TrainingLog::open(&other, false, None, Beginning::default()).unwrap());
        assert!(event_files(&other).is_empty());
    }
}
