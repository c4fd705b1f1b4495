//! The seeds of the fuzz targets for the files of a run (`fuzz/corpus` at the top), through the functions that the targets call: those
//! whose names begin with `good` are taken, and no others.
//!
//! Seeds are made anew by `cargo test -p train --test fuzz_corpus -- --ignored`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod entries;

use run_record::{CellId, CellPredictions, PredictionRow, StepRecord, write_results};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use train::{Place, Study};

/// The function of a target.
type Entry = fn(&[u8]) -> entries::Taken;

const TARGETS: [(&str, Entry); 6] = [
    ("study", entries::study),
    ("plan", entries::plan),
    ("results", entries::results),
    ("predictions", entries::predictions),
    ("record", entries::record),
    ("checkpoint", entries::checkpoint),
];

fn seeds(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

#[test]
fn seeds_come_to_what_their_names_say() {
    for (target, entry) in TARGETS {
        let files: Vec<PathBuf> = std::fs::read_dir(seeds(target)).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.len() >= 2, "{target}: a good seed, and one that is not");
        for file in files {
            let good = file.file_name().unwrap().to_str().unwrap().starts_with("good");
            assert_eq!(entry(&std::fs::read(&file).unwrap()), good, "{}", file.display());
        }
    }
}

#[test]
#[ignore = "writes into the checkout"]
fn make_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let put = |target: &str, name: &str, bytes: &[u8]| {
        std::fs::create_dir_all(seeds(target)).unwrap();
        std::fs::write(seeds(target).join(name), bytes).unwrap();
    };
    let text =
        "name = \"seed\"\n[synth]\n[labels]\ncounts = [20]\n[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n";
    let study = Study::parse(Path::new("s.toml"), text).unwrap();
    put("study", "good", study.to_toml().as_bytes());
    put("study", "range", b"[mask]\nratio = 1.5\n");

    let plan = train::plan(&study, &Place { run: PathBuf::from("run"), data: None }).unwrap();
    put("plan", "good", &serde_json::to_vec(&plan).unwrap());
    let mut circle = plan;
    let last = circle.steps.last().unwrap().id.clone();
    circle.steps[0].needs.push(last);
    put("plan", "circle", &serde_json::to_vec(&circle).unwrap());

    let id = CellId {
        cell: "c".into(),
        fold: 0,
        start: "ssl".into(),
        fraction: 0.1,
        n_labels: 7,
        seed: 1,
        draw: 0,
        pretrain_seed: Some(1),
    };
    let row = |k: i32| PredictionRow {
        split: "test".into(),
        video: "v".into(),
        segment: k,
        emotion: "fear".into(),
        intensity: f64::from(k % 2),
        present: k % 2 == 1,
        score: Some(0.1 * f64::from(k)),
        predicted_intensity: None,
        threshold: 0.5,
    };
    let cell = CellPredictions { id, rows: (0..4).map(row).collect() };
    let path = dir.path().join("p.parquet");
    cell.to_table().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    put("predictions", "good", &bytes);
    put("predictions", "cut", &bytes[..bytes.len() / 2]);

    let path = dir.path().join("results.csv");
    write_results(&path, &eval::measure_cell(&cell).unwrap()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    put("results", "good", &bytes);
    put("results", "cut", &bytes[..bytes.len() - 4]);

    let record = StepRecord { key: "k".into(), seconds: 1.5, outputs: BTreeMap::from([("a".into(), "b".into())]) };
    put("record", "good", &serde_json::to_vec(&record).unwrap());
    put("record", "list", b"[]");

    let tensors = [("weight/w".to_string(), tch::Tensor::from_slice(&[0.5f32, 1.0]))];
    let path = dir.path().join("state.safetensors");
    let state = r#"{"settings": "k", "step": 4, "best": [0.5, 2], "looks_since_best": 1}"#;
    backbone::write_tensors(&tensors, Some(state), &path).unwrap();
    put("checkpoint", "good", &std::fs::read(&path).unwrap());
    backbone::write_tensors(&tensors, None, &path).unwrap();
    put("checkpoint", "stateless", &std::fs::read(&path).unwrap());
}
