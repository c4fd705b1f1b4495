//! The plan of a study: every step with its command, its content key and what it needs. One truth about the grid.
//!
//! A key is a hash of the settings that touch the step, the keys of what it needs, and [`NUMERICS_VERSION`]; so a
//! changed setting re-runs what it touches and nothing else.

use crate::facts::CLAIM_FILE;
use crate::integrity::COLLECTED_FILE;
use crate::{PretrainKind, PretrainOn, Start, Study, TrainError, ValidationLabels};
use mosei_schema::LabelBudget;
use run_record::{hash_bytes, hash_file, hash_json};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use sweep::{Plan, Step};

/// Raised when the code changes what a step computes: results of another number are done anew.
pub const NUMERICS_VERSION: u32 = 3;

pub(crate) const PLAN_FILE: &str = "plan.json";
pub(crate) const CONFIG_FILE: &str = "config.toml";
pub(crate) const STATISTICS_FILE: &str = "statistics.json";
pub(crate) const PREPARED_FOLDER: &str = "prepared";
pub(crate) const SUBSETS_FILE: &str = "subsets.parquet";
pub(crate) const VALIDATION_SUBSETS_FILE: &str = "validation_subsets.parquet";
const DATA_FOLDER: &str = "data";

// Costs tell which step begins first, no more. Their unit is one segment through the encoder and back.
/// Some hundred segments through the encoder, not back; how many there are is not known to a plan.
const ENCODE_COST: u64 = 200;
/// How many times a step of heads alone goes into one of the whole.
const PROBE_SHARE: u64 = 100;

/// Kinds of steps.
pub(crate) mod kinds {
    pub(crate) const SYNTH: &str = "synth";
    pub(crate) const PREPARE: &str = "prepare";
    pub(crate) const SAMPLE: &str = "sample";
    pub(crate) const PRETRAIN: &str = "pretrain";
    pub(crate) const ENCODE: &str = "encode";
    pub(crate) const CELL: &str = "cell";
    pub(crate) const EVALUATE: &str = "evaluate";
    pub(crate) const STATISTICS: &str = "statistics";
    pub(crate) const REPORT: &str = "report";

    /// All of them.
    pub(crate) const ALL: [&str; 9] = [SYNTH, PREPARE, SAMPLE, PRETRAIN, ENCODE, CELL, EVALUATE, STATISTICS, REPORT];
}

/// Where a study runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The run folder.
    pub run: PathBuf,
    /// The folder with the data files; without one the study makes its own.
    pub data: Option<PathBuf>,
}

/// Key of a step. Cells show theirs in tables, so it is short; 64 bits do not collide in a study of millions.
fn key(kind: &str, parts: Value) -> String {
    hash_json(&json!([NUMERICS_VERSION, kind, parts]))[..16].to_string()
}

impl Study {
    /// Folds that are run, out of `count`.
    pub(crate) fn folds(&self, count: usize) -> Result<Vec<usize>, TrainError> {
        let folds = self.grid.folds.clone().unwrap_or_else(|| (0..count).collect());
        match folds.iter().find(|&&k| k >= count) {
            None => Ok(folds),
            Some(k) => Err(TrainError::Argument {
                what: "grid.folds",
                expected: format!("folds below {count}"),
                found: k.to_string(),
            }),
        }
    }

    fn fold_count(&self) -> usize {
        self.data.split.k_folds.max(1)
    }
}

/// Makes the plan. Reads the data files to hash them, and writes nothing.
///
/// # Errors
/// A data file that is not there; a study without data of its own where no folder is given.
pub fn plan(study: &Study, place: &Place) -> Result<Plan, TrainError> {
    let planner = Planner { study, run: &place.run };
    let mut steps = Vec::new();
    let (data, data_key) = match (&place.data, &study.synth) {
        (Some(folder), _) => (folder.clone(), input_key(study, folder)?),
        (None, Some(synth)) => {
            let step = planner.synth(key(kinds::SYNTH, json!(synth)));
            let found = (place.run.join(DATA_FOLDER), step.key.clone());
            steps.push(step);
            found
        }
        (None, None) => {
            return Err(TrainError::Argument {
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
    let prepare = planner.prepare(&data, &data_key, !steps.is_empty());
    let prepare_key = prepare.key.clone();
    steps.push(prepare);
    let sample = planner.sample(&prepare_key);
    steps.push(sample);
    steps.extend(trainings(&planner, &prepare_key)?);
    Ok(with_ends(&planner, steps))
}

/// Ids of the cells that a configuration asks for.
pub(crate) fn cell_ids(study: &Study, run: &Path) -> Result<Vec<String>, TrainError> {
    // Ids depend on no key.
    let steps = trainings(&Planner { study, run }, "")?;
    Ok(steps.into_iter().filter(|s| s.kind == kinds::CELL).map(|s| s.id).collect())
}

/// The pre-trainings, encodings and cells.
fn trainings(planner: &Planner<'_>, prepare_key: &str) -> Result<Vec<Step>, TrainError> {
    let (study, mut steps) = (planner.study, Vec::new());
    for fold in study.folds(study.fold_count())? {
        let pairs =
            |&seed: &u32| study.grid.pretrain_seeds_of(seed).into_iter().map(move |p| Seeds { seed, pretrain: p });
        for seeds in study.grid.seeds.iter().flat_map(pairs) {
            let needed = |kind: &PretrainKind| study.grid.starts.iter().any(|s| s.pretraining() == Some(*kind));
            let pretrainings: Vec<(PretrainKind, Step)> = PretrainKind::ALL
                .into_iter()
                .filter(needed)
                .map(|kind| (kind, planner.pretrain(fold, seeds.pretrain, kind, prepare_key)))
                .collect();
            let pretrain = |start: Start| {
                pretrainings.iter().find(|(kind, _)| Some(*kind) == start.pretraining()).map(|(_, step)| step)
            };
            let probes = study.grid.starts.iter().filter(|s| s.probes());
            let encodings: Vec<_> = probes
                .map(|&start| {
                    let seed = seeds.of_encoder(start);
                    (start, planner.encode(fold, seed, start, prepare_key, pretrain(start)))
                })
                .collect();
            for draw in 0..study.labels.draws {
                for budget in study.labels.budgets() {
                    for &start in &study.grid.starts {
                        let encode = encodings.iter().find(|(of, _)| *of == start).map(|(_, step)| step);
                        let pretrain = pretrain(start);
                        steps.push(planner.cell(fold, seeds, draw, budget, start, prepare_key, pretrain, encode));
                    }
                }
            }
            steps.extend(pretrainings.into_iter().map(|(_, step)| step));
            steps.extend(encodings.into_iter().map(|(_, step)| step));
        }
    }
    // Seeds that are crossed meet the same pre-training, and the same start without one, more than once.
    let mut met = BTreeSet::new();
    steps.retain(|step| met.insert(step.id.clone()));
    Ok(steps)
}

/// The plan with the steps that read what all others leave.
fn with_ends(planner: &Planner<'_>, mut steps: Vec<Step>) -> Plan {
    let study = planner.study;
    // For people: what cells need stands before them. What begins first, the costs say.
    steps.sort_by_key(|s| matches!(s.kind.as_str(), kinds::CELL));
    let needs: Vec<String> = steps
        .iter()
        .filter(|s| matches!(s.kind.as_str(), kinds::CELL | kinds::PRETRAIN))
        .map(|s| s.id.clone())
        .collect();
    let keys: Vec<&str> = steps.iter().map(|s| s.key.as_str()).collect();
    let evaluate = planner.evaluate(key(kinds::EVALUATE, json!(keys)), needs);
    let r = &study.report;
    let statistics = planner.statistics(key(kinds::STATISTICS, json!([evaluate.key, r.resamples, r.level])));
    let report = planner.report(key(kinds::REPORT, json!([statistics.key, r, study.name])));
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

/// Hash of the names and contents of the files that go in.
fn input_key(study: &Study, folder: &Path) -> Result<String, TrainError> {
    let mut hashes = Vec::new();
    for file in study.input_files(folder)? {
        hashes.push(json!([file.file_name().map(|n| n.to_string_lossy()), hash_file(&file)?]));
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
    /// The seed that an encoder comes from before a cell learns.
    fn of_encoder(self, start: Start) -> u32 {
        if start.pretrained() { self.pretrain } else { self.seed }
    }
}

struct Planner<'a> {
    study: &'a Study,
    run: &'a Path,
}

impl Planner<'_> {
    fn path(&self, inside: &str) -> String {
        self.run.join(inside).to_string_lossy().into_owned()
    }

    fn step(&self, id: String, kind: &str, key: String, about: String, command: Vec<String>) -> Step {
        Step { id, key, command, about, kind: kind.into(), ..Step::default() }
    }

    fn command(&self, verb: &str, options: &[(&str, String)]) -> Vec<String> {
        let mut command = vec![verb.to_string(), "--config".into(), self.path(CONFIG_FILE)];
        command.extend(options.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]));
        command
    }

    fn synth(&self, key: String) -> Step {
        let command = self.command("synth", &[("out", self.path(DATA_FOLDER))]);
        let step = self.step("synth".into(), kinds::SYNTH, key, "synthetic corpus".into(), command);
        Step { outputs: vec![format!("{DATA_FOLDER}/CMU_MOSEI_COVAREP.csd")], ..step }
    }

    fn prepare(&self, data: &Path, data_key: &str, after_synth: bool) -> Step {
        let key = key(kinds::PREPARE, json!([data_key, self.study.data]));
        let options = [("data", data.to_string_lossy().into_owned()), ("out", self.path(PREPARED_FOLDER))];
        let command = self.command("prepare", &options);
        let step = self.step("prepare".into(), kinds::PREPARE, key, "aligned segments".into(), command);
        let needs = if after_synth { vec!["synth".into()] } else { Vec::new() };
        Step { needs, outputs: vec![format!("{PREPARED_FOLDER}/manifest.json")], ..step }
    }

    fn sample(&self, prepare_key: &str) -> Step {
        let few = self.few_validation_labels();
        let key = key(kinds::SAMPLE, json!([prepare_key, self.study.labels, self.study.grid.folds, few]));
        let mut options = vec![("prepared", self.path(PREPARED_FOLDER)), ("out", self.path(SUBSETS_FILE))];
        let mut outputs = vec![SUBSETS_FILE.to_string()];
        if few {
            options.push(("validation-out", self.path(VALIDATION_SUBSETS_FILE)));
            outputs.push(VALIDATION_SUBSETS_FILE.into());
        }
        let step =
            self.step("sample".into(), kinds::SAMPLE, key, "label budgets".into(), self.command("sample", &options));
        Step { needs: vec!["prepare".into()], outputs, ..step }
    }

    fn few_validation_labels(&self) -> bool {
        self.study.finetune.validation_labels == ValidationLabels::Budget
    }

    fn pretrain(&self, fold: usize, seed: u32, kind: PretrainKind, prepare_key: &str) -> Step {
        let s = self.study;
        let settings = json!([prepare_key, s.encoder, s.mask, s.pretrain, s.device, s.threads, fold, seed]);
        let usual = kind == PretrainKind::Ordinary;
        // What is as it was before there was a choice keeps its key.
        let settings = match s.pretrain_on {
            PretrainOn::Segments if usual => settings,
            on => json!([settings, kind, on]),
        };
        let key = key(kinds::PRETRAIN, settings);
        let id = if usual { String::new() } else { format!("-{}", kind.name()) };
        let id = format!("pretrain/fold{fold}-seed{seed}{id}");
        let mut options = vec![
            ("prepared", self.path(PREPARED_FOLDER)),
            ("fold", fold.to_string()),
            ("seed", seed.to_string()),
            ("key", key.clone()),
            ("out", self.path(&id)),
        ];
        if !usual {
            options.push(("kind", kind.name().to_string()));
        }
        let command = self.command("pretrain", &options);
        let about = format!("pre-training, fold {fold}, seed {seed}{}", kind.remark());
        let step = self.step(id.clone(), kinds::PRETRAIN, key, about, command);
        let files = ["pretraining.parquet", "reconstruction.parquet", "journal.jsonl"];
        let outputs = ["encoder/model.safetensors", "encoder/config.json"].into_iter().chain(files);
        // Budgets are looked at first: one that cannot be drawn stops a study before hours of training.
        let needs = vec!["prepare".into(), "sample".into()];
        let cost = (s.pretrain.steps * s.pretrain.batch_segments) as u64;
        Step { needs, outputs: outputs.map(|o| format!("{id}/{o}")).collect(), cost, ..step }
    }

    fn encode(&self, fold: usize, seed: u32, start: Start, prepare_key: &str, pretrain: Option<&Step>) -> Step {
        let s = self.study;
        let encoder_key = pretrain.map(|p| &p.key);
        // Of the fine-tuning only what tells whether a row is a segment or a frame, and how wide it is.
        let heads = json!([s.finetune.pooling, s.finetune.layers, s.finetune.input_statistics]);
        let encoder = json!([s.encoder, heads, s.device, s.threads]);
        let key = key(kinds::ENCODE, json!([prepare_key, encoder_key, encoder, fold, seed, start.name()]));
        let id = format!("encodings/fold{fold}/{}-seed{seed}", start.name());
        let output = format!("{id}.safetensors");
        let mut options = vec![
            ("prepared", self.path(PREPARED_FOLDER)),
            ("start", start.name().to_string()),
            ("fold", fold.to_string()),
            ("seed", seed.to_string()),
            ("out", self.path(&output)),
        ];
        let mut needs = vec!["prepare".to_string()];
        if let Some(pretrain) = pretrain {
            options.push(("encoder", self.path(&format!("{}/encoder", pretrain.id))));
            needs.push(pretrain.id.clone());
        }
        let heads = s.finetune.heads();
        let row = match heads.pooling_learns() {
            true => format!("{} bytes a frame", 4 * heads.frame_dim(&s.encoder, 0)),
            false => format!("{} bytes a segment", 4 * heads.pooled_dim(s.encoder.model_dim, 0)),
        };
        let more = if heads.input_statistics { " and the input's" } else { "" };
        let about = format!("encodings of {}, fold {fold}, seed {seed}, {row}{more}", start.name());
        let step = self.step(id, kinds::ENCODE, key, about, self.command("encode", &options));
        Step { needs, outputs: vec![output], cost: ENCODE_COST, ..step }
    }

    #[allow(clippy::too_many_arguments, reason = "the coordinates of a cell")]
    fn cell(
        &self,
        fold: usize,
        seeds: Seeds,
        draw: usize,
        budget: LabelBudget,
        start: Start,
        prepare_key: &str,
        pretrain: Option<&Step>,
        encode: Option<&Step>,
    ) -> Step {
        let (s, seed) = (self.study, seeds.seed);
        let crossed = s.grid.pretrain_seeds.as_ref().filter(|_| start.pretrained()).map(|_| seeds.pretrain);
        // The key of encodings holds that of their encoder, and that the seed of its pre-training.
        let encoder_key = encode.or(pretrain).map(|step| &step.key);
        // Of the label settings only what fixes this subset: another budget more leaves the cell as it is.
        let labels = json!([s.labels.seed, s.labels.min_positives, draw, budget.to_string()]);
        let training = json!([s.encoder, s.finetune, s.device, s.threads]);
        let key = key(kinds::CELL, json!([prepare_key, encoder_key, labels, training, fold, seed, start.name()]));
        let pretraining = crossed.map(|p| format!("-pretrain{p}")).unwrap_or_default();
        let id = format!("cells/fold{fold}/{}-{budget}-seed{seed}-draw{draw}{pretraining}", start.name());
        let mut options = vec![
            ("prepared", self.path(PREPARED_FOLDER)),
            ("subsets", self.path(SUBSETS_FILE)),
            ("start", start.name().to_string()),
            ("labels", budget.to_string()),
            ("fold", fold.to_string()),
            ("seed", seed.to_string()),
            ("draw", draw.to_string()),
            ("key", key.clone()),
            ("out", self.path(&id)),
        ];
        let mut needs = vec!["sample".to_string()];
        if let Some(pretrain) = pretrain {
            options.push(("encoder", self.path(&format!("{}/encoder", pretrain.id))));
            needs.push(pretrain.id.clone());
        }
        if self.few_validation_labels() {
            options.push(("validation-subsets", self.path(VALIDATION_SUBSETS_FILE)));
        }
        if let Some(encode) = encode {
            options.push(("encodings", self.path(&encode.outputs[0])));
            needs.push(encode.id.clone());
        }
        if let Some(p) = crossed {
            options.push(("pretrain-seed", p.to_string()));
        }
        let pretraining = crossed.map(|p| format!(", pre-training {p}")).unwrap_or_default();
        let about = format!("{}, labels {budget}, fold {fold}, seed {seed}, draw {draw}{pretraining}", start.name());
        let step = self.step(id.clone(), kinds::CELL, key, about, self.command("finetune", &options));
        let outputs = vec![format!("{id}/predictions.parquet"), format!("{id}/journal.jsonl")];
        let training = &s.finetune.training;
        let batch = match budget {
            LabelBudget::Count(n) => n.min(training.batch_segments),
            LabelBudget::Fraction(_) => training.batch_segments,
        };
        let cost = (training.steps * batch * s.finetune.learning_rate_factors.len()) as u64;
        Step { needs, outputs, cost: if start.encoder_learns() { cost } else { cost / PROBE_SHARE }, ..step }
    }

    fn evaluate(&self, key: String, needs: Vec<String>) -> Step {
        let command = vec!["evaluate".to_string(), self.path("")];
        let outputs = ["results.csv", "predictions.parquet", "pretraining.parquet", COLLECTED_FILE];
        let outputs = outputs.map(String::from).to_vec();
        let step = self.step("evaluate".into(), kinds::EVALUATE, key, "metrics".into(), command);
        Step { needs, outputs, tolerant: true, ..step }
    }

    fn statistics(&self, key: String) -> Step {
        let command = vec!["statistics".to_string(), self.path("")];
        let step = self.step("statistics".into(), kinds::STATISTICS, key, "intervals and tests".into(), command);
        Step { needs: vec!["evaluate".into()], outputs: vec![STATISTICS_FILE.into()], tolerant: true, ..step }
    }

    fn report(&self, key: String) -> Step {
        let command = vec!["report".to_string(), self.path("")];
        let outputs = ["report.html", CLAIM_FILE, "figures/learning_curves.svg"].map(String::from).to_vec();
        let step = self.step("report".into(), kinds::REPORT, key, "report".into(), command);
        Step { needs: vec!["statistics".into()], outputs, tolerant: true, ..step }
    }
}
