//! One step of a study as a typed value. The plan stores it beside the command that carries it out,
//! so that planner, command line, audit and tables read the same facts.

use crate::StudyError;
use crate::run_folder::{RunFolder, names};
use mosei_schema::{LabelBudget, PretrainKind, Start};
use run_record::CellId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use strum::{Display, IntoStaticStr, VariantNames};
use sweep::{Plan, Step};
use train::{EXAMPLE_FILE, JOURNAL_FILE, PREDICTIONS_FILE, SEEN_FILE};

/// The kinds of steps, by the names that plans, `status` and `[slurm.kind.NAME]` use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum StepKind {
    /// Writes the synthetic corpus.
    Synth,
    /// Prepares the data.
    Prepare,
    /// Draws the label budgets.
    Sample,
    /// Pre-trains an encoder.
    Pretrain,
    /// Runs a frozen encoder over a fold.
    Encode,
    /// Trains a cell.
    Cell,
    /// Collects and measures predictions.
    Evaluate,
    /// Computes confidence intervals and tests.
    Statistics,
    /// Writes the report.
    Report,
}

/// A step of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StudyStep {
    /// Writes the synthetic corpus.
    Synth {},
    /// Prepares the data of a folder.
    Prepare {
        /// The folder with the data files.
        data: PathBuf,
    },
    /// Draws the label budgets.
    Sample {
        /// Whether those of the validation split are drawn too.
        validation: bool,
    },
    /// Pre-trains an encoder.
    Pretrain(Pretraining),
    /// Runs a frozen encoder over a fold.
    Encode(Encoding),
    /// Trains a cell.
    Cell(Cell),
    /// Collects and measures predictions.
    Evaluate {},
    /// Computes confidence intervals and tests.
    Statistics {},
    /// Writes the report.
    Report {},
}

/// A pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pretraining {
    /// Cross-validation fold.
    pub fold: usize,
    /// Training seed.
    pub seed: u32,
    /// Which frames it sees, and in which order.
    pub kind: PretrainKind,
}

/// The output of a frozen encoder for a fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// Cross-validation fold.
    pub fold: usize,
    /// Training seed of the encoder.
    pub seed: u32,
    /// `frozen` or `random-frozen`.
    pub start: Start,
    /// The pre-training step with its encoder, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
}

/// A cell of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Cross-validation fold.
    pub fold: usize,
    /// What it begins with.
    pub start: Start,
    /// Label budget.
    pub budget: LabelBudget,
    /// Training seed.
    pub seed: u32,
    /// Label draw.
    pub draw: usize,
    /// Seed of its pre-training, where pre-training seeds are crossed with training seeds; else
    /// that is the training seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrain_seed: Option<u32>,
    /// The pre-training step with its encoder, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
    /// The step with the output of its frozen encoder, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encodings: Option<String>,
    /// Whether model selection is limited to the validation labels of the budget.
    #[serde(default)]
    pub few_validation_labels: bool,
}

impl Pretraining {
    /// The id of its step, which is also its folder in the run.
    pub fn id(&self) -> String {
        let kind = match self.kind {
            PretrainKind::Ordinary => String::new(),
            kind => format!("-{kind}"),
        };
        format!("pretrain/fold{}-seed{}{kind}", self.fold, self.seed)
    }
}

impl Encoding {
    /// The id of its step.
    pub fn id(&self) -> String {
        format!(
            "encodings/fold{}/{}-seed{}",
            self.fold, self.start, self.seed
        )
    }
}

/// The file of encodings that the step of this id writes.
fn encodings_file(id: &str) -> String {
    format!("{id}.safetensors")
}

impl Cell {
    /// The id of its step, which is also its folder in the run.
    pub fn id(&self) -> String {
        let Cell {
            fold,
            start,
            budget,
            seed,
            draw,
            ..
        } = self;
        let pretraining = self
            .pretrain_seed
            .map(|p| format!("-pretrain{p}"))
            .unwrap_or_default();
        format!("cells/fold{fold}/{start}-{budget}-seed{seed}-draw{draw}{pretraining}")
    }

    /// In what a table's cell differs from this one; empty where it is the same.
    pub(crate) fn differences(&self, key: &str, found: &CellId) -> Vec<String> {
        let expected = CellId {
            cell: key.to_string(),
            fold: self.fold as i32,
            start: self.start.name().to_string(),
            budget: self.budget.to_string(),
            seed: self.seed as i32,
            draw: self.draw as i32,
            pretrain_seed: self
                .start
                .is_pretrained()
                .then_some(self.pretrain_seed.unwrap_or(self.seed) as i32),
            ..found.clone()
        };
        let seed = |seed: Option<i32>| seed.map_or("none".to_string(), |seed| seed.to_string());
        let pairs = [
            ("fold", expected.fold.to_string(), found.fold.to_string()),
            ("start", expected.start, found.start.clone()),
            ("labels", expected.budget, found.budget.clone()),
            ("seed", expected.seed.to_string(), found.seed.to_string()),
            ("draw", expected.draw.to_string(), found.draw.to_string()),
            ("key", expected.cell, found.cell.clone()),
            (
                "pre-training seed",
                seed(expected.pretrain_seed),
                seed(found.pretrain_seed),
            ),
        ];
        let differ = pairs
            .into_iter()
            .filter(|(_, expected, found)| expected != found);
        differ
            .map(|(what, expected, found)| format!("{what}: expected {expected}, found {found}"))
            .collect()
    }
}

impl StudyStep {
    /// What the plan stores of a step.
    ///
    /// # Errors
    /// A step of another program, or of another version of this one.
    pub fn of(step: &Step) -> Result<Self, StudyError> {
        serde_json::from_value(step.task.clone()).map_err(|e| StudyError::Run {
            path: names::PLAN.into(),
            problem: format!(
                "step {}: expected a step of a study, found {}: {e}",
                step.id, step.task
            ),
        })
    }

    /// The cells of a plan, with their steps.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn cells(plan: &Plan) -> Result<Vec<(&Step, Cell)>, StudyError> {
        Self::all(plan, |step| match step {
            StudyStep::Cell(cell) => Some(cell),
            _ => None,
        })
    }

    /// The pre-trainings of a plan, with their steps.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn pretrainings(plan: &Plan) -> Result<Vec<(&Step, Pretraining)>, StudyError> {
        Self::all(plan, |step| match step {
            StudyStep::Pretrain(pretraining) => Some(pretraining),
            _ => None,
        })
    }

    fn all<T>(
        plan: &Plan,
        pick: impl Fn(StudyStep) -> Option<T>,
    ) -> Result<Vec<(&Step, T)>, StudyError> {
        let mut found = Vec::new();
        for step in &plan.steps {
            found.extend(pick(Self::of(step)?).map(|picked| (step, picked)));
        }
        Ok(found)
    }

    /// Its kind.
    pub fn kind(&self) -> StepKind {
        match self {
            StudyStep::Synth {} => StepKind::Synth,
            StudyStep::Prepare { .. } => StepKind::Prepare,
            StudyStep::Sample { .. } => StepKind::Sample,
            StudyStep::Pretrain(_) => StepKind::Pretrain,
            StudyStep::Encode(_) => StepKind::Encode,
            StudyStep::Cell(_) => StepKind::Cell,
            StudyStep::Evaluate {} => StepKind::Evaluate,
            StudyStep::Statistics {} => StepKind::Statistics,
            StudyStep::Report {} => StepKind::Report,
        }
    }

    /// Its id: of a training also its folder in the run.
    pub fn id(&self) -> String {
        match self {
            StudyStep::Pretrain(p) => p.id(),
            StudyStep::Encode(e) => e.id(),
            StudyStep::Cell(c) => c.id(),
            other => other.kind().to_string(),
        }
    }

    /// One line for people.
    pub fn about(&self) -> String {
        match self {
            StudyStep::Synth {} => "synthetic corpus".into(),
            StudyStep::Prepare { .. } => "aligned segments".into(),
            StudyStep::Sample { .. } => "label budgets".into(),
            StudyStep::Pretrain(Pretraining { fold, seed, kind }) => {
                format!("pre-training, fold {fold}, seed {seed}{}", kind.remark())
            }
            StudyStep::Encode(Encoding {
                fold, seed, start, ..
            }) => {
                format!("encodings of {start}, fold {fold}, seed {seed}")
            }
            StudyStep::Cell(Cell {
                fold,
                start,
                budget,
                seed,
                draw,
                pretrain_seed,
                ..
            }) => {
                let pretraining = pretrain_seed
                    .map(|p| format!(", pre-training {p}"))
                    .unwrap_or_default();
                format!(
                    "{start}, labels {budget}, fold {fold}, seed {seed}, draw {draw}{pretraining}"
                )
            }
            StudyStep::Evaluate {} => "metrics".into(),
            StudyStep::Statistics {} => "confidence intervals and tests".into(),
            StudyStep::Report {} => "report".into(),
        }
    }

    /// Its files, relative to the run folder.
    pub fn outputs(&self) -> Vec<String> {
        let inside =
            |id: String, files: &[&str]| files.iter().map(|file| format!("{id}/{file}")).collect();
        match self {
            StudyStep::Synth {} => vec![format!("{}/CMU_MOSEI_COVAREP.csd", names::DATA)],
            StudyStep::Prepare { .. } => vec![format!("{}/manifest.json", names::PREPARED)],
            StudyStep::Sample { validation: false } => vec![names::SUBSETS.into()],
            StudyStep::Sample { validation: true } => {
                vec![names::SUBSETS.into(), names::VALIDATION_SUBSETS.into()]
            }
            StudyStep::Pretrain(p) => {
                let encoder = ["encoder/model.safetensors", "encoder/config.json"];
                inside(
                    p.id(),
                    &[&encoder[..], &[SEEN_FILE, EXAMPLE_FILE, JOURNAL_FILE]].concat(),
                )
            }
            StudyStep::Encode(e) => vec![encodings_file(&e.id())],
            StudyStep::Cell(c) => inside(c.id(), &[PREDICTIONS_FILE, JOURNAL_FILE]),
            StudyStep::Evaluate {} => [
                names::RESULTS,
                names::PREDICTIONS,
                names::PRETRAINING,
                names::COLLECTED,
            ]
            .map(String::from)
            .into(),
            StudyStep::Statistics {} => vec![names::STATISTICS.into()],
            StudyStep::Report {} => [names::REPORT, names::CLAIM, "figures/learning_curves.svg"]
                .map(String::from)
                .into(),
        }
    }

    /// The arguments to `mosei-ssl` that carry it out in a run folder, under the content key of the
    /// plan.
    pub fn command(&self, run: &RunFolder, key: &str) -> Vec<String> {
        let file = |relative: &str| run.join(relative).to_string_lossy().into_owned();
        let encoder = |id: &String| file(&format!("{id}/encoder"));
        let verb = match self {
            StudyStep::Cell(_) => "finetune".to_string(),
            StudyStep::Evaluate {} | StudyStep::Statistics {} | StudyStep::Report {} => {
                return vec![self.kind().to_string(), file("")];
            }
            other => other.kind().to_string(),
        };
        let mut command = Command { words: vec![verb] };
        command.option("config", file(names::CONFIG));
        match self {
            StudyStep::Synth {} => command.option("out", file(names::DATA)),
            StudyStep::Prepare { data } => {
                command.option("data", data.to_string_lossy());
                command.option("out", file(names::PREPARED));
            }
            StudyStep::Sample { validation } => {
                command.option("prepared", file(names::PREPARED));
                command.option("out", file(names::SUBSETS));
                command.maybe(
                    "validation-out",
                    validation.then(|| file(names::VALIDATION_SUBSETS)),
                );
            }
            StudyStep::Pretrain(p) => {
                command.option("prepared", file(names::PREPARED));
                command.option("fold", p.fold);
                command.option("seed", p.seed);
                command.option("key", key);
                command.option("out", file(&p.id()));
                command.maybe("kind", (p.kind != PretrainKind::Ordinary).then_some(p.kind));
            }
            StudyStep::Encode(e) => {
                command.option("prepared", file(names::PREPARED));
                command.option("start", e.start);
                command.option("fold", e.fold);
                command.option("seed", e.seed);
                command.option("out", file(&encodings_file(&e.id())));
                command.maybe("encoder", e.encoder.as_ref().map(encoder));
            }
            StudyStep::Cell(c) => {
                command.option("prepared", file(names::PREPARED));
                command.option("subsets", file(names::SUBSETS));
                command.option("start", c.start);
                command.option("labels", c.budget);
                command.option("fold", c.fold);
                command.option("seed", c.seed);
                command.option("draw", c.draw);
                command.option("key", key);
                command.option("out", file(&c.id()));
                command.maybe("encoder", c.encoder.as_ref().map(encoder));
                command.maybe(
                    "validation-subsets",
                    c.few_validation_labels
                        .then(|| file(names::VALIDATION_SUBSETS)),
                );
                command.maybe(
                    "encodings",
                    c.encodings.as_ref().map(|id| file(&encodings_file(id))),
                );
                command.maybe("pretrain-seed", c.pretrain_seed);
            }
            StudyStep::Evaluate {} | StudyStep::Statistics {} | StudyStep::Report {} => {}
        }
        command.words
    }
}

/// Words of a command line.
struct Command {
    words: Vec<String>,
}

impl Command {
    fn option(&mut self, name: &str, value: impl ToString) {
        self.words.extend([format!("--{name}"), value.to_string()]);
    }

    fn maybe(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.option(name, value);
        }
    }
}
