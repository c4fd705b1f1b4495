//! What a run reads, with bytes changed, cut or put in at random: an error that names the file, or
//! a value; never a panic.
//!
//! The data files have their own such test, in `mosei-data`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use mosei_ssl::{Place, RunFolder, Study, plan};
use rand::RngExt;
use run_record::seed::{Stream, rng};
use run_record::{Column, Made, StepRecord, Table, each_cell, read_results};
use std::path::Path;
use sweep::Plan;
use tch::Device;

/// Alterations of each file that are tried.
const TRIES: u64 = 3000;

/// The bytes with one to four changes at places drawn by `seed`.
fn altered(bytes: &[u8], seed: u64) -> Vec<u8> {
    let (mut random, mut bytes) = (rng(seed, Stream::Order, 0), bytes.to_vec());
    for _ in 0..random.random_range(1..5) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..5) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, random.random()),
            // A number that is as large as can be.
            _ => bytes.iter_mut().skip(at).take(4).for_each(|b| *b = 0xff),
        }
    }
    bytes
}

/// Reads alterations of a file; panics where reading does, or where an error does not name the
/// file.
fn try_all(path: &Path, read: impl Fn(&Path) -> Result<(), String>) {
    let whole = std::fs::read(path).unwrap();
    read(path).unwrap();
    let mut refused = 0;
    for seed in 0..TRIES {
        let bytes = altered(&whole, seed);
        std::fs::write(path, &bytes).unwrap();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(path)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(words)) => {
                assert!(words.contains(&path.display().to_string()), "{words}");
                refused += 1;
            }
            Err(_) => panic!("seed {seed}: reading {} panicked", path.display()),
        }
    }
    assert!(
        refused > TRIES / 10,
        "{refused} refused: the alterations do not reach what is read"
    );
}

#[test]
fn tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let rows = 40;
    let table = Table::new()
        .with(
            "cell",
            Column::Text((0..rows).map(|i| format!("cell {}", i / 10)).collect()),
        )
        .with("n", Column::I32((0..rows).collect()))
        .with(
            "seed",
            Column::OptionI32((0..rows).map(|i| (i % 3 == 0).then_some(i)).collect()),
        )
        .with(
            "score",
            Column::OptionF64(
                (0..rows)
                    .map(|i| (i % 2 == 0).then_some(f64::from(i)))
                    .collect(),
            ),
        )
        .with(
            "present",
            Column::Bool((0..rows).map(|i| i % 2 == 0).collect()),
        );
    table.write(&path).unwrap();
    try_all(&path, |path| {
        Table::read(path).map(|_| ()).map_err(|e| e.to_string())
    });
    table.write(&path).unwrap();
    let cells = |path: &Path| {
        each_cell(path, |_| Ok::<(), run_record::RecordError>(())).map_err(|e| e.to_string())
    };
    let whole = std::fs::read(&path).unwrap();
    for seed in 0..TRIES {
        std::fs::write(&path, altered(&whole, seed)).unwrap();
        let _ = cells(&path);
    }
}

#[test]
fn results() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.csv");
    let text = "cell,fold,start,fraction,n_labels,seed,draw,budget,pretrain_seed,split,emotion,metric,value,support\n\
                c,0,ssl,0.1,7,1,2,f0.1,,test,fear,roc_auc,,0\n\
                c,0,ssl,0.1,7,1,2,f0.1,1,test,fear,roc_auc,0.25,3\n";
    std::fs::write(&path, text).unwrap();
    try_all(&path, |path| {
        read_results(path).map(|_| ()).map_err(|e| e.to_string())
    });
}

#[test]
fn records_of_steps() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = [("a".to_string(), "b".to_string())].into();
    let record = StepRecord {
        format: run_record::RUN_FORMAT,
        key: "k".into(),
        seconds: 1.5,
        outputs,
        made: vec![Made::here()],
    };
    record.write(dir.path()).unwrap();
    let path = dir.path().join(run_record::STEP_FILE);
    // One that cannot be read is one of a step that has not been done.
    try_all(&path, |path| {
        StepRecord::read(dir.path())
            .map(|_| ())
            .ok_or_else(|| format!("{}: no record", path.display()))
    });
}

#[test]
fn configurations() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let dir = tempfile::tempdir().unwrap();
    for name in ["demo.toml", "ravdess.toml", "mosei.toml"] {
        let path = dir.path().join(name);
        std::fs::copy(configs.join(name), &path).unwrap();
        try_all(&path, |path| {
            Study::load(path).map(|_| ()).map_err(|e| e.to_string())
        });
    }
}

#[test]
fn plans() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[synth]\n[grid]\nseeds = [0]\n[labels]\ncounts = [20]\n";
    let study = Study::parse(Path::new("s.toml"), text).unwrap();
    let made = plan(
        &study,
        &Place {
            run: RunFolder::new(dir.path().join("run")),
            data: None,
        },
    )
    .unwrap();
    let text = serde_json::to_vec(&made).unwrap();
    let run = dir.path().join("other");
    std::fs::create_dir(&run).unwrap();
    let mut refused = 0;
    for seed in 0..TRIES {
        let bytes = altered(&text, seed);
        std::fs::write(run.join("plan.json"), &bytes).unwrap();
        // As `status` reads it, and as a sweep would.
        let _ = sweep::status(&run);
        match serde_json::from_slice::<Plan>(&bytes) {
            Ok(plan) => refused += u64::from(sweep::explain(&plan, &run).is_err()),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > TRIES / 10, "{refused} refused");
    assert_eq!(
        std::fs::read_dir(&run).unwrap().count(),
        1,
        "looking writes nothing"
    );
}

/// An encoder without its checksums, which would tell at once.
#[test]
fn encoders() {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../backbone/tests/golden/pre-gelu-sinusoidal");
    let dir = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.join(file), dir.path().join(file)).unwrap();
    }
    let read = |path: &Path| {
        let folder =
            backbone::EncoderFolder::read(path.parent().unwrap()).map_err(|e| e.to_string())?;
        folder
            .encoder(Device::Cpu)
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    for file in ["config.json", "model.safetensors"] {
        let path = dir.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        try_all(&path, |path| {
            // An error may lie in either file: the one is read by what the other says.
            read(path).map_err(|words| {
                words
                    .replace("config.json", file)
                    .replace("model.safetensors", file)
            })
        });
        std::fs::write(&path, whole).unwrap();
    }
}
