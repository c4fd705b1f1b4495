//! The recorded measurements: `docs/performance/rounds/TABLE.jsonl`, the circumstances on the first
//! line, then one line per program and round.

use super::machine::Circumstances;
use super::table;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The measured rounds of a table.
pub struct Rounds {
    /// When, on what, with what.
    pub circumstances: Circumstances,
    /// All runs, in the order in which they were made.
    pub runs: Vec<Outcome>,
}

/// The result of one run of a program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// From 0.
    pub round: usize,
    /// Its name in the table.
    pub program: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What it printed.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// One line of a program's output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// Its value, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Its unit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Why it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub more: Value,
}

impl Rounds {
    /// Reads a file, if it is there.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let reading = || format!("failed to read {}", path.display());
        let text = fs::read_to_string(path).with_context(reading)?;
        let mut lines = text.lines();
        let first = lines
            .next()
            .context("the file is empty")
            .with_context(reading)?;
        let circumstances = serde_json::from_str(first).with_context(reading)?;
        let runs = lines
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .with_context(reading)?;
        Ok(Some(Rounds {
            circumstances,
            runs,
        }))
    }

    /// Writes a file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string(&self.circumstances)? + "\n";
        for run in &self.runs {
            text += &serde_json::to_string(run)?;
            text.push('\n');
        }
        Ok(run_record::write_atomic(path, text.as_bytes())?)
    }

    /// How many rounds there were.
    pub fn count(&self) -> usize {
        self.runs.iter().map(|run| run.round + 1).max().unwrap_or(0)
    }

    /// The figure of that full name in a round.
    pub fn figure(&self, full_name: &str, round: usize) -> Option<&Figure> {
        let (program, name) = table::split(full_name)?;
        let runs = self
            .runs
            .iter()
            .filter(|run| run.round == round && run.program == program);
        runs.flat_map(|run| &run.figures)
            .find(|figure| figure.name == name)
    }

    /// Its value in a round, where it was measured.
    pub fn value(&self, full_name: &str, round: usize) -> Option<f64> {
        self.figure(full_name, round)?.value
    }

    /// Its values in all rounds.
    pub fn values(&self, full_name: &str) -> Vec<f64> {
        (0..self.count())
            .filter_map(|round| self.value(full_name, round))
            .collect()
    }

    /// Why there is no value.
    pub fn reason(&self, full_name: &str) -> Option<String> {
        let (program, _) = table::split(full_name)?;
        let skipped = (0..self.count())
            .filter_map(|round| self.figure(full_name, round)?.skipped.clone())
            .next();
        let failed = || {
            self.runs
                .iter()
                .find(|run| run.program == program)?
                .failed
                .clone()
        };
        skipped.or_else(failed)
    }

    /// Full names of all figures, each once, in the order in which they came.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for run in &self.runs {
            for figure in &run.figures {
                let name = format!("{}/{}", run.program, figure.name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// The figures in a program's output.
pub fn parse(output: &str) -> Result<Vec<Figure>> {
    let mut figures: Vec<Figure> = Vec::new();
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        let figure: Figure = serde_json::from_str(line)
            .with_context(|| format!("expected one figure as JSON a line, found '{line}'"))?;
        anyhow::ensure!(
            figure.value.is_some() != figure.skipped.is_some(),
            "expected a number 'value' or a reason 'skipped', found '{line}'"
        );
        anyhow::ensure!(
            figures.iter().all(|f| f.name != figure.name),
            "'{}' was printed twice",
            figure.name
        );
        figures.push(figure);
    }
    anyhow::ensure!(!figures.is_empty(), "it printed no figure");
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_strictly() {
        let good = "{\"name\":\"rate\",\"value\":2,\"unit\":\"1/s\",\"more\":{\"n\":1}}\n{\"name\":\"b\",\"skipped\":\"no\"}\n";
        let figures = parse(good).unwrap();
        assert_eq!(
            (figures[0].value, figures[1].skipped.as_deref()),
            (Some(2.0), Some("no"))
        );
        for (bad, expected) in [
            ("", "no figure"),
            ("hello\n", "found 'hello'"),
            ("{\"name\":\"a\"}\n", "expected a number"),
            ("{\"name\":\"a\",\"value\":null}\n", "expected a number"),
            (
                "{\"name\":\"a\",\"value\":1}\n{\"name\":\"a\",\"value\":1}\n",
                "printed twice",
            ),
        ] {
            let error = format!("{:#}", parse(bad).unwrap_err());
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }
}
