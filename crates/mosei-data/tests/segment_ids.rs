//! Groups that are named as segments (`VIDEO[3]`) are segments of VIDEO wherever files come in.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{CsdWriter, DataConfig, Prepared, inspect, prepare};
use mosei_schema::Split;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A group: its id and its rows' intervals.
type Group<'a> = (&'a str, &'a [[f64; 2]]);

/// Writes a file whose values count its rows, in each group from another number on; labels have one
/// column.
fn write(path: &Path, names: &[&str], groups: &[Group<'_>]) {
    let metadata = [("dimension names", serde_json::json!(names))];
    let mut writer = CsdWriter::create(path, "x", &metadata, 1).unwrap();
    for (g, (id, intervals)) in groups.iter().enumerate() {
        let value = |i: usize| {
            if names.len() == 1 {
                (i % 2) as f32
            } else {
                ((i + 5 * g) * 7 % 13) as f32
            }
        };
        let values: Vec<f32> = (0..intervals.len() * names.len()).map(value).collect();
        writer
            .write_video(id, names.len(), &values, intervals)
            .unwrap();
    }
    writer.finish().unwrap();
}

struct Pair(tempfile::TempDir);

impl Pair {
    fn new(features: &[Group<'_>], labels: &[Group<'_>], folds: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("f.csd"), &["a", "b"], features);
        write(&dir.path().join("l.csd"), &["joy"], labels);
        if let Some(folds) = folds {
            std::fs::write(dir.path().join("folds.json"), folds).unwrap();
        }
        Pair(dir)
    }

    fn prepare(&self) -> Result<Prepared, String> {
        let config = DataConfig {
            features: "f.csd".into(),
            labels: vec!["l.csd".into()],
            pool_frames: 1,
            max_frames: 50,
            ..DataConfig::default()
        };
        let out = self.0.path().join("prepared");
        match prepare(&config, self.0.path(), &out, &mut |_, _| ()) {
            Ok(_) => Ok(Prepared::open(&out).unwrap()),
            Err(e) => {
                assert!(!out.exists());
                Err(e
                    .to_string()
                    .replace(&format!("{}/", self.0.path().display()), ""))
            }
        }
    }
}

/// Frames of half a second from `start` on.
fn halves(start: f64, n: usize) -> Vec<[f64; 2]> {
    (0..n)
        .map(|k| [start + 0.5 * k as f64, start + 0.5 * (k + 1) as f64])
        .collect()
}

/// Three videos with two segments each, [1, 3] and [3, 5], the second one with the number 4.
const IDS: [(&str, &str); 3] = [("u[0]", "u[4]"), ("v[0]", "v[4]"), ("w[0]", "w[4]")];

fn aligned(first: &[[f64; 2]], second: &[[f64; 2]]) -> Vec<(&'static str, Vec<[f64; 2]>)> {
    IDS.iter()
        .flat_map(|(a, b)| [(*a, first.to_vec()), (*b, second.to_vec())])
        .collect()
}

fn groups<'a>(owned: &'a [(&'static str, Vec<[f64; 2]>)]) -> Vec<Group<'a>> {
    owned
        .iter()
        .map(|(id, rows)| (*id, rows.as_slice()))
        .collect()
}

#[test]
fn segments_of_one_video_are_joined_by_number_and_stay_together() {
    let (f, l) = (
        aligned(&halves(1.0, 4), &halves(3.0, 4)),
        aligned(&[[1.0, 3.0]], &[[3.0, 5.0]]),
    );
    let pair = Pair::new(&groups(&f), &groups(&l), None);
    let prepared = pair.prepare().unwrap();
    assert_eq!(prepared.manifest().videos, ["u", "v", "w"]);
    let ids: Vec<String> = (0..6).map(|i| prepared.id(i).to_string()).collect();
    assert_eq!(ids, ["u[0]", "u[4]", "v[0]", "v[4]", "w[0]", "w[4]"]);
    assert!((0..6).all(|i| prepared.frames(i) == 4));
    let fold = prepared.fold(0).unwrap();
    for split in Split::ALL {
        let videos: BTreeSet<usize> = fold
            .segments(split)
            .iter()
            .map(|&i| prepared.video(i))
            .collect();
        assert_eq!(
            (videos.len(), fold.segments(split).len()),
            (1, 2),
            "{split}"
        );
    }
    let found = inspect(
        &[pair.0.path().join("f.csd"), pair.0.path().join("l.csd")],
        None,
    )
    .unwrap();
    assert_eq!(
        (
            found.files[0].videos,
            found.files[0].segment_groups,
            found.files[0].rows
        ),
        (3, 6, 24)
    );
    assert!(
        found
            .to_text()
            .contains("f.csd has a group for each segment, 6 of them"),
        "{}",
        found.to_text()
    );
}

#[test]
fn segments_with_different_times_are_refused() {
    // Segment 4 is another one there.
    let (f, l) = (
        aligned(&halves(1.0, 4), &halves(7.0, 2)),
        aligned(&[[1.0, 3.0]], &[[3.0, 5.0]]),
    );
    let said = Pair::new(&groups(&f), &groups(&l), None)
        .prepare()
        .err()
        .unwrap();
    let words = "f.csd: 'x/data/u[4]': expected the frames of 3 to 5 s, as 'u[4]' is in l.csd, found 7 to 8 s; the numbers differ in meaning";
    assert!(said.starts_with(words), "{said}");
    // Words: the first lies in the first segment, and so does the second.
    let f = aligned(&halves(1.0, 1), &halves(1.5, 1));
    let l = aligned(&[[1.0, 3.0]], &[]);
    let said = Pair::new(&groups(&f), &groups(&l[..1]), None);
    let said = said.prepare().err().unwrap();
    assert!(
        said.contains("found 1 to 1.5 s, and 1.5 to 2 s in 'u[4]'; the numbers differ in meaning"),
        "{said}"
    );
}

#[test]
fn segments_and_videos_are_joined_by_time() {
    let whole = |id: &'static str, rows: Vec<[f64; 2]>| (id, rows);
    // Labels by video: a frame that two segments share stands in both, cut at their edges, and is
    // kept once.
    let mut f = aligned(&halves(1.0, 4), &halves(3.0, 4));
    f[0].1.push([3.0, 3.25]);
    let labels: Vec<_> = ["u", "v", "w"]
        .map(|id| whole(id, vec![[1.0, 3.0], [2.5, 5.0]]))
        .into();
    let prepared = Pair::new(&groups(&f[2..]), &groups(&labels), None).prepare();
    assert!(prepared.is_err(), "a draw needs three videos with frames");
    let mut f = aligned(&halves(1.0, 4), &halves(3.0, 4));
    let prepared = Pair::new(&groups(&f), &groups(&labels), None)
        .prepare()
        .unwrap();
    assert_eq!(
        (0..6).map(|i| prepared.frames(i)).collect::<Vec<_>>(),
        [4, 5, 4, 5, 4, 5]
    );
    // Features by video, labels by segment.
    let all: Vec<_> = ["u", "v", "w"].map(|id| whole(id, halves(1.0, 8))).into();
    let l = aligned(&[[1.0, 3.0]], &[[3.0, 4.0]]);
    let prepared = Pair::new(&groups(&all), &groups(&l), None)
        .prepare()
        .unwrap();
    assert_eq!(
        (0..6).map(|i| prepared.frames(i)).collect::<Vec<_>>(),
        [4, 2, 4, 2, 4, 2]
    );
    assert_eq!(prepared.id(1).to_string(), "u[4]");
    // Times of each segment's own say nothing of the video.
    f = aligned(&halves(0.0, 4), &halves(0.25, 4));
    let said = Pair::new(&groups(&f), &groups(&labels), None)
        .prepare()
        .err()
        .unwrap();
    assert!(
        said.contains("'x/data/u[4]': expected different times for different frames of 'u'"),
        "{said}"
    );
}

#[test]
fn a_frame_in_two_segments_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = CsdWriter::create(
        &dir.path().join("f.csd"),
        "x",
        &[("dimension names", serde_json::json!(["a", "b"]))],
        1,
    )
    .unwrap();
    for id in ["u", "v", "w"] {
        // Frames 0 to 3 of half a second, of which both segments hold the second, whole and cut.
        let values = |frames: std::ops::Range<i32>| {
            frames
                .flat_map(|k| [k as f32, -k as f32])
                .collect::<Vec<f32>>()
        };
        writer
            .write_video(
                &format!("{id}[0]"),
                2,
                &values(0..2),
                &[[0.0, 0.5], [0.5, 1.0]],
            )
            .unwrap();
        writer
            .write_video(
                &format!("{id}[1]"),
                2,
                &values(1..4),
                &[[0.75, 1.0], [1.0, 1.5], [1.5, 2.0]],
            )
            .unwrap();
    }
    writer.finish().unwrap();
    let labels: Vec<_> = ["u", "v", "w"].map(|id| (id, vec![[0.0, 2.0]])).into();
    write(&dir.path().join("l.csd"), &["joy"], &groups(&labels));
    let prepared = Pair(dir).prepare().unwrap();
    assert_eq!(prepared.frames(0), 4);
}

#[test]
fn clips_and_rows_are_not_joined_by_number() {
    let f: Vec<_> = ["u$_$0", "v$_$0", "w$_$0"]
        .map(|id| (id, halves(1.0, 4)))
        .into();
    let l: Vec<_> = ["u[0]", "v[0]", "w[0]"]
        .map(|id| (id, vec![[1.0, 3.0]]))
        .into();
    let said = Pair::new(&groups(&f), &groups(&l), None)
        .prepare()
        .err()
        .unwrap();
    for words in [
        "'u[0]' counts rows",
        "'u$_$0', which counts clips of the transcript; the numbers differ in meaning",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn folds_name_videos_or_all_of_their_segments() {
    let (f, l) = (
        aligned(&halves(1.0, 4), &halves(3.0, 4)),
        aligned(&[[1.0, 3.0]], &[[3.0, 5.0]]),
    );
    let prepare = |folds: &str| Pair::new(&groups(&f), &groups(&l), Some(folds)).prepare();
    for folds in [
        r#"{"train": ["w"], "valid": ["u"], "test": ["v"]}"#,
        r#"{"train": ["w[0]", "w[4]"], "valid": ["u"], "test": ["v[0]", "v[4]"]}"#,
    ] {
        let split: BTreeMap<String, Option<Split>> = {
            let prepared = prepare(folds).unwrap();
            let manifest = prepared.manifest();
            manifest
                .videos
                .iter()
                .cloned()
                .zip(manifest.folds[0].split.iter().copied())
                .collect()
        };
        assert_eq!(split["w"], Some(Split::Train), "{folds}");
        assert_eq!(split["v"], Some(Split::Test), "{folds}");
    }
    let said = prepare(r#"{"train": ["w[0]", "u"], "valid": ["w[4]"], "test": ["v"]}"#)
        .err()
        .unwrap();
    assert!(
        said.contains("expected all of video 'w' in one split, to avoid leakage, found 'w[4]', and 'w[0]' in 'train'"),
        "{said}"
    );
    let said = prepare(r#"{"train": ["w[0]"], "valid": ["u"], "test": ["v"]}"#)
        .err()
        .unwrap();
    assert!(said.contains("'train': expected 'w', or all of its labelled segments, as a video is in one split, found 1 of them without 'w[4]'"), "{said}");
}

#[test]
fn a_video_in_two_notations_is_refused() {
    let l = aligned(&[[1.0, 3.0]], &[[3.0, 5.0]]);
    for (ids, words) in [
        (
            ["u", "u[0]"],
            "'x/data/u[0]': expected one group for 'u', or one for each of its segments in one notation, found also 'u'",
        ),
        (["u[0]", "u$_$1"], "found also 'u$_$1'"),
        (["u[1]", "u[01]"], "found also 'u[01]'"),
        (
            ["u", "v[3][0]"],
            "'x/data/v[3][0]': expected the id of a video or of one of its segments, found two numbers",
        ),
    ] {
        let f = ids.map(|id| (id, halves(1.0, 4)));
        let said = Pair::new(&groups(&f), &groups(&l), None)
            .prepare()
            .err()
            .unwrap();
        assert!(said.contains(words), "{said}");
    }
    // A group of two labels is no segment.
    let l = aligned(&[[1.0, 3.0], [1.0, 2.0]], &[[3.0, 5.0]]);
    let said = Pair::new(&groups(&aligned(&halves(1.0, 4), &[])), &groups(&l), None)
        .prepare()
        .err()
        .unwrap();
    assert!(
        said.contains(
            "l.csd: 'x/data/u[0]': expected one row, as it is one labelled segment, found 2 rows"
        ),
        "{said}"
    );
}

#[test]
fn files_without_shared_videos_are_refused_with_the_difference() {
    let f: Vec<_> = ["vid00.mp4", "vid01.mp4", "vid02.mp4"]
        .map(|id| (id, halves(0.0, 8)))
        .into();
    let l: Vec<_> = ["vid00", "vid01", "vid02"]
        .map(|id| (id, vec![[0.0, 2.0], [2.0, 4.0]]))
        .into();
    let said = Pair::new(&groups(&f), &groups(&l), None)
        .prepare()
        .err()
        .unwrap();
    let words = "l.csd: expected videos of f.csd, such as 'vid00.mp4', found none of them, but 3 others, such as 'vid00'; 'vid00' is 'vid00.mp4' without '.mp4': use the same ids in both";
    assert_eq!(said, words);
    let folds = r#"{"train": ["VID00"], "valid": ["VID01"], "test": ["VID02"]}"#;
    let said = Pair::new(&groups(&l), &groups(&l), Some(folds))
        .prepare()
        .err()
        .unwrap();
    assert!(
        said.starts_with(
            "folds.json: expected videos of l.csd, such as 'vid00', found none of them"
        ),
        "{said}"
    );
    assert!(
        said.ends_with("'VID00' and 'vid00' differ only in case"),
        "{said}"
    );
    let folds = r#"{"train": ["vid00"], "valid": ["vid01"], "test": ["vid02", "vid1"]}"#;
    let said = Pair::new(&groups(&l), &groups(&l), Some(folds))
        .prepare()
        .err()
        .unwrap();
    assert!(
        said.contains(
            "the first is 'vid1' in 'test', did you mean 'vid01'?; expected ids of f.csd or l.csd"
        ),
        "{said}"
    );
}

/// Area under the ROC curve of scores, ties halved.
fn auc(scored: &[(f64, bool)]) -> f64 {
    let of = |present: bool| {
        scored
            .iter()
            .filter(move |(_, p)| *p == present)
            .map(|(s, _)| *s)
    };
    let (mut won, mut pairs) = (0.0, 0.0);
    for positive in of(true) {
        for negative in of(false) {
            won += if positive > negative {
                1.0
            } else if positive == negative {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    won / pairs
}

/// A number from 0 to 1 that is a function of two others.
fn scattered(a: usize, b: usize) -> f32 {
    let x = ((a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (b as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9))
    .wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x >> 40) as f32) / (1u64 << 24) as f32
}

/// Labels that tell nothing but the video, features that tell nothing else: a classifier that
/// learns videos by heart knows nothing of a test split of other videos, and all of one with
/// segments of the same.
#[test]
fn labels_cannot_be_learnt_from_the_video_alone() {
    const VIDEOS: usize = 90;
    let dir = tempfile::tempdir().unwrap();
    let write =
        |file: &str, names: &[&str], rows: &dyn Fn(usize, usize) -> (Vec<f32>, Vec<[f64; 2]>)| {
            let metadata = [("dimension names", serde_json::json!(names))];
            let mut writer = CsdWriter::create(&dir.path().join(file), "x", &metadata, 1).unwrap();
            for v in 0..VIDEOS {
                // One to seven segments.
                for k in 0..1 + v * v % 7 {
                    let (values, intervals) = rows(v, k);
                    writer
                        .write_video(
                            &format!("video{v:02}[{k}]"),
                            names.len(),
                            &values,
                            &intervals,
                        )
                        .unwrap();
                }
            }
            writer.finish().unwrap();
        };
    write("f.csd", &["a", "b", "c", "d"], &|v, k| {
        let row = |r: usize| {
            (0..4).map(move |c| scattered(v, c) + 0.02 * scattered(7 * v + k, 10 + 4 * r + c))
        };
        ((0..4).flat_map(row).collect(), halves(3.0 * k as f64, 4))
    });
    let joy = |v: usize| scattered(v, 99) > 0.5;
    write("l.csd", &["joy"], &|v, k| {
        (
            vec![f32::from(joy(v))],
            vec![[3.0 * k as f64, 3.0 * k as f64 + 2.0]],
        )
    });
    let prepared = Pair(dir).prepare().unwrap();
    let (fold, manifest) = (prepared.fold(0).unwrap(), prepared.manifest());
    assert_eq!(manifest.videos.len(), VIDEOS);
    let scores = |train: &[usize], test: &[usize]| -> f64 {
        let normaliser = fold.normaliser.bind(prepared.columns()).unwrap();
        // The first frame of each segment, of which the nearest says the label.
        let first = |segments: &[usize]| -> Vec<Vec<f32>> {
            segments
                .iter()
                .map(|&i| prepared.gather(&normaliser, &[i]).x_nc[..normaliser.width()].to_vec())
                .collect()
        };
        let (known, asked) = (first(train), first(test));
        let label = |i: usize| joy(manifest.videos[prepared.video(i)][5..].parse().unwrap());
        let distance = |a: &[f32], b: &[f32]| {
            a.iter()
                .zip(b)
                .map(|(x, y)| f64::from((x - y).powi(2)))
                .sum::<f64>()
        };
        let nearest = |x: &[f32]| {
            (0..known.len())
                .min_by(|&a, &b| distance(&known[a], x).total_cmp(&distance(&known[b], x)))
        };
        let said = |x: &[f32]| f64::from(u8::from(label(train[nearest(x).unwrap()])));
        auc(&asked
            .iter()
            .zip(test)
            .map(|(x, &i)| (said(x), label(i)))
            .collect::<Vec<_>>())
    };
    let (train, test) = (fold.segments(Split::Train), fold.segments(Split::Test));
    let by_video = scores(train, test);
    assert!((by_video - 0.5).abs() < 0.15, "{by_video}");
    // The same classifier, where segments are split as if each were a video.
    let all: Vec<usize> = (0..prepared.len()).collect();
    let (test, train): (Vec<usize>, Vec<usize>) = all.into_iter().partition(|i| i % 5 == 0);
    assert!(scores(&train, &test) > 0.85);
}
