//! Segments of .csd files whose labels have other numbers, or none: by the times of both sides, or by
//! those of the transcript's clips.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod common;

use common::Folder;
use mosei_data::CsdWriter;
use mosei_import::{ImportSummary, import};
use std::path::Path;

/// One group with its intervals; values count from `first`.
type Group<'a> = (&'a str, f32, &'a [[f64; 2]]);

fn csd(path: &Path, name: &str, groups: &[Group<'_>]) {
    let names = [("dimension names", serde_json::json!([name]))];
    let mut writer = CsdWriter::create(path, "x", &names, 1).unwrap();
    for (id, first, intervals) in groups {
        let values: Vec<f32> = (0..intervals.len()).map(|k| first + k as f32).collect();
        writer.write_video(id, 1, &values, intervals).unwrap();
    }
    writer.finish().unwrap();
}

/// Imports `f.csd`, with the times of clips in `c.csv` where it is there.
fn run(folder: &Folder, labels: &str) -> ImportSummary {
    let mut options = folder.options("f.csd", labels, None);
    options.clips = Some(folder.at("c.csv")).filter(|path| path.is_file());
    import(&options, &folder.at("out"), &mut |_, _| ()).unwrap()
}

/// The value of each label of `v`, with those of the frames in its interval.
fn joined(folder: &Folder) -> Vec<(f32, Vec<f32>)> {
    let (labels, frames) = (folder.labels("v"), folder.frames("v"));
    let of = |row: usize| {
        let [start, end] = labels.intervals[row];
        let within = |k: &usize| {
            let [a, b] = frames.intervals[*k];
            a + 1e-6 > start && b < end + 1e-6
        };
        let rows = (0..frames.intervals.len()).filter(within);
        (
            labels.row(row)[0],
            rows.flat_map(|k| frames.row(k).to_vec()).collect(),
        )
    };
    (0..labels.intervals.len()).map(of).collect()
}

/// Means over segments that overlap cannot lie on one axis: a label without a number gets the
/// segment of its time.
#[test]
fn labels_without_numbers_find_segments_that_overlap() {
    let folder = Folder::new(&[]);
    let means: [Group<'_>; 3] = [
        ("v[0]", 1.0, &[[0.0, 2.0]]),
        ("v[1]", 2.0, &[[1.5, 4.0]]),
        ("v[2]", 3.0, &[[4.0, 6.0]]),
    ];
    csd(&folder.at("f.csd"), "a", &means);
    let times = [[0.0, 2.0], [1.6, 4.0], [4.0, 6.0]];
    csd(&folder.at("l.csd"), "sad", &[("v", 0.0, &times)]);
    let summary = run(&folder, "l.csd");
    assert_eq!((summary.join.by_time, summary.join.by_id), (3, 0));
    assert_eq!(summary.by_time, 3);
    assert!((summary.by_time_greatest_s - 0.1).abs() < 1e-6);
    let expected = [(0.0, vec![1.0]), (1.0, vec![2.0]), (2.0, vec![3.0])];
    assert_eq!(joined(&folder), expected);
}

/// Clips are no rows: the times of the transcript tell which row of a file a clip is.
#[test]
fn clips_find_segments_that_count_rows() {
    let clips = b"video,clip,start,end\nv,3,0,2\nv,5,2.1,4\n";
    let folder = Folder::new(&[
        ("c.csv", clips.as_slice()),
        ("l.csv", b"video,sad\nv$_$3,1\nv$_$5,2\n"),
    ]);
    let rows: [Group<'_>; 2] = [
        ("v[0]", 1.0, &[[0.0, 1.0], [1.0, 2.0]]),
        ("v[1]", 5.0, &[[2.0, 3.0], [3.0, 4.0]]),
    ];
    csd(&folder.at("f.csd"), "a", &rows);
    let summary = run(&folder, "l.csv");
    assert_eq!((summary.join.by_time, summary.by_time), (2, 2));
    let expected = [(1.0, vec![1.0, 2.0]), (2.0, vec![5.0, 6.0])];
    assert_eq!(joined(&folder), expected);
    // Where the labels have times too, those of the transcript count, on the axis of the video.
    let labels: [Group<'_>; 2] = [("v$_$3", 1.0, &[[0.0, 1.0]]), ("v$_$5", 2.0, &[[3.0, 4.0]])];
    csd(&folder.at("l.csd"), "sad", &labels);
    let summary = run(&folder, "l.csd");
    assert_eq!((summary.join.by_time, summary.by_time), (2, 0));
    assert_eq!(folder.labels("v").intervals, [[0.0, 2.0], [2.1, 4.0]]);
}

/// Frames of clips that have times of the video need no transcript.
#[test]
fn clips_with_times_of_their_video_need_no_transcript() {
    let frames = "id,start,end,F0\nv$_$3,0,1,1\nv$_$3,1,2,2\nv$_$5,2,3,5\nv$_$5,3,4,6\n";
    let folder = Folder::new(&[
        ("f.csv", frames.as_bytes()),
        ("l.csv", b"video,start,end,sad\nv,0,2,1\nv,2,4,2\n"),
    ]);
    let summary = folder.import("f.csv", "l.csv", None).unwrap();
    assert_eq!((summary.join.by_time, summary.by_time), (2, 0));
    let expected = [(1.0, vec![1.0, 2.0]), (2.0, vec![5.0, 6.0])];
    assert_eq!(joined(&folder), expected);
}
