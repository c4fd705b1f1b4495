//! What a user reads when something is wrong: one line that names it, the right exit code, and
//! nothing left behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use study_tests::{Bench, tiny};

#[test]
fn settings_that_are_wrong_exit_with_2_and_name_the_key() {
    let bench = Bench::new(&tiny("[grid]\nsedes = [1]\n"));
    let words = bench.fail("check study.toml", 2);
    assert!(
        words.contains("study.toml: key 'grid.sedes'") && words.contains("`seeds`"),
        "{words}"
    );
    for verb in [
        "synth --config study.toml --out x",
        "plan study.toml --run x",
    ] {
        bench.fail(verb, 2);
    }
    assert!(!bench.path("x").exists());
}

#[test]
fn a_study_without_data_says_what_it_needs() {
    let bench = Bench::new("name = \"x\"\n");
    let words = bench.fail("plan study.toml --run run", 2);
    assert!(
        words.contains("--data: expected a folder with CMU_MOSEI_COVAREP.csd"),
        "{words}"
    );
    let words = bench.fail("plan study.toml --run run --data nowhere", 1);
    assert!(words.contains("CMU_MOSEI_COVAREP.csd"), "{words}");
    assert!(!bench.path("run").exists());
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let bench = Bench::new(&tiny(""));
    for device in ["cuda:999999", "gpu"] {
        let words = bench.fail(&format!("plan study.toml --run run --device {device}"), 2);
        assert!(words.contains(device), "{words}");
    }
    assert!(!bench.path("run").exists());
}

#[test]
fn a_budget_without_positives_stops_the_study_before_training() {
    let config = tiny("")
        .replace("counts = [20]", "counts = [2]")
        .replace("min_positives = 0", "min_positives = 1");
    let bench = Bench::new(&config);
    bench.succeed("synth --config study.toml --out data");
    bench.succeed("prepare --config study.toml --data data --out prepared");
    let words = bench.fail(
        "sample --config study.toml --prepared prepared --out subsets.parquet",
        1,
    );
    assert!(words.contains("budget") && words.contains('2'), "{words}");
    assert!(!bench.path("subsets.parquet").exists());
}

#[test]
fn files_that_are_no_csd_leave_nothing() {
    let bench = Bench::new(&tiny(""));
    std::fs::create_dir(bench.path("data")).unwrap();
    for name in ["CMU_MOSEI_COVAREP.csd", "CMU_MOSEI_Labels.csd"] {
        bench.write(&format!("data/{name}"), "not HDF5 at all");
    }
    let words = bench.fail("prepare --config study.toml --data data --out prepared", 1);
    assert!(words.contains(".csd") && words.contains("HDF5"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(!bench.path("prepared").exists());
}

/// What a damaged file can make of HDF5, by stand-ins in the process that tries it: the file itself
/// is whole.
#[test]
fn a_library_that_loops_aborts_or_is_greedy_is_one_error() {
    let bench = Bench::new(&tiny(""));
    bench.succeed("synth --config study.toml --out data");
    let before = names_in(&bench.path(""));
    let kinds = [
        ("loop", "no result after "),
        ("abort", "signal 6"),
        ("greedy", "signal 6"),
    ];
    for (how, why) in kinds {
        for verb in [
            "prepare --config study.toml --data data --out prepared",
            "inspect data/CMU_MOSEI_COVAREP.csd",
        ] {
            let Some(ran) = bench.run_with_harmed_forks(how, verb) else {
                eprintln!("SKIPPED: a fork can be disturbed on Linux with the GNU C library only");
                return;
            };
            let words = String::from_utf8_lossy(&ran.stderr);
            assert_eq!(ran.status.code(), Some(1), "{how}, {verb}: {words}");
            assert_eq!(words.lines().count(), 1, "{how}, {verb}: {words}");
            let expected = "expected a readable HDF5 file, found a damaged one: HDF5, run on it in a separate process, ended with";
            assert!(
                words.contains(".csd: ") && words.contains(expected) && words.contains(why),
                "{how}, {verb}: {words}"
            );
            assert_eq!(names_in(&bench.path("")), before, "{how}, {verb}");
        }
    }
    bench.succeed("prepare --config study.toml --data data --out prepared");
}

/// What stands in a folder and below it.
fn names_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.extend(if path.is_dir() {
            names_in(&path)
        } else {
            Vec::new()
        });
        names.push(path);
    }
    names.sort();
    names
}

#[test]
fn an_encoder_that_does_not_fit_is_refused() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    bench.succeed("pretrain --config study.toml --prepared prepared --out pretrain");
    bench.write(
        "study.toml",
        &tiny("").replace("feedforward_dim = 32", "feedforward_dim = 48"),
    );
    let cell = "finetune --config study.toml --prepared prepared --subsets subsets.parquet --labels n20 --start ssl --out cell";
    let words = bench.fail(&format!("{cell} --encoder pretrain/encoder"), 1);
    assert!(
        words.contains("feedforward_dim: expected 48 as the configuration says, found 32"),
        "{words}"
    );
    let words = bench.fail(cell, 2);
    assert!(
        words.contains("encoder: expected the folder of a pre-trained encoder"),
        "{words}"
    );
    let words = bench.fail(&cell.replace("n20", "n21").replace("ssl", "scratch"), 1);
    assert!(words.contains("budget n21"), "{words}");
    assert!(!bench.path("cell/predictions.parquet").exists());
}

#[test]
fn a_control_that_keeps_no_model_says_so() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    let cell = "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start pooled-logistic --labels n20 --out cell";
    bench.succeed(cell);
    let said = "cell: expected a cell with a model, found the control pooled-logistic, which keeps no model: it has no encoder";
    for folder in ["cell", "cell/model", "cell/model/encoder"] {
        for verb in ["predict", "embed"] {
            let words = bench.fail(&format!("{verb} {folder} prepared --out said"), 1);
            assert!(
                words.contains(said) && words.lines().count() == 1,
                "{verb} {folder}: {words}"
            );
            assert!(!bench.path("said.parquet").exists() && !bench.path("said.csv").exists());
        }
    }
    let config = tiny("").replace(
        "[finetune.training]",
        "[finetune]\nkeep_models = false\n[finetune.training]",
    );
    bench.write("study.toml", &config);
    bench.succeed(
        &cell
            .replace("pooled-logistic", "scratch")
            .replace("--out cell", "--out none"),
    );
    let words = bench.fail("predict none/model prepared --out said", 1);
    assert!(
        words.contains(
            "none: expected a cell with a model, found one without: studies with finetune.keep_models = false"
        ),
        "{words}"
    );
}

#[test]
fn a_folder_that_is_no_run_is_named() {
    let bench = Bench::new("");
    for verb in ["evaluate", "report"] {
        let words = bench.fail(&format!("{verb} nowhere"), 1);
        assert!(
            words.contains("nowhere: expected the folder of a run"),
            "{words}"
        );
    }
}

#[test]
fn a_training_that_diverges_says_where_and_leaves_no_older_predictions() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    let cell = "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start scratch --labels n20 --out cell";
    bench.succeed(cell);
    assert!(bench.path("cell/predictions.parquet").exists() && bench.path("cell/model").exists());
    bench.write(
        "study.toml",
        &tiny("").replace(
            "[finetune.training]\n",
            "[finetune.training]\nlearning_rate = 1e30\n",
        ),
    );
    let words = bench.fail(cell, 1);
    assert!(
        words.contains("expected a finite loss and gradient") && words.contains("the batch was"),
        "{words}"
    );
    assert!(!bench.path("cell/predictions.parquet").exists() && !bench.path("cell/model").exists());
}

#[test]
fn a_checkpoint_of_another_encoder_is_not_gone_on_with() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    let cell = |encoder: &str| {
        format!(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start ssl --labels n20 --encoder {encoder}/encoder --out {encoder}-cell"
        )
    };
    for seed in [0, 1] {
        bench.succeed(&format!(
            "pretrain --config study.toml --prepared prepared --seed {seed} --out pre{seed}"
        ));
        bench.succeed(&cell(&format!("pre{seed}")));
    }
    let key = |encoder: &str| {
        let path = bench.path(&format!("{encoder}-cell/predictions.parquet"));
        run_record::Table::read(&path)
            .unwrap()
            .text(&path, "cell")
            .unwrap()[0]
            .clone()
    };
    assert_ne!(
        key("pre0"),
        key("pre1"),
        "the key that guards a checkpoint knows the encoder"
    );
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let bench = Bench::new(&tiny(""));
    let mut command = bench.command("check study.toml");
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success());
}

#[test]
fn a_data_file_that_vanishes_fails_its_step_and_no_more() {
    let bench = Bench::new(&tiny("[grid]\nseeds = [0]\nstarts = [\"scratch\"]\n"));
    bench.succeed("synth --config study.toml --out data");
    let plan: sweep::Plan =
        serde_json::from_str(&bench.succeed("plan study.toml --run run --data data")).unwrap();
    let sweep = || {
        sweep::run(
            &plan,
            &bench.path("run"),
            study_tests::program(),
            2,
            &mut |_| (),
        )
        .unwrap()
    };
    let (file, away) = (bench.path("data/CMU_MOSEI_Labels.csd"), bench.path("away"));
    std::fs::rename(&file, &away).unwrap();
    let outcome = sweep();
    assert_eq!(outcome.failed.len(), 1);
    let (id, words) = &outcome.failed[0];
    assert!(
        id == "prepare" && words.contains("CMU_MOSEI_Labels.csd: no such file"),
        "{id}: {words}"
    );
    assert!(outcome.done.is_empty() && !bench.path("run/prepared").exists());
    std::fs::rename(&away, &file).unwrap();
    assert!(sweep().is_complete());
}
