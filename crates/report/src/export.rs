//! Tables and figures as files of their own, for people who write papers.
//!
//! What lives here: the list of files. Their content comes from `tables` and `figures`; each format
//! has a file below.

pub(crate) mod csv;
mod latex;
mod markdown;

use crate::figures::{self, MACRO_METRICS};
use crate::study::Study;
use crate::tables::{self, Cell, Table};
use crate::{ReportError, ReportInput};

/// All files: name, relative to the folder of the report, and content.
///
/// `figures/NAME.svg` stands alone and follows the reader's light or dark scheme;
/// `figures/NAME.pdf` is the same on paper. `tables/NAME.csv` has numbers as they are, each
/// interval in two columns, and an empty field for what is not available; `tables/NAME.md` and
/// `tables/NAME.tex` (with the package `booktabs`) are as the report shows them.
///
/// # Errors
/// As [`crate::render`].
pub fn exports(input: &ReportInput) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let study = Study::new(input)?;
    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, sheet) in figures::files(&study) {
        out.push((format!("figures/{name}.svg"), sheet.to_svg().into_bytes()));
        out.push((format!("figures/{name}.pdf"), sheet.to_pdf()));
    }
    for (name, table) in named_tables(&study) {
        let path = |kind: &str| format!("tables/{name}.{kind}");
        let rows = csv::write(&table).map_err(|source| ReportError::Csv {
            name: path("csv"),
            source,
        })?;
        out.push((path("csv"), rows));
        out.push((path("md"), markdown::write(&table).into_bytes()));
        out.push((path("tex"), latex::write(&table, &name).into_bytes()));
    }
    Ok(out)
}

/// Every table of results with its name.
fn named_tables(study: &Study<'_>) -> Vec<(String, Table)> {
    let mut out = Vec::new();
    let mut add = |name: String, table: Option<Table>| out.extend(table.map(|table| (name, table)));
    let any = !study.budgets.is_empty();
    add("macro".into(), any.then(|| tables::main_table(study)));
    add("paired".into(), tables::paired_by_emotion(study));
    for metric in std::iter::once(study.primary)
        .chain(MACRO_METRICS.into_iter().filter(|&m| m != study.primary))
    {
        add(
            format!("paired_macro_{}", metric.name()),
            tables::paired_table(study, metric),
        );
        add(
            format!("label_equivalence_{}", metric.name()),
            tables::equivalence_table(study, metric),
        );
    }
    add("area".into(), tables::area_table(study));
    add("sources".into(), tables::sources_table(study));
    add("spread".into(), tables::spread_table(study));
    add("aggregates".into(), tables::aggregate_table(study));
    add("best_steps".into(), tables::best_step_table(study));
    add("search".into(), tables::search_table(study));
    add("support".into(), any.then(|| tables::support_table(study)));
    for budget in 0..study.budgets.len() {
        // Two budgets may round to the same number of labels; their places differ.
        let name = format!(
            "emotions_{}_{:.0}_labels",
            budget + 1,
            study.budgets[budget].labels
        );
        add(name, Some(tables::emotion_table(study, budget)));
    }
    out
}

/// All rows at their full length: a cell that heads several rows stands in the first of them, and
/// `None` in the others.
fn full_rows(table: &Table) -> impl Iterator<Item = (Option<&Cell>, Vec<&Cell>)> {
    let width = table.head.len();
    table.groups.iter().flatten().map(move |row| {
        let cells: Vec<&Cell> = row.iter().collect();
        match cells.split_first() {
            Some((first, rest)) if cells.len() == width => (Some(*first), rest.to_vec()),
            _ => (None, cells),
        }
    })
}

/// The rows of each group as text, for files that people read; a cell that heads several rows is
/// written in each of them if `repeated`, else only in the first.
fn written(
    table: &Table,
    repeated: bool,
    escaped: impl Fn(&str) -> String,
) -> Vec<Vec<Vec<String>>> {
    let mut head = String::new();
    let mut rows = full_rows(table).map(|(first, rest)| {
        match first {
            Some(first) => head = escaped(&one_line(first)),
            None if !repeated => head.clear(),
            None => {}
        }
        std::iter::once(head.clone())
            .chain(rest.into_iter().map(|cell| escaped(&one_line(cell))))
            .collect()
    });
    table
        .groups
        .iter()
        .map(|group| rows.by_ref().take(group.len()).collect())
        .collect()
}

/// A cell on one line.
fn one_line(cell: &Cell) -> String {
    let mut out = cell.text.clone();
    if !cell.interval.is_empty() {
        out.push_str(&format!(" {}", cell.interval));
    }
    if !cell.remark.is_empty() {
        out.push_str(&format!(" ({})", cell.remark));
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tables::Ends;

    /// A table of two rows under one head, with everything that is hard to write.
    pub(crate) fn awkward() -> Table {
        let words = |text: &str| Cell {
            text: text.into(),
            words: true,
            ..Cell::default()
        };
        let number = |text: &str, value| Cell {
            text: text.into(),
            value,
            ..Cell::default()
        };
        let ends = Some(Ends {
            low: Some(-0.0125),
            high: None,
        });
        Table {
            caption: "50 % of \"A & B\" | C".into(),
            head: vec![
                words("Labels"),
                words("Start_name"),
                number("ROC AUC", None),
            ],
            groups: vec![vec![
                vec![
                    Cell {
                        heads_rows: Some(2),
                        ..number("24\u{2013}26", Some(25.0))
                    },
                    Cell {
                        heads_rows: Some(1),
                        ..words("ssl, #1")
                    },
                    Cell {
                        ends,
                        interval: "[\u{2212}0.013, not reached]".into(),
                        ..number("0.512", Some(0.5123456789))
                    },
                ],
                vec![
                    Cell {
                        heads_rows: Some(1),
                        ..words("scratch|{x}\\")
                    },
                    Cell {
                        remark: "no run".into(),
                        ..number("n/a (3 positives)", None)
                    },
                ],
            ]],
        }
    }

    #[test]
    fn a_head_of_many_rows_stands_in_the_first() {
        let table = awkward();
        let rows: Vec<_> = full_rows(&table).collect();
        assert_eq!(
            (rows[0].0.map(|c| c.text.as_str()), rows[0].1.len()),
            (Some("24\u{2013}26"), 2)
        );
        assert_eq!((rows[1].0.is_none(), rows[1].1.len()), (true, 2));
    }

    #[test]
    fn a_study_without_results_has_no_files() {
        let got = exports(&ReportInput::default()).unwrap();
        assert_eq!(got, []);
    }
}
