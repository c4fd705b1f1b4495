//! `cargo xtask VERB`: sets the machine up, checks the code, and starts a study. Every verb is one
//! file beside this one.
//!
//! What does not live here: anything about a study. The program `mosei-ssl` runs it; `cargo xtask
//! sweep` builds that program and hands over.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage; of `sweep`, those of `mosei-ssl sweep`.

/// Prints a line. A reader that has gone away, as `head` does, is no failure.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

#[cfg(not(unix))]
compile_error!("the set-up knows Linux and macOS; on Windows, use the Linux subsystem");

mod progress;
mod setup;
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
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Setup(verb) => verb.run(),
        Verb::Test(verb) => verb.run(),
        Verb::Sweep(verb) => verb.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", one_line(&error));
        ExitCode::FAILURE
    })
}

/// An error with its causes on one line, and below it what to do next, where an error says so after
/// `\n next: `.
fn one_line(error: &anyhow::Error) -> String {
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
    use super::one_line;

    #[test]
    fn advice_comes_after_all_reasons() {
        let error = anyhow::anyhow!("no disk").context("failed to write a\n  next: make room");
        assert_eq!(
            one_line(&error),
            "failed to write a: no disk\n  next: make room"
        );
    }
}
