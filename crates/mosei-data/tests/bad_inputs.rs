//! What is refused, and what the message says: file, place, expected, found.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use mosei_data::{Csd, CsdWriter, DataConfig, DataError, LabelConfig, Normaliser, Prepared, SplitConfig, UnknownIds};
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
    let times: Vec<[f64; 2]> = (0..10).map(|k| [k as f64 * 0.01, (k + 1) as f64 * 0.01]).collect();
    let features: Vec<Video<'_>> = ids.iter().enumerate().map(|(v, &id)| (id, 2, frames(v), times.clone())).collect();
    let values = vec![1., 0., 1., 0., 0., 0., 0., 1., 0., 1., 0., 1.];
    let labels: Vec<Video<'_>> = ids.map(|id| (id, 6, values.clone(), vec![[0.0, 0.05], [0.05, 0.1]])).into();
    write(&dir.join("f.csd"), "F", &features);
    write(&dir.join("l.csd"), "L", &labels);
    write_folds(dir, &["a", "b", "c"], &["d"], &["e"]);
}

fn write_folds(dir: &Path, train: &[&str], valid: &[&str], test: &[&str]) {
    let text = serde_json::json!({"train": train, "valid": valid, "test": test}).to_string();
    std::fs::write(dir.join("folds.json"), text).unwrap();
}

fn config() -> DataConfig {
    DataConfig { features: "f.csd".into(), labels: vec!["l.csd".into()], ..DataConfig::default() }
}

fn run(config: &DataConfig, dir: &Path) -> Result<mosei_data::Manifest, DataError> {
    let out = dir.join("out");
    let result = prepare(config, dir, &out, &mut |_, _| {});
    assert_eq!(result.is_ok(), out.exists(), "a refused input leaves no output");
    let left = std::fs::read_dir(dir)
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".tmp-"));
    assert_eq!(left.count(), 0, "nothing half-written stays");
    result
}

/// The message of preparing a corpus that `spoil` has spoilt.
fn refused(spoil: impl FnOnce(&Path, &mut DataConfig)) -> String {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let mut config = config();
    spoil(dir.path(), &mut config);
    let error = run(&config, dir.path()).unwrap_err();
    error.to_string().replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn the_corpus_itself_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    assert_eq!(run(&config(), dir.path()).unwrap().counts.segments.kept, 12);
    assert_eq!(input_files(&config(), dir.path()).unwrap().len(), 3);
    // And again over itself.
    run(&config(), dir.path()).unwrap();
}

#[test]
fn files_that_are_not_there_or_not_hdf5() {
    assert_eq!(
        refused(|d, _| std::fs::remove_file(d.join("l.csd")).unwrap()),
        "l.csd: no such file; key 'labels' of the configuration names it"
    );
    assert_eq!(
        refused(|_, c| c.folds = Some("other.json".into())),
        "other.json: no such file; key 'folds' of the configuration names it"
    );
    assert_eq!(
        refused(|d, _| std::fs::write(d.join("f.csd"), "text").unwrap()),
        "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"
    );
    let cut = |d: &Path| {
        let bytes = std::fs::read(d.join("f.csd")).unwrap();
        std::fs::write(d.join("f.csd"), &bytes[..bytes.len() / 2]).unwrap();
    };
    assert!(refused(|d, _| cut(d)).starts_with("f.csd: "));
}

#[test]
fn files_of_another_build() {
    let two: Vec<[f64; 2]> = vec![[0.0, 0.1], [0.1, 0.2]];
    let message = refused(|d, _| {
        write(&d.join("f.csd"), "F", &[("a", 2, vec![0.; 4], two.clone()), ("b", 1, vec![0.; 2], two.clone())])
    });
    assert_eq!(message, "f.csd: 'F/data/b/features': expected 2 columns as in 'a', found 1 columns");
    let message = refused(|d, _| write(&d.join("f.csd"), "F", &[]));
    assert_eq!(message, "f.csd: 'F/data': expected at least one video, found none");
    let message = refused(|d, _| write(&d.join("l.csd"), "L", &[("a", 4, vec![0.; 4], vec![[0.0, 0.1]])]));
    assert_eq!(
        message,
        "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 4 columns without names"
    );
    let message = refused(|d, _| write(&d.join("l.csd"), "L", &[("a", 1, vec![0.], vec![[0.0, 0.1]])]));
    assert_eq!(message, "l.csd: '/': expected at least one emotion column, found sentiment alone");
}

/// Changes a file with HDF5 itself, past what the writer would write.
fn edit(path: &Path, change: impl FnOnce(&hdf5::File)) {
    let file = hdf5::File::open_rw(path).unwrap();
    change(&file);
    file.close().unwrap();
}

#[test]
fn missing_parts_are_named() {
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| f.unlink("F/data/b/intervals").unwrap()));
    assert_eq!(message, "f.csd: 'F/data/b/intervals': expected a dataset, found nothing");
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| f.unlink("F/data").unwrap()));
    assert_eq!(message, "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'");
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| drop(f.create_group("G/data").unwrap())));
    assert!(message.ends_with("found 2: [\"F\", \"G\"]"), "{message}");
    let replace = |f: &hdf5::File, place: &str, shape: &[usize]| {
        f.unlink(place).unwrap();
        f.new_dataset::<f32>().shape(shape).create(place).unwrap();
    };
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| replace(f, "F/data/b/intervals", &[9, 2])));
    assert_eq!(message, "f.csd: 'F/data/b/intervals': expected 10 rows, as many as features, found 9 rows");
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| replace(f, "F/data/b/intervals", &[10, 3])));
    assert_eq!(message, "f.csd: 'F/data/b/intervals': expected 2 columns (start, end), found 3 columns");
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| replace(f, "F/data/b/features", &[20])));
    assert_eq!(message, "f.csd: 'F/data/b/features': expected 2 dimensions [rows, columns], found shape [20]");
    let message = refused(|d, _| edit(&d.join("f.csd"), |f| replace(f, "F/data/b/features", &[1 << 40, 2])));
    assert!(message.contains("at most 2^31 values"), "{message}");
    let text = |f: &hdf5::File| {
        f.unlink("F/data/b/features").unwrap();
        f.new_dataset::<hdf5::types::VarLenUnicode>().shape((10, 2)).create("F/data/b/features").unwrap();
    };
    let message = refused(|d, _| edit(&d.join("f.csd"), text));
    assert!(message.starts_with("f.csd: 'F/data/b/features': expected numbers, found"), "{message}");
    let group = |f: &hdf5::File| {
        f.unlink("F/data/b").unwrap();
        f.new_dataset::<f32>().shape(1).create("F/data/b").unwrap();
    };
    let message = refused(|d, _| edit(&d.join("f.csd"), group));
    assert_eq!(message, "f.csd: 'F/data/b': expected a group, found a dataset");
    let group = |f: &hdf5::File| {
        f.unlink("F/data/b/features").unwrap();
        f.create_group("F/data/b/features").unwrap();
    };
    let message = refused(|d, _| edit(&d.join("f.csd"), group));
    assert_eq!(message, "f.csd: 'F/data/b/features': expected a dataset, found a group");
}

#[test]
fn folders_and_empty_files_in_place_of_files() {
    let folder = |d: &Path| {
        std::fs::remove_file(d.join("f.csd")).unwrap();
        std::fs::create_dir(d.join("f.csd")).unwrap();
    };
    assert_eq!(refused(|d, _| folder(d)), "f.csd: expected a file, found a folder");
    assert_eq!(
        refused(|d, _| std::fs::write(d.join("f.csd"), "").unwrap()),
        "f.csd: expected an HDF5 file (.csd), found 0 bytes"
    );
    let dir = tempfile::tempdir().unwrap();
    let message = Csd::open(dir.path()).unwrap_err().to_string();
    assert!(message.ends_with(": expected a file, found a folder"), "{message}");
}

/// What a file points to and does not hold is not read, though HDF5 would find it.
#[test]
fn links_and_values_elsewhere_are_not_followed() {
    let refused_with = |place: &str, link: &dyn Fn(&Path, &hdf5::File)| {
        refused(|d, _| {
            std::fs::copy(d.join("f.csd"), d.join("other.csd")).unwrap();
            edit(&d.join("f.csd"), |f| {
                f.unlink(place).unwrap();
                link(d, f);
            });
        })
    };
    let other = |d: &Path| d.join("other.csd").display().to_string();
    for (place, kind) in [("F/data/b/features", "a dataset"), ("F/data/b", "a group"), ("F/data", "a group")] {
        for target in ["/F/data/c/features", "/nowhere"] {
            let found = refused_with(place, &|_, f| f.link_soft(target, place).unwrap());
            assert_eq!(found, format!("f.csd: '{place}': expected {kind}, found a soft link"));
        }
        let found = refused_with(place, &|d, f| f.link_external(&other(d), place, place).unwrap());
        assert_eq!(found, format!("f.csd: '{place}': expected {kind}, found a link into another file"));
    }
    let root = refused_with("F", &|d, f| f.link_external(&other(d), "F", "F").unwrap());
    assert!(root.ends_with("found none among 'F' (a link into another file)"), "{root}");
    let place = "F/data/b/features";
    let external = refused_with(place, &|d, f| {
        let builder = f.new_dataset::<f32>().shape((10, 2)).external(&other(d), 0, 80);
        builder.create(place).unwrap();
    });
    assert_eq!(external, format!("f.csd: '{place}': expected values in this file, found values in another file"));
    let mapped = refused_with(place, &|d, f| {
        let all = hdf5::Selection::All;
        let builder = f.new_dataset::<f32>().shape((10, 2));
        let builder = builder.virtual_map(other(d), place, (10, 2), all.clone(), (10, 2), all);
        builder.create(place).unwrap();
    });
    assert_eq!(mapped, format!("f.csd: '{place}': expected values in this file, found a virtual dataset"));
}

#[test]
fn metadata_elsewhere_is_not_followed() {
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
            f.link_external(&other.display().to_string(), place, place).unwrap();
        });
        assert!(Csd::open(&own).unwrap().metadata().is_empty(), "{place}");
    }
}

#[test]
fn numbers_beyond_float32_are_not_finite() {
    let large = |f: &hdf5::File| {
        for id in ["a", "b", "c", "d", "e", "f"] {
            let place = format!("F/data/{id}/features");
            f.unlink(&place).unwrap();
            let dataset = f.new_dataset::<f64>().shape((10, 2)).create(place.as_str()).unwrap();
            let value = |i: usize| if i.is_multiple_of(2) { 1e300 } else { 7.0 };
            dataset.write_raw(&(0..20).map(value).collect::<Vec<f64>>()).unwrap();
        }
    };
    assert_eq!(
        refused(|d, _| edit(&d.join("f.csd"), large)),
        "fold 0 of folds.json: expected at least one column that varies over the training frames, found none among 2; \
         30 of 60 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', \
         6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)"
    );
}

#[test]
fn labels_and_intervals_that_cannot_be() {
    let row = |x: f32| vec![0., 0., x, 0., 0., 0.];
    let labels = |x: f32, at: [f64; 2]| {
        move |d: &Path, _: &mut DataConfig| {
            write(&d.join("l.csd"), "L", &[("a", 6, row(x), vec![at])]);
        }
    };
    let message =
        |value: &str| format!("l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found {value}");
    assert_eq!(refused(labels(3.5, [0.0, 0.1])), message("3.5"));
    assert_eq!(refused(labels(-0.1, [0.0, 0.1])), message("-0.1"));
    assert_eq!(refused(labels(f32::NAN, [0.0, 0.1])), message("NaN"));
    let interval = "l.csd: video 'a', row 0: expected finite start <= end, found ";
    assert_eq!(refused(labels(1.0, [0.2, 0.1])), format!("{interval}[0.2, 0.1]"));
    assert_eq!(refused(labels(1.0, [0.2, f64::INFINITY])), format!("{interval}[0.2, inf]"));
}

#[test]
fn label_files_that_differ() {
    let second = |videos: &'static [(&str, f64)]| {
        move |d: &Path, c: &mut DataConfig| {
            let videos: Vec<Video<'_>> =
                videos.iter().map(|&(id, end)| (id, 1, vec![0., 0.], vec![[0.0, end], [0.05, 0.1]])).collect();
            write(&d.join("s.csd"), "S", &videos);
            c.labels.push("s.csd".into());
        }
    };
    let message = refused(second(&[("a", 0.05), ("b", 0.05), ("c", 0.05), ("d", 0.05), ("e", 0.05)]));
    assert!(message.starts_with("s.csd: 'S/data/f': expected a group as in "), "{message}");
    assert!(message.ends_with("l.csd, found nothing"), "{message}");
    let message = refused(second(&[("a", 0.05), ("b", 0.04), ("c", 0.05), ("d", 0.05), ("e", 0.05), ("f", 0.05)]));
    assert!(message.starts_with("s.csd: video 'b', row 0: expected the interval [0, 0.05] as in "), "{message}");
    assert!(message.ends_with("l.csd, found the interval [0, 0.04]"), "{message}");
    let twice = |d: &Path, c: &mut DataConfig| {
        std::fs::copy(d.join("l.csd"), d.join("m.csd")).unwrap();
        c.labels.push("m.csd".into());
    };
    assert!(refused(twice).ends_with("found 'happy' in both"));
}

#[test]
fn folds_that_cannot_be() {
    let folds = |train: &'static [&str], valid: &'static [&str], test: &'static [&str]| {
        move |d: &Path, _: &mut DataConfig| write_folds(d, train, valid, test)
    };
    assert_eq!(
        refused(folds(&["a", "b"], &["c"], &["a"])),
        "folds.json: video 'a' stands in 'train' and again in 'test': expected every video once"
    );
    assert_eq!(
        refused(folds(&["a", "a"], &["c"], &["d"])),
        "folds.json: video 'a' stands in 'train' and again in 'train': expected every video once"
    );
    assert_eq!(refused(folds(&["a"], &[], &["b"])), "folds.json: 'valid': expected at least one video id, found none");
    assert_eq!(
        refused(folds(&["a", "zz", "yy"], &["b"], &["c"])),
        "folds.json: 2 video ids are in neither the features nor the labels, the first is 'yy' in 'train'; \
         expected none (set unknown_fold_ids = \"count\" to allow them)"
    );
    let text = |t: &'static str| move |d: &Path, _: &mut DataConfig| std::fs::write(d.join("folds.json"), t).unwrap();
    let form = r#"folds.json: expected {"train": [ids], "valid": [ids], "test": [ids]}, each id a string"#;
    assert_eq!(refused(text(r#"{"train": ["a"], "validation": ["b"], "test": ["c"]}"#)), form);
    assert_eq!(refused(text(r#"{"train": [1], "valid": ["b"], "test": ["c"]}"#)), form);
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    write_folds(dir.path(), &["a", "zz"], &["b"], &["c"]);
    let counted = DataConfig { unknown_fold_ids: UnknownIds::Count, ..config() };
    let manifest = run(&counted, dir.path()).unwrap();
    assert_eq!(
        (manifest.folds[0].unknown_ids.clone(), manifest.folds[0].ids_without_labels),
        (vec!["zz".to_string()], 1)
    );
}

#[test]
fn splits_that_come_out_empty() {
    let many = SplitConfig { k_folds: 7, ..SplitConfig::default() };
    assert_eq!(refused(|_, c| c.split = many), "expected at least 7 videos with labelled frames to split, found 6");
    let gone = |d: &Path, _: &mut DataConfig| edit(&d.join("f.csd"), |f| f.unlink("F/data/d").unwrap());
    let expected = "split 'valid': expected at least one segment with frames, found 0 kept of";
    assert_eq!(
        refused(gone),
        format!(
            "fold 0 of folds.json: {expected} 2 labelled (without features 2, past the end 0, no frame 0, too short 0)"
        )
    );
    let late = |d: &Path, _: &mut DataConfig| {
        let values = vec![1., 0., 1., 0., 0., 0., 0., 1., 0., 1., 0., 1., 0., 1., 0., 1., 0., 1.];
        let late = |id| (id, 6, values.clone(), vec![[5.0, 5.5], [0.02, 0.020_000_1], [-2.0, -1.0]]);
        let usual = |id| (id, 6, values.clone(), vec![[0.0, 0.05], [0.05, 0.1], [0.0, 0.1]]);
        write(&d.join("l.csd"), "L", &[usual("a"), usual("b"), usual("c"), late("d"), usual("e")]);
    };
    assert_eq!(
        refused(late),
        format!(
            "fold 0 of folds.json: {expected} 3 labelled (without features 0, past the end 1, no frame 1, too short 1)"
        )
    );
    let empty = SplitConfig { seed: 5, ..SplitConfig::default() };
    let drawn = |d: &Path, c: &mut DataConfig| {
        std::fs::remove_file(d.join("folds.json")).unwrap();
        c.split = empty;
        let times: Vec<[f64; 2]> = vec![[0.0, 0.1]];
        let videos: Vec<Video<'_>> = ["a", "b", "c", "d", "e"].map(|id| (id, 1, vec![0.5], times.clone())).into();
        write(&d.join("f.csd"), "F", &videos);
    };
    let message = refused(drawn);
    assert!(message.starts_with("fold 0 of the split by video drawn with data.split.seed = 5: expected"), "{message}");
    let times: Vec<[f64; 2]> = vec![[0.0, 0.1]];
    let still = |d: &Path, _: &mut DataConfig| {
        let videos: Vec<Video<'_>> = ["a", "b", "c", "d", "e"].map(|id| (id, 1, vec![0.5], times.clone())).into();
        write(&d.join("f.csd"), "F", &videos);
    };
    assert_eq!(
        refused(still),
        "fold 0 of folds.json: expected at least one column that varies over the training frames, found none among 1; \
         0 of 6 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', \
         6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)"
    );
}

#[test]
fn an_output_folder_with_something_else_in_it_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    let out = dir.path().join("precious");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("thesis.tex"), "years").unwrap();
    let message = prepare(&config(), dir.path(), &out, &mut |_, _| {}).unwrap_err().to_string();
    assert!(
        message.ends_with("expected nothing, an empty folder, or one written here before, found 'thesis.tex' in it")
    );
    assert!(out.join("thesis.tex").exists());
}

#[test]
fn prepared_folders_that_do_not_fit_together() {
    let spoilt = |file: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let dir = tempfile::tempdir().unwrap();
        corpus(dir.path());
        run(&config(), dir.path()).unwrap();
        let path = dir.path().join("out").join(file);
        std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
        Prepared::open(&dir.path().join("out")).unwrap_err().to_string()
    };
    let text = |from: &'static str, to: &'static str| {
        move |b: Vec<u8>| String::from_utf8(b).unwrap().replace(from, to).into_bytes()
    };
    let message = spoilt("manifest.json", &text("\"format\": 1", "\"format\": 9"));
    assert!(message.ends_with("'format': expected 1 (prepare the data again), found 9"), "{message}");
    let message = spoilt(
        "manifest.json",
        &text("\"column_1\"\n  ],\n  \"emotions\"", "\"column_1\", \"x\"\n  ],\n  \"emotions\""),
    );
    assert!(message.contains("'frames': expected float32 [frames, 3]"), "{message}");
    let message = spoilt("manifest.json", &text("\"labelled\": 12", "\"labelled\": 13"));
    assert!(message.contains("expected F64 [13, 2], found F64 [12, 2]"), "{message}");
    let message = spoilt("frames.safetensors", &|b| b[..b.len() - 4].to_vec());
    assert!(message.contains("frames.safetensors: 'frames'"), "{message}");
    // The last offset, before the last tensor's bytes: offsets stand first among the data.
    let offsets = |mut b: Vec<u8>| {
        let header = u64::from_le_bytes(b[..8].try_into().unwrap()) as usize;
        let json: serde_json::Value = serde_json::from_slice(&b[8..8 + header]).unwrap();
        let end = json["offsets"]["data_offsets"][1].as_u64().unwrap() as usize + 8 + header;
        b[end - 8] += 1;
        b
    };
    let message = spoilt("segments.safetensors", &offsets);
    assert!(message.ends_with("'offsets': expected a rise from 0 to 60, found Some(0) to Some(61)"), "{message}");
    let message = spoilt("manifest.json", &|_| b"{}".to_vec());
    assert!(message.ends_with("'format': expected 1 (prepare the data again), found none"), "{message}");
}

#[test]
fn budgets_that_cannot_be_drawn() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path());
    run(&config(), dir.path()).unwrap();
    let data = Prepared::open(&dir.path().join("out")).unwrap();
    let fold = data.fold(0).unwrap();
    let draw = |fractions: &[f64], counts: &[usize], min_positives| {
        let labels =
            LabelConfig { fractions: fractions.into(), counts: counts.into(), min_positives, ..LabelConfig::default() };
        subset::draw(&data, fold, &labels, 0).map(|s| s.len()).map_err(|e| e.to_string())
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
    for (fractions, counts, budget) in
        [(vec![], vec![1], "budget 1 of 'labels.counts'"), (vec![0.2], vec![], "budget 0.2 of 'labels.fractions'")]
    {
        let message = draw(&fractions, &counts, 1).unwrap_err();
        assert!(message.starts_with(key), "{message}");
        let end = format!(" among the 1 of {budget}, found 0; take a larger budget, or set min_positives = 0");
        assert!(message.ends_with(&end), "{message}");
    }
    assert_eq!(draw(&[0.5, 1.0], &[3, 6, 1], 0).unwrap(), 3);
    let folder = dir.path().join("out");
    assert_eq!(
        data.fold(3).unwrap_err().to_string(),
        format!("{}: fold 3: expected a fold from 0 to 0, found 3", folder.display())
    );
}

#[test]
fn a_normaliser_of_other_columns_is_refused() {
    let normaliser = Normaliser { columns: vec!["F0".into()], mean: vec![0.0], std: vec![1.0], clip: 8.0 };
    let message = normaliser.bind(&["x".to_string()]).unwrap_err().to_string();
    assert_eq!(
        message,
        "column 'F0': expected among the data's columns, found 1 columns without it, the nearest is 'x'"
    );
    let message = normaliser.bind(&["VUV", "f0", "MCEP_0"].map(String::from)).unwrap_err().to_string();
    assert!(message.ends_with("found 3 columns without it, the nearest is 'f0'"), "{message}");
    assert!(normaliser.bind(&[]).unwrap_err().to_string().ends_with("found 0 columns without it"));
    let flat = Normaliser { std: vec![0.0], ..normaliser.clone() };
    assert!(flat.bind(&["F0".to_string()]).is_err());
    let no_clip = Normaliser { clip: f64::NAN, ..normaliser };
    assert!(no_clip.bind(&["F0".to_string()]).is_err());
}

#[test]
fn what_hdf5_says_is_in_the_chain_and_not_on_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.csd"), "no").unwrap();
    let error = Csd::open(&dir.path().join("x.csd")).unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
    let missing = Csd::open(&dir.path().join("y.csd")).unwrap_err();
    assert!(missing.to_string().starts_with("failed to open "));
}
