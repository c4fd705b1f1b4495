//! Statistics against scipy's, scikit-learn's and numpy's numbers; `golden/make_statistics.py` made them.

use eval::statistics::{
    Equivalence, area_under_curve, bca, delong, holm, interquartile_mean, labels_to_reach, percentile,
    probability_of_improvement, sign_flip,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    intervals: Vec<Intervals>,
    sign_flips: Vec<Signs>,
    delongs: Vec<Aucs>,
    robust: Robust,
    curves: Vec<Curve>,
    adjusted: Adjusted,
}

#[derive(Deserialize)]
struct Intervals {
    draws: Vec<f64>,
    estimate: f64,
    jackknife: Vec<f64>,
    percentile: [f64; 2],
    bca: [f64; 2],
}

#[derive(Deserialize)]
struct Signs {
    data: Vec<f64>,
    p: f64,
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

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/statistics.json")).expect("the fixture reads")
}

fn near(what: &str, got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-10, "{what}: {got}, expected {expected}");
}

#[test]
fn intervals_equal_scipy() {
    for case in golden().intervals {
        let got = percentile(&case.draws, 0.9).unwrap();
        near("percentile, low", got.low, case.percentile[0]);
        near("percentile, high", got.high, case.percentile[1]);
        let got = bca(&case.draws, case.estimate, &case.jackknife, 0.9).unwrap();
        near("bca, low", got.low, case.bca[0]);
        near("bca, high", got.high, case.bca[1]);
    }
}

#[test]
fn sign_flips_equal_scipy() {
    for case in golden().sign_flips {
        let got = sign_flip(&case.data, &[], 1000, 0).unwrap();
        assert!(got.exact);
        near("p", got.p, case.p);
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
    near("interquartile mean", interquartile_mean(&case.values).unwrap(), case.interquartile_mean);
    near("probability", probability_of_improvement(&case.tasks).unwrap(), case.probability_of_improvement);
}

#[test]
fn curves_equal_numpy_and_isotonic_regression() {
    for case in golden().curves {
        let points: Vec<(f64, f64)> = case.labels.iter().copied().zip(case.values.iter().copied()).collect();
        near("area", area_under_curve(&points).unwrap(), case.area);
        let got = labels_to_reach(&points, case.target, true);
        let Some(Equivalence::About(labels)) = got else { panic!("{got:?}") };
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
