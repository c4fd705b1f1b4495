//! Do 95 % intervals hold the truth in 95 % of studies, and do tests raise false alarms in 5 %?
//! Many studies are made up, of which the truth is known. All is seeded: the shares below do not
//! change from run to run.

#![allow(
    clippy::print_stdout,
    reason = "docs/statistics.md has the shares that --nocapture shows"
)]

mod made_up;

use eval::run::PretrainSeeds;
use eval::statistics::{self, Components, Equivalence, StudySample, StudyStatistics, TestVideo};
use made_up::{analysis, cell_of, video};
use rand::RngExt;
use rand::rngs::ChaCha12Rng;
use rand::seq::SliceRandom;
use run_record::CellPredictions;
use run_record::seed::{Stream, rng_named};
use statrs::distribution::{ContinuousCDF, Normal};

fn normal(rng: &mut ChaCha12Rng) -> f64 {
    // Never 0 or 1.
    Normal::standard()
        .inverse_cdf((rng.random_range(0..1_u32 << 30) as f64 + 0.5) / f64::from(1_u32 << 30))
}

/// How many levels of each source a made-up study has. With more than one fold each has models of
/// its own.
#[derive(Debug, Clone, Copy)]
struct Design {
    /// Partitions of the videos into folds.
    partitions: usize,
    folds: usize,
    /// In each fold.
    videos: usize,
    seeds: usize,
    draws: usize,
    /// Pre-trainings that training seeds are crossed with.
    pretrainings: Option<usize>,
    /// Standard deviation of what a label draw does in all folds alike.
    draw_sd: f64,
    /// The same of what a fold does in all its videos alike.
    fold_sd: f64,
}

/// Of the difference between starts: what a video adds, a training seed, a pre-training; a fold,
/// and a label draw and a seed in one fold alone; and the noise of a single prediction. On RAVDESS
/// folds, and draws and seeds within them, differ by about 0.02.
const VIDEO_SD: f64 = 0.05;
const SEED_SD: f64 = 0.01;
const PRETRAINING_SD: f64 = 0.02;
const FOLD_SD: f64 = 0.02;
const WITHIN_FOLD_SD: f64 = 0.02;
const NOISE_SD: f64 = 0.02;
const DRAW_SD: f64 = 0.01;

const fn design(folds: usize, videos: usize, seeds: usize, draws: usize) -> Design {
    Design {
        partitions: 1,
        folds,
        videos,
        seeds,
        draws,
        pretrainings: None,
        draw_sd: DRAW_SD,
        fold_sd: if folds > 1 { FOLD_SD } else { 0.0 },
    }
}

/// The videos of each fold; every partition has folds of its own.
fn groups(number: u64, d: Design) -> Vec<Vec<usize>> {
    let mut rng = rng_named(4, Stream::Synth, &format!("study {number}"));
    let partition = |_| {
        let mut order: Vec<usize> = (0..d.folds * d.videos).collect();
        order.shuffle(&mut rng);
        let groups = order.chunks(d.videos).map(<[usize]>::to_vec);
        groups.collect::<Vec<_>>()
    };
    (0..d.partitions).flat_map(partition).collect()
}

/// The test videos of a study.
fn tested(groups: &[Vec<usize>], d: Design) -> Vec<TestVideo> {
    let of_fold = |(fold, group): (usize, &Vec<usize>)| {
        let test = |v: &usize| TestVideo {
            partition: (fold / d.folds) as i32,
            fold: fold as i32,
            video: video(0, *v),
        };
        group.iter().map(test).collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of_fold).collect()
}

/// A study of two starts that differ by chance alone, or by `gain`.
fn study(number: u64, gain: f64, d: Design) -> StudySample {
    let pretrain_seeds = match d.pretrainings {
        Some(_) => PretrainSeeds::Crossed,
        None => PretrainSeeds::None,
    };
    let groups = groups(number, d);
    let mut sample = StudySample::new(analysis(pretrain_seeds), tested(&groups, d));
    each_cell(number, &groups, gain, d, |cell| {
        sample.add(&cell).expect("a cell of this study");
    });
    sample
}

/// The cells of such a study.
fn each_cell(
    number: u64,
    groups: &[Vec<usize>],
    gain: f64,
    d: Design,
    mut add: impl FnMut(CellPredictions),
) {
    let mut rng = rng_named(3, Stream::Synth, &format!("study {number}"));
    let mut effects =
        |n: usize, sd: f64| -> Vec<f64> { (0..n).map(|_| sd * normal(&mut rng)).collect() };
    let (seeds, draws) = (d.seeds, d.draws);
    let pretrainings = d.pretrainings.unwrap_or(0);
    let folds = groups.len();
    let of_fold = effects(folds, d.fold_sd);
    let within = if d.folds > 1 { WITHIN_FOLD_SD } else { 0.0 };
    let (fold_seed, fold_draw) = (
        effects(folds * seeds, within),
        effects(folds * draws, within),
    );
    let of_video = effects(d.folds * d.videos, VIDEO_SD);
    let (of_seed, of_draw) = (effects(seeds, SEED_SD), effects(draws, d.draw_sd));
    let of_pretraining = effects(pretrainings, PRETRAINING_SD);
    let crossed: Vec<Option<usize>> = d
        .pretrainings
        .map_or(vec![None], |n| (0..n).map(Some).collect());
    let runs =
        (0..folds).flat_map(|f| (0..seeds).flat_map(move |s| (0..draws).map(move |r| (f, s, r))));
    for (fold, seed, draw) in runs {
        let of_run = of_fold[fold]
            + of_seed[seed]
            + of_draw[draw]
            + fold_seed[fold * seeds + seed]
            + fold_draw[fold * draws + draw];
        let treated = crossed.iter().map(|&p| ("ssl", 1.0, p));
        for (start, effect, pretrain_seed) in treated.chain([("scratch", 0.0, None)]) {
            let of_run = of_run + pretrain_seed.map_or(0.0, |p| of_pretraining[p]);
            let error = |v: &usize| {
                let difference = effect * (gain + of_run + of_video[*v]);
                (video(0, *v), 1.0 + difference + NOISE_SD * normal(&mut rng))
            };
            let errors: Vec<(String, f64)> = groups[fold].iter().map(error).collect();
            let place = [fold / d.folds, fold];
            add(cell_of(start, place, [seed, draw], pretrain_seed, &errors));
        }
    }
}

/// The shares of studies without an effect whose interval holds the truth, and that raise an alarm.
fn held_and_alarms(studies: u64, d: Design) -> [f64; 2] {
    let (mut held, mut alarms) = (0, 0);
    for number in 0..studies {
        let statistics = study(number, 0.0, d).finish();
        let contrast = statistics.contrasts.iter().find(|c| c.emotion == "macro");
        let contrast = contrast.expect("a macro contrast");
        let interval = contrast.difference.interval.expect("an interval");
        held += usize::from((interval.low..=interval.high).contains(&0.0));
        alarms += usize::from(contrast.p.expect("p") < 0.05);
    }
    [held, alarms].map(|n| n as f64 / studies as f64)
}

/// Of pairs of studies of one design, the share in which the second's point lies in the first's
/// interval. The two points differ by √2 standard errors, so of normal errors that are known it is
/// 2Φ(1.96 / √2) - 1 = 83.4 %.
fn second_point_in_first_interval(pairs: u64, d: Design) -> f64 {
    let held = |pair: u64| {
        let [first, second] = [2 * pair, 2 * pair + 1].map(|number| {
            let contrasts = study(number, 0.0, d).finish().contrasts;
            contrasts
                .into_iter()
                .find(|c| c.emotion == "macro")
                .expect("a macro contrast")
        });
        let interval = first.difference.interval.expect("an interval");
        (interval.low..=interval.high).contains(&second.difference.value)
    };
    (0..pairs).filter(|&pair| held(pair)).count() as f64 / pairs as f64
}

fn covers(studies: u64, designs: &[Design], least: f64, most: f64) {
    for d in designs {
        let [held, alarms] = held_and_alarms(studies, *d);
        println!("{d:?}: held {held}, alarms {alarms}");
        assert!((least..=most).contains(&held), "intervals: {held}: {d:?}");
        assert!(
            (1.0 - most..=1.0 - least).contains(&alarms),
            "false alarms: {alarms}: {d:?}"
        );
    }
}

#[test]
fn a_study_of_one_fold_covers_and_seldom_alarms() {
    let crossed = Design {
        pretrainings: Some(4),
        ..design(1, 24, 4, 4)
    };
    covers(1500, &[design(1, 24, 5, 4), crossed], 0.93, 0.97);
}

/// Videos of one fold share their models: whoever counts them as independent raises a false alarm
/// in 13 to 33 % of such studies.
#[test]
fn a_cross_validation_covers_and_seldom_alarms() {
    covers(
        1500,
        &[design(6, 4, 3, 5), design(5, 2, 3, 3), design(6, 4, 5, 3)],
        0.93,
        0.97,
    );
}

/// Several partitions of the same videos, where folds differ as on RAVDESS, much, and not at all.
#[test]
fn repeated_cross_validations_cover_and_seldom_alarm() {
    let of = |partitions, fold_sd, plain: Design| Design {
        partitions,
        fold_sd,
        ..plain
    };
    covers(
        700,
        &[
            of(3, FOLD_SD, design(6, 4, 3, 5)),
            of(3, 0.06, design(6, 4, 3, 3)),
            of(3, 0.0, design(6, 4, 3, 3)),
            of(2, FOLD_SD, design(6, 4, 3, 3)),
            of(5, 0.06, design(5, 2, 3, 3)),
        ],
        0.93,
        0.975,
    );
}

/// MOSEI's size: one split with as many test videos.
#[test]
fn a_large_single_split_covers_and_seldom_alarms() {
    let [held, alarms] = held_and_alarms(200, design(1, 676, 3, 5));
    println!("676 videos: held {held}, alarms {alarms}");
    assert!((0.93..=0.98).contains(&held), "{held}");
    assert!((0.02..=0.07).contains(&alarms), "{alarms}");
}

/// The promise that a reader takes an interval for: where a replication comes out.
#[test]
fn a_replication_lies_in_the_interval_as_often_as_theory_says() {
    let repeated = Design {
        partitions: 3,
        ..design(6, 4, 3, 5)
    };
    for d in [design(6, 4, 3, 5), repeated, design(1, 24, 5, 4)] {
        let held = second_point_in_first_interval(500, d);
        println!("{d:?}: second point in first interval {held}");
        assert!((0.80..=0.90).contains(&held), "{held}: {d:?}");
    }
}

/// The width that `sweep --dry-run` promises is the one that studies come to have, from the
/// variances of pilots of another design.
#[test]
fn the_expected_width_is_the_width_that_comes_out() {
    let pilot = Design {
        partitions: 2,
        ..design(6, 4, 3, 3)
    };
    let later = Design {
        partitions: 3,
        ..design(6, 4, 4, 5)
    };
    let planned = statistics::Design {
        videos: 24,
        folds: 6,
        partitions: 3,
        seeds: 4,
        draws: 5,
        pretrain_seeds: None,
    };
    let (mut promised, mut found) = (0.0, 0.0);
    let studies = 150;
    for number in 0..studies {
        let macro_contrast = |statistics: &StudyStatistics| {
            let contrasts = statistics.contrasts.iter();
            contrasts
                .into_iter()
                .find(|c| c.emotion == "macro")
                .cloned()
        };
        let of_pilot = study(number, 0.0, pilot).finish();
        let contrast = macro_contrast(&of_pilot).expect("a contrast");
        let components = Components::of(&of_pilot, &contrast).expect("variances");
        promised += components.half_width(&planned, 0.95).expect("a width");
        let of_study = study(number + studies, 0.0, later).finish();
        let contrast = macro_contrast(&of_study).expect("a contrast");
        let interval = contrast.difference.interval.expect("an interval");
        found += (interval.high - interval.low) / 2.0;
    }
    let ratio = promised / found;
    println!("promised width / width: {ratio}");
    assert!((0.95..=1.2).contains(&ratio), "{ratio}");
}

/// Two levels say little of their source: the interval is rather too wide.
#[test]
fn two_seeds_and_two_draws_are_on_the_safe_side() {
    covers(1500, &[design(6, 4, 2, 2), design(5, 2, 2, 2)], 0.94, 0.99);
}

/// What one label draw does in all folds alike cannot be seen: the interval is conditional on it.
#[test]
fn one_draw_does_not_know_how_draws_differ() {
    let of = |draw_sd, draws| {
        held_and_alarms(
            600,
            Design {
                draw_sd,
                ..design(6, 4, 3, draws)
            },
        )[0]
    };
    let (little, much) = (of(0.0, 1), of(0.04, 1));
    assert!((0.92..=0.97).contains(&little), "{little}");
    assert!(much < 0.8, "{much}");
    assert!(of(0.04, 5) > 0.92);
}

/// Labels of the budgets of a made-up curve.
const BUDGETS: [i32; 3] = [10, 40, 160];

/// A study whose errors fall by 0.1 with four times the labels. With equal labels the errors of ssl
/// are lower by 0.05: scratch needs twice the labels.
fn curve(number: u64, d: Design) -> StudyStatistics {
    let groups = groups(number, d);
    let mut all = StudySample::new(analysis(PretrainSeeds::None), tested(&groups, d));
    for (b, labels) in BUDGETS.into_iter().enumerate() {
        let number = number * 3 + b as u64;
        each_cell(number, &groups, -0.05, d, |mut cell| {
            (cell.id.n_labels, cell.id.budget) = (labels, format!("n{labels}"));
            for row in &mut cell.rows {
                let error = row.predicted_intensity.as_mut().expect("an intensity");
                *error -= 0.1 * b as f64;
            }
            cell.id.cell.push_str(&cell.id.budget);
            all.add(&cell).expect("a cell of this study");
        });
    }
    all.finish()
}

#[test]
fn areas_and_label_equivalence_cover() {
    let d = Design {
        partitions: 2,
        ..design(5, 4, 3, 3)
    };
    let studies = 300;
    let (mut areas, mut labels) = (0, 0);
    for number in 0..studies {
        let statistics = curve(number, d);
        let area = statistics.areas.iter().find(|a| a.emotion == "macro");
        let interval = area.unwrap().difference.interval.expect("an interval");
        areas += usize::from((interval.low..=interval.high).contains(&-0.05));
        let needed = &statistics.equivalences[1];
        let (low, high) = (needed.low.expect("an end"), needed.high.expect("an end"));
        let below = matches!(low, Equivalence::AtMost(_))
            || matches!(low, Equivalence::About(n) if n <= 80.0);
        let above = matches!(high, Equivalence::NotReached(_))
            || matches!(high, Equivalence::About(n) if n >= 80.0);
        labels += usize::from(below && above);
    }
    let [areas, labels] = [areas, labels].map(|n| n as f64 / studies as f64);
    println!("areas {areas}, labels {labels}");
    assert!((0.93..=0.99).contains(&areas), "areas: {areas}");
    assert!((0.93..=0.99).contains(&labels), "labels: {labels}");
}

#[test]
fn an_effect_is_found() {
    let statistics = study(1, -0.2, design(1, 24, 5, 4)).finish();
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
    let mut statistics = study(1, -0.2, design(1, 24, 5, 4)).finish();
    let labels = &mut statistics.equivalences[0];
    (labels.low, labels.high) = (Some(Equivalence::NotReached(10.0)), None);
    let text = serde_json::to_string(&statistics).expect("JSON");
    assert!(
        text.contains("\"questions\":{\"treated\""),
        "the key of the analysis plan in files of a run stays"
    );
    let back: StudyStatistics = serde_json::from_str(&text).expect("the same");
    assert_eq!(back, statistics);
}
