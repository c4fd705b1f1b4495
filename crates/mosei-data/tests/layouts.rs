//! Every way in which HDF5 stores a matrix, made by h5py (see `golden/layouts.py`) or here: the
//! values are those that were written, and those that HDF5 reads.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use hdf5::plist::dataset_create::ChunkOpts;
use mosei_data::{Csd, CsdWriter, DataConfig, Sequence, SynthConfig, prepare_with, synthesise};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// What `golden/layouts.py` writes.
fn value(row: usize, column: usize) -> f32 {
    match (row, column) {
        (3, 2) => f32::NAN,
        (4, 2) => f32::NEG_INFINITY,
        (5, 5) => f32::INFINITY,
        (6, 6) => -0.0,
        _ => ((row * 37 + column * 11) % 101) as f32 / 4.0 - 5.0,
    }
}

fn same(a: &Sequence, b: &Sequence) -> bool {
    let bits = |s: &Sequence| s.features.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    bits(a) == bits(b) && a.intervals == b.intervals
}

#[test]
fn every_layout_of_h5py_gives_its_values() {
    for (file, videos) in [("layouts.csd", 22), ("layouts_latest.csd", 22)] {
        let csd = Csd::open(&golden(file)).unwrap();
        assert_eq!((csd.videos().len(), csd.width()), (videos, 7), "{file}");
        for video in csd.videos() {
            let id = video.id.as_str();
            let read = csd.read(id).unwrap();
            let written = |row| match id {
                "contiguous_filled" => false,
                _ if id.ends_with("_filled") => row < 40,
                _ => true,
            };
            for row in 0..50 {
                for (column, &found) in read.row(row).iter().enumerate() {
                    let expected = if written(row) {
                        value(row, column)
                    } else {
                        -4.0
                    };
                    let both_nan = found.is_nan() && expected.is_nan();
                    assert!(
                        both_nan || found.to_bits() == expected.to_bits(),
                        "{file} {id} {row} {column}: {found}"
                    );
                }
                assert_eq!(
                    read.intervals[row],
                    [row as f64 / 4.0, (row + 1) as f64 / 4.0],
                    "{file} {id}"
                );
            }
            assert!(
                same(&read, &csd.read_through_hdf5(id).unwrap()),
                "{file} {id}"
            );
        }
    }
}

#[test]
fn unfiltered_edge_chunks_are_left_to_hdf5() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("edges.csd");
    let mut options = hdf5::File::with_options();
    options.with_fapl(|p| p.libver_latest());
    let file = options.create(&path).unwrap();
    let features = file
        .new_dataset::<f32>()
        .shape((10, 3))
        .chunk((8, 2))
        .shuffle();
    let features = features.with_dcpl(|p| p.chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS));
    let features = features.create("Edges/data/v/features").unwrap();
    let values: Vec<f32> = (0..30).map(|i| i as f32 * 0.37).collect();
    features.write_raw(&values).unwrap();
    let intervals = file
        .new_dataset::<f64>()
        .shape((10, 2))
        .create("Edges/data/v/intervals")
        .unwrap();
    intervals.write_raw(&[0.0; 20]).unwrap();
    drop((features, intervals));
    file.close().unwrap();
    assert_eq!(
        Csd::open(&path).unwrap().read("v").unwrap().features,
        values
    );
}

/// Spoils a byte in the middle of the first chunk of a dataset.
fn damage(path: &Path, place: &str) {
    let file = hdf5::File::open(path).unwrap();
    let chunk = file.dataset(place).unwrap().chunk_info(0).unwrap();
    file.close().unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(chunk.addr + chunk.size / 2) as usize] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_chunks_give_the_error_of_hdf5() {
    let dir = tempfile::tempdir().unwrap();
    for video in [
        "own_gzip",
        "own_gzip_shuffle_fletcher32",
        "own_fletcher32",
        "own_sums_before_gzip",
    ] {
        let path = dir.path().join("f.csd");
        std::fs::copy(golden("layouts_latest.csd"), &path).unwrap();
        let place = format!("Layouts/data/{video}/features");
        damage(&path, &place);
        let csd = Csd::open(&path).unwrap();
        let error = csd.read(video).unwrap_err();
        assert_eq!(
            error.to_string(),
            csd.read_through_hdf5(video).unwrap_err().to_string()
        );
        let expected = format!("{}: '{place}': failed to read", path.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn own_files_are_read_equally_by_both_readers() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = SynthConfig {
        videos: 12,
        segments: 40,
        median_segment_s: 2.0,
        ..SynthConfig::default()
    };
    synthesise(&corpus, dir.path(), &mut |_, _| {}).unwrap();
    let path = dir.path().join("empty.csd");
    let mut writer = CsdWriter::create(&path, "F", &[], 4).unwrap();
    writer.write_video("v", 3, &[], &[]).unwrap();
    writer.finish().unwrap();
    for path in [
        dir.path().join("CMU_MOSEI_COVAREP.csd"),
        dir.path().join("CMU_MOSEI_Labels.csd"),
        path,
    ] {
        let csd = Csd::open(&path).unwrap();
        for video in csd.videos() {
            let id = video.id.as_str();
            assert!(
                same(&csd.read(id).unwrap(), &csd.read_through_hdf5(id).unwrap()),
                "{} {id}",
                path.display()
            );
        }
    }
}

#[test]
fn any_number_of_threads_prepares_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let corpus = SynthConfig {
        videos: 40,
        segments: 200,
        median_segment_s: 0.8,
        ..SynthConfig::default()
    };
    synthesise(&corpus, &data, &mut |_, _| {}).unwrap();
    let config = DataConfig {
        pool_frames: 3,
        max_frames: 20,
        ..DataConfig::default()
    };
    let mut heard = Vec::new();
    for threads in [1, 2, 5] {
        let out = dir.path().join(threads.to_string());
        heard.clear();
        prepare_with(&config, &data, &out, threads, &mut |done, all| {
            heard.push((done, all))
        })
        .unwrap();
        assert_eq!(heard, (1..=40).map(|done| (done, 40)).collect::<Vec<_>>());
        for file in [
            "manifest.json",
            "frames.safetensors",
            "segments.safetensors",
        ] {
            let read = |out: &Path| std::fs::read(out.join(file)).unwrap();
            assert!(
                read(&out) == read(&dir.path().join("1")),
                "{file} with {threads} threads"
            );
        }
    }
}
