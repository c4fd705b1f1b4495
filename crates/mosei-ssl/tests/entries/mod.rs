//! What is done with bytes of which nothing is known, where they stand for a file of a run: they
//! come to an error that names the file, or to a value that keeps its promises. For fuzzing, and
//! for the seeds of the fuzz targets.
//!
//! What lives here: one function a kind of file. What does not: where the bytes come from; data
//! files, which have such functions in `mosei-data`.

use mosei_ssl::Study;
use run_record::{CellPredictions, STEP_FILE, StagedDir, StepRecord, Table, read_results};
use std::collections::BTreeSet;
use std::path::Path;
use sweep::Plan;
use train::checkpoint_facts;

/// Whether the bytes were taken.
pub type Taken = bool;

/// The configuration of a study.
pub fn study(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let path = folder.join("s.toml");
        std::fs::write(&path, bytes).unwrap();
        match Study::load(&path) {
            Ok(study) => {
                assert_eq!(
                    Study::parse(&path, &study.to_toml()).unwrap(),
                    study,
                    "what is written reads back as itself"
                );
                true
            }
            Err(error) => named(&error.to_string(), &path),
        }
    })
}

/// The plan of a run, as `status` and as a sweep read it.
pub fn plan(bytes: &[u8]) -> Taken {
    in_folder(|run| {
        let path = run.join("plan.json");
        std::fs::write(&path, bytes).unwrap();
        let read = sweep::status(run);
        let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else {
            return named(&read.unwrap_err().to_string(), &path);
        };
        let taken = match sweep::explain(&plan, run) {
            Err(_) => false,
            Ok(explained) => {
                assert_eq!(explained.len(), plan.steps.len());
                let ids: BTreeSet<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
                assert_eq!(ids.len(), plan.steps.len());
                let paths = || {
                    plan.steps
                        .iter()
                        .flat_map(|step| step.outputs.iter().chain([&step.id]))
                };
                assert!(
                    paths().all(|p| !p.starts_with('/') && !p.split('/').any(|part| part == "..")),
                    "outside the run"
                );
                true
            }
        };
        assert_eq!(
            std::fs::read_dir(run).unwrap().count(),
            1,
            "looking writes nothing"
        );
        taken
    })
}

/// `results.csv`.
pub fn results(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let path = folder.join("results.csv");
        std::fs::write(&path, bytes).unwrap();
        read_results(&path)
            .map(drop)
            .map_or_else(|e| named(&e.to_string(), &path), |()| true)
    })
}

/// `predictions.parquet`.
pub fn predictions(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let path = folder.join("predictions.parquet");
        std::fs::write(&path, bytes).unwrap();
        let cells = Table::read(&path).and_then(|table| CellPredictions::from_table(&path, &table));
        cells
            .map(drop)
            .map_or_else(|e| named(&e.to_string(), &path), |()| true)
    })
}

/// `step.json`; one that cannot be read is of a step that has not been done.
pub fn record(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        std::fs::write(folder.join(STEP_FILE), bytes).unwrap();
        StepRecord::read(folder).is_some()
    })
}

/// The tensors and the state of a checkpoint, with checksums that fit: nothing gets past those that
/// do not.
pub fn checkpoint(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let path = folder.join("step-4");
        let staged = StagedDir::create(&path).unwrap();
        std::fs::write(staged.path().join("state.safetensors"), bytes).unwrap();
        staged.commit().unwrap();
        match checkpoint_facts(&path) {
            Ok((_, tensors)) => {
                assert!(tensors.iter().all(|name| name.contains('/')));
                true
            }
            Err(error) => named(&error.to_string(), &path),
        }
    })
}

fn named(words: &str, path: &Path) -> Taken {
    assert!(words.contains(&path.display().to_string()), "{words}");
    false
}

fn in_folder<T>(work: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    work(folder.path())
}
