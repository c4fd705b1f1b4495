//! Variance components of the runs, and aggregates over emotions that are robust to outlying runs.

use super::{Cell, Table, budget_head, head};
use crate::numbers::many;
use crate::study::{Scope, Study};
use eval::run::{PretrainSeeds, Run};
use eval::statistics::{
    Component, crossed_components, interquartile_mean, probability_of_improvement,
};
use std::collections::{BTreeMap, BTreeSet};

/// A source of variation: its name, and the level of it that a run has.
struct Source {
    name: &'static str,
    of: fn(&Run) -> Option<i32>,
}

const SOURCES: [Source; 4] = [
    Source {
        name: "Partition",
        of: |run| Some(run.partition),
    },
    Source {
        name: "Pre-training seed",
        of: |run| run.pretrain_seed,
    },
    Source {
        name: "Initialisation (training seed)",
        of: |run| Some(run.seed),
    },
    Source {
        name: "Label draw",
        of: |run| Some(run.draw),
    },
];

/// The sources of a study: most have a single partition.
fn sources(study: &Study<'_>) -> &'static [Source] {
    &SOURCES[usize::from(!study.has_partitions())..]
}

/// Standard deviation by source for each start and budget, macro, primary metric; `None` without
/// runs. Differences between folds are averaged out.
pub(crate) fn spread_table(study: &Study<'_>) -> Option<Table> {
    let row = |budget: usize, start: usize| -> Option<Vec<Cell>> {
        let runs = study.over_folds(start, budget, Scope::Macro, study.primary);
        if runs.is_empty() {
            return None;
        }
        let mut row = vec![Cell::start(&study.starts[start]), Cell::count(runs.len())];
        row.extend(standard_deviations(study, start, &runs));
        Some(row)
    };
    let group = |budget: usize| {
        let mut rows: Vec<Vec<Cell>> = (0..study.starts.len())
            .filter_map(|start| row(budget, start))
            .collect();
        let n = rows.len();
        if let Some(first) = rows.first_mut() {
            first.insert(0, budget_head(study, budget, n));
        }
        rows
    };
    let groups: Vec<_> = (0..study.budgets.len())
        .map(group)
        .filter(|rows| !rows.is_empty())
        .collect();
    let tied = match study.input.pretrain_seeds {
        PretrainSeeds::Tied => {
            ". Pre-training and initialisation are tied (each training seed has its own pre-training): their joint effect is \
             listed under initialisation"
        }
        PretrainSeeds::None | PretrainSeeds::Crossed => "",
    };
    let caption = format!(
        "Variance components: standard deviation of macro {} by source. It is not available for a source that was not varied, or \
         where the runs do not cross all levels of the sources{tied}",
        study.primary.title()
    );
    let sources = sources(study).iter().map(|source| source.name);
    let mut head = head(2, ["Labels", "Start", "Runs"].into_iter().chain(sources));
    head.push(Cell::none("Residual").column("Rest"));
    (!groups.is_empty()).then_some(Table {
        caption,
        head,
        groups,
    })
}

/// A cell for each source, then the residual.
fn standard_deviations(study: &Study<'_>, start: usize, runs: &BTreeMap<Run, f64>) -> Vec<Cell> {
    let sources = sources(study);
    let varied: Vec<&Source> = sources
        .iter()
        .filter(|s| runs.keys().all(|run| (s.of)(run).is_some()))
        .collect();
    let parts = components(&varied, runs);
    let part = |name: &str| parts.as_ref()?.iter().find(|part| part.source == name);
    let without_pretraining = || match study.input.pretrain_seeds {
        PretrainSeeds::Tied if study.pretrained(start) => {
            Cell::none("tied").remark("with initialisation")
        }
        PretrainSeeds::None => Cell::none("n/a"),
        PretrainSeeds::Tied | PretrainSeeds::Crossed => {
            Cell::none("none").remark("no pre-training")
        }
    };
    let cell = |source: &Source| match part(source.name) {
        Some(part) => standard_deviation(part),
        None if varied.iter().any(|s| s.name == source.name) => Cell::none("n/a"),
        None => without_pretraining(),
    };
    let residual = part(RESIDUAL).map_or_else(|| Cell::none("n/a"), standard_deviation);
    sources.iter().map(cell).chain([residual]).collect()
}

fn components(sources: &[&Source], runs: &BTreeMap<Run, f64>) -> Option<Vec<Component>> {
    let place = |source: &Source| {
        let of = source.of;
        let levels: BTreeSet<Option<i32>> = runs.keys().map(of).collect();
        let levels: Vec<Option<i32>> = levels.into_iter().collect();
        move |run: &Run| levels.binary_search(&of(run)).unwrap_or_default()
    };
    let places: Vec<_> = sources.iter().map(|source| place(source)).collect();
    let levels: Vec<Vec<usize>> = runs
        .keys()
        .map(|run| places.iter().map(|place| place(run)).collect())
        .collect();
    let names: Vec<&str> = sources.iter().map(|s| s.name).collect();
    crossed_components(&names, &levels, &runs.values().copied().collect::<Vec<_>>())
}

/// The name of the residual component in `eval`.
const RESIDUAL: &str = "residual";

fn standard_deviation(part: &Component) -> Cell {
    match part.variance {
        Some(variance) if part.source == RESIDUAL => Cell::number(variance.sqrt(), 4),
        Some(variance) => Cell::number(variance.sqrt(), 4).remark(format!("of {}", part.levels)),
        None => Cell::none("n/a").remark("one level"),
    }
}

/// The runs of both starts at one emotion; higher is better.
type Task = (Vec<f64>, Vec<f64>);

/// Interquartile mean over runs and emotions of both starts, and the probability that a run of the
/// one beats a run of the other at the same emotion; `None` without emotions that both have.
pub(crate) fn aggregate_table(study: &Study<'_>) -> Option<Table> {
    let (treated, baseline) = (
        study.start(study.treated())?,
        study.start(study.baseline())?,
    );
    let metric = study.primary;
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    let row = |budget: usize| -> Option<Vec<Cell>> {
        let of = |start: usize, emotion: usize| -> Vec<f64> {
            let runs = study.over_folds(start, budget, Scope::Emotion(emotion), metric);
            runs.into_values().map(|value| sign * value).collect()
        };
        let tasks: Vec<Task> = (0..study.emotions.len())
            .map(|e| (of(treated, e), of(baseline, e)))
            .filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty())
            .collect();
        let better = probability_of_improvement(&tasks)?;
        let interquartile = |arm: fn(&Task) -> &Vec<f64>| {
            let all: Vec<f64> = tasks
                .iter()
                .flat_map(|task| arm(task).iter().copied())
                .collect();
            interquartile_mean(&all)
                .map_or_else(|| Cell::none("n/a"), |mean| Cell::number(sign * mean, 3))
        };
        Some(vec![
            budget_head(study, budget, 1),
            Cell::count(tasks.len()),
            interquartile(|task| &task.0),
            interquartile(|task| &task.1),
            Cell::number(better, 2),
        ])
    };
    let rows: Vec<Vec<Cell>> = (0..study.budgets.len()).filter_map(row).collect();
    let (ours, theirs) = (study.treated(), study.baseline());
    let middle_title = |name: &str| {
        Cell::none(format!("{name}, interquartile mean")).column(format!("{name}, middle half"))
    };
    let chance =
        Cell::none("Probability of improvement").column(format!("Chance that {ours} is better"));
    (!rows.is_empty()).then(|| Table {
        caption: format!(
            "{} over {}: interquartile mean over runs and emotions, and probability of improvement (that a run of {ours} is better \
             than a run of {theirs} on the same emotion)",
            metric.title(),
            many(study.emotions.len(), "emotion"),
        ),
        head: [head(1, ["Labels", "Emotions"]), vec![middle_title(ours), middle_title(theirs), chance]].concat(),
        groups: vec![rows],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use eval::Metric;
    use run_record::ResultRow;

    fn input(results: Vec<ResultRow>) -> ReportInput {
        ReportInput {
            results,
            ..ReportInput::default()
        }
    }

    fn texts(input: &ReportInput, start: usize) -> Vec<String> {
        let table = spread_table(&Study::new(input).unwrap()).unwrap();
        table.groups[0][start]
            .iter()
            .map(|c| c.text.clone())
            .collect()
    }

    #[test]
    fn spread_is_split_into_initialisation_draw_and_rest() {
        // Value = effect of the seed + effect of the draw, nothing else, whatever the fold.
        let runs = (0..2).flat_map(|fold| {
            (0..3).flat_map(move |seed| (0..2).map(move |draw| [fold, seed, draw]))
        });
        let value = |key: [i32; 3]| {
            0.1 * f64::from(key[1]) + 0.05 * f64::from(key[2]) + f64::from(2 * key[0] - 1) * 0.2
        };
        let mut input = input(
            runs.map(|key| row("ssl", 10, 0.1, key, Some(0.5 + value(key))))
                .collect(),
        );
        // Seeds 0, 0.1, 0.2 deviate by 0.1; draws 0, 0.05 by 0.0354.
        assert_eq!(
            texts(&input, 0),
            ["10", "ssl", "6", "n/a", "0.1000", "0.0354", "0.0000"]
        );
        for row in &mut input.results {
            row.pretrain_seed = Some(row.seed);
        }
        input.pretrain_seeds = PretrainSeeds::Tied;
        assert_eq!(texts(&input, 0)[3..5], ["tied", "0.1000"]);
        let table = spread_table(&Study::new(&input).unwrap()).unwrap();
        assert!(
            table.caption.contains("are tied")
                && table.groups[0][0][3].remark == "with initialisation"
        );
    }

    #[test]
    fn crossed_pretrainings_are_a_source_of_their_own() {
        let runs = (0..2).flat_map(|p| {
            (0..2).flat_map(move |seed| (0..3).map(move |draw| (p, [0, seed, draw])))
        });
        let value = |p: i32, key: [i32; 3]| {
            0.2 * f64::from(p) + 0.1 * f64::from(key[1]) + 0.05 * f64::from(key[2])
        };
        let ssl = runs.map(|(p, key)| ResultRow {
            pretrain_seed: Some(p),
            ..row("ssl", 10, 0.1, key, Some(0.3 + value(p, key)))
        });
        let scratch = (0..2).flat_map(|seed| (0..3).map(move |draw| [0, seed, draw]));
        let scratch = scratch.map(|key| row("scratch", 10, 0.1, key, Some(0.3 + value(0, key))));
        let input = ReportInput {
            pretrain_seeds: PretrainSeeds::Crossed,
            ..input(ssl.chain(scratch).collect())
        };
        assert_eq!(
            texts(&input, 0)[1..],
            ["ssl", "12", "0.1414", "0.0707", "0.0500", "0.0000"]
        );
        assert_eq!(
            texts(&input, 1),
            ["scratch", "6", "none", "0.0707", "0.0500", "0.0000"]
        );
    }

    #[test]
    fn one_run_has_no_spread() {
        let input = input(vec![row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))]);
        let table = spread_table(&Study::new(&input).unwrap()).unwrap();
        assert!(
            table.groups[0][0][3..]
                .iter()
                .all(|c| c.text == "n/a" && c.value.is_none())
        );
    }

    #[test]
    fn of_an_error_less_is_an_improvement() {
        let of = |start: &str, seed, value| ResultRow {
            emotion: "sad".into(),
            metric: "mae".into(),
            ..row(start, 10, 0.1, [0, seed, 0], Some(value))
        };
        let results = vec![
            of("ssl", 0, 0.2),
            of("ssl", 1, 0.4),
            of("scratch", 0, 0.3),
            of("scratch", 1, 0.5),
        ];
        let input = ReportInput {
            primary_metric: Metric::Mae.name().into(),
            ..input(results)
        };
        let table = aggregate_table(&Study::new(&input).unwrap()).unwrap();
        let texts: Vec<&str> = table.groups[0][0].iter().map(|c| c.text.as_str()).collect();
        assert_eq!(texts, ["10", "1", "0.300", "0.400", "0.75"]);
    }
}
