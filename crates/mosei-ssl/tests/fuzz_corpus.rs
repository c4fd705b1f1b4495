//! The seeds of the fuzz targets for the files of a run (`fuzz/corpus` at the top), through the
//! functions that the targets call: those whose names begin with `good` are taken, and no others.
//!
//! Seeds are written again by `cargo test -p mosei-ssl --test fuzz_corpus -- --ignored`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod entries;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

use mosei_ssl::{Place, RunFolder, Study};
use run_record::{CellId, CellPredictions, Made, PredictionRow, StepRecord, write_results};
use std::collections::BTreeMap;
use std::path::Path;

const TARGETS: [seeds::Target; 6] = [
    ("study", entries::study),
    ("plan", entries::plan),
    ("results", entries::results),
    ("predictions", entries::predictions),
    ("record", entries::record),
    ("checkpoint", entries::checkpoint),
];

#[test]
fn seeds_come_to_what_their_names_say() {
    seeds::come_to_what_their_names_say(&TARGETS);
}

#[test]
#[ignore = "writes into the checkout"]
fn make_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let text = "name = \"seed\"\n[synth]\n[labels]\ncounts = [20]\n[grid]\nseeds = [0]\nstarts = [\"ssl\", \"scratch\"]\n";
    let study = Study::parse(Path::new("s.toml"), text).unwrap();
    seeds::put("study", "good", study.to_toml().as_bytes());
    seeds::put("study", "range", b"[mask]\nratio = 1.5\n");

    let plan = mosei_ssl::plan(
        &study,
        &Place {
            run: RunFolder::new("run"),
            data: None,
        },
    )
    .unwrap();
    seeds::put("plan", "good", &serde_json::to_vec(&plan).unwrap());
    let mut circle = plan;
    let last = circle.steps.last().unwrap().id.clone();
    circle.steps[0].needs.push(last);
    seeds::put("plan", "circle", &serde_json::to_vec(&circle).unwrap());

    let id = CellId {
        partition: 0,
        cell: "c".into(),
        fold: 0,
        start: "ssl".into(),
        fraction: 0.1,
        n_labels: 7,
        seed: 1,
        draw: 0,
        budget: "f0.1".into(),
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
    let cell = CellPredictions {
        id,
        rows: (0..4).map(row).collect(),
    };
    let path = dir.path().join("p.parquet");
    cell.to_table().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    seeds::put("predictions", "good", &bytes);
    seeds::put("predictions", "cut", &bytes[..bytes.len() / 2]);

    let path = dir.path().join("results.csv");
    write_results(&path, &eval::measure_cell(&cell).unwrap()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    seeds::put("results", "good", &bytes);
    seeds::put("results", "cut", &bytes[..bytes.len() - 4]);

    let outputs = BTreeMap::from([("a".into(), "b".into())]);
    let made = Made {
        processor: "P".into(),
        threads: 1,
        torch: None,
    };
    let record = StepRecord {
        format: run_record::RUN_FORMAT,
        key: "k".into(),
        seconds: 1.5,
        outputs,
        made: vec![made],
    };
    seeds::put("record", "good", &serde_json::to_vec(&record).unwrap());
    seeds::put("record", "list", b"[]");

    let tensors = [(
        "weight/w".to_string(),
        tch::Tensor::from_slice(&[0.5f32, 1.0]),
    )];
    let path = dir.path().join("state.safetensors");
    let state = r#"{"settings": "k", "step": 4, "best": [0.5, 2], "validations_since_best": 1}"#;
    backbone::write_tensors(&tensors, Some(state), &path).unwrap();
    seeds::put("checkpoint", "good", &std::fs::read(&path).unwrap());
    backbone::write_tensors(&tensors, None, &path).unwrap();
    seeds::put("checkpoint", "stateless", &std::fs::read(&path).unwrap());
}
