//! Several partitions of the videos, an independent replication, and both studies compared.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use run_record::{CellPredictions, Table, read_results};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use study_tests::{Bench, program, tiny};
use sweep::Plan;

fn run(bench: &Bench, config: &str, run: &str) {
    let plan = bench.succeed(&format!("plan {config} --run {run}"));
    let plan: Plan = serde_json::from_str(&plan).unwrap();
    let outcome = sweep::run(&plan, &bench.path(run), program(), 2, &mut |_| ()).unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
}

/// The test videos of each fold, by partition and fold.
fn tested(bench: &Bench, run: &str) -> BTreeMap<(i32, i32), BTreeSet<String>> {
    let path = bench.path(run).join("predictions.parquet");
    let cells = CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap();
    let mut found: BTreeMap<(i32, i32), BTreeSet<String>> = BTreeMap::new();
    for cell in cells {
        let videos = found.entry((cell.id.partition, cell.id.fold)).or_default();
        let test = cell.rows.into_iter().filter(|row| row.split == "test");
        videos.extend(test.map(|row| row.video));
    }
    found
}

#[test]
fn a_study_of_several_partitions_is_replicated_and_compared() {
    let config = tiny("[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n")
        .replace("[data]", "[data]\nsplit = { k_folds = 3, repeats = 2 }")
        .replace("[encoder]", "draws = 2\n[encoder]");
    let bench = Bench::new(&config);
    run(&bench, "study.toml", "first");
    let first = tested(&bench, "first");
    assert_eq!(
        first.keys().copied().collect::<Vec<_>>(),
        [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4), (1, 5)]
    );
    // Each partition tests every video once.
    let of_partition = |p: i32| -> Vec<&String> {
        let folds = first.iter().filter(|((partition, _), _)| *partition == p);
        let mut videos: Vec<&String> = folds.flat_map(|(_, videos)| videos).collect();
        videos.sort();
        videos
    };
    assert_eq!(of_partition(0), of_partition(1));
    let distinct: BTreeSet<&String> = of_partition(0).into_iter().collect();
    assert_eq!(distinct.len(), of_partition(0).len());
    let said = bench.succeed("audit first");
    assert!(
        !said.contains("broken") && said.contains("6 folds of 2 partitions"),
        "{said}"
    );
    let rows = read_results(&bench.path("first").join("results.csv")).unwrap();
    assert!(rows.iter().all(|row| row.partition == row.fold / 3));
    let statistics = std::fs::read_to_string(bench.path("first/statistics.json")).unwrap();
    let statistics: Value = serde_json::from_str(&statistics).unwrap();
    assert_eq!(statistics["partitions"], 2);

    bench.succeed("replicate first --seed 1 --out again.toml");
    run(&bench, "again.toml", "again");
    let again = tested(&bench, "again");
    assert!(
        again
            .values()
            .all(|videos| !first.values().any(|v| v == videos))
    );

    let said = bench.succeed("compare first again --out compared");
    for part in [
        "tiny found",
        "tiny-replication-1 found",
        "Together:",
        "of the same videos",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for name in [
        "comparison.html",
        "comparison.svg",
        "comparison.pdf",
        "comparison_roc_auc.csv",
    ] {
        assert!(bench.path("compared").join(name).is_file(), "{name}");
    }
    let said = bench.succeed("sweep study.toml --out first --dry-run --pilot first");
    assert!(
        said.contains("variances of the pilot") && said.contains("one more partition"),
        "{said}"
    );

    let refused = |arguments: &str, expected: &str| {
        let output = bench.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(expected),
            "{said}"
        );
    };
    refused(
        "replicate first --seed 1 --out again.toml",
        "a file that does not exist",
    );
    refused("replicate first --seed 0", "expected a number from 1");
    refused(
        "compare first nowhere",
        "nowhere: expected the folder of a run",
    );
}
