//! Irregular times, times in other units and recordings of different rates: what is accepted and
//! what is refused.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{
    CsdWriter, DataConfig, Manifest, Prepared, inspect, prepare, prepare_for_pretraining, same_rate,
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

fn video(i: usize, frames: Vec<[f64; 2]>) -> Video {
    let values = (0..frames.len() * 2)
        .map(|k| ((k * 31 + i * 17) % 23) as f32)
        .collect();
    let end = frames.last().unwrap()[1];
    // Of unequal length and number.
    let n = 2 + i % 3;
    let segments = (0..n)
        .map(|k| [end * k as f64 / n as f64, end * (k as f64 + 0.9) / n as f64])
        .collect();
    Video {
        id: format!("v{i:02}"),
        values,
        frames,
        segments,
    }
}

fn config() -> DataConfig {
    let mut config = DataConfig {
        features: "f.csd".into(),
        labels: vec!["l.csd".into()],
        ..DataConfig::default()
    };
    (config.split.valid_share, config.split.test_share) = (0.2, 0.2);
    config
}

fn write(dir: &Path, videos: &[Video]) {
    let names = |names: &[&str]| [("dimension names", json!(names))];
    let mut features = CsdWriter::create(&dir.join("f.csd"), "F", &names(&["x", "y"]), 1).unwrap();
    let mut labels =
        CsdWriter::create(&dir.join("l.csd"), "L", &names(&["happy", "sad"]), 1).unwrap();
    for v in videos {
        features
            .write_video(&v.id, 2, &v.values, &v.frames)
            .unwrap();
        let said: Vec<f32> = (0..v.segments.len() * 2).map(|k| (k % 3) as f32).collect();
        labels.write_video(&v.id, 2, &said, &v.segments).unwrap();
    }
    features.finish().unwrap();
    labels.finish().unwrap();
}

/// Prepares a corpus: its manifest, or the error, after which no output remains.
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
    found.map_err(|e| {
        e.to_string()
            .replace(&format!("{}/", dir.path().display()), "")
    })
}

fn regular(n: usize) -> Vec<Video> {
    (0..n)
        .map(|i| video(i, every(0.01, 200 + 37 * i)))
        .collect()
}

#[test]
fn recordings_of_one_corpus_have_one_rate() {
    let steps = [0.01, 0.02, 0.04];
    let mixed: Vec<Video> = (0..9).map(|i| video(i, every(steps[i % 3], 200))).collect();
    let said = prepared(&mixed, |_| ()).unwrap_err();
    let expected = "f.csd: F/data: expected recordings with one frame rate (within 1 %), found 3 at 25 Hz, such as 'v02'; 3 at 50 Hz, such as \
                    'v01'; 3 at 100 Hz, such as 'v00'; extract the features of all recordings at one rate, or use separate studies";
    assert_eq!(said, expected);
    let near: Vec<Video> = (0..9)
        .map(|i| video(i, every(0.01 * (1.0 + i as f64 * 1e-4), 200)))
        .collect();
    let manifest = prepared(&near, |_| ()).unwrap();
    assert!(!manifest.irregular && same_rate(manifest.frame_rate_hz.unwrap(), 100.0));
}

#[test]
fn words_are_irregular_and_have_no_rate() {
    let videos: Vec<Video> = (0..9)
        .map(|i| video(i, words(40 + 7 * i, 7919 + i)))
        .collect();
    let manifest = prepared(&videos, |_| ()).unwrap();
    assert!(manifest.irregular);
    assert_eq!(
        (manifest.frame_rate_hz, manifest.counts.segments.kept),
        (None, manifest.counts.segments.labelled)
    );
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &videos);
    let found = inspect(&[dir.path().join("f.csd")], None).unwrap();
    assert!(
        found.files[0].irregular && found.to_text().contains("irregular"),
        "{}",
        found.to_text()
    );
    let manifest = prepared(&regular(9), |_| ()).unwrap();
    assert_eq!(
        (manifest.irregular, manifest.frame_rate_hz),
        (false, Some(100.0))
    );
    assert!(manifest.remarks().is_empty(), "{:?}", manifest.remarks());
}

#[test]
fn times_in_another_unit_are_refused() {
    let mut late = regular(9);
    for v in &mut late {
        v.segments
            .iter_mut()
            .for_each(|s| *s = s.map(|t| t * 1000.0));
    }
    let said = prepared(&late, |_| ()).unwrap_err();
    assert!(
        said.starts_with(
            "l.csd: intervals: expected labelled segments within their recordings, found "
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "in 9 of 9 recordings, such as 'v00[0]' from 0 to 900 s of a recording that ends at 2"
        ),
        "{said}"
    );
    assert!(
        said.contains("'unit' under [features] or [labels]"),
        "{said}"
    );
    let slow: Vec<Video> = (0..9).map(|i| video(i, every(10.0, 200))).collect();
    let said = prepared(&slow, |_| ()).unwrap_err();
    let expected = "f.csd: F/data: expected a frame rate of at least 1 Hz, found 0.1 Hz (10 s between frames, as in 'v00'); ";
    assert!(said.starts_with(expected), "{said}");
    // One recording that was cut off is counted.
    let mut one = regular(9);
    one[3].segments.push([500.0, 501.0]);
    let odd = prepared(&one, |_| ()).unwrap().oddities.far_behind;
    let first = odd.first.unwrap();
    assert!(
        odd.segments == 1
            && first.starts_with("'v03[2]' from 500 to 501 s of a recording that ends at 3.1"),
        "{first}"
    );
}

#[test]
fn segments_without_a_finite_value_are_counted() {
    let mut some = regular(9);
    some[2].values.fill(f32::NAN);
    let manifest = prepared(&some, |_| ()).unwrap();
    assert_eq!(
        manifest.oddities.nothing_finite.segments,
        some[2].segments.len()
    );
    assert_eq!(
        manifest.oddities.nothing_finite.first.as_deref(),
        Some("'v02[0]'")
    );
    assert!(
        manifest.remarks().iter().any(
            |(title, said)| title.contains("finite") && said.starts_with("4, such as 'v02[0]'")
        )
    );
    some.iter_mut()
        .skip(1)
        .for_each(|v| v.values.fill(f32::INFINITY));
    let said = prepared(&some, |_| ()).unwrap_err();
    assert!(
        said.starts_with("f.csd: features: expected segments with finite values, found "),
        "{said}"
    );
}

#[test]
fn extreme_outliers_are_refused() {
    let mut videos = regular(9);
    videos[0].values[41] = 3e38;
    let said = prepared(&videos, |_| ()).unwrap_err();
    assert!(
        said.starts_with(
            "f.csd: column 'y': expected training values without extreme outliers (fold 0), found 3e38 in segment 'v00[0]', which gives"
        ),
        "{said}"
    );
    assert!(said.contains("set invalid measurements to NaN"), "{said}");
}

#[test]
fn segments_of_one_frame_are_refused_for_pretraining() {
    let videos = regular(9);
    let long = |c: &mut DataConfig| c.pool_frames = 500;
    let manifest = prepared(&videos, long).unwrap();
    assert_eq!(manifest.oddities.median_frames, 1);
    let said: Vec<String> = manifest
        .remarks()
        .into_iter()
        .map(|(title, said)| format!("{title}: {said}"))
        .collect();
    assert_eq!(
        said,
        ["Frames of the median segment: 1: masking frames in time is not possible"]
    );
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &videos);
    let mut config = config();
    long(&mut config);
    let out = dir.path().join("out");
    let said = prepare_for_pretraining(&config, dir.path(), &out, &mut |_, _| ())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("expected at least 2 frames in the median segment")
            && said.contains("lower pool_frames"),
        "{said}"
    );
    assert!(!out.exists());
    config.pool_frames = 5;
    prepare_for_pretraining(&config, dir.path(), &out, &mut |_, _| ()).unwrap();
}
