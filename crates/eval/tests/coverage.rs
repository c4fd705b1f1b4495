//! Do 95 % intervals hold the truth in 95 % of studies, and do tests raise false alarms in 5 %?
//! Many studies are made up, of which the truth is known. All is seeded: the shares below do not
//! change from run to run.

use eval::Metric;
use eval::run::PretrainSeeds;
use eval::statistics::{
    AnalysisPlan, Clustered, ClusteredRow, Equivalence, Resamples, StudySample,
};
use eval::statistics::{expanded_percentile, percentile, sign_flip};
use rand::RngExt;
use rand::rngs::ChaCha12Rng;
use run_record::seed::{Stream, rng_named};
use run_record::{CellId, CellPredictions, PredictionRow};
use statrs::distribution::{ContinuousCDF, Normal};

fn normal(rng: &mut ChaCha12Rng) -> f64 {
    // Never 0 or 1.
    Normal::standard()
        .inverse_cdf((rng.random_range(0..1_u32 << 30) as f64 + 0.5) / f64::from(1_u32 << 30))
}

/// How far apart present and absent rows score, and how much the clusters differ.
const SHIFT: f64 = 0.8;
const CLUSTER_SD: f64 = 0.4;

/// Clusters of `each` rows that share a shift of their own.
fn clustered(rng: &mut ChaCha12Rng, clusters: usize, each: usize) -> Clustered {
    let mut rows = Vec::new();
    for cluster in 0..clusters {
        let own = CLUSTER_SD * normal(rng);
        for i in 0..each {
            let present = i % 3 == 0;
            let score = own + normal(rng) + if present { SHIFT } else { 0.0 };
            rows.push(ClusteredRow {
                cluster,
                present,
                score: Some(score),
                threshold: 0.0,
                intensity: 0.0,
                predicted: None,
            });
        }
    }
    Clustered::new(&rows).expect("finite rows")
}

/// Shares of studies whose percentile and expanded intervals hold the AUC that studies of this size
/// have on average.
fn coverage(clusters: usize, each: usize, studies: usize) -> [f64; 2] {
    let normal = Normal::standard();
    // Pairs within a cluster share its shift.
    let within = 1.0 / clusters as f64;
    let auc = |variance: f64| normal.cdf(SHIFT / variance.sqrt());
    let truth = within * auc(2.0) + (1.0 - within) * auc(2.0 * (1.0 + CLUSTER_SD * CLUSTER_SD));
    let mut held = [0, 0];
    for study in 0..studies {
        let sample = clustered(
            &mut rng_named(1, Stream::Synth, &format!("study {study}")),
            clusters,
            each,
        );
        let resamples = Resamples::bootstrap(study as u64, "clusters", clusters, 599);
        let draws = sample.replicates(Metric::RocAuc, &resamples);
        for (held, interval) in held.iter_mut().zip([
            percentile(&draws, 0.95),
            expanded_percentile(&draws, 0.95, clusters),
        ]) {
            *held += usize::from(interval.is_some_and(|i| (i.low..=i.high).contains(&truth)));
        }
    }
    held.map(|h| h as f64 / studies as f64)
}

#[test]
fn intervals_hold_with_24_clusters_where_the_plain_percentile_falls_short() {
    let [plain, expanded] = coverage(24, 15, 2000);
    assert!((0.93..=0.97).contains(&expanded), "expanded: {expanded}");
    assert!(plain < expanded, "plain: {plain}, expanded: {expanded}");
}

#[test]
fn intervals_hold_with_678_clusters() {
    let [plain, expanded] = coverage(678, 7, 600);
    assert!((0.93..=0.97).contains(&expanded), "expanded: {expanded}");
    assert!(
        (plain - expanded).abs() < 0.02,
        "plain: {plain}, expanded: {expanded}"
    );
}

#[test]
fn sign_flips_raise_few_false_alarms() {
    let studies = 4000;
    let alarms = (0..studies).filter(|study| {
        let mut rng = rng_named(2, Stream::Synth, &format!("study {study}"));
        let differences: Vec<f64> = (0..24).map(|_| normal(&mut rng)).collect();
        sign_flip(&differences, &[], 499, *study).unwrap().p < 0.05
    });
    let share = alarms.count() as f64 / studies as f64;
    assert!((0.04..=0.06).contains(&share), "{share}");
}

/// A study of two starts that differ by chance alone, or by `gain`: videos, training seeds and
/// label draws each have their say in every difference, and so has each of `pretrainings` that
/// training seeds are crossed with.
fn study(number: u64, gain: f64, pretrainings: Option<i32>) -> StudySample {
    const VIDEOS: usize = 24;
    let mut rng = rng_named(3, Stream::Synth, &format!("study {number}"));
    let analysis = AnalysisPlan {
        treated: "ssl".into(),
        baseline: "scratch".into(),
        pretrain_seeds: pretrainings.map_or(PretrainSeeds::None, |_| PretrainSeeds::Crossed),
        metrics: vec![Metric::Mae],
        resamples: 299,
        level: 0.95,
        seed: number,
    };
    let names: Vec<String> = (0..VIDEOS).map(|v| format!("v{v}")).collect();
    let mut sample = StudySample::new(analysis, names.iter().map(|v| (0, v.clone())));
    let effects: Vec<f64> = (0..VIDEOS).map(|_| 0.05 * normal(&mut rng)).collect();
    let draws: Vec<f64> = (0..4).map(|_| 0.01 * normal(&mut rng)).collect();
    let of_pretraining: Vec<f64> = (0..pretrainings.unwrap_or(0))
        .map(|_| 0.02 * normal(&mut rng))
        .collect();
    let crossed: Vec<Option<i32>> = pretrainings.map_or(vec![None], |n| (0..n).map(Some).collect());
    for seed in 0..if pretrainings.is_some() { 4 } else { 5 } {
        let of_seed = 0.02 * normal(&mut rng);
        for (draw, of_draw) in (0..).zip(&draws) {
            let treated = crossed.iter().map(|&p| ("ssl", 1.0, p));
            for (start, effect, pretrain_seed) in treated.chain([("scratch", 0.0, None)]) {
                let of_run =
                    of_seed + of_draw + pretrain_seed.map_or(0.0, |p| of_pretraining[p as usize]);
                let id = CellId {
                    cell: format!("{start}-{seed}-{draw}-{pretrain_seed:?}"),
                    fold: 0,
                    start: start.into(),
                    fraction: 0.5,
                    n_labels: 10,
                    seed,
                    draw,
                    budget: "n10".into(),
                    pretrain_seed,
                };
                let rows = (0..VIDEOS).map(|v| {
                    let error =
                        1.0 + effect * (of_run + effects[v] + gain) + 0.02 * normal(&mut rng);
                    PredictionRow {
                        split: "test".into(),
                        video: names[v].clone(),
                        segment: 0,
                        emotion: "happy".into(),
                        intensity: 0.0,
                        present: false,
                        score: None,
                        predicted_intensity: Some(error),
                        threshold: 0.5,
                    }
                });
                sample
                    .add(&CellPredictions {
                        id,
                        rows: rows.collect(),
                    })
                    .expect("a cell of this study");
            }
        }
    }
    sample
}

/// The shares of studies without an effect whose interval holds the truth, and that raise an alarm.
fn held_and_alarms(studies: u64, pretrainings: Option<i32>) -> [f64; 2] {
    let (mut held, mut alarms) = (0, 0);
    for number in 0..studies {
        let statistics = study(number, 0.0, pretrainings).finish();
        let contrast = statistics
            .contrasts
            .iter()
            .find(|c| c.emotion == "macro")
            .expect("a macro contrast");
        held += usize::from(
            contrast
                .difference
                .interval
                .is_some_and(|i| (i.low..=i.high).contains(&0.0)),
        );
        alarms += usize::from(contrast.p.is_some_and(|p| p < 0.05));
    }
    [held, alarms].map(|n| n as f64 / studies as f64)
}

#[test]
fn a_whole_study_covers_and_seldom_alarms() {
    let [held, alarms] = held_and_alarms(1500, None);
    assert!((0.93..=0.97).contains(&held), "intervals: {held}");
    assert!((0.04..=0.06).contains(&alarms), "false alarms: {alarms}");
}

#[test]
fn a_study_whose_pretrainings_matter_covers_and_seldom_alarms() {
    let [held, alarms] = held_and_alarms(1500, Some(4));
    assert!((0.93..=0.97).contains(&held), "intervals: {held}");
    assert!((0.04..=0.06).contains(&alarms), "false alarms: {alarms}");
}

#[test]
fn an_effect_is_found() {
    let statistics = study(1, -0.2, None).finish();
    let contrast = statistics
        .contrasts
        .iter()
        .find(|c| c.emotion == "macro")
        .unwrap();
    assert_eq!(contrast.pairs, 20);
    assert!(contrast.p.unwrap() < 0.01, "{contrast:?}");
    assert!(
        contrast.difference.interval.unwrap().high < 0.0,
        "{contrast:?}"
    );
}

#[test]
fn what_is_not_reached_survives_json() {
    let mut statistics = study(1, -0.2, None).finish();
    let labels = &mut statistics.equivalences[0];
    (labels.low, labels.high) = (Some(Equivalence::NotReached(10.0)), None);
    let text = serde_json::to_string(&statistics).expect("JSON");
    assert!(
        text.contains("\"questions\":{\"treated\""),
        "the key of the analysis plan in files of a run stays"
    );
    let back: eval::statistics::StudyStatistics = serde_json::from_str(&text).expect("the same");
    assert_eq!(back, statistics);
}
