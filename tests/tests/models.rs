//! What can be done with what a study has trained.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use run_record::{CellPredictions, Table, read_results};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use study_tests::{Bench, program, python, python_command, tiny};
use sweep::Plan;

const MODEL: &str = "run/cells/fold0/ssl-n20-seed0-draw0/model";
const FEATURES: &str = "run/data/CMU_MOSEI_COVAREP.csd";

/// A tiny study that has been run, by the recipe of the configurations.
fn study() -> Bench {
    let more = "[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n[report]\nlicence = \"CC0\"\n\
                notes = [\"Nothing of it is real.\"]\n";
    let recipe = "[finetune]\nhead_init = \"regression\"\n[finetune.heads]\npooling = \"mean-deviation\"\n\
                  input_statistics = true\nstandardise = true\n[finetune.training]";
    let bench = Bench::new(&tiny(more).replace("[finetune.training]", recipe));
    let plan: Plan = serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let outcome = sweep::run(&plan, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    bench
}

/// Scores by segment and emotion.
fn scores(path: &Path) -> BTreeMap<(String, i32, String), f64> {
    let table = Table::read(path).unwrap();
    let ids = table
        .text(path, "video")
        .unwrap()
        .iter()
        .zip(table.i32(path, "segment").unwrap());
    let keys = ids
        .zip(table.text(path, "emotion").unwrap())
        .map(|((v, &s), e)| (v.clone(), s, e.clone()));
    keys.zip(
        table
            .option_f64(path, "score")
            .unwrap()
            .iter()
            .map(|s| s.unwrap()),
    )
    .collect()
}

#[test]
fn a_model_is_used_again() {
    let bench = study();
    bench.succeed(&format!("predict {MODEL} run/prepared --out said"));
    let said = scores(&bench.path("said.parquet"));
    let path = bench.path("run/cells/fold0/ssl-n20-seed0-draw0/predictions.parquet");
    let cell = &CellPredictions::from_table(&path, &Table::read(&path).unwrap()).unwrap()[0];
    for row in &cell.rows {
        // Batches differ, so do the last bits.
        let again = said[&(row.video.clone(), row.segment, row.emotion.clone())];
        assert!((again - row.score.unwrap()).abs() < 1e-5);
    }
    let csv = std::fs::read_to_string(bench.path("said.csv")).unwrap();
    assert!(
        csv.starts_with("video,segment,start_s,end_s,emotion,score,predicted_intensity,threshold,predicted_present\n")
    );
    assert_eq!(csv.lines().count(), 1 + said.len());
    // One file where one is named.
    bench.succeed(&format!("predict {MODEL} run/prepared --out only.csv"));
    assert!(bench.path("only.csv").exists() && !bench.path("only.csv.parquet").exists());
    assert_eq!(
        std::fs::read_to_string(bench.path("only.csv")).unwrap(),
        csv
    );

    its_card(&bench, &cell.id.cell);
    recordings(&bench);
    embeddings(&bench);
    refusals(&bench);
    in_python(&bench);
}

/// What lies beside the weights says where they come from and how good they were found to be.
fn its_card(bench: &Bench, key: &str) {
    let read = |name: &str| std::fs::read_to_string(bench.path(MODEL).join(name)).unwrap();
    let card = read("README.md");
    for part in [
        "Nothing of it is real.",
        "terms, which may bind what is made of them: CC0",
        "72 columns",
        "10 frames a second",
    ] {
        assert!(card.contains(part), "{part} in:\n{card}");
    }
    let facts: Value = serde_json::from_str(&read("model.json")).unwrap();
    assert_eq!(facts["cell"]["cell"], key);
    let input: Value = serde_json::from_str(&read("encoder/input.json")).unwrap();
    for file in input["files"].as_array().unwrap() {
        let path = bench.path("run/data").join(file["name"].as_str().unwrap());
        assert_eq!(file["blake3"], run_record::hash_file(&path).unwrap());
        assert!(card.contains(file["blake3"].as_str().unwrap()));
    }
    let results = read_results(&bench.path("run/results.csv")).unwrap();
    let row = results.iter().find(|r| {
        r.cell == key && r.split == "test" && r.emotion == "happy" && r.metric == "roc_auc"
    });
    let auc = row.and_then(|r| r.value).unwrap();
    let line = card.lines().find(|l| l.starts_with("| happy |")).unwrap();
    assert!(line.contains(&format!("| {auc:.3} |")), "{auc} in {line}");
}

/// Recordings without labels are cut into pieces that touch and leave nothing out.
fn recordings(bench: &Bench) {
    bench.succeed(&format!("predict {MODEL} {FEATURES} --out heard"));
    let path = bench.path("heard.parquet");
    let table = Table::read(&path).unwrap();
    let (videos, segments) = (
        table.text(&path, "video").unwrap(),
        table.i32(&path, "segment").unwrap(),
    );
    let (starts, ends) = (
        table.f64(&path, "start_s").unwrap(),
        table.f64(&path, "end_s").unwrap(),
    );
    let mut end: BTreeMap<&str, (i32, f64)> = BTreeMap::new();
    // A row an emotion.
    for i in (0..table.rows()).step_by(6) {
        let (piece, begins) = end
            .get(videos[i].as_str())
            .map_or((0, starts[i]), |&(piece, end)| (piece + 1, end));
        assert_eq!((segments[i], starts[i]), (piece, begins), "{}", videos[i]);
        assert!(
            ends[i] - starts[i] < 4.0 + 1e-6,
            "at most 40 frames at 10 Hz"
        );
        end.insert(&videos[i], (piece, ends[i]));
    }
    assert!(end.len() >= 19 && end.values().any(|&(last, _)| last > 0));
}

fn embeddings(bench: &Bench) {
    bench.succeed(&format!(
        "embed {MODEL} run/prepared --out h.parquet --level frame --with-input"
    ));
    let path = bench.path("h.parquet");
    let frames = Table::read(&path).unwrap();
    assert!(
        frames.get("h15").is_some() && frames.get("h16").is_none() && frames.get("x0").is_some()
    );
    bench.succeed(&format!("embed {MODEL}/encoder run/prepared --out s.csv"));
    bench.succeed(&format!(
        "embed --encoder {MODEL}/encoder --data run/prepared --out s.parquet"
    ));
    let segments = Table::read(&bench.path("s.parquet")).unwrap();
    let csv = std::fs::read_to_string(bench.path("s.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + segments.rows());
    // The first segment's row is the mean of its frames.
    let (path, first) = (
        bench.path("s.parquet"),
        frames
            .i32(&path, "frame")
            .unwrap()
            .iter()
            .skip(1)
            .position(|&f| f == 0),
    );
    let n = first.unwrap() + 1;
    let mean = frames.f32(&path, "h3").unwrap()[..n].iter().sum::<f32>() / n as f32;
    assert!((mean - segments.f32(&path, "h3").unwrap()[0]).abs() < 1e-5);
}

/// Data that the model knows nothing of are refused, and nothing is written.
fn refusals(bench: &Bench) {
    bench.write(
        "slow.toml",
        &tiny("")
            .replace("pool_frames = 10", "pool_frames = 5")
            .replace("max_frames = 40", "max_frames = 80"),
    );
    bench.succeed("prepare --config slow.toml --data run/data --out slow");
    let message = bench.fail(&format!("predict {MODEL} slow --out no"), 1);
    let expected = "slow: frames a second: expected 10 Hz (100 Hz, pool_frames 10) as the model was trained on, found 20 Hz";
    assert!(message.contains(expected), "{message}");
    let message = bench.fail(
        "predict run/cells/fold0/ssl-n20-seed0-draw0 run/prepared --out no",
        1,
    );
    assert!(
        message.contains("did you mean run/cells/fold0/ssl-n20-seed0-draw0/model?"),
        "{message}"
    );
    let message = bench.fail(
        &format!("predict {MODEL} run/data/CMU_MOSEI_Labels.csd --out no"),
        1,
    );
    assert!(
        message
            .contains("column 'F0': expected among the data's columns, found 7 columns without it"),
        "{message}"
    );
    assert!(!bench.path("no.csv").exists() && !bench.path("no.parquet").exists());
}

/// `examples/python`: a model in plain PyTorch says the same, and pandas finds the same in a run's
/// tables.
fn in_python(bench: &Bench) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python");
    let lines = std::fs::read_to_string(examples.join("model.py"))
        .unwrap()
        .lines()
        .count();
    assert!(lines < 40, "{lines} lines");
    let modules = "torch, safetensors.torch, pandas, pyarrow, sklearn, matplotlib";
    let Some(python) = python("examples/python", modules) else {
        return;
    };
    let run = |script: &str, arguments: &[PathBuf]| {
        let output = python_command(&python)
            .arg(examples.join(script))
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    };
    let said = run(
        "compare.py",
        &[
            bench.path(MODEL),
            bench.path("run/prepared"),
            bench.path("said.parquet"),
        ],
    );
    assert!(said.contains("numbers, largest difference"), "{said}");
    let figure = bench.path("figure.png");
    let said = run("read_results.py", &[bench.path("run"), figure.clone()]);
    let line = said.lines().find(|l| l.contains("ROC AUC")).unwrap();
    let numbers: Vec<f64> = line
        .split_whitespace()
        .filter(|w| w.starts_with("0."))
        .map(|w| w.parse().unwrap())
        .collect();
    assert!(
        numbers.len() == 2 && (numbers[0] - numbers[1]).abs() < 1e-6,
        "{line}"
    );
    assert!(std::fs::read(figure).unwrap().starts_with(b"\x89PNG"));
}
