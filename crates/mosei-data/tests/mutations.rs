//! Valid files, mutated at random thousands of times: each is refused with an error that names it,
//! or read as a valid value, checked by `entries`.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod entries;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;

use entries::MEMBERS;
use mosei_data::{CsdWriter, DataConfig, Prepared, SynthConfig, Unlabelled, prepare, synthesise};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::json;
use std::path::Path;

fn small_csd(folder: &Path) -> Vec<u8> {
    let path = folder.join("f.csd");
    let metadata = [
        ("dimension names", json!(["x", "y"])),
        ("root name", json!("F")),
    ];
    let mut writer = CsdWriter::create(&path, "F", &metadata, 4).unwrap();
    for id in ["a", "b", "c"] {
        let times: Vec<[f64; 2]> = (0..10).map(|k| [f64::from(k), f64::from(k + 1)]).collect();
        writer.write_video(id, 2, &[0.5; 20], &times).unwrap();
    }
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

fn small_prepared(folder: &Path) {
    let corpus = SynthConfig {
        videos: 8,
        segments: 20,
        median_segment_s: 0.5,
        ..SynthConfig::default()
    };
    synthesise(&corpus, &folder.join("data"), &mut |_, _| {}).unwrap();
    let config = DataConfig {
        pool_frames: 20,
        unlabelled: Unlabelled::Outside,
        ..DataConfig::default()
    };
    prepare(
        &config,
        &folder.join("data"),
        &folder.join("prepared"),
        &mut |_, _| {},
    )
    .unwrap();
}

#[test]
fn mutated_sequences_are_refused_or_valid() {
    let dir = tempfile::tempdir().unwrap();
    let ours = small_csd(dir.path());
    assert!(entries::csd(&ours));
    mutate::count_accepted(&ours, 1, 300, entries::csd);
    let golden = |name| {
        std::fs::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/golden")
                .join(name),
        )
        .unwrap()
    };
    for (name, times) in [("float16.csd", 300), ("layouts_latest.csd", 150)] {
        assert!(entries::csd(&golden(name)), "{name}");
        mutate::count_accepted(&golden(name), 2, times, entries::csd);
    }
    mutate::assert_memory_is_bounded();
}

#[test]
fn mutated_folds_are_refused_or_valid() {
    let good =
        json!({"train": ["a", "b", "-3g5yACwYnA"], "valid": ["d"], "test": ["Z\u{fc}rich", "81406"]}).to_string();
    assert!(entries::folds(good.as_bytes()));
    // Another letter of an id is another id: some must be taken.
    let taken = mutate::count_accepted(good.as_bytes(), 3, 4000, entries::folds);
    assert!((1..3000).contains(&taken), "{taken}");
    mutate::assert_memory_is_bounded();
}

#[test]
fn mutated_configurations_are_refused_or_valid() {
    let config = DataConfig {
        folds: Some("folds.json".into()),
        unlabelled: Unlabelled::Outside,
        ..DataConfig::default()
    };
    let good = toml::to_string(&config).unwrap();
    assert!(entries::config(good.as_bytes()));
    let taken = mutate::count_accepted(good.as_bytes(), 4, 4000, entries::config);
    assert!((1..3000).contains(&taken), "{taken}");
}

/// With the recorded hashes, none is accepted unless its manifest has the same content in another
/// form; with updated hashes some are accepted, and valid.
#[test]
fn mutated_prepared_folders_are_refused_or_valid() {
    let dir = tempfile::tempdir().unwrap();
    small_prepared(dir.path());
    let folder = dir.path().join("prepared");
    let good: Vec<Vec<u8>> = MEMBERS
        .iter()
        .map(|name| std::fs::read(folder.join(name)).unwrap())
        .collect();
    let manifest = entries::open(&folder).unwrap().manifest().clone();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut sealed = 0;
    for turn in 0..1000 {
        let which = turn % MEMBERS.len();
        let path = folder.join(MEMBERS[which]);
        let bytes = mutate::mutate(&good[which], &mut rng);
        std::fs::write(&path, &bytes).unwrap();
        if let Some(taken) = entries::open(&folder) {
            let same = if which == 0 {
                *taken.manifest() == manifest
            } else {
                bytes == good[which]
            };
            assert!(same, "{} was altered and taken", MEMBERS[which]);
        }
        if let Err(error) = Prepared::open_unverified(&folder) {
            assert!(
                error.to_string().contains(folder.to_str().unwrap()),
                "{error}"
            );
        }
        if entries::seal::seal(&folder) {
            sealed += usize::from(entries::open(&folder).is_some());
        }
        for (name, bytes) in [(MEMBERS[0], &good[0]), (MEMBERS[which], &good[which])] {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    assert!(sealed > 100, "{sealed}");
    // All files at a time.
    let joined = entries::joined(&folder);
    assert!(entries::prepared(&joined));
    mutate::count_accepted(&joined, 6, 100, entries::prepared);
    mutate::assert_memory_is_bounded();
}
