//! How to interpret the confidence intervals and tests of the report, and their limits.

use crate::numbers::{fixed, many, percent};
use crate::study::Study;
use eval::budget::differ_by_fold;
use eval::run::PretrainSeeds;

/// With fewer training seeds or label draws, their variance is poorly estimated.
const FEW_LEVELS: usize = 3;

/// Sentences shown below the verdict.
pub(crate) fn interpretation(study: &Study<'_>) -> Vec<String> {
    let Some(s) = study.statistics.all else {
        return vec![
            "No confidence intervals and no tests were computed for this report, so it claims no difference. Its values are \
             plain means over runs."
                .into(),
        ];
    };
    let (level, alpha) = (percent(s.analysis.level), fixed(1.0 - s.analysis.level, 2));
    let folds = study.folds().len();
    let units = match folds {
        0 | 1 => many(s.clusters, "test video"),
        // The test videos of a fold share its models, so they are not independent.
        _ => many(folds, "fold"),
    };
    let sources: Vec<String> = [units]
        .into_iter()
        .chain(study.run_sources().map(|(n, what)| many(n, what)))
        .collect();
    let mut out = vec![
        format!(
            "Brackets are {level} confidence intervals. A replication would have other {}: the variance is the sum of those between the \
             levels of each source ({}), and the interval is Student's t with Satterthwaite's degrees of freedom.",
            match folds {
                0 | 1 => "test videos, seeds and label draws",
                _ => "training and test videos, seeds and label draws",
            },
            sources.join(", ")
        ),
        "The confidence interval of a label equivalence holds every number of labels at which the two starts cannot be \
         distinguished."
            .into(),
    ];
    if study.input.pretrain_seeds == PretrainSeeds::Tied {
        out.push(
            "Each training seed has its own pre-training, so the two are tied: they count as one source, and their effects \
             cannot be separated."
                .into(),
        );
    }
    out.push("In a corpus that is split by speaker, \"video\" means speaker.".into());
    if study.folds().len() > 1 {
        out.push(
            "A run is one training seed, label draw and pre-training; its value is the mean over all folds, weighted by their \
             numbers of test videos. A pair is two runs with the same seeds and label draw, one of each start."
                .into(),
        );
        if study.has_partitions() {
            out.push(
                "There are several partitions of the videos into folds: a run has the folds of one, and a pair is of one."
                    .into(),
            );
        }
    }
    if differ_by_fold(&study.budgets) {
        out.push(
            "A label budget that is a share gives different numbers of labels in folds of different size. It counts as one budget; \
             curves, areas and label equivalence use the mean over folds."
                .into(),
        );
    }
    if s.clusters < 2 {
        out.push("There is only one test video: no confidence interval could be computed.".into());
    }
    if let Some(one) = study.conditional_on() {
        out.push(format!(
            "The study has {one}. How far others would move the result is unknown: the confidence intervals are conditional on it."
        ));
    }
    let few: Vec<String> = study
        .run_sources()
        .filter(|(n, _)| (2..FEW_LEVELS).contains(n))
        .map(|(n, what)| many(n, what))
        .collect();
    if !few.is_empty() {
        out.push(format!(
            "{}: their variance is known poorly, and the confidence intervals are rather too wide for it.",
            few.join(" and ")
        ));
    }
    out.push(format!(
        "p is two-sided, from the same t as the confidence interval: it is below {alpha} exactly where that excludes 0, and then a \
         difference is claimed. The primary contrast{} is tested alone; p over the emotions is Holm-adjusted; every other p is not \
         adjusted and is descriptive only.",
        match study.has_configured_budget() {
            true => ", chosen before the run,",
            false => " (no label budget was chosen before the run, so it is the one with the fewest labels)",
        }
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::interpretation;
    use crate::ReportInput;
    use crate::study::Study;
    use crate::study::tests::answered;
    use eval::Metric;

    fn of(clusters: usize, seeds: usize, draws: usize) -> String {
        let mut input = answered(Metric::RocAuc, &[(10, Some((0.1, 0.2)), None)]);
        let statistics = input.statistics.as_mut().unwrap();
        (statistics.clusters, statistics.seeds, statistics.draws) = (clusters, seeds, draws);
        interpretation(&Study::new(&input).unwrap()).join(" ")
    }

    #[test]
    fn the_sources_of_variation_are_named() {
        let got = of(678, 5, 4);
        assert!(
            got.contains("95 % confidence intervals. A replication would have other test videos, seeds and label draws:"),
            "{got}"
        );
        assert!(
            got.contains("(678 test videos, 5 training seeds, 4 label draws)"),
            "{got}"
        );
        assert!(
            !got.contains("poorly") && !got.contains("conditional"),
            "{got}"
        );
    }

    #[test]
    fn several_partitions_are_named() {
        let mut input = answered(Metric::RocAuc, &[(10, Some((0.1, 0.2)), None)]);
        let other = |row: &run_record::ResultRow| run_record::ResultRow {
            partition: 1,
            fold: row.fold + 9,
            ..row.clone()
        };
        let more: Vec<_> = input.results.iter().map(other).collect();
        input.results.extend(more);
        input.statistics.as_mut().unwrap().partitions = 2;
        let got = interpretation(&Study::new(&input).unwrap()).join(" ");
        assert!(
            got.contains("2 folds, 2 partitions, 3 training seeds"),
            "{got}"
        );
        assert!(got.contains("a run has the folds of one"), "{got}");
    }

    #[test]
    fn few_and_single_levels_are_pointed_out() {
        let got = of(24, 2, 1);
        assert!(got.contains("The study has one label draw."), "{got}");
        assert!(got.contains("conditional on it"), "{got}");
        assert!(
            got.contains("2 training seeds: their variance is known poorly"),
            "{got}"
        );
        let got = of(24, 1, 3);
        assert!(
            got.contains("The study has one training seed.") && !got.contains("poorly"),
            "{got}"
        );
        assert!(of(1, 3, 3).contains("no confidence interval could be computed"));
    }

    #[test]
    fn without_statistics_nothing_is_claimed() {
        let input = ReportInput::default();
        let got = interpretation(&Study::new(&input).unwrap());
        assert!(
            got[0].starts_with("No confidence intervals and no tests were computed"),
            "{got:?}"
        );
    }
}
