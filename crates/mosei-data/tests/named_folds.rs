//! The standard folds of CMU-MOSEI, by name and as the SDK's Python file.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{
    CsdWriter, DataConfig, FoldLists, MOSEI_STANDARD_FOLDS, Manifest, input_files, prepare,
};
use mosei_schema::Split;
use std::path::Path;

/// Videos of MOSEI: two that train, one that validates, one that tests; and one that is not MOSEI's.
const VIDEOS: [&str; 5] = ["hh04W3xXa5s", "81406", "188343", "7l3BNtSE0xc", "elsewhere"];

fn corpus(dir: &Path) {
    let times: Vec<[f64; 2]> = (0..10).map(|k| [f64::from(k), f64::from(k + 1)]).collect();
    for (name, width, rows) in [("f.csd", 2, 10), ("l.csd", 6, 2)] {
        let mut writer = CsdWriter::create(&dir.join(name), "R", &[], 4).unwrap();
        for (v, id) in VIDEOS.iter().enumerate() {
            let values: Vec<f32> = (0..rows * width)
                .map(|i| ((i * 7 + v) % 3) as f32)
                .collect();
            writer
                .write_video(id, width, &values, &times[..rows])
                .unwrap();
        }
        writer.finish().unwrap();
    }
}

fn prepared(folds: Option<&str>, dir: &Path) -> Manifest {
    let config = DataConfig {
        features: "f.csd".into(),
        labels: vec!["l.csd".into()],
        folds: folds.map(String::from),
        ..DataConfig::default()
    };
    let files = input_files(&config, dir).unwrap();
    assert_eq!(
        files.len(),
        if folds == Some(MOSEI_STANDARD_FOLDS) {
            2
        } else {
            3
        }
    );
    prepare(&config, dir, &dir.join("out"), &mut |_, _| ()).unwrap()
}

#[test]
fn the_lists_are_whole() {
    let lists = FoldLists::read(Path::new(MOSEI_STANDARD_FOLDS)).unwrap();
    let count = |split| lists.split.values().filter(|s| **s == split).count();
    let counts = Split::ALL.map(count);
    assert_eq!(counts, [2249, 300, 678]);
}

#[test]
fn a_copy_that_lacks_videos_is_split_by_name() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let manifest = prepared(Some(MOSEI_STANDARD_FOLDS), dir.path());
    let of = |id: &str| {
        let place = manifest.videos.iter().position(|v| v == id).unwrap();
        manifest.folds[0].split[place]
    };
    assert_eq!(
        VIDEOS.map(of),
        [
            Some(Split::Train),
            Some(Split::Train),
            Some(Split::Valid),
            Some(Split::Test),
            None,
        ]
    );
    assert_eq!(manifest.folds[0].unknown_ids.len(), 2249 + 300 + 678 - 4);
}

#[test]
fn the_python_file_is_read_as_text() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let text = "standard_train_fold=['hh04W3xXa5s', '81406']\n\nstandard_test_fold=['7l3BNtSE0xc']\n\nstandard_valid_fold=['188343']\n";
    std::fs::write(dir.path().join("cmu_mosei_std_folds.py"), text).unwrap();
    let manifest = prepared(Some("cmu_mosei_std_folds.py"), dir.path());
    assert_eq!(manifest.folds[0].split.iter().flatten().count(), 4);
    // By the default name of a folds file the same lists come to the same folds.
    let json =
        r#"{"train": ["hh04W3xXa5s", "81406"], "valid": ["188343"], "test": ["7l3BNtSE0xc"]}"#;
    std::fs::write(dir.path().join("folds.json"), json).unwrap();
    assert_eq!(prepared(None, dir.path()).folds, manifest.folds);
}
