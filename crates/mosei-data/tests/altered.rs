//! Good files, altered at random some thousands of times: each is refused by name, or is a value that keeps its promises. What
//! is promised, and held against each: `entries`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod entries;

use entries::MEMBERS;
use mosei_data::{CsdWriter, DataConfig, Prepared, SynthConfig, Unlabelled, prepare, synthesise};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::path::Path;

/// Memory that no altered file may take this process beyond, bytes.
const MOST_MEMORY: u64 = 512 << 20;

/// Bytes with one to four things done to them.
fn altered(good: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..bytes.len().max(1));
        let end = (at + rng.random_range(1..9)).min(bytes.len());
        match rng.random_range(0..8) {
            _ if bytes.is_empty() => bytes.push(rng.random()),
            0 | 1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes[at] = rng.random(),
            3 => bytes[at..end].fill(*[0, 1, 0x7f, 0x80, 0xff, b'9', b'"'].get(rng.random_range(0..7)).unwrap()),
            4 => drop(bytes.drain(at..end)),
            5 => bytes.insert(at, rng.random()),
            6 => {
                let piece = bytes[at..end].to_vec();
                let to = rng.random_range(0..bytes.len());
                bytes.splice(to..to, piece);
            }
            _ if rng.random_range(0..8) == 0 => bytes.truncate(at),
            _ => bytes.swap(at, end - 1),
        }
    }
    bytes
}

/// How many of so many altered ones are taken.
fn taken(good: &[u8], seed: u64, times: usize, entry: impl Fn(&[u8]) -> bool) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..times).filter(|_| entry(&altered(good, &mut rng))).count()
}

fn memory_is_bounded() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let most = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap().trim().strip_suffix(" kB").unwrap();
    assert!(most.parse::<u64>().unwrap() << 10 <= MOST_MEMORY, "{most} kB");
}

fn small_csd(folder: &Path) -> Vec<u8> {
    let path = folder.join("f.csd");
    let metadata = [("dimension names", json!(["x", "y"])), ("root name", json!("F"))];
    let mut writer = CsdWriter::create(&path, "F", &metadata, 4).unwrap();
    for id in ["a", "b", "c"] {
        let times: Vec<[f64; 2]> = (0..10).map(|k| [f64::from(k), f64::from(k + 1)]).collect();
        writer.write_video(id, 2, &[0.5; 20], &times).unwrap();
    }
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

fn small_prepared(folder: &Path) {
    let corpus = SynthConfig { videos: 8, segments: 20, median_segment_s: 0.5, ..SynthConfig::default() };
    synthesise(&corpus, &folder.join("data"), &mut |_, _| {}).unwrap();
    let config = DataConfig { pool_frames: 20, unlabelled: Unlabelled::Outside, ..DataConfig::default() };
    prepare(&config, &folder.join("data"), &folder.join("prepared"), &mut |_, _| {}).unwrap();
}

#[test]
fn altered_sequences() {
    let dir = tempfile::tempdir().unwrap();
    let ours = small_csd(dir.path());
    assert!(entries::csd(&ours));
    taken(&ours, 1, 300, entries::csd);
    let golden = |name| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap();
    for (name, times) in [("float16.csd", 300), ("layouts_latest.csd", 150)] {
        assert!(entries::csd(&golden(name)), "{name}");
        taken(&golden(name), 2, times, entries::csd);
    }
    memory_is_bounded();
}

#[test]
fn altered_imports() {
    let fixture =
        |name: &str| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)).unwrap();
    let frames = b"video;start;end;F0;F1\na;0;0.1;1.5;-inf\na;0.1;0.2;2;nan\nb;0:00;0 days 00:00:01;3;4\n";
    let labels = b"file,segment,start,end,happy,speaker,split\na.wav,1,0,0.1,3,x,none\nb.wav,2,0,0.1,0,y,\n";
    let arff = b"@relation r\n@attribute name string\n@attribute frameTime numeric\n@attribute 'F 0' numeric\n@data\n'a',0,1\n'a',1,?\n";
    let mapping =
        b"[ids]\nfolders = \"join\"\n[labels]\ncolumns = [\"happy\"]\nrange = [0, 3]\nrename = { happy = \"joy\" }\n";
    let parquet = fixture("altered.parquet");
    let npy = fixture("npy_float32/81406.npy");
    let released = fixture("released_groups.h5");
    let kinds: [(&str, &[u8], usize); 7] = [
        ("f.csv", frames, 200),
        ("l.csv", labels, 200),
        ("f.arff", arff, 200),
        ("m.toml", mapping, 400),
        ("f.parquet", &parquet, 600),
        ("d/a.npy", &npy, 300),
        ("f.h5", &released, 60),
    ];
    for (seed, (name, good, times)) in kinds.into_iter().enumerate() {
        assert!(entries::imported(name, good), "{name}");
        let taken = taken(good, 20 + seed as u64, times, |bytes| entries::imported(name, bytes));
        assert!((1..times).contains(&taken), "{name}: {taken}");
    }
    memory_is_bounded();
}

#[test]
fn altered_folds() {
    let good =
        json!({"train": ["a", "b", "-3g5yACwYnA"], "valid": ["d"], "test": ["Z\u{fc}rich", "81406"]}).to_string();
    assert!(entries::folds(good.as_bytes()));
    // Another letter of an id is another id: some must be taken.
    let taken = taken(good.as_bytes(), 3, 4000, entries::folds);
    assert!((1..3000).contains(&taken), "{taken}");
    memory_is_bounded();
}

#[test]
fn altered_configurations() {
    let config =
        DataConfig { folds: Some("folds.json".into()), unlabelled: Unlabelled::Outside, ..DataConfig::default() };
    let good = toml::to_string(&config).unwrap();
    assert!(entries::config(good.as_bytes()));
    let taken = taken(good.as_bytes(), 4, 4000, entries::config);
    assert!((1..3000).contains(&taken), "{taken}");
}

/// With hashes of before none is taken but where its manifest says the same in other words; with hashes of now some are, and
/// keep what they promise.
#[test]
fn altered_prepared_folders() {
    let dir = tempfile::tempdir().unwrap();
    small_prepared(dir.path());
    let folder = dir.path().join("prepared");
    let good: Vec<Vec<u8>> = MEMBERS.iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect();
    let manifest = entries::open(&folder).unwrap().manifest().clone();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut sealed = 0;
    for turn in 0..1000 {
        let which = turn % MEMBERS.len();
        let path = folder.join(MEMBERS[which]);
        let bytes = altered(&good[which], &mut rng);
        std::fs::write(&path, &bytes).unwrap();
        if let Some(taken) = entries::open(&folder) {
            let same = if which == 0 { *taken.manifest() == manifest } else { bytes == good[which] };
            assert!(same, "{} was altered and taken", MEMBERS[which]);
        }
        if let Err(error) = Prepared::open_unverified(&folder) {
            assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
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
    taken(&joined, 6, 100, entries::prepared);
    memory_is_bounded();
}
