//! From a configuration to a report, through plan and engine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use run_record::{CellPredictions, Table, read_results};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use study_tests::{Bench, program, tiny};
use sweep::{Outcome, Plan};

const GRID: &str = "[grid]\nseeds = [0]\n";

fn sweep(bench: &Bench) -> Outcome {
    let plan: Plan = serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let outcome = sweep::run(&plan, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    for (id, error) in &outcome.failed {
        eprintln!("{id}: {error}");
    }
    outcome
}

fn cells(outcome: &[String]) -> usize {
    outcome.iter().filter(|id| id.starts_with("cells/")).count()
}

#[test]
fn a_study_runs_once_and_then_only_what_a_change_touches() {
    let bench = Bench::new(&tiny(GRID));
    let first = sweep(&bench);
    assert!(first.failed.is_empty() && first.blocked.is_empty());
    // 4 starts × 2 budgets × 1 seed × 1 draw
    assert_eq!((cells(&first.done), first.skipped.len()), (8, 0));
    // One of each probe, for all budgets.
    assert_eq!(
        first
            .done
            .iter()
            .filter(|id| id.starts_with("encodings/"))
            .count(),
        2
    );
    let run = bench.path("run");
    check_tables(&run);
    let html = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(html.contains("<svg") && html.contains("tiny"));
    for outside in ["<script", "<link", "<iframe", "src=", "url(", "@import"] {
        assert!(
            !html.contains(outside),
            "the page needs nothing from outside, found {outside}"
        );
    }
    for figure in [
        "fig-calibration-0",
        "fig-roc-0",
        "fig-precision-recall-0",
        "fig-reconstruction-0",
        "fig-validation-loss",
    ] {
        assert!(
            html.contains(&format!("<title id=\"{figure}-t\">")),
            "no {figure} from what the run left"
        );
    }
    assert!(
        std::fs::read_to_string(run.join("figures/learning_curves.svg"))
            .unwrap()
            .starts_with("<svg")
    );
    assert!(
        std::fs::read(run.join("figures/learning_curves.pdf"))
            .unwrap()
            .starts_with(b"%PDF-")
    );

    let again = sweep(&bench);
    assert_eq!(again.done, Vec::<String>::new());
    assert_eq!(again.skipped.len(), first.done.len());

    // One seed more: what is there stays.
    bench.write("study.toml", &tiny("[grid]\nseeds = [0, 1]\n"));
    let more = sweep(&bench);
    assert_eq!(cells(&more.done), 8);
    assert_eq!(
        more.done
            .iter()
            .filter(|id| id.starts_with("pretrain/"))
            .count(),
        1
    );

    // A budget more: what frozen encoders make of the segments does not depend on labels.
    let budgets = |counts: &str| tiny("[grid]\nseeds = [0, 1]\n").replace("[20]", counts);
    bench.write("study.toml", &budgets("[20, 30]"));
    let labels = sweep(&bench);
    // Beside the cells: label budgets, metrics, intervals, report.
    assert_eq!((cells(&labels.done), labels.done.len()), (8, 8 + 4));
    bench.write("study.toml", &budgets("[20]"));
    sweep(&bench);

    // Another fine-tuning: encoders stay, all cells run again.
    bench.write(
        "study.toml",
        &tiny("[grid]\nseeds = [0, 1]\n").replace(
            "[finetune.training]",
            "[finetune.heads]\npooling = \"attention\"\n[finetune.training]",
        ),
    );
    let other = sweep(&bench);
    assert_eq!(cells(&other.done), 16);
    assert!(
        other
            .done
            .iter()
            .all(|id| !id.starts_with("pretrain/") && id != "prepare" && id != "synth")
    );
}

/// What readers of the tables rely on.
fn check_tables(run: &Path) {
    let path = run.join("predictions.parquet");
    let cells = CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap();
    let results = read_results(&run.join("results.csv")).unwrap();
    assert_eq!(cells.len(), 8);
    // 2 splits × (6 emotions + macro + micro) × 10 metrics
    assert_eq!(results.len(), cells.len() * 160);
    assert!(results.iter().all(|r| r.value.is_none_or(f64::is_finite)));

    let subsets_path = run.join("subsets.parquet");
    let subsets = Table::read(&subsets_path).unwrap();
    let mut by_fraction: BTreeMap<String, BTreeSet<(String, i32)>> = BTreeMap::new();
    let (videos, segments) = (
        subsets.text(&subsets_path, "video").unwrap(),
        subsets.i32(&subsets_path, "segment").unwrap(),
    );
    for (i, fraction) in subsets
        .f64(&subsets_path, "fraction")
        .unwrap()
        .iter()
        .enumerate()
    {
        by_fraction
            .entry(format!("{fraction:.6}"))
            .or_default()
            .insert((videos[i].clone(), segments[i]));
    }
    let sizes: BTreeSet<i32> = by_fraction.values().map(|s| s.len() as i32).collect();
    assert_eq!(sizes, cells.iter().map(|c| c.id.n_labels).collect());
    let nested: Vec<_> = by_fraction.values().collect();
    assert!(nested.windows(2).all(|w| w[0].is_subset(w[1])));

    // Every start of a budget is judged on the same rows.
    type Judged = (String, String, i32, String, bool);
    let mut judged: BTreeMap<i32, BTreeSet<Vec<Judged>>> = BTreeMap::new();
    for cell in &cells {
        let rows = cell
            .rows
            .iter()
            .map(|r| {
                (
                    r.split.clone(),
                    r.video.clone(),
                    r.segment,
                    r.emotion.clone(),
                    r.present,
                )
            })
            .collect();
        judged.entry(cell.id.n_labels).or_default().insert(rows);
    }
    assert!(judged.values().all(|rows| rows.len() == 1));

    let videos_of = |split: &str| -> BTreeSet<&str> {
        cells
            .iter()
            .flat_map(|c| &c.rows)
            .filter(|r| r.split == split)
            .map(|r| r.video.as_str())
            .collect()
    };
    let pretraining_path = run.join("pretraining.parquet");
    let pretraining = Table::read(&pretraining_path).unwrap();
    let trained: BTreeSet<&str> = pretraining
        .text(&pretraining_path, "video")
        .unwrap()
        .iter()
        .chain(videos)
        .map(String::as_str)
        .collect();
    assert!(
        !trained.is_empty()
            && trained.is_disjoint(&videos_of("test"))
            && trained.is_disjoint(&videos_of("valid"))
    );
    assert!(videos_of("valid").is_disjoint(&videos_of("test")));
}

#[test]
fn controls_and_ablations_of_pretraining_run_and_are_called_so() {
    let starts = "[\"ssl\", \"scratch\", \"ssl-shuffled\", \"ssl-transductive\"]";
    let config = |more: &str, on: &str| {
        let text = tiny(&format!("[grid]\nseeds = [0]\nstarts = {starts}\n"))
            .replace("[data]", &format!("[data]\n{more}"));
        text.replace("fractions = [1.0]", "fractions = []")
            .replace("name =", &format!("{on}name ="))
    };
    let bench = Bench::new(&config("", ""));
    let first = sweep(&bench);
    assert!(first.failed.is_empty() && first.blocked.is_empty());
    let of = |kind: &str| format!("pretrain/fold0-seed0{kind}");
    for kind in ["", "-shuffled", "-transductive"] {
        assert!(first.done.contains(&of(kind)), "{:?}", first.done);
    }
    assert_eq!(cells(&first.done), 4);
    // Each kind has weights of its own, from the same beginning and batches.
    let weights = |kind: &str| {
        std::fs::read(
            bench
                .path("run")
                .join(of(kind))
                .join("encoder/model.safetensors"),
        )
        .unwrap()
    };
    assert!(weights("") != weights("-shuffled") && weights("") != weights("-transductive"));
    let batches = |kind: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(bench.path("run").join(of(kind)).join("journal.jsonl"))
            .unwrap();
        text.lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["batch"].clone())
            .collect()
    };
    assert_eq!(batches(""), batches("-shuffled"));
    assert_ne!(batches(""), batches("-transductive"));

    let path = bench.path("run/pretraining.parquet");
    let rows_of = || -> BTreeMap<String, Vec<(String, i32)>> {
        let table = Table::read(&path).unwrap();
        let (videos, segments) = (
            table.text(&path, "video").unwrap(),
            table.i32(&path, "segment").unwrap(),
        );
        let mut rows: BTreeMap<String, Vec<(String, i32)>> = BTreeMap::new();
        for (row, kind) in table.text(&path, "kind").unwrap().iter().enumerate() {
            rows.entry(kind.clone())
                .or_default()
                .push((videos[row].clone(), segments[row]));
        }
        rows
    };
    let rows = rows_of();
    assert_eq!(rows["ordinary"], rows["shuffled"]);
    assert_eq!(
        rows["transductive"][..rows["ordinary"].len()],
        rows["ordinary"]
    );
    assert!(rows["transductive"].len() > rows["ordinary"].len());
    let html = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    for words in [
        "ssl-transductive (ablation)",
        "ssl-transductive is an ablation, not a result",
        "ssl-shuffled (control)",
        "Pre-training of ssl-transductive",
        "; by the transductive ablation alone, ",
        "pre-training, fold 0, seed 0, transductive (ablation)",
    ] {
        assert!(html.contains(words), "the report does not say: {words}");
    }
    assert!(
        bench
            .succeed("audit run")
            .contains("; by the transductive ablation alone, ")
    );

    // Now with the speech outside segments.
    let unlabelled = "unlabelled = \"outside\"\nunlabelled_min_s = 0.3\n";
    bench.write(
        "study.toml",
        &config(unlabelled, "pretrain_on = \"all-speech\"\n"),
    );
    let second = sweep(&bench);
    assert!(second.failed.is_empty() && second.done.contains(&of("")));
    let more = rows_of();
    let stretches = |kind: &str| {
        more[kind]
            .iter()
            .filter(|(_, segment)| *segment == -1)
            .count()
    };
    assert!(stretches("ordinary") > 0 && stretches("transductive") > stretches("ordinary"));
    assert_eq!(more["ordinary"][..rows["ordinary"].len()], rows["ordinary"]);
    let journal =
        std::fs::read_to_string(bench.path("run").join(of("")).join("journal.jsonl")).unwrap();
    let seen = journal
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let seen = seen.into_iter().find(|l| l["event"] == "seen").unwrap();
    assert_eq!(
        (&seen["kind"], &seen["stretches"]),
        (&"ordinary".into(), &stretches("ordinary").into())
    );
    // No other code reads them.
    for table in ["subsets.parquet", "predictions.parquet"] {
        let path = bench.path("run").join(table);
        assert!(
            Table::read(&path)
                .unwrap()
                .i32(&path, "segment")
                .unwrap()
                .iter()
                .all(|&s| s >= 0),
            "{table}"
        );
    }
    let html = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(
        html.contains(
            "segments and stretches of the speech outside them, of training videos alone"
        )
    );
    // What was kept and is not asked for is not seen; what is asked for and was not kept is
    // refused.
    bench.write("study.toml", &config(unlabelled, ""));
    bench.succeed("pretrain --config study.toml --prepared run/prepared --out without");
    let path = bench.path("without/pretraining.parquet");
    assert_eq!(Table::read(&path).unwrap().rows(), rows["ordinary"].len());
    bench.write("study.toml", &config("", ""));
    bench.succeed("prepare --config study.toml --data run/data --out plain");
    bench.write(
        "study.toml",
        &config(unlabelled, "pretrain_on = \"all-speech\"\n"),
    );
    let words = bench.fail(
        "pretrain --config study.toml --prepared plain --out nothing",
        2,
    );
    assert!(
        words.contains("expected data prepared with data.unlabelled = \"outside\""),
        "{words}"
    );
    let words = bench.fail(
        "pretrain --config study.toml --prepared plain --kind mixed --out nothing",
        2,
    );
    assert!(
        words.contains("'mixed'") && words.contains("ordinary, shuffled, transductive"),
        "{words}"
    );
}

#[test]
fn a_cell_that_fails_stops_no_other_and_comes_back() {
    let bench = Bench::new(&tiny(GRID));
    let plan: Plan = serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let mut broken = plan.clone();
    let place = broken
        .steps
        .iter()
        .position(|s| s.id.starts_with("cells/") && s.id.contains("scratch"))
        .unwrap();
    let id = broken.steps[place].id.clone();
    broken.steps[place].command.push("--no-such-option".into());
    let first = sweep::run(&broken, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    assert_eq!(
        first
            .failed
            .iter()
            .map(|(id, _)| id.as_str())
            .collect::<Vec<_>>(),
        [id.as_str()]
    );
    assert!(
        first.failed[0].1.contains("--no-such-option"),
        "{}",
        first.failed[0].1
    );
    let html = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(html.contains(&id), "the report names the cell that failed");

    let second = sweep::run(&plan, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    assert!(second.failed.is_empty());
    assert_eq!(cells(&second.done), 1);
    assert!(
        second.done.iter().any(|id| id == "report"),
        "the report is written again"
    );
}

#[test]
fn folds_of_a_cross_validation_test_each_video_once() {
    let config = tiny("[grid]\nseeds = [0]\nstarts = [\"scratch\"]\n")
        .replace("[data]", "[data]\nsplit = { k_folds = 3 }");
    let bench = Bench::new(&config);
    let outcome = sweep(&bench);
    assert!(outcome.failed.is_empty() && outcome.blocked.is_empty());
    let path = bench.path("run/predictions.parquet");
    let cells = CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap();
    // Without a pre-trained start nothing was seen, and the table says so with all its columns.
    let seen = Table::read(&bench.path("run/pretraining.parquet")).unwrap();
    assert_eq!(seen.rows(), 0);
    assert!(
        ["fold", "seed", "video", "segment", "kind"]
            .iter()
            .all(|name| seen.get(name).is_some())
    );
    let mut tested: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for cell in &cells {
        for row in cell.rows.iter().filter(|r| r.split == "test") {
            tested.entry(&row.video).or_default().insert(cell.id.fold);
        }
    }
    assert!(tested.len() >= 18, "{} videos are tested", tested.len());
    assert!(tested.values().all(|folds| folds.len() == 1));
}
