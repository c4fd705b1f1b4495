//! What the intervals and tests of the report mean, and what they cannot know.

use crate::numbers::{count, fixed, many, percent};
use crate::study::Study;
use eval::budget::differ_by_fold;
use eval::run::PretrainSeeds;

/// Training seeds or label draws below which their spread can hardly be known.
const FEW_LEVELS: usize = 3;
/// Clusters below which the plain percentile interval falls noticeably short.
const FEW_CLUSTERS: usize = 40;

/// Sentences for under the verdict.
pub(crate) fn meaning(study: &Study<'_>) -> Vec<String> {
    let Some(s) = study.answers.statistics else {
        return vec![
            "No intervals and no tests were computed for this report, so it claims no difference. Its numbers are plain means \
             over runs."
                .into(),
        ];
    };
    let (level, alpha) = (percent(s.questions.level), fixed(1.0 - s.questions.level, 2));
    let mut out = vec![format!(
        "Brackets hold {level} intervals. The study was drawn anew {} times: its {}, {}{} and {} each with replacement, alike \
         for both starts; an interval holds the middle of what came out.",
        count(s.questions.resamples as u64),
        many(s.clusters, "test video"),
        many(s.seeds, "training seed"),
        s.pretrain_seeds.map(|n| format!(", {}", many(n, "pre-training seed"))).unwrap_or_default(),
        many(s.draws, "label draw"),
    )];
    if study.input.pretrain_seeds == PretrainSeeds::Tied {
        out.push(
            "Each training seed has a pre-training of its own, so that the two are tied: they are drawn together, and what \
             the one and the other move cannot be told apart."
                .into(),
        );
    }
    out.push("In a corpus that is split by speaker, read speaker for video.".into());
    if study.folds().len() > 1 {
        out.push(
            "A run is one training seed, label draw and pre-training; its value is the mean over all folds, each weighted by its \
             test videos. A pair is two runs of the same seeds and label draw."
                .into(),
        );
    }
    if differ_by_fold(&study.budgets) {
        out.push(
            "A label budget is one budget in all folds, though folds of other size give it other numbers of labels. Curves, areas \
             and label equivalence use the mean over folds."
                .into(),
        );
    }
    if s.clusters < 2 {
        out.push("One video alone says nothing of others: no interval could be computed.".into());
    } else if s.clusters < FEW_CLUSTERS {
        out.push(format!(
            "{} test videos are few: the plain percentile interval would be too short, so the expanded percentile interval is \
             given, with the tails of Student's t for {} of freedom.",
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
            "{}: too few to know their spread. Another study with other ones may differ by more than these intervals say.",
            few.join(" and ")
        ));
    }
    out.push(format!(
        "p is two-sided: how often signs at random, of what each video, seed and label draw adds to the difference, \
         give a mean at least as far from 0. A difference is claimed where the interval leaves out 0 and p is below {alpha}. \
         The primary contrast{} stands alone; over the emotions Holm's adjusted p is taken; every other \
         p is not adjusted and only describes.",
        match study.named() {
            true => ", named before the run,",
            false => " (no label budget was named before the run, so it is that with the fewest labels)",
        }
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::meaning;
    use crate::ReportInput;
    use crate::study::Study;
    use crate::study::tests::answered;
    use eval::Metric;

    fn of(clusters: usize, seeds: usize, draws: usize) -> String {
        let mut input = answered(Metric::RocAuc, &[(10, Some((0.1, 0.2)), None)]);
        let statistics = input.statistics.as_mut().unwrap();
        (statistics.clusters, statistics.seeds, statistics.draws) = (clusters, seeds, draws);
        meaning(&Study::new(&input).unwrap()).join(" ")
    }

    #[test]
    fn what_was_drawn_is_said() {
        let got = of(678, 5, 4);
        assert!(got.contains("95 % intervals. The study was drawn anew 10,000 times"), "{got}");
        assert!(got.contains("its 678 test videos, 5 training seeds and 4 label draws each with replacement"), "{got}");
        assert!(!got.contains("too few") && !got.contains("expanded"), "{got}");
    }

    #[test]
    fn few_clusters_seeds_and_draws_are_owned_up_to() {
        let got = of(24, 2, 1);
        assert!(got.contains("24 test videos are few: the plain percentile interval would be too short"), "{got}");
        assert!(got.contains("Student's t for 23 degrees of freedom"), "{got}");
        assert!(got.contains("2 training seeds and 1 label draw: too few to know their spread"), "{got}");
        let got = of(24, 2, 3);
        assert!(got.contains(" 2 training seeds: too few") && !got.contains("3 label draws: too few"), "{got}");
        assert!(of(1, 3, 3).contains("no interval could be computed"));
    }

    #[test]
    fn without_statistics_nothing_is_claimed() {
        let input = ReportInput::default();
        let got = meaning(&Study::new(&input).unwrap());
        assert!(got[0].starts_with("No intervals and no tests were computed"), "{got:?}");
    }
}
