//! The seeds of the fuzz targets (`fuzz/corpus` at the top), through the functions that the targets call: those whose names begin
//! with `good` are taken, and no others.
//!
//! Seeds are made anew by `cargo test -p mosei-data --test fuzz_corpus -- --ignored`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod entries;

use mosei_data::{CsdWriter, DataConfig, SynthConfig, Unlabelled, prepare, synthesise};
use std::path::{Path, PathBuf};

/// The function of a target.
type Entry = fn(&[u8]) -> entries::Taken;

const TARGETS: [(&str, Entry); 5] = [
    ("csd", entries::csd),
    ("folds", entries::folds),
    ("config", entries::config),
    ("prepared", entries::prepared),
    ("import", entries::any_imported),
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
    let path = dir.path().join("f.csd");
    let mut writer = CsdWriter::create(&path, "F", &[("dimension names", serde_json::json!(["x", "y"]))], 4).unwrap();
    writer.write_video("a", 2, &[0.5; 8], &[[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]).unwrap();
    writer.finish().unwrap();
    let good = std::fs::read(&path).unwrap();
    put("csd", "good", &good);
    put("csd", "cut", &good[..good.len() / 2]);
    // A string that is no longer than nothing keeps HDF5 looking for the next where it looked before.
    let mut circles = good;
    let length = circles.windows(4).position(|w| w == b"GCOL").unwrap() + 24;
    circles[length] = 0;
    put("csd", "circles", &circles);

    put("folds", "good", br#"{"train": ["a", "b"], "valid": ["c"], "test": ["d"]}"#);
    put("folds", "twice", br#"{"train": ["a", "b"], "valid": ["a"], "test": ["d"]}"#);

    let config =
        DataConfig { folds: Some("folds.json".into()), unlabelled: Unlabelled::Outside, ..DataConfig::default() };
    put("config", "good", toml::to_string(&config).unwrap().as_bytes());
    put("config", "upwards", b"features = '../f.csd'");

    put("import", "good", b"\x00video,start,end,F0\na,0,1,1\na,1,2,3\nb,0,1,2\n");
    put("import", "pickle", b"\x05\x80\x04\x95");

    let corpus = SynthConfig { videos: 6, segments: 12, median_segment_s: 0.5, ..SynthConfig::default() };
    synthesise(&corpus, &dir.path().join("data"), &mut |_, _| {}).unwrap();
    let config = DataConfig { pool_frames: 50, unlabelled: Unlabelled::Outside, ..DataConfig::default() };
    let out = dir.path().join("prepared");
    prepare(&config, &dir.path().join("data"), &out, &mut |_, _| {}).unwrap();
    let mut joined = entries::joined(&out);
    put("prepared", "good", &joined);
    *joined.last_mut().unwrap() ^= 1;
    put("prepared", "bit", &joined);
}
