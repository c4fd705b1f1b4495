//! Reading tables from their definitions, `benches/tables/NAME.toml`.
//!
//! `benches/README.md` documents the keys.

use super::table::{Growth, Measure, Plot, Program, Row, Run, Table, Target, split};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Whole(i64),
    Real(f64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Whole(x) => x.fmt(f),
            Scalar::Real(x) => x.fmt(f),
            Scalar::Text(x) => x.fmt(f),
        }
    }
}

type Each = BTreeMap<String, Vec<Scalar>>;
/// The values of names in braces.
pub type Names = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    title: String,
    order: u32,
    about: String,
    #[serde(default)]
    gpu: bool,
    #[serde(default)]
    sizes: BTreeMap<String, (Scalar, Scalar)>,
    #[serde(default)]
    prepare: Vec<WrittenPrepare>,
    #[serde(default)]
    program: Vec<WrittenProgram>,
    #[serde(default)]
    row: Vec<WrittenRow>,
    #[serde(default)]
    plot: Vec<Plot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrepare {
    run: String,
    #[serde(default)]
    each: Each,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProgram {
    name: String,
    run: String,
    rounds: Option<usize>,
    #[serde(default)]
    each: Each,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    what: String,
    ours: Option<String>,
    theirs: Option<String>,
    figure: Option<String>,
    better: Option<Better>,
    factor: Option<f64>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    within: Option<f64>,
    #[serde(default)]
    each: Each,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Better {
    Higher,
    Lower,
}

/// All tables of the checkout, in the order of the page. `places` are the placeholders that no
/// definition sets.
pub fn read_all(root: &Path, quick: bool, places: &Names) -> Result<Vec<Table>> {
    let folder = root.join("benches/tables");
    let list =
        fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut tables = Vec::new();
    for path in list
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x == "toml"))
    {
        let reading = || format!("failed to read {}", path.display());
        let text = fs::read_to_string(&path).with_context(reading)?;
        let name = path
            .file_stem()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        tables.push(parse(&name, &text, quick, places).with_context(reading)?);
    }
    tables.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    Ok(tables)
}

/// A table from the text of its definition.
pub fn parse(name: &str, text: &str, quick: bool, places: &Names) -> Result<Table> {
    let written: WrittenTable = toml::from_str(text)?;
    let mut names = places.clone();
    names.insert(
        "scratch".into(),
        places
            .get("scratch")
            .map_or_else(String::new, |s| format!("{s}/{name}")),
    );
    for (size, (full, small)) in &written.sizes {
        names.insert(size.clone(), if quick { small } else { full }.to_string());
    }
    let mut table = Table {
        name: name.to_string(),
        title: written.title,
        order: written.order,
        about: written.about.trim().to_string(),
        gpu: written.gpu,
        prepare: Vec::new(),
        programs: Vec::new(),
        rows: Vec::new(),
        plots: written.plot,
    };
    for step in &written.prepare {
        for names in combinations(&names, &step.each) {
            table.prepare.push(run(&step.run, &names)?);
        }
    }
    for program in &written.program {
        for (i, names) in combinations(&names, &program.each).into_iter().enumerate() {
            let (name, run) = (filled(&program.name, &names)?, run(&program.run, &names)?);
            ensure!(
                table.programs.iter().all(|p| p.name != name),
                "program '{name}' is named twice"
            );
            // To see whether a program still runs, one way of calling it is enough.
            let rounds = if quick && i > 0 {
                Some(0)
            } else {
                program.rounds
            };
            table.programs.push(Program { name, run, rounds });
        }
    }
    for row in &written.row {
        for names in combinations(&names, &row.each) {
            let row = row_of(row, &names).with_context(|| format!("row '{}'", row.what))?;
            table.rows.push(row);
        }
    }
    for line in table.plots.iter().flat_map(|plot| &plot.lines) {
        let fits = |list: Option<usize>| list.is_none_or(|n| n == line.figures.len());
        let times = match &line.expected {
            Some(Growth::Times(times)) => Some(times.len()),
            _ => None,
        };
        ensure!(
            fits(times) && fits(line.at.as_ref().map(Vec::len)),
            "line '{}': lists of different length",
            line.name
        );
    }
    for figure in table.figures() {
        let known = split(figure)
            .is_some_and(|(program, _)| table.programs.iter().any(|p| p.name == program));
        ensure!(
            known,
            "'{figure}' is not of the form PROGRAM/FIGURE with a program of this table"
        );
    }
    Ok(table)
}

fn run(text: &str, names: &Names) -> Result<Run> {
    let mut words = text
        .split_whitespace()
        .map(|word| filled(word, names))
        .collect::<Result<Vec<_>>>()?
        .into_iter();
    let program = words.next().context("an empty 'run'")?;
    Ok(Run {
        program,
        arguments: words.collect(),
    })
}

fn row_of(row: &WrittenRow, names: &Names) -> Result<Row> {
    let full = |name: &Option<String>| name.as_ref().map(|n| filled(n, names)).transpose();
    let measure = match (
        full(&row.ours)?,
        full(&row.theirs)?,
        full(&row.figure)?,
        row.better,
    ) {
        (Some(ours), Some(theirs), None, None) if row.within.is_some() => {
            Measure::Agreement { ours, theirs }
        }
        (Some(ours), Some(theirs), None, Some(better)) if row.within.is_none() => {
            let (higher_is_better, factor) =
                (matches!(better, Better::Higher), row.factor.unwrap_or(1.0));
            Measure::Ratio {
                ours,
                theirs,
                higher_is_better,
                factor,
            }
        }
        (None, None, Some(figure), None) if row.within.is_none() => Measure::Alone(figure),
        _ => bail!(
            "expected 'ours', 'theirs' and 'better', or 'ours', 'theirs' and 'within', or 'figure' alone"
        ),
    };
    let ratio = matches!(measure, Measure::Ratio { .. });
    ensure!(
        row.factor.is_none_or(|f| ratio && f > 0.0),
        "a 'factor' above 0 goes with 'better'"
    );
    let target = match (row.at_least, row.at_most, row.within) {
        (None, None, None) => None,
        (Some(x), None, None) => Some(Target::AtLeast(x)),
        (None, Some(x), None) => Some(Target::AtMost(x)),
        (None, None, Some(x)) => Some(Target::Within(x)),
        _ => bail!("expected one of 'at_least', 'at_most' and 'within'"),
    };
    Ok(Row {
        what: filled(&row.what, names)?,
        measure,
        target,
    })
}

/// `names` with every combination of the lists of `each`.
fn combinations(names: &Names, each: &Each) -> Vec<Names> {
    each.iter()
        .fold(vec![names.clone()], |all, (name, values)| {
            let with = |names: &Names, value: &Scalar| {
                let mut names = names.clone();
                names.insert(name.clone(), value.to_string());
                names
            };
            all.iter()
                .flat_map(|names| values.iter().map(move |value| with(names, value)))
                .collect()
        })
}

/// The text with each name in braces replaced.
fn filled(text: &str, names: &Names) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .with_context(|| format!("'{text}': a brace is not closed"))?;
        let value = names
            .get(name)
            .with_context(|| format!("'{text}': nothing is named '{name}'"))?;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Names {
        ["scratch", "mosei-ssl", "python", "root"]
            .map(|n| (n.to_string(), format!("/{n}")))
            .into()
    }

    const TEXT: &str = r#"
        title = "T"
        order = 3
        about = "A."
        [sizes]
        n = [100, 2]
        [[prepare]]
        run = "make --out {scratch}/x"
        [[program]]
        name = "ours {t}"
        each = { t = [1, "two"] }
        run = "step --n {n} --t {t}"
        [[program]]
        name = "theirs"
        run = "peers/p.py"
        rounds = 1
        [[row]]
        what = "a {t}"
        each = { t = [1] }
        ours = "ours {t}/rate"
        theirs = "theirs/rate"
        better = "lower"
        at_least = 2.0
        [[plot]]
        file = "f"
        title = "T"
        x = "n"
        y = "s"
        [[plot.line]]
        name = "l"
        figures = ["ours 1/rate", "ours two/rate"]
        at = [3.0, 4.0]
        expected = [1, 2.5]
    "#;

    #[test]
    fn a_definition_is_filled_in() {
        let table = parse("step", TEXT, false, &places()).unwrap();
        assert_eq!(table.prepare[0].arguments, ["--out", "/scratch/step/x"]);
        let names: Vec<&str> = table.programs.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["ours 1", "ours two", "theirs"]);
        assert_eq!(
            table.programs[1].run.arguments,
            ["--n", "100", "--t", "two"]
        );
        assert_eq!(
            parse("step", TEXT, true, &places()).unwrap().programs[0]
                .run
                .arguments[1],
            "2"
        );
        let quick = parse("step", TEXT, true, &places()).unwrap();
        assert_eq!(
            quick.programs.iter().map(|p| p.rounds).collect::<Vec<_>>(),
            [None, Some(0), Some(1)]
        );
        assert!(table.programs[2].run.is_peer() && !table.programs[0].run.is_peer());
        assert_eq!(
            (table.rows[0].what.as_str(), table.rows[0].target),
            ("a 1", Some(Target::AtLeast(2.0)))
        );
    }

    #[test]
    fn errors_in_a_definition_are_reported() {
        for (from, to, expected) in [
            (
                "ours {t}/rate",
                "other/rate",
                "'other/rate' is not of the form",
            ),
            ("--n {n}", "--n {m}", "nothing is named 'm'"),
            ("--n {n}", "--n {n", "a brace is not closed"),
            (
                "better = \"lower\"",
                "",
                "expected 'ours', 'theirs' and 'better'",
            ),
            (
                "at_least = 2.0",
                "at_least = 2.0\nat_most = 3.0",
                "expected one of",
            ),
            ("ours {t}\"", "ours\"", "'ours' is named twice"),
            ("order = 3", "order = 3\nodrer = 4", "unknown field `odrer`"),
            ("at_least = 2.0", "factor = 0.0", "a 'factor' above 0"),
            ("[3.0, 4.0]", "[3.0]", "lists of different length"),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT, "{from}");
            let error = format!("{:#}", parse("step", &text, false, &places()).unwrap_err());
            assert!(error.contains(expected), "{expected} is not in: {error}");
        }
    }

    /// Where the source of a program may stand.
    fn sources(run: &Run, root: &Path) -> Vec<std::path::PathBuf> {
        let benches = root.join("benches");
        match run.is_peer() {
            true => vec![benches.join(&run.program)],
            false => ["", "/main"]
                .map(|m| benches.join(format!("src/bin/{}{m}.rs", run.program)))
                .into(),
        }
    }

    #[test]
    fn every_table_parses_and_names_programs_that_exist() {
        let root = crate::root().unwrap();
        for quick in [false, true] {
            for table in read_all(&root, quick, &places()).unwrap() {
                for run in table.runs() {
                    let found = sources(run, &root).iter().any(|file| file.is_file());
                    assert!(found, "table {}: {} has no source", table.name, run.program);
                }
            }
        }
    }
}
