//! Running the programs of a table in turns.

use super::rounds::{Outcome, parse};
use super::table::{Program, Run, Table};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Paths of the programs.
pub struct Programs {
    /// Folder of ours.
    pub release: PathBuf,
    /// Folder above `peers`.
    pub benches: PathBuf,
    /// The peers' interpreter.
    pub python: Option<PathBuf>,
}

/// The outcomes of a table that cannot be measured here.
pub fn unmeasured(table: &Table, reason: &str) -> Vec<Outcome> {
    let failed = Some(reason.to_string());
    let none = |p: &Program| Outcome {
        round: 0,
        program: p.name.clone(),
        failed: failed.clone(),
        figures: Vec::new(),
    };
    table.programs.iter().map(none).collect()
}

/// All runs of a table, in the order in which they were made. A peer that fails is noted; a program
/// of ours that fails is an error.
pub fn measure(
    table: &Table,
    programs: &Programs,
    scratch: &Path,
    rounds: usize,
) -> Result<Vec<Outcome>> {
    if scratch.exists() {
        fs::remove_dir_all(scratch)
            .with_context(|| format!("failed to empty {}", scratch.display()))?;
    }
    fs::create_dir_all(scratch).with_context(|| format!("failed to make {}", scratch.display()))?;
    let outcomes = prepared_rounds(table, programs, scratch, rounds);
    // Files left may be large.
    let _ = fs::remove_dir_all(scratch);
    outcomes
}

fn prepared_rounds(
    table: &Table,
    programs: &Programs,
    scratch: &Path,
    rounds: usize,
) -> Result<Vec<Outcome>> {
    for run in &table.prepare {
        eprintln!("bench: {}: preparing: {}", table.name, run.program);
        let output = programs.start(run, scratch)?;
        ensure!(
            output.status.success(),
            "{} failed ({}): {}",
            run.program,
            output.status,
            last_error_line(&output)
        );
    }
    let mut outcomes = Vec::new();
    for round in 0..rounds {
        let mut turn: Vec<&Program> = table
            .programs
            .iter()
            .filter(|p| p.rounds.is_none_or(|most| round < most))
            .collect();
        // A drift over time affects all programs alike.
        if round % 2 == 1 {
            turn.reverse();
        }
        for program in turn {
            let began = Instant::now();
            let outcome = one(program, programs, scratch, round)?;
            let seconds = began.elapsed().as_secs_f64();
            let summary = match &outcome.failed {
                Some(reason) => format!("not measured: {reason}"),
                None => outcome
                    .figures
                    .iter()
                    .map(described)
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            eprintln!(
                "bench: {}, round {} of {rounds}: {}: {summary} ({seconds:.1} s)",
                table.name,
                round + 1,
                program.name
            );
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn described(figure: &super::rounds::Figure) -> String {
    match (figure.value, &figure.skipped) {
        (Some(value), _) => format!(
            "{} {} {}",
            figure.name,
            super::numbers::short(value),
            figure.unit
        ),
        (None, reason) => format!(
            "{} not measured: {}",
            figure.name,
            reason.as_deref().unwrap_or_default()
        ),
    }
}

fn one(program: &Program, programs: &Programs, scratch: &Path, round: usize) -> Result<Outcome> {
    let output = programs.start(&program.run, scratch)?;
    let figures = match output.status.success() {
        true => parse(&without_paths(
            &String::from_utf8_lossy(&output.stdout),
            programs,
        )),
        false => Err(anyhow::anyhow!(
            "{}",
            without_paths(&last_error_line(&output), programs)
        )),
    };
    let (name, peer) = (program.name.clone(), program.run.is_peer());
    match figures {
        Ok(figures) => Ok(Outcome {
            round,
            program: name,
            failed: None,
            figures,
        }),
        Err(error) if peer => {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            Ok(Outcome {
                round,
                program: name,
                failed: Some(error.to_string()),
                figures: Vec::new(),
            })
        }
        Err(error) => {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            bail!(
                "'{name}' ({} {}): {error:#}",
                program.run.program,
                program.run.arguments.join(" ")
            )
        }
    }
}

/// The text without folders of this machine: recorded rounds are public.
fn without_paths(text: &str, programs: &Programs) -> String {
    let root = programs
        .benches
        .parent()
        .map(|root| root.to_string_lossy().into_owned());
    let home = std::env::var("HOME").ok();
    let places = [(root, "."), (home, "~")]
        .into_iter()
        .filter_map(|(place, sign)| Some((place?, sign)));
    // `/` would match everything.
    places
        .filter(|(place, _)| place.len() > 1)
        .fold(text.to_string(), |text, (place, sign)| {
            text.replace(&place, sign)
        })
}

/// The last line of a program's standard error.
fn last_error_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(
        || format!("no message ({})", output.status),
        |line| line.trim().to_string(),
    )
}

impl Programs {
    fn start(&self, run: &Run, scratch: &Path) -> Result<Output> {
        let mut command = match (run.is_peer(), &self.python) {
            (false, _) => Command::new(self.release.join(&run.program)),
            (true, Some(python)) => {
                let mut command = Command::new(python);
                // Nothing is left beside the scripts.
                command
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .arg(self.benches.join(&run.program));
                command
            }
            (true, None) => bail!("{} wants an interpreter", run.program),
        };
        command
            .args(&run.arguments)
            .current_dir(scratch)
            .stdin(Stdio::null());
        command
            .output()
            .with_context(|| format!("failed to start {}", run.program))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A table of two programs: ours, a shell script, and a peer, for which `sh` stands in as the
    /// interpreter.
    fn measured(ours: &str, peer: &str, rounds: usize) -> Result<Vec<Outcome>> {
        let dir = tempfile::tempdir().unwrap();
        let programs = Programs {
            release: dir.path().join("release"),
            benches: dir.path().join("benches"),
            python: Some("/bin/sh".into()),
        };
        fs::create_dir_all(dir.path().join("release")).unwrap();
        fs::create_dir_all(dir.path().join("benches/peers")).unwrap();
        let place = dir.path().join("release/ours");
        fs::write(&place, format!("#!/bin/sh\n{ours}\n")).unwrap();
        fs::set_permissions(&place, PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("benches/peers/peer.py"), peer).unwrap();
        let text = "title = 'T'\norder = 1\nabout = ''\n[[program]]\nname = 'a'\nrun = 'ours'\n\
                    [[program]]\nname = 'b'\nrun = 'peers/peer.py'\nrounds = 2\n";
        let table = super::super::definition::parse("t", text, false, &Default::default()).unwrap();
        measure(&table, &programs, &dir.path().join("scratch"), rounds)
    }

    const GOOD: &str = "echo '{\"name\":\"x\",\"value\":1,\"unit\":\"s\"}'";

    #[test]
    fn rounds_alternate_and_a_slow_program_takes_part_in_few() {
        let outcomes = measured(GOOD, GOOD, 3).unwrap();
        let order: Vec<(usize, &str)> = outcomes
            .iter()
            .map(|o| (o.round, o.program.as_str()))
            .collect();
        assert_eq!(order, [(0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "a")]);
    }

    #[test]
    fn folders_of_the_machine_are_not_kept() {
        let outcomes = measured(GOOD, "echo \"no $PWD/x\" >&2; exit 3", 1).unwrap();
        assert_eq!(outcomes[1].failed.as_deref(), Some("no ./scratch/x"));
    }

    #[test]
    fn a_peer_may_fail_and_ours_may_not() {
        let outcomes = measured(
            GOOD,
            "echo 'Traceback' >&2; echo 'no such thing' >&2; exit 3",
            1,
        )
        .unwrap();
        assert_eq!(outcomes[1].failed.as_deref(), Some("no such thing"));
        let error = measured("echo 'broken' >&2; exit 3", GOOD, 1)
            .unwrap_err()
            .to_string();
        assert!(error.contains("'a'") && error.contains("broken"), "{error}");
        assert!(
            measured("echo hello", GOOD, 1).is_err(),
            "output that is no figure"
        );
    }
}
