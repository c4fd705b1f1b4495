use super::*;
use crate::ReportInput;
use crate::study::tests::{answered, needed, row};
use eval::Metric;
use eval::statistics::Equivalence;
use run_record::ResultRow;

fn of(input: ReportInput) -> Verdict {
    verdict(&Study::new(&input).unwrap())
}

/// One budget of 160 labels, its difference with these ends and this p.
fn one(ends: Option<(f64, f64)>, p: Option<f64>) -> ReportInput {
    answered(Metric::RocAuc, &[(160, ends, p)])
}

#[test]
fn a_gain_is_reported_with_its_interval_and_the_labels_it_saves() {
    let mut input = one(Some((0.02, 0.06)), Some(0.0031));
    needed(
        &mut input,
        0,
        Equivalence::About(368.0),
        (Equivalence::About(192.0), Equivalence::NotReached(960.0)),
    );
    assert_eq!(
        of(input).headline,
        "Pre-training helped: with 160 labels, ssl reaches 0.610 and scratch 0.570 macro ROC AUC: a difference of +0.040 \
         [+0.020, +0.060], p = 0.003; scratch needs about 2.3 times the labels (1.2 to not reached)."
    );
}

#[test]
fn a_gain_that_scratch_never_reaches() {
    let mut input = one(Some((0.02, 0.06)), Some(0.0001));
    needed(
        &mut input,
        0,
        Equivalence::NotReached(960.0),
        (Equivalence::About(320.0), Equivalence::NotReached(960.0)),
    );
    let got = of(input).headline;
    assert!(
        got.contains("p < 0.001; scratch does not reach that with 960 labels, the largest budget"),
        "{got}"
    );
    assert!(
        got.ends_with("(confidence interval: 2.0 times the labels to not reached)."),
        "{got}"
    );
}

#[test]
fn harm_is_reported_as_plainly() {
    let mut input = one(Some((-0.05, -0.01)), Some(0.02));
    needed(
        &mut input,
        0,
        Equivalence::AtMost(24.0),
        (Equivalence::AtMost(24.0), Equivalence::About(80.0)),
    );
    let got = of(input).headline;
    assert!(
        got.starts_with("Pre-training hurt: with 160 labels, ssl reaches 0.570 and scratch 0.600"),
        "{got}"
    );
    assert!(
        got.contains("a difference of \u{2212}0.030 [\u{2212}0.050, \u{2212}0.010], p = 0.020"),
        "{got}"
    );
    assert!(
        got.ends_with(
            "scratch reaches that with 24 labels, the smallest budget (confidence interval: below the smallest budget to 0.5 \
             times the labels)."
        ),
        "{got}"
    );
}

#[test]
fn no_difference_is_reported_with_the_compatible_range() {
    let got = of(one(Some((-0.02, 0.03)), Some(0.6))).headline;
    assert!(
        got.starts_with("No difference was found: with 160 labels, ssl reaches"),
        "{got}"
    );
    assert!(
        got.ends_with("p = 0.60; the data are compatible with anything from a loss of 0.020 to a gain of 0.030."),
        "{got}"
    );
}

#[test]
fn a_lower_error_is_better() {
    let got = of(answered(
        Metric::Mae,
        &[(160, Some((-0.05, -0.01)), Some(0.02))],
    ))
    .headline;
    assert!(
        got.starts_with("Pre-training helped")
            && got.contains("macro MAE (lower is better): a difference"),
        "{got}"
    );
    let got = of(answered(
        Metric::Mae,
        &[(160, Some((-0.05, 0.01)), Some(0.2))],
    ))
    .headline;
    assert!(
        got.ends_with("from a loss of 0.010 to a gain of 0.050."),
        "{got}"
    );
}

#[test]
fn interval_and_test_that_disagree_claim_nothing() {
    let got = of(one(Some((0.01, 0.03)), Some(0.2))).headline;
    assert!(
        got.starts_with("No clear difference was found")
            && got.ends_with("so no difference is claimed."),
        "{got}"
    );
}

#[test]
fn without_an_interval_nothing_is_claimed() {
    let got = of(one(None, Some(0.001)));
    assert!(
        got.headline
            .starts_with("It is undetermined whether pre-training helped: with 160 labels, ssl"),
        "{got:?}"
    );
    assert!(
        got.headline
            .ends_with(", for which no confidence interval could be computed."),
        "{got:?}"
    );
    assert!(!got.headline.contains("p ="), "{got:?}");
    assert!(
        got.budgets[0].contains("no confidence interval could be computed, no difference claimed"),
        "{got:?}"
    );
    let without = ReportInput {
        statistics: None,
        ..one(Some((0.5, 0.6)), Some(0.001))
    };
    assert!(
        of(without)
            .headline
            .ends_with(", for which no confidence interval could be computed.")
    );
}

#[test]
fn each_budget_is_said_as_it_is() {
    let input = answered(
        Metric::RocAuc,
        &[
            (24, Some((0.01, 0.05)), Some(0.01)),
            (72, Some((-0.01, 0.02)), Some(0.4)),
            (216, Some((-0.11, -0.07)), Some(0.01)),
            (1037, None, None),
        ],
    );
    let got = of(ReportInput {
        primary_budget: Some("f0.0216".into()),
        ..input
    });
    assert!(
        got.headline
            .starts_with("Pre-training hurt: with 216 labels"),
        "{}",
        got.headline
    );
    assert_eq!(
        got.budgets,
        [
            "24 labels: ssl is better (+0.030 [+0.010, +0.050], p = 0.010); ssl is better in 3 of 3 pairs.",
            "72 labels: no difference found (+0.005 [\u{2212}0.010, +0.020], p = 0.40); ssl is better in 3 of 3 pairs.",
            "216 labels (the primary contrast, chosen before the run): scratch is better (\u{2212}0.090 [\u{2212}0.110, \u{2212}0.070], p = 0.010); ssl \
             is better in 0 of 3 pairs.",
            "1,037 labels: no confidence interval could be computed, no difference claimed (0.000); ssl is better in 0 of 3 pairs.",
        ]
    );
}

#[test]
fn without_pairs_nothing_is_claimed() {
    let alone = |results: Vec<ResultRow>| {
        of(ReportInput {
            results,
            ..ReportInput::default()
        })
    };
    let got = alone(vec![row("ssl", 24, 0.1, [0, 0, 0], Some(0.9))]);
    assert!(
        got.headline.ends_with(
            "whether pre-training helped: with 24 labels, the study has no results of scratch."
        ),
        "{}",
        got.headline
    );
    assert!(got.budgets.is_empty());
    let apart = [
        row("ssl", 24, 0.1, [0, 0, 0], Some(0.9)),
        row("scratch", 24, 0.1, [0, 1, 0], Some(0.9)),
    ];
    assert_eq!(
        alone(apart.to_vec()).budgets,
        [
            "24 labels (the primary contrast): no run of ssl has the same seed and label draw as a run of scratch."
        ]
    );
    assert_eq!(
        alone(Vec::new()).headline,
        "It is undetermined whether pre-training helped: there is no result."
    );
}

#[test]
fn too_few_positives_are_named_as_the_cause() {
    let of_emotion = |start: &str, emotion: &str, support, value| ResultRow {
        emotion: emotion.into(),
        support,
        ..row(start, 24, 0.1, [0, 0, 0], value)
    };
    let results = ["ssl", "scratch"].into_iter().flat_map(|start| {
        [
            of_emotion(start, "fear", 3, Some(0.9)),
            of_emotion(start, "sad", 1, Some(0.6)),
            of_emotion(start, "macro", 4, Some(0.75)),
        ]
    });
    let got = of(ReportInput {
        results: results.collect(),
        ..ReportInput::default()
    });
    assert_eq!(
        got.headline,
        "It is undetermined whether pre-training helped: with 24 labels, no emotion has the 5 positive and 5 negative test rows needed to \
         report a metric (fear has 3 positives, sad has 1 positive)."
    );
}

#[test]
fn a_primary_budget_that_is_not_there_yet_is_not_replaced() {
    let got = of(ReportInput {
        primary_budget: Some("n960".into()),
        ..one(Some((0.02, 0.06)), Some(0.01))
    });
    assert_eq!(
        got.headline,
        "It is undetermined whether pre-training helped: there is no result of label budget n960."
    );
    assert_eq!(got.budgets.len(), 1);
}

#[test]
fn missing_cells_are_mentioned() {
    let input = ReportInput {
        planned_cells: 5,
        finished_cells: 3,
        ..ReportInput::default()
    };
    let got = of(input).incomplete.unwrap();
    assert!(
        got.starts_with("2 of 5 planned cells are not finished"),
        "{got}"
    );
}

#[test]
fn the_control_without_an_encoder_is_compared_in_the_same_sentence() {
    let against = |low: f64, high: f64, p: f64| {
        let mut input = one(Some((0.02, 0.06)), Some(0.0031));
        let statistics = input.statistics.as_mut().unwrap();
        let mut contrast = statistics.contrasts[0].clone();
        contrast.difference.value = (low + high) / 2.0;
        contrast.difference.interval = Some(eval::statistics::Interval { low, high });
        contrast.p = Some(p);
        statistics.others.push(eval::statistics::OtherContrast {
            other: "pooled-logistic".into(),
            contrast,
        });
        of(input).headline
    };
    let got = against(-0.05, -0.01, 0.01);
    assert!(
        got.ends_with("; ssl is worse than pooled-logistic, the control without an encoder (-0.030 [-0.050, -0.010], p = 0.010).")
            || got.ends_with(
                "; ssl is worse than pooled-logistic, the control without an encoder (\u{2212}0.030 [\u{2212}0.050, \u{2212}0.010], p = 0.010)."
            ),
        "{got}"
    );
    assert!(against(0.01, 0.03, 0.01).contains("; ssl is better than pooled-logistic"));
    assert!(
        against(-0.01, 0.03, 0.4)
            .contains("; no difference was found between ssl and pooled-logistic")
    );
}

#[test]
fn a_single_label_draw_makes_the_headline_conditional() {
    let with = |seeds, draws| {
        let mut input = one(Some((0.01, 0.05)), Some(0.01));
        let statistics = input.statistics.as_mut().unwrap();
        (statistics.seeds, statistics.draws) = (seeds, draws);
        of(input).headline
    };
    assert!(!with(2, 2).contains("conditional"));
    assert!(
        with(3, 1).ends_with("This is conditional on one label draw: others may differ by more."),
        "{}",
        with(3, 1)
    );
    assert!(with(1, 1).contains("conditional on one training seed and one label draw:"));
}
