//! What varied in the study, and how much of the uncertainty of the primary contrast each source
//! gives.

use super::{Cell, Table, head};
use crate::study::{Scope, Study};
use eval::statistics::{SourceShare, VariedSource};

/// The sources of variation of the primary contrast; `None` without statistics of it.
pub(crate) fn sources_table(study: &Study<'_>) -> Option<Table> {
    let budget = study.primary_budget?;
    let at = (budget, study.scope_name(Scope::Macro), study.primary);
    let contrast = study.statistics.contrast(at)?;
    let total = eval::sum(contrast.sources.iter().filter_map(|s| s.variance));
    let row = |share: &SourceShare| {
        let (error, part) = match share.variance {
            Some(variance) => (
                Cell::number(variance.sqrt(), 4),
                match total > 0.0 {
                    true => Cell::number(variance / total, 2),
                    false => Cell::none("n/a"),
                },
            ),
            None if share.levels < 2 => (Cell::none("unknown"), Cell::none("unknown")),
            None => (Cell::none("n/a"), Cell::none("n/a")),
        };
        let levels = Cell::count(share.levels).remark(match share.source {
            VariedSource::Folds if study.has_partitions() => "over all partitions",
            _ if share.levels == 1 => "the result is conditional on it",
            _ => "",
        });
        vec![Cell::head(name(share.source), 1), levels, error, part]
    };
    let caption = format!(
        "What varied: the estimand is the mean difference {} − {} with {} labels over the sources below, each of which would differ \
         in a replication. A source's standard error is that of the difference if nothing else varied",
        study.treated(),
        study.baseline(),
        study.label(budget),
    );
    Some(Table {
        caption,
        head: head(
            1,
            ["Source", "Levels", "Standard error", "Share of variance"],
        ),
        groups: vec![contrast.sources.iter().map(row).collect()],
    })
}

fn name(source: VariedSource) -> &'static str {
    match source {
        VariedSource::Folds => "Folds: training and test videos",
        VariedSource::Videos => "Test videos",
        VariedSource::TrainingSeed => "Training seed",
        VariedSource::LabelDraw => "Label draw",
        VariedSource::PretrainSeed => "Pre-training seed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::answered;
    use eval::Metric;

    #[test]
    fn shares_add_up_and_a_single_level_is_unknown() {
        let mut input = answered(Metric::RocAuc, &[(10, Some((0.1, 0.2)), None)]);
        let share = |source, levels, variance| SourceShare {
            source,
            levels,
            variance,
            freedom: variance.map(|_| levels as f64 - 1.0),
        };
        let statistics = input.statistics.as_mut().unwrap();
        let at = statistics.contrasts.iter_mut();
        for contrast in at {
            contrast.sources = vec![
                share(VariedSource::Folds, 6, Some(3e-4)),
                share(VariedSource::TrainingSeed, 2, Some(1e-4)),
                share(VariedSource::LabelDraw, 1, None),
            ];
        }
        let table = sources_table(&Study::new(&input).unwrap()).unwrap();
        let texts: Vec<Vec<&str>> = table.groups[0]
            .iter()
            .map(|row| row.iter().map(|cell| cell.text.as_str()).collect())
            .collect();
        assert_eq!(
            texts,
            [
                ["Folds: training and test videos", "6", "0.0173", "0.75"],
                ["Training seed", "2", "0.0100", "0.25"],
                ["Label draw", "1", "unknown", "unknown"],
            ]
        );
        assert!(table.groups[0][2][1].remark.contains("conditional on it"));
    }
}
