//! Inputs in which something decides what the numbers mean: it is declared, unambiguous or asked for.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod common;

use common::{Folder, bytes, npy, values};
use mosei_data::{CsdWriter, FoldLists};

/// Frames of recordings `a` and `b`, ten each, with more columns.
fn frames(header: &str, row: impl Fn(usize) -> String) -> String {
    let rows = ["a", "b"].iter().flat_map(|id| {
        let row = &row;
        (0..10).map(move |k| {
            format!(
                "{id},{},{},{}{}\n",
                k as f64 / 10.0,
                (k + 1) as f64 / 10.0,
                (k * 7) % 5,
                row(k)
            )
        })
    });
    format!("video,start,end,F0{header}\n{}", rows.collect::<String>())
}

fn plain() -> String {
    frames("", |_| String::new())
}

#[test]
fn class_numbers_are_not_intensities() {
    let folder = Folder::new(&[("f.csv", plain().as_bytes())]);
    for name in ["label", "class", "Emotion", "target", "y"] {
        folder.write("l.csv", format!("video,{name}\na,0\nb,2\n"));
        let message = folder.import("f.csv", "l.csv", None).unwrap_err();
        let words = format!(
            "l.csv: header: expected intensities, or classes that a mapping file names, found whole numbers in '{name}' (0, 2); if they number classes, name these: [labels.category] column = {name:?}"
        );
        assert!(message.starts_with(&words), "{message}");
    }
    // A number beyond the range of intensities is no other error.
    folder.write("l.csv", "video,label\na,0\nb,5\n");
    assert!(
        folder
            .import("f.csv", "l.csv", None)
            .unwrap_err()
            .contains("whole numbers in 'label' (0, 5)")
    );
    // Intensities, or listed, or named classes.
    folder.write("l.csv", "video,label\na,0.5\nb,2\n");
    folder.import("f.csv", "l.csv", None).unwrap();
    folder.write("l.csv", "video,label\na,0\nb,2\n");
    folder.write("m.toml", "[labels]\ncolumns = [\"label\"]\n");
    folder.import("f.csv", "l.csv", None).unwrap();
    folder.write(
        "m.toml",
        "[labels.category]\ncolumn = \"label\"\nmeaning = { 0 = [], 2 = \"anger\" }\n",
    );
    folder.import("f.csv", "l.csv", None).unwrap();
    assert_eq!(folder.labels("b").features, [3.0]);
}

#[test]
fn row_numbers_are_left_out_by_name() {
    let table = plain();
    let mut lines = table.lines();
    let mut numbered = format!(",Unnamed: 0,index,{}\n", lines.next().unwrap());
    for (i, line) in lines.enumerate() {
        numbered += &format!("{i},{i},{i},{line}\n");
    }
    let folder = Folder::new(&[
        ("f.csv", numbered.as_bytes()),
        ("l.csv", b",video,sad\n0,a,1\n1,b,0\n"),
    ]);
    let summary = folder.import("f.csv", "l.csv", None).unwrap();
    assert_eq!(folder.columns(), ["F0"]);
    let text = summary.to_string();
    assert!(
        text.contains(
            "columns left out: 'Unnamed: 0', 'Unnamed: 0', 'index': row numbers, by its name"
        ),
        "{text}"
    );
}

#[test]
fn columns_that_grow_by_one_step_are_refused() {
    let folder = Folder::new(&[("l.csv", b"video,sad\na,1\nb,0\n")]);
    for (name, step) in [("t", "0.01"), ("n", "1")] {
        let row = |k: usize| format!(",{}", k as f64 * step.parse::<f64>().unwrap());
        folder.write("f.csv", frames(&format!(",{name}"), row));
        let message = folder.import("f.csv", "l.csv", None).unwrap_err();
        let words = format!(
            "f.csv: column '{name}': expected features, and no row numbers or times among them, found a column that grows by {step} from frame to frame in all recordings"
        );
        assert!(message.starts_with(&words), "{message}");
        assert!(!folder.at("out").exists());
        folder.write("m.toml", format!("[features]\nkeep = [\"{name}\"]\n"));
        folder.import("f.csv", "l.csv", None).unwrap();
        assert_eq!(folder.columns(), ["F0", name]);
        std::fs::remove_file(folder.at("m.toml")).unwrap();
        std::fs::remove_dir_all(folder.at("out")).unwrap();
    }
}

#[test]
fn times_count_before_a_rate() {
    let table = "file\ttime(s)\tF1(Hz)\na\t0.02\t500\na\t0.03\t--undefined--\na\t0.04\t510\n";
    let folder = Folder::new(&[("f.tsv", table.as_bytes()), ("l.csv", b"file,sad\na,1\n")]);
    let summary = folder.import("f.tsv", "l.csv", Some(50.0)).unwrap();
    let found = folder.frames("a");
    // Praat's times are centres.
    assert!(
        (found.intervals[0][0] - 0.015).abs() < 1e-9
            && (found.intervals[2][1] - 0.045).abs() < 1e-9
    );
    assert!(found.features[1].is_nan());
    let text = summary.to_string();
    assert!(
        text.contains("times come from the column 'time(s)', and --rate is not used for them"),
        "{text}"
    );
    assert!(
        text.contains("'time(s)' is the time of a frame's centre"),
        "{text}"
    );
}

#[test]
fn axes_of_arrays_are_told_by_their_shapes() {
    let labels = b"video,sad\na,1\nb,0\n";
    let folder = Folder::new(&[("l.csv", labels)]);
    let array = |shape: &str, n: usize| npy("<f4", shape, &bytes(&values(n)));
    // As librosa returns them.
    folder.write("d/a.npy", array("(4, 6)", 24));
    folder.write("d/b.npy", array("(4, 5)", 20));
    let summary = folder.import("d", "l.csv", Some(10.0)).unwrap();
    assert_eq!(
        (summary.frames, summary.columns, summary.rate_hz),
        (11, 4, Some(10.0))
    );
    let expected: Vec<f32> = (0..6)
        .flat_map(|f| (0..4).map(move |c| values(24)[c * 6 + f]))
        .collect();
    assert_eq!(folder.frames("a").features, expected);
    let text = summary.to_string();
    assert!(
        text.contains("arrays are [columns, frames]: 'a.npy' of shape [4, 6] has 6 frames (0.6"),
        "{text}"
    );
    // A batch of one, as speech models return it.
    folder.write("d/a.npy", array("(1, 6, 4)", 24));
    folder.write("d/b.npy", array("(1, 5, 4)", 20));
    assert_eq!(folder.import("d", "l.csv", Some(10.0)).unwrap().columns, 4);
    assert_eq!(folder.frames("a").features, values(24));
    // One vector a recording.
    folder.write("d/a.npy", array("(24,)", 24));
    folder.write("d/b.npy", array("(24,)", 24));
    let message = folder.import("d", "l.csv", Some(10.0)).unwrap_err();
    let words = "d: shape: expected arrays whose shapes tell which axis holds the frames, found 2 arrays of shape [24], such as 'a.npy': 24 frames (2.4";
    assert!(message.starts_with(words), "{message}");
    folder.write("m.toml", "[features]\naxes = [\"columns\"]\n");
    let summary = folder.import("d", "l.csv", Some(10.0)).unwrap();
    assert_eq!(
        (summary.frames, summary.columns, summary.single),
        (2, 24, 2)
    );
    assert!(
        summary
            .to_string()
            .contains("single frames: 2 of 2 recordings have one frame"),
        "{summary}"
    );
    folder.write("m.toml", "[features]\naxes = [\"bins\"]\n");
    let message = folder.import("d", "l.csv", Some(10.0)).unwrap_err();
    assert!(
        message.contains("features.axes") && message.contains("expected [\"frames\", \"columns\"]"),
        "{message}"
    );
}

#[test]
fn targets_are_not_features() {
    let arff = |class: &str, value: &str| {
        let rows =
            (0..10).map(|k| format!("'unknown',{},{},{value}\n", k as f64 / 10.0, (k * 7) % 5));
        format!(
            "@relation openSMILE\n@attribute name string\n@attribute frameTime numeric\n@attribute F0 numeric\n@attribute {class}\n@data\n{}",
            rows.collect::<String>()
        )
    };
    let folder = Folder::new(&[("l.csv", b"video,sad\na,1\nb,0\n")]);
    for (class, value, reason) in [
        ("emotion 0,1,2,3", "2", "no numbers (ARFF type '0,1,2,3')"),
        (
            "emotion {angry, happy}",
            "angry",
            "no numbers (ARFF type '{angry, happy}')",
        ),
        (
            "emotion unknown",
            "unknown",
            "no numbers (ARFF type 'unknown')",
        ),
        ("class numeric", "?", "no value in any row"),
    ] {
        ["d/a.arff", "d/b.arff"]
            .iter()
            .for_each(|name| folder.write(name, arff(class, value)));
        let summary = folder.import("d", "l.csv", None).unwrap();
        assert_eq!(folder.columns(), ["F0"], "{class}");
        assert_eq!(folder.frames("a").features.len(), 10);
        assert!(summary.to_string().contains(reason), "{summary}");
    }
    folder.write("d/b.arff", arff("class numeric", "3"));
    folder.write("d/a.arff", arff("class numeric", "3"));
    let message = folder.import("d", "l.csv", None).unwrap_err();
    let words = "d/a.arff: line 7, column 'class': expected features, and no target among them unless a mapping file says so, found \"3\"; list \"class\" under 'ignore' in [features] of a mapping file, or under 'keep' where it is a feature";
    assert_eq!(message, words);
    folder.write("m.toml", "[features]\nkeep = [\"class\"]\n");
    folder.import("d", "l.csv", None).unwrap();
    assert_eq!(folder.columns(), ["F0", "class"]);
}

#[test]
fn the_split_of_the_features_holds_where_labels_come_from_elsewhere() {
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/released_groups.h5"
    );
    let rows: String = ["train", "valid", "test"]
        .iter()
        .flat_map(|s| (0..2).map(move |k| format!("{s}v,{k},{k}.5,0\n")))
        .collect();
    let folder = Folder::new(&[(
        "l.csv",
        format!("video,segment,happy,sad\n{rows}").as_bytes(),
    )]);
    let mut options = folder.options("f", "l.csv", Some(2.0));
    options.features = fixture.into();
    let summary = mosei_import::import(&options, &folder.at("out"), &mut |_, _| ()).unwrap();
    assert_eq!(summary.folds, Some([1, 1, 1]));
    let folds = FoldLists::read(&folder.at("out/folds.json")).unwrap();
    assert!(
        folds
            .split
            .iter()
            .all(|(id, split)| *id == format!("{}v", split.name())),
        "{folds:?}"
    );
    // A column of the labels says something else.
    let swapped = rows.replace(",0\n", ",0,X\n");
    let swapped: String = swapped
        .lines()
        .map(|line| {
            let split = match &line[..1] {
                "v" => "test",
                _ if line.starts_with("tr") => "train",
                _ => "valid",
            };
            line.replace('X', split) + "\n"
        })
        .collect();
    folder.write("l.csv", format!("video,segment,happy,sad,split\n{swapped}"));
    mosei_import::import(&options, &folder.at("out"), &mut |_, _| ()).unwrap();
    let folds = FoldLists::read(&folder.at("out/folds.json")).unwrap();
    assert_eq!(folds.split["validv"].name(), "test");
}

#[test]
fn columns_of_words_are_named_in_one_error() {
    let folder = Folder::new(&[
        ("f.csv", plain().as_bytes()),
        (
            "l.csv",
            b"video,start_time,end_time,text,sad,annotator\na,0,1,well,1,x\nb,0,1,no,0,y\n",
        ),
    ]);
    let message = folder.import("f.csv", "l.csv", None).unwrap_err();
    let words = "l.csv: line 2, column 'text': expected a label in [0, 3], found \"well\"; if these columns are not labels, a mapping file leaves them out: [labels] ignore = [\"text\", \"annotator\"]";
    assert!(message.starts_with(words), "{message}");
    folder.write("m.toml", "[labels]\nignore = [\"text\", \"annotator\"]\n");
    let summary = folder.import("f.csv", "l.csv", None).unwrap();
    assert_eq!(summary.join.by_time, 2);
    folder.write("f.csv", frames(",word,note", |_| ",well,x".into()));
    let message = folder.import("f.csv", "l.csv", None).unwrap_err();
    assert!(
        message.contains("[features] ignore = [\"word\", \"note\"]"),
        "{message}"
    );
}

#[test]
fn unordered_segments_are_sorted_where_they_do_not_overlap() {
    let stretch = |from: f64| {
        (0..4).map(move |k| {
            let start = from + f64::from(k) / 10.0;
            format!("a,{start},{},{}\n", start + 0.1, (k * 7) % 5)
        })
    };
    let table = |starts: [f64; 2]| {
        format!(
            "file,start,end,F0\n{}",
            starts.into_iter().flat_map(stretch).collect::<String>()
        )
    };
    let folder = Folder::new(&[
        ("f.csv", table([5.0, 1.0]).as_bytes()),
        ("l.csv", b"file,sad\na,1\n"),
    ]);
    let summary = folder.import("f.csv", "l.csv", None).unwrap();
    assert_eq!(summary.sorted, 1);
    let starts: Vec<f64> = folder.frames("a").intervals.iter().map(|i| i[0]).collect();
    assert!(
        starts.is_sorted() && starts[0] == 1.0 && starts[7] > 5.0,
        "{starts:?}"
    );
    assert_eq!(
        folder.frames("a").features,
        [0.0, 2.0, 4.0, 1.0, 0.0, 2.0, 4.0, 1.0]
    );
    folder.write("f.csv", table([1.0, 0.85]));
    let message = folder.import("f.csv", "l.csv", None).unwrap_err();
    assert!(
        message.contains("or in stretches that do not overlap")
            && message.contains("need a column 'segment'"),
        "{message}"
    );
}

#[test]
fn the_summary_can_be_checked_at_a_glance_and_a_preview_writes_nothing() {
    let folder = Folder::new(&[
        ("f.csv", plain().as_bytes()),
        (
            "l.csv",
            b"video,start,end,sad,happy\na,0.2,0.6,1,0\nb,0,0.3,0,0\nb,0.5,1,0,2.5\n",
        ),
    ]);
    let options = folder.options("f.csv", "l.csv", None);
    let before: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    let summary = mosei_import::preview(&options, &mut |_, _| ()).unwrap();
    let after: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(before, after);
    assert_eq!(summary, folder.import("f.csv", "l.csv", None).unwrap());
    let expected = "\
features: 2 recordings in 2 videos, 20 frames (2 s) at 10 Hz, 1 columns
  'a', frame 1 at 0 to 0.1 s: F0 0; frame 10 at 0.9 to 1 s: F0 3
labels: 3 segments of 2 videos; above 0: happy 1, sad 1
joined: 3 by time, 0 by id, 0 by row
  0.2 to 0.6 s of 'a' (sad 1) at 0.2 to 0.6 s of 'a': frames 3 to 6 (0.2 to 0.6 s)
  0 to 0.3 s of 'b' (nothing above 0) at 0 to 0.3 s of 'b': frames 1 to 3 (0 to 0.3 s)
  0.5 to 1 s of 'b' (happy 2.5) at 0.5 to 1 s of 'b': frames 6 to 10 (0.5 to 1 s)
folds: none given; a study draws them by video ([data.split])
";
    assert_eq!(summary.to_string(), expected);
}

#[test]
fn recordings_without_labels_stay_apart() {
    let folder = Folder::new(&[("f.csv", plain().replace("\nb,", "\nwav/b.wav,").as_bytes())]);
    let summary = folder.import("f.csv", "", None).unwrap();
    assert_eq!(
        (summary.videos, summary.labelled, summary.folds),
        (2, false, None)
    );
    assert!(
        summary
            .to_string()
            .contains("labels: none; each recording is a video by itself"),
        "{summary}"
    );
    assert!(!folder.at("out/labels.csd").exists());
    assert_eq!(
        (
            folder.frames("a").intervals.len(),
            folder.frames("b").intervals.len()
        ),
        (10, 10)
    );
    // Segments keep the names of their recordings, too.
    let mut writer = CsdWriter::create(&folder.at("f.csd"), "x", &[], 1).unwrap();
    for (id, start) in [("v[0]", 0.0), ("v[1]", 3.0)] {
        writer
            .write_video(
                id,
                1,
                &[1.0, 2.0],
                &[[start, start + 1.0], [start + 1.0, start + 2.0]],
            )
            .unwrap();
    }
    writer.finish().unwrap();
    folder.import("f.csd", "", None).unwrap();
    assert_eq!(folder.frames("v[1]").intervals, [[3.0, 4.0], [4.0, 5.0]]);
    let mut options = folder.options("f.csv", "", None);
    options.folds = Some(folder.at("j.json"));
    let message = mosei_import::import(&options, &folder.at("out"), &mut |_, _| ())
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with(
            "j.json: expected labels beside folds, as folds are of labelled videos, found none"
        ),
        "{message}"
    );
}

#[test]
fn lines_of_json_are_rows() {
    let lines = "{\"video\": \"wav/a.wav\", \"sad\": 1.5, \"happy\": false}\n{\"video\": \"b\", \"sad\": 0, \"happy\": true}\n";
    let folder = Folder::new(&[("f.csv", plain().as_bytes()), ("l.jsonl", lines.as_bytes())]);
    folder.import("f.csv", "l.jsonl", None).unwrap();
    assert_eq!(
        [folder.labels("a").features, folder.labels("b").features].concat(),
        [0.0, 1.5, 3.0, 0.0]
    );
}

#[test]
fn more_words_can_mean_a_missing_value() {
    let folder = Folder::new(&[
        ("f.csv", b"video,start,end,F0,F1\na,0,1,-99,2\na,1,2,5,x\n"),
        ("l.csv", b"video,start,end,sad\na,0,none,1\n"),
        ("m.toml", b"[features]\nmissing = [\"-99\", \"x\"]\n"),
    ]);
    folder.import("f.csv", "l.csv", None).unwrap();
    let found = folder.frames("a").features;
    assert!(
        found[0].is_nan() && found[3].is_nan() && found[1..3] == [2.0, 5.0],
        "{found:?}"
    );
    assert_eq!(folder.labels("a").intervals, [[0.0, 2.0]]);
}
