//! The files of a run, opened for the rules.

use crate::StudyError;
use crate::run_folder::RunFolder;
use crate::step::{self, Pretraining, StepKind, StudyStep};
use mosei_data::{Manifest, Prepared};
use mosei_schema::{SegmentId, Split};
use run_record::{CellPredictions, Table};
use std::collections::BTreeMap;
use sweep::{Plan, Step};
use train::Event;

/// A run folder.
pub(super) struct Evidence {
    /// The folder.
    pub(super) run: RunFolder,
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
    /// What the plan stores of it.
    pub(super) planned: step::Cell,
    pub(super) predictions: CellPredictions,
    pub(super) journal: Vec<Event>,
}

impl Evidence {
    pub(super) fn open(run: &RunFolder) -> Result<Self, StudyError> {
        let plan = run.read_plan()?;
        let folder = run.prepared();
        if !folder.exists() {
            let problem = "nothing is prepared yet, so there is nothing to audit".to_string();
            return Err(StudyError::Run {
                path: folder,
                problem,
            });
        }
        // Without checks: the rules check it.
        let prepared = Prepared::open_unverified(&folder)?;
        let places = (0..prepared.len()).map(|i| (prepared.id(i), i)).collect();
        let mut splits = Vec::new();
        for k in 0..prepared.fold_count() {
            let fold = prepared.fold(k)?;
            let mut split_of = vec![None; prepared.len()];
            for split in Split::ALL {
                fold.segments(split)
                    .iter()
                    .for_each(|&i| split_of[i] = Some(split));
            }
            splits.push(split_of);
        }
        Ok(Evidence {
            run: run.clone(),
            prepared,
            plan,
            places,
            splits,
        })
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
        self.of_kind(StepKind::Cell)
    }

    pub(super) fn finished_cells(&self) -> impl Iterator<Item = &Step> {
        self.cells().filter(|s| self.run.is_done(s))
    }

    /// The pre-trainings of the plan.
    pub(super) fn pretrainings(&self) -> Result<Vec<(&Step, Pretraining)>, StudyError> {
        StudyStep::pretrainings(&self.plan)
    }

    /// Those that are finished.
    pub(super) fn finished_pretrainings(&self) -> Result<Vec<(&Step, Pretraining)>, StudyError> {
        Ok(self
            .pretrainings()?
            .into_iter()
            .filter(|(step, _)| self.run.is_done(step))
            .collect())
    }

    pub(super) fn of_kind(&self, kind: StepKind) -> impl Iterator<Item = &Step> {
        let kind = kind.to_string();
        self.plan.steps.iter().filter(move |s| s.kind == kind)
    }

    /// Reads what a finished cell left.
    ///
    /// # Errors
    /// A table or a journal that is not there or cannot be read; a table of another number of cells
    /// than one; a step of the plan that is no cell.
    pub(super) fn cell<'a>(&self, step: &'a Step) -> Result<Cell<'a>, StudyError> {
        let StudyStep::Cell(planned) = StudyStep::of(step)? else {
            let problem = format!("step {}: expected a cell, found another step", step.id);
            return Err(StudyError::Run {
                path: self.run.plan(),
                problem,
            });
        };
        let path = self.run.cell_predictions(step);
        let mut cells = CellPredictions::from_table(&path, &Table::read(&path)?)?;
        let predictions = match (cells.pop(), cells.len()) {
            (Some(only), 0) => only,
            (found, more) => {
                let problem = format!(
                    "expected one cell, found {}",
                    more + usize::from(found.is_some())
                );
                return Err(StudyError::Run { path, problem });
            }
        };
        Ok(Cell {
            step,
            planned,
            predictions,
            journal: Event::read_all(&self.run.journal(step))?,
        })
    }
}
