//! What is refused apart from files (those are in `catalogue`), and what is taken though it is odd.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{
    Csd, CsdWriter, DataConfig, DataError, LabelConfig, Normaliser, Prepared, UnknownIds,
};
use mosei_data::{input_files, prepare, subset};
use std::path::Path;

type Video<'a> = (&'a str, usize, Vec<f32>, Vec<[f64; 2]>);

fn write(path: &Path, root: &str, videos: &[Video<'_>]) {
    let mut writer = CsdWriter::create(path, root, &[], 4).unwrap();
    for (id, width, values, intervals) in videos {
        writer.write_video(id, *width, values, intervals).unwrap();
    }
    writer.finish().unwrap();
}

/// A corpus of six videos of two segments and ten frames.
fn corpus(dir: &Path) {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let frames = |v: usize| (0..20).map(|i| ((i * 7 + v * 3) % 11) as f32).collect();
    let times: Vec<[f64; 2]> = (0..10)
        .map(|k| [k as f64 * 0.01, (k + 1) as f64 * 0.01])
        .collect();
    let features: Vec<Video<'_>> = ids
        .iter()
        .enumerate()
        .map(|(v, &id)| (id, 2, frames(v), times.clone()))
        .collect();
    let values = vec![1., 0., 1., 0., 0., 0., 0., 1., 0., 1., 1., 1.];
    let labels: Vec<Video<'_>> = ids
        .map(|id| (id, 6, values.clone(), vec![[0.0, 0.05], [0.05, 0.1]]))
        .into();
    write(&dir.join("f.csd"), "F", &features);
    write(&dir.join("l.csd"), "L", &labels);
    write_folds(dir, &["a", "b", "c"], &["d"], &["e"]);
}

fn write_folds(dir: &Path, train: &[&str], valid: &[&str], test: &[&str]) {
    let text = serde_json::json!({"train": train, "valid": valid, "test": test}).to_string();
    std::fs::write(dir.join("folds.json"), text).unwrap();
}

fn config() -> DataConfig {
    DataConfig {
        features: "f.csd".into(),
        labels: vec!["l.csd".into()],
        ..DataConfig::default()
    }
}

fn run(config: &DataConfig, dir: &Path) -> Result<mosei_data::Manifest, DataError> {
    let out = dir.join("out");
    let result = prepare(config, dir, &out, &mut |_, _| {});
    assert_eq!(
        result.is_ok(),
        out.exists(),
        "a refused input leaves no output"
    );
    let left = std::fs::read_dir(dir).unwrap().filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".tmp-")
    });
    assert_eq!(left.count(), 0, "nothing half-written stays");
    result
}

#[test]
fn the_valid_corpus_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    assert_eq!(run(&config(), dir.path()).unwrap().counts.segments.kept, 12);
    assert_eq!(input_files(&config(), dir.path()).unwrap().len(), 3);
    // And again over itself.
    run(&config(), dir.path()).unwrap();
}

/// Changes a file with HDF5 itself, past what the writer would write.
fn edit(path: &Path, change: impl FnOnce(&hdf5::File)) {
    let file = hdf5::File::open_rw(path).unwrap();
    change(&file);
    file.close().unwrap();
}

#[test]
fn links_to_metadata_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (own, other) = (dir.path().join("own.csd"), dir.path().join("other.csd"));
    for (path, name) in [(&own, "of own"), (&other, "of other")] {
        let metadata = [("creator", serde_json::json!(name))];
        let mut writer = CsdWriter::create(path, "F", &metadata, 4).unwrap();
        writer.write_video("a", 1, &[0.0], &[[0.0, 0.1]]).unwrap();
        writer.finish().unwrap();
    }
    assert_eq!(Csd::open(&own).unwrap().metadata()["creator"], "of own");
    for place in ["F/metadata/creator", "F/metadata"] {
        edit(&own, |f| {
            f.unlink(place).unwrap();
            f.link_external(&other.display().to_string(), place, place)
                .unwrap();
        });
        assert!(Csd::open(&own).unwrap().metadata().is_empty(), "{place}");
    }
}

#[test]
fn unknown_fold_ids_can_be_counted() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    write_folds(dir.path(), &["a", "zz"], &["b"], &["c"]);
    let counted = DataConfig {
        unknown_fold_ids: UnknownIds::Count,
        ..config()
    };
    let manifest = run(&counted, dir.path()).unwrap();
    assert_eq!(
        (
            manifest.folds[0].unknown_ids.clone(),
            manifest.folds[0].ids_without_labels
        ),
        (vec!["zz".to_string()], 1)
    );
}

#[test]
fn an_output_folder_with_other_files_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let out = dir.path().join("precious");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("thesis.tex"), "years").unwrap();
    let message = prepare(&config(), dir.path(), &out, &mut |_, _| {})
        .unwrap_err()
        .to_string();
    assert!(message.ends_with(
        "expected nothing, an empty folder, or an earlier output of this command, found 'thesis.tex' in it"
    ));
    assert!(out.join("thesis.tex").exists());
}

#[test]
fn impossible_budgets_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    run(&config(), dir.path()).unwrap();
    let data = Prepared::open(&dir.path().join("out")).unwrap();
    let fold = data.fold(0).unwrap();
    let draw = |fractions: &[f64], counts: &[usize], min_positives| {
        let labels = LabelConfig {
            fractions: fractions.into(),
            counts: counts.into(),
            min_positives,
            ..LabelConfig::default()
        };
        subset::draw(&data, fold, &labels, 0)
            .map(|s| s.len())
            .map_err(|e| e.to_string())
    };
    assert_eq!(
        draw(&[], &[7], 0).unwrap_err(),
        "fold 0: key 'labels.counts', budget 7: expected 1 to 6 training segments, found 7; take a smaller budget"
    );
    assert_eq!(
        draw(&[0.01], &[], 0).unwrap_err(),
        "fold 0: key 'labels.fractions', budget 0.01: expected 1 to 6 training segments, found 0; take a larger budget"
    );
    let key = "fold 0: key 'labels.min_positives': expected at least 1 segments with '";
    for (fractions, counts, budget) in [
        (vec![], vec![1], "budget 1 of 'labels.counts'"),
        (vec![0.2], vec![], "budget 0.2 of 'labels.fractions'"),
    ] {
        let message = draw(&fractions, &counts, 1).unwrap_err();
        assert!(message.starts_with(key), "{message}");
        let end = format!(
            " among the 1 of {budget}, found 0; take a larger budget, or set min_positives = 0"
        );
        assert!(message.ends_with(&end), "{message}");
    }
    assert_eq!(
        draw(&[1.0], &[], 4).unwrap_err(),
        "fold 0: key 'labels.min_positives': expected at least 4 training segments with 'happy', found 3 among all 6: no label budget \
         holds more; set min_positives = 0, or leave the emotion out of the labels"
    );
    // A share and a count that come to the same number are two budgets, with both names.
    assert_eq!(draw(&[0.5, 1.0], &[3, 6, 1], 0).unwrap(), 5);
    let folder = dir.path().join("out");
    assert_eq!(
        data.fold(3).unwrap_err().to_string(),
        format!(
            "{}: fold 3: expected a fold from 0 to 0, found 3",
            folder.display()
        )
    );
}

#[test]
fn a_normaliser_of_other_columns_is_refused() {
    let normaliser = Normaliser {
        columns: vec!["F0".into()],
        mean: vec![0.0],
        std: vec![1.0],
        clip: 8.0,
    };
    let message = normaliser.bind(&["x".to_string()]).unwrap_err().to_string();
    assert_eq!(
        message,
        "column 'F0': expected among the data's columns, found 1 columns without it, the nearest is 'x'"
    );
    let message = normaliser
        .bind(&["VUV", "f0", "MCEP_0"].map(String::from))
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("found 3 columns without it, the nearest is 'f0'"),
        "{message}"
    );
    assert!(
        normaliser
            .bind(&[])
            .unwrap_err()
            .to_string()
            .ends_with("found 0 columns without it")
    );
    let flat = Normaliser {
        std: vec![0.0],
        ..normaliser.clone()
    };
    assert!(flat.bind(&["F0".to_string()]).is_err());
    let no_clip = Normaliser {
        clip: f64::NAN,
        ..normaliser
    };
    assert!(no_clip.bind(&["F0".to_string()]).is_err());
}

#[test]
fn hdf5_reasons_are_in_the_error_chain_and_not_printed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.csd"), "no").unwrap();
    let error = Csd::open(&dir.path().join("x.csd")).unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
    let missing = Csd::open(&dir.path().join("y.csd")).unwrap_err();
    assert!(missing.to_string().starts_with("failed to open "));
}

#[test]
fn a_folder_with_wrong_hashes_opens_only_unverified() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let folder = dir.path().join("out");
    let path = folder.join("manifest.json");
    run(&config(), dir.path()).unwrap();
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["config"]["clip"] = 7.0.into();
    std::fs::write(&path, manifest.to_string()).unwrap();
    assert!(Prepared::open(&folder).is_err());
    assert_eq!(
        Prepared::open_unverified(&folder)
            .unwrap()
            .manifest()
            .config
            .clip,
        7.0
    );
}
