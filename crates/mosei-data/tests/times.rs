//! Times and rates that are not regular, not in seconds, or not of one corpus: what is taken as it is, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use mosei_data::{
    Csd, CsdWriter, DataConfig, ImportOptions, ImportSummary, Manifest, Prepared, import, inspect, prepare,
    prepare_for_pretraining, recording_rate_hz, same_rate,
};
use serde_json::json;
use std::path::Path;

/// A video: id, values of two columns, times of the frames, times of the segments.
struct Video {
    id: String,
    values: Vec<f32>,
    frames: Vec<[f64; 2]>,
    segments: Vec<[f64; 2]>,
}

/// So many frames, one after another.
fn every(step_s: f64, n: usize) -> Vec<[f64; 2]> {
    (0..n).map(|k| [k as f64 * step_s, (k + 1) as f64 * step_s]).collect()
}

/// Words of 0.1 to 0.9 s; a stride of its own for each video, so that recordings are unequal.
fn words(n: usize, stride: usize) -> Vec<[f64; 2]> {
    let mut t = 0.0;
    let word = |k: usize| {
        let start = t;
        t += 0.1 + 0.8 * ((k * stride) % 101) as f64 / 101.0;
        [start, t]
    };
    (0..n).map(word).collect()
}

fn video(i: usize, frames: Vec<[f64; 2]>) -> Video {
    let values = (0..frames.len() * 2).map(|k| ((k * 31 + i * 17) % 23) as f32).collect();
    let end = frames.last().unwrap()[1];
    // Of unequal length and number.
    let n = 2 + i % 3;
    let segments = (0..n).map(|k| [end * k as f64 / n as f64, end * (k as f64 + 0.9) / n as f64]).collect();
    Video { id: format!("v{i:02}"), values, frames, segments }
}

fn config() -> DataConfig {
    let mut config = DataConfig { features: "f.csd".into(), labels: vec!["l.csd".into()], ..DataConfig::default() };
    (config.split.valid_share, config.split.test_share) = (0.2, 0.2);
    config
}

fn write(dir: &Path, videos: &[Video]) {
    let names = |names: &[&str]| [("dimension names", json!(names))];
    let mut features = CsdWriter::create(&dir.join("f.csd"), "F", &names(&["x", "y"]), 1).unwrap();
    let mut labels = CsdWriter::create(&dir.join("l.csd"), "L", &names(&["happy", "sad"]), 1).unwrap();
    for v in videos {
        features.write_video(&v.id, 2, &v.values, &v.frames).unwrap();
        let said: Vec<f32> = (0..v.segments.len() * 2).map(|k| (k % 3) as f32).collect();
        labels.write_video(&v.id, 2, &said, &v.segments).unwrap();
    }
    features.finish().unwrap();
    labels.finish().unwrap();
}

/// What comes of a corpus: its manifest, or the words of its refusal, after which nothing is left.
fn prepared(videos: &[Video], change: impl FnOnce(&mut DataConfig)) -> Result<Manifest, String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), videos);
    let mut config = config();
    change(&mut config);
    let out = dir.path().join("out");
    let found = prepare(&config, dir.path(), &out, &mut |_, _| ());
    assert_eq!(found.is_ok(), out.exists());
    if let Ok(manifest) = &found {
        assert_eq!(Prepared::open(&out).unwrap().manifest(), manifest);
    }
    found.map_err(|e| e.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

fn regular(n: usize) -> Vec<Video> {
    (0..n).map(|i| video(i, every(0.01, 200 + 37 * i))).collect()
}

#[test]
fn recordings_of_one_corpus_have_one_rate() {
    let steps = [0.01, 0.02, 0.04];
    let mixed: Vec<Video> = (0..9).map(|i| video(i, every(steps[i % 3], 200))).collect();
    let said = prepared(&mixed, |_| ()).unwrap_err();
    let expected = "f.csd: F/data: expected recordings of one rate (within 1 %), found 3 at 25 Hz, such as 'v02'; 3 at 50 Hz, such as \
                    'v01'; 3 at 100 Hz, such as 'v00'; take the features of all recordings at one rate, or study them apart";
    assert_eq!(said, expected);
    let near: Vec<Video> = (0..9).map(|i| video(i, every(0.01 * (1.0 + i as f64 * 1e-4), 200))).collect();
    let manifest = prepared(&near, |_| ()).unwrap();
    assert!(!manifest.irregular && same_rate(manifest.frame_rate_hz.unwrap(), 100.0));
}

#[test]
fn words_are_irregular_and_have_no_rate() {
    let videos: Vec<Video> = (0..9).map(|i| video(i, words(40 + 7 * i, 7919 + i))).collect();
    let manifest = prepared(&videos, |_| ()).unwrap();
    assert!(manifest.irregular);
    assert_eq!((manifest.frame_rate_hz, manifest.counts.segments.kept), (None, manifest.counts.segments.labelled));
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &videos);
    let found = inspect(&[dir.path().join("f.csd")], None).unwrap();
    assert!(found.files[0].irregular && found.to_text().contains("irregular"), "{}", found.to_text());
    let manifest = prepared(&regular(9), |_| ()).unwrap();
    assert_eq!((manifest.irregular, manifest.frame_rate_hz), (false, Some(100.0)));
    assert!(manifest.remarks().is_empty(), "{:?}", manifest.remarks());
}

#[test]
fn times_in_another_unit_are_refused() {
    let mut late = regular(9);
    for v in &mut late {
        v.segments.iter_mut().for_each(|s| *s = s.map(|t| t * 1000.0));
    }
    let said = prepared(&late, |_| ()).unwrap_err();
    assert!(
        said.starts_with("l.csd: intervals: expected labelled segments that end with their recordings, found "),
        "{said}"
    );
    assert!(
        said.contains("in 9 of 9 recordings, such as 'v00[0]' from 0 to 900 s of a recording that ends at 2"),
        "{said}"
    );
    assert!(said.contains("'unit' under [features] or [labels]"), "{said}");
    let slow: Vec<Video> = (0..9).map(|i| video(i, every(10.0, 200))).collect();
    let said = prepared(&slow, |_| ()).unwrap_err();
    let expected =
        "f.csd: F/data: expected at least 1 frame a second, found 0.1 (10 s from frame to frame, as in 'v00'); ";
    assert!(said.starts_with(expected), "{said}");
    // One recording that was cut off is counted.
    let mut one = regular(9);
    one[3].segments.push([500.0, 501.0]);
    let odd = prepared(&one, |_| ()).unwrap().oddities.far_behind;
    let first = odd.first.unwrap();
    assert!(
        odd.segments == 1 && first.starts_with("'v03[2]' from 500 to 501 s of a recording that ends at 3.1"),
        "{first}"
    );
}

#[test]
fn segments_without_a_finite_value_are_counted() {
    let mut some = regular(9);
    some[2].values.fill(f32::NAN);
    let manifest = prepared(&some, |_| ()).unwrap();
    assert_eq!(manifest.oddities.nothing_finite.segments, some[2].segments.len());
    assert_eq!(manifest.oddities.nothing_finite.first.as_deref(), Some("'v02[0]'"));
    assert!(
        manifest
            .remarks()
            .iter()
            .any(|(title, said)| title.contains("finite") && said.starts_with("4, such as 'v02[0]'"))
    );
    some.iter_mut().skip(1).for_each(|v| v.values.fill(f32::INFINITY));
    let said = prepared(&some, |_| ()).unwrap_err();
    assert!(said.starts_with("f.csd: features: expected segments with finite values, found "), "{said}");
}

#[test]
fn one_value_may_not_flatten_a_column() {
    let mut videos = regular(9);
    videos[0].values[41] = 3e38;
    let said = prepared(&videos, |_| ()).unwrap_err();
    assert!(
        said.starts_with(
            "f.csd: column 'y': expected training values of one magnitude (fold 0), found 3e38 in segment 'v00[0]', which makes"
        ),
        "{said}"
    );
    assert!(said.contains("give what is no measurement as NaN"), "{said}");
}

#[test]
fn segments_of_one_frame_are_no_ground_for_pretraining() {
    let videos = regular(9);
    let long = |c: &mut DataConfig| c.pool_frames = 500;
    let manifest = prepared(&videos, long).unwrap();
    assert_eq!(manifest.oddities.median_frames, 1);
    let said: Vec<String> = manifest.remarks().into_iter().map(|(title, said)| format!("{title}: {said}")).collect();
    assert_eq!(said, ["Frames of the median segment: 1: hiding frames in time has no meaning"]);
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &videos);
    let mut config = config();
    long(&mut config);
    let out = dir.path().join("out");
    let said = prepare_for_pretraining(&config, dir.path(), &out, &mut |_, _| ()).unwrap_err().to_string();
    assert!(
        said.contains("expected at least 2 frames in the median segment") && said.contains("lower pool_frames"),
        "{said}"
    );
    assert!(!out.exists());
    config.pool_frames = 5;
    prepare_for_pretraining(&config, dir.path(), &out, &mut |_, _| ()).unwrap();
}

/// What is imported of two tables and a mapping.
fn imported(features: &str, labels: &str, mapping: &str) -> Result<(tempfile::TempDir, ImportSummary), String> {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (name, text) in [("f.csv", features), ("l.csv", labels), ("m.toml", mapping)] {
        std::fs::write(at(name), text).unwrap();
    }
    let options = ImportOptions {
        features: at("f.csv"),
        labels: at("l.csv"),
        mapping: Some(at("m.toml")),
        ..ImportOptions::default()
    };
    let found = import(&options, &at("out"), &mut |_, _| ());
    found.map_err(|e| e.to_string().replace(&format!("{}/", dir.path().display()), "")).map(|summary| (dir, summary))
}

fn table(rows: &[[f64; 2]], scale: f64) -> String {
    let row = |(k, [s, e]): (usize, &[f64; 2])| format!("a,{},{},{}\n", s * scale, e * scale, (k * 7) % 5);
    format!("video,start,end,F0\n{}", rows.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn words_keep_their_length() {
    let rows = words(30, 7919);
    let (dir, summary) = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!(summary.rate_hz, None);
    assert!(summary.to_string().contains("30 frames at irregular times"), "{summary}");
    let found = Csd::open(&dir.path().join("out/features.csd")).unwrap().read("a").unwrap();
    for (found, said) in found.intervals.iter().zip(&rows) {
        assert!((found[0] - said[0]).abs() < 1e-9 && (found[1] - said[1]).abs() < 1e-9, "{found:?} {said:?}");
    }
    assert!(recording_rate_hz(&found).is_some());
}

#[test]
fn units_of_plain_numbers_can_be_said() {
    let rows = every(0.01, 100);
    let said = imported(&table(&rows, 1000.0), "video,happy\na,1\n", "").unwrap_err();
    assert!(
        said.starts_with("f.csv: times of the frames: expected at least 1 frame a second, found 0.1 (10 s"),
        "{said}"
    );
    let unit = "[features]\nunit = \"ms\"\n[labels]\nunit = \"us\"\n";
    let (dir, summary) = imported(&table(&rows, 1000.0), "video,start,end,happy\na,500000,800000,1\n", unit).unwrap();
    assert_eq!(summary.rate_hz, Some(100.0));
    let labels = Csd::open(&dir.path().join("out/labels.csd")).unwrap().read("a").unwrap();
    assert_eq!(labels.intervals, [[0.5, 0.8]]);
    let said = imported(&table(&rows, 1.0), "video,start,end,happy\na,0,1000,1\n", "").unwrap_err();
    let expected = "l.csv: times of the segments: expected labelled segments that end with their recordings, found 1 that end 2 times as \
                    late or later, in 1 of 1 recordings, such as 0 to 1000 s of 'a', a recording that ends at 1 s; are the times";
    assert!(said.starts_with(expected), "{said}");
    let said = imported(&table(&rows, 1.0), "video,happy\na,1\n", "[labels]\nunit = \"hours\"\n").unwrap_err();
    assert!(said.contains("labels.unit") && said.contains("`ms`"), "{said}");
}

#[test]
fn ends_that_are_left_open_are_those_of_the_recording() {
    let (dir, _) = imported(&table(&every(0.01, 100), 1.0), "video,start,end,happy\na,0.25,NaT,1\n", "").unwrap();
    let labels = Csd::open(&dir.path().join("out/labels.csd")).unwrap().read("a").unwrap();
    assert_eq!(labels.intervals, [[0.25, 1.0]]);
    let said = imported(&table(&every(0.01, 100), 1.0), "video,start,end,happy\na,7,,1\n", "").unwrap_err();
    assert!(said.starts_with("l.csv: line 2: expected a start before the end of its recording (1 s)"), "{said}");
}

#[test]
fn the_last_frames_may_begin_together() {
    let mut rows = every(0.01, 20);
    rows.extend([[0.19, 0.2], [0.19, 0.2]]);
    let (dir, summary) = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap();
    assert_eq!((summary.tied, summary.rate_hz, summary.frames), (2, Some(100.0), 22));
    assert!(summary.to_string().contains("equal starts: 2 frames"), "{summary}");
    let found = Csd::open(&dir.path().join("out/features.csd")).unwrap().read("a").unwrap();
    assert!((found.intervals[21][0] - 0.21).abs() < 1e-9 && (found.intervals[21][1] - 0.22).abs() < 1e-9);
    rows.push([0.3, 0.31]);
    let said = imported(&table(&rows, 1.0), "video,happy\na,1\n", "").unwrap_err();
    assert!(said.contains("only the last of a recording may"), "{said}");
}
