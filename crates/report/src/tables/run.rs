//! The run itself: pre-training, fine-tuning, the learning-rate search, failures, facts.

use super::{Cell, Table, head};
use crate::numbers::{count, fixed, significant};
use crate::study::Study;
use crate::{Curve, FactGroup};

/// The last and lowest losses of each pre-training.
pub(crate) fn pretraining_table(curves: &[Curve]) -> Table {
    let loss = |x: Option<f64>| match x {
        Some(x) if x.is_finite() => Cell::none(significant(x)).value(x),
        Some(x) => Cell::none(format!("{x}")).remark("not finite"),
        None => Cell::none("n/a").remark("not measured"),
    };
    let row = |curve: &Curve| {
        let last = curve.points.last();
        let valid = || curve.points.iter().filter_map(|p| p.valid_loss);
        let best = valid().filter(|v| v.is_finite()).min_by(f64::total_cmp);
        vec![
            Cell::head(&curve.name, 1),
            Cell::count(last.map_or(0, |p| p.step as usize)),
            loss(last.map(|p| p.train_loss)),
            loss(valid().next_back()),
            loss(best),
        ]
    };
    let titles = [
        "Encoder",
        "Steps",
        "Last training loss",
        "Last validation loss",
        "Lowest validation loss",
    ];
    Table {
        caption: "Pre-training: loss over masked frames".into(),
        head: head(1, titles),
        groups: vec![curves.iter().map(row).collect()],
    }
}

/// The steps that model selection chose, by start.
pub(crate) fn best_step_table(study: &Study<'_>) -> Option<Table> {
    let row = |start: &String| {
        let of_start = study.input.trainings.iter().filter(|t| t.start == *start);
        let mut best: Vec<u64> = of_start.clone().filter_map(|t| t.best_step).collect();
        best.sort_unstable();
        let (first, last) = (*best.first()?, *best.last()?);
        let median = eval::median(best.iter().map(|&step| step as f64))?;
        let steps = |n: u64| Cell {
            text: count(n),
            value: Some(n as f64),
            ..Cell::default()
        };
        let longest = of_start
            .filter_map(|t| t.curve.points.last())
            .map(|p| p.step)
            .max();
        Some(vec![
            Cell::head(start, 1),
            Cell::count(best.len()),
            Cell {
                text: fixed(median, usize::from(median.fract() != 0.0)),
                value: Some(median),
                ..Cell::default()
            },
            steps(first),
            steps(last),
            longest.map_or_else(|| Cell::none("n/a"), steps),
        ])
    };
    let rows: Vec<Vec<Cell>> = study.starts.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| Table {
        caption:
            "Model selection on the validation split: the optimiser step whose weights predict"
                .into(),
        head: head(
            1,
            [
                "Start",
                "Cells",
                "Median step",
                "Earliest",
                "Latest",
                "Steps trained",
            ],
        ),
        groups: vec![rows],
    })
}

/// The learning-rate search: for each start and budget, the mean score of each learning rate and
/// how often it was chosen.
pub(crate) fn search_table(study: &Study<'_>) -> Option<Table> {
    let candidates = &study.input.search;
    let mut factors: Vec<f64> = candidates.iter().map(|c| c.factor).collect();
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    let group = |budget: usize| -> Vec<Vec<Cell>> {
        let name = &study.budgets[budget].name;
        let row = |start: &String| {
            let of: Vec<_> = candidates
                .iter()
                .filter(|c| c.start == *start && c.budget == *name)
                .collect();
            if of.is_empty() {
                return None;
            }
            let mut row = vec![Cell::head(study.label(budget), 1), Cell::start(start)];
            row.extend(factors.iter().map(|factor| {
                let those = || of.iter().filter(|c| c.factor == *factor);
                let (chosen, all) = (those().filter(|c| c.chosen).count(), those().count());
                match eval::mean(those().map(|c| c.score).filter(|s| s.is_finite())) {
                    Some(mean) => Cell::none(fixed(mean, 3))
                        .value(mean)
                        .remark(format!("chosen in {chosen} of {all} cells")),
                    None => Cell::none("n/a"),
                }
            }));
            Some(row)
        };
        study.starts.iter().filter_map(row).collect()
    };
    let groups: Vec<_> = (0..study.budgets.len())
        .map(group)
        .filter(|rows| !rows.is_empty())
        .collect();
    let titles: Vec<String> = factors
        .iter()
        .map(|factor| format!("{factor} times the learning rate"))
        .collect();
    let titles = ["Labels", "Start"]
        .into_iter()
        .chain(titles.iter().map(String::as_str));
    (!groups.is_empty()).then(|| Table {
        caption: "Learning-rate search (the hyperparameter tuned per cell): mean score on the validation split; each cell takes the best".into(),
        head: head(2, titles),
        groups,
    })
}

/// Cells that failed.
pub(crate) fn failure_table(failures: &[(String, String)]) -> Table {
    let row = |(cell, error): &(String, String)| vec![Cell::head(cell, 1), Cell::words(error)];
    Table {
        caption: "Failed cells; excluded from all figures and means".into(),
        head: head(2, ["Cell", "Error"]),
        groups: vec![failures.iter().map(row).collect()],
    }
}

/// Facts as given by the caller.
pub(crate) fn fact_table(group: &FactGroup) -> Table {
    let row = |(name, value): &(String, String)| vec![Cell::head(name, 1), Cell::words(value)];
    Table {
        caption: group.title.clone(),
        head: Vec::new(),
        groups: vec![group.rows.iter().map(row).collect()],
    }
}
