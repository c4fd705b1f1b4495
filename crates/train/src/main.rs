//! The binary `mosei-ssl`: one verb a file in `cli/`.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod cli;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::IsTerminal;
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
    Import(cli::import::Arguments),
    Inspect(cli::inspect::Arguments),
    Prepare(cli::prepare::Arguments),
    Sample(cli::sample::Arguments),
    Plan(cli::plan::Arguments),
    Pretrain(cli::pretrain::Arguments),
    Encode(cli::encode::Arguments),
    Finetune(cli::finetune::Arguments),
    Evaluate(cli::evaluate::Arguments),
    Statistics(cli::statistics::Arguments),
    Predict(cli::predict::Arguments),
    Embed(cli::embed::Arguments),
    Check(cli::check::Arguments),
    Audit(cli::audit::Arguments),
    Report(cli::report::Arguments),
    Doctor(cli::doctor::Arguments),
    Completions(cli::completions::Arguments),
    Man(cli::man::Arguments),
    #[command(hide = true)]
    Serve(cli::serve::Arguments),
}

fn main() {
    train::leave(run())
}

/// What the command line asks for; where it asks for help, or for nothing that is known, that is said.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Verb, u8> {
    Arguments::try_parse_from(words).map(|a| a.verb).map_err(|said| {
        let _ = said.print();
        u8::try_from(said.exit_code()).unwrap_or(2)
    })
}

/// The process' exit code.
fn run() -> u8 {
    let mut verb = match parse(std::env::args_os()) {
        Ok(verb) => verb,
        Err(code) => return code,
    };
    // Before all else: what is open or running now would be so in every process of a sweep.
    if let Verb::Serve(a) = verb {
        verb = match cli::serve::run(a) {
            Ok(Some(step)) => {
                match parse(std::iter::once("mosei-ssl".into()).chain(step.into_iter().map(Into::into))) {
                    Ok(verb) => verb,
                    Err(code) => return code,
                }
            }
            Ok(None) => return 0,
            Err(error) => {
                eprintln!("error: {}", cli::chain(&error));
                return 1;
            }
        };
    }
    let level = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    torch_ext::keep_memory();
    let outcome = match verb {
        Verb::Synth(a) => cli::synth::run(a),
        Verb::Import(a) => cli::import::run(a),
        Verb::Inspect(a) => cli::inspect::run(a),
        Verb::Prepare(a) => cli::prepare::run(a),
        Verb::Sample(a) => cli::sample::run(a),
        Verb::Plan(a) => cli::plan::run(a),
        Verb::Pretrain(a) => cli::pretrain::run(a),
        Verb::Encode(a) => cli::encode::run(a),
        Verb::Finetune(a) => cli::finetune::run(a),
        Verb::Evaluate(a) => cli::evaluate::run(a),
        Verb::Statistics(a) => cli::statistics::run(a),
        Verb::Predict(a) => cli::predict::run(a),
        Verb::Embed(a) => cli::embed::run(a),
        Verb::Check(a) => cli::check::run(a),
        Verb::Audit(a) => cli::audit::run(a),
        Verb::Report(a) => cli::report::run(a),
        Verb::Doctor(a) => cli::doctor::run(a),
        Verb::Completions(a) => cli::completions::run::<Arguments>(&a),
        Verb::Man(a) => cli::man::run::<Arguments>(&a),
        Verb::Serve(_) => Err(anyhow::anyhow!("a step cannot be a server")),
    };
    match outcome.and_then(|()| Ok(train::hand_over()?)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: {}", cli::chain(&error));
            let wrong_usage = matches!(
                error.downcast_ref(),
                Some(
                    TrainError::Config { .. }
                        | TrainError::Argument { .. }
                        | TrainError::Device(_)
                        | TrainError::Threads { .. }
                )
            );
            if wrong_usage { 2 } else { 1 }
        }
    }
}
