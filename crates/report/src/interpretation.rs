//! How to interpret the confidence intervals and tests of the report, and their limits.

use crate::numbers::{count, fixed, many, percent};
use crate::study::Study;
use eval::budget::differ_by_fold;
use eval::run::PretrainSeeds;

/// With fewer training seeds or label draws, their variance is poorly estimated.
const FEW_LEVELS: usize = 3;
/// With fewer clusters the plain percentile interval undercovers noticeably.
const FEW_CLUSTERS: usize = 40;

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
    let mut out = vec![format!(
        "Brackets are {level} confidence intervals from a bootstrap with {} resamples: {}, {}{} and {} are each resampled with \
         replacement, identically for both starts.",
        count(s.analysis.resamples as u64),
        many(s.clusters, "test video"),
        many(s.seeds, "training seed"),
        s.pretrain_seeds
            .map(|n| format!(", {}", many(n, "pre-training seed")))
            .unwrap_or_default(),
        many(s.draws, "label draw"),
    )];
    if study.input.pretrain_seeds == PretrainSeeds::Tied {
        out.push(
            "Each training seed has its own pre-training, so the two are tied: they are resampled together, and their effects \
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
    } else if s.clusters < FEW_CLUSTERS {
        out.push(format!(
            "With only {} test videos the plain percentile interval would be too short. The expanded percentile interval is given \
             instead: it uses Student's t with {} of freedom.",
            s.clusters,
            many(s.clusters - 1, "degree"),
        ));
    }
    let few: Vec<String> = [(s.seeds, "training seed"), (s.draws, "label draw")]
        .into_iter()
        .chain(s.pretrain_seeds.map(|n| (n, "pre-training seed")))
        .filter(|(n, _)| *n < FEW_LEVELS)
        .map(|(n, what)| many(n, what))
        .collect();
    if !few.is_empty() {
        out.push(format!(
            "{}: too few to estimate their variance. A replication with others may differ by more than these confidence intervals \
             suggest.",
            few.join(" and ")
        ));
    }
    out.push(format!(
        "p is from a two-sided sign-flip test: how often random signs of the contributions of each video, seed and label draw \
         give a mean difference at least as far from 0. A difference is claimed where the confidence interval excludes 0 and p \
         is below {alpha}. The primary contrast{} is tested alone; p over the emotions is Holm-adjusted; every other p is not \
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
    fn the_resampled_factors_are_named() {
        let got = of(678, 5, 4);
        assert!(
            got.contains("95 % confidence intervals from a bootstrap with 10,000 resamples"),
            "{got}"
        );
        assert!(
            got.contains("678 test videos, 5 training seeds and 4 label draws are each resampled with replacement"),
            "{got}"
        );
        assert!(
            !got.contains("too few") && !got.contains("expanded"),
            "{got}"
        );
    }

    #[test]
    fn few_clusters_seeds_and_draws_are_pointed_out() {
        let got = of(24, 2, 1);
        assert!(
            got.contains(
                "With only 24 test videos the plain percentile interval would be too short"
            ),
            "{got}"
        );
        assert!(
            got.contains("Student's t with 23 degrees of freedom"),
            "{got}"
        );
        assert!(
            got.contains("2 training seeds and 1 label draw: too few to estimate their variance"),
            "{got}"
        );
        let got = of(24, 2, 3);
        assert!(
            got.contains(" 2 training seeds: too few") && !got.contains("3 label draws: too few"),
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
