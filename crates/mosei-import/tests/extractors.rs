//! Compares imports of extractors' and libraries' real output with the numbers that went in or that
//! pandas reads (`fixtures/extractors.py`).
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod common;

use common::Folder;
use mosei_import::{ImportOptions, ImportSummary, import};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

const LABELS: &str = "file,happy\n-a_Bc.wav,1\n81406.wav,0\nmid 1.wav,2.5\n";

/// Imports a fixture with the labels of a folder.
fn imported(
    folder: &Folder,
    name: &str,
    labels: &str,
    rate_hz: Option<f64>,
) -> Result<ImportSummary, String> {
    let options = ImportOptions {
        features: fixture("extractors").join(name),
        ..folder.options("", labels, rate_hz)
    };
    import(&options, &folder.at("out"), &mut |_, _| ()).map_err(|e| e.to_string())
}

/// The values of the three recordings, null where not finite.
fn known() -> Vec<(String, Vec<Option<f32>>)> {
    let frames = json("expected.json")["frames"].as_object().unwrap().clone();
    let values = |rows: &Value| {
        let rows = rows
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row.as_array().unwrap().clone());
        rows.map(|x| x.as_f64().map(|x| x as f32)).collect()
    };
    frames
        .iter()
        .map(|(name, rows)| (name.clone(), values(rows)))
        .collect()
}

/// Checks all values against `cast` of those that went in.
fn check(folder: &Folder, name: &str, cast: impl Fn(f32) -> f32) {
    for (video, values) in known() {
        let found = folder.frames(&video);
        let found: Vec<Option<f32>> = found
            .features
            .iter()
            .map(|x| x.is_finite().then_some(*x))
            .collect();
        let expected: Vec<Option<f32>> = values.into_iter().map(|x| x.map(&cast)).collect();
        assert_eq!(found, expected, "{name}: {video}");
    }
}

#[test]
fn arrays_of_all_containers_are_the_same() {
    let folder = Folder::new(&[("l.csv", LABELS.as_bytes())]);
    for name in [
        "arrays.npz",
        "packed.npz",
        "arrays.h5",
        "mat",
        "sequence.parquet",
        "array2d.parquet",
        "polars_lists.parquet",
    ] {
        let summary = imported(&folder, name, "l.csv", Some(100.0)).unwrap();
        check(&folder, name, |x| x);
        assert_eq!(
            (summary.recordings, summary.frames, summary.rate_hz),
            (3, 21, Some(100.0)),
            "{name}"
        );
        assert_eq!((summary.unnamed, summary.segments), (true, 3), "{name}");
        let text = summary.to_string();
        assert!(text.contains("[frames, columns]"), "{text}");
        let message = imported(&folder, name, "l.csv", None).unwrap_err();
        assert!(
            message.contains("expected --rate with the frame rate, as arrays hold no times"),
            "{message}"
        );
    }
    let summary = imported(&folder, "vectors.parquet", "l.csv", Some(100.0)).unwrap();
    check(&folder, "vectors.parquet", |x| x);
    assert_eq!(summary.frames, 21);
}

#[test]
fn lists_with_two_readings_are_refused() {
    let folder = Folder::new(&[("l.csv", LABELS.as_bytes())]);
    let refused = |name: &str| imported(&folder, name, "l.csv", Some(100.0)).unwrap_err();
    let message = refused("embeddings.parquet");
    assert!(
        message.contains(
            "found 3 arrays of shape [3], such as 'wav/-a_Bc.wav': 3 frames (0.03 s) of 1 columns"
        ),
        "{message}"
    );
    folder.write("m.toml", "[features]\naxes = [\"columns\"]\n");
    let summary = imported(&folder, "embeddings.parquet", "l.csv", Some(100.0)).unwrap();
    assert_eq!((summary.frames, summary.columns, summary.single), (3, 3, 3));
    let message = refused("two_lists.parquet");
    assert!(
        message.contains("expected one column of arrays, found the columns 'embedding', 'more'"),
        "{message}"
    );
    let message = refused("ragged.parquet");
    assert!(
        message.contains(
            "row 0, column 'features': expected lists of one length in an array, found 2 and 1"
        ),
        "{message}"
    );
}

#[test]
fn small_types_are_exact() {
    let folder = Folder::new(&[("l.csv", LABELS.as_bytes())]);
    imported(&folder, "float16", "l.csv", Some(100.0)).unwrap();
    let half = |x: f32| half::f16::from_f32(x).to_f32();
    check(&folder, "float16", half);
    imported(&folder, "uint8", "l.csv", Some(100.0)).unwrap();
    let known = known();
    let found = folder.frames("-a_Bc").features;
    let expected: Vec<f32> = known[0]
        .1
        .iter()
        .map(|x| (x.unwrap() * 50.0).abs().floor())
        .collect();
    assert_eq!(found, expected);
    imported(&folder, "half.parquet", "l.csv", None).unwrap();
    check(&folder, "half.parquet", half);
}

#[test]
fn tables_in_parts_and_without_a_header_are_read() {
    let folder = Folder::new(&[("l.csv", LABELS.as_bytes())]);
    let summary = imported(&folder, "shards", "l.csv", None).unwrap();
    check(&folder, "shards", |x| x);
    assert!(
        summary
            .to_string()
            .contains("a table in parts: recordings are named by its column"),
        "{summary}"
    );
    imported(&folder, "excel.csv", "l.csv", None).unwrap();
    check(&folder, "excel.csv", |x| x);
    std::fs::copy(fixture("extractors/headerless.txt"), folder.at("names.txt")).unwrap();
    imported(&folder, "headerless.csv", "l.csv", None).unwrap();
    check(&folder, "headerless.csv", |x| x);
    assert_eq!(folder.columns(), ["F0", "loudness sma", "mfcc[1]"]);
}

#[test]
fn text_that_is_all_numbers_needs_names() {
    let folder = Folder::new(&[
        ("d/a.csv", b"0.5,1\n2,3\n1,5\n"),
        ("l.csv", b"video,sad\na,1\n"),
    ]);
    let message = folder.import("d", "l.csv", Some(10.0)).unwrap_err();
    assert_eq!(
        message,
        "d/a.csv: line 1: expected the names of the columns, or --columns FILE with a name for each of them, found numbers, such as \"0.5\""
    );
    folder.write("names.txt", "x\ny\n");
    folder.import("d", "l.csv", Some(10.0)).unwrap();
    assert_eq!(folder.frames("a").features, [0.5, 1.0, 2.0, 3.0, 1.0, 5.0]);
}

#[test]
fn truth_is_an_intensity() {
    let folder = Folder::new(&[]);
    for name in ["truth.csv", "truth.parquet"] {
        std::fs::copy(fixture("extractors").join(name), folder.at(name)).unwrap();
        imported(&folder, "half.parquet", name, None).unwrap();
        let of = |video: &str| folder.labels(video).features;
        assert_eq!(
            [of("-a_Bc"), of("81406"), of("mid 1")].concat(),
            [3.0, 0.0, 0.0, 0.0, 3.0, 3.0],
            "{name}"
        );
    }
}

#[test]
fn names_of_classes_come_from_the_file() {
    let folder = Folder::new(&[]);
    std::fs::copy(
        fixture("extractors/sequence.parquet"),
        folder.at("l.parquet"),
    )
    .unwrap();
    let ignore = "[labels]\nignore = [\"text\", \"features\"]\n";
    folder.write("m.toml", ignore);
    let message = imported(&folder, "half.parquet", "l.parquet", None).unwrap_err();
    assert!(
        message.contains("column 'label': expected a label in [0, 3], found \"angry\""),
        "{message}"
    );
    let meaning = "[labels.category]\ncolumn = \"label\"\nmeaning = { angry = \"anger\", happy = \"happy\", neutral = [] }\n";
    folder.write("m.toml", format!("{ignore}{meaning}"));
    imported(&folder, "half.parquet", "l.parquet", None).unwrap();
    assert_eq!(
        [
            folder.labels("-a_Bc").features,
            folder.labels("mid 1").features
        ]
        .concat(),
        [0.0, 3.0, 0.0, 0.0]
    );
}

#[test]
fn all_opensmile_sets_are_read() {
    let (folder, expected) = (
        Folder::new(&[("l.csv", b"file,sad\ntone.wav,1\n")]),
        json("expected_extractors.json"),
    );
    for set in ["compare", "deltas", "emobase", "gemaps"] {
        let summary = imported(&folder, &format!("smile_{set}.parquet"), "l.csv", None).unwrap();
        let (found, expected) = (folder.frames("tone"), &expected[set]);
        let list = |key: &str| expected[key].as_array().unwrap().clone();
        let columns: Vec<String> = list("columns")
            .iter()
            .map(|c| c.as_str().unwrap().into())
            .collect();
        assert_eq!(folder.columns(), columns, "{set}");
        let starts: Vec<f64> = list("starts").iter().map(|s| s.as_f64().unwrap()).collect();
        let tied = starts.windows(2).filter(|w| w[0] == w[1]).count();
        assert_eq!(
            (summary.tied, summary.rate_hz),
            (tied, Some(100.0)),
            "{set}"
        );
        for (k, interval) in found.intervals.iter().enumerate() {
            let expected = if k < starts.len() - tied {
                starts[k]
            } else {
                found.intervals[k - 1][1]
            };
            assert!(
                (interval[0] - expected).abs() < 1e-6 && interval[1] > interval[0],
                "{set} {k}"
            );
        }
        for (k, sum) in list("sums").iter().enumerate() {
            let own: f64 = found.row(k).iter().map(|x| f64::from(*x)).sum();
            let sum = sum.as_f64().unwrap();
            assert!(
                (own - sum).abs() <= 1e-4 * sum.abs().max(1.0),
                "{set} {k}: {own} {sum}"
            );
        }
    }
    assert!(
        expected["deltas"]["starts"]
            .as_array()
            .unwrap()
            .windows(2)
            .any(|w| w[0] == w[1])
    );
}

#[test]
fn open_ends_of_audformat_are_those_of_the_recordings() {
    let folder = Folder::new(&[]);
    let meaning = "[labels.category]\ncolumn = \"emotion\"\nmeaning = { angry = \"anger\", happy = \"happy\", neutral = [] }\n";
    folder.write("m.toml", meaning);
    for name in ["db.segments.csv", "db.segments.parquet"] {
        std::fs::copy(fixture("extractors/audformat").join(name), folder.at(name)).unwrap();
        let summary = imported(&folder, "half.parquet", name, None).unwrap();
        assert_eq!((summary.join.by_time, summary.segments), (3, 3), "{name}");
        // Each speaker is a video; recordings of 7, 5 and 9 frames at 100 Hz.
        for (speaker, from, to) in [("x", 0.01, 0.03), ("y", 0.0, 0.05), ("z", 0.02, 0.09)] {
            let found = folder.labels(speaker).intervals[0];
            assert!(
                (found[0] - from).abs() < 1e-9 && (found[1] - to).abs() < 1e-9,
                "{name} {speaker}: {found:?}"
            );
        }
    }
}

#[test]
fn tables_of_praat_hold_centres() {
    let folder = Folder::new(&[("l.csv", b"video,sad\na,1\nb,0\n")]);
    let summary = imported(&folder, "praat", "l.csv", None).unwrap();
    assert_eq!(summary.rate_hz, Some(100.0));
    for name in ["a", "b"] {
        let times = json("expected_extractors.json")["praat"][name].clone();
        let found = folder.frames(name);
        assert_eq!(found.intervals.len(), times.as_array().unwrap().len());
        for (interval, time) in found.intervals.iter().zip(times.as_array().unwrap()) {
            assert!(((interval[0] + interval[1]) / 2.0 - time.as_f64().unwrap()).abs() < 1e-6);
        }
        // F5 is undefined throughout in this tone.
        assert!(found.row(0)[9].is_nan() && found.row(0)[1].is_finite());
    }
}
