//! Times of tables: units, irregular steps, open ends and equal starts.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, recording_rate_hz};
use mosei_import::{ImportOptions, ImportSummary, import};

/// `n` consecutive frames.
fn every(step_s: f64, n: usize) -> Vec<[f64; 2]> {
    (0..n)
        .map(|k| [k as f64 * step_s, (k + 1) as f64 * step_s])
        .collect()
}

/// Words of 0.1 to 0.9 s; different strides give different recordings.
fn words(n: usize, stride: usize) -> Vec<[f64; 2]> {
    let mut t = 0.0;
    let word = |k: usize| {
        let start = t;
        t += 0.1 + 0.8 * ((k * stride) % 101) as f64 / 101.0;
        [start, t]
    };
    (0..n).map(word).collect()
}

/// Imports two tables with a mapping.
fn imported(
    features: &str,
    labels: &str,
    mapping: &str,
) -> Result<(tempfile::TempDir, ImportSummary), String> {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (name, text) in [("f.csv", features), ("l.csv", labels), ("m.toml", mapping)] {
        std::fs::write(at(name), text).unwrap();
    }
    let options = ImportOptions {
        features: at("f.csv"),
        labels: Some(at("l.csv")),
        mapping: Some(at("m.toml")),
        ..ImportOptions::default()
    };
    let found = import(&options, &at("out"), &mut |_, _| ());
    found
        .map_err(|e| {
            e.to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
        .map(|summary| (dir, summary))
}

fn table(rows: &[[f64; 2]], scale: f64) -> String {
    let row = |(k, [s, e]): (usize, &[f64; 2])| {
        format!("a,{},{},{}\n", s * scale, e * scale, (k * 7) % 5)
    };
    format!(
        "video,start,end,F0\n{}",
        rows.iter().enumerate().map(row).collect::<String>()
    )
}

#[test]
fn irregular_frames_keep_their_length() {
    let rows = words(30, 7919);
    let (dir, summary) = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!(summary.rate_hz, None);
    assert!(
        summary
            .to_string()
            .contains(") at irregular times, 1 columns"),
        "{summary}"
    );
    let found = Csd::open(&dir.path().join("out/features.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    for (found, expected) in found.intervals.iter().zip(&rows) {
        assert!(
            (found[0] - expected[0]).abs() < 1e-9 && (found[1] - expected[1]).abs() < 1e-9,
            "{found:?} {expected:?}"
        );
    }
    assert!(recording_rate_hz(&found).is_some());
}

#[test]
fn units_of_plain_numbers_can_be_set() {
    let rows = every(0.01, 100);
    let message = imported(&table(&rows, 1000.0), "video,happy\na,1\n", "").unwrap_err();
    assert!(
        message.starts_with(
            "f.csv: times of the frames: expected a frame rate of at least 1 Hz, found 0.1 Hz (10 s"
        ),
        "{message}"
    );
    let unit = "[features]\nunit = \"ms\"\n[labels]\nunit = \"us\"\n";
    let (dir, summary) = imported(
        &table(&rows, 1000.0),
        "video,start,end,happy\na,500000,800000,1\n",
        unit,
    )
    .unwrap();
    assert_eq!(summary.rate_hz, Some(100.0));
    let labels = Csd::open(&dir.path().join("out/labels.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    assert_eq!(labels.intervals, [[0.5, 0.8]]);
    let message = imported(
        &table(&rows, 1.0),
        "video,start,end,happy\na,0,1000,1\n",
        "",
    )
    .unwrap_err();
    let expected = "l.csv: times of the segments: expected labelled segments within their recordings, found 1 that end at 2 times \
                    their recording's end or later, in 1 of 1 recordings, such as 0 to 1000 s of 'a', of a recording that ends at 1 s; are the times";
    assert!(message.starts_with(expected), "{message}");
    let message = imported(
        &table(&rows, 1.0),
        "video,happy\na,1\n",
        "[labels]\nunit = \"hours\"\n",
    )
    .unwrap_err();
    assert!(
        message.contains("labels.unit") && message.contains("`ms`"),
        "{message}"
    );
}

#[test]
fn open_ends_are_those_of_the_recording() {
    let (dir, _) = imported(
        &table(&every(0.01, 100), 1.0),
        "video,start,end,happy\na,0.25,NaT,1\n",
        "",
    )
    .unwrap();
    let labels = Csd::open(&dir.path().join("out/labels.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    assert_eq!(labels.intervals, [[0.25, 1.0]]);
    let message = imported(
        &table(&every(0.01, 100), 1.0),
        "video,start,end,happy\na,7,,1\n",
        "",
    )
    .unwrap_err();
    assert!(
        message
            .starts_with("l.csv: line 2: expected a start before the end of its recording (1 s)"),
        "{message}"
    );
}

#[test]
fn the_last_frames_may_have_equal_starts() {
    let mut rows = every(0.01, 20);
    rows.extend([[0.19, 0.2], [0.19, 0.2]]);
    let (dir, summary) = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!(
        (summary.tied, summary.rate_hz, summary.frames),
        (2, Some(100.0), 22)
    );
    assert!(
        summary.to_string().contains("equal starts: 2 frames"),
        "{summary}"
    );
    let found = Csd::open(&dir.path().join("out/features.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    assert!(
        (found.intervals[21][0] - 0.21).abs() < 1e-9
            && (found.intervals[21][1] - 0.22).abs() < 1e-9
    );
    // Another stretch follows, as openSMILE writes it for segments.
    let mut more = rows.clone();
    more.extend([[0.3, 0.31], [0.31, 0.32], [0.31, 0.32]]);
    let (dir, summary) = imported(&table(&more, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!((summary.tied, summary.sorted), (3, 0));
    let found = Csd::open(&dir.path().join("out/features.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    let starts: Vec<f64> = found.intervals[19..].iter().map(|i| i[0]).collect();
    for (start, expected) in starts.iter().zip([0.19, 0.2, 0.21, 0.3, 0.31, 0.32]) {
        assert!((start - expected).abs() < 1e-9, "{starts:?}");
    }
    // The same stretches in another order.
    more.rotate_left(22);
    let (dir, summary) = imported(&table(&more, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!((summary.tied, summary.sorted), (3, 1));
    let sorted = Csd::open(&dir.path().join("out/features.csd"))
        .unwrap()
        .read("a")
        .unwrap();
    assert_eq!(sorted.intervals, found.intervals);
    rows.push([0.2, 0.21]);
    let message = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap_err();
    assert!(
        message
            .contains("only the last frames of a recording, or of a stretch of it, may share one"),
        "{message}"
    );
}
