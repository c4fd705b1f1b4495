//! A run to break by hand, and the audit over it.

use crate::by_hand::{copy, edit_table, finding};
use crate::whole::sweep_all;
use run_record::{Column, Table};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use study_tests::{Bench, tiny};

pub(crate) const PRETRAIN: &str = "pretrain/fold0-seed0";
pub(crate) const SSL: &str = "cells/fold0/ssl-n20-seed0-draw0";
pub(crate) const SCRATCH: &str = "cells/fold0/scratch-n20-seed0-draw0";

pub(crate) const ABLATION: &str = "pretrain/fold0-seed0-transductive";

/// Three folds, the first of which is run; pre-training on all speech, and the ablation that sees
/// test videos.
pub(crate) fn study() -> Bench {
    let starts = "[\"ssl\", \"scratch\", \"ssl-transductive\"]";
    let config = tiny(&format!(
        "[grid]\nseeds = [0]\nstarts = {starts}\nfolds = [0]\n"
    ))
    .replace(
        "[data]",
        "[data]\nsplit = { k_folds = 3 }\nunlabelled = \"outside\"\nunlabelled_min_s = 0.3",
    )
    .replace("name =", "pretrain_on = \"all-speech\"\nname =");
    let bench = Bench::new(&config);
    sweep_all(&bench);
    bench
}

/// Changes the lines of a journal.
pub(crate) fn edit_journal(path: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    change(&mut lines);
    std::fs::write(
        path,
        lines
            .iter()
            .map(|line: &Value| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();
}

/// Takes one row out of a table.
pub(crate) fn drop_row(path: &Path, row: usize) {
    edit_table(path, |_, column| match column {
        Column::Text(v) => drop(v.remove(row)),
        Column::I32(v) => drop(v.remove(row)),
        Column::OptionI32(v) => drop(v.remove(row)),
        Column::F32(v) => drop(v.remove(row)),
        Column::F64(v) => drop(v.remove(row)),
        Column::OptionF64(v) => drop(v.remove(row)),
        Column::Bool(v) => drop(v.remove(row)),
        Column::Foreign(_) => panic!("no table of a run has such a column"),
    });
}

/// Puts another segment into a row of a table.
pub(crate) fn put_segment(path: &Path, row: usize, (video, segment): &(String, i32)) {
    edit_table(path, |name, column| match (name, column) {
        ("video", Column::Text(v)) => v[row] = video.clone(),
        ("segment", Column::I32(v)) => v[row] = *segment,
        _ => {}
    });
}

/// The bytes of a tensor in a safetensors file, and where they begin.
pub(crate) fn tensor(file: &[u8], name: &str) -> (usize, usize) {
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let value: Value = serde_json::from_slice(&file[8..header]).unwrap();
    let place = |i: usize| header + value[name]["data_offsets"][i].as_u64().unwrap() as usize;
    (place(0), place(1))
}

/// What the tests need to know of the run.
pub(crate) struct Known {
    pub(crate) manifest: Value,
    /// Ids of judged segments, by split, in order.
    pub(crate) valid: Vec<(String, i32)>,
    pub(crate) test: Vec<(String, i32)>,
}

impl Known {
    pub(crate) fn of(run: &Path) -> Self {
        let manifest =
            serde_json::from_slice(&std::fs::read(run.join("prepared/manifest.json")).unwrap())
                .unwrap();
        let path = run.join(SSL).join("predictions.parquet");
        let table = Table::read(&path).unwrap();
        let (splits, videos) = (
            table.text(&path, "split").unwrap(),
            table.text(&path, "video").unwrap(),
        );
        let segments = table.i32(&path, "segment").unwrap();
        let of = |split: &str| -> Vec<(String, i32)> {
            let rows = (0..table.rows())
                .filter(|&i| splits[i] == split)
                .map(|i| (videos[i].clone(), segments[i]));
            rows.collect::<BTreeSet<_>>().into_iter().collect()
        };
        Known {
            valid: of("valid"),
            test: of("test"),
            manifest,
        }
    }

    pub(crate) fn place(&self, video: &str) -> usize {
        self.manifest["videos"]
            .as_array()
            .unwrap()
            .iter()
            .position(|v| v == video)
            .unwrap()
    }

    /// A training video of fold 0.
    pub(crate) fn training_video(&self) -> String {
        let split = self.manifest["folds"][0]["split"].as_array().unwrap();
        let place = split.iter().position(|s| s == "train").unwrap();
        self.manifest["videos"][place].as_str().unwrap().to_string()
    }
}

/// Runs the audit over a copy of the run that `change` has broken, and wants `rule` broken with
/// `words`.
pub(crate) fn broken(bench: &Bench, rule: &str, words: &[&str], change: impl FnOnce(&Path)) {
    let run = bench.path("broken");
    copy(&bench.path("run"), &run);
    change(&run);
    let output = bench.run("audit broken --json");
    assert_eq!(
        output.status.code(),
        Some(1),
        "{rule}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["holds"], false);
    let finding = finding(&audit, rule);
    assert_eq!(finding["outcome"], "broken", "{rule}: {finding}");
    for word in words {
        assert!(
            finding["detail"].as_str().unwrap().contains(word),
            "{rule}: {finding} does not say {word}"
        );
    }
    std::fs::remove_dir_all(&run).unwrap();
}
