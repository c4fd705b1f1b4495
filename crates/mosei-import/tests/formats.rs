//! Compares imports with the software that made the tables: numpy, pandas, polars, h5py, opensmile
//! (`fixtures/make.py`).
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, FoldLists};
use mosei_import::{ImportFormat, ImportOptions, ImportSummary, import};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("expected.json")).unwrap()).unwrap()
}

/// Values of a table, row by row; non-finite values are null.
fn numbers(rows: &Value) -> Vec<Option<f32>> {
    let row = |row: &Value| {
        row.as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().map(|x| x as f32))
            .collect::<Vec<_>>()
    };
    rows.as_array().unwrap().iter().flat_map(row).collect()
}

fn finite(values: &[f32]) -> Vec<Option<f32>> {
    values.iter().map(|x| x.is_finite().then_some(*x)).collect()
}

struct Imported {
    _folder: tempfile::TempDir,
    out: PathBuf,
    summary: ImportSummary,
}

impl Imported {
    fn new(
        features: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        change: impl FnOnce(&mut ImportOptions, &Path),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let (features, labels) = (
            features.as_ref().to_path_buf(),
            labels.as_ref().to_path_buf(),
        );
        let mut options = ImportOptions {
            features,
            labels: Some(labels),
            ..ImportOptions::default()
        };
        change(&mut options, folder.path());
        let summary = import(&options, &out, &mut |_, _| ()).unwrap();
        Imported {
            _folder: folder,
            out,
            summary,
        }
    }

    fn features(&self) -> Csd {
        Csd::open(&self.out.join("features.csd")).unwrap()
    }

    fn labels(&self) -> Csd {
        Csd::open(&self.out.join("labels.csd")).unwrap()
    }
}

/// A folder with tables in it.
fn tables(tables: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in tables {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn one_corpus_is_the_same_in_every_format() {
    let expected = expected();
    let names = |o: &mut ImportOptions| o.columns = Some(fixture("names.txt"));
    let at_100_hz = |o: &mut ImportOptions| o.rate_hz = Some(100.0);
    type Change<'a> = &'a dyn Fn(&mut ImportOptions);
    let formats: [(&str, Change<'_>); 16] = [
        ("frames.csv", &|_| ()),
        ("frames_with_index.tsv", &|_| ()),
        ("frames_semicolon.csv", &|_| ()),
        ("frames_interleaved.csv", &|_| ()),
        ("frames.parquet", &|_| ()),
        ("frames_zstd_index.parquet", &|_| ()),
        ("frames_polars.parquet", &|_| ()),
        ("frames_numbered.parquet", &at_100_hz),
        ("frames_timedelta.csv", &|_| ()),
        ("frames_timedelta.parquet", &|_| ()),
        ("npy_float32", &|o| (at_100_hz(o), names(o)).0),
        ("npy_big_endian", &|o| (at_100_hz(o), names(o)).0),
        ("npy_fortran", &|o| (at_100_hz(o), names(o)).0),
        ("csv_folder", &at_100_hz),
        ("smile_folder", &|_| ()),
        ("frames.arff", &|_| ()),
    ];
    for (name, change) in formats {
        let imported = Imported::new(fixture(name), fixture("labels.csv"), |o, _| {
            change(o);
            // openSMILE adds a column without values to ARFF.
            if name.ends_with("arff") {
                let mapping = o.features.with_file_name("arff.toml");
                o.mapping = Some(mapping);
            }
        });
        let csd = imported.features();
        assert_eq!(
            csd.dimension_names().unwrap(),
            ["F0", "loudness sma", "mfcc[1]"],
            "{name}"
        );
        assert_eq!(csd.videos().len(), 3, "{name}");
        for (video, rows) in expected["frames"].as_object().unwrap() {
            let found = csd.read(video).unwrap();
            assert_eq!(finite(&found.features), numbers(rows), "{name}: {video}");
            for (k, [start, end]) in found.intervals.iter().enumerate() {
                // Frames of 20 ms overlap; each but the last ends at the next start.
                let last = name.starts_with("frames_timedelta") && k + 1 == found.intervals.len();
                let (from, to) = (k as f64 / 100.0, (k + 1 + usize::from(last)) as f64 / 100.0);
                assert!(
                    (start - from).abs() < 1e-9 && (end - to).abs() < 1e-9,
                    "{name}: {video} {k} [{start}, {end}]"
                );
            }
        }
        let labels = imported.labels();
        assert_eq!(
            labels.dimension_names().unwrap(),
            ["happy", "fear"],
            "{name}"
        );
        let labels_read = labels.read("81406").unwrap();
        assert_eq!(labels_read.features, [1.5, 0.0], "{name}");
        let end = if name.starts_with("frames_timedelta") {
            0.06
        } else {
            0.05
        };
        assert!(
            (labels_read.intervals[0][1] - end).abs() < 1e-9 && labels_read.intervals.len() == 1,
            "{name}"
        );
        let s = &imported.summary;
        assert_eq!(
            (s.recordings, s.frames, s.columns, s.segments, s.unnamed),
            (3, 21, 3, 3, false),
            "{name}"
        );
        assert_eq!(s.rate_hz, Some(100.0), "{name}");
    }
}

#[test]
fn labels_may_be_parquet() {
    let one = Imported::new(fixture("frames.csv"), fixture("labels.csv"), |_, _| ());
    let other = Imported::new(fixture("frames.csv"), fixture("labels.parquet"), |_, _| ());
    for file in ["features.csd", "labels.csd"] {
        let read = |i: &Imported| std::fs::read(i.out.join(file)).unwrap();
        assert!(
            read(&one) == read(&other),
            "{file}: the same content is the same file"
        );
    }
}

#[test]
fn opensmile_output_is_read_unchanged() {
    let expected = expected();
    let tables = tables(&[("labels.csv", "name,happy\ntone,3\n")]);
    for name in ["opensmile.csv", "opensmile.parquet"] {
        let imported = Imported::new(fixture(name), tables.path().join("labels.csv"), |_, _| ());
        let csd = imported.features();
        let columns: Vec<&str> = expected["opensmile"]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_str().unwrap())
            .collect();
        assert_eq!(csd.dimension_names().unwrap(), columns);
        let found = csd.read("tone").unwrap();
        assert_eq!(
            finite(&found.features),
            numbers(&expected["opensmile"]["frames"]),
            "{name}"
        );
        // Its frames of 20 ms and more follow each other every 10 ms; imported frames do not
        // overlap.
        assert!(
            found.intervals.windows(2).all(|w| w[0][1] <= w[1][0]),
            "{name}"
        );
        assert_eq!(imported.summary.rate_hz, Some(100.0), "{name}");
    }
}

#[test]
fn padded_segments_lose_their_padding_and_keep_their_split() {
    let expected = expected();
    let six = ["happy", "sad", "anger", "surprise", "disgust", "fear"];
    // The folder has no ids; emotions are in alphabetical order.
    let imported = Imported::new(fixture("released"), fixture("released"), |o, _| {
        o.rate_hz = Some(2.0)
    });
    let (features, labels) = (imported.features(), imported.labels());
    assert_eq!(
        labels.dimension_names().unwrap(),
        ["anger", "disgust", "fear", "happy", "sad", "surprise"]
    );
    for split in ["train", "valid", "test"] {
        for i in 0..2 {
            let id = format!("{split}-0000{i}");
            assert_eq!(
                finite(&features.read(&id).unwrap().features),
                numbers(&expected["released"][split][i]),
                "{id}"
            );
            let labels_read = labels.read(&id).unwrap();
            assert_eq!(
                finite(&labels_read.features),
                numbers(&serde_json::json!([expected["emotions"][split][i]])),
                "{id}"
            );
        }
    }
    assert_eq!(imported.summary.folds, Some([2, 2, 2]));
    assert!(imported.summary.unnamed);

    // One file with ids: two segments of one video, concatenated with a gap of one second.
    let imported = Imported::new(
        fixture("released_groups.h5"),
        fixture("released_groups.h5"),
        |o, _| {
            o.rate_hz = Some(2.0);
        },
    );
    let (features, labels) = (imported.features(), imported.labels());
    assert_eq!(
        labels.dimension_names().unwrap(),
        [&["sentiment"], &six[..]].concat()
    );
    let found = features.read("testv").unwrap();
    assert_eq!(found.intervals[3], [1.5, 2.0]);
    assert_eq!(found.intervals[4], [3.0, 3.5]);
    let both = [
        numbers(&expected["released"]["test"][0]),
        numbers(&expected["released"]["test"][1]),
    ]
    .concat();
    assert_eq!(finite(&found.features), both);
    assert_eq!(
        labels.read("testv").unwrap().intervals,
        [[0.0, 2.0], [3.0, 5.5]]
    );
}

#[test]
fn incomplete_padded_segments_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let refused = |features: &str, labels: &str, rate_hz: Option<f64>, mapping: &str| {
        std::fs::write(at("m.toml"), mapping).unwrap();
        let options = ImportOptions {
            features: fixture(features),
            labels: Some(fixture(labels)),
            mapping: Some(at("m.toml")),
            rate_hz,
            ..ImportOptions::default()
        };
        let words = import(&options, &at("out"), &mut |_, _| ())
            .unwrap_err()
            .to_string();
        assert!(!at("out").exists());
        words.replace(
            &format!("{}/", fixture("").display()).replace("//", "/"),
            "",
        )
    };
    assert_eq!(
        refused("released", "released", None, ""),
        "released: expected --rate with the frame rate, as this layout holds no times (a word counts as one frame), found none"
    );
    assert_eq!(
        refused(
            "released_groups.h5",
            "released_groups.h5",
            Some(1.0),
            "[labels]\nnames = [\"sad\"]\n"
        ),
        "released_groups.h5: train/labels: expected 1 columns: sad, found 7"
    );
    assert_eq!(
        refused("frames.csv", "released", None, ""),
        "released: row 0 of 'train': expected segments of the 3 recordings in frames.csv, such as '-a_Bc', found 6 segments of others, such as 'train-00000'"
    );
    assert_eq!(
        refused(
            "released",
            "released",
            Some(1.0),
            "[labels]\nrange = [0, 0.1]\n"
        ),
        "released: row 0 of 'train', column 'anger': expected a label in [0, 0.1], found 1"
    );
}

#[test]
fn categories_speakers_and_folders_are_mapped() {
    let frames: String = ["a/x.wav", "b/x.wav", "b/y.wav", "c/z.wav"]
        .iter()
        .enumerate()
        .flat_map(|(i, file)| {
            (0..4).map(move |k| format!("{file},{},{i}{}\n", f64::from(k) / 10.0, (k * 7) % 5))
        })
        .collect();
    let tables = tables(&[
        ("f.csv", &format!("file,start,F0\n{frames}")),
        (
            "l.csv",
            "path;who;felt;note;strength\nb\\x.wav;ann;cross;-;0.5\na/x.wav;ann;calm;-;0\nb/y.wav;bob;glad;-;1\nc/z.wav;cy;both;-;0.25\n",
        ),
        (
            "m.toml",
            r#"
[ids]
folders = "join"
[labels]
video = "path"
speaker = "who"
columns = ["strength"]
rename = { strength = "arousal" }
range = [0, 1]
[labels.category]
column = "felt"
intensity = 2
meaning = { calm = [], cross = "anger", glad = { happy = 1 }, both = ["Happy", "pride"] }
"#,
        ),
        (
            "folds.json",
            r#"{"train": ["ann"], "valid": ["b_y.wav"], "test": ["cy"]}"#,
        ),
    ]);
    let at = |name: &str| tables.path().join(name);
    let imported = Imported::new(at("f.csv"), at("l.csv"), |o, _| {
        (o.mapping, o.folds) = (Some(at("m.toml")), Some(at("folds.json")));
    });
    let (features, labels) = (imported.features(), imported.labels());
    assert_eq!(
        labels.dimension_names().unwrap(),
        ["happy", "anger", "arousal", "pride"]
    );
    let ids: Vec<&str> = features.videos().iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["ann", "bob", "cy"], "a speaker is a video");
    // In the order of the labels, a second apart.
    let ann = features.read("ann").unwrap();
    assert_eq!(ann.features, [10.0, 12.0, 14.0, 11.0, 0.0, 2.0, 4.0, 1.0]);
    let labels_read = labels.read("ann").unwrap();
    assert_eq!(
        labels_read.features,
        [0.0, 2.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        near(labels_read.intervals[0][1], 0.4) && near(labels_read.intervals[1][0], 1.4),
        "{:?}",
        labels_read.intervals
    );
    assert_eq!(labels.read("cy").unwrap().features, [2.0, 0.0, 0.75, 2.0]);
    assert_eq!(labels.read("bob").unwrap().features, [1.0, 0.0, 3.0, 0.0]);
    let folds = FoldLists::read(&imported.out.join("folds.json")).unwrap();
    let split: BTreeMap<&str, &str> = folds
        .split
        .iter()
        .map(|(id, s)| (id.as_str(), s.name()))
        .collect();
    assert_eq!(
        split,
        BTreeMap::from([("ann", "train"), ("bob", "valid"), ("cy", "test")])
    );
}

#[test]
fn labels_stay_within_their_recording() {
    let frames: String = ["r0", "r1", "r2"]
        .iter()
        .flat_map(|name| (0..4).map(move |k| format!("{name},{},1\n", f64::from(k) / 2.0)))
        .collect();
    let tables = tables(&[
        ("f.csv", &format!("name,start,F0\n{frames}")),
        (
            "l.csv",
            "name,speaker,start,end,sad\nr0,x,-3,0.5,1\nr0,x,1.5,3.9,2\nr1,x,0,1,3\nr1,x,2.5,3.5,0\n",
        ),
    ]);
    let imported = Imported::new(
        tables.path().join("f.csv"),
        tables.path().join("l.csv"),
        |_, _| (),
    );
    // r0 is at 0 to 2 s, r1 at 3 to 5 s; the speaker of r2 is unknown.
    assert_eq!(
        imported.labels().read("x").unwrap().intervals,
        [[0.0, 0.5], [1.5, 2.0], [3.0, 4.0], [5.0, 5.0]]
    );
    let frames = imported.features().read("x").unwrap();
    assert_eq!(
        (frames.intervals.len(), frames.intervals[4]),
        (8, [3.0, 3.5])
    );
    let s = &imported.summary;
    assert_eq!(
        (s.past_the_end, s.left_out, s.without_labels.0, s.segments),
        (1, 1, 1, 4)
    );
}

#[test]
fn segments_of_whole_recordings_keep_their_times_and_others_are_concatenated() {
    let frames = |name: &str| -> String {
        (0..10)
            .map(|k| format!("{name},{},{}\n", f64::from(k) / 10.0, (k * 7) % 5))
            .collect()
    };
    let tables = tables(&[
        (
            "whole.csv",
            &format!(
                "video,time,F0\n{}{}{}",
                frames("v"),
                frames("w"),
                frames("alone")
            ),
        ),
        (
            "cut.csv",
            &format!(
                "name;frameTime;F0\n{}{}{}",
                frames("v_0"),
                frames("v_1"),
                frames("w_7")
            )
            .replace(',', ";"),
        ),
        (
            "l.csv",
            "video,segment,start,end,sad,joy,fold\nv,0,-0.05,0.35,1,0,train\nv,1,0.2,0.9,0,2.5,train\nw,7,0:00.5,0:00.8,0,0,valid\nlost,0,0,1,3,3,test\n",
        ),
        ("m.toml", "[labels]\nignore = [\"fold\"]\n"),
    ]);
    let at = |name: &str| tables.path().join(name);
    let map = |o: &mut ImportOptions, _: &Path| o.mapping = Some(at("m.toml"));
    let whole = Imported::new(at("whole.csv"), at("l.csv"), map);
    assert_eq!(
        whole.labels().read("v").unwrap().intervals,
        [[-0.05, 0.35], [0.2, 0.9]]
    );
    assert_eq!(whole.labels().read("w").unwrap().intervals, [[0.5, 0.8]]);
    assert_eq!(
        whole.summary.without_features,
        (1, Some("segment '0' of 'lost'".into()))
    );
    assert_eq!(whole.summary.without_labels, (1, Some("alone".into())));
    assert_eq!(whole.features().videos().len(), 3);
    let text = whole.summary.to_string();
    assert!(
        text.contains(
            "left out: 1 labelled segments without features, such as segment '0' of 'lost'"
        ),
        "{text}"
    );
    assert!(text.contains("above 0: sad 1, joy 1"), "{text}");

    let cut = Imported::new(at("cut.csv"), at("l.csv"), map);
    let labels_read = cut.labels().read("v").unwrap();
    let frames = cut.features().read("v").unwrap();
    assert_eq!(frames.intervals.len(), 20);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        near(labels_read.intervals[0][0], 0.0) && near(labels_read.intervals[0][1], 1.0),
        "{:?}",
        labels_read.intervals
    );
    assert!(
        near(labels_read.intervals[1][0], 2.0) && near(labels_read.intervals[1][1], 3.0),
        "{:?}",
        labels_read.intervals
    );
}

#[test]
fn aligned_sequences_become_videos() {
    use mosei_data::CsdWriter;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = |width: usize| {
        (
            "dimension names",
            serde_json::json!(["sad", "b"][..width].to_vec()),
        )
    };
    for (file, width) in [("f.csd", 2), ("l.csd", 1)] {
        let mut writer = CsdWriter::create(&at(file), "x", &[names(width)], 1).unwrap();
        for (id, begin) in [("v[0]", 5.0), ("v[1]", 8.0), ("w[0]", 5.0)] {
            let intervals: Vec<[f64; 2]> = match width {
                1 => vec![[begin, begin + 2.0]],
                _ => vec![[begin, begin + 1.0], [begin + 1.0, begin + 2.0]],
            };
            writer
                .write_video(id, width, &vec![1.0; intervals.len() * width], &intervals)
                .unwrap();
        }
        writer.finish().unwrap();
    }
    // Both sides have the times of the video, and keep them.
    let imported = Imported::new(at("f.csd"), at("l.csd"), |_, _| ());
    assert_eq!(
        imported.features().read("v").unwrap().intervals,
        [[5.0, 6.0], [6.0, 7.0], [8.0, 9.0], [9.0, 10.0]]
    );
    assert_eq!(
        imported.labels().read("v").unwrap().intervals,
        [[5.0, 7.0], [8.0, 10.0]]
    );
    assert_eq!(imported.labels().read("w").unwrap().intervals, [[5.0, 7.0]]);
    assert_eq!(imported.summary.join.by_time, 3);
}

#[test]
fn a_column_gives_the_split() {
    let frames: String = ["a", "b", "c"]
        .iter()
        .map(|v| format!("{v},0,1\n{v},1,2\n"))
        .collect();
    let tables = tables(&[
        ("f.csv", &format!("video,start,x\n{frames}")),
        ("l.csv", "video,sad,split\na,0,train\nb,1,dev\nc,2,Test\n"),
    ]);
    let imported = Imported::new(
        tables.path().join("f.csv"),
        tables.path().join("l.csv"),
        |_, _| (),
    );
    assert_eq!(imported.summary.folds, Some([1, 1, 1]));
    assert_eq!(
        FoldLists::read(&imported.out.join("folds.json"))
            .unwrap()
            .split
            .len(),
        3
    );
}

#[test]
fn formats_have_names() {
    assert_eq!("npy".parse(), Ok(ImportFormat::Npy));
    assert_eq!(ImportFormat::Hdf5.to_string(), "hdf5");
    assert!("xlsx".parse::<ImportFormat>().is_err());
}
