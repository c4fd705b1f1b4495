//! The paired differences in numbers.

use super::{Cell, Table, brackets, budget_head, head};
use crate::difference::{Difference, Finding, words, words_of};
use crate::numbers::many;
use crate::study::{Scope, Study};
use crate::support::{lacking, refusal};
use crate::verdict::alpha;
use eval::Metric;
use eval::statistics::holm;

/// The macro differences of one metric, by label budget; `None` where the study lacks one of the two starts or the metric.
pub(crate) fn paired_table(study: &Study<'_>, metric: Metric) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = (0..study.budgets.len())
        .filter_map(|budget| {
            let difference = Difference::of(study, budget, Scope::Macro, metric)?;
            let mut head = budget_head(study, budget, 1);
            if (metric, Some(budget)) == (study.primary, study.primary_budget) {
                let kind = study.kind(budget).map(|kind| format!("{kind}; ")).unwrap_or_default();
                head = head.remark(kind + "primary contrast");
            }
            let mut row = vec![head];
            row.extend([amount(&difference), Cell::p(difference.p)]);
            row.extend(arms(study, budget, Scope::Macro, metric));
            row.push(bca(&difference));
            row.extend(pairs(&difference));
            row.push(Cell::words(words(study, difference.finding(difference.p, alpha(study)))));
            Some(row)
        })
        .collect();
    let [ours, theirs, ahead] = titles(study);
    let mut head = head(1, ["Labels", "Difference", "p", &ours, &theirs, "BCa interval", "Pairs", &ahead]);
    head.push(Cell::words("Reading"));
    (!rows.is_empty()).then(|| Table { caption: caption(study, "macro ", metric, ""), head, groups: vec![rows] })
}

/// The primary metric at the primary budget: the macro average, which stands alone, and each emotion, with Holm's p over
/// the emotions.
pub(crate) fn paired_by_emotion(study: &Study<'_>) -> Option<Table> {
    let (budget, metric) = (study.primary_budget?, study.primary);
    let emotions: Vec<Scope> = (0..study.emotions.len()).map(Scope::Emotion).collect();
    let of = |scope: Scope| Difference::of(study, budget, scope, metric);
    let adjusted = holm(&emotions.iter().map(|&scope| of(scope)?.p).collect::<Vec<_>>());
    let row = |(scope, adjusted): (Scope, Option<f64>)| -> Vec<Cell> {
        let head = Cell::head(study.scope_name(scope), 1);
        let is_primary = scope == Scope::Macro;
        let mut row = vec![if is_primary { head.remark("primary contrast") } else { head }];
        match of(scope) {
            Some(difference) => {
                row.extend([amount(&difference), Cell::p(difference.p)]);
                row.push(if is_primary { Cell::none("stands alone") } else { Cell::p(adjusted) });
                row.extend(arms(study, budget, scope, metric));
                row.extend(pairs(&difference));
                let p = if is_primary { difference.p } else { adjusted };
                let reading =
                    match (difference.finding(p, alpha(study)), difference.finding(difference.p, alpha(study))) {
                        (Finding::Unclear, Finding::Better | Finding::Worse) => {
                            "no difference after Holm's adjustment".into()
                        }
                        (finding, _) => words(study, finding),
                    };
                row.push(Cell::words(reading));
            }
            None => {
                let why = refusal(study, scope, metric).or_else(|| lacking(study, scope, metric));
                let why = why.unwrap_or_else(|| "no pair".into());
                let (why, none) = (Cell::refused(&why), Cell::none("n/a"));
                row.extend([why.clone(), none.clone(), none.clone(), why.clone(), why, none.clone(), none]);
                row.push(Cell::words("nothing to compare"));
            }
        }
        row
    };
    let average = row((Scope::Macro, None));
    let each = emotions.iter().copied().zip(adjusted).map(row).collect();
    let [ours, theirs, ahead] = titles(study);
    let mut head = head(1, ["Emotion", "Difference", "p", "p, Holm", &ours, &theirs, "Pairs", &ahead]);
    head.push(Cell::words("Reading"));
    of(Scope::Macro).or_else(|| emotions.iter().find_map(|&scope| of(scope)))?;
    let with = format!(" with {} labels", study.label(budget));
    Some(Table { caption: caption(study, "", metric, &with), head, groups: vec![vec![average], each] })
}

fn titles(study: &Study<'_>) -> [String; 3] {
    let (treated, baseline) = (study.treated(), study.baseline());
    [treated.to_string(), baseline.to_string(), format!("{treated} better in")]
}

/// The treated start less each that is not the baseline: controls, probes, ablations. They describe; no claim rests on them.
pub(crate) fn others_table(study: &Study<'_>) -> Option<Table> {
    let (treated, metric) = (study.treated(), study.primary);
    let group = |other: &String| -> Vec<Vec<Cell>> {
        let row = |budget: usize| {
            let difference = Difference::of_other(study, other, budget, metric)?;
            let mut row = vec![Cell::start(other), Cell::none(study.label(budget)).value(study.budgets[budget].labels)];
            row.extend([amount(&difference), Cell::p(difference.p), Cell::count(difference.each.len())]);
            let finding = difference.finding(difference.p, alpha(study));
            row.push(Cell::words(words_of([treated, other], finding)));
            Some(row)
        };
        (0..study.budgets.len()).filter_map(row).collect()
    };
    let groups: Vec<_> = study.starts.iter().map(group).filter(|rows| !rows.is_empty()).collect();
    let mut head = head(1, ["Compared with", "Labels", "Difference", "p", "Pairs"]);
    head.push(Cell::words("Reading"));
    let better = if metric.higher_is_better() { "more is better" } else { "less is better" };
    let caption = format!(
        "{treated} \u{2212} every other start, macro {} in test, {better}{}; p not adjusted",
        metric.title(),
        brackets(study)
    );
    (!groups.is_empty()).then_some(Table { caption, head, groups })
}

fn caption(study: &Study<'_>, scope: &str, metric: Metric, with: &str) -> String {
    let better = if metric.higher_is_better() { "more is better" } else { "less is better" };
    format!(
        "{} \u{2212} {}, {scope}{} in test{with}, {better}{}",
        study.treated(),
        study.baseline(),
        metric.title(),
        brackets(study)
    )
}

/// What each of the two starts reaches.
fn arms(study: &Study<'_>, budget: usize, scope: Scope, metric: Metric) -> [Cell; 2] {
    [study.treated(), study.baseline()].map(|name| {
        let estimate = study.start(name).and_then(|start| study.estimate(start, budget, scope, metric));
        estimate.map_or_else(|| Cell::none("n/a"), |e| Cell::number(e.value, 3).within(e.interval, 3, false))
    })
}

fn amount(difference: &Difference) -> Cell {
    let cell = Cell::signed(difference.value, 3).within(difference.interval, 3, true);
    if difference.interval.is_none() { cell.remark("no interval") } else { cell }
}

fn bca(difference: &Difference) -> Cell {
    match difference.bca {
        Some(ends) => {
            let text = crate::numbers::interval(ends, 3, true);
            Cell { text, ends: Some(ends.into()), ..Cell::default() }
        }
        None => Cell::none("n/a"),
    }
}

fn pairs(difference: &Difference) -> [Cell; 2] {
    let n = difference.each.len();
    let pairs = match difference.unpaired {
        0 => Cell::count(n),
        alone => Cell::count(n).remark(format!("{} alone", many(alone, "run"))),
    };
    let ahead = Cell::none(format!("{} of {n}", difference.ahead())).value(difference.ahead() as f64);
    let ahead = match difference.level() {
        0 => ahead,
        level => ahead.remark(format!("{level} equal")),
    };
    [pairs, ahead]
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
            input.results.extend(averaged.iter().map(|r| ResultRow { emotion: emotion.into(), support, ..r.clone() }));
            let statistics = input.statistics.as_mut().unwrap();
            let contrast = statistics.contrasts[0].clone();
            statistics.contrasts.push(Contrast { emotion: emotion.into(), p: Some(p), ..contrast });
        }
        input
    }

    fn column(table: &Table, title: &str) -> Vec<String> {
        let at = table.head.iter().position(|h| h.text == title).unwrap();
        table.groups.iter().flatten().map(|row| row[at].text.clone()).collect()
    }

    #[test]
    fn holm_is_over_the_emotions_and_the_average_stands_alone() {
        let input = emotions(&[("happy", 0.01, 50), ("sad", 0.03, 50), ("fear", 0.5, 50)]);
        let table = paired_by_emotion(&Study::new(&input).unwrap()).unwrap();
        assert_eq!(column(&table, "p"), ["0.010", "0.010", "0.030", "0.500"]);
        assert_eq!(column(&table, "p, Holm"), ["stands alone", "0.030", "0.060", "0.500"]);
        let reading = ["ssl better", "ssl better", "no difference after Holm's adjustment"];
        assert_eq!(column(&table, "Reading")[..3], reading);
    }

    #[test]
    fn an_emotion_with_few_positives_is_no_test() {
        let input = emotions(&[("happy", 0.03, 50), ("fear", 0.001, 3)]);
        let table = paired_by_emotion(&Study::new(&input).unwrap()).unwrap();
        assert_eq!(column(&table, "p, Holm"), ["stands alone", "0.030", "n/a"]);
        assert_eq!(column(&table, "Difference")[2], "n/a (3 positives)");
        assert!(table.groups[1][1].iter().all(|cell| cell.value.is_none() && cell.ends.is_none()));
    }

    #[test]
    fn without_statistics_the_mean_has_no_interval() {
        let input = ReportInput { statistics: None, ..emotions(&[]) };
        let table = paired_table(&Study::new(&input).unwrap(), Metric::RocAuc).unwrap();
        let cell = &table.groups[0][0][1];
        assert_eq!((cell.text.as_str(), cell.interval.as_str(), cell.remark.as_str()), ("+0.030", "", "no interval"));
        assert_eq!(column(&table, "Reading"), ["no interval"]);
    }

    #[test]
    fn a_study_of_one_start_has_no_table() {
        let input = ReportInput { results: vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))], ..ReportInput::default() };
        let study = Study::new(&input).unwrap();
        assert!(paired_table(&study, Metric::RocAuc).is_none() && paired_by_emotion(&study).is_none());
    }
}
