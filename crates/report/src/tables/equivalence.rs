//! Label equivalence, and the mean gain over all budgets.

use super::{Cell, Ends, Table, brackets, budget_head, head};
use crate::equivalence::{ends, ratio};
use crate::figures::MACRO_METRICS;
use crate::numbers::{count, percent};
use crate::reportable::not_reportable;
use crate::study::{Scope, Study};
use eval::Metric;
use eval::budget::differ_by_fold;
use eval::statistics::Equivalence;

/// How many labels the baseline needs to match the treated start; `None` where it was not computed.
pub(crate) fn equivalence_table(study: &Study<'_>, metric: Metric) -> Option<Table> {
    let treated = study.start(study.treated())?;
    let row = |budget: usize| -> Option<Vec<Cell>> {
        let found = study.statistics.equivalence(budget, metric)?;
        let labels = study.budgets[budget].labels;
        let number = |n: f64| count(n.round().max(0.0) as u64);
        let reached = study.estimate(treated, budget, Scope::Macro, metric)?;
        let (needs, times) = match found.labels {
            Equivalence::About(n) => (Cell::none(number(n)).value(n), ratio(n / labels)?),
            Equivalence::AtMost(n) => (
                Cell::none(format!("{} or fewer", number(n))).remark("the smallest budget"),
                ratio(n / labels)? + " or less",
            ),
            Equivalence::NotReached(most) => (
                Cell::none("not reached")
                    .remark(format!("with {}, the largest budget", number(most))),
                format!("more than {}", ratio(most / labels)?),
            ),
        };
        let times_labels = |end: Equivalence| match end {
            Equivalence::About(n) => Some(n / labels),
            Equivalence::AtMost(_) | Equivalence::NotReached(_) => None,
        };
        let interval = match ends(found, labels) {
            None => Cell::none("n/a").remark("no confidence interval"),
            Some([low, high]) => Cell {
                ends: Some(Ends {
                    low: found.low.and_then(times_labels),
                    high: found.high.and_then(times_labels),
                }),
                ..Cell::none(if low == high {
                    low
                } else {
                    format!("{low} to {high}")
                })
            },
        };
        Some(vec![
            budget_head(study, budget, 1),
            Cell::number(reached.value, 3).within(reached.interval, 3, false),
            needs,
            Cell {
                value: times_labels(found.labels),
                ..Cell::none(times)
            },
            interval,
        ])
    };
    let rows: Vec<Vec<Cell>> = (0..study.budgets.len()).filter_map(row).collect();
    let baseline = study.baseline();
    let level = percent(study.statistics.confidence_level());
    let titles = [
        "Labels",
        &format!("{} reaches", study.treated()),
        &format!("{baseline} needs"),
        "Times the labels",
    ];
    let interval = Cell::none(format!("{level} confidence interval of the ratio"));
    let head = [
        head(1, titles),
        vec![interval.column(format!("{level} interval of the ratio"))],
    ]
    .concat();
    (!rows.is_empty()).then(|| Table {
        caption: format!(
            "Label equivalence: labels that {baseline} needs to match {}, macro {} on the held-out test set{}",
            study.treated(),
            metric.title(),
            if differ_by_fold(&study.budgets) { "; labels of a budget: mean over folds" } else { "" }
        ),
        head,
        groups: vec![rows],
    })
}

/// Difference of the areas under the learning curves: the macro average of each metric, then each
/// emotion in the primary metric.
pub(crate) fn area_table(study: &Study<'_>) -> Option<Table> {
    let row = |scope: Scope, metric: Metric, metric_first: bool| -> Option<Vec<Cell>> {
        let name = study.scope_name(scope);
        let estimate = study.statistics.area(name, metric)?;
        let cell = match not_reportable(study, scope, metric) {
            Some(why) => Cell::not_reportable(&why),
            None => Cell::signed(estimate.value, 3).within(estimate.interval, 3, true),
        };
        let better = if metric.higher_is_better() {
            "higher is better"
        } else {
            "lower is better"
        };
        let title = format!("{name} {}", metric.title());
        let head = Cell::head(title, 1);
        Some(vec![
            if metric_first {
                head.remark(better)
            } else {
                head
            },
            cell,
        ])
    };
    let others = MACRO_METRICS.into_iter().filter(|&m| m != study.primary);
    let metrics = std::iter::once(study.primary).chain(others);
    let averages: Vec<Vec<Cell>> = metrics.filter_map(|m| row(Scope::Macro, m, true)).collect();
    let emotions = (0..study.emotions.len())
        .filter_map(|e| row(Scope::Emotion(e), study.primary, false))
        .collect();
    let groups: Vec<Vec<Vec<Cell>>> = [averages, emotions]
        .into_iter()
        .filter(|g: &Vec<_>| !g.is_empty())
        .collect();
    (!groups.is_empty()).then(|| Table {
        caption: format!(
            "{} \u{2212} {}, mean over all budgets: difference of the areas under the learning curves over log labels{}",
            study.treated(),
            study.baseline(),
            brackets(study)
        ),
        head: head(1, ["Of", "Difference"]),
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::{answered, needed};

    #[test]
    fn an_end_that_is_not_finite_is_described_in_words() {
        let budget = |labels| (labels, Some((0.01, 0.05)), None);
        let mut input = answered(Metric::RocAuc, &[budget(10), budget(100), budget(1000)]);
        let (few, none) = (Equivalence::AtMost(10.0), Equivalence::NotReached(1000.0));
        needed(&mut input, 0, few, (few, Equivalence::About(25.0)));
        needed(
            &mut input,
            1,
            Equivalence::About(230.0),
            (Equivalence::About(120.0), none),
        );
        needed(&mut input, 2, none, (none, none));
        let study = Study::new(&input).unwrap();
        let table = equivalence_table(&study, Metric::RocAuc).unwrap();
        let texts = |row: usize| {
            table.groups[0][row][2..]
                .iter()
                .map(|c| c.text.as_str())
                .collect::<Vec<_>>()
                .join(" | ")
        };
        assert_eq!(
            texts(0),
            "10 or fewer | 1.0 or less | below the smallest budget to 2.5"
        );
        assert_eq!(texts(1), "230 | 2.3 | 1.2 to not reached");
        assert_eq!(texts(2), "not reached | more than 1.0 | not reached");
        let ends: Vec<_> = (0..3)
            .map(|row| table.groups[0][row][4].ends.unwrap())
            .map(|ends| (ends.low, ends.high))
            .collect();
        assert_eq!(
            ends,
            [(None, Some(2.5)), (Some(1.2), None), (None, None)],
            "no code number stands for it"
        );
        assert!(equivalence_table(&study, Metric::Mae).is_none());
    }
}
