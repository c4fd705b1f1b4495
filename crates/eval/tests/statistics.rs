//! Statistics against scipy's, scikit-learn's and numpy's numbers; `golden/make_statistics.py` made
//! them.

mod made_up;

use eval::run::PretrainSeeds;
use eval::statistics::{
    Equivalence, SourceLevels, StudySample, area_under_curve, crossed_components, delong, holm,
    interquartile_mean, labels_to_reach, multiway, probability_of_improvement,
};
use made_up::{analysis, cell, tested};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    t_tests: Vec<TTest>,
    delongs: Vec<Aucs>,
    robust: Robust,
    curves: Vec<Curve>,
    adjusted: Adjusted,
    crossed: Crossed,
}

#[derive(Deserialize)]
struct TTest {
    data: Vec<f64>,
    p: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct Aucs {
    present: Vec<bool>,
    first: Vec<f64>,
    second: Vec<f64>,
    aucs: [f64; 2],
    variance: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Robust {
    values: Vec<f64>,
    interquartile_mean: f64,
    tasks: Vec<(Vec<f64>, Vec<f64>)>,
    probability_of_improvement: f64,
}

#[derive(Deserialize)]
struct Curve {
    labels: Vec<f64>,
    values: Vec<f64>,
    target: f64,
    reached_at: f64,
    area: f64,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    holm: Vec<f64>,
}

/// Errors by pre-training, training seed, label draw and video.
#[derive(Deserialize)]
struct Crossed {
    ssl: Vec<Vec<Vec<Vec<f64>>>>,
    scratch: Vec<Vec<Vec<f64>>>,
    difference: f64,
    each: Vec<f64>,
    p: f64,
    components: Vec<f64>,
    interval: [f64; 2],
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/statistics.json")).expect("the fixture reads")
}

fn near(what: &str, got: f64, expected: f64) {
    assert!(
        (got - expected).abs() < 1e-10,
        "{what}: {got}, expected {expected}"
    );
}

#[test]
fn one_source_equals_scipys_t_test() {
    for case in golden().t_tests {
        let value = case.data.iter().sum::<f64>() / case.data.len() as f64;
        let got = multiway(
            value,
            &[SourceLevels::alike(case.data).variance().unwrap()],
            0.9,
        )
        .unwrap();
        near("p", got.p, case.p);
        near("low", got.interval.low, case.interval[0]);
        near("high", got.interval.high, case.interval[1]);
    }
}

#[test]
fn delong_equals_the_definition() {
    for case in golden().delongs {
        let got = delong(&case.present, &case.first, &case.second).unwrap();
        near("first AUC", got.first, case.aucs[0]);
        near("second AUC", got.second, case.aucs[1]);
        near("variance", got.variance, case.variance);
        near("p", got.p, case.p);
    }
}

#[test]
fn robust_aggregates_equal_scipy() {
    let case = golden().robust;
    near(
        "interquartile mean",
        interquartile_mean(&case.values).unwrap(),
        case.interquartile_mean,
    );
    near(
        "probability",
        probability_of_improvement(&case.tasks).unwrap(),
        case.probability_of_improvement,
    );
}

#[test]
fn curves_equal_numpy_and_isotonic_regression() {
    for case in golden().curves {
        let points: Vec<(f64, f64)> = case
            .labels
            .iter()
            .copied()
            .zip(case.values.iter().copied())
            .collect();
        near("area", area_under_curve(&points).unwrap(), case.area);
        let got = labels_to_reach(&points, case.target, true);
        let Some(Equivalence::About(labels)) = got else {
            panic!("{got:?}")
        };
        near("labels", labels, case.reached_at);
    }
}

#[test]
fn holm_equals_numpy() {
    let case = golden().adjusted;
    let p: Vec<Option<f64>> = case.p.iter().copied().map(Some).collect();
    for (got, expected) in holm(&p).into_iter().zip(case.holm) {
        near("p", got.unwrap(), expected);
    }
}

/// Four videos in one fold.
fn sample_of(pretrain_seeds: PretrainSeeds) -> StudySample {
    StudySample::new(analysis(pretrain_seeds), (0..4).map(|v| tested(0, v)))
}

#[test]
fn crossed_pretraining_seeds_equal_numpy() {
    let case = golden().crossed;
    let mut sample = sample_of(PretrainSeeds::Crossed);
    let mut levels = Vec::new();
    for seed in 0..2 {
        for draw in 0..2 {
            sample
                .add(&cell(
                    "scratch",
                    0,
                    [seed, draw],
                    None,
                    &case.scratch[seed][draw],
                ))
                .unwrap();
            for p in 0..2 {
                sample
                    .add(&cell(
                        "ssl",
                        0,
                        [seed, draw],
                        Some(p),
                        &case.ssl[p][seed][draw],
                    ))
                    .unwrap();
                levels.push(vec![p, seed, draw]);
            }
        }
    }
    let statistics = sample.finish();
    assert_eq!(
        (
            statistics.seeds,
            statistics.draws,
            statistics.pretrain_seeds
        ),
        (2, 2, Some(2))
    );
    let contrast = statistics
        .contrasts
        .iter()
        .find(|c| c.emotion == "macro")
        .unwrap();
    assert_eq!(
        contrast.pairs, 8,
        "each pre-training meets the one scratch of its training seed and label draw"
    );
    near("difference", contrast.difference.value, case.difference);
    near("arms", contrast.arms[0] - contrast.arms[1], case.difference);
    for (got, expected) in contrast.each.iter().zip(&case.each) {
        near("pair", *got, *expected);
    }
    near("p", contrast.p.unwrap(), case.p);
    let interval = contrast.difference.interval.unwrap();
    near("low", interval.low, case.interval[0]);
    near("high", interval.high, case.interval[1]);
    let found = crossed_components(&["pre-training", "seed", "draw"], &levels, &case.each).unwrap();
    for (component, expected) in found.iter().zip(&case.components) {
        near(&component.source, component.variance.unwrap(), *expected);
    }
}

#[test]
fn what_is_tied_is_a_matter_of_the_plan_and_not_of_what_has_finished() {
    let case = golden().crossed;
    let study = |way: PretrainSeeds| {
        let mut sample = sample_of(way);
        for seed in 0..2 {
            sample
                .add(&cell("scratch", 0, [seed, 0], None, &case.scratch[seed][0]))
                .unwrap();
            sample
                .add(&cell(
                    "ssl",
                    0,
                    [seed, 0],
                    Some(seed),
                    &case.ssl[seed][seed][0],
                ))
                .unwrap();
        }
        sample.finish()
    };
    let tied = study(PretrainSeeds::Tied);
    assert_eq!((tied.pretrain_seeds, tied.seeds), (None, 2));
    // The same cells, of a crossed study of which only (0, 0) and (1, 1) are done: two sources, and
    // an interval that knows it.
    let crossed = study(PretrainSeeds::Crossed);
    assert_eq!((crossed.pretrain_seeds, crossed.seeds), (Some(2), 2));
    let primary = |s: &eval::statistics::StudyStatistics| {
        s.contrasts
            .iter()
            .find(|c| c.emotion == "macro")
            .cloned()
            .unwrap()
    };
    let (tied, crossed) = (primary(&tied), primary(&crossed));
    assert_eq!(
        (tied.difference.value, tied.pairs),
        (crossed.difference.value, crossed.pairs)
    );
    assert_ne!(tied.difference.interval, crossed.difference.interval);
}

#[test]
fn the_treated_start_is_compared_with_every_other() {
    let case = golden().crossed;
    let mut sample = sample_of(PretrainSeeds::None);
    for seed in 0..2 {
        sample
            .add(&cell("ssl", 0, [seed, 0], None, &case.ssl[0][seed][0]))
            .unwrap();
        // The same predictions under both names: their statistics must be equal.
        sample
            .add(&cell("scratch", 0, [seed, 0], None, &case.scratch[seed][0]))
            .unwrap();
        sample
            .add(&cell("control", 0, [seed, 0], None, &case.scratch[seed][0]))
            .unwrap();
    }
    let statistics = sample.finish();
    let primary: Vec<_> = statistics
        .contrasts
        .iter()
        .filter(|c| c.emotion == "macro")
        .collect();
    assert!(!primary.is_empty() && statistics.others.len() == primary.len());
    for (other, contrast) in statistics.others.iter().zip(primary) {
        assert_eq!(
            (other.other.as_str(), &other.contrast),
            ("control", contrast)
        );
    }
}
