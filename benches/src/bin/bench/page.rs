//! The page: a function of the definitions, the recorded rounds and the prose.

use super::chart;
use super::machine::{Circumstances, Machine};
use super::numbers::short;
use super::rounds::Rounds;
use super::statistics::{Spread, power, spread};
use super::table::{Measure, Row, Table, Target};
use std::fmt::Write;

/// A table with its rounds and its prose.
pub struct Section<'a> {
    /// Its definition.
    pub table: &'a Table,
    /// Its rounds, where it was measured.
    pub rounds: Option<Rounds>,
    /// Markdown.
    pub prose: String,
}

const HEAD: &str = "# Performance

Written by the program `bench` from `benches/tables/`, `docs/performance/rounds/` and `docs/performance/*.md`.
To change the page, edit those and run `cargo run --release --package study-benches --bin bench -- --page`.
[benches/README.md](../benches/README.md) describes the method.

Programs take turns over several rounds on one machine.
Ratios are taken within a round, so that a slowdown of the machine affects both sides.
Each cell shows the median over the rounds and, in parentheses, the lowest and the highest.
A ratio above 1 is in our favour.
";

/// The whole page.
pub fn page(sections: &[Section<'_>]) -> String {
    let mut out = HEAD.to_string();
    out += &summary(sections);
    for section in sections {
        let table = section.table;
        let _ = write!(out, "\n## {}\n\n{}\n", table.title, table.about);
        match &section.rounds {
            None => out += "\nNot measured yet.\n",
            Some(rounds) => {
                out += &rows(table, rounds);
                out += &plots(table, rounds);
                out += &figures(rounds);
                let _ = writeln!(
                    out,
                    "\n{}",
                    circumstances(&rounds.circumstances, rounds.count())
                );
            }
        }
        if !section.prose.trim().is_empty() {
            let _ = write!(out, "\n{}\n", section.prose.trim());
        }
    }
    out
}

/// One line a table: how many of its targets are met.
fn summary(sections: &[Section<'_>]) -> String {
    let mut out = "\n| table | targets met | measured |\n|---|---|---|\n".to_string();
    for Section { table, rounds, .. } in sections {
        let targets: Vec<&Row> = table
            .rows
            .iter()
            .filter(|row| row.target.is_some())
            .collect();
        let (met, date) = match rounds {
            None => ("–".to_string(), "not yet"),
            Some(rounds) => {
                let met = targets
                    .iter()
                    .filter(|row| is_met(row, rounds) == Some(true))
                    .count();
                let open = targets
                    .iter()
                    .filter(|row| is_met(row, rounds).is_none())
                    .count();
                let open = if open > 0 {
                    format!(", {open} not measured")
                } else {
                    String::new()
                };
                (
                    format!("{met} of {}{open}", targets.len()),
                    rounds.circumstances.date.as_str(),
                )
            }
        };
        let _ = writeln!(
            out,
            "| [{}](#{}) | {met} | {date} |",
            table.title,
            anchor(&table.title)
        );
    }
    out
}

/// The name that Markdown viewers give a heading.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_')
        .collect()
}

/// What a row compares with its target, in each round.
fn compared(row: &Row, rounds: &Rounds) -> Vec<f64> {
    let pair = |a: &str, b: &str, factor: f64| -> Vec<f64> {
        let in_round = |r: usize| Some(factor * rounds.value(a, r)? / rounds.value(b, r)?);
        (0..rounds.count()).filter_map(in_round).collect()
    };
    match &row.measure {
        Measure::Ratio {
            ours,
            theirs,
            higher_is_better: true,
            factor,
        } => pair(ours, theirs, *factor),
        Measure::Ratio {
            ours,
            theirs,
            higher_is_better: false,
            factor,
        } => pair(theirs, ours, 1.0 / factor),
        Measure::Agreement { ours, theirs } => pair(ours, theirs, 1.0),
        Measure::Alone(figure) => rounds.values(figure),
    }
}

fn is_met(row: &Row, rounds: &Rounds) -> Option<bool> {
    Some(row.target?.is_met(spread(&compared(row, rounds))?.median))
}

fn rows(table: &Table, rounds: &Rounds) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let mut out =
        "\n| | ours | theirs | ratio | asked for | |\n|---|---|---|---|---|---|\n".to_string();
    for row in &table.rows {
        let (ours, theirs, ratio) = match &row.measure {
            Measure::Ratio { ours, theirs, .. } | Measure::Agreement { ours, theirs } => {
                let digits = if matches!(row.measure, Measure::Agreement { .. }) {
                    exact
                } else {
                    short
                };
                let ratio = spread(&compared(row, rounds))
                    .map_or_else(String::new, |s| with_ends(s, digits));
                (cell(ours, rounds), cell(theirs, rounds), ratio)
            }
            Measure::Alone(figure) => (cell(figure, rounds), String::new(), String::new()),
        };
        let asked = match row.target {
            None => String::new(),
            Some(Target::AtLeast(x)) => format!("at least {x}"),
            Some(Target::AtMost(x)) => format!("at most {x}"),
            Some(Target::Within(x)) => format!("1 ± {x}"),
        };
        let verdict = match (row.target, is_met(row, rounds)) {
            (None, _) => "",
            (_, Some(true)) => "met",
            (_, Some(false)) => "**not met**",
            (_, None) => "not measured",
        };
        let _ = writeln!(
            out,
            "| {} | {ours} | {theirs} | {ratio} | {asked} | {verdict} |",
            in_cell(&row.what)
        );
    }
    out
}

/// A figure over the rounds, or why there is none.
fn cell(figure: &str, rounds: &Rounds) -> String {
    match spread(&rounds.values(figure)) {
        Some(s) => {
            let unit = (0..rounds.count())
                .find_map(|r| rounds.figure(figure, r))
                .map_or("", |f| f.unit.as_str());
            in_cell(&format!("{} {unit}", with_ends(s, short)))
        }
        None => {
            let reason = rounds
                .reason(figure)
                .unwrap_or_else(|| "not in these rounds".to_string());
            in_cell(&format!("not measured: {reason}"))
        }
    }
}

fn with_ends(s: Spread, digits: fn(f64) -> String) -> String {
    match s.count {
        1 => digits(s.median),
        _ => format!(
            "{} ({}–{})",
            digits(s.median),
            digits(s.lowest),
            digits(s.highest)
        ),
    }
}

/// For ratios that should be 1.
fn exact(value: f64) -> String {
    format!("{value:.4}")
}

/// Text that may stand in a cell.
fn in_cell(text: &str) -> String {
    text.trim()
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}

fn plots(table: &Table, rounds: &Rounds) -> String {
    let mut out = String::new();
    for plot in &table.plots {
        let lines = chart::lines(plot, rounds);
        if lines.iter().all(|line| line.points.is_empty()) {
            let _ = writeln!(out, "\n{}: not measured.", plot.title);
            continue;
        }
        let _ = writeln!(
            out,
            "\n![{}](performance/{})\n",
            plot.title,
            chart::file(table, plot)
        );
        let _ = writeln!(
            out,
            "| {} | {} | expected power | measured power |\n|---|---|---|---|",
            plot.x, plot.y
        );
        for line in &lines {
            let points: Vec<String> = line
                .points
                .iter()
                .map(|p| format!("{} at {}", short(p.y.median), chart::tick_label(p.x)))
                .collect();
            let written = |points: Vec<(f64, f64)>| {
                power(&points).map_or_else(|| "–".to_string(), |p| format!("{p:.2}"))
            };
            let expected = written(
                line.points
                    .iter()
                    .filter_map(|p| Some((p.x, p.expected?)))
                    .collect(),
            );
            let found = written(line.points.iter().map(|p| (p.x, p.y.median)).collect());
            let _ = writeln!(
                out,
                "| {} | {} | {expected} | {found} |",
                in_cell(&line.name),
                points.join(", ")
            );
        }
    }
    out
}

fn figures(rounds: &Rounds) -> String {
    let mut lines = String::new();
    // Reasons and what was not measured for them.
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let mut not = |what: &str, reason: Option<String>| {
        let reason = reason.unwrap_or_default();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, all)) if all.iter().any(|one| one == what) => {}
            Some((_, all)) => all.push(what.to_string()),
            None => reasons.push((reason, vec![what.to_string()])),
        }
    };
    for name in rounds.names() {
        let (program, figure) = super::table::split(&name).unwrap_or(("", &name));
        let Some(s) = spread(&rounds.values(&name)) else {
            not(&name, rounds.reason(&name));
            continue;
        };
        let unit = (0..rounds.count())
            .find_map(|r| rounds.figure(&name, r))
            .map_or("", |f| f.unit.as_str());
        let [median, lowest, highest] = [s.median, s.lowest, s.highest].map(short);
        let [program, figure, unit] = [program, figure, unit].map(in_cell);
        let _ = writeln!(
            lines,
            "| {program} | {figure} | {median} | {lowest} | {highest} | {unit} | {} |",
            s.count
        );
    }
    for run in rounds.runs.iter().filter(|run| run.failed.is_some()) {
        not(&run.program, run.failed.clone());
    }
    let mut out = String::new();
    if !lines.is_empty() {
        out += "\n<details><summary>All figures</summary>\n\n";
        out += "| program | figure | median | lowest | highest | unit | rounds |\n|---|---|---|---|---|---|---|\n";
        out += &lines;
        out += "\n</details>\n";
    }
    for (reason, all) in reasons {
        let _ = writeln!(
            out,
            "\nNot measured, {}: {}.",
            in_cell(&reason),
            in_cell(&all.join("; "))
        );
    }
    out
}

fn circumstances(c: &Circumstances, rounds: usize) -> String {
    let Machine {
        processor,
        flags,
        cores,
        memory_gib,
        kernel,
        gpu,
    } = &c.machine;
    let rounds = if rounds == 1 {
        "1 round".to_string()
    } else {
        format!("{rounds} rounds")
    };
    let flags = if flags.is_empty() {
        String::new()
    } else {
        format!(" with {}", flags.join(", "))
    };
    let gpu = gpu
        .as_ref()
        .map_or_else(String::new, |gpu| format!("; {gpu}"));
    let load = c.load.map_or_else(String::new, |load| {
        format!("; load average {load} at the start")
    });
    let versions: Vec<String> = c
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "*Measured {}: {rounds} on {processor}{flags}, {cores} cores, {memory_gib} GiB, {kernel}{gpu}{load}. {}.*",
        c.date,
        versions.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::definition::parse as table;
    use super::super::rounds::{Outcome, parse};
    use super::*;

    /// A page of one table: rates of ours 20, 30, 25 and of theirs 10, 10, 5 in three rounds.
    fn shown(row: &str) -> String {
        let text = format!(
            "title = 'A step'\norder = 1\nabout = 'About.'\n[[program]]\nname = 'a'\nrun = 'x'\n[[program]]\nname = 'b'\n\
             run = 'peers/y.py'\n[[program]]\nname = 'c'\nrun = 'peers/y.py'\n[[row]]\nwhat = 'W'\n{row}"
        );
        let table = table("step", &text, false, &Default::default()).unwrap();
        let mut runs = Vec::new();
        for (round, values) in [(20, 10), (30, 10), (25, 5)].iter().enumerate() {
            for (program, value) in [("a", values.0), ("b", values.1)] {
                let figures = parse(&format!(
                    "{{\"name\":\"rate\",\"value\":{value},\"unit\":\"1/s\"}}"
                ))
                .unwrap();
                runs.push(Outcome {
                    round,
                    program: program.into(),
                    failed: None,
                    figures,
                });
            }
            runs.push(Outcome {
                round,
                program: "c".into(),
                failed: Some("no | card".into()),
                figures: vec![],
            });
        }
        let rounds = Some(Rounds {
            circumstances: Circumstances::unknown(),
            runs,
        });
        page(&[Section {
            table: &table,
            rounds,
            prose: "Words.\n".into(),
        }])
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let page = shown("ours = 'a/rate'\ntheirs = 'b/rate'\nbetter = 'higher'\nat_least = 3.0\n");
        let row = "| W | 25.0 (20.0–30.0) 1/s | 10.0 (5.00–10.0) 1/s | 3.00 (2.00–5.00) | at least 3 | met |";
        assert!(page.contains(row), "{page}");
        assert!(
            page.contains("| [A step](#a-step) | 1 of 1 | 2001-02-03 |"),
            "{page}"
        );
        assert!(
            page.contains("Words.") && page.contains("3 rounds on P with avx2, 2 cores"),
            "{page}"
        );
    }

    #[test]
    fn lower_is_better_inverts_the_ratio() {
        let page = shown("ours = 'a/rate'\ntheirs = 'b/rate'\nbetter = 'lower'\nat_least = 0.4\n");
        assert!(
            page.contains("| 0.333 (0.200–0.500) | at least 0.4 | **not met** |"),
            "{page}"
        );
    }

    #[test]
    fn a_factor_brings_ours_to_their_unit() {
        let page = shown("ours = 'a/rate'\ntheirs = 'b/rate'\nbetter = 'higher'\nfactor = 0.1\n");
        assert!(page.contains("| 0.300 (0.200–0.500) |"), "{page}");
        let page = shown("ours = 'a/rate'\ntheirs = 'b/rate'\nbetter = 'lower'\nfactor = 0.1\n");
        assert!(page.contains("| 3.33 (2.00–5.00) |"), "{page}");
    }

    #[test]
    fn a_failure_is_not_measured_with_its_reason() {
        let page = shown("ours = 'a/rate'\ntheirs = 'c/rate'\nbetter = 'higher'\nat_least = 3.0\n");
        assert!(
            page.contains("| not measured: no \\| card |  | at least 3 | not measured |"),
            "{page}"
        );
        assert!(page.contains("0 of 1, 1 not measured"), "{page}");
    }
}
