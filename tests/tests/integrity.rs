//! A run whose files are not what its steps wrote is refused by the file's name, before anything is
//! read from it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_hand;
mod whole;

use by_hand::{copy, edit_json, edit_table, finding};
use run_record::{Column, Table, read_results};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use study_tests::{Bench, tiny};
use whole::sweep_all;

const SSL: &str = "cells/fold0/ssl-n20-seed0-draw0";

fn study(more: &str) -> Bench {
    let bench = Bench::new(&tiny(&format!(
        "[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n{more}"
    )));
    sweep_all(&bench);
    bench
}

/// Runs the verbs over a copy of the run that `change` has broken. The first must refuse with
/// `words`, and the audit must name `rule`.
fn refused(bench: &Bench, verbs: &[&str], words: &[&str], rule: &str, change: impl FnOnce(&Path)) {
    let run = bench.path("broken");
    copy(&bench.path("run"), &run);
    change(&run);
    for verb in verbs {
        let said = bench.fail(&format!("{verb} broken"), 1);
        for word in words {
            assert!(said.contains(word), "{verb}: {said} does not say {word}");
        }
    }
    let output = bench.run("audit broken --json");
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = finding(&audit, rule);
    assert_eq!(finding["outcome"], "broken", "{finding}");
    std::fs::remove_dir_all(&run).unwrap();
}

/// Moves the last score of a table by a hair.
fn flip(path: &Path) {
    edit_table(path, |name, column| {
        if let ("score", Column::OptionF64(scores)) = (name, column) {
            let last = scores.last_mut().unwrap();
            *last = last.map(|score| 1.0 - score);
        }
    });
}

#[test]
fn what_a_cell_predicted_cannot_be_changed_unseen() {
    let bench = study("");
    let predictions = |run: &Path| run.join(SSL).join("predictions.parquet");
    let name = &format!("{SSL}/predictions.parquet: expected BLAKE3 ");
    let files = "files-unaltered";
    let step = format!("steps/{SSL}/step.json and run `mosei-ssl sweep` again");
    let altered = [name, "found BLAKE3 ", &step];
    refused(&bench, &["evaluate"], &altered, files, |run| {
        flip(&predictions(run))
    });
    refused(
        &bench,
        &["evaluate"],
        &[name, "found no file"],
        files,
        |run| {
            std::fs::remove_file(predictions(run)).unwrap();
        },
    );
    refused(
        &bench,
        &["evaluate"],
        &["pretrain/fold0-seed0/pretraining.parquet"],
        files,
        |run| {
            std::fs::remove_file(run.join("pretrain/fold0-seed0/pretraining.parquet")).unwrap();
        },
    );
    // Other data under the same cells.
    refused(
        &bench,
        &["evaluate", "report"],
        &["prepared/manifest.json: expected BLAKE3"],
        files,
        |run| {
            edit_json(&run.join("prepared/manifest.json"), |m| {
                m["counts"]["segments"]["kept"] = 1.into()
            });
        },
    );
    // Another cell in its place, hash and all.
    let scratch = SSL.replace("ssl", "scratch");
    refused(
        &bench,
        &["evaluate"],
        &[SSL, "a cell that is not the plan's", "start: expected ssl"],
        "cells-as-planned",
        |run| {
            std::fs::copy(
                run.join(&scratch).join("predictions.parquet"),
                predictions(run),
            )
            .unwrap();
            edit_json(&run.join("steps").join(SSL).join("step.json"), |record| {
                let file = format!("{SSL}/predictions.parquet");
                record["outputs"][file] = run_record::hash_file(&predictions(run)).unwrap().into();
            });
        },
    );
}

#[test]
fn the_tables_of_a_run_cannot_be_changed_unseen() {
    let bench = study("");
    let (predictions, results) = ("predictions.parquet", "results.csv");
    let rule = "tables-unaltered";
    let words = [
        "predictions.parquet: expected BLAKE3",
        "as evaluate wrote it",
        "mosei-ssl evaluate RUN",
    ];
    refused(&bench, &["statistics", "report"], &words, rule, |run| {
        flip(&run.join(predictions))
    });
    refused(
        &bench,
        &["statistics", "report"],
        &["predictions.parquet: expected BLAKE3", "found no file"],
        rule,
        |run| {
            std::fs::remove_file(run.join(predictions)).unwrap();
        },
    );
    // A value of the results, by hand.
    let edit = |run: &Path| {
        let text = std::fs::read_to_string(run.join(results)).unwrap();
        let row = text
            .lines()
            .find(|line| line.contains(",test,macro,roc_auc,"))
            .unwrap();
        std::fs::write(
            run.join(results),
            text.replace(row, &row.replacen("roc_auc,0.", "roc_auc,0.9", 1)),
        )
        .unwrap();
    };
    refused(
        &bench,
        &["report"],
        &["results.csv: expected BLAKE3"],
        rule,
        edit,
    );
    refused(
        &bench,
        &["report"],
        &["results.csv: expected BLAKE3"],
        "measured-as-predicted",
        edit,
    );
    // Statistics of other predictions than there are.
    refused(
        &bench,
        &["report"],
        &["statistics.json: expected statistics of predictions.parquet"],
        rule,
        |run| {
            edit_json(&run.join("statistics.json"), |s| {
                s["predictions"] = "0123".into()
            });
        },
    );
    // Another run's predictions: cells of other keys.
    let stolen = bench.path("stolen.parquet");
    std::fs::copy(bench.path("run").join(predictions), &stolen).unwrap();
    edit_table(&stolen, |name, column| {
        if let ("cell", Column::Text(keys)) = (name, column) {
            keys.iter_mut()
                .for_each(|key| key.replace_range(..4, "beef"));
        }
    });
    refused(&bench, &["statistics", "report"], &words, rule, |run| {
        std::fs::copy(&stolen, run.join(predictions)).unwrap();
    });

    // The same with a hash that fits: then the cells differ from the plan's.
    let words = ["predictions.parquet: expected cells of this run's plan.json, found cell beef"];
    refused(
        &bench,
        &["statistics"],
        &words,
        "collected-as-predicted",
        |run| {
            std::fs::copy(&stolen, run.join(predictions)).unwrap();
            let hash = run_record::hash_file(&run.join(predictions)).unwrap();
            edit_json(&run.join("collected.json"), |c| {
                c["files"][predictions] = hash.into()
            });
        },
    );
    // A run that was not evaluated.
    let words = ["collected.json: not there yet: run `mosei-ssl evaluate RUN` first"];
    for verb in ["statistics", "report"] {
        let run = bench.path("unevaluated");
        copy(&bench.path("run"), &run);
        std::fs::remove_file(run.join("collected.json")).unwrap();
        assert!(
            bench
                .fail(&format!("{verb} unevaluated"), 1)
                .contains(words[0])
        );
        std::fs::remove_dir_all(&run).unwrap();
    }
}

#[test]
fn a_grid_that_is_not_the_plans_is_refused() {
    let bench = study("");
    let config = |run: &Path, from: &str, to: &str| {
        let path = run.join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    };
    let verbs = ["evaluate", "statistics", "report"];
    let rule = "grid-as-configured";
    let words = [
        "config.toml: expected the grid of plan.json, found cell cells/fold0/",
        "-seed1-draw0 more",
        "sweep` again",
    ];
    refused(&bench, &verbs, &words, rule, |run| {
        config(run, "seeds = [0]", "seeds = [0, 1]")
    });
    let words = [
        "config.toml: expected the grid of plan.json, with cell cells/fold0/scratch-f1-seed0-draw0, found none",
    ];
    refused(&bench, &verbs, &words, rule, |run| {
        config(run, "    \"scratch\",\n", "")
    });
}

#[test]
fn training_seeds_cross_pretraining_seeds() {
    let bench = study("pretrain_seeds = [0, 3]\n");
    let run = bench.path("run");
    let rows = read_results(&run.join("results.csv")).unwrap();
    let cells: BTreeSet<(String, i32, i32, Option<i32>)> = rows
        .iter()
        .map(|r| (r.start.clone(), r.n_labels, r.seed, r.pretrain_seed))
        .collect();
    let labels: BTreeSet<i32> = rows.iter().map(|r| r.n_labels).collect();
    let of = |start: &str, p| {
        labels
            .iter()
            .map(move |&n| (start.to_string(), n, 0, p))
            .collect::<Vec<_>>()
    };
    let expected = [of("ssl", Some(0)), of("ssl", Some(3)), of("scratch", None)].concat();
    assert_eq!(cells, expected.into_iter().collect());
    // Heads, batches and dropout are a matter of the training seed alone, and the audit compares
    // them.
    let text = bench.succeed("audit run");
    let nothing_to_check = [
        "one split, no cross-validation",
        "no speech outside segments is kept",
    ];
    let kept = |line: &str| {
        line.starts_with("ok ") || nothing_to_check.iter().any(|words| line.ends_with(words))
    };
    assert!(text.lines().all(kept), "{text}");
    let statistics: Value =
        serde_json::from_slice(&std::fs::read(run.join("statistics.json")).unwrap()).unwrap();
    assert_eq!(
        (&statistics["seeds"], &statistics["pretrain_seeds"]),
        (&1.into(), &2.into())
    );
    assert!(
        statistics["contrasts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|c| c["pairs"] == 2)
    );
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(
        page.contains("Pre-training seed") && page.contains("crossed with 2 pre-training seeds")
    );
    // The pre-training of another seed is another: so are the scores that begin with it.
    let scores = |cell: &str| {
        let path = run.join(format!("cells/fold0/{cell}/predictions.parquet"));
        Table::read(&path)
            .unwrap()
            .option_f64(&path, "score")
            .unwrap()
            .to_vec()
    };
    assert_ne!(
        scores("ssl-n20-seed0-draw0-pretrain0"),
        scores("ssl-n20-seed0-draw0-pretrain3")
    );
}

#[test]
fn frames_that_are_not_what_was_prepared_are_refused_by_name() {
    let bench = study("");
    let flip = |run: &Path| {
        let file = run.join("prepared/frames.safetensors");
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    // No verb behind the cells reads frames; the audit tells all the same.
    refused(&bench, &[], &[], "files-unaltered", flip);
    flip(&bench.path("run"));
    let words = bench.fail(
        "pretrain --config study.toml --prepared run/prepared --out pre",
        1,
    );
    assert!(
        words.contains("run/prepared/frames.safetensors: ") && words.contains("BLAKE3"),
        "{words}"
    );
}

#[test]
fn a_model_that_is_not_what_was_trained_is_refused_by_name() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    bench.succeed("pretrain --config study.toml --prepared prepared --out pre");
    let cell = "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start ssl --encoder pre/encoder --labels n20 --out cell";
    bench.succeed(cell);
    // The last bit of a weight, which the format knows nothing of.
    let flip = |file: &str| {
        let mut bytes = std::fs::read(bench.path(file)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(bench.path(file), bytes).unwrap();
    };
    let cases = [
        ("pre/encoder/model.safetensors", cell),
        (
            "pre/encoder/model.safetensors",
            "embed --encoder pre/encoder --data prepared --out e.parquet",
        ),
        (
            "cell/model/heads.safetensors",
            "predict cell/model prepared --out p.parquet",
        ),
        (
            "cell/model/encoder/model.safetensors",
            "predict cell/model prepared --out p.parquet",
        ),
    ];
    for (file, command) in cases {
        flip(file);
        let words = bench.fail(command, 1);
        assert!(
            words.contains(&format!("{file}: expected content with BLAKE3 ")),
            "{command}: {words}"
        );
        flip(file);
        bench.succeed(command);
    }
}
