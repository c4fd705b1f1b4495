//! The real files, where they are at hand: MOSEI's labels, RAVDESS, and a file as CMU wrote it.
//!
//! They stand in the folder that `MOSEI_SSL_REAL_DATA` names, or else in `../shared/data` beside
//! the workspace.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, CsdWriter, DataConfig, LabelConfig, Prepared, inspect, prepare, subset};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of the real data, or a loud line where there is none.
fn real(name: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("MOSEI_SSL_REAL_DATA")
        .map_or(workspace.join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    // Written past the test runner, which hides what a passing test prints.
    let words = format!(
        "\nSKIPPED: no real data at {}; set MOSEI_SSL_REAL_DATA\n",
        path.display()
    );
    std::io::stderr().write_all(words.as_bytes()).unwrap();
    None
}

/// MOSEI's labels as the .csd file they were.
fn write_mosei_labels(csv: &Path, out: &Path) {
    let text = std::fs::read_to_string(csv).unwrap();
    let mut videos: BTreeMap<&str, (Vec<f32>, Vec<[f64; 2]>)> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (values, intervals) = videos.entry(cells[0]).or_default();
        assert_eq!(cells[1].parse::<usize>().unwrap(), intervals.len());
        intervals.push([cells[2].parse().unwrap(), cells[3].parse().unwrap()]);
        values.extend(cells[5..12].iter().map(|c| c.parse::<f32>().unwrap()));
    }
    let mut writer = CsdWriter::create(out, "All Labels", &[], 1).unwrap();
    for (id, (values, intervals)) in videos {
        writer.write_video(id, 7, &values, &intervals).unwrap();
    }
    writer.finish().unwrap();
}

/// Lines of a table with bars, without the spaces.
fn rows(text: &str) -> Vec<String> {
    text.lines()
        .filter(|l| l.starts_with('|'))
        .map(|l| l.replace(' ', ""))
        .collect()
}

#[test]
fn moseis_labels_give_the_known_table() {
    let (Some(csv), Some(folds)) = (real("mosei/labels.csv"), real("mosei/folds.json")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("CMU_MOSEI_Labels.csd");
    write_mosei_labels(&csv, &path);
    let found = inspect(&[path], Some(&folds)).unwrap();
    let text = found.to_text();
    let expected = "\
        | fold | segments | videos | happy | sad | anger | surprise | disgust | fear | any |
        |---|---|---|---|---|---|---|---|---|---|
        | train | 16,327 | 2,249 | 8,735 | 4,269 | 3,526 | 1,642 | 2,955 | 1,331 | 13,936 |
        | valid | 1,871 | 300 | 1,005 | 520 | 338 | 203 | 281 | 176 | 1,569 |
        | test | 4,662 | 676 | 2,505 | 1,129 | 1,071 | 441 | 805 | 385 | 3,960 |
        | none | 399 | 68 | 220 | 80 | 62 | 34 | 56 | 21 | 308 |
        | all | 23,259 | 3,293 | 12,465 | 5,998 | 4,997 | 2,320 | 4,097 | 1,913 | 19,773 |";
    let expected: Vec<String> = expected
        .lines()
        .map(|l| l.replace(' ', ""))
        .filter(|l| !l.contains("---"))
        .collect();
    let table: Vec<String> = rows(&text)
        .into_iter()
        .skip(3)
        .filter(|l| !l.contains("---"))
        .collect();
    assert_eq!(table, expected, "{text}");
    for line in [
        "rounded half up to 4 classes, above 0: 8,013 happy, 3,126 sad, 3,034 anger, 706 surprise, 2,194 disgust, 745 fear",
        "lengths (s): min 0.12, 5 % 2.4, median 6.5, mean 7.6, 95 % 16.6, 99 % 24.4, max 109.4",
        "negative starts: 239",
        "overlapping neighbour pairs: 13,608 of 19,966, median overlap 0.67 s",
        "videos whose row order is not time order: 1,318",
        "test ids without labels: 2 (",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // The form for programs: the same numbers, no `all` row beside folds.
    let sums = |fold: &str| {
        found
            .prevalence
            .iter()
            .filter(|r| r.fold == fold)
            .map(|r| r.positives)
            .sum::<usize>()
    };
    assert_eq!(sums("train"), 8735 + 4269 + 3526 + 1642 + 2955 + 1331);
    assert_eq!(found.prevalence.len(), 4 * 6);
}

#[test]
fn a_file_of_cmu_is_read() {
    let Some(path) = real("csd_sample/CMU_MOSI_Labels.csd") else {
        return;
    };
    let csd = Csd::open(&path).unwrap();
    assert_eq!(
        (csd.root(), csd.videos().len(), csd.rows()),
        ("Opinion Segment Labels", 93, 2199)
    );
    assert_eq!(csd.dimension_names().unwrap(), ["sentiment score"]);
    assert_eq!(csd.metadata().len(), 13);
    let found = inspect(&[path], None).unwrap();
    assert_eq!(found.labels.unwrap().folds[0].segments, 2199);
}

#[test]
fn ravdess_is_prepared() {
    let Some(dir) = real("ravdess") else { return };
    let out = tempfile::tempdir().unwrap();
    let config = DataConfig {
        features: "RAVDESS_COVAREP.csd".into(),
        labels: vec!["RAVDESS_LabelsEmotions.csd".into()],
        pool_frames: 4,
        ..DataConfig::default()
    };
    let manifest = prepare(&config, &dir, &out.path().join("prepared"), &mut |_, _| {}).unwrap();
    assert_eq!(
        (manifest.counts.segments.kept, manifest.videos.len()),
        (1440, 24)
    );
    assert_eq!(
        manifest.folds[0].dropped_columns,
        ["HMPDM_0", "HMPDM_1", "HMPDM_2", "HMPDM_3"]
    );
    assert_eq!(manifest.frame_rate_hz, Some(100.0));
    let prepared = Prepared::open(&out.path().join("prepared")).unwrap();
    let fold = prepared.fold(0).unwrap();
    assert_eq!(
        [fold.train.len(), fold.valid.len(), fold.test.len()],
        [960, 240, 240]
    );
    let bound = fold.normaliser.bind(prepared.columns()).unwrap();
    let batch = prepared.gather(&bound, &fold.train);
    assert_eq!(batch.width, 70);
    assert!(batch.x_nc.iter().all(|x| x.is_finite() && x.abs() <= 8.0));
    let labels = LabelConfig {
        fractions: vec![],
        counts: vec![24, 72, 216, 960],
        ..LabelConfig::default()
    };
    let budgets = subset::draw(&prepared, fold, &labels, 0).unwrap();
    assert_eq!(
        budgets.iter().map(|b| b.n_labels).collect::<Vec<_>>(),
        [24, 72, 216, 960]
    );
}
