//! The seeds of the fuzz targets (`fuzz/corpus` at the top), through the functions that the targets
//! call: those whose names begin with `good` are taken, and no others.
//!
//! `cargo test -p mosei-data --test fuzz_corpus -- --ignored` makes them again.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod entries;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

use mosei_data::{CsdWriter, DataConfig, SynthConfig, Unlabelled, prepare, synthesise};

const TARGETS: [seeds::Target; 4] = [
    ("csd", entries::csd),
    ("folds", entries::folds),
    ("config", entries::config),
    ("prepared", entries::prepared),
];

#[test]
fn seeds_match_their_names() {
    seeds::come_to_what_their_names_say(&TARGETS);
}

#[test]
#[ignore = "writes into the checkout"]
fn make_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.csd");
    let mut writer = CsdWriter::create(
        &path,
        "F",
        &[("dimension names", serde_json::json!(["x", "y"]))],
        4,
    )
    .unwrap();
    writer
        .write_video(
            "a",
            2,
            &[0.5; 8],
            &[[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]],
        )
        .unwrap();
    writer.finish().unwrap();
    let good = std::fs::read(&path).unwrap();
    seeds::put("csd", "good", &good);
    seeds::put("csd", "cut", &good[..good.len() / 2]);

    seeds::put(
        "folds",
        "good",
        br#"{"train": ["a", "b"], "valid": ["c"], "test": ["d"]}"#,
    );
    seeds::put(
        "folds",
        "twice",
        br#"{"train": ["a", "b"], "valid": ["a"], "test": ["d"]}"#,
    );

    let config = DataConfig {
        folds: Some("folds.json".into()),
        unlabelled: Unlabelled::Outside,
        ..DataConfig::default()
    };
    seeds::put(
        "config",
        "good",
        toml::to_string(&config).unwrap().as_bytes(),
    );
    seeds::put("config", "upwards", b"features = '../f.csd'");

    let corpus = SynthConfig {
        videos: 6,
        segments: 12,
        median_segment_s: 0.5,
        ..SynthConfig::default()
    };
    synthesise(&corpus, &dir.path().join("data"), &mut |_, _| {}).unwrap();
    let config = DataConfig {
        pool_frames: 50,
        unlabelled: Unlabelled::Outside,
        ..DataConfig::default()
    };
    let out = dir.path().join("prepared");
    prepare(&config, &dir.path().join("data"), &out, &mut |_, _| {}).unwrap();
    let mut joined = entries::joined(&out);
    seeds::put("prepared", "good", &joined);
    *joined.last_mut().unwrap() ^= 1;
    seeds::put("prepared", "bit", &joined);
}
