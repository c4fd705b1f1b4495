//! The valid corpus that every row corrupts, and helpers to do so.

use mosei_data::{CsdWriter, DataConfig, Prepared, prepare};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A video: id, columns, values row by row, intervals.
pub type Video<'a> = (&'a str, usize, Vec<f32>, Vec<[f64; 2]>);

pub const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Intensities of two segments.
pub const LABELS: [f32; 12] = [1., 0., 1., 0., 0., 0., 0., 1., 0., 1., 0., 1.];

pub fn config() -> DataConfig {
    DataConfig {
        features: "f.csd".into(),
        labels: vec!["l.csd".into()],
        ..DataConfig::default()
    }
}

pub fn write(path: &Path, root: &str, videos: &[Video<'_>]) {
    write_with(path, root, &[], videos);
}

pub fn write_with(
    path: &Path,
    root: &str,
    metadata: &[(&str, serde_json::Value)],
    videos: &[Video<'_>],
) {
    let mut writer = CsdWriter::create(path, root, metadata, 4).unwrap();
    for (id, width, values, intervals) in videos {
        writer.write_video(id, *width, values, intervals).unwrap();
    }
    writer.finish().unwrap();
}

/// Ten frames of two columns.
pub fn video(id: &str) -> Video<'_> {
    let times = (0..10)
        .map(|k| [f64::from(k) * 0.01, f64::from(k + 1) * 0.01])
        .collect();
    (
        id,
        2,
        (0..20)
            .map(|i| ((i * 7 + id.len() * 3) % 11) as f32)
            .collect(),
        times,
    )
}

/// A label file of such videos, each with two segments.
pub fn write_labels(path: &Path, ids: &[&str]) {
    let videos: Vec<Video<'_>> = ids
        .iter()
        .map(|&id| (id, 6, LABELS.to_vec(), vec![[0.0, 0.05], [0.05, 0.1]]))
        .collect();
    write(path, "L", &videos);
}

pub fn write_folds(dir: &Path, train: &[&str], valid: &[&str], test: &[&str]) {
    std::fs::write(
        dir.join("folds.json"),
        json!({"train": train, "valid": valid, "test": test}).to_string(),
    )
    .unwrap();
}

/// Six videos of two segments and ten frames, folds, and what is prepared of them: places in a
/// folder, and bytes.
fn good() -> &'static [(PathBuf, Vec<u8>)] {
    static GOOD: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let metadata = [
            ("dimension names", json!(["x", "y"])),
            ("root name", json!("F")),
        ];
        write_with(&dir.join("f.csd"), "F", &metadata, &IDS.map(video));
        write_labels(&dir.join("l.csd"), &IDS);
        write_folds(dir, &["a", "b", "c"], &["d"], &["e"]);
        let config = DataConfig {
            unlabelled: mosei_data::Unlabelled::Outside,
            unlabelled_min_s: 0.0,
            ..config()
        };
        prepare(&config, dir, &dir.join("out"), &mut |_, _| {}).unwrap();
        Prepared::open(&dir.join("out"))
            .unwrap()
            .check_frames()
            .unwrap();
        let files = [dir.to_path_buf(), dir.join("out")]
            .into_iter()
            .flat_map(|d| std::fs::read_dir(d).unwrap());
        let files = files
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file());
        files
            .map(|path| {
                (
                    path.strip_prefix(dir).unwrap().to_path_buf(),
                    std::fs::read(&path).unwrap(),
                )
            })
            .collect()
    })
}

pub fn copy_to(dir: &Path) {
    std::fs::create_dir(dir.join("out")).unwrap();
    for (place, bytes) in good() {
        std::fs::write(dir.join(place), bytes).unwrap();
    }
}

/// Changes a file with HDF5 itself, past what the writer would write.
pub fn edit(path: &Path, change: impl FnOnce(&hdf5::File)) {
    let file = hdf5::File::open_rw(path).unwrap();
    change(&file);
    file.close().unwrap();
}

/// Changes the bytes of a file.
pub fn patch(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Where some bytes stand for the `nth` time, from 0.
pub fn find(bytes: &[u8], wanted: &[u8], nth: usize) -> usize {
    bytes
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, w)| *w == wanted)
        .nth(nth)
        .unwrap()
        .0
}

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}
