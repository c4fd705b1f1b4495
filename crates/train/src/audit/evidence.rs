//! What a run has left on disk, opened for the rules.

use crate::TrainError;
use crate::collect::{is_done, output, read_plan};
use crate::finetune::PREDICTIONS_FILE;
pub(super) use crate::integrity::option;
use crate::plan::{PREPARED_FOLDER, kinds};
use crate::training::JOURNAL_FILE;
use mosei_data::{Manifest, Prepared};
use mosei_schema::{SegmentId, Split};
use run_record::{CellPredictions, Table, read_to_string};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};

/// A run folder.
pub(super) struct Evidence {
    /// The folder.
    pub(super) run: PathBuf,
    /// Its prepared data.
    pub(super) prepared: Prepared,
    pub(super) plan: Plan,
    places: BTreeMap<SegmentId, usize>,
    /// By fold and segment; `None` for a segment without frames or in no split.
    splits: Vec<Vec<Option<Split>>>,
}

/// A finished cell.
pub(super) struct Cell<'a> {
    pub(super) step: &'a Step,
    pub(super) predictions: CellPredictions,
    pub(super) journal: Vec<Value>,
}

impl Evidence {
    pub(super) fn open(run: &Path) -> Result<Self, TrainError> {
        let plan = read_plan(run)?;
        let folder = run.join(PREPARED_FOLDER);
        if !folder.exists() {
            let problem = "nothing is prepared yet, so there is nothing to audit".to_string();
            return Err(TrainError::Run { path: folder, problem });
        }
        // As it is: what is wrong with it is for the rules to say.
        let prepared = Prepared::open_unverified(&folder)?;
        let places = (0..prepared.len()).map(|i| (prepared.id(i), i)).collect();
        let mut splits = Vec::new();
        for k in 0..prepared.fold_count() {
            let fold = prepared.fold(k)?;
            let mut split_of = vec![None; prepared.len()];
            for split in Split::ALL {
                fold.segments(split).iter().for_each(|&i| split_of[i] = Some(split));
            }
            splits.push(split_of);
        }
        Ok(Evidence { run: run.to_path_buf(), prepared, plan, places, splits })
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.prepared.manifest()
    }

    /// How many folds the data have.
    pub(super) fn folds(&self) -> usize {
        self.splits.len()
    }

    /// The place of a segment in the prepared folder.
    pub(super) fn place(&self, id: &SegmentId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The split of a segment with frames, by its place.
    pub(super) fn split(&self, fold: usize, segment: usize) -> Option<Split> {
        self.splits[fold][segment]
    }

    /// A number of a table as a fold of the data.
    pub(super) fn fold(&self, number: i32) -> Option<usize> {
        usize::try_from(number).ok().filter(|&k| k < self.folds())
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &Step> {
        self.of_kind(kinds::CELL)
    }

    pub(super) fn finished_cells(&self) -> impl Iterator<Item = &Step> {
        self.cells().filter(|s| is_done(&self.run, s))
    }

    pub(super) fn pretrainings(&self) -> impl Iterator<Item = &Step> {
        self.of_kind(kinds::PRETRAIN)
    }

    pub(super) fn finished_pretrainings(&self) -> impl Iterator<Item = &Step> {
        self.pretrainings().filter(|s| is_done(&self.run, s))
    }

    pub(super) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Step> {
        self.plan.steps.iter().filter(move |s| s.kind == kind)
    }

    /// A step's output of that name.
    ///
    /// # Errors
    /// A plan that names none such.
    pub(super) fn output(&self, step: &Step, name: &str) -> Result<PathBuf, TrainError> {
        output(&self.run, step, name).ok_or_else(|| TrainError::Run {
            path: self.run.join("plan.json"),
            problem: format!("step {}: expected {name} among its outputs, found none such", step.id),
        })
    }

    /// Reads what a finished cell left.
    ///
    /// # Errors
    /// A table or a journal that is not there or cannot be read; a table of another number of cells than one.
    pub(super) fn cell<'a>(&self, step: &'a Step) -> Result<Cell<'a>, TrainError> {
        let path = self.output(step, PREDICTIONS_FILE)?;
        let mut cells = CellPredictions::from_table(&path, &Table::read(&path)?)?;
        let predictions = match (cells.pop(), cells.len()) {
            (Some(only), 0) => only,
            (found, more) => {
                let problem = format!("expected one cell, found {}", more + usize::from(found.is_some()));
                return Err(TrainError::Run { path, problem });
            }
        };
        let path = self.output(step, JOURNAL_FILE)?;
        let journal: Result<Vec<Value>, _> = read_to_string(&path)?.lines().map(serde_json::from_str).collect();
        Ok(Cell { step, predictions, journal: journal.map_err(TrainError::json(&path))? })
    }
}
