//! The command line: one verb a file, with its arguments and the call of the library that does the
//! work.

/// Prints a line. A reader that has gone away, as `head` does, is no failure.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

pub(crate) mod audit;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod encode;
pub(crate) mod evaluate;
pub(crate) mod finetune;
pub(crate) mod import;
pub(crate) mod inspect;
mod machine;
pub(crate) mod man;
mod outcome;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod prepare;
pub(crate) mod pretrain;
pub(crate) mod replicate;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod serve;
mod slurm;
pub(crate) mod statistics;
pub(crate) mod status;
pub(crate) mod step;
pub(crate) mod sweep;
pub(crate) mod synth;

use crate::{Study, StudyError};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use run_record::error_chain;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use train::Corpus;

/// How many labels does self-supervised pre-training save? `sweep` runs the whole study; each of
/// its steps is a verb too.
#[derive(Parser)]
#[command(name = "mosei-ssl", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Synth(synth::Arguments),
    Import(import::Arguments),
    Inspect(inspect::Arguments),
    Prepare(prepare::Arguments),
    Sample(sample::Arguments),
    Plan(plan::Arguments),
    Pretrain(pretrain::Arguments),
    Encode(encode::Arguments),
    Finetune(finetune::Arguments),
    Evaluate(evaluate::Arguments),
    Statistics(statistics::Arguments),
    Predict(predict::Arguments),
    Embed(embed::Arguments),
    Check(check::Arguments),
    Audit(audit::Arguments),
    Report(report::Arguments),
    Replicate(replicate::Arguments),
    Compare(compare::Arguments),
    Sweep(sweep::Arguments),
    Status(status::Arguments),
    Cancel(cancel::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    #[command(hide = true)]
    Serve(serve::Arguments),
    #[command(hide = true)]
    Step(step::Arguments),
}

/// Parses a command line; prints help or an error where there is no verb to run.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Verb, u8> {
    Arguments::try_parse_from(words)
        .map(|a| a.verb)
        .map_err(|error| {
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(2)
        })
}

/// Runs the command line of this process; its exit code.
///
/// 0 done, 1 failed, 2 wrong usage or configuration, 3 a cluster's task whose needs are not done,
/// 130 stopped by a signal.
pub fn main() -> u8 {
    let mut verb = match parse(std::env::args_os()) {
        Ok(verb) => verb,
        Err(code) => return code,
    };
    // Before all else: what is open or running now would be so in every process of a sweep.
    if let Verb::Serve(a) = verb {
        verb = match serve::run(a) {
            Ok(Some(step)) => {
                match parse(
                    std::iter::once("mosei-ssl".into()).chain(step.into_iter().map(Into::into)),
                ) {
                    Ok(verb) => verb,
                    Err(code) => return code,
                }
            }
            Ok(None) => return 0,
            Err(error) => {
                eprintln!("error: {}", error_chain(error.as_ref()));
                return 1;
            }
        };
    }
    let level =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    torch_ext::keep_memory();
    let outcome = match verb {
        Verb::Sweep(a) => sweep::run(a),
        Verb::Step(a) => step::run(&a),
        verb => run(verb).map(|()| 0),
    };
    let outcome = outcome.and_then(|code| {
        train::hand_over().map_err(StudyError::from)?;
        Ok(code)
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {}", error_chain(error.as_ref()));
        if error.downcast_ref().is_some_and(StudyError::is_wrong_usage) {
            2
        } else {
            1
        }
    })
}

/// Runs a verb that is done or fails.
fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::Synth(a) => synth::run(a),
        Verb::Import(a) => import::run(a),
        Verb::Inspect(a) => inspect::run(a),
        Verb::Prepare(a) => prepare::run(a),
        Verb::Sample(a) => sample::run(a),
        Verb::Plan(a) => plan::run(a),
        Verb::Pretrain(a) => pretrain::run(a),
        Verb::Encode(a) => encode::run(a),
        Verb::Finetune(a) => finetune::run(a),
        Verb::Evaluate(a) => evaluate::run(a),
        Verb::Statistics(a) => statistics::run(a),
        Verb::Predict(a) => predict::run(a),
        Verb::Embed(a) => embed::run(a),
        Verb::Check(a) => check::run(a),
        Verb::Audit(a) => audit::run(a),
        Verb::Report(a) => report::run(a),
        Verb::Replicate(a) => replicate::run(a),
        Verb::Compare(a) => compare::run(a),
        Verb::Doctor(a) => doctor::run(a),
        Verb::Completions(a) => completions::run::<Arguments>(&a),
        Verb::Man(a) => man::run::<Arguments>(&a),
        Verb::Status(a) => a.run(),
        Verb::Cancel(a) => cancel::run(&a),
        Verb::Sweep(_) | Verb::Step(_) | Verb::Serve(_) => {
            anyhow::bail!("a step cannot be a sweep or a server")
        }
    }
}

/// The configuration of a study.
#[derive(clap::Args)]
pub(crate) struct ConfigArgument {
    /// The study's configuration (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

impl ConfigArgument {
    pub(crate) fn load(&self) -> Result<Study> {
        Ok(Study::load(&self.config)?)
    }
}

/// What is trained or encoded: a study, a fold of its data, a seed.
#[derive(clap::Args)]
pub(crate) struct FoldArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A prepared folder.
    #[arg(long, value_name = "DIR")]
    prepared: PathBuf,
    /// Cross-validation fold.
    #[arg(long, default_value_t = 0)]
    pub(crate) fold: usize,
    /// Training seed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(i32::MAX)))]
    pub(crate) seed: u32,
}

impl FoldArguments {
    /// Reads the study, sets threads and device, opens the fold. Must come before anything else
    /// asks libtorch.
    pub(crate) fn open(&self) -> Result<(Study, Corpus)> {
        let study = self.config.load()?;
        train::configure_process(study.threads, &study.device, study.encoder.precision)
            .map_err(StudyError::from)?;
        let device = torch_ext::open_device(&study.device).map_err(StudyError::from)?;
        if let Some(slow) = crate::precision::slow_precision(&study) {
            tracing::warn!("{slow}");
        }
        let corpus = Corpus::open(&self.prepared, self.fold, device).map_err(StudyError::from)?;
        Ok((study, corpus))
    }
}

/// A parser of one of these names, which help and errors list.
pub(crate) fn one_of<T>(values: &'static [T]) -> impl clap::builder::TypedValueParser<Value = T>
where
    T: Copy + Into<&'static str> + std::str::FromStr + Send + Sync + 'static,
    <T as std::str::FromStr>::Err: std::error::Error + Send + Sync + 'static,
{
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(values.iter().map(|&value| value.into()))
        .try_map(|name| name.parse::<T>())
}

/// Writes to standard output. A reader that has gone away, as `head` does, is no failure.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("failed to write to standard output"),
    }
}

/// The files of a table: the one that is named, or, where no format is, one of each.
pub(crate) fn table_files(out: &Path) -> Vec<PathBuf> {
    let has = |wanted: &str| {
        out.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(wanted))
    };
    if has("parquet") || has("csv") {
        return vec![out.to_path_buf()];
    }
    ["parquet", "csv"]
        .map(|extension| PathBuf::from(format!("{}.{extension}", out.display())))
        .to_vec()
}

/// Files, for a sentence.
pub(crate) fn and(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|f| f.display().to_string())
        .collect::<Vec<_>>()
        .join(" and ")
}

/// Shows how many videos are done, on a terminal.
pub(crate) fn video_progress(label: &str) -> impl FnMut(usize, usize) + use<> {
    let bar = train::bar(label, 0);
    move |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Place, RunFolder, StudyStep};

    /// A renamed or forgotten option of a verb would fail only when a step runs, or not at all.
    #[test]
    fn the_command_line_understands_every_step_of_a_plan() {
        let config = "[synth]\n[finetune]\nvalidation_labels = \"budget\"\n[grid]\nseeds = [0, 1]\npretrain_seeds = [4]\n\
                      starts = [\"ssl\", \"frozen\", \"random-frozen\", \"pooled-logistic\", \"ssl-shuffled\"]\n";
        let study = Study::parse(Path::new("s.toml"), config).unwrap();
        let plan = crate::plan(
            &study,
            &Place {
                run: RunFolder::new("/run"),
                data: None,
            },
        )
        .unwrap();
        let mut kinds = std::collections::BTreeSet::new();
        for step in &plan.steps {
            let words = std::iter::once("mosei-ssl").chain(step.command.iter().map(String::as_str));
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{}: {error}", step.id);
            }
            let planned = StudyStep::of(step).unwrap();
            assert_eq!(
                (planned.id(), planned.outputs()),
                (step.id.clone(), step.outputs.clone())
            );
            assert_eq!(
                planned.command(&RunFolder::new("/run"), &step.key),
                step.command
            );
            kinds.insert(step.kind.clone());
        }
        assert_eq!(kinds.len(), 9, "{kinds:?}");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
