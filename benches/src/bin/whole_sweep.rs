//! A whole sweep by the engine: cells an hour. One round is one sweep, from pre-training to the
//! report.
//!
//! `--prepare` makes the corpus, the prepared folder and the label budgets once, for this and for
//! `peers/sweep.py`. `--without` takes a part of what makes a sweep fast out of the plan, to show
//! what the part gains.

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use run_record::read_results;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use sweep::{Event, Plan};

#[derive(Parser)]
struct Arguments {
    /// The run folder.
    #[arg(long)]
    run: PathBuf,
    /// Only what comes before pre-training.
    #[arg(long)]
    prepare: bool,
    /// Processes of one thread at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Parts to do without.
    #[arg(long, value_enum, value_delimiter = ',')]
    without: Vec<Part>,
    /// Segments of the corpus.
    #[arg(long, default_value_t = 540)]
    segments: usize,
    /// Steps of a pre-training.
    #[arg(long, default_value_t = 20)]
    pretrain_steps: usize,
    /// Steps of a cell.
    #[arg(long, default_value_t = 15)]
    finetune_steps: usize,
    /// Seeds: eight cells and a pre-training each.
    #[arg(long, default_value_t = 2)]
    seeds: u32,
    /// Precision of training steps: fp32 or bf16.
    #[arg(long, value_parser = ["fp32", "bf16"], default_value = "bf16")]
    precision: String,
    /// Another study than the one that the sizes above make.
    #[arg(long)]
    config: Option<PathBuf>,
    /// mosei-ssl, by default the one beside this program.
    #[arg(long)]
    program: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Frozen cells run the encoder each for itself.
    Encodings,
    /// Each process is started from scratch.
    Server,
    /// Steps begin in the order of the plan.
    Order,
}

/// Encoder, lengths and batches of the full MOSEI study; few segments and few steps.
fn config(a: &Arguments) -> String {
    let (pretrain, finetune) = (a.pretrain_steps, a.finetune_steps);
    let videos = (a.segments / 7).max(12);
    format!(
        "name = \"sweep\"
synth = {{ videos = {videos}, segments = {}, signal = 3.0, level = 0.1, speaker = 0.4, noise = 0.3 }}
data = {{ pool_frames = 5, max_frames = 300 }}
labels = {{ fractions = [0.15, 1.0] }}
encoder = {{ model_dim = 128, heads = 8, layers = 3, feedforward_dim = 512, precision = {:?} }}
pretrain = {{ steps = {pretrain}, warmup_steps = {}, validate_every = {} }}
grid = {{ seeds = {:?} }}
[finetune]
training = {{ steps = {finetune}, warmup_steps = {}, validate_every = {} }}
",
        a.segments,
        a.precision,
        pretrain / 6,
        pretrain.div_ceil(2),
        (0..a.seeds).collect::<Vec<_>>(),
        finetune / 6,
        finetune.div_ceil(2),
    )
}

fn main() -> Result<()> {
    let a = Arguments::parse();
    let program = match &a.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("mosei-ssl"),
    };
    ensure!(
        program.is_file(),
        "{}: no such program; `cargo build --release -p mosei-ssl` builds it",
        program.display()
    );
    let study = match &a.config {
        Some(config) => config.clone(),
        None => {
            std::fs::create_dir_all(&a.run)?;
            let written = a.run.join("study.toml");
            std::fs::write(&written, config(&a))?;
            written
        }
    };
    let began = Instant::now();
    let mut plan = plan(&program, &study, &a.run)?;
    if a.prepare {
        plan.steps.retain(is_data);
        return sweep(&plan, &a, &program).map(|_| ());
    }
    for step in plan.steps.iter().filter(|s| !is_data(s)) {
        remove(&a.run.join("steps").join(&step.id))?;
        // A step's outputs stand in its folder or beside it.
        remove(&a.run.join(&step.id))?;
        step.outputs
            .iter()
            .try_for_each(|output| remove(&a.run.join(output)))?;
    }
    a.without.iter().for_each(|part| take_out(*part, &mut plan));
    let seconds_by_kind = sweep(&plan, &a, &program)?;
    let seconds = began.elapsed().as_secs_f64();
    let cells = plan.steps.iter().filter(|s| s.kind == "cell").count();
    let more = json!({
        "cells": cells, "seconds": seconds, "seconds by kind": seconds_by_kind, "processes": a.jobs,
        "macro ROC AUC": macro_auc(&a.run)?,
    });
    study_benches::emit("time", seconds, "s", json!({ "cells": cells }));
    study_benches::emit("rate", cells as f64 / seconds * 3600.0, "cells/h", more);
    Ok(())
}

fn is_data(step: &sweep::Step) -> bool {
    matches!(step.kind.as_str(), "synth" | "prepare" | "sample")
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

fn plan(program: &Path, config: &Path, run: &Path) -> Result<Plan> {
    let mut command = Command::new(program);
    let output = command
        .arg("plan")
        .arg(config)
        .arg("--run")
        .arg(run)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "mosei-ssl plan: {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn take_out(part: Part, plan: &mut Plan) {
    match part {
        Part::Server => plan.server.clear(),
        Part::Order => plan.steps.iter_mut().for_each(|s| s.cost = 0),
        Part::Encodings => {
            plan.steps.retain(|s| s.kind != "encode");
            for step in &mut plan.steps {
                step.needs.retain(|need| !need.starts_with("encodings/"));
                if let Some(at) = step.command.iter().position(|word| word == "--encodings") {
                    step.command.drain(at..at + 2);
                }
            }
        }
    }
}

/// Runs a plan to its end; seconds of its processes by kind.
fn sweep(plan: &Plan, a: &Arguments, program: &Path) -> Result<BTreeMap<String, f64>> {
    let mut by_kind = BTreeMap::new();
    let outcome = sweep::run(plan, &a.run, program, a.jobs, &mut |event| {
        if let Event::Done { step, seconds } = event {
            *by_kind.entry(step.kind.clone()).or_insert(0.0) += seconds;
        }
    })?;
    if let Some((id, error)) = outcome.failed.first() {
        bail!("{id}: {error}");
    }
    ensure!(outcome.is_complete(), "stopped");
    Ok(by_kind)
}

/// Mean over the cells of each start, on the test split.
fn macro_auc(run: &Path) -> Result<BTreeMap<String, f64>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in read_results(&run.join("results.csv"))? {
        if (
            row.split.as_str(),
            row.emotion.as_str(),
            row.metric.as_str(),
        ) == ("test", "macro", "roc_auc")
        {
            values.entry(row.start).or_default().extend(row.value);
        }
    }
    Ok(values
        .into_iter()
        .map(|(start, v)| (start, v.iter().sum::<f64>() / v.len() as f64))
        .collect())
}
