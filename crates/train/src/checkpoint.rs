//! Everything a training needs to go on where it was: weights, moments, step, best weights so far,
//! patience.
//!
//! Random streams are functions of (seed, stream, step), so none is saved. Each checkpoint is a
//! folder of its own, `checkpoint/step-N`, with its checksums; of those that cannot be used the
//! newest but one is.

use crate::TrainError;
use backbone::{read_tensors, write_tensors};
use mosei_schema::SettingError;
use run_record::{StagedDir, check_sums};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tch::Tensor;
use torch_ext::AdamW;

const FOLDER: &str = "checkpoint";
const PREFIX: &str = "step-";
const FILE: &str = "state.safetensors";

/// When the state of a training is saved, and how much of it is kept. No result
/// depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Steps between checkpoints; 0 for none by steps. Default 200.
    pub every_steps: usize,
    /// Minutes after which the next step is followed by one, wherever the steps are; 0 for none by
    /// time. Default 5.
    pub every_minutes: f64,
    /// How many are kept, the last ones. Default 2: should one be damaged, there is the one before.
    pub keep: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        CheckpointConfig {
            every_steps: 200,
            every_minutes: 5.0,
            keep: 2,
        }
    }
}

impl CheckpointConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), SettingError> {
        // As many minutes as a year has are more than anybody means.
        if !(0.0..=525_600.0).contains(&self.every_minutes) {
            return Err(SettingError::new(
                "every_minutes",
                "a number from 0 to 525600",
                self.every_minutes,
            ));
        }
        if !(1..=1000).contains(&self.keep) {
            return Err(SettingError::new(
                "keep",
                "a number from 1 to 1000",
                self.keep,
            ));
        }
        Ok(())
    }

    /// Whether a training saves its state after `step` steps, the last time having been at `last`.
    pub(crate) fn is_due(&self, step: usize, last: Instant) -> bool {
        let by_steps = self.every_steps > 0 && step.is_multiple_of(self.every_steps);
        let by_time = self.every_minutes > 0.0
            && last.elapsed() >= Duration::from_secs_f64(self.every_minutes * 60.0);
        by_steps || by_time
    }
}

/// Where a training stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Hash of the settings: a checkpoint of other settings is not used.
    pub(crate) settings: String,
    /// Steps done.
    pub(crate) step: usize,
    /// Best validation so far: its score and the steps done by then.
    pub(crate) best: Option<(f64, usize)>,
    /// Evaluations on the validation split since then: what patience is compared with.
    pub(crate) validations_since_best: usize,
}

/// Names of the tensors that learn, with the tensors.
pub(crate) type Named = Vec<(String, Tensor)>;

/// The checkpoints in `place`, oldest first, with their steps.
fn found(place: &Path) -> Result<Vec<(usize, PathBuf)>, TrainError> {
    let folder = place.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(TrainError::io("list", &folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(TrainError::io("list", &folder))?;
        let step = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        found.extend(step.map(|step: usize| (step, entry.path())));
    }
    found.sort_unstable();
    Ok(found)
}

fn remove_folder(path: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(TrainError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Saves the state of a training, and removes the oldest checkpoints beyond the `keep` last ones.
pub(crate) fn save(
    place: &Path,
    state: &State,
    parameters: &Named,
    optimiser: &AdamW,
    best: &BTreeMap<String, Tensor>,
    keep: usize,
) -> Result<(), TrainError> {
    let (first, second, steps) = optimiser.moments();
    let mut tensors = Vec::with_capacity(5 * parameters.len());
    for (i, (name, tensor)) in parameters.iter().enumerate() {
        tensors.push((format!("weight/{name}"), tensor.shallow_clone()));
        tensors.push((format!("first/{name}"), first[i].shallow_clone()));
        tensors.push((format!("second/{name}"), second[i].shallow_clone()));
        tensors.push((format!("steps/{name}"), steps[i].shallow_clone()));
        if let Some(best) = best.get(name) {
            tensors.push((format!("best/{name}"), best.shallow_clone()));
        }
    }
    let staged = StagedDir::create(&place.join(FOLDER).join(format!("{PREFIX}{}", state.step)))?;
    let text = serde_json::to_string(state).map_err(TrainError::json(place))?;
    write_tensors(&tensors, Some(&text), &staged.path().join(FILE))?;
    staged.commit()?;
    let all = found(place)?;
    all[..all.len().saturating_sub(keep)]
        .iter()
        .try_for_each(|(_, path)| remove_folder(path))
}

/// What a checkpoint holds, or why it cannot be used.
fn read(folder: &Path) -> Result<(BTreeMap<String, Tensor>, State), String> {
    if !check_sums(folder).map_err(|e| e.to_string())? {
        return Err(format!(
            "{}: expected checksums, found none",
            folder.display()
        ));
    }
    let path = folder.join(FILE);
    let (tensors, text) = read_tensors(&path).map_err(|e| e.to_string())?;
    let state = text.as_deref().and_then(|t| serde_json::from_str(t).ok());
    let state = state.ok_or_else(|| {
        format!(
            "{}: expected the state of a training, found none",
            path.display()
        )
    })?;
    Ok((tensors, state))
}

/// How many steps the training had done that saved the checkpoint in `folder`
/// (`checkpoint/step-N`), and the names of its tensors.
///
/// # Errors
/// Where its files are not those that were written, or hold no state of a training.
pub fn checkpoint_facts(folder: &Path) -> Result<(usize, Vec<String>), TrainError> {
    match read(folder) {
        Ok((tensors, state)) => Ok((state.step, tensors.into_keys().collect())),
        Err(problem) => Err(TrainError::Run {
            path: folder.to_path_buf(),
            problem,
        }),
    }
}

/// Goes back to the newest checkpoint that can be used, where there is one of these settings;
/// otherwise changes nothing. Those that are damaged or of other settings are named in a warning
/// and removed.
pub(crate) fn restore(
    place: &Path,
    settings: &str,
    parameters: &Named,
    optimiser: &AdamW,
    best: &mut BTreeMap<String, Tensor>,
) -> Result<Option<State>, TrainError> {
    for (_, folder) in found(place)?.into_iter().rev() {
        let (tensors, state) = match read(&folder) {
            Ok((_, state)) if state.settings != settings => {
                tracing::warn!(
                    "{}: a checkpoint of other settings is put aside",
                    folder.display()
                );
                remove_folder(&folder)?;
                continue;
            }
            Ok(read) => read,
            Err(problem) => {
                tracing::warn!("damaged checkpoint, going back to the one before: {problem}");
                remove_folder(&folder)?;
                continue;
            }
        };
        take(&folder.join(FILE), &tensors, parameters, optimiser, best)?;
        return Ok(Some(state));
    }
    Ok(None)
}

/// Takes weights, moments and best weights from a checkpoint's tensors.
fn take(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    parameters: &Named,
    optimiser: &AdamW,
    best: &mut BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    let (first, second, steps) = optimiser.moments();
    let mut copies: Vec<(Tensor, &Tensor)> = Vec::with_capacity(4 * parameters.len());
    for (i, (name, tensor)) in parameters.iter().enumerate() {
        let parts = [
            ("weight", tensor),
            ("first", &first[i]),
            ("second", &second[i]),
            ("steps", &steps[i]),
        ];
        for (part, target) in parts {
            let name = format!("{part}/{name}");
            match tensors.get(&name) {
                Some(saved) if saved.size() == target.size() => {
                    copies.push((target.shallow_clone(), saved))
                }
                found => {
                    let found =
                        found.map_or("no such tensor".into(), |t| format!("shape {:?}", t.size()));
                    let problem = format!(
                        "tensor '{name}': expected shape {:?}, found {found}; delete the checkpoint to train from the start",
                        target.size()
                    );
                    return Err(TrainError::Run {
                        path: path.to_path_buf(),
                        problem,
                    });
                }
            }
        }
        if let Some(saved) = tensors.get(&format!("best/{name}")) {
            best.insert(name.clone(), saved.to_device(tensor.device()));
        }
    }
    Ok(tch::no_grad(|| {
        copies
            .iter_mut()
            .try_for_each(|(target, saved)| target.f_copy_(saved))
    })?)
}

/// Removes what an earlier training left in `place`: a training that fails must not leave it beside
/// its own journal.
pub(crate) fn remove_outputs(place: &Path, names: &[&str]) -> Result<(), TrainError> {
    for name in names {
        let path = place.join(name);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(TrainError::io("remove", &path)(e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes all checkpoints in `place`.
pub(crate) fn remove(place: &Path) -> Result<(), TrainError> {
    remove_folder(&place.join(FOLDER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A training of two weights that learns nothing; after each save the weights are the step's
    /// number.
    struct Saved {
        place: tempfile::TempDir,
        parameters: Named,
        optimiser: AdamW,
    }

    impl Saved {
        fn new(steps: &[usize], keep: usize) -> Self {
            let place = tempfile::tempdir().unwrap();
            let weight = Tensor::from_slice(&[0f32, 0.0]).set_requires_grad(true);
            let config = torch_ext::AdamWConfig {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.0,
            };
            let optimiser = AdamW::new(config, vec![weight.shallow_clone()]);
            let mut saved = Saved {
                place,
                parameters: vec![("w".into(), weight)],
                optimiser,
            };
            for &step in steps {
                saved.set(step as f64);
                let state = State {
                    settings: "s".into(),
                    step,
                    best: None,
                    validations_since_best: 0,
                };
                save(
                    saved.path(),
                    &state,
                    &saved.parameters,
                    &saved.optimiser,
                    &BTreeMap::new(),
                    keep,
                )
                .unwrap();
            }
            saved.set(-1.0);
            saved
        }

        fn path(&self) -> &Path {
            self.place.path()
        }

        fn set(&mut self, value: f64) {
            let _ = tch::no_grad(|| self.parameters[0].1.f_fill_(value)).unwrap();
        }

        /// The step gone back to, and the first weight then.
        fn restored(&self, settings: &str) -> (Option<usize>, f64) {
            let best = &mut BTreeMap::new();
            let state = restore(
                self.path(),
                settings,
                &self.parameters,
                &self.optimiser,
                best,
            )
            .unwrap();
            (
                state.map(|s| s.step),
                self.parameters[0].1.double_value(&[0]),
            )
        }
    }

    #[test]
    fn the_last_ones_are_kept_by_number_and_not_by_name() {
        let saved = Saved::new(&[2, 9, 10, 100], 3);
        let steps: Vec<usize> = found(saved.path())
            .unwrap()
            .into_iter()
            .map(|(step, _)| step)
            .collect();
        assert_eq!(steps, [9, 10, 100]);
        assert_eq!(saved.restored("s"), (Some(100), 100.0));
    }

    #[test]
    fn a_damaged_checkpoint_gives_way_to_the_one_before() {
        let saved = Saved::new(&[10, 20, 30], 2);
        let file = saved.path().join("checkpoint/step-30").join(FILE);
        let mut bytes = fs::read(&file).unwrap();
        // One bit of a value, which the format itself would not notice.
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(saved.restored("s"), (Some(20), 20.0));
        fs::remove_file(
            saved
                .path()
                .join("checkpoint/step-20")
                .join(run_record::SUMS_FILE),
        )
        .unwrap();
        assert_eq!(saved.restored("s").0, None);
        assert!(found(saved.path()).unwrap().is_empty());
    }

    #[test]
    fn checkpoints_of_other_settings_are_not_gone_on_with() {
        let saved = Saved::new(&[10, 20], 2);
        assert_eq!(saved.restored("other"), (None, -1.0));
    }

    #[test]
    fn they_are_due_by_steps_or_by_time() {
        let by = |every_steps, every_minutes| CheckpointConfig {
            every_steps,
            every_minutes,
            keep: 1,
        };
        let now = Instant::now();
        assert!(
            by(5, 0.0).is_due(10, now)
                && !by(5, 0.0).is_due(11, now)
                && !by(0, 0.0).is_due(10, now)
        );
        assert!(by(0, 1e-12).is_due(7, now) && !by(0, 600.0).is_due(7, now));
        for wrong in [
            by(1, -1.0),
            by(1, f64::NAN),
            CheckpointConfig {
                keep: 0,
                ..by(1, 1.0)
            },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
