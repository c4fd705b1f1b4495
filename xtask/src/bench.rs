//! `cargo xtask bench`: measures tables, keeps their rounds, and writes `docs/performance.md` from what is kept.
//!
//! What lives here: the order of the steps. Which programs a table measures stands in `benches/tables/`, what they are in
//! `benches/src/bin/` and `benches/peers/`; how to add to them is told in `benches/README.md`.

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

use crate::{setup, workspace};
use anyhow::{Context, Result, bail};
use definition::Names;
use machine::Circumstances;
use measure::Programs;
use rounds::Rounds;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::Table;

/// Measures the tables of benches/tables and writes docs/performance.md.
///
/// Each table sets programs of ours against peers, in turns, over rounds. Tables that are not named stay as they were
/// measured. Peers in Python run in a virtual environment that is made once in the user's cache (about 5 GB).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench
  cargo xtask bench step data --rounds 7
  cargo xtask bench --quick --python .venv/bin/python
  cargo xtask bench --page")]
pub struct Bench {
    /// Which tables, by the names of their files [default: all].
    tables: Vec<String>,
    /// How often each program runs.
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// One round at toy size, written below target/bench/quick: does everything still run?
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Write the page anew from the rounds that are kept; measure nothing.
    #[arg(long, conflicts_with_all = ["tables", "rounds", "quick", "python"])]
    page: bool,
    /// An interpreter that has the packages of benches/peers/requirements.txt.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

impl Bench {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        let (work, docs) = (workspace::target(&root).join("bench"), root.join("docs"));
        let all = definition::read_all(&root, self.quick, &places(&root, &work, None))?;
        if self.page {
            write_page(&docs, &docs, &all)?;
            say!("bench: {}", docs.join("performance.md").display());
            return Ok(ExitCode::SUCCESS);
        }
        let known: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
        if let Some(unknown) = self.tables.iter().find(|name| !known.contains(&name.as_str())) {
            eprintln!("error: no table '{unknown}'; there are {}", known.join(", "));
            return Ok(ExitCode::from(2));
        }
        let wanted = |table: &Table| self.tables.is_empty() || self.tables.contains(&table.name);
        let has_peers = |table: &Table| table.runs().any(|run| run.is_peer());

        setup::ensure(&root, false)?;
        let python = match &self.python {
            Some(path) => Some(std::path::absolute(path).context("failed to find the interpreter")?),
            None if all.iter().any(|t| wanted(t) && has_peers(t)) => Some(python::ensure(&root)?),
            None => None,
        };
        workspace::build_program(&root)?;
        build_programs(&root, all.iter().filter(|t| wanted(t)))?;
        let places = places(&root, &work, python.as_deref());
        let all = definition::read_all(&root, self.quick, &places)?;
        let out = if self.quick { work.join("quick") } else { docs.clone() };
        let programs =
            Programs { release: workspace::target(&root).join("release"), benches: root.join("benches"), python };
        let mut failed = Vec::new();
        for table in all.iter().filter(|t| wanted(t)) {
            let scratch = work.join("scratch").join(&table.name);
            let circumstances = Circumstances::now(&root, programs.python.as_deref().filter(|_| has_peers(table)));
            let rounds = if self.quick { 1 } else { usize::from(self.rounds) };
            let measured = match table.gpu && circumstances.machine.gpu.is_none() {
                true => Ok(measure::unmeasured(table, "no CUDA device on this machine")),
                false => measure::measure(table, &programs, &scratch, rounds),
            };
            match measured {
                Ok(runs) => Rounds { circumstances, runs }.write(&kept(&out, &table.name))?,
                Err(error) => {
                    eprintln!("bench: {}: {error:#}", table.name);
                    failed.push(table.name.as_str());
                }
            }
        }
        write_page(&docs, &out, &all)?;
        say!("bench: {}", out.join("performance.md").display());
        if !failed.is_empty() {
            bail!("not measured: {}; what they showed before stays", failed.join(", "));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What stands for the placeholders that no definition sets.
fn places(root: &Path, work: &Path, python: Option<&Path>) -> Names {
    let program = workspace::target(root).join("release/mosei-ssl");
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
    eprintln!("building the measured programs (cargo build --release --package study-benches)");
    let mut cargo = workspace::cargo(root);
    cargo.args(["build", "--release", "--locked", "--package", "study-benches"]);
    for name in names {
        cargo.args(["--bin", name]);
    }
    workspace::run("the build of the measured programs", &mut cargo)
}

/// Where the rounds of a table are kept.
fn kept(docs: &Path, table: &str) -> PathBuf {
    docs.join("performance/rounds").join(format!("{table}.jsonl"))
}

/// Writes page and charts below `out` from the words in `docs` and the rounds kept below `out`.
fn write_page(docs: &Path, out: &Path, tables: &[Table]) -> Result<()> {
    let mut shown = Vec::new();
    for table in tables {
        let prose = fs::read_to_string(docs.join("performance").join(format!("{}.md", table.name))).unwrap_or_default();
        let rounds = Rounds::read(&kept(out, &table.name))?;
        if let Some(rounds) = &rounds {
            for plot in &table.plots {
                if let Some(svg) = chart::svg(plot, rounds) {
                    write(&out.join("performance").join(chart::file(table, plot)), &svg)?;
                }
            }
        }
        shown.push(page::Section { table, rounds, prose });
    }
    let path = out.join("performance.md");
    write(&path, &page::page(&shown))
}

/// Writes a file, whole or not at all, and the folders above it.
fn write(path: &Path, text: &str) -> Result<()> {
    let writing = || format!("failed to write {}", path.display());
    let folder = path.parent().with_context(writing)?;
    fs::create_dir_all(folder).with_context(writing)?;
    let part = path.with_extension("part");
    fs::write(&part, text).and_then(|()| fs::rename(&part, path)).with_context(writing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_kept_rounds_say() {
        let root = workspace::root().unwrap();
        let tables = definition::read_all(&root, false, &places(&root, &root, None)).unwrap();
        let docs = root.join("docs");
        let out = tempfile::tempdir().unwrap();
        for table in &tables {
            let from = kept(&docs, &table.name);
            if from.exists() {
                let to = kept(out.path(), &table.name);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, to).unwrap();
            }
        }
        write_page(&docs, out.path(), &tables).unwrap();
        let read = |folder: &Path| fs::read_to_string(folder.join("performance.md")).unwrap();
        assert!(read(out.path()) == read(&docs), "docs/performance.md is old: cargo xtask bench --page");
    }
}
