//! `cargo xtask VERB`: sets the machine up, checks the code, runs a study. Every verb is one file beside this one.
//!
//! What does not live here: anything about emotions or models (the program `mosei-ssl` knows those), and the engine
//! that runs a plan (the crate `sweep`).
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 a cluster's task whose needs are not done, 130 stopped by a signal.

/// Prints a line. A reader that has gone away, as `head` does, is no failure.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

#[cfg(not(unix))]
compile_error!("the set-up and the engine know Linux and macOS; on Windows, use the Linux subsystem");

mod machine;
mod outcome;
mod progress;
mod report;
mod setup;
mod slurm;
mod status;
mod sweep;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Sets up, checks and runs the study.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Setup(setup::Setup),
    Test(test::Test),
    Sweep(sweep::Sweep),
    Status(status::Status),
    Cancel(slurm::Cancel),
    #[command(hide = true)]
    Step(slurm::Step),
    Report(report::Report),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Setup(verb) => verb.run(),
        Verb::Test(verb) => verb.run(),
        Verb::Sweep(verb) => verb.run(),
        Verb::Status(verb) => verb.run(),
        Verb::Cancel(verb) => verb.run(),
        Verb::Step(verb) => verb.run(),
        Verb::Report(verb) => verb.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", told(&error));
        ExitCode::FAILURE
    })
}

/// An error with its causes on one line, and below it what to do next, where an error says so after `\n  next: `.
fn told(error: &anyhow::Error) -> String {
    const NEXT: &str = "\n  next: ";
    let (mut reasons, mut advice) = (Vec::new(), String::new());
    for cause in error.chain().map(ToString::to_string) {
        match cause.split_once(NEXT) {
            Some((reason, next)) => {
                reasons.push(reason.to_string());
                advice.push_str(NEXT);
                advice.push_str(next);
            }
            None => reasons.push(cause),
        }
    }
    reasons.join(": ") + &advice
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn advice_comes_after_all_reasons() {
        let error = anyhow::anyhow!("no disk").context("failed to write a\n  next: make room");
        assert_eq!(told(&error), "failed to write a: no disk\n  next: make room");
    }
}
