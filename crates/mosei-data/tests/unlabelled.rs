//! Speech outside all labelled segments: which frames it is, who may see it, and that nothing else
//! changes by it.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::align::{EPSILON_S, Timeline};
use mosei_data::manifest::StretchSize;
use mosei_data::stretches::{Cut, outside};
use mosei_data::{
    CsdWriter, DataConfig, Manifest, Prepared, SynthConfig, Unlabelled, prepare_with, synthesise,
};
use mosei_schema::Split;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

const FILES: [&str; 3] = [
    "frames.safetensors",
    "segments.safetensors",
    "manifest.json",
];

fn prepared(config: &DataConfig, data: &Path, out: &Path) -> (Manifest, Prepared) {
    let manifest = prepare_with(config, data, out, 2, &mut |_, _| ()).unwrap();
    let prepared = Prepared::open(out).unwrap();
    assert_eq!(&manifest, prepared.manifest());
    (manifest, prepared)
}

/// Tenths of a second; the first column counts them, from `first`. The second is missing everywhere
/// but in the last.
fn frames(first: usize, n: usize) -> (Vec<f32>, Vec<[f64; 2]>) {
    let values = (0..n).flat_map(|k| {
        [
            (first + k) as f32,
            if k + 1 == n { 1.0 } else { f32::NEG_INFINITY },
        ]
    });
    (
        values.collect(),
        (0..n)
            .map(|k| [k as f64 / 10.0, (k + 1) as f64 / 10.0])
            .collect(),
    )
}

/// Three labelled videos of 60 frames, and two without labels, one of them for training.
fn by_hand(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let names = |names: &[&str]| [("dimension names", json!(names))];
    let mut features = CsdWriter::create(
        &folder.join("CMU_MOSEI_COVAREP.csd"),
        "F",
        &names(&["count", "last"]),
        1,
    )
    .unwrap();
    for (i, id) in ["a", "b", "c", "silent-test", "silent-train"]
        .into_iter()
        .enumerate()
    {
        let (values, intervals) = frames(100 * i, 60);
        features.write_video(id, 2, &values, &intervals).unwrap();
    }
    features.finish().unwrap();
    let mut labels = CsdWriter::create(
        &folder.join("CMU_MOSEI_Labels.csd"),
        "L",
        &names(&["happy"]),
        1,
    )
    .unwrap();
    // In `a` segments overlap, one lies within another, one is empty, and one sticks out at the
    // end.
    let intervals: [&[[f64; 2]]; 3] = [
        &[
            [1.45, 2.0],
            [1.95, 3.05],
            [2.0, 2.1],
            [4.0, 4.0],
            [5.5, 7.0],
        ],
        &[[0.0, 3.0]],
        &[[2.0, 6.0], [0.0, 2.0]],
    ];
    for (id, intervals) in ["a", "b", "c"].into_iter().zip(intervals) {
        labels
            .write_video(id, 1, &vec![1.0; intervals.len()], intervals)
            .unwrap();
    }
    labels.finish().unwrap();
    let folds =
        json!({"train": ["a", "silent-train"], "valid": ["b"], "test": ["c", "silent-test"]});
    std::fs::write(folder.join("folds.json"), folds.to_string()).unwrap();
}

fn config() -> DataConfig {
    DataConfig {
        unlabelled: Unlabelled::Outside,
        pool_frames: 2,
        max_frames: 6,
        ..DataConfig::default()
    }
}

#[test]
fn stretches_are_the_speech_outside_all_segments() {
    let dir = tempfile::tempdir().unwrap();
    by_hand(&dir.path().join("data"));
    let (manifest, data) = prepared(&config(), &dir.path().join("data"), &dir.path().join("p"));
    let found: Vec<(String, usize, Vec<f32>)> = data
        .stretches()
        .map(|i| {
            assert_eq!(data.id(i).segment, -1);
            let count = data.raw(i).chunks(2).map(|frame| frame[0]).collect();
            (data.id(i).video, data.stretch_number(i), count)
        })
        .collect();
    let means = |from: usize, to: usize| -> Vec<f32> {
        (from..to)
            .step_by(2)
            .map(|k| (k..(k + 2).min(to)).sum::<usize>() as f32 / (to - k).min(2) as f32)
            .collect()
    };
    // `a`: 0 to 14 (frame 14 is the first segment's) is 12 frames and 2; 31 to 55 is 12 and 12.
    // `b`: 30 to 60 is 12, 12 and 6, less than a second. `c`: nothing. `silent-train`: five of 12.
    let mut expected = vec![
        ("a".to_string(), 0, means(0, 12)),
        ("a".into(), 1, means(31, 43)),
        ("a".into(), 2, means(43, 55)),
        ("b".into(), 0, means(130, 142)),
        ("b".into(), 1, means(142, 154)),
    ];
    expected.extend((0..5).map(|k| {
        (
            "silent-train".to_string(),
            k,
            means(400 + 12 * k, 412 + 12 * k),
        )
    }));
    assert_eq!(found, expected);
    // Cleaned as segments are: what is not finite is missing, and missing is no part of a mean.
    let last = data.raw(data.stretches().end - 1);
    assert!(
        last[..last.len() - 1]
            .chunks(2)
            .all(|f| f.len() < 2 || f[1].is_nan())
            && last[last.len() - 1] == 1.0
    );

    let first = data.len();
    assert!(
        data.intensities(first)[0].is_nan()
            && !data.presence(first, 0)
            && data.sentiment(first).is_none()
    );
    assert_eq!(data.interval(first), [0.0, 1.2]);
    let unlabelled = manifest.unlabelled.as_ref().unwrap();
    assert_eq!((unlabelled.stretches, unlabelled.too_short), (10, 2));
    assert_eq!(
        (
            unlabelled.frames_in_file,
            unlabelled.frames,
            unlabelled.too_short_frames
        ),
        (120, 60, 8)
    );
    assert_eq!(unlabelled.videos, ["silent-train"]);
    // Every frame outside the segments is in a stretch or in one that was too short.
    assert_eq!(
        manifest.counts.frames.outside_segments + 60,
        unlabelled.frames_in_file + unlabelled.too_short_frames
    );

    let fold = data.fold(0).unwrap();
    let n = data.len();
    assert_eq!(
        fold.unlabelled,
        [n, n + 1, n + 2, n + 5, n + 6, n + 7, n + 8, n + 9]
    );
    assert_eq!(fold.unlabelled_judged, [n + 3, n + 4]);
    let size = |videos, stretches, frames| StretchSize {
        videos,
        stretches,
        frames,
    };
    let sizes = &manifest.folds[0].unlabelled;
    assert_eq!(
        (sizes[&Split::Train], sizes[&Split::Valid]),
        (size(2, 8, 48), size(1, 2, 12))
    );
    assert_eq!(sizes[&Split::Test], size(0, 0, 0));

    // A batch holds stretches as it holds segments.
    let bound = fold.normaliser.bind(data.columns()).unwrap();
    let batch = data.gather(&bound, &[fold.unlabelled[0], fold.train[0]]);
    assert_eq!(
        batch.offsets[1..],
        [6, 6 + data.frames(fold.train[0]) as i64]
    );
}

#[test]
fn stretches_change_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let synth = SynthConfig {
        videos: 12,
        segments: 60,
        videos_without_labels: 2,
        ..SynthConfig::default()
    };
    synthesise(&synth, &path("data"), &mut |_, _| ()).unwrap();
    let with = DataConfig {
        pool_frames: 5,
        max_frames: 60,
        unlabelled_min_s: 0.2,
        ..config()
    };
    let without = DataConfig {
        unlabelled: Unlabelled::None,
        unlabelled_min_s: 1.0,
        ..with.clone()
    };
    let (_, off) = prepared(&without, &path("data"), &path("off"));
    let (manifest, on) = prepared(&with, &path("data"), &path("on"));
    let read = |folder: &str, file: &str| std::fs::read(path(folder).join(file)).unwrap();
    for file in &FILES[..2] {
        assert!(read("off", file) == read("on", file), "{file}");
    }
    let text = String::from_utf8(read("off", "manifest.json")).unwrap();
    assert!(!text.contains("unlabelled"), "{text}");
    let mut known: Value = serde_json::from_slice(&read("on", "manifest.json")).unwrap();
    for place in ["", "/config", "/folds/0"] {
        let table = known.pointer_mut(place).unwrap().as_object_mut().unwrap();
        table.remove("unlabelled").unwrap();
        table.remove("unlabelled_min_s");
    }
    let mut expected: Value = serde_json::from_str(&text).unwrap();
    for manifest in [&mut known, &mut expected] {
        manifest
            .as_object_mut()
            .unwrap()
            .remove("checksum")
            .unwrap();
        let files = manifest["files"].as_object_mut().unwrap();
        files.retain(|name, _| !name.starts_with("unlabelled"));
        assert_eq!(files.len(), 2);
    }
    assert_eq!(known, expected);
    assert_eq!(std::fs::read_dir(path("off")).unwrap().count(), 3);

    assert_eq!((off.len(), off.stretches()), (on.len(), on.len()..on.len()));
    let (a, b) = (off.fold(0).unwrap(), on.fold(0).unwrap());
    assert_eq!(
        (&a.train, &a.valid, &a.test, &a.normaliser),
        (&b.train, &b.valid, &b.test, &b.normaliser)
    );
    assert!(a.unlabelled.is_empty() && !b.unlabelled.is_empty() && !b.unlabelled_judged.is_empty());
    let training = |i: &usize| manifest.folds[0].split[on.video(*i)] == Some(Split::Train);
    assert!(b.unlabelled.iter().all(training) && !b.unlabelled_judged.iter().any(training));
    assert!(on.stretches().all(|i| (1..=60).contains(&on.frames(i))));

    // As many threads as one likes, the same bytes; and a folder may be made again over itself.
    prepare_with(&with, &path("data"), &path("three"), 3, &mut |_, _| ()).unwrap();
    prepare_with(&with, &path("data"), &path("on"), 1, &mut |_, _| ()).unwrap();
    for file in FILES
        .iter()
        .chain(&["unlabelled.safetensors", "unlabelled-frames.safetensors"])
    {
        assert!(read("three", file) == read("on", file), "{file}");
    }
}

#[test]
fn golden_folders_are_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let config = DataConfig {
        features: "features.csd".into(),
        labels: vec!["labels.csd".into()],
        pool_frames: 3,
        max_frames: 4,
        ..DataConfig::default()
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    prepared(&config, &fixtures, &dir.path().join("p"));
    // Frozen before there was unlabelled speech.
    let hash = |file: &str| {
        run_record::hash_file(&dir.path().join("p").join(file)).unwrap()[..16].to_string()
    };
    assert_eq!(
        [hash(FILES[0]), hash(FILES[1])],
        ["697542496fec36e1", "d8c8428d4aea3a1c"]
    );
}

#[test]
fn stretches_that_do_not_fit_the_manifest_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("p"));
    by_hand(&data);
    let refused = |change: &dyn Fn(&mut Value)| {
        prepared(&config(), &data, &out);
        let path = out.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut manifest);
        // Sealed again, so that it is what it says that is refused.
        let mut sealed: Manifest = serde_json::from_value(manifest).unwrap();
        sealed.checksum = None;
        sealed.checksum = Some(run_record::hash_json(&sealed));
        std::fs::write(&path, serde_json::to_vec(&sealed).unwrap()).unwrap();
        Prepared::open(&out).unwrap_err().to_string()
    };
    let message = refused(&|m| m["unlabelled"]["stretches"] = 3.into());
    assert!(
        message.contains("unlabelled.safetensors")
            && message.contains("expected F64 [3, 2], found F64 [10, 2]"),
        "{message}"
    );
    let message = refused(&|m| m["unlabelled"]["videos"] = json!([]));
    assert!(
        message.contains("unlabelled.safetensors") && message.contains("0 to below 3"),
        "{message}"
    );
    prepared(&config(), &data, &out);
    std::fs::remove_file(out.join("unlabelled-frames.safetensors")).unwrap();
    assert!(
        Prepared::open(&out)
            .unwrap_err()
            .to_string()
            .contains("unlabelled-frames.safetensors")
    );
}

proptest! {
    #[test]
    fn every_free_frame_is_in_one_stretch_or_too_short(
        n in 0..400usize,
        order in any::<u64>(),
        segments in prop::collection::vec((-50..450i32, 0..90i32, 0..10i32), 0..8),
        most_frames in 1..60usize,
        min_frames in 0..40u32,
    ) {
        // Rows in some order of time; segments begin and end anywhere within a frame.
        let mut intervals: Vec<[f64; 2]> = (0..n).map(|k| [k as f64 / 100.0, (k + 1) as f64 / 100.0]).collect();
        intervals.rotate_left((order % n.max(1) as u64) as usize);
        let segments: Vec<[f64; 2]> = segments
            .into_iter()
            .map(|(s, n, part)| {
                let start = (f64::from(s) + f64::from(part) / 10.0) / 100.0;
                [start, start + f64::from(n) / 100.0]
            })
            .collect();
        let min_s = f64::from(min_frames) / 100.0;
        let found = outside(&Timeline::new(&intervals), &segments, Cut { most_frames, min_s });

        let overlap = |[s, e]: [f64; 2], [t, f]: [f64; 2]| e.min(f) - s.max(t);
        let counted: Vec<[f64; 2]> = segments.iter().copied().filter(|[s, e]| e - s >= EPSILON_S).collect();
        let free: Vec<usize> =
            (0..n).filter(|&r| counted.iter().all(|&s| overlap(intervals[r], s) <= EPSILON_S)).collect();
        let mut seen: Vec<usize> = found.stretches.iter().flat_map(|s| s.rows.clone()).collect();
        prop_assert_eq!(seen.len() + found.too_short_frames, free.len());
        seen.sort_unstable();
        let taken = seen.len();
        seen.dedup();
        prop_assert_eq!(seen.len(), taken);
        prop_assert!(seen.iter().all(|r| free.binary_search(r).is_ok()));
        for stretch in &found.stretches {
            prop_assert!((1..=most_frames).contains(&stretch.rows.len()));
            prop_assert!(stretch.rows.is_sorted_by(|&a, &b| intervals[a][0] < intervals[b][0]));
            prop_assert!(stretch.interval[1] - stretch.interval[0] + EPSILON_S >= min_s);
            prop_assert!(counted.iter().all(|&s| overlap(stretch.interval, s) <= 0.0));
        }
        prop_assert!(found.stretches.windows(2).all(|w| w[0].interval[1] <= w[1].interval[0] + 1e-9));
    }
}
