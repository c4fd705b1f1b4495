//! The plan of a study: every step with its command, its content key and what it needs. The one
//! place that knows the grid.
//!
//! A key is a hash of the settings that touch the step, the keys of what it needs, and
//! [`NUMERICS_VERSION`]; so a changed setting re-runs what it touches and nothing else.

use crate::run_folder::{RunFolder, names};
use crate::step::{Cell, Encoding, Pretraining, StepKind, StudyStep};
use crate::{Study, StudyError};
use mosei_schema::{LabelBudget, PretrainKind, Start};
use run_record::{hash_bytes, hash_file, hash_json};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};
use train::{FinetuneConfig, PretrainOn, ValidationLabels};

/// Raised when the code changes what a step computes: results of another number are computed again.
pub const NUMERICS_VERSION: u32 = 4;

// Costs decide which step begins first, no more. Their unit is one segment through the encoder and
// back.
/// Some hundred segments through the encoder, not back; how many there are is not known to a plan.
const ENCODE_COST: u64 = 200;
/// How many times a step of heads alone goes into one of the whole.
const PROBE_SHARE: u64 = 100;

/// Settings that enter content keys under their first name, so that runs from before they were
/// renamed stay done.
const FIRST_NAMES: [(&str, &str); 3] = [
    ("head_init", "head_start"),
    ("freeze_steps", "thaw_after"),
    ("dropout", "head_dropout"),
];

/// Where a study runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The run folder.
    pub run: RunFolder,
    /// The folder with the data files; without one the study makes its own.
    pub data: Option<PathBuf>,
}

/// Key of a step. Cells show theirs in tables, so it is short; 64 bits do not collide in a study of
/// millions.
fn key(kind: StepKind, parts: Value) -> String {
    hash_json(&json!([NUMERICS_VERSION, kind.to_string(), parts]))[..16].to_string()
}

/// The fine-tuning settings as they enter a key.
fn finetune_settings(config: &FinetuneConfig) -> Value {
    let mut settings = json!(config);
    if let Some(settings) = settings.as_object_mut() {
        // The heads had no table of their own.
        if let Some(Value::Object(heads)) = settings.remove("heads") {
            settings.extend(heads);
        }
        for (name, first) in FIRST_NAMES {
            let value = settings.remove(name);
            settings.extend(value.map(|value| (first.to_string(), value)));
        }
    }
    settings
}

impl Study {
    /// Folds that are run, out of `count`.
    pub(crate) fn folds(&self, count: usize) -> Result<Vec<usize>, StudyError> {
        let folds = self
            .grid
            .folds
            .clone()
            .unwrap_or_else(|| (0..count).collect());
        match folds.iter().find(|&&k| k >= count) {
            None => Ok(folds),
            Some(k) => Err(StudyError::Argument {
                what: "grid.folds",
                expected: format!("folds below {count}"),
                found: k.to_string(),
            }),
        }
    }

    fn fold_count(&self) -> usize {
        self.data.split.fold_count()
    }
}

/// Makes the plan. Reads the data files to hash them, and writes nothing.
///
/// # Errors
/// A data file that is not there; a study without data of its own where no folder is given.
pub fn plan(study: &Study, place: &Place) -> Result<Plan, StudyError> {
    let planner = Planner {
        study,
        run: &place.run,
    };
    let mut steps = Vec::new();
    let (data, data_key) = match (&place.data, &study.synth) {
        (Some(folder), _) => (folder.clone(), input_key(study, folder)?),
        (None, Some(synth)) => {
            let step = planner.step(
                StudyStep::Synth {},
                key(StepKind::Synth, json!(synth)),
                Vec::new(),
            );
            let found = (place.run.join(names::DATA), step.key.clone());
            steps.push(step);
            found
        }
        (None, None) => {
            return Err(StudyError::Argument {
                what: "--data",
                expected: format!(
                    "a folder with {} and {}, since the configuration has no [synth] table",
                    study.data.features,
                    study.data.labels.join(", ")
                ),
                found: "none".into(),
            });
        }
    };
    let prepare = planner.prepare(
        data,
        &data_key,
        steps.iter().map(|synth| synth.id.clone()).collect(),
    );
    let prepare_key = prepare.key.clone();
    steps.push(prepare);
    let sample = planner.sample(&prepare_key);
    steps.push(sample);
    steps.extend(trainings(&planner, &prepare_key)?);
    Ok(with_summaries(&planner, steps))
}

/// Ids of the cells that a configuration asks for.
pub(crate) fn cell_ids(study: &Study, run: &RunFolder) -> Result<Vec<String>, StudyError> {
    // Ids depend on no key.
    let steps = trainings(&Planner { study, run }, "")?;
    let cell = StepKind::Cell.to_string();
    Ok(steps
        .into_iter()
        .filter(|s| s.kind == cell)
        .map(|s| s.id)
        .collect())
}

/// The trainings of a study, wherever it may run.
pub(crate) fn training_steps(study: &Study) -> Result<Vec<Step>, StudyError> {
    let run = &RunFolder::new("");
    trainings(&Planner { study, run }, "")
}

/// The pre-trainings, encodings and cells.
fn trainings(planner: &Planner<'_>, prepare_key: &str) -> Result<Vec<Step>, StudyError> {
    let (study, mut steps) = (planner.study, Vec::new());
    for fold in study.folds(study.fold_count())? {
        let pairs = |&seed: &u32| {
            study
                .grid
                .pretrain_seeds_of(seed)
                .into_iter()
                .map(move |p| Seeds { seed, pretrain: p })
        };
        for seeds in study.grid.seeds.iter().flat_map(pairs) {
            let needed = |kind: &PretrainKind| {
                study
                    .grid
                    .starts
                    .iter()
                    .any(|s| s.pretraining() == Some(*kind))
            };
            let pretrainings: Vec<(PretrainKind, Step)> = PretrainKind::ALL
                .iter()
                .copied()
                .filter(needed)
                .map(|kind| {
                    (
                        kind,
                        planner.pretrain(
                            Pretraining {
                                fold,
                                seed: seeds.pretrain,
                                kind,
                            },
                            prepare_key,
                        ),
                    )
                })
                .collect();
            let pretrain = |start: Start| {
                pretrainings
                    .iter()
                    .find(|(kind, _)| Some(*kind) == start.pretraining())
                    .map(|(_, step)| step)
            };
            let probes = study.grid.starts.iter().filter(|s| s.is_probe());
            let encodings: Vec<_> = probes
                .map(|&start| {
                    let seed = seeds.of_encoder(start);
                    (
                        start,
                        planner.encode(fold, seed, start, prepare_key, pretrain(start)),
                    )
                })
                .collect();
            for draw in 0..study.labels.draws {
                // All labels are the same labels in every draw.
                let drawn = |budget: &LabelBudget| draw == 0 || !budget.is_all();
                for budget in study.labels.budgets().into_iter().filter(drawn) {
                    for &start in &study.grid.starts {
                        let encode = encodings
                            .iter()
                            .find(|(of, _)| *of == start)
                            .map(|(_, step)| step);
                        let pretrain = pretrain(start);
                        let crossed = study.grid.pretrain_seeds.is_some() && start.is_pretrained();
                        let cell = Cell {
                            fold,
                            start,
                            budget,
                            seed: seeds.seed,
                            draw,
                            pretrain_seed: crossed.then_some(seeds.pretrain),
                            encoder: pretrain.map(|step| step.id.clone()),
                            encodings: encode.map(|step| step.id.clone()),
                            few_validation_labels: planner.few_validation_labels(),
                        };
                        // The key of encodings holds that of their encoder, and that the seed of
                        // its pre-training.
                        let encoder_key = encode.or(pretrain).map(|step| step.key.as_str());
                        steps.push(planner.cell(cell, prepare_key, encoder_key));
                    }
                }
            }
            steps.extend(pretrainings.into_iter().map(|(_, step)| step));
            steps.extend(encodings.into_iter().map(|(_, step)| step));
        }
    }
    // Seeds that are crossed meet the same pre-training, and the same start without one, more than
    // once.
    let mut met = BTreeSet::new();
    steps.retain(|step| met.insert(step.id.clone()));
    Ok(steps)
}

/// The plan with the steps that read the outputs of all others.
fn with_summaries(planner: &Planner<'_>, mut steps: Vec<Step>) -> Plan {
    let study = planner.study;
    let (cell, pretrain) = (StepKind::Cell.to_string(), StepKind::Pretrain.to_string());
    // For people: what cells need comes before them. Costs decide what begins first.
    steps.sort_by_key(|s| s.kind == cell);
    let needs = steps
        .iter()
        .filter(|s| s.kind == cell || s.kind == pretrain)
        .map(|s| s.id.clone())
        .collect();
    let keys: Vec<&str> = steps.iter().map(|s| s.key.as_str()).collect();
    let r = &study.report;
    let evaluate = planner.summary(
        StudyStep::Evaluate {},
        key(StepKind::Evaluate, json!(keys)),
        needs,
    );
    let statistics_key = key(StepKind::Statistics, json!([evaluate.key, r.level]));
    let statistics = planner.summary(
        StudyStep::Statistics {},
        statistics_key,
        vec![evaluate.id.clone()],
    );
    let report_key = key(StepKind::Report, json!([statistics.key, r, study.name]));
    let report = planner.summary(
        StudyStep::Report {},
        report_key,
        vec![statistics.id.clone()],
    );
    steps.extend([evaluate, statistics, report]);
    Plan {
        name: study.name.clone(),
        threads: study.threads,
        server: vec!["serve".into()],
        retries: study.retries,
        cost_ns: None,
        slurm: study.slurm.clone(),
        steps,
    }
}

/// Hash of the names and contents of the input files.
fn input_key(study: &Study, folder: &Path) -> Result<String, StudyError> {
    let mut hashes = Vec::new();
    for file in study.input_files(folder)? {
        hashes.push(json!([
            file.file_name().map(|n| n.to_string_lossy()),
            hash_file(&file)?
        ]));
    }
    Ok(hash_bytes(json!(hashes).to_string().as_bytes()))
}

/// The seeds of a cell.
#[derive(Clone, Copy)]
struct Seeds {
    /// Of its training.
    seed: u32,
    /// Of the pre-training that it begins with, if it begins with one.
    pretrain: u32,
}

impl Seeds {
    /// The seed of an encoder before a cell learns.
    fn of_encoder(self, start: Start) -> u32 {
        if start.is_pretrained() {
            self.pretrain
        } else {
            self.seed
        }
    }
}

struct Planner<'a> {
    study: &'a Study,
    run: &'a RunFolder,
}

impl Planner<'_> {
    fn step(&self, what: StudyStep, key: String, needs: Vec<String>) -> Step {
        Step {
            id: what.id(),
            kind: what.kind().to_string(),
            about: what.about(),
            command: what.command(self.run, &key),
            outputs: what.outputs(),
            task: json!(what),
            key,
            needs,
            ..Step::default()
        }
    }

    /// A step that reads what others left, whether or not all of them succeeded.
    fn summary(&self, what: StudyStep, key: String, needs: Vec<String>) -> Step {
        Step {
            tolerant: true,
            ..self.step(what, key, needs)
        }
    }

    fn prepare(&self, data: PathBuf, data_key: &str, needs: Vec<String>) -> Step {
        let key = key(StepKind::Prepare, json!([data_key, self.study.data]));
        self.step(StudyStep::Prepare { data }, key, needs)
    }

    fn sample(&self, prepare_key: &str) -> Step {
        let validation = self.few_validation_labels();
        let key = key(
            StepKind::Sample,
            json!([
                prepare_key,
                self.study.labels,
                self.study.grid.folds,
                validation
            ]),
        );
        self.step(
            StudyStep::Sample { validation },
            key,
            vec![StepKind::Prepare.to_string()],
        )
    }

    fn few_validation_labels(&self) -> bool {
        self.study.finetune.validation_labels == ValidationLabels::Budget
    }

    fn pretrain(&self, pretraining: Pretraining, prepare_key: &str) -> Step {
        let (s, Pretraining { fold, seed, kind }) = (self.study, pretraining);
        let settings = json!([
            prepare_key,
            s.encoder,
            s.mask,
            s.pretrain,
            s.device,
            s.threads,
            fold,
            seed
        ]);
        // The ordinary pre-training keeps the key from before there was a choice.
        let settings = match (s.pretrain_on, kind) {
            (PretrainOn::Segments, PretrainKind::Ordinary) => settings,
            (on, _) => json!([settings, kind, on]),
        };
        // Budgets come first: one that cannot be drawn stops a study before hours of training.
        let needs = [StepKind::Prepare, StepKind::Sample]
            .map(|kind| kind.to_string())
            .into();
        let step = self.step(
            StudyStep::Pretrain(pretraining),
            key(StepKind::Pretrain, settings),
            needs,
        );
        Step {
            cost: (s.pretrain.steps * s.pretrain.batch_segments) as u64,
            ..step
        }
    }

    fn encode(
        &self,
        fold: usize,
        seed: u32,
        start: Start,
        prepare_key: &str,
        pretrain: Option<&Step>,
    ) -> Step {
        let s = self.study;
        let encoder_key = pretrain.map(|p| &p.key);
        // Of the fine-tuning only what decides whether a row is a segment or a frame, and how wide
        // it is.
        let h = &s.finetune.heads;
        let heads = json!([h.pooling, h.layers, h.input_statistics]);
        let encoder = json!([s.encoder, heads, s.device, s.threads]);
        let key = key(
            StepKind::Encode,
            json!([prepare_key, encoder_key, encoder, fold, seed, start.name()]),
        );
        let mut needs = vec![StepKind::Prepare.to_string()];
        needs.extend(pretrain.map(|step| step.id.clone()));
        let what = Encoding {
            fold,
            seed,
            start,
            encoder: pretrain.map(|step| step.id.clone()),
        };
        let step = self.step(StudyStep::Encode(what), key, needs);
        Step {
            about: format!("{}, {}", step.about, self.bytes_of_encodings()),
            cost: ENCODE_COST,
            ..step
        }
    }

    /// What encodings take on disk, in words.
    fn bytes_of_encodings(&self) -> String {
        let (s, heads) = (self.study, &self.study.finetune.heads);
        let more = if heads.input_statistics {
            " and the input's"
        } else {
            ""
        };
        match heads.pooling_learns() {
            true => format!("{} bytes a frame{more}", 4 * heads.frame_dim(&s.encoder, 0)),
            false => format!(
                "{} bytes a segment{more}",
                4 * heads.pooled_dim(s.encoder.model_dim, 0)
            ),
        }
    }

    fn cell(&self, cell: Cell, prepare_key: &str, encoder_key: Option<&str>) -> Step {
        let (s, start, budget) = (self.study, cell.start, cell.budget);
        // Of the label settings only what fixes this subset: one budget more leaves the cell as it
        // is.
        let labels = json!([s.labels.seed, s.labels.min_positives, cell.draw, budget]);
        let training = json!([
            s.encoder,
            finetune_settings(&s.finetune),
            s.device,
            s.threads
        ]);
        let parts = json!([
            prepare_key,
            encoder_key,
            labels,
            training,
            cell.fold,
            cell.seed,
            start.name()
        ]);
        let mut needs = vec![StepKind::Sample.to_string()];
        needs.extend(cell.encoder.iter().chain(&cell.encodings).cloned());
        let step = self.step(StudyStep::Cell(cell), key(StepKind::Cell, parts), needs);
        let training = &s.finetune.training;
        let batch = match budget {
            LabelBudget::Count(n) => n.min(training.batch_segments),
            LabelBudget::Fraction(_) => training.batch_segments,
        };
        let cost = (training.steps * batch * s.finetune.learning_rate_factors.len()) as u64;
        Step {
            cost: if start.trains_encoder() {
                cost
            } else {
                cost / PROBE_SHARE
            },
            ..step
        }
    }
}
