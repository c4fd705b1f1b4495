//! A run that kept its rules passes; one that was broken by hand is refused by the rule's name and
//! the id.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken_run;
#[path = "../by_hand/mod.rs"]
mod by_hand;
mod cells;
mod data;
#[path = "../whole/mod.rs"]
mod whole;

use broken_run::study;
use serde_json::Value;

#[test]
fn a_run_that_kept_the_rules_passes_whole_and_half_done() {
    let bench = study();
    let text = bench.succeed("audit run");
    assert_eq!(text.lines().count(), 25, "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    for words in [
        " by 2 encoders, and ",
        "; by the transductive ablation alone, ",
        "test videos (encoders: 1)",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let audit: Value = serde_json::from_str(&bench.succeed("audit run --json")).unwrap();
    assert_eq!(audit["holds"], true);
    assert!(
        audit["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["outcome"] == "ok" && f["says"].is_string())
    );

    // Half done: what is not there yet is said and breaks nothing.
    for done in ["steps/cells", "steps/pretrain", "steps/sample"] {
        std::fs::remove_dir_all(bench.path("run").join(done)).unwrap();
    }
    let tables = [
        "predictions.parquet",
        "pretraining.parquet",
        "results.csv",
        "collected.json",
        "statistics.json",
    ];
    for file in tables.into_iter().chain(["subsets.parquet"]) {
        std::fs::remove_file(bench.path("run").join(file)).unwrap();
    }
    let text = bench.succeed("audit run");
    let unchecked: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("not checked"))
        .collect();
    assert_eq!(unchecked.len(), 15, "{text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("ok ") || line.starts_with("not checked ")),
        "{text}"
    );
    std::fs::remove_dir_all(bench.path("run/prepared")).unwrap();
    let words = bench.fail("audit run", 1);
    assert!(
        words.contains("prepared: nothing is prepared yet"),
        "{words}"
    );
}
