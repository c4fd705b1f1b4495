//! Everything a training needs to go on where it was: weights, moments, step, best weights so far, patience.
//!
//! Random streams are functions of (seed, stream, step), so none is saved.

use crate::TrainError;
use backbone::{read_tensors, write_tensors};
use run_record::StagedDir;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::Tensor;
use torch_ext::AdamW;

const FOLDER: &str = "checkpoint";
const FILE: &str = "state.safetensors";

/// Where a training stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Hash of the settings: a checkpoint of other settings is not gone on with.
    pub(crate) settings: String,
    /// Steps done.
    pub(crate) step: usize,
    /// Best validation so far: its score and the steps done by then.
    pub(crate) best: Option<(f64, usize)>,
    /// Looks at the validation data since then.
    pub(crate) looks_since_best: usize,
}

/// Names of the tensors that learn, with the tensors.
pub(crate) type Named = Vec<(String, Tensor)>;

fn file(place: &Path) -> PathBuf {
    place.join(FOLDER).join(FILE)
}

pub(crate) fn save(
    place: &Path,
    state: &State,
    parameters: &Named,
    optimiser: &AdamW,
    best: &BTreeMap<String, Tensor>,
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
    let staged = StagedDir::create(&place.join(FOLDER))?;
    let text = serde_json::to_string(state).map_err(TrainError::json(place))?;
    write_tensors(&tensors, Some(&text), &staged.path().join(FILE))?;
    Ok(staged.commit()?)
}

/// Goes back to a checkpoint where there is one of these settings; otherwise changes nothing.
pub(crate) fn restore(
    place: &Path,
    settings: &str,
    parameters: &Named,
    optimiser: &AdamW,
    best: &mut BTreeMap<String, Tensor>,
) -> Result<Option<State>, TrainError> {
    let path = file(place);
    if !path.exists() {
        return Ok(None);
    }
    let (tensors, text) = read_tensors(&path).map_err(|e| TrainError::Run {
        path: path.clone(),
        problem: format!("not a checkpoint that can be read ({e}); delete it to begin anew"),
    })?;
    let state: Option<State> = text.as_deref().and_then(|t| serde_json::from_str(t).ok());
    let Some(state) = state.filter(|s| s.settings == settings) else {
        tracing::warn!("{}: a checkpoint of other settings is put aside", path.display());
        return Ok(None);
    };
    let (first, second, steps) = optimiser.moments();
    let mut copies: Vec<(Tensor, &Tensor)> = Vec::with_capacity(4 * parameters.len());
    for (i, (name, tensor)) in parameters.iter().enumerate() {
        let parts = [("weight", tensor), ("first", &first[i]), ("second", &second[i]), ("steps", &steps[i])];
        for (part, target) in parts {
            let name = format!("{part}/{name}");
            match tensors.get(&name) {
                Some(saved) if saved.size() == target.size() => copies.push((target.shallow_clone(), saved)),
                found => {
                    let found = found.map_or("no such tensor".into(), |t| format!("shape {:?}", t.size()));
                    let problem = format!(
                        "tensor '{name}': expected shape {:?}, found {found}; delete the checkpoint to begin anew",
                        target.size()
                    );
                    return Err(TrainError::Run { path, problem });
                }
            }
        }
        if let Some(saved) = tensors.get(&format!("best/{name}")) {
            best.insert(name.clone(), saved.to_device(tensor.device()));
        }
    }
    tch::no_grad(|| copies.iter_mut().try_for_each(|(target, saved)| target.f_copy_(saved)))?;
    Ok(Some(state))
}

/// Removes what an earlier training left in `place`: a training that fails must not leave it beside its own journal.
pub(crate) fn remove_outputs(place: &Path, names: &[&str]) -> Result<(), TrainError> {
    for name in names {
        let path = place.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(TrainError::io("remove", &path)(e)),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn remove(place: &Path) -> Result<(), TrainError> {
    let folder = place.join(FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(TrainError::io("remove", &folder))?;
    }
    Ok(())
}
