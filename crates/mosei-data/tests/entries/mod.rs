//! Reads arbitrary bytes, for fuzzing and for tests with mutated files: each gives an error that
//! names its file, or a valid value.
//!
//! What lives here: one function per kind of input. What does not: where the bytes come from;
//! tables to import (`mosei-import`).

pub mod seal;

use mosei_data::{Csd, DataConfig, FoldLists, Prepared, StoredMoments};
use mosei_schema::{Split, is_video_id};
use std::path::Path;

/// Whether the bytes were accepted.
pub type Taken = bool;

/// A .csd file.
pub fn csd(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let path = folder.join("f.csd");
        std::fs::write(&path, bytes).unwrap();
        let csd = match Csd::open(&path) {
            Ok(csd) => csd,
            Err(error) => return named(&error, &path),
        };
        assert!(
            csd.width() > 0
                && csd.videos().is_sorted_by(|a, b| a.id < b.id)
                && !csd.videos().is_empty()
        );
        let mut whole = true;
        for video in csd.videos() {
            assert!(is_video_id(&video.id), "{:?}", video.id);
            match csd.read(&video.id) {
                Ok(read) => {
                    assert_eq!(
                        (read.width, read.features.len()),
                        (csd.width(), video.rows * csd.width())
                    );
                    assert_eq!(read.intervals.len(), video.rows);
                    assert!(
                        read.intervals
                            .iter()
                            .all(|[s, e]| s.is_finite() && e.is_finite() && s <= e)
                    );
                }
                Err(error) => whole = named(&error, &path),
            }
        }
        whole
    })
}

/// A folds file; one that begins as the SDK's Python file does is read as such.
pub fn folds(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let python = bytes.starts_with(b"standard_");
        let path = folder.join(if python { "folds.py" } else { "folds.json" });
        std::fs::write(&path, bytes).unwrap();
        let lists = match FoldLists::read(&path) {
            Ok(lists) => lists,
            Err(error) => return named(&error, &path),
        };
        assert!(lists.split.keys().all(|id| is_video_id(id)));
        assert!(
            Split::ALL
                .iter()
                .all(|split| lists.split.values().any(|s| s == split))
        );
        true
    })
}

/// The `[data]` table of a configuration.
pub fn config(bytes: &[u8]) -> Taken {
    let Ok(Ok(config)) = std::str::from_utf8(bytes).map(toml::from_str::<DataConfig>) else {
        return false;
    };
    if let Err(error) = config.check() {
        assert!(error.to_string().starts_with("key '"), "{error}");
        return false;
    }
    let names = config
        .labels
        .iter()
        .chain([&config.features])
        .chain(&config.folds);
    assert!(
        names
            .into_iter()
            .all(|name| !name.starts_with('/') && !name.split('/').any(|part| part == ".."))
    );
    assert!(
        (1..=100_000).contains(&config.max_frames) && (1..=1_000_000).contains(&config.pool_frames)
    );
    let (valid, test) = (config.split.valid_share, config.split.test_share);
    assert!(
        valid > 0.0 && test > 0.0 && valid + test < 1.0,
        "{valid} {test}"
    );
    assert!(
        config.clip > 0.0 && config.clip.is_finite() && (0.0..3.0).contains(&config.presence_above)
    );
    assert_eq!(
        toml::from_str::<DataConfig>(&toml::to_string(&config).unwrap()).unwrap(),
        config
    );
    true
}

/// The files of a prepared folder, in the order in which [`joined`] puts them one behind the other.
pub const MEMBERS: [&str; 5] = [
    "manifest.json",
    "segments.safetensors",
    "unlabelled.safetensors",
    "unlabelled-frames.safetensors",
    "frames.safetensors",
];

/// The files of a prepared folder as one text of bytes: the length of each (4 bytes,
/// little-endian), then the file.
pub fn joined(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for name in MEMBERS {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        all.extend((bytes.len() as u32).to_le_bytes());
        all.extend(bytes);
    }
    all
}

/// A prepared folder, from what [`joined`] makes of one: as it is, and then with hashes of what it
/// holds, since nothing gets past the ones that do not fit. Whether it was taken as it is.
pub fn prepared(bytes: &[u8]) -> Taken {
    in_folder(|folder| {
        let mut rest = bytes;
        for name in MEMBERS {
            let length = rest
                .split_off(..4)
                .map_or(0, |l| u32::from_le_bytes(l.try_into().unwrap()) as usize);
            let file = rest.split_off(..length.min(rest.len())).unwrap();
            std::fs::write(folder.join(name), file).unwrap();
        }
        let taken = open(folder).is_some();
        if let Err(error) = Prepared::open_unverified(folder) {
            named(&error, folder);
        }
        if seal::seal(folder) {
            open(folder);
        }
        taken
    })
}

/// Opens a prepared folder and reads all of it, where it is one.
pub fn open(folder: &Path) -> Option<Prepared> {
    let prepared = match Prepared::open(folder).and_then(|p| p.check_frames().map(|()| p)) {
        Ok(prepared) => prepared,
        Err(error) => {
            named(&error, folder);
            return None;
        }
    };
    let columns = prepared.columns().len();
    for i in 0..prepared.stretches().end {
        assert_eq!(prepared.raw(i).len(), prepared.frames(i) * columns);
        assert!(is_video_id(&prepared.id(i).video));
        let [start, end] = prepared.interval(i);
        assert!(start.is_finite() && end.is_finite() && start <= end);
        assert_eq!(prepared.intensities(i).len(), prepared.emotions().len());
        let labelled = i < prepared.len();
        assert!(
            prepared
                .intensities(i)
                .iter()
                .all(|x| (0.0..=3.0).contains(x) == labelled)
        );
    }
    for k in 0..prepared.fold_count() {
        let fold = prepared.fold(k).unwrap();
        let normaliser = fold.normaliser.bind(prepared.columns()).unwrap();
        let mut all = Vec::new();
        for split in Split::ALL {
            let batch = prepared.gather(&normaliser, fold.segments(split));
            assert!(batch.x_nc.iter().all(|x| x.is_finite()));
            all.extend(
                fold.segments(split)
                    .iter()
                    .map(|&i| (prepared.video(i), split)),
            );
        }
        all.sort_unstable();
        assert!(
            all.windows(2).all(|w| w[0].0 != w[1].0 || w[0].1 == w[1].1),
            "a video stands in one split"
        );
    }
    StoredMoments::of(&prepared).fit(|_| true);
    Some(prepared)
}

/// An error must name what it is about. Not taken.
fn named(error: &dyn std::error::Error, path: &Path) -> Taken {
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error} does not name {}",
        path.display()
    );
    false
}

fn in_folder<T>(work: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    work(folder.path())
}
