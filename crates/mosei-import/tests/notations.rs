//! Notations of segments in tables. Numbers with different meanings are never joined.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, CsdWriter};
use mosei_import::{ImportOptions, ImportSummary, import};
use std::path::Path;

fn run(dir: &Path, features: &str, labels: &str) -> Result<ImportSummary, String> {
    let options = ImportOptions {
        features: dir.join(features),
        labels: Some(dir.join(labels)),
        ..ImportOptions::default()
    };
    import(&options, &dir.join("out"), &mut |_, _| ())
        .map_err(|e| e.to_string().replace(&format!("{}/", dir.display()), ""))
}

fn frames(ids: &[&str]) -> String {
    let rows = ids
        .iter()
        .flat_map(|id| (0..4).map(move |k| format!("{id},{},{k}\n", f64::from(k) / 2.0)));
    format!("id,start,F0\n{}", rows.collect::<String>())
}

fn csd(path: &Path, names: &[&str], groups: &[(&str, [f64; 2])]) {
    let mut writer = CsdWriter::create(
        path,
        "x",
        &[("dimension names", serde_json::json!(names))],
        1,
    )
    .unwrap();
    for (id, interval) in groups {
        writer
            .write_video(id, names.len(), &vec![1.0; names.len()], &[*interval])
            .unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn table_ids_can_name_segments() {
    let dir = tempfile::tempdir().unwrap();
    for (name, id) in [("rows", "v[{}]"), ("clips", "v$_${}")] {
        let ids: Vec<String> = (0..2).map(|k| id.replace("{}", &k.to_string())).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        std::fs::write(dir.path().join("f.csv"), frames(&ids)).unwrap();
        let labels: String = ids.iter().map(|id| format!("{id},1\n")).collect();
        std::fs::write(dir.path().join("l.csv"), format!("id,sad\n{labels}")).unwrap();
        let summary = run(dir.path(), "f.csv", "l.csv").unwrap();
        assert_eq!(summary.segments, 2, "{name}");
        let csd = Csd::open(&dir.path().join("out/labels.csd")).unwrap();
        assert_eq!(
            (csd.videos().len(), csd.videos()[0].id.as_str()),
            (1, "v"),
            "{name}"
        );
        std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    }
}

#[test]
fn clip_numbers_are_not_joined_to_row_numbers() {
    let dir = tempfile::tempdir().unwrap();
    csd(
        &dir.path().join("l.csd"),
        &["sad"],
        &[("v[0]", [0.0, 2.0]), ("v[1]", [2.0, 4.0])],
    );
    for ids in [["v$_$0", "v$_$1"], ["v_0", "v_1"]] {
        std::fs::write(dir.path().join("f.csv"), frames(&ids)).unwrap();
        let message = run(dir.path(), "f.csv", "l.csd").err().unwrap();
        let words = format!(
            "l.csd: 'v[0]', row 0: expected frames of segment '0' of 'v', which counts rows of the file that segments were aligned to, found '{}', which counts clips of the transcript; the numbers differ in meaning",
            ids[0]
        );
        assert!(message.starts_with(&words), "{message}");
        assert!(!dir.path().join("out").exists());
    }
    // Columns declare that the numbers correspond.
    std::fs::write(
        dir.path().join("l.csv"),
        "video,segment,sad\nv,0,1\nv,1,0\n",
    )
    .unwrap();
    assert_eq!(run(dir.path(), "f.csv", "l.csv").unwrap().segments, 2);
}

/// Labels of two sentences, and features aligned to the words of the video: `v[1]` is word 1.
#[test]
fn segments_are_joined_by_time_and_not_by_number() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let sentences = [("v[0]", [0.0, 2.0]), ("v[1]", [10.5, 14.8])];
    csd(&at("l.csd"), &["sad"], &sentences);
    let words: Vec<[f64; 2]> = (0..30)
        .map(|k| [f64::from(k) / 2.0, f64::from(k + 1) / 2.0])
        .collect();
    let ids: Vec<String> = (0..30).map(|k| format!("v[{k}]")).collect();
    let groups: Vec<(&str, [f64; 2])> = ids.iter().map(String::as_str).zip(words.clone()).collect();
    csd(&at("f.csd"), &["a", "b"], &groups);
    let rows = ids
        .iter()
        .zip(&words)
        .map(|(id, [s, e])| format!("{id},{s},{e},1\n"));
    std::fs::write(
        at("f.csv"),
        format!("id,start,end,F0\n{}", rows.collect::<String>()),
    )
    .unwrap();
    let table = "video,segment,start,end,sad\nv,0,0,2,1\nv,1,10.5,14.8,0\n";
    std::fs::write(at("l.csv"), table).unwrap();
    // Segments without a name.
    std::fs::write(
        at("t.csv"),
        "video,start,end,sad
v,0,2,1
v,10.5,14.8,0
",
    )
    .unwrap();
    for (features, labels) in [
        ("f.csd", "l.csd"),
        ("f.csv", "l.csd"),
        ("f.csd", "l.csv"),
        ("f.csv", "l.csv"),
        ("f.csv", "t.csv"),
    ] {
        let summary = run(dir.path(), features, labels).unwrap();
        assert_eq!(
            (summary.join.by_time, summary.join.by_id),
            (2, 0),
            "{features} {labels}"
        );
        let example = summary.joined.last().unwrap().to_string();
        assert!(
            example.contains("at 10.5 to 14.8 s of 'v': frames 22 to 30 (10.5 to 15 s)"),
            "{features} {labels}: {example}"
        );
        let read = |name: &str| {
            Csd::open(&at("out").join(name))
                .unwrap()
                .read("v")
                .unwrap()
                .intervals
        };
        assert_eq!(
            (read("features.csd"), read("labels.csd")),
            (words.clone(), sentences.map(|s| s.1).to_vec())
        );
        std::fs::remove_dir_all(at("out")).unwrap();
    }
}

/// Frames of segments that overlap with other values, as means over each segment do, are joined by
/// number, and their times must be those of the labels.
#[test]
fn segments_with_different_times_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    csd(
        &dir.path().join("l.csd"),
        &["sad"],
        &[
            ("v[0]", [0.0, 2.0]),
            ("v[1]", [1.5, 4.0]),
            ("v[2]", [4.0, 6.0]),
        ],
    );
    let means = |third: [f64; 2]| {
        format!(
            "id,start,end,F0\nv[0],0,2,1\nv[1],1.5,4,2\nv[2],{},{},3\n",
            third[0], third[1]
        )
    };
    std::fs::write(dir.path().join("f.csv"), means([4.0, 6.0])).unwrap();
    let summary = run(dir.path(), "f.csv", "l.csd").unwrap();
    assert_eq!((summary.join.by_id, summary.join.times_unused), (3, 3));
    std::fs::write(dir.path().join("f.csv"), means([9.0, 9.5])).unwrap();
    let message = run(dir.path(), "f.csv", "l.csd").err().unwrap();
    let words = "f.csv: 'v[2]': expected the frames of 4 to 6 s, as in l.csd, found 9 to 9.5 s";
    assert!(message.starts_with(words), "{message}");
}

/// Clips with times of their own, from 0, are joined by their names.
#[test]
fn clips_with_times_of_their_own_are_joined_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f.csv"), frames(&["v_0", "v_1"])).unwrap();
    let table = "video,segment,start,end,sad\nv,0,3,5,1\nv,1,10.5,12.5,0\n";
    std::fs::write(dir.path().join("l.csv"), table).unwrap();
    let summary = run(dir.path(), "f.csv", "l.csv").unwrap();
    assert_eq!(
        (
            summary.join.by_time,
            summary.join.by_id,
            summary.join.times_unused
        ),
        (0, 2, 2)
    );
    let text = summary.to_string();
    assert!(
        text.contains("the times of 2 are not used, as their frames have times of their own"),
        "{text}"
    );
}

#[test]
fn lines_are_counted_for_lf_and_crlf() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f.csv"), frames(&["a"])).unwrap();
    for end in ["\n", "\r\n"] {
        let rows = ["id,sad", "a,1", "b,1", "c,word", "d,1"]
            .map(|row| format!("{row}{end}"))
            .concat();
        std::fs::write(dir.path().join("l.csv"), rows).unwrap();
        let message = run(dir.path(), "f.csv", "l.csv").err().unwrap();
        assert!(
            message.starts_with("l.csv: line 4, column 'sad'"),
            "{message}"
        );
        let rows = ["id,sad", "a,1", "b,1,2", "c,1"]
            .map(|row| format!("{row}{end}"))
            .concat();
        std::fs::write(dir.path().join("l.csv"), rows).unwrap();
        let message = run(dir.path(), "f.csv", "l.csv").err().unwrap();
        assert!(
            message.starts_with("l.csv: line 3: expected 2 cells"),
            "{message}"
        );
    }
}
