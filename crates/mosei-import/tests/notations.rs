//! Notations of segments in tables. Numbers with different meanings are never joined.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, CsdWriter};
use mosei_import::{ImportOptions, ImportSummary, import};
use std::path::Path;

fn run(dir: &Path, features: &str, labels: &str) -> Result<ImportSummary, String> {
    let options = ImportOptions {
        features: dir.join(features),
        labels: dir.join(labels),
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

#[test]
fn segments_with_different_times_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    csd(
        &dir.path().join("l.csd"),
        &["sad"],
        &[("v[0]", [0.0, 2.0]), ("v[1]", [10.5, 14.8])],
    );
    csd(
        &dir.path().join("f.csd"),
        &["a", "b"],
        &[("v[0]", [0.0, 2.0]), ("v[1]", [1.39, 1.64])],
    );
    let message = run(dir.path(), "f.csd", "l.csd").err().unwrap();
    let words =
        "f.csd: 'v[1]': expected the frames of 10.5 to 14.8 s, as in l.csd, found 1.39 to 1.64 s";
    assert!(message.starts_with(words), "{message}");
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
