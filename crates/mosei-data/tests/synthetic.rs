//! The synthetic corpus: of the real schema, with the real one's habits, and the same whenever it
//! is made.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{
    Csd, CsdWriter, DataConfig, LabelSet, Prepared, SplitConfig, SynthConfig, inspect, prepare,
};
use mosei_data::{synthesise, synthesise_with};
use mosei_schema::{COVAREP_COLUMNS, Emotion};
use std::collections::BTreeMap;
use std::path::Path;

const FILES: [&str; 3] = [
    "CMU_MOSEI_COVAREP.csd",
    "CMU_MOSEI_Labels.csd",
    "folds.json",
];

fn make(out: &Path, seed: u64) {
    let config = SynthConfig {
        videos: 80,
        segments: 560,
        median_segment_s: 0.6,
        seed,
        ..SynthConfig::default()
    };
    synthesise(&config, out, &mut |_, _| {}).unwrap();
}

#[test]
fn a_seed_determines_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    make(&dir.path().join("a"), 1);
    // The files would differ if they held the time of day.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    make(&dir.path().join("b"), 1);
    make(&dir.path().join("c"), 2);
    for file in FILES {
        let read = |name: &str| std::fs::read(dir.path().join(name).join(file)).unwrap();
        assert!(read("a") == read("b"), "{file}");
        assert!(read("a") != read("c"), "{file}");
    }
}

/// The key of a step is a hash of the settings: what is left out must not be written, or every
/// study would begin again.
#[test]
fn later_keys_are_serialised_only_where_set() {
    let later = ["segments_spread", "length_spread", "videos_with"];
    let written = |config: SynthConfig| {
        let config = serde_json::to_value(config).unwrap();
        later
            .into_iter()
            .filter(|key| config.get(key).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(written(SynthConfig::default()), Vec::<&str>::new());
    let (segments_spread, length_spread, videos_with) =
        (1.0, 1.0, BTreeMap::from([(Emotion::Fear, 0)]));
    assert_eq!(
        written(SynthConfig {
            segments_spread,
            length_spread,
            videos_with,
            ..SynthConfig::default()
        }),
        later
    );
}

/// Segments of each video, fewest first, with the shortest and longest in seconds and the videos
/// that have each emotion.
fn shape(config: &SynthConfig) -> (Vec<usize>, [f64; 2], BTreeMap<Emotion, usize>) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("data");
    synthesise(config, &out, &mut |_, _| {}).unwrap();
    let labels = LabelSet::read(&[Csd::open(&out.join(FILES[1])).unwrap()]).unwrap();
    let mut sizes: Vec<usize> = labels
        .videos
        .values()
        .map(|video| video.intervals.len())
        .collect();
    sizes.sort_unstable();
    let lengths = || {
        labels
            .videos
            .values()
            .flat_map(|video| &video.intervals)
            .map(|[start, end]| end - start)
    };
    let has = |e: usize| {
        labels
            .videos
            .values()
            .filter(|v| v.intensities.iter().skip(e).step_by(6).any(|&x| x > 0.0))
            .count()
    };
    let videos_with = Emotion::ALL
        .into_iter()
        .enumerate()
        .map(|(e, emotion)| (emotion, has(e)))
        .collect();
    (
        sizes,
        [
            lengths().fold(f64::INFINITY, f64::min),
            lengths().fold(0.0, f64::max),
        ],
        videos_with,
    )
}

#[test]
fn segments_are_distributed_as_configured() {
    let base = SynthConfig {
        videos: 30,
        segments: 300,
        median_segment_s: 0.6,
        deflate: 0,
        ..SynthConfig::default()
    };
    let most = |spread: f64| {
        *shape(&SynthConfig {
            segments_spread: spread,
            ..base.clone()
        })
        .0
        .last()
        .unwrap()
    };
    let (even, usual, uneven) = (most(0.0), most(0.8), most(2.5));
    assert!(
        even < usual && usual < uneven && uneven > 100,
        "{even}, {usual}, {uneven} of 300"
    );
    let [shortest, longest] = shape(&SynthConfig {
        length_spread: 0.0,
        ..base.clone()
    })
    .1;
    assert!(
        (shortest - 0.6).abs() < 1e-9 && (longest - 0.6).abs() < 1e-9,
        "{shortest} to {longest}"
    );
    let [shortest, longest] = shape(&SynthConfig {
        length_spread: 1.5,
        ..base.clone()
    })
    .1;
    assert!(shortest < 0.15 && longest > 10.0, "{shortest} to {longest}");

    let videos_with = BTreeMap::from([
        (Emotion::Fear, 0),
        (Emotion::Disgust, 1),
        (Emotion::Surprise, 25),
    ]);
    let (sizes, _, found) = shape(&SynthConfig {
        videos_with,
        ..base.clone()
    });
    let (usual_sizes, _, usual) = shape(&base);
    assert_eq!(
        [
            found[&Emotion::Fear],
            found[&Emotion::Disgust],
            found[&Emotion::Surprise]
        ],
        [0, 1, 25]
    );
    assert!(
        usual[&Emotion::Fear] > 1
            && usual[&Emotion::Disgust] > 1
            && usual[&Emotion::Surprise] != 25,
        "{usual:?}"
    );
    // What is not asked for stays as it was.
    assert_eq!(
        (sizes, found[&Emotion::Happy]),
        (usual_sizes, usual[&Emotion::Happy])
    );
}

#[test]
fn invalid_corpus_settings_are_refused() {
    let refused = |change: fn(&mut SynthConfig)| {
        let mut config = SynthConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert_eq!(
        refused(|c| c.segments_spread = 3.5),
        "key 'segments_spread': expected 0 to 3, found 3.5"
    );
    assert_eq!(
        refused(|c| c.length_spread = f64::NAN),
        "key 'length_spread': expected 0 to 3, found NaN"
    );
    let words = refused(|c| c.videos_with = BTreeMap::from([(Emotion::Fear, 60)]));
    assert_eq!(
        words,
        "key 'videos_with.fear': expected at most 59, the labelled videos with features, found 60"
    );
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let config = SynthConfig {
        videos: 9,
        segments: 30,
        median_segment_s: 0.6,
        ..SynthConfig::default()
    };
    for threads in [1, 2, 5] {
        let out = dir.path().join(threads.to_string());
        let mut heard = 0;
        synthesise_with(&config, &out, threads, &mut |done, _| heard = done).unwrap();
        assert_eq!(heard, 9 + config.videos_without_labels);
        for file in FILES {
            let read = |out: &Path| std::fs::read(out.join(file)).unwrap();
            assert!(
                read(&out) == read(&dir.path().join("1")),
                "{file} with {threads} threads"
            );
        }
    }
}

#[test]
fn the_corpus_has_the_schema_and_statistics_of_mosei() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    make(&data, 0);
    let features = Csd::open(&data.join(FILES[0])).unwrap();
    let labels = Csd::open(&data.join(FILES[1])).unwrap();
    assert_eq!((features.root(), labels.root()), ("COVAREP", "All Labels"));
    assert_eq!(features.dimension_names().unwrap(), COVAREP_COLUMNS);
    assert_eq!(
        labels.dimension_names().unwrap()[1..],
        Emotion::ALL.map(|e| e.name().to_string())
    );
    assert_eq!(
        (features.metadata().len(), labels.metadata().len()),
        (13, 13)
    );
    assert_eq!((labels.videos().len(), labels.rows()), (80, 560));
    assert_eq!(features.videos().len(), 80 - 1 + 2);
    let ids: Vec<&str> = labels.videos().iter().map(|v| v.id.as_str()).collect();
    assert!(
        ids.iter().any(|id| id.starts_with('-'))
            && ids.iter().any(|id| id.bytes().all(|b| b.is_ascii_digit()))
    );
    // Superblock 0, as h5py writes it.
    assert_eq!(std::fs::read(data.join(FILES[0])).unwrap()[8], 0);

    let found = inspect(
        &FILES[..2].iter().map(|f| data.join(f)).collect::<Vec<_>>(),
        Some(&data.join(FILES[2])),
    )
    .unwrap();
    let facts = found.labels.as_ref().unwrap();
    assert_eq!(found.files[0].rate_hz, Some(100.0));
    assert_eq!(
        found.files[0].nonfinite.keys().collect::<Vec<_>>(),
        ["peakSlope"]
    );
    assert!(facts.negative_starts > 0 && facts.videos_out_of_order > 0 && facts.overlapping > 0);
    assert_eq!(
        facts
            .fold_ids_without_labels
            .values()
            .map(Vec::len)
            .sum::<usize>(),
        2
    );
    assert!(
        facts
            .folds
            .iter()
            .find(|f| f.fold == "none")
            .unwrap()
            .videos
            > 0
    );
    let text = found.to_text();
    assert!(
        text.contains("non-finite values in CMU_MOSEI_COVAREP.csd: peakSlope "),
        "{text}"
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["files"][0]["columns"], 74);
    assert_eq!(json["prevalence"][0]["fold"], "train");

    let manifest = prepare(
        &DataConfig::default(),
        &data,
        &dir.path().join("p"),
        &mut |_, _| {},
    )
    .unwrap();
    assert_eq!(manifest.folds[0].dropped_columns, ["HMPDM_0", "HMPDM_1"]);
    assert_eq!(
        (
            manifest.counts.videos.without_features,
            manifest.counts.videos.without_labels
        ),
        (1, 2)
    );
    assert!(
        manifest.counts.segments.negative_start > 0 && manifest.counts.frames.outside_segments > 0
    );
    assert!(manifest.nonfinite["peakSlope"] > 0);
}

#[test]
fn cross_validation_tests_every_video_once() {
    let dir = tempfile::tempdir().unwrap();
    make(&dir.path().join("data"), 0);
    let split = SplitConfig {
        k_folds: 4,
        ..SplitConfig::default()
    };
    let config = DataConfig {
        split,
        pool_frames: 5,
        max_frames: 20,
        ..DataConfig::default()
    };
    prepare(
        &config,
        &dir.path().join("data"),
        &dir.path().join("p"),
        &mut |_, _| {},
    )
    .unwrap();
    let data = Prepared::open(&dir.path().join("p")).unwrap();
    assert_eq!(data.fold_count(), 4);
    let mut tested: Vec<usize> = (0..4)
        .flat_map(|k| data.fold(k).unwrap().test.clone())
        .collect();
    tested.sort_unstable();
    let usable: Vec<usize> = (0..data.len()).filter(|&i| data.frames(i) > 0).collect();
    assert_eq!(tested, usable);
    assert!(usable.iter().all(|&i| data.frames(i) <= 20));
    assert_eq!(
        data.manifest().inputs.len(),
        2,
        "the folds file is not read"
    );
}

#[test]
fn columns_are_named_by_the_file_or_by_their_number() {
    let dir = tempfile::tempdir().unwrap();
    for (width, first, last) in [(74, "F0", "HMPDD_12"), (43, "column_0", "column_42")] {
        let path = dir.path().join(format!("{width}.csd"));
        let mut writer = CsdWriter::create(&path, "COVAREP", &[], 9).unwrap();
        writer
            .write_video("v", width, &vec![0.5; width], &[[0.0, 0.01]])
            .unwrap();
        writer.finish().unwrap();
        let names = mosei_data::feature_columns(&Csd::open(&path).unwrap());
        assert_eq!(
            (names.len(), names[0].as_str(), names[width - 1].as_str()),
            (width, first, last)
        );
    }
}

#[test]
fn a_writer_refuses_ids_that_are_paths() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = CsdWriter::create(&dir.path().join("x.csd"), "X", &[], 0).unwrap();
    for id in ["", ".", "a/b", "../x"] {
        assert!(
            writer.write_video(id, 1, &[0.0], &[[0.0, 0.01]]).is_err(),
            "{id}"
        );
    }
    assert!(writer.write_video("v", 2, &[0.0], &[[0.0, 0.01]]).is_err());
    writer.write_video("empty", 2, &[], &[]).unwrap();
    writer.finish().unwrap();
}
