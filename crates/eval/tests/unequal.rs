//! A study whose folds, videos and emotions are unequal, against pandas and scikit-learn;
//! `golden/make_unequal.py` made the numbers.

mod made_up;

use eval::Metric;
use eval::run::PretrainSeeds;
use eval::statistics::{
    AnalysisPlan, Contrast, Equivalence, SourceLevels, StudySample, StudyStatistics, TestVideo,
    multiway,
};
use made_up::{analysis, cell, tested};
use run_record::{CellId, CellPredictions, PredictionRow};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer is about, and its numbers.
type Answer = (Vec<String>, Vec<Value>);

#[derive(Deserialize)]
struct Golden {
    metrics: Vec<Metric>,
    /// Of each fold the test rows: video, segment, emotion, intensity.
    folds: Vec<Vec<(String, i32, String, f64)>>,
    cells: Vec<Cell>,
    /// By group: the place of each answer, and the answer.
    expected: BTreeMap<String, Vec<Answer>>,
}

#[derive(Deserialize)]
struct Cell {
    fold: i32,
    start: String,
    budget: String,
    fraction: f64,
    n_labels: i32,
    seed: i32,
    draw: i32,
    pretrain_seed: Option<i32>,
    threshold: f64,
    score: Vec<f64>,
    predicted: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Word(String),
}

type Group = BTreeMap<Vec<String>, Vec<Value>>;

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/unequal.json")).expect("the fixture reads")
}

fn predictions(cell: &Cell, rows: &[(String, i32, String, f64)]) -> CellPredictions {
    let id = CellId {
        partition: 0,
        cell: format!(
            "{}-{}-{}-{}-{}-{:?}",
            cell.start, cell.budget, cell.fold, cell.seed, cell.draw, cell.pretrain_seed
        ),
        fold: cell.fold,
        start: cell.start.clone(),
        fraction: cell.fraction,
        n_labels: cell.n_labels,
        seed: cell.seed,
        draw: cell.draw,
        budget: cell.budget.clone(),
        pretrain_seed: cell.pretrain_seed,
    };
    let row = |(i, (video, segment, emotion, intensity)): (usize, &(String, i32, String, f64))| {
        PredictionRow {
            split: "test".into(),
            video: video.clone(),
            segment: *segment,
            emotion: emotion.clone(),
            intensity: *intensity,
            present: *intensity > 0.0,
            score: Some(cell.score[i]),
            predicted_intensity: Some(cell.predicted[i]),
            threshold: cell.threshold,
        }
    };
    CellPredictions {
        id,
        rows: rows.iter().enumerate().map(row).collect(),
    }
}

/// The statistics of the study, with its cells reordered by `order`.
fn statistics(golden: &Golden, order: impl FnOnce(&mut Vec<&Cell>)) -> StudyStatistics {
    let analysis = AnalysisPlan {
        treated: "ssl".into(),
        baseline: "scratch".into(),
        metrics: golden.metrics.clone(),
        pretrain_seeds: PretrainSeeds::Crossed,
        level: 0.95,
    };
    let videos = (0..).zip(&golden.folds).flat_map(|(fold, rows)| {
        rows.iter().map(move |row| TestVideo {
            partition: 0,
            fold,
            video: row.0.clone(),
        })
    });
    let mut sample = StudySample::new(analysis, videos);
    let mut cells: Vec<&Cell> = golden.cells.iter().collect();
    order(&mut cells);
    for cell in cells {
        sample
            .add(&predictions(cell, &golden.folds[cell.fold as usize]))
            .expect("a cell of the study");
    }
    sample.finish()
}

fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}

fn count(n: usize) -> Value {
    number(n as u32)
}

/// The answers by group and place, in the form of the golden file.
fn answers(s: &StudyStatistics) -> BTreeMap<&'static str, Group> {
    let place = |parts: &[&str]| {
        parts
            .iter()
            .map(|part| part.to_string())
            .collect::<Vec<_>>()
    };
    let budget = |at: usize| s.budgets[at].name.as_str();
    let contrast = |c: &Contrast| {
        let sides = [c.difference.value, c.arms[0], c.arms[1]].map(number);
        sides
            .into_iter()
            .chain([count(c.pairs)])
            .chain(c.each.iter().copied().map(number))
            .collect::<Vec<_>>()
    };
    let place_of = |c: &Contrast| place(&[budget(c.budget), &c.emotion, c.metric.name()]);
    let mut study: Group = s
        .folds
        .iter()
        .map(|one| {
            (
                place(&["fold_clusters", &one.fold.to_string()]),
                vec![count(one.clusters)],
            )
        })
        .collect();
    study.extend(
        [
            ("clusters", s.clusters),
            ("seeds", s.seeds),
            ("draws", s.draws),
        ]
        .map(|(k, n)| (place(&[k]), vec![count(n)])),
    );
    let equivalence = |labels: Equivalence| match labels {
        Equivalence::AtMost(n) => ("at-most", n),
        Equivalence::About(n) => ("about", n),
        Equivalence::NotReached(n) => ("not-reached", n),
    };
    BTreeMap::from([
        ("study", study),
        (
            "budgets",
            s.budgets
                .iter()
                .map(|b| {
                    (
                        place(&[&b.name]),
                        vec![number(b.labels), number(b.fewest), number(b.most)],
                    )
                })
                .collect(),
        ),
        (
            "curves",
            s.curves
                .iter()
                .map(|p| {
                    (
                        place(&[&p.start, budget(p.budget), &p.emotion, p.metric.name()]),
                        vec![number(p.estimate.value), count(p.runs)],
                    )
                })
                .collect(),
        ),
        (
            "contrasts",
            s.contrasts
                .iter()
                .map(|c| (place_of(c), contrast(c)))
                .collect(),
        ),
        (
            "intervals",
            s.contrasts
                .iter()
                .filter_map(|c| {
                    let ends = c.difference.interval?;
                    let numbers = [ends.low, ends.high, c.p?].map(number);
                    Some((place_of(c), numbers.to_vec()))
                })
                .collect(),
        ),
        (
            "others",
            s.others
                .iter()
                .map(|o| {
                    (
                        [place(&[&o.other]), place_of(&o.contrast)].concat(),
                        contrast(&o.contrast),
                    )
                })
                .collect(),
        ),
        (
            "areas",
            s.areas
                .iter()
                .map(|a| {
                    (
                        place(&[&a.emotion, a.metric.name()]),
                        vec![number(a.difference.value)],
                    )
                })
                .collect(),
        ),
        (
            "equivalences",
            s.equivalences
                .iter()
                .map(|e| {
                    let (word, labels) = equivalence(e.labels);
                    (
                        place(&[budget(e.budget), e.metric.name()]),
                        vec![Value::Word(word.into()), number(labels)],
                    )
                })
                .collect(),
        ),
    ])
}

fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a - b).abs() < 1e-9,
        _ => a == b,
    }
}

#[test]
fn an_unequal_study_says_what_pandas_and_scikit_learn_say() {
    let golden = golden();
    let found = answers(&statistics(&golden, |_| ()));
    assert_eq!(found.len(), golden.expected.len());
    for (group, places) in &golden.expected {
        let expected: Group = places.iter().cloned().collect();
        let found = &found[group.as_str()];
        let names = |group: &Group| group.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(found), names(&expected), "{group}");
        for (place, expected) in &expected {
            let found = &found[place];
            let same = found.len() == expected.len()
                && found.iter().zip(expected).all(|(a, b)| near(a, b));
            assert!(
                same,
                "{group} {place:?}: expected {expected:?}, found {found:?}"
            );
        }
    }
}

/// That the golden study has what it is there for: else the test above would hold nothing of it.
#[test]
fn the_golden_study_is_unequal() {
    let golden = golden();
    let s = statistics(&golden, |_| ());
    assert_eq!(
        s.folds.iter().map(|one| one.clusters).collect::<Vec<_>>(),
        [1, 3, 6]
    );
    let share = s.budgets.iter().find(|b| b.name == "f1").unwrap();
    assert_eq!((share.fewest, share.most, share.labels), (11, 31, 22.0));
    let of = |emotion: &str, metric: Metric| {
        s.curves
            .iter()
            .filter(|p| p.emotion == emotion && p.metric == metric)
            .count()
    };
    assert_eq!(
        (of("fear", Metric::RocAuc), of("fear", Metric::Mae)),
        (0, 6),
        "no positive anywhere"
    );
    let runs = |start: &str| {
        s.curves
            .iter()
            .find(|p| p.start == start && p.budget == 0)
            .unwrap()
            .runs
    };
    assert_eq!(
        (runs("ssl"), runs("scratch"), runs("frozen")),
        (8, 4, 7),
        "a run without one of its folds is no run"
    );
}

#[test]
fn the_order_of_cells_moves_nothing() {
    let golden = golden();
    let (there, back) = (
        statistics(&golden, |_| ()),
        statistics(&golden, |cells| cells.reverse()),
    );
    assert_eq!(answers(&there), answers(&back));
}

/// Where a metric is a mean over rows and each video has one, the study's number is the mean over
/// videos: that of the folds' means, by their sizes.
#[test]
fn a_fold_weighs_by_its_videos_in_the_test() {
    // Of a fold's part and a video's part; the folds have 1, 2, 3 and 5 videos.
    let differences: [&[f64]; 4] = [
        &[0.9],
        &[-0.5, -0.7],
        &[0.3, 0.4, 0.1],
        &[0.2, 0.05, -0.1, 0.3, 0.0],
    ];
    let videos = (0..)
        .zip(differences)
        .flat_map(|(fold, of_fold)| (0..of_fold.len()).map(move |v| tested(fold, v)));
    let mut sample = StudySample::new(analysis(PretrainSeeds::None), videos);
    for (fold, of_fold) in differences.into_iter().enumerate() {
        for (start, times) in [("ssl", 1.0), ("scratch", 0.0)] {
            let errors: Vec<f64> = of_fold.iter().map(|d| 1.0 + times * d).collect();
            sample
                .add(&cell(start, fold, [0, 0], None, &errors))
                .expect("a cell");
        }
    }
    let statistics = sample.finish();
    let contrast = statistics.contrasts.last().expect("the macro contrast");
    let sizes = differences.map(|of_fold| of_fold.len() as f64);
    let means = differences.map(|of_fold| of_fold.iter().sum::<f64>() / of_fold.len() as f64);
    let value = differences.concat().iter().sum::<f64>() / 11.0;
    // The same as of single folds and 3 degrees of freedom: 4 / 3 Σ w² (m - m̄)².
    let folds = SourceLevels::of_sizes(&sizes, &means).variance();
    let expected = multiway(value, &[folds.expect("four")], 0.95).expect("a test");
    assert_eq!(expected.freedom, 3.0);
    assert!((contrast.difference.value - value).abs() < 1e-12);
    assert!((contrast.p.expect("p") - expected.p).abs() < 1e-12);
    let interval = contrast.difference.interval.expect("an interval");
    assert!((interval.low - expected.interval.low).abs() < 1e-12);
}
