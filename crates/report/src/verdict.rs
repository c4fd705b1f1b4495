//! What the run says about pre-training, in sentences, computed from the rows alone.

use crate::numbers::{count, fixed, listed, signed};
use crate::paired::{BASELINE, FEWEST_PAIRS, Paired, Reading, TREATED};
use crate::study::{Scope, Study};

/// The headline and a sentence for each label budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub headline: String,
    pub budgets: Vec<String>,
    pub incomplete: Option<String>,
}

/// How the sentences were arrived at, and what they do not take into account.
pub(crate) const RULE: &str = "The rule: a pair is one run of each start with the same fold, seed and label draw. \
    A mean difference counts only when it is larger than twice its standard error over the pairs (standard deviation \
    divided by the square root of the number of pairs); otherwise it is no difference to speak of. Fewer than three pairs \
    say nothing. This is a rule of \
    thumb and not a test: pairs share test segments, encoders and label draws, so they are not independent, and few pairs pass it by \
    chance more often than many. Intervals \
    that respect speakers or videos are not part of this report yet.";

/// Reads the paired differences of the primary metric.
pub(crate) fn verdict(study: &Study<'_>) -> Verdict {
    let what = format!("macro {}", study.primary.title());
    let all: Vec<(String, Paired)> = (0..study.budgets.len())
        .filter_map(|b| Some((study.budgets[b].label(), Paired::of(study, b, Scope::Macro, study.primary)?)))
        .collect();
    let at = |readings: &[Reading]| -> Vec<String> {
        all.iter().filter(|(_, p)| readings.contains(&p.reading())).map(|(label, _)| label.clone()).collect()
    };
    let (ahead, behind) = (at(&[Reading::Ahead]), at(&[Reading::Behind]));
    let (same, open) = (at(&[Reading::NoDifference]), at(&[Reading::TooFew]));
    let headline = if open.len() == all.len() {
        format!(
            "Whether pre-training helped cannot be said: no label budget has {FEWEST_PAIRS} pairs of {TREATED} and \
             {BASELINE} runs."
        )
    } else {
        let parts = [
            (&ahead, "helped with"),
            (&behind, "did harm with"),
            (&same, "made no difference to speak of with"),
            (&open, "is not to be judged for want of pairs with"),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(budgets, _)| !budgets.is_empty())
            .map(|(budgets, verb)| format!("{verb} {} labels", listed(budgets)))
            .collect();
        format!("Judged by {what} on the test segments, pre-training {}.", said.join("; it "))
    };
    Verdict { headline, budgets: all.iter().map(|(l, p)| sentence(l, p)).collect(), incomplete: incomplete(study) }
}

fn sentence(labels: &str, paired: &Paired) -> String {
    let Some(spread) = paired.spread() else {
        return format!("{labels} labels: no pair in which both {TREATED} and {BASELINE} have a value.");
    };
    let (n, ahead) = (spread.n, paired.ahead);
    let in_pairs = format!("{TREATED} is ahead in {ahead} of {n} pairs");
    let range = format!(
        "differences from {} to {}, standard deviation {}",
        signed(spread.min, 3),
        signed(spread.max, 3),
        spread.sd.map_or("unknown".to_string(), |sd| fixed(sd, 3)),
    );
    let size = fixed(spread.mean.abs(), 3);
    let mean = signed(spread.mean, 3);
    match paired.reading() {
        Reading::Ahead => format!("{labels} labels: {TREATED} is better by {size} on average; {in_pairs}; {range}."),
        Reading::Behind => format!("{labels} labels: {BASELINE} is better by {size} on average; {in_pairs}; {range}."),
        Reading::NoDifference => {
            format!("{labels} labels: no difference to speak of ({mean} on average); {in_pairs}; {range}.")
        }
        Reading::TooFew => {
            let pairs = if n == 1 { "one pair".to_string() } else { format!("{n} pairs") };
            format!("{labels} labels: {pairs} only, too few to say anything ({mean} on average).")
        }
    }
}

fn incomplete(study: &Study<'_>) -> Option<String> {
    let (planned, finished) = (study.input.planned_cells, study.input.finished_cells);
    let missing = planned.saturating_sub(finished);
    (missing > 0).then(|| {
        format!(
            "{} of {} planned cells {} not finished: all of this may change.",
            count(missing as u64),
            count(planned as u64),
            if missing == 1 { "is" } else { "are" },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use run_record::ResultRow;

    fn arms(labels: i32, pairs: &[(f64, f64)]) -> Vec<ResultRow> {
        let both = |(seed, &(ssl, scratch)): (i32, &(f64, f64))| {
            let fraction = f64::from(labels) / 1000.0;
            ["ssl", "scratch"]
                .map(|s| row(s, labels, fraction, [0, seed, 0], Some(if s == "ssl" { ssl } else { scratch })))
        };
        (0..).zip(pairs).flat_map(both).collect()
    }

    fn of(results: Vec<ResultRow>) -> Verdict {
        verdict(&Study::new(&ReportInput { results, ..ReportInput::default() }).unwrap())
    }

    #[test]
    fn each_budget_is_said_as_it_is() {
        let rows = [
            arms(24, &[(0.62, 0.6), (0.64, 0.6), (0.63, 0.6)]),
            arms(72, &[(0.65, 0.66), (0.68, 0.66), (0.665, 0.66)]),
            arms(216, &[(0.6, 0.7), (0.61, 0.7), (0.62, 0.7)]),
            arms(1037, &[(0.8, 0.7)]),
        ];
        let got = of(rows.concat());
        assert_eq!(
            got.headline,
            "Judged by macro ROC AUC on the test segments, pre-training helped with 24 labels; it did harm with \
             216 labels; it made no difference to speak of with 72 labels; it is not to be judged for want of pairs \
             with 1,037 labels."
        );
        assert_eq!(
            got.budgets,
            [
                "24 labels: ssl is better by 0.030 on average; ssl is ahead in 3 of 3 pairs; differences from +0.020 \
                 to +0.040, standard deviation 0.010.",
                "72 labels: no difference to speak of (+0.005 on average); ssl is ahead in 2 of 3 pairs; differences \
                 from \u{2212}0.010 to +0.020, standard deviation 0.015.",
                "216 labels: scratch is better by 0.090 on average; ssl is ahead in 0 of 3 pairs; differences from \
                 \u{2212}0.100 to \u{2212}0.080, standard deviation 0.010.",
                "1,037 labels: one pair only, too few to say anything (+0.100 on average).",
            ]
        );
    }

    #[test]
    fn without_pairs_nothing_is_claimed() {
        let got = of(vec![row("ssl", 24, 0.1, [0, 0, 0], Some(0.9))]);
        assert!(got.headline.starts_with("Whether pre-training helped cannot be said"), "{}", got.headline);
        assert!(got.budgets.is_empty());
    }

    #[test]
    fn missing_cells_are_said() {
        let input = ReportInput { planned_cells: 5, finished_cells: 3, ..ReportInput::default() };
        let got = verdict(&Study::new(&input).unwrap()).incomplete.unwrap();
        assert!(got.starts_with("2 of 5 planned cells are not finished"), "{got}");
    }
}
