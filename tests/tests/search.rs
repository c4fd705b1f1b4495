//! Cells that search for their learning rate, choose by few labels, and begin from regressions; and
//! the control without an encoder.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod whole;

use run_record::{Table, read_results};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use study_tests::{Bench, tiny};
use whole::sweep_all;

const STARTS: [&str; 5] = [
    "ssl",
    "scratch",
    "frozen",
    "random-frozen",
    "pooled-logistic",
];

/// Everything that a recipe can ask for.
fn recipe(more: &str) -> String {
    let finetune = "[finetune]\nhead_init = \"regression\"\nhead_learning_rate = 1e-3\nlayer_decay = 0.7\n\
                    freeze_steps = 4\nlearning_rate_factors = [0.3, 1.0]\nvalidation_labels = \"budget\"\n\
                    threshold = \"tuned-f1\"\n[finetune.heads]\nlayers = \"weighted-sum\"\n\
                    pooling = \"mean-deviation\"\ninput_statistics = true\nstandardise = true\n[finetune.training]";
    tiny(more)
        .replace("[finetune.training]", finetune)
        .replace("counts = [20]", "counts = [6, 20]")
}

fn journal(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// (video, segment) of each budget, by its share.
fn subsets(path: &Path) -> Vec<(f64, BTreeSet<(String, i32)>)> {
    let table = Table::read(path).unwrap();
    let (fractions, videos) = (
        table.f64(path, "fraction").unwrap(),
        table.text(path, "video").unwrap(),
    );
    let segments = table.i32(path, "segment").unwrap();
    let mut out: Vec<(f64, BTreeSet<(String, i32)>)> = Vec::new();
    for row in 0..table.rows() {
        let id = (videos[row].clone(), segments[row]);
        match out
            .iter_mut()
            .find(|(fraction, _)| *fraction == fractions[row])
        {
            Some((_, ids)) => drop(ids.insert(id)),
            None => out.push((fractions[row], BTreeSet::from([id]))),
        }
    }
    out.sort_by(|a, b| a.0.total_cmp(&b.0));
    out
}

#[test]
fn a_search_is_settled_by_few_validation_labels_before_the_test_labels_are_read() {
    let starts = STARTS.map(|s| format!("\"{s}\"")).join(", ");
    let bench = Bench::new(&recipe(&format!(
        "[grid]\nseeds = [0]\nstarts = [{starts}]\n"
    )));
    sweep_all(&bench);
    let run = bench.path("run");

    // As many as for training, or all there are; the smaller within the larger; none of them a
    // training segment.
    let (train, valid) = (
        subsets(&run.join("subsets.parquet")),
        subsets(&run.join("validation_subsets.parquet")),
    );
    let sizes = |of: &[(f64, BTreeSet<(String, i32)>)]| {
        of.iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>()
    };
    let all = *sizes(&valid).last().unwrap();
    assert_eq!(
        sizes(&valid),
        sizes(&train)
            .into_iter()
            .map(|n| n.min(all))
            .collect::<Vec<_>>()
    );
    assert!(sizes(&valid)[0] == 6 && all > 6);
    assert!(
        valid
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1.is_subset(&pair[1].1))
    );
    assert!(
        valid
            .iter()
            .all(|(_, ids)| ids.is_disjoint(&train.last().unwrap().1))
    );

    for labels in ["n6", "n20", "f1"] {
        let mut chosen_by = BTreeSet::new();
        for start in STARTS {
            let lines = journal(&run.join(format!("cells/fold0/{start}-{labels}-seed0-draw0")));
            let events: Vec<&str> = lines.iter().map(|l| l["event"].as_str().unwrap()).collect();
            assert_eq!(
                events[events.len() - 2..],
                ["test-labels", "end"],
                "{start}"
            );
            let began = lines.iter().find(|l| l["event"] == "start").unwrap();
            chosen_by.insert(
                began["beginning"]["validation"]
                    .as_str()
                    .unwrap()
                    .to_string(),
            );
            let door = &lines[lines.len() - 2];
            assert_eq!(
                door["validation_segments"].as_u64().unwrap() > 0,
                labels == "n6" && all > 6,
                "{labels}"
            );
            if start == "pooled-logistic" {
                assert!(!events.contains(&"step") && !events.contains(&"candidate"));
                continue;
            }
            assert_eq!(events[..3], ["candidate", "candidate", "start"], "{start}");
            let score = |line: &Value| line["best_score"].as_f64().unwrap();
            let best = lines[..2]
                .iter()
                .map(score)
                .fold(f64::NEG_INFINITY, f64::max);
            let chosen: Vec<&Value> = lines[..2].iter().filter(|l| l["chosen"] == true).collect();
            assert_eq!((chosen.len(), score(chosen[0])), (1, best), "{start}");
            assert_eq!(
                lines.last().unwrap()["best_score"].as_f64().unwrap(),
                best,
                "{start}"
            );
            // What the regressions make of the heads is looked at before the first step.
            assert_eq!(
                (events[3], &lines[3]["step"]),
                ("validation", &Value::from(0)),
                "{start}"
            );
        }
        assert_eq!(chosen_by.len(), 1, "all starts choose by the same segments");
    }
    assert!(
        !run.join("cells/fold0/ssl-n20-seed0-draw0/candidates")
            .exists()
    );

    let rows = read_results(&run.join("results.csv")).unwrap();
    for start in STARTS {
        assert!(
            rows.iter()
                .any(|r| r.start == start && r.metric == "roc_auc" && r.value.is_some()),
            "{start}"
        );
    }
    bench.succeed("audit run");
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("Learning-rate search") && page.contains("pooled-logistic (control)"));
    assert!(page.contains("as many as the label budget has for training"));
    assert!(run.join("tables/search.csv").exists());

    // The model of a cell says of segments what the cell said.
    bench.succeed(
        "predict run/cells/fold0/ssl-n20-seed0-draw0/model run/prepared --out said.parquet",
    );
    let (own, said) = (
        run.join("cells/fold0/ssl-n20-seed0-draw0/predictions.parquet"),
        bench.path("said.parquet"),
    );
    let read = |path: &Path| {
        let table = Table::read(path).unwrap();
        let (videos, segments) = (
            table.text(path, "video").unwrap().to_vec(),
            table.i32(path, "segment").unwrap().to_vec(),
        );
        let (emotions, scores) = (
            table.text(path, "emotion").unwrap().to_vec(),
            table.option_f64(path, "score").unwrap().to_vec(),
        );
        let keys = videos.into_iter().zip(segments).zip(emotions);
        keys.zip(scores)
            .map(|(key, score)| (key, score.unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let (own, said) = (read(&own), read(&said));
    assert!(!own.is_empty());
    for (key, score) in &own {
        assert!(
            (said[key] - score).abs() < 1e-5,
            "{key:?}: {} is not {score}",
            said[key]
        );
    }
}

#[test]
fn few_validation_labels_need_their_table() {
    let bench = Bench::new(&recipe(""));
    bench.prepare();
    bench.succeed("sample --config study.toml --prepared prepared --out subsets.parquet");
    let cell = "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start scratch --labels n6 --out c";
    let message = bench.fail(cell, 2);
    assert!(
        message.contains("--validation-subsets") && message.contains("found none"),
        "{message}"
    );
}

#[test]
fn a_killed_search_goes_on_to_the_same_bytes() {
    let bench = Bench::new(&recipe("").replace("steps = 12", "steps = 160"));
    bench.prepare();
    bench.succeed(
        "sample --config study.toml --prepared prepared --out subsets.parquet --validation-out validation.parquet",
    );
    let cell = |out: &str| {
        format!(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --validation-subsets \
             validation.parquet --start scratch --labels n20 --out {out}"
        )
    };
    bench.succeed(&cell("whole"));
    // In the second training of the two.
    bench.killed_at(&cell("killed"), "killed/candidates/1/checkpoint/step-4");
    assert!(
        !bench.path("killed/predictions.parquet").exists(),
        "it ended before it could be killed"
    );
    bench.succeed(&cell("killed"));
    for file in ["predictions.parquet", "model/heads.safetensors"] {
        let bytes = |of: &str| std::fs::read(bench.path(of).join(file)).unwrap();
        assert!(bytes("whole") == bytes("killed"), "{file} differs");
    }
    assert!(!bench.path("killed/candidates").exists());
}
