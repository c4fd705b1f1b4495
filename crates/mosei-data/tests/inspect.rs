//! `inspect` counts odd labels and refuses none.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{CsdWriter, Inspection, inspect};
use std::path::Path;

/// A label file of one video with a row of each of `rows`.
fn look(dir: &Path, width: usize, rows: &[f32]) -> Inspection {
    let path = dir.join("l.csd");
    let mut writer = CsdWriter::create(&path, "L", &[], 4).unwrap();
    let intervals: Vec<[f64; 2]> = (0..rows.len() / width)
        .map(|k| [k as f64, k as f64 + 1.0])
        .collect();
    writer.write_video("a", width, rows, &intervals).unwrap();
    writer.finish().unwrap();
    inspect(&[path], None).unwrap()
}

#[test]
fn labels_out_of_range_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let nan = f32::NAN;
    // sentiment, happy, sad, anger, surprise, disgust, fear
    let rows = [
        -3.0, 3.0, 0.0, -0.5, 0.0, nan, 0.0, 3.5, 9.0, 0.0, -1.0, 0.0, 0.0, 0.0, -4.0, nan, 0.0,
        1.0, 0.0, 0.0, 3.0,
    ];
    let found = look(dir.path(), 7, &rows);
    let text = found.to_text();
    let line = "labels out of range in l.csd: \
                sentiment 2 outside [-3, 3], happy 1 outside [0, 3], anger 2 outside [0, 3]\n";
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("non-finite values in l.csd: happy 1, disgust 1\n"),
        "{text}"
    );
    let counts: Vec<(&str, u64)> = found.files[0]
        .out_of_range
        .iter()
        .map(|(c, o)| (c.as_str(), o.labels))
        .collect();
    assert_eq!(counts, [("anger", 2), ("happy", 1), ("sentiment", 2)]);
    let usual = look(dir.path(), 6, &[0.0, 3.0, 1.0, 0.0, 0.0, 0.0]).to_text();
    assert!(
        usual.contains("labels out of range in l.csd: none\n"),
        "{usual}"
    );
    assert!(
        usual.contains("rounded half up to 4 classes, above 0: 0 happy, 1 sad, 1 anger"),
        "{usual}"
    );
}

#[test]
fn sentiment_alone_says_nothing_of_emotions() {
    let dir = tempfile::tempdir().unwrap();
    let text = look(dir.path(), 1, &[1.0, -2.0]).to_text();
    assert!(!text.contains("rounded"), "{text}");
    assert!(!text.contains("any"), "{text}");
    assert!(!text.contains("emotion"), "{text}");
    assert!(text.contains("| all  |        2 |      1 |\n"), "{text}");
}
