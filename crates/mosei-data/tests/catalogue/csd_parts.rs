//! Files that are missing, of another format, or incomplete.

use crate::check::{Case, prepared};
use crate::corpus::{Video, edit, patch, write, write_with};
use mosei_data::DataConfig;
use serde_json::json;
use std::path::Path;

pub fn cases() -> Vec<Case> {
    let features = |name: &str, change: fn(&hdf5::File), said: &str| {
        prepared(name, move |d, _| edit(&d.join("f.csd"), change), said)
    };
    let file =
        |name: &str, spoil: fn(&Path, &mut DataConfig), said: &str| prepared(name, spoil, said);
    let labels = |name: &str, width: usize, said: &str| {
        let video: Video<'static> = ("a", width, vec![0.0; width], vec![[0.0, 0.1]]);
        prepared(
            name,
            move |d, _| write(&d.join("l.csd"), "L", std::slice::from_ref(&video)),
            said,
        )
    };
    let two = || vec![[0.0, 0.1], [0.1, 0.2]];
    vec![
        file(
            "no labels",
            |d, _| std::fs::remove_file(d.join("l.csd")).unwrap(),
            "l.csd: no such file; key 'labels' of the configuration names it",
        ),
        file(
            "no features",
            |d, _| std::fs::remove_file(d.join("f.csd")).unwrap(),
            "f.csd: no such file; key 'features' of the configuration names it",
        ),
        file(
            "no folds",
            |_, c| c.folds = Some("other.json".into()),
            "other.json: no such file; key 'folds' of the configuration names it",
        ),
        file(
            "features that are a folder",
            |d, _| folder(&d.join("f.csd")),
            "f.csd: expected a file, found a folder",
        ),
        file(
            "labels that are a folder",
            |d, _| folder(&d.join("l.csd")),
            "l.csd: expected a file, found a folder",
        ),
        file(
            "folds that are a folder",
            |d, c| {
                c.folds = Some("folds.json".into());
                folder(&d.join("folds.json"));
            },
            "folds.json: expected a file, found a folder",
        ),
        file(
            "features that are a pipe",
            |d, _| pipe(&d.join("f.csd")),
            "f.csd: expected a file, found a pipe or a device",
        ),
        file(
            "labels that are a link in circles",
            |d, _| {
                std::fs::remove_file(d.join("l.csd")).unwrap();
                std::os::unix::fs::symlink("l.csd", d.join("l.csd")).unwrap();
            },
            "failed to open l.csd",
        ),
        file(
            "labels that are text",
            |d, _| std::fs::write(d.join("l.csd"), "a,b\n1,2\n").unwrap(),
            "l.csd: expected an HDF5 file (.csd), found something else or a damaged one",
        ),
        file(
            "labels that are half a file",
            |d, _| patch(&d.join("l.csd"), |b| b.truncate(b.len() / 2)),
            "l.csd: expected an HDF5 file (.csd), found something else or a damaged one",
        ),
        file(
            "labels twice under two names",
            |d, c| {
                std::fs::copy(d.join("l.csd"), d.join("m.csd")).unwrap();
                c.labels.push("m.csd".into());
            },
            "m.csd: 'L': expected columns that l.csd does not hold, found 'happy' in both",
        ),
        features(
            "no root",
            |f| f.unlink("F").unwrap(),
            "f.csd: '/': expected exactly one root group with a 'data' member, found an empty file",
        ),
        features(
            "no data",
            |f| f.unlink("F/data").unwrap(),
            "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'",
        ),
        features(
            "two roots",
            |f| drop(f.create_group("G/data").unwrap()),
            "f.csd: '/': expected exactly one root group with a 'data' member, found 2: [\"F\", \"G\"]",
        ),
        features(
            "data that are a dataset",
            |f| {
                f.unlink("F/data").unwrap();
                f.new_dataset::<f32>().shape(1).create("F/data").unwrap();
            },
            "f.csd: 'F/data': expected a group, found a dataset",
        ),
        features(
            "a root that is a dataset",
            |f| {
                f.unlink("F").unwrap();
                f.new_dataset::<f32>().shape(1).create("F").unwrap();
            },
            "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'",
        ),
        features(
            "a root that is a soft link",
            |f| {
                f.relink("F", "G").unwrap();
                f.create_group("H").unwrap();
                f.link_hard("G/data", "H/data").unwrap();
                f.unlink("G").unwrap();
                f.link_soft("/H", "F").unwrap();
                f.unlink("H").unwrap();
            },
            "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F' (a soft link)",
        ),
        features(
            "a root in another file",
            |f| {
                f.unlink("F").unwrap();
                f.link_external("l.csd", "L", "F").unwrap();
            },
            "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F' (a link into another file)",
        ),
        features(
            "data that are a soft link",
            |f| {
                f.relink("F/data", "F/videos").unwrap();
                f.link_soft("/F/videos", "F/data").unwrap();
            },
            "f.csd: 'F/data': expected a group, found a soft link",
        ),
        features(
            "data in another file",
            |f| {
                f.unlink("F/data").unwrap();
                f.link_external("l.csd", "L/data", "F/data").unwrap();
            },
            "f.csd: 'F/data': expected a group, found a link into another file",
        ),
        features(
            "data that are their own video",
            |f| f.link_hard("F/data", "F/data/z").unwrap(),
            "f.csd: 'F/data/z/features': expected a dataset, found nothing",
        ),
        file(
            "no video",
            |d, _| write(&d.join("f.csd"), "F", &[]),
            "f.csd: 'F/data': expected at least one video, found none",
        ),
        prepared(
            "videos of two widths",
            move |d, _| {
                write(
                    &d.join("f.csd"),
                    "F",
                    &[("a", 2, vec![0.; 4], two()), ("b", 1, vec![0.; 2], two())],
                )
            },
            "f.csd: 'F/data/b/features': expected 2 columns as in 'a', found 1 columns",
        ),
        file(
            "no frames at all",
            |d, _| {
                write(
                    &d.join("f.csd"),
                    "F",
                    &["a", "b", "c", "d", "e", "f"].map(|id| (id, 2, vec![], vec![])),
                )
            },
            "fold 0 of folds.json: split 'train': expected at least one segment with frames, found 0 kept of 6 labelled (without features 0, past the end 6, no frame 0, too short 0)",
        ),
        file(
            "features of other videos",
            |d, _| {
                write(
                    &d.join("f.csd"),
                    "F",
                    &[("p", 1, vec![1.0, 2.0], vec![[0.0, 0.1], [0.1, 0.2]])],
                );
            },
            "l.csd: expected videos of f.csd, such as 'p', found none of them, but 6 others, such as 'a'",
        ),
        labels(
            "labels of four columns without names",
            4,
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 4 columns without names",
        ),
        labels(
            "labels of two columns",
            2,
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 2 columns without names",
        ),
        labels(
            "labels of eight columns",
            8,
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 8 columns without names",
        ),
        labels(
            "sentiment alone",
            1,
            "l.csd: '/': expected at least one emotion column, found sentiment alone",
        ),
        file(
            "label names that are twice the same",
            |d, _| {
                let names = [("dimension names", json!(["happy", "sad", "happy", "x"]))];
                write_with(
                    &d.join("l.csd"),
                    "L",
                    &names,
                    &[("a", 4, vec![0.0; 4], vec![[0.0, 0.1]])],
                );
            },
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 4 columns without names",
        ),
        file(
            "label names that are fewer than columns",
            |d, _| {
                let names = [("dimension names", json!(["happy", "sad"]))];
                write_with(
                    &d.join("l.csd"),
                    "L",
                    &names,
                    &[("a", 4, vec![0.0; 4], vec![[0.0, 0.1]])],
                );
            },
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 4 columns without names",
        ),
        file(
            "label names that are none",
            |d, _| {
                let names = [("dimension names", json!({"happy": 1}))];
                write_with(
                    &d.join("l.csd"),
                    "L",
                    &names,
                    &[("a", 4, vec![0.0; 4], vec![[0.0, 0.1]])],
                );
            },
            "l.csd: 'L/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 4 columns without names",
        ),
    ]
}

fn folder(path: &Path) {
    std::fs::remove_file(path).unwrap();
    std::fs::create_dir(path).unwrap();
}

fn pipe(path: &Path) {
    std::fs::remove_file(path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}
