//! The binary `mosei-ssl`: one verb a file in `cli/`.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod cli;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;
use train::TrainError;

/// How many labels does masked pre-training save? The steps of the study, one verb each.
///
/// `cargo xtask sweep` runs them all.
#[derive(Parser)]
#[command(name = "mosei-ssl", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Synth(cli::synth::Arguments),
    Inspect(cli::inspect::Arguments),
    Prepare(cli::prepare::Arguments),
    Sample(cli::sample::Arguments),
    Plan(cli::plan::Arguments),
    Pretrain(cli::pretrain::Arguments),
    Finetune(cli::finetune::Arguments),
    Evaluate(cli::evaluate::Arguments),
    Predict(cli::predict::Arguments),
    Embed(cli::embed::Arguments),
    Check(cli::check::Arguments),
    Report(cli::report::Arguments),
}

fn main() -> ExitCode {
    let level = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    let outcome = match Arguments::parse().verb {
        Verb::Synth(a) => cli::synth::run(a),
        Verb::Inspect(a) => cli::inspect::run(a),
        Verb::Prepare(a) => cli::prepare::run(a),
        Verb::Sample(a) => cli::sample::run(a),
        Verb::Plan(a) => cli::plan::run(a),
        Verb::Pretrain(a) => cli::pretrain::run(a),
        Verb::Finetune(a) => cli::finetune::run(a),
        Verb::Evaluate(a) => cli::evaluate::run(a),
        Verb::Predict(a) => cli::predict::run(a),
        Verb::Embed(a) => cli::embed::run(a),
        Verb::Check(a) => cli::check::run(a),
        Verb::Report(a) => cli::report::run(a),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", cli::chain(&error));
            let wrong_usage = matches!(
                error.downcast_ref(),
                Some(TrainError::Config { .. } | TrainError::Argument { .. } | TrainError::Device(_))
            );
            ExitCode::from(if wrong_usage { 2 } else { 1 })
        }
    }
}
