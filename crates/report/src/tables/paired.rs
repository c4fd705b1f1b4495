//! The paired differences in numbers.

use super::{Cell, Table, brackets, budget_head, head};
use crate::difference::{Difference, Finding, finding_text, finding_text_of};
use crate::numbers::many;
use crate::reportable::{missing_class, not_reportable};
use crate::study::{Scope, Study};
use crate::verdict::alpha;
use eval::Metric;
use eval::statistics::holm;

/// The macro differences of one metric, by label budget; `None` where the study lacks one of the
/// two starts or the metric.
pub(crate) fn paired_table(study: &Study<'_>, metric: Metric) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = (0..study.budgets.len())
        .filter_map(|budget| {
            let difference = Difference::of(study, budget, Scope::Macro, metric)?;
            let mut head = budget_head(study, budget, 1);
            if (metric, Some(budget)) == (study.primary, study.primary_budget) {
                let kind = study
                    .kind(budget)
                    .map(|kind| format!("{kind}; "))
                    .unwrap_or_default();
                head = head.remark(kind + "primary contrast");
            }
            let mut row = vec![head];
            row.extend([effect(&difference), Cell::p(difference.p)]);
            row.extend(arms(study, budget, Scope::Macro, metric));
            row.extend(pairs(&difference));
            row.push(Cell::words(finding_text(
                study,
                difference.finding(difference.p, alpha(study)),
            )));
            Some(row)
        })
        .collect();
    let [ours, theirs, wins] = titles(study);
    let mut head = head(1, ["Labels", "Difference", "p", &ours, &theirs]);
    head.extend([Cell::none("Pairs"), Cell::none(wins), conclusion_title()]);
    (!rows.is_empty()).then(|| Table {
        caption: caption(study, "macro ", metric, ""),
        head,
        groups: vec![rows],
    })
}

/// The primary metric at the primary budget: the macro average, which is tested alone, and each
/// emotion, with p Holm-adjusted over the emotions.
pub(crate) fn paired_by_emotion(study: &Study<'_>) -> Option<Table> {
    let (budget, metric) = (study.primary_budget?, study.primary);
    let emotions: Vec<Scope> = (0..study.emotions.len()).map(Scope::Emotion).collect();
    let of = |scope: Scope| Difference::of(study, budget, scope, metric);
    let adjusted = holm(
        &emotions
            .iter()
            .map(|&scope| of(scope)?.p)
            .collect::<Vec<_>>(),
    );
    let row = |(scope, adjusted): (Scope, Option<f64>)| -> Vec<Cell> {
        let head = Cell::head(study.scope_name(scope), 1);
        let is_primary = scope == Scope::Macro;
        let mut row = vec![if is_primary {
            head.remark("primary contrast")
        } else {
            head
        }];
        match of(scope) {
            Some(difference) => {
                row.extend([effect(&difference), Cell::p(difference.p)]);
                row.push(if is_primary {
                    Cell::none("tested alone")
                } else {
                    Cell::p(adjusted)
                });
                row.extend(arms(study, budget, scope, metric));
                row.extend(pairs(&difference));
                let p = if is_primary { difference.p } else { adjusted };
                let conclusion = match (
                    difference.finding(p, alpha(study)),
                    difference.finding(difference.p, alpha(study)),
                ) {
                    (Finding::Unclear, Finding::Better | Finding::Worse) => {
                        "no difference after Holm adjustment".into()
                    }
                    (finding, _) => finding_text(study, finding),
                };
                row.push(Cell::words(conclusion));
            }
            None => {
                let why = not_reportable(study, scope, metric)
                    .or_else(|| missing_class(study, scope, metric));
                let why = why.unwrap_or_else(|| "no pair".into());
                let (why, none) = (Cell::not_reportable(&why), Cell::none("n/a"));
                row.extend([
                    why.clone(),
                    none.clone(),
                    none.clone(),
                    why.clone(),
                    why,
                    none.clone(),
                    none,
                ]);
                row.push(Cell::words("not compared"));
            }
        }
        row
    };
    let average = row((Scope::Macro, None));
    let each = emotions.iter().copied().zip(adjusted).map(row).collect();
    let [ours, theirs, wins] = titles(study);
    let mut head = head(
        1,
        [
            "Emotion",
            "Difference",
            "p",
            "p, Holm",
            &ours,
            &theirs,
            "Pairs",
            &wins,
        ],
    );
    head.push(conclusion_title());
    of(Scope::Macro).or_else(|| emotions.iter().find_map(|&scope| of(scope)))?;
    let with = format!(" with {} labels", study.label(budget));
    Some(Table {
        caption: caption(study, "", metric, &with),
        head,
        groups: vec![vec![average], each],
    })
}

fn conclusion_title() -> Cell {
    Cell::words("Conclusion").column("Reading")
}

fn titles(study: &Study<'_>) -> [String; 3] {
    let (treated, baseline) = (study.treated(), study.baseline());
    [
        treated.to_string(),
        baseline.to_string(),
        format!("{treated} better in"),
    ]
}

/// The treated start against every start but the baseline: controls, probes, ablations. Descriptive
/// only; no claim rests on them.
pub(crate) fn others_table(study: &Study<'_>) -> Option<Table> {
    let (treated, metric) = (study.treated(), study.primary);
    let group = |other: &String| -> Vec<Vec<Cell>> {
        let row = |budget: usize| {
            let difference = Difference::of_other(study, other, budget, metric)?;
            let mut row = vec![
                Cell::start(other),
                Cell::none(study.label(budget)).value(study.budgets[budget].labels),
            ];
            row.extend([
                effect(&difference),
                Cell::p(difference.p),
                Cell::count(difference.each.len()),
            ]);
            let finding = difference.finding(difference.p, alpha(study));
            row.push(Cell::words(finding_text_of([treated, other], finding)));
            Some(row)
        };
        (0..study.budgets.len()).filter_map(row).collect()
    };
    let groups: Vec<_> = study
        .starts
        .iter()
        .map(group)
        .filter(|rows| !rows.is_empty())
        .collect();
    let mut head = head(1, ["Compared with", "Labels", "Difference", "p", "Pairs"]);
    head.push(conclusion_title());
    let better = if metric.higher_is_better() {
        "higher is better"
    } else {
        "lower is better"
    };
    let caption = format!(
        "{treated} \u{2212} every other start, macro {} on the held-out test set, {better}{}; p not adjusted, descriptive only",
        metric.title(),
        brackets(study)
    );
    (!groups.is_empty()).then_some(Table {
        caption,
        head,
        groups,
    })
}

fn caption(study: &Study<'_>, scope: &str, metric: Metric, with: &str) -> String {
    let better = if metric.higher_is_better() {
        "higher is better"
    } else {
        "lower is better"
    };
    format!(
        "{} \u{2212} {}, {scope}{} on the held-out test set{with}, {better}{}",
        study.treated(),
        study.baseline(),
        metric.title(),
        brackets(study)
    )
}

/// The mean of each of the two starts.
fn arms(study: &Study<'_>, budget: usize, scope: Scope, metric: Metric) -> [Cell; 2] {
    [study.treated(), study.baseline()].map(|name| {
        let estimate = study
            .start(name)
            .and_then(|start| study.estimate(start, budget, scope, metric));
        estimate.map_or_else(
            || Cell::none("n/a"),
            |e| Cell::number(e.value, 3).within(e.interval, 3, false),
        )
    })
}

fn effect(difference: &Difference) -> Cell {
    let cell = Cell::signed(difference.value, 3).within(difference.interval, 3, true);
    if difference.interval.is_none() {
        cell.remark("no confidence interval")
    } else {
        cell
    }
}

fn pairs(difference: &Difference) -> [Cell; 2] {
    let n = difference.each.len();
    let pairs = match difference.unpaired {
        0 => Cell::count(n),
        unpaired => Cell::count(n).remark(format!("{} unpaired", many(unpaired, "run"))),
    };
    let wins = Cell::none(format!("{} of {n}", difference.wins())).value(difference.wins() as f64);
    let wins = match difference.ties() {
        0 => wins,
        ties => wins.remark(format!("{ties} tied")),
    };
    [pairs, wins]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::{answered, row};
    use eval::statistics::Contrast;
    use run_record::ResultRow;

    /// ssl and scratch with 10 labels, and a row for each emotion: its p and its positives.
    fn emotions(each: &[(&str, f64, u64)]) -> ReportInput {
        let mut input = answered(Metric::RocAuc, &[(10, Some((0.01, 0.05)), Some(0.01))]);
        let averaged = input.results.clone();
        for &(emotion, p, support) in each {
            input.results.extend(averaged.iter().map(|r| ResultRow {
                emotion: emotion.into(),
                support,
                ..r.clone()
            }));
            let statistics = input.statistics.as_mut().unwrap();
            let contrast = statistics.contrasts[0].clone();
            statistics.contrasts.push(Contrast {
                emotion: emotion.into(),
                p: Some(p),
                ..contrast
            });
        }
        input
    }

    fn column(table: &Table, title: &str) -> Vec<String> {
        let at = table.head.iter().position(|h| h.text == title).unwrap();
        table
            .groups
            .iter()
            .flatten()
            .map(|row| row[at].text.clone())
            .collect()
    }

    #[test]
    fn holm_adjusts_over_the_emotions_and_the_average_is_tested_alone() {
        let input = emotions(&[("happy", 0.01, 50), ("sad", 0.03, 50), ("fear", 0.5, 50)]);
        let table = paired_by_emotion(&Study::new(&input).unwrap()).unwrap();
        assert_eq!(column(&table, "p"), ["0.010", "0.010", "0.030", "0.500"]);
        assert_eq!(
            column(&table, "p, Holm"),
            ["tested alone", "0.030", "0.060", "0.500"]
        );
        let conclusions = [
            "ssl better",
            "ssl better",
            "no difference after Holm adjustment",
        ];
        assert_eq!(column(&table, "Conclusion")[..3], conclusions);
    }

    #[test]
    fn an_emotion_with_few_positives_is_not_tested() {
        let input = emotions(&[("happy", 0.03, 50), ("fear", 0.001, 3)]);
        let table = paired_by_emotion(&Study::new(&input).unwrap()).unwrap();
        assert_eq!(column(&table, "p, Holm"), ["tested alone", "0.030", "n/a"]);
        assert_eq!(column(&table, "Difference")[2], "n/a (3 positives)");
        assert!(
            table.groups[1][1]
                .iter()
                .all(|cell| cell.value.is_none() && cell.ends.is_none())
        );
    }

    #[test]
    fn without_statistics_the_mean_has_no_interval() {
        let input = ReportInput {
            statistics: None,
            ..emotions(&[])
        };
        let table = paired_table(&Study::new(&input).unwrap(), Metric::RocAuc).unwrap();
        let cell = &table.groups[0][0][1];
        assert_eq!(
            (
                cell.text.as_str(),
                cell.interval.as_str(),
                cell.remark.as_str()
            ),
            ("+0.030", "", "no confidence interval")
        );
        assert_eq!(column(&table, "Conclusion"), ["no confidence interval"]);
    }

    #[test]
    fn a_study_of_one_start_has_no_table() {
        let input = ReportInput {
            results: vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))],
            ..ReportInput::default()
        };
        let study = Study::new(&input).unwrap();
        assert!(
            paired_table(&study, Metric::RocAuc).is_none() && paired_by_emotion(&study).is_none()
        );
    }
}
