//! From a run folder to what the report says of it.

mod rebuilt_segment;

use crate::integrity::checked_results;
use crate::run_folder::RunFolder;
use crate::statistics::read_statistics;
use crate::step::StudyStep;
use crate::{Audit, Finding, Study, StudyError};
use backbone::Layers;
use eval::run::PretrainSeeds;
use eval::trivial::{EmotionLabels, Label, trivial_rows};
use mosei_data::{Manifest, Prepared};
use mosei_schema::{LabelBudget, PretrainKind, Split};
use report::{Candidate, Curve, CurvePoint, FactGroup, ReportInput, ScoredRows, Training};
use run_record::{CellId, ResultRow, each_cell_of, read_to_string, write_atomic};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use train::{Event, FinetuneConfig, HeadInit, PretrainOn, Threshold, ValidationLabels};

/// Writes `report.html`, `claim.txt`, `figures/` and `tables/` of a run from what it has left on
/// disk. Trains nothing.
///
/// # Errors
/// A run that has not been evaluated, or whose tables are not what its steps wrote.
pub fn write_report(run: &RunFolder) -> Result<PathBuf, StudyError> {
    let input = gather(run)?;
    let page = run.report();
    let html = report::render(&input)?;
    for (name, content) in report::exports(&input)? {
        write_atomic(&run.join(name), &content)?;
    }
    write_atomic(
        &run.claim(),
        format!("{}\n", report::claim(&input)?).as_bytes(),
    )?;
    write_atomic(&page, html.as_bytes())?;
    Ok(page)
}

fn gather(run: &RunFolder) -> Result<ReportInput, StudyError> {
    let plan = run.read_plan()?;
    let study = Study::load(&run.config())?;
    let prepared = Prepared::open(&run.prepared())?;
    let results = checked_results(run, &plan, &study)?;
    let manifest = prepared.manifest();
    let frame_s = manifest
        .frame_rate_hz
        .map(|rate| manifest.config.pool_frames as f64 / rate);
    let mut failures = Vec::new();
    for step in plan.steps.iter().filter(|step| !run.is_done(step)) {
        let error = run.error(step);
        if error.exists() {
            failures.push((step.id.clone(), read_to_string(&error)?));
        }
    }
    let (mut pretraining, mut example) = (Vec::new(), None);
    for (step, _) in StudyStep::pretrainings(&plan)? {
        pretraining.extend(training(&step.about, &run.journal(step)).map(|t| t.curve));
        // The first one is enough to see what is asked of an encoder.
        let path = run.example(step);
        if example.is_none() && path.exists() {
            example = Some(rebuilt_segment::read(&path, &step.about, frame_s)?);
        }
    }
    let cells = StudyStep::cells(&plan)?;
    let mut input = ReportInput {
        name: study.name.clone(),
        facts: facts(&study, &prepared, &crate::audit(run)?),
        config_toml: study.to_toml(),
        results,
        statistics: read_statistics(run)?,
        trivial: trivial(&prepared)?,
        starts: study
            .grid
            .starts
            .iter()
            .map(|s| s.name().to_string())
            .collect(),
        emotions: prepared.emotions().to_vec(),
        pretraining,
        reconstruction: example,
        failures,
        notes: study.report.notes.clone(),
        primary_metric: study.report.primary_metric.clone(),
        primary_budget: study.report.primary_labels.clone(),
        pretrain_seeds: study.pretrain_seeds(),
        planned_cells: cells.len(),
        finished_cells: cells.iter().filter(|(step, _)| run.is_done(step)).count(),
        ..ReportInput::default()
    };
    let shown = report::headline_cells(&input)?;
    for (step, cell) in cells.iter().filter(|(step, _)| shown.contains(&step.key)) {
        let read = training(&step.about, &run.journal(step));
        input.trainings.extend(read.map(|training| Training {
            start: cell.start.to_string(),
            ..training
        }));
    }
    input.scored = scored(run, &shown, study.pretrain_seeds())?;
    if study.finetune.learning_rate_factors.len() > 1 {
        let row_of: BTreeMap<&str, &ResultRow> =
            input.results.iter().map(|r| (r.cell.as_str(), r)).collect();
        for (step, _) in &cells {
            let row = row_of.get(step.key.as_str());
            input
                .search
                .extend(row.map_or(Vec::new(), |row| candidates(row, &run.journal(step))));
        }
    }
    Ok(input)
}

/// The candidates of a cell's learning-rate search, from its journal.
fn candidates(row: &ResultRow, journal: &Path) -> Vec<Candidate> {
    let events = Event::read_all(journal).unwrap_or_default();
    let candidate = |event| match event {
        Event::Candidate(c) => Some(Candidate {
            start: row.start.clone(),
            budget: row.budget.clone(),
            factor: c.factor,
            score: c.best_score?,
            chosen: c.chosen,
        }),
        _ => None,
    };
    events.into_iter().filter_map(candidate).collect()
}

/// What these cells score in the test split, from the predictions of the run.
fn scored(
    run: &RunFolder,
    cells: &BTreeSet<String>,
    seeds: PretrainSeeds,
) -> Result<Vec<ScoredRows>, StudyError> {
    let path = run.predictions();
    let mut out = Vec::new();
    if !path.exists() {
        return Ok(out);
    }
    each_cell_of(&path, cells, |cell| {
        let mut by_emotion: BTreeMap<String, ScoredRows> = BTreeMap::new();
        for row in cell
            .rows
            .into_iter()
            .filter(|r| r.split == Split::Test.name())
        {
            let Some(score) = row.score else { continue };
            let rows = by_emotion.entry(row.emotion).or_default();
            rows.present.push(row.present);
            rows.score.push(score);
        }
        let id = &cell.id;
        out.extend(by_emotion.into_iter().map(|(emotion, rows)| ScoredRows {
            cell: id.cell.clone(),
            start: id.start.clone(),
            run: seeds.run(id),
            emotion,
            ..rows
        }));
        Ok::<(), StudyError>(())
    })?;
    Ok(out)
}

/// What predictors that know no segment score in each fold.
fn trivial(prepared: &Prepared) -> Result<Vec<ResultRow>, StudyError> {
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
            partition: fold.partition as i32,
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

/// The losses of a training, from its journal: one point for each validation.
fn training(name: &str, journal: &Path) -> Option<Training> {
    let (mut points, mut losses, mut best) = (Vec::new(), Vec::new(), None);
    for event in Event::read_all(journal).ok()? {
        match event {
            Event::Step(step) => losses.push(step.loss),
            Event::Validation { step, loss, .. } if !losses.is_empty() => {
                points.push(CurvePoint {
                    step: step as u64,
                    train_loss: losses.iter().sum::<f64>() / losses.len() as f64,
                    valid_loss: loss,
                });
                losses.clear();
            }
            Event::End { best_step, .. } => best = Some(best_step as u64),
            _ => {}
        }
    }
    Some(Training {
        curve: Curve {
            name: name.to_string(),
            points,
        },
        best_step: best,
        ..Training::default()
    })
}

fn group(title: &str, rows: Vec<(&str, String)>) -> FactGroup {
    FactGroup {
        title: title.into(),
        rows: rows.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
    }
}

/// A setting as the configuration writes it.
fn word(setting: impl serde::Serialize) -> String {
    serde_json::to_value(setting)
        .ok()
        .and_then(|v| v.as_str().map(str::to_string))
        .unwrap_or_default()
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
    let title = if audit.holds {
        "Audit: every rule that could be checked holds"
    } else {
        "Audit: a rule is broken"
    };
    let row = |f: &Finding| {
        (
            f.says.clone(),
            format!("{}: {}", f.outcome.name(), f.detail),
        )
    };
    FactGroup {
        title: title.into(),
        rows: audit.findings.iter().map(row).collect(),
    }
}

fn data_facts(manifest: &Manifest) -> FactGroup {
    let (s, f) = (&manifest.counts.segments, &manifest.counts.frames);
    let unknown = if manifest.irregular {
        "irregular times"
    } else {
        "an unknown rate"
    };
    let rate = manifest
        .frame_rate_hz
        .map_or(unknown.into(), |r| format!("{r:.0} Hz"));
    let mut rows = vec![
        (
            "Features",
            format!("{} columns at {rate}", manifest.columns.len()),
        ),
        (
            "Videos with labels",
            manifest.counts.videos.labelled.to_string(),
        ),
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
            format!(
                "{} (each the mean of {} frames of the file)",
                f.stored, manifest.config.pool_frames
            ),
        ),
    ];
    rows.push(("Speech outside segments", unlabelled(manifest)));
    let missing: u64 = manifest.nonfinite.values().sum();
    let columns: Vec<String> = manifest
        .nonfinite
        .iter()
        .map(|(c, n)| format!("{c} {n}"))
        .collect();
    rows.push((
        "Values not finite",
        if missing == 0 {
            "none".into()
        } else {
            format!("{missing} ({})", columns.join(", "))
        },
    ));
    rows.extend(manifest.remarks());
    group("Data", rows)
}

fn unlabelled(manifest: &Manifest) -> String {
    let Some(u) = &manifest.unlabelled else {
        return "not kept".into();
    };
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
                fold.sizes
                    .get(split)
                    .map(|s| format!("{split} {} segments of {} videos", s.segments, s.videos))
            })
            .collect();
        rows.push((format!("Fold {k}"), sizes.join("; ")));
        let stretches = fold.unlabelled.iter().map(|(split, s)| {
            format!(
                "{split} {} stretches of {} videos, {} frames",
                s.stretches, s.videos, s.frames
            )
        });
        let stretches: Vec<String> = stretches.collect();
        if !stretches.is_empty() {
            rows.push((
                format!("Fold {k}, speech outside segments"),
                stretches.join("; "),
            ));
        }
        if !fold.dropped_columns.is_empty() {
            rows.push((
                format!("Fold {k}, columns without variance"),
                fold.dropped_columns.join(", "),
            ));
        }
    }
    FactGroup {
        title: "Splits, by video".into(),
        rows,
    }
}

fn method_facts(study: &Study, manifest: &Manifest) -> FactGroup {
    let (e, m, p, f) = (
        &study.encoder,
        &study.mask,
        &study.pretrain,
        &study.finetune,
    );
    let norm = if e.norm_first {
        "pre-norm"
    } else {
        "post-norm"
    };
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
                    "{} steps of up to {} segments for every start; weights selected on the validation split by {}",
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
                    Threshold::Fixed => "0.5".into(),
                    Threshold::TunedF1 => "highest F1 on the validation split, by emotion".into(),
                },
            ),
            ("Grid", grid_fact(study)),
        ],
    );
    for start in &study.grid.starts {
        if let Some(explanation) = start.pretraining().and_then(PretrainKind::explanation) {
            method
                .rows
                .push((format!("Pre-training of {start}"), explanation.into()));
        }
    }
    method
}

/// How learning rates are set, or searched for.
fn learning_rate_fact(f: &FinetuneConfig) -> String {
    let rate = f.training.learning_rate;
    let searched = match &f.learning_rate_factors[..] {
        [1.0] => "no search".into(),
        factors => format!(
            "searched in every cell of every start in the same way: {} times this, selected on the validation split by {}",
            factors
                .iter()
                .map(f64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            word(f.select)
        ),
    };
    let heads = f
        .head_learning_rate
        .map_or(String::new(), |rate| format!(", heads {rate}"));
    let decay = if f.layer_decay == 1.0 {
        String::new()
    } else {
        format!(", each layer {} of that above", f.layer_decay)
    };
    let frozen = match f.freeze_steps {
        0 => String::new(),
        n => format!(", a pre-trained encoder frozen for {n} steps"),
    };
    format!(
        "{rate}{heads}{decay}{frozen}; heads on a frozen encoder {}; {searched}",
        f.probe_learning_rate
    )
}

/// What the heads read and begin with.
fn heads_fact(f: &FinetuneConfig) -> String {
    let layers = match f.heads.layers {
        Layers::Last => "the last layer",
        Layers::WeightedSum => "a learned sum of all layers",
    };
    let statistics = if f.heads.input_statistics {
        " and the mean and standard deviation of the input's columns"
    } else {
        ""
    };
    let standardised = if f.heads.standardise {
        ", standardised by the training segments before the first step (no labels)"
    } else {
        ""
    };
    let start = match f.head_init {
        HeadInit::Random => "random",
        HeadInit::Regression => {
            "regularised regressions on the encoder's output before the first step"
        }
    };
    format!(
        "pooling {} of {layers}{statistics}{standardised}; initialisation: {start}",
        word(f.heads.pooling)
    )
}

/// The sources of variation, by name.
fn grid_fact(study: &Study) -> String {
    let (seeds, draws) = (study.grid.seeds.len(), study.labels.draws);
    let pretrained = study.grid.starts.iter().any(|start| start.is_pretrained());
    let pretraining = match &study.grid.pretrain_seeds {
        _ if !pretrained => String::new(),
        None => {
            "; pre-training and training seed are tied: each training seed has its own pre-training, and their effects \
                 cannot be separated"
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
        (
            "mosei-ssl".to_string(),
            env!("CARGO_PKG_VERSION").to_string(),
        ),
        ("libtorch, of this report".to_string(), torch_ext::version()),
        (
            "Device".to_string(),
            format!("{}, {} threads a process", study.device, study.threads),
        ),
    ];
    rows.extend(manifest.inputs.iter().map(|i| {
        (
            i.name.clone(),
            format!("{} bytes, BLAKE3 {}", i.bytes, i.blake3),
        )
    }));
    FactGroup {
        title: "Versions and hashes".into(),
        rows,
    }
}
