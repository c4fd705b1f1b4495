//! Measures tables, records their rounds, and writes `docs/performance.md` from the recorded
//! rounds.
//!
//! `benches/tables/` defines which programs a table measures; they are in `benches/src/bin/` and
//! `benches/peers/`. `benches/README.md` explains how to add one.
#![allow(
    clippy::print_stdout,
    reason = "the last line, where the page is, goes to standard output"
)]

mod chart;
mod definition;
mod machine;
mod measure;
mod numbers;
mod page;
mod python;
mod rounds;
mod statistics;
mod table;

use anyhow::{Context, Result, bail};
use clap::Parser;
use definition::Names;
use machine::Circumstances;
use measure::Programs;
use rounds::Rounds;
use run_record::write_atomic;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use table::Table;

/// Measures the tables of benches/tables and writes docs/performance.md.
///
/// Each table compares programs of ours with peers, in turns, over rounds. Tables that are not
/// named stay as they were measured. Peers in Python run in a virtual environment that is made once
/// in the user's cache (about 5 GB).
#[derive(Parser)]
#[command(
    name = "bench",
    after_help = "Examples, each after `cargo run --release --package study-benches --bin bench --`:
  step data --rounds 7
  --quick --python .venv/bin/python
  --page"
)]
struct Arguments {
    /// Which tables, by the names of their files [default: all].
    tables: Vec<String>,
    /// How often each program runs.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// One round at toy size, written below target/bench/quick: does everything still run?
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Write the page again from the recorded rounds; measure nothing.
    #[arg(long, conflicts_with_all = ["tables", "rounds", "quick", "python"])]
    page: bool,
    /// An interpreter that has the packages of benches/peers/requirements.txt.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

fn main() -> ExitCode {
    Arguments::parse().run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

impl Arguments {
    fn run(self) -> Result<ExitCode> {
        let root = root()?;
        let (work, docs) = (target(&root).join("bench"), root.join("docs"));
        let all = definition::read_all(&root, self.quick, &places(&root, &work, None))?;
        if self.page {
            write_page(&docs, &docs, &all)?;
            println!("bench: {}", docs.join("performance.md").display());
            return Ok(ExitCode::SUCCESS);
        }
        let known: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
        if let Some(unknown) = self
            .tables
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            eprintln!(
                "error: no table '{unknown}'; there are {}",
                known.join(", ")
            );
            return Ok(ExitCode::from(2));
        }
        let wanted = |table: &Table| self.tables.is_empty() || self.tables.contains(&table.name);
        let has_peers = |table: &Table| table.runs().any(|run| run.is_peer());

        let python = match &self.python {
            Some(path) => {
                Some(std::path::absolute(path).context("failed to find the interpreter")?)
            }
            None if all.iter().any(|t| wanted(t) && has_peers(t)) => Some(python::ensure(&root)?),
            None => None,
        };
        build(&root, "the build of mosei-ssl", &["--bin", "mosei-ssl"])?;
        build_programs(&root, all.iter().filter(|t| wanted(t)))?;
        let places = places(&root, &work, python.as_deref());
        let all = definition::read_all(&root, self.quick, &places)?;
        let out = if self.quick {
            work.join("quick")
        } else {
            docs.clone()
        };
        let programs = Programs {
            release: target(&root).join("release"),
            benches: root.join("benches"),
            python,
        };
        let mut failed = Vec::new();
        for table in all.iter().filter(|t| wanted(t)) {
            let scratch = work.join("scratch").join(&table.name);
            let circumstances = Circumstances::now(
                &root,
                programs.python.as_deref().filter(|_| has_peers(table)),
            );
            let rounds = if self.quick {
                1
            } else {
                usize::from(self.rounds)
            };
            let measured = match table.gpu && circumstances.machine.gpu.is_none() {
                true => Ok(measure::unmeasured(table, "no CUDA device on this machine")),
                false => measure::measure(table, &programs, &scratch, rounds),
            };
            match measured {
                Ok(runs) => Rounds {
                    circumstances,
                    runs,
                }
                .write(&rounds_file(&out, &table.name))?,
                Err(error) => {
                    eprintln!("bench: {}: {error:#}", table.name);
                    failed.push(table.name.as_str());
                }
            }
        }
        write_page(&docs, &out, &all)?;
        println!("bench: {}", out.join("performance.md").display());
        if !failed.is_empty() {
            bail!(
                "not measured: {}; their previous rounds stay",
                failed.join(", ")
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The root of the checkout.
fn root() -> Result<PathBuf> {
    // cargo gives the folder of this package now; the path it was compiled at may have moved.
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = here.parent().unwrap_or(&here);
    root.canonicalize()
        .with_context(|| format!("failed to find the checkout at {}", root.display()))
}

/// cargo's target folder.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// A command of cargo in the root of the checkout.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Builds programs for release; `what` names the step in an error.
fn build(root: &Path, what: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("{what} (cargo build --release {})", arguments.join(" "));
    let mut command = cargo(root);
    command
        .args(["build", "--release", "--locked"])
        .args(arguments);
    let status = command
        .status()
        .with_context(|| format!("failed to start {what}"))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// The values of the placeholders that no definition sets.
fn places(root: &Path, work: &Path, python: Option<&Path>) -> Names {
    let program = target(root).join("release/mosei-ssl");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    [
        ("root", text(root)),
        ("scratch", text(&work.join("scratch"))),
        ("mosei-ssl", text(&program)),
        ("python", python.map(text).unwrap_or_default()),
    ]
    .map(|(name, place)| (name.to_string(), place))
    .into()
}

/// Builds the programs of ours that the tables name.
fn build_programs<'a>(root: &Path, tables: impl Iterator<Item = &'a Table>) -> Result<()> {
    let runs = tables.flat_map(Table::runs).filter(|run| !run.is_peer());
    let names: BTreeSet<&str> = runs.map(|run| run.program.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let bins = names.into_iter().flat_map(|name| ["--bin", name]);
    let arguments: Vec<&str> = ["--package", "study-benches"]
        .into_iter()
        .chain(bins)
        .collect();
    build(root, "the build of the measured programs", &arguments)
}

/// The file of a table's recorded rounds.
fn rounds_file(docs: &Path, table: &str) -> PathBuf {
    docs.join("performance/rounds")
        .join(format!("{table}.jsonl"))
}

/// Writes page and charts below `out` from the prose in `docs` and the recorded rounds below `out`.
fn write_page(docs: &Path, out: &Path, tables: &[Table]) -> Result<()> {
    let mut shown = Vec::new();
    for table in tables {
        let prose = fs::read_to_string(docs.join("performance").join(format!("{}.md", table.name)))
            .unwrap_or_default();
        let rounds = Rounds::read(&rounds_file(out, &table.name))?;
        if let Some(rounds) = &rounds {
            for plot in &table.plots {
                if let Some(svg) = chart::svg(plot, rounds) {
                    write_atomic(
                        &out.join("performance").join(chart::file(table, plot)),
                        svg.as_bytes(),
                    )?;
                }
            }
        }
        shown.push(page::Section {
            table,
            rounds,
            prose,
        });
    }
    Ok(write_atomic(
        &out.join("performance.md"),
        page::page(&shown).as_bytes(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_charts_match_the_recorded_rounds() {
        let root = root().unwrap();
        let tables = definition::read_all(&root, false, &places(&root, &root, None)).unwrap();
        let docs = root.join("docs");
        let out = tempfile::tempdir().unwrap();
        for table in &tables {
            let from = rounds_file(&docs, &table.name);
            if from.exists() {
                let to = rounds_file(out.path(), &table.name);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
        write_page(&docs, out.path(), &tables).unwrap();
        let charts = tables
            .iter()
            .flat_map(|table| table.plots.iter().map(|plot| chart::file(table, plot)));
        let files: Vec<PathBuf> = charts
            .map(|file| Path::new("performance").join(file))
            .collect();
        assert!(files.len() > 5);
        for file in files
            .iter()
            .map(PathBuf::as_path)
            .chain([Path::new("performance.md")])
        {
            let read = |folder: &Path| fs::read_to_string(folder.join(file)).unwrap();
            assert!(
                read(out.path()) == read(&docs),
                "docs/{} is out of date: run bench with --page",
                file.display()
            );
        }
    }
}
