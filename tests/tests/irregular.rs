//! A study of a corpus in which nothing is regular, from its configuration to its report; and its
//! statistics, worked out a second time by `independent/study_statistics.py`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use run_record::{CellPredictions, PredictionRow, Table, read_results};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use study_tests::{Bench, irregular, program, python, python_command};
use sweep::Plan;

const STARTS: [&str; 3] = ["ssl", "scratch", "pooled-logistic"];

#[test]
fn a_study_of_unequal_folds_answers_all_of_its_questions() {
    let more = format!("[grid]\nseeds = [0, 1]\nstarts = {STARTS:?}\n");
    let bench = Bench::new(&irregular(&more));
    let plan: Plan = serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let outcome = sweep::run(&plan, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    let run = bench.path("run");
    let path = run.join("predictions.parquet");
    let cells = CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap();
    // 3 folds × 3 starts × 2 seeds × (2 draws of 20 labels + all labels once)
    assert_eq!(cells.len(), 54);
    nothing_is_regular(&cells);
    macro_values_leave_out_what_has_none(&run, &cells);
    every_budget_has_its_answers(&run);
    let said = bench.succeed("audit run");
    assert!(!said.contains("broken"), "{said}");
    in_python(&run);
}

fn tested(cell: &CellPredictions) -> impl Iterator<Item = &PredictionRow> {
    cell.rows.iter().filter(|row| row.split == "test")
}

/// That the corpus has what it is there for.
fn nothing_is_regular(cells: &[CellPredictions]) {
    let (mut videos, mut labels, mut positives) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut segments: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for cell in cells {
        let fold = cell.id.fold;
        videos.insert(
            fold,
            tested(cell)
                .map(|row| row.video.as_str())
                .collect::<BTreeSet<_>>()
                .len(),
        );
        labels
            .entry(cell.id.budget.as_str())
            .or_insert_with(BTreeMap::new)
            .insert(fold, cell.id.n_labels);
        for row in tested(cell) {
            segments.entry(&row.video).or_default().insert(row.segment);
            let emotion: &mut BTreeSet<i32> = positives.entry(row.emotion.as_str()).or_default();
            emotion.extend(row.present.then_some(fold));
        }
    }
    let different = |of: &BTreeMap<i32, i32>| of.values().collect::<BTreeSet<_>>().len();
    assert!(
        different(&labels["n20"]) == 1 && different(&labels["f1"]) > 1,
        "{labels:?}"
    );
    assert!(videos.values().max() > videos.values().min(), "{videos:?}");
    let sizes = || segments.values().map(BTreeSet::len);
    assert!(
        sizes().max().unwrap() >= 5 * sizes().min().unwrap(),
        "{segments:?}"
    );
    assert_eq!(
        (
            positives["fear"].len(),
            positives["disgust"].len(),
            positives["happy"].len()
        ),
        (0, 1, 3)
    );
}

/// An emotion without a positive has an empty value in its fold, and no part in the mean over
/// emotions.
fn macro_values_leave_out_what_has_none(run: &Path, cells: &[CellPredictions]) {
    let results = read_results(&run.join("results.csv")).unwrap();
    for cell in cells {
        let of = |emotion: &str, metric: &str| {
            let mut rows = results
                .iter()
                .filter(|r| r.cell == cell.id.cell && r.split == "test");
            rows.find(|r| (r.emotion.as_str(), r.metric.as_str()) == (emotion, metric))
                .unwrap()
                .value
        };
        let emotions: BTreeSet<&str> = tested(cell).map(|row| row.emotion.as_str()).collect();
        for metric in ["roc_auc", "f1", "precision"] {
            assert_eq!(of("fear", metric), None);
            let values: Vec<f64> = emotions
                .iter()
                .filter_map(|emotion| of(emotion, metric))
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert!(
                (of("macro", metric).unwrap() - mean).abs() < 1e-12,
                "{} {metric}",
                cell.id.cell
            );
        }
        assert!(
            of("fear", "mae").is_some(),
            "an error is one without a positive too"
        );
    }
}

/// Two budgets, whatever the size of the folds, and each with a contrast, an interval and a label
/// equivalence.
fn every_budget_has_its_answers(run: &Path) {
    let text = std::fs::read_to_string(run.join("statistics.json")).unwrap();
    let statistics: Value = serde_json::from_str(&text).unwrap();
    let list = |name: &str| statistics[name].as_array().unwrap();
    let names: Vec<&str> = list("budgets")
        .iter()
        .map(|budget| budget["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["n20", "f1"]);
    let fewest = |budget: usize| list("budgets")[budget]["fewest"].as_i64().unwrap();
    let most = |budget: usize| list("budgets")[budget]["most"].as_i64().unwrap();
    assert!(
        (fewest(0), most(0)) == (20, 20) && fewest(1) < most(1),
        "{text}"
    );
    for (budget, name) in names.iter().enumerate() {
        let of = |answer: &&Value| answer["budget"] == budget && answer["metric"] == "roc_auc";
        let contrast = list("contrasts")
            .iter()
            .find(|c| of(c) && c["emotion"] == "macro")
            .unwrap();
        assert_eq!(contrast["pairs"], [4, 2][budget]);
        assert!(
            contrast["difference"]["interval"].is_object() && contrast["p"].is_number(),
            "{contrast}"
        );
        assert!(
            list("equivalences").iter().any(|e| of(&e)),
            "no label equivalence at {name}"
        );
        assert!(
            list("others")
                .iter()
                .any(|o| of(&&o["contrast"]) && o["other"] == "pooled-logistic")
        );
    }
    let area = |emotion: &str| {
        list("areas")
            .iter()
            .any(|a| a["metric"] == "roc_auc" && a["emotion"] == emotion)
    };
    assert!(area("macro") && area("disgust") && !area("fear"));
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(
        !page.contains("It is undetermined whether pre-training helped"),
        "the headline has an answer"
    );
}

/// The same numbers from the predictions, by pandas and scikit-learn.
fn in_python(run: &Path) {
    let modules = "numpy, pandas, pyarrow, scipy, sklearn, tomllib";
    let Some(python) = python("the independent statistics of an irregular study", modules) else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("independent/study_statistics.py");
    let compare = || {
        let output = python_command(&python)
            .arg(&script)
            .arg(run)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    let (code, said) = compare();
    assert!(
        code == Some(0) && said.ends_with("\ndifferences in all: 0\n"),
        "{said}"
    );
    // It does see what is wrong: a number that is off in the eighth decimal, and answers that are
    // gone.
    let path = run.join("statistics.json");
    let mut statistics: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let value = &mut statistics["curves"][3]["estimate"]["value"];
    *value = (value.as_f64().unwrap() + 1e-8).into();
    statistics["areas"] = Value::Array(Vec::new());
    std::fs::write(&path, statistics.to_string()).unwrap();
    let (code, said) = compare();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("\ncurves: ") && said.contains(" places, differences: 1\n"),
        "{said}"
    );
    assert!(said.contains("areas: 0 values at 0 places"), "{said}");
}
