//! The paired design: what every start of a cell has in common, as the cells' journals tell it, and
//! where test labels are read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use study_tests::{Bench, tiny};

const STARTS: [&str; 4] = ["ssl", "scratch", "frozen", "random-frozen"];

fn bench() -> Bench {
    let bench = Bench::new(&tiny("").replace("min_positives = 0", "min_positives = 0\ndraws = 2"));
    bench.prepare();
    for seed in [0, 1] {
        bench.succeed(&format!(
            "pretrain --config study.toml --prepared prepared --seed {seed} --out pre{seed}"
        ));
    }
    bench
}

/// Trains a cell and reads its journal.
fn journal(bench: &Bench, start: &str, labels: &str, seed: usize, draw: usize) -> Vec<Value> {
    let out = format!("{start}-{labels}-{seed}-{draw}");
    bench.succeed(&format!(
        "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start {start} --encoder pre{seed}/encoder \
         --labels {labels} --seed {seed} --draw {draw} --out {out}"
    ));
    let text = std::fs::read_to_string(bench.path(&out).join("journal.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Of each step, the value of a key.
fn steps(journal: &[Value], key: &str) -> Vec<Value> {
    let values: Vec<Value> = journal
        .iter()
        .filter(|l| l["event"] == "step")
        .map(|l| l[key].clone())
        .collect();
    assert!(
        values.len() == 12 && values.iter().all(|v| !v.is_null()),
        "{key}: {values:?}"
    );
    values
}

fn beginning<'a>(journal: &'a [Value], key: &str) -> &'a str {
    journal[0]["beginning"][key].as_str().unwrap()
}

#[test]
fn every_start_has_the_same_labels_heads_batches_and_dropout() {
    let bench = bench();
    for labels in ["n20", "f1"] {
        let of = STARTS.map(|start| journal(&bench, start, labels, 0, 0));
        for (start, other) in STARTS.iter().zip(&of).skip(1) {
            for key in ["labels", "heads"] {
                assert_eq!(
                    beginning(other, key),
                    beginning(&of[0], key),
                    "{start}, {labels}: other {key}"
                );
            }
            for key in ["batch", "dropout", "epoch", "valid_frames"] {
                assert_eq!(
                    steps(other, key),
                    steps(&of[0], key),
                    "{start}, {labels}: other {key}"
                );
            }
        }
        // What is the same everywhere would show nothing.
        let seed = journal(&bench, "scratch", labels, 1, 0);
        assert_eq!(
            beginning(&seed, "labels"),
            beginning(&of[0], "labels"),
            "labels are no matter of the seed"
        );
        assert_ne!(beginning(&seed, "heads"), beginning(&of[0], "heads"));
        for key in ["batch", "dropout"] {
            let (a, b) = (steps(&seed, key), steps(&of[0], key));
            assert!(a.iter().zip(&b).all(|(a, b)| a != b), "{key}");
            assert!(
                b.windows(2).all(|w| w[0] != w[1]),
                "{key}: each step has its own"
            );
        }
        let draw = journal(&bench, "scratch", labels, 0, 1);
        assert_ne!(beginning(&draw, "labels"), beginning(&of[0], "labels"));
        assert_ne!(steps(&draw, "batch"), steps(&of[0], "batch"));
        assert_eq!(
            beginning(&draw, "heads"),
            beginning(&of[0], "heads"),
            "heads are no matter of the draw"
        );
        assert_eq!(steps(&draw, "dropout"), steps(&of[0], "dropout"));
    }
}

#[test]
fn test_labels_are_read_once_when_nothing_is_left_to_choose() {
    let bench = bench();
    for start in STARTS {
        let journal = journal(&bench, start, "n20", 0, 0);
        let events: Vec<&str> = journal
            .iter()
            .map(|l| l["event"].as_str().unwrap())
            .collect();
        assert_eq!(
            events.iter().filter(|e| **e == "test-labels").count(),
            1,
            "{start}: {events:?}"
        );
        assert_eq!(
            events[events.len() - 2..],
            ["test-labels", "end"],
            "{start}"
        );
        let path = bench.path(&format!("{start}-n20-0-0/predictions.parquet"));
        let table = run_record::Table::read(&path).unwrap();
        let test = table
            .text(&path, "split")
            .unwrap()
            .iter()
            .filter(|s| *s == "test")
            .count();
        assert_eq!(
            journal[journal.len() - 2]["segments"],
            test / 6,
            "{start}: six emotions a segment"
        );
    }
}
