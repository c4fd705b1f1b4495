//! From a run folder to what the report says of it.

use crate::ValidationLabels;
use crate::collect::{is_done, output, read_plan};
use crate::finetune::CANDIDATE_EVENT;
use crate::integrity::checked_results;
use crate::plan::{CONFIG_FILE, PREPARED_FOLDER, kinds};
use crate::pretrain::{EXAMPLE_FILE, read_example};
use crate::statistics::read_statistics;
use crate::{Audit, Finding, FinetuneConfig, HeadStart, PretrainKind, PretrainOn, Study, TrainError};
use backbone::Layers;
use eval::run::PretrainSeeds;
use eval::trivial::{EmotionLabels, Label, trivial_rows};
use mosei_data::{Manifest, Prepared};
use mosei_schema::{LabelBudget, Split};
use report::{Candidate, Curve, CurvePoint, FactGroup, ReportInput, ScoredRows, Training};
use run_record::{CellId, ResultRow, each_cell_of, read_to_string, write_atomic};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The claim of a run in plain text, for who does not open the report.
pub(crate) const CLAIM_FILE: &str = "claim.txt";

/// Writes `report.html`, `claim.txt`, `figures/` and `tables/` of a run from what it has left on disk. Trains nothing.
pub fn write_report(run: &Path) -> Result<PathBuf, TrainError> {
    let input = gather(run)?;
    let page = run.join("report.html");
    let html = report::render(&input)?;
    for (name, content) in report::exports(&input)? {
        write_atomic(&run.join(name), &content)?;
    }
    write_atomic(&run.join(CLAIM_FILE), format!("{}\n", report::claim(&input)?).as_bytes())?;
    write_atomic(&page, html.as_bytes())?;
    Ok(page)
}

fn gather(run: &Path) -> Result<ReportInput, TrainError> {
    let plan = read_plan(run)?;
    let study = Study::load(&run.join(CONFIG_FILE))?;
    let prepared = Prepared::open(&run.join(PREPARED_FOLDER))?;
    let results = checked_results(run, &plan, &study)?;
    let cells: Vec<_> = plan.steps.iter().filter(|s| s.kind == kinds::CELL).collect();
    let mut failures = Vec::new();
    let mut pretraining = Vec::new();
    let manifest = prepared.manifest();
    let frame_s = manifest.frame_rate_hz.map(|rate| manifest.config.pool_frames as f64 / rate);
    let mut example = None;
    for step in &plan.steps {
        let error = run.join("steps").join(&step.id).join("error.txt");
        if error.exists() && !is_done(run, step) {
            failures.push((step.id.clone(), read_to_string(&error)?));
        }
        if let (kinds::PRETRAIN, Some(path)) = (step.kind.as_str(), output(run, step, "journal.jsonl")) {
            pretraining.extend(training(&step.about, &path).map(|t| t.curve));
        }
        // The first there is: one is enough to see what is asked of an encoder.
        if let (None, Some(path)) = (&example, output(run, step, EXAMPLE_FILE).filter(|path| path.exists())) {
            example = Some(read_example(&path, &step.about, frame_s)?);
        }
    }
    let mut input = ReportInput {
        name: study.name.clone(),
        facts: facts(&study, &prepared, &crate::audit(run)?),
        config_toml: study.to_toml(),
        results,
        statistics: read_statistics(run)?,
        trivial: trivial(&prepared)?,
        starts: study.grid.starts.iter().map(|s| s.name().to_string()).collect(),
        emotions: prepared.emotions().to_vec(),
        pretraining,
        reconstruction: example,
        failures,
        notes: study.report.notes.clone(),
        primary_metric: study.report.primary_metric.clone(),
        primary_budget: study.report.primary_labels.clone(),
        pretrain_seeds: study.pretrain_seeds(),
        planned_cells: cells.len(),
        finished_cells: cells.iter().filter(|s| is_done(run, s)).count(),
        ..ReportInput::default()
    };
    let shown = report::headline_cells(&input)?;
    let start_of: BTreeMap<&str, &str> = input.results.iter().map(|r| (r.cell.as_str(), r.start.as_str())).collect();
    for step in cells.iter().filter(|s| shown.contains(&s.key)) {
        let path = output(run, step, "journal.jsonl");
        let start = start_of.get(step.key.as_str()).copied().unwrap_or_default().to_string();
        let read = path.and_then(|path| training(&step.about, &path));
        input.trainings.extend(read.map(|training| Training { start, ..training }));
    }
    input.scored = scored(run, &shown, study.pretrain_seeds())?;
    if study.finetune.learning_rate_factors.len() > 1 {
        let row_of: BTreeMap<&str, &ResultRow> = input.results.iter().map(|r| (r.cell.as_str(), r)).collect();
        for step in &cells {
            let found = row_of.get(step.key.as_str()).zip(output(run, step, "journal.jsonl"));
            input.search.extend(found.map_or(Vec::new(), |(row, journal)| candidates(row, &journal)));
        }
    }
    Ok(input)
}

/// What a cell's search for its learning rate came to, from its journal.
fn candidates(row: &ResultRow, journal: &Path) -> Vec<Candidate> {
    let text = read_to_string(journal).unwrap_or_default();
    let lines = text.lines().map_while(|line| serde_json::from_str::<Value>(line).ok());
    let found = lines.take_while(|line| line["event"] == CANDIDATE_EVENT).filter_map(|line| {
        Some(Candidate {
            start: row.start.clone(),
            budget: row.budget.clone(),
            factor: line["factor"].as_f64()?,
            score: line["best_score"].as_f64()?,
            chosen: line["chosen"].as_bool()?,
        })
    });
    found.collect()
}

/// What these cells score in the test split, from the predictions of the run.
fn scored(run: &Path, cells: &BTreeSet<String>, seeds: PretrainSeeds) -> Result<Vec<ScoredRows>, TrainError> {
    let path = run.join("predictions.parquet");
    let mut out = Vec::new();
    if !path.exists() {
        return Ok(out);
    }
    each_cell_of(&path, cells, |cell| {
        let mut by_emotion: BTreeMap<String, ScoredRows> = BTreeMap::new();
        for row in cell.rows.into_iter().filter(|r| r.split == Split::Test.name()) {
            let Some(score) = row.score else { continue };
            let rows = by_emotion.entry(row.emotion).or_default();
            rows.present.push(row.present);
            rows.score.push(score);
        }
        let id = &cell.id;
        out.extend(by_emotion.into_iter().map(|(emotion, rows)| ScoredRows {
            cell: id.cell.clone(),
            start: id.start.clone(),
            run: seeds.run(id.seed, id.draw, id.pretrain_seed),
            emotion,
            ..rows
        }));
        Ok::<(), TrainError>(())
    })?;
    Ok(out)
}

/// What predictors that know no segment score in each fold.
fn trivial(prepared: &Prepared) -> Result<Vec<ResultRow>, TrainError> {
    let mut rows = Vec::new();
    for k in 0..prepared.fold_count() {
        let fold = prepared.fold(k)?;
        let labels = |segments: &[usize], e: usize| -> Vec<Label> {
            let label = |&i: &usize| Label {
                intensity: f64::from(prepared.intensities(i)[e]),
                present: prepared.presence(i, e),
            };
            segments.iter().map(label).collect()
        };
        let emotions: Vec<EmotionLabels> = prepared
            .emotions()
            .iter()
            .enumerate()
            .map(|(e, emotion)| EmotionLabels {
                emotion: emotion.clone(),
                train: labels(&fold.train, e),
                evaluated: labels(&fold.test, e),
            })
            .collect();
        let id = CellId {
            cell: format!("trivial-fold{k}"),
            fold: k as i32,
            start: String::new(),
            fraction: 1.0,
            n_labels: fold.train.len() as i32,
            seed: 0,
            draw: 0,
            budget: LabelBudget::Fraction(1.0).to_string(),
            pretrain_seed: None,
        };
        rows.extend(trivial_rows(&id, Split::Test, &emotions)?);
    }
    Ok(rows)
}

/// The losses of a training, from its journal: one point a look at the validation data.
fn training(name: &str, journal: &Path) -> Option<Training> {
    let text = read_to_string(journal).ok()?;
    let (mut points, mut losses, mut best_step) = (Vec::new(), Vec::new(), None);
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        match line["event"].as_str() {
            Some("step") => losses.extend(line["loss"].as_f64()),
            Some("validation") if !losses.is_empty() => {
                points.push(CurvePoint {
                    step: line["step"].as_u64()?,
                    train_loss: losses.iter().sum::<f64>() / losses.len() as f64,
                    valid_loss: line["loss"].as_f64(),
                });
                losses.clear();
            }
            Some("end") => best_step = line["best_step"].as_u64(),
            _ => {}
        }
    }
    Some(Training { curve: Curve { name: name.to_string(), points }, best_step, ..Training::default() })
}

fn group(title: &str, rows: Vec<(&str, String)>) -> FactGroup {
    FactGroup { title: title.into(), rows: rows.into_iter().map(|(k, v)| (k.to_string(), v)).collect() }
}

/// A setting as the configuration writes it.
fn word(setting: impl serde::Serialize) -> String {
    serde_json::to_value(setting).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}

fn facts(study: &Study, prepared: &Prepared, audit: &Audit) -> Vec<FactGroup> {
    let manifest = prepared.manifest();
    vec![
        audit_facts(audit),
        data_facts(manifest),
        fold_facts(manifest),
        method_facts(study, manifest),
        version_facts(study, manifest),
    ]
}

fn audit_facts(audit: &Audit) -> FactGroup {
    let title = if audit.holds { "Audit: every rule that could be checked holds" } else { "Audit: a rule is broken" };
    let row = |f: &Finding| (f.says.clone(), format!("{}: {}", f.outcome.name(), f.detail));
    FactGroup { title: title.into(), rows: audit.findings.iter().map(row).collect() }
}

fn data_facts(manifest: &Manifest) -> FactGroup {
    let (s, f) = (&manifest.counts.segments, &manifest.counts.frames);
    let unknown = if manifest.irregular { "irregular times" } else { "an unknown rate" };
    let rate = manifest.frame_rate_hz.map_or(unknown.into(), |r| format!("{r:.0} Hz"));
    let mut rows = vec![
        ("Features", format!("{} columns at {rate}", manifest.columns.len())),
        ("Videos with labels", manifest.counts.videos.labelled.to_string()),
        ("Segments with labels", s.labelled.to_string()),
        ("Segments kept", s.kept.to_string()),
        (
            "Segments dropped",
            format!(
                "{} without features, {} past the end, {} without a frame, {} too short",
                s.video_without_features, s.past_the_end, s.no_frame, s.too_short
            ),
        ),
        ("Segments cut to the cap", s.cropped.to_string()),
        (
            "Frames stored",
            format!("{} (each the mean of {} frames of the file)", f.stored, manifest.config.pool_frames),
        ),
    ];
    rows.push(("Speech outside segments", unlabelled(manifest)));
    let missing: u64 = manifest.nonfinite.values().sum();
    let columns: Vec<String> = manifest.nonfinite.iter().map(|(c, n)| format!("{c} {n}")).collect();
    rows.push((
        "Values not finite",
        if missing == 0 { "none".into() } else { format!("{missing} ({})", columns.join(", ")) },
    ));
    rows.extend(manifest.remarks());
    group("Data", rows)
}

fn unlabelled(manifest: &Manifest) -> String {
    let Some(u) = &manifest.unlabelled else { return "not kept".into() };
    format!(
        "{} stretches of {} frames kept for pre-training, without labels and in no split; {} shorter than {} s dropped; {} \
         videos without any label among them",
        u.stretches,
        u.frames,
        u.too_short,
        manifest.config.unlabelled_min_s,
        u.videos.len()
    )
}

fn fold_facts(manifest: &Manifest) -> FactGroup {
    let mut rows = Vec::new();
    for (k, fold) in manifest.folds.iter().enumerate() {
        let sizes: Vec<String> = Split::ALL
            .iter()
            .filter_map(|split| {
                fold.sizes.get(split).map(|s| format!("{split} {} segments of {} videos", s.segments, s.videos))
            })
            .collect();
        rows.push((format!("Fold {k}"), sizes.join("; ")));
        let stretches = fold
            .unlabelled
            .iter()
            .map(|(split, s)| format!("{split} {} stretches of {} videos, {} frames", s.stretches, s.videos, s.frames));
        let stretches: Vec<String> = stretches.collect();
        if !stretches.is_empty() {
            rows.push((format!("Fold {k}, speech outside segments"), stretches.join("; ")));
        }
        if !fold.dropped_columns.is_empty() {
            rows.push((format!("Fold {k}, columns without variance"), fold.dropped_columns.join(", ")));
        }
    }
    FactGroup { title: "Splits, by video".into(), rows }
}

fn method_facts(study: &Study, manifest: &Manifest) -> FactGroup {
    let (e, m, p, f) = (&study.encoder, &study.mask, &study.pretrain, &study.finetune);
    let norm = if e.norm_first { "pre-norm" } else { "post-norm" };
    let speech = match study.pretrain_on {
        PretrainOn::Segments => "segments",
        PretrainOn::AllSpeech => "segments and stretches of the speech outside them",
    };
    let mut method = group(
        "Method",
        vec![
            (
                "Encoder",
                format!(
                    "{} layers, width {}, {} heads, {} inside, {norm}, dropout {}",
                    e.layers, e.model_dim, e.heads, e.feedforward_dim, e.dropout
                ),
            ),
            (
                "Hidden frames",
                format!(
                    "share {}, shape {}, replacement {}, loss {}",
                    m.ratio,
                    word(m.shape),
                    word(m.replacement),
                    word(m.loss)
                ),
            ),
            ("Pre-training", format!("{} steps of {} {speech}, of training videos alone", p.steps, p.batch_segments)),
            (
                "Fine-tuning",
                format!(
                    "{} steps of up to {} segments for every start; weights chosen on the validation split by {}",
                    f.training.steps,
                    f.training.batch_segments,
                    word(f.select)
                ),
            ),
            (
                "Validation labels",
                match f.validation_labels {
                    ValidationLabels::All => "the whole validation split, whatever the label budget".into(),
                    ValidationLabels::Budget => {
                        "as many as the label budget has for training, drawn like them; the others are withheld until the end"
                            .into()
                    }
                },
            ),
            ("Learning rate", learning_rate_fact(f)),
            ("Heads", heads_fact(f)),
            ("Objective", format!("{}; present: intensity > {}", word(f.objective), manifest.config.presence_above)),
            (
                "Threshold",
                match f.threshold {
                    crate::Threshold::Fixed => "0.5".into(),
                    crate::Threshold::TunedF1 => "highest F1 on the validation split, by emotion".into(),
                },
            ),
            ("Grid", grid_fact(study)),
        ],
    );
    for start in &study.grid.starts {
        let says = match start.pretraining() {
            Some(PretrainKind::Shuffled) => {
                "a control: as above, but the frames of each segment in random order, another in each epoch"
            }
            Some(PretrainKind::Transductive) => {
                "an ablation: as above, but also on the frames, never the labels, of validation and test videos"
            }
            Some(PretrainKind::Ordinary) | None => continue,
        };
        method.rows.push((format!("Pre-training of {}", start.name()), says.into()));
    }
    method
}

/// How learning rates are set, or searched for.
fn learning_rate_fact(f: &FinetuneConfig) -> String {
    let rate = f.training.learning_rate;
    let searched = match &f.learning_rate_factors[..] {
        [1.0] => "no search".into(),
        factors => format!(
            "searched in every cell of every start alike: {} times this, chosen on the validation split by {}",
            factors.iter().map(f64::to_string).collect::<Vec<_>>().join(", "),
            word(f.select)
        ),
    };
    let heads = f.head_learning_rate.map_or(String::new(), |rate| format!(", heads {rate}"));
    let decay =
        if f.layer_decay == 1.0 { String::new() } else { format!(", each layer {} of that above", f.layer_decay) };
    let thaw = match f.thaw_after {
        0 => String::new(),
        n => format!(", a pre-trained encoder left as it is for {n} steps"),
    };
    format!("{rate}{heads}{decay}{thaw}; heads on an encoder that stays as it is {}; {searched}", f.probe_learning_rate)
}

/// What the heads read and begin with.
fn heads_fact(f: &FinetuneConfig) -> String {
    let layers = match f.layers {
        Layers::Last => "the last layer",
        Layers::WeightedSum => "a learned sum of all layers",
    };
    let statistics = if f.input_statistics { " and the mean and deviation of the input's columns" } else { "" };
    let standardised =
        if f.standardise { ", standardised by the training segments before the first step (no labels)" } else { "" };
    let start = match f.head_start {
        HeadStart::Random => "random",
        HeadStart::Regression => "regularised regressions on what the encoder gives before the first step",
    };
    format!("pooling {} of {layers}{statistics}{standardised}; first weights: {start}", word(f.pooling))
}

/// The sources of variation, by name.
fn grid_fact(study: &Study) -> String {
    let (seeds, draws) = (study.grid.seeds.len(), study.labels.draws);
    let pretrained = study.grid.starts.iter().any(|start| start.pretrained());
    let pretraining = match &study.grid.pretrain_seeds {
        _ if !pretrained => String::new(),
        None => {
            "; pre-training and training seed are tied: each training seed has its own pre-training, and what the one \
                 and the other move cannot be told apart"
                .into()
        }
        Some(crossed) => format!(
            "; crossed with {} pre-training seeds, which starts without pre-training do not have",
            crossed.len()
        ),
    };
    format!("{seeds} training seeds, {draws} label draws{pretraining}")
}

fn version_facts(study: &Study, manifest: &Manifest) -> FactGroup {
    let mut rows = vec![
        ("mosei-ssl".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("libtorch, of this report".to_string(), torch_ext::version()),
        ("Device".to_string(), format!("{}, {} threads a process", study.device, study.threads)),
    ];
    rows.extend(manifest.inputs.iter().map(|i| (i.name.clone(), format!("{} bytes, BLAKE3 {}", i.bytes, i.blake3))));
    FactGroup { title: "Versions and hashes".into(), rows }
}
