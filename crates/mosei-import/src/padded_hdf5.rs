//! Padded segments in HDF5: the processed MOSEI releases, and other files of that layout.
//!
//! There are two layouts. A folder as CMU released it: `audio_train.h5`, `audio_valid.h5`,
//! `audio_test.h5`, each with one array `[segments, frames, columns]`, and `ey_*.h5` (six emotions)
//! and `y_*.h5` (sentiment), without ids. Or one file with the groups `train`, `valid` and `test`,
//! each with `audio` and optionally `id` and `labels`.
//!
//! All-zero frames before and after a segment are padding. The split is that of the release.

use crate::ImportError;
use crate::frame_store::FrameWriter;
use crate::frames::{begin_recording, require_columns};
use crate::labels::{LabelRow, Labels, check_names};
use crate::mapping::Mapping;
use crate::recording_ids::SegmentRef;
use crate::scale::{Scale, require_a_label_beside_sentiment};
use mosei_data::{Hdf5Array, Hdf5File, MAX_COLUMNS};
use mosei_schema::{Emotion, Split};
use std::path::{Path, PathBuf};

/// Values read at once.
const BLOCK_VALUES: usize = 1 << 22;
/// Most values of a segment, and segments of a split: a file of a few bytes can claim any number.
const MAX_VALUES: usize = 1 << 24;
const MAX_SEGMENTS: usize = 1 << 20;

const AUDIO: [&str; 4] = ["audio", "acoustic", "covarep", "features"];
const IDS: [&str; 4] = ["id", "ids", "segment_id", "segment"];
const LABELS: [&str; 5] = ["labels", "label", "emotions", "emotion", "y"];

/// The order of the columns in `ey_*.h5`.
const RELEASED: [Emotion; 6] = [
    Emotion::Anger,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Surprise,
];

/// The location of an array.
struct ArrayLocation {
    file: PathBuf,
    group: String,
    name: String,
}

/// The arrays of one split.
struct SplitArrays {
    split: Split,
    audio: Option<ArrayLocation>,
    ids: Option<ArrayLocation>,
    /// Arrays of labels, and their column names where the layout gives them.
    labels: Vec<(ArrayLocation, Option<Vec<String>>)>,
}

/// Reads the frames of all segments; returns how many segments are all padding.
pub(crate) fn features(
    path: &Path,
    mapping: &Mapping,
    hop_s: Option<f64>,
    frame_writer: &mut FrameWriter,
) -> Result<usize, ImportError> {
    let Some(hop) = hop_s else {
        let expected = "--rate with the frame rate, as this layout holds no times (a word counts as one frame)";
        return Err(ImportError::table(path, "", expected, "none"));
    };
    let mut empty = 0;
    for part in splits(path)? {
        let Some(place) = &part.audio else { continue };
        let file = Hdf5File::open(&place.file)?;
        let array = file.array(&place.group, &place.name)?;
        let &[segments, frames, columns] = array.shape.as_slice() else {
            return Err(wrong_shape(place, &array, "[segments, frames, columns]"));
        };
        let values = frames.saturating_mul(columns);
        if columns > MAX_COLUMNS || !(1..=MAX_VALUES).contains(&values) || segments > MAX_SEGMENTS {
            let most = format!("at most {MAX_SEGMENTS} segments of 1 to {MAX_VALUES} values");
            return Err(wrong_shape(place, &array, &most));
        }
        require_columns(&place.file, frame_writer, columns)?;
        let names = names(&part, segments)?;
        let block = (BLOCK_VALUES / (frames * columns)).max(1);
        for first in (0..segments).step_by(block) {
            let count = block.min(segments - first);
            for (i, segment) in array
                .rows(first, count)?
                .chunks_exact(frames * columns)
                .enumerate()
            {
                let row = |r: usize| &segment[r * columns..(r + 1) * columns];
                let padding = |r: &usize| row(*r).iter().all(|x| *x == 0.0);
                let Some(begin) = (0..frames).find(|r| !padding(r)) else {
                    empty += 1;
                    continue;
                };
                let end = (begin..frames).rev().find(|r| !padding(r)).unwrap_or(begin) + 1;
                let name = &names[first + i];
                let known = SegmentRef::of(name);
                let id = if known.is_some() {
                    name.clone()
                } else {
                    mapping.ids.id(name)
                };
                let at =
                    begin_recording(&place.file, array.place(), &id, known, name, frame_writer)?;
                if frame_writer.get(at).frames > 0 {
                    return Err(ImportError::table(
                        &place.file,
                        array.place(),
                        "each segment once",
                        format!("'{name}' twice"),
                    ));
                }
                frame_writer.set_split(at, part.split);
                for (k, r) in (begin..end).enumerate() {
                    frame_writer.push(at, k as f64 * hop, (k + 1) as f64 * hop, row(r))?;
                }
            }
        }
    }
    Ok(empty)
}

/// Reads the labels of all segments.
pub(crate) fn labels(path: &Path, mapping: &Mapping) -> Result<Labels, ImportError> {
    let mut labels = Labels {
        path: path.to_path_buf(),
        unnamed: splits(path)?.iter().all(|part| part.ids.is_none()),
        ..Labels::default()
    };
    let scale = Scale::of(&mapping.labels);
    for part in splits(path)? {
        if part.labels.is_empty() {
            let expected = format!(
                "labels of '{}' ('ey_{}.h5', or '{}/labels')",
                part.split, part.split, part.split
            );
            return Err(ImportError::table(path, "", expected, "none"));
        }
        let mut columns: Vec<(Vec<String>, Vec<f32>)> = Vec::new();
        let mut segments = None;
        for (place, known) in &part.labels {
            let file = Hdf5File::open(&place.file)?;
            let array = file.array(&place.group, &place.name)?;
            let (rows, width) = match *array.shape.as_slice() {
                [rows] => (rows, 1),
                [rows, width] | [rows, 1, width] => (rows, width),
                _ => return Err(wrong_shape(place, &array, "[segments, labels]")),
            };
            let most = rows > MAX_SEGMENTS || rows.saturating_mul(width) > MAX_VALUES;
            if *segments.get_or_insert(rows) != rows || width == 0 || most {
                return Err(wrong_shape(
                    place,
                    &array,
                    "[segments, labels], as many segments as elsewhere in the split",
                ));
            }
            columns.push((
                label_names(place, &array, mapping, known.as_deref(), width)?,
                array.rows(0, rows)?,
            ));
        }
        let names: Vec<String> = columns
            .iter()
            .flat_map(|(names, _)| names.clone())
            .collect();
        if labels.names.is_empty() {
            labels.names = names.clone();
        }
        if labels.names != names {
            let found = format!("{} in '{}'", names.join(", "), part.split);
            return Err(ImportError::table(
                path,
                "",
                format!("the labels {}", labels.names.join(", ")),
                found,
            ));
        }
        let segments = segments.unwrap_or(0);
        for (row, name) in (0..segments).zip(self::names(&part, segments)?) {
            let place = format!("row {row} of '{}'", part.split);
            for (names, values) in &columns {
                for (label, x) in names.iter().zip(&values[row * names.len()..]) {
                    let column = format!("{place}, column '{label}'");
                    labels
                        .values
                        .push(
                            scale
                                .intensity(f64::from(*x), label)
                                .map_err(|[low, high]| {
                                    ImportError::table(
                                        path,
                                        column,
                                        format!("a label in [{low}, {high}]"),
                                        format!("{x}"),
                                    )
                                })?,
                        );
                }
            }
            let segment = SegmentRef::of(&name);
            let name = segment
                .as_ref()
                .map_or_else(|| mapping.ids.id(&name), |part| part.video.clone());
            let split = Some(part.split);
            labels.rows.push(LabelRow {
                name,
                segment,
                time: None,
                speaker: None,
                split,
                found_by_time: false,
                place,
            });
        }
    }
    labels.clipped = scale.clipped();
    require_a_label_beside_sentiment(path, &labels.names)?;
    Ok(labels)
}

fn label_names(
    place: &ArrayLocation,
    array: &Hdf5Array<'_>,
    mapping: &Mapping,
    known: Option<&[String]>,
    width: usize,
) -> Result<Vec<String>, ImportError> {
    let emotions = || Emotion::ALL.iter().map(|e| e.name().to_string());
    let names = match (known, &mapping.labels.names, width) {
        // In the folder layout one array holds sentiment alone, and `names` are those of the other.
        (Some(known), _, 1) => known.to_vec(),
        (_, Some(names), _) => names.clone(),
        (Some(known), None, _) => known.to_vec(),
        (None, None, 7) => std::iter::once("sentiment".to_string())
            .chain(emotions())
            .collect(),
        (None, None, _) => {
            let expected = "the names of its columns ('names' under [labels] of a mapping file)";
            return Err(ImportError::table(
                &place.file,
                array.place(),
                expected,
                format!("{width} columns without names"),
            ));
        }
    };
    check_names(&place.file, &names)?;
    match names.len() == width {
        true => Ok(names),
        false => Err(ImportError::table(
            &place.file,
            array.place(),
            format!("{} columns: {}", names.len(), names.join(", ")),
            format!("{width}"),
        )),
    }
}

/// Names of the segments of a split: its ids, else numbers.
fn names(part: &SplitArrays, segments: usize) -> Result<Vec<String>, ImportError> {
    let Some(place) = &part.ids else {
        return Ok((0..segments)
            .map(|i| format!("{}-{i:05}", part.split))
            .collect());
    };
    let file = Hdf5File::open(&place.file)?;
    let array = file.array(&place.group, &place.name)?;
    match array.shape.as_slice() {
        [n] | [n, 1] if *n == segments => Ok(array.texts()?),
        _ => Err(wrong_shape(
            place,
            &array,
            &format!("[{segments}], one id per segment"),
        )),
    }
}

fn wrong_shape(place: &ArrayLocation, array: &Hdf5Array<'_>, expected: &str) -> ImportError {
    ImportError::table(
        &place.file,
        format!("'{}'", array.place()),
        expected,
        format!("shape {:?}", array.shape),
    )
}

fn splits(path: &Path) -> Result<Vec<SplitArrays>, ImportError> {
    let parts = if path.is_dir() {
        splits_of_folder(path)?
    } else {
        splits_of_file(path)?
    };
    let missing = Split::ALL
        .into_iter()
        .find(|s| !parts.iter().any(|p| p.split == *s));
    match missing {
        None => Ok(parts),
        Some(split) => {
            let expected = "'audio_train.h5', 'audio_valid.h5' and 'audio_test.h5', or groups 'train', 'valid' and 'test' with 'audio' in each, or a .csd file";
            Err(ImportError::table(
                path,
                "",
                expected,
                format!("nothing for '{split}'"),
            ))
        }
    }
}

fn spellings(split: Split) -> &'static [&'static str] {
    match split {
        Split::Train => &["train"],
        Split::Valid => &["valid", "val", "dev"],
        Split::Test => &["test"],
    }
}

fn splits_of_folder(path: &Path) -> Result<Vec<SplitArrays>, ImportError> {
    let mut parts = Vec::new();
    for split in Split::ALL {
        // A file holds one array, of any name.
        let only = |stem: &str| -> Result<Option<ArrayLocation>, ImportError> {
            let file = spellings(split)
                .iter()
                .map(|s| path.join(format!("{stem}_{s}.h5")))
                .find(|f| f.is_file());
            let Some(file) = file else { return Ok(None) };
            let mut names = Hdf5File::open(&file)?.datasets("/")?;
            match names.pop().filter(|_| names.is_empty()) {
                Some(name) => Ok(Some(ArrayLocation {
                    file,
                    group: "/".into(),
                    name,
                })),
                None => Err(ImportError::table(
                    &file,
                    "'/'",
                    "one dataset",
                    "none, or several",
                )),
            }
        };
        let audio = only("audio")?;
        let sentiment = only("y")?.map(|place| (place, Some(vec!["sentiment".to_string()])));
        let released = RELEASED.iter().map(|e| e.name().to_string()).collect();
        let emotions = only("ey")?.map(|place| (place, Some(released)));
        if audio.is_some() || emotions.is_some() {
            let labels = sentiment.into_iter().chain(emotions).collect();
            parts.push(SplitArrays {
                split,
                audio,
                ids: None,
                labels,
            });
        }
    }
    Ok(parts)
}

fn splits_of_file(path: &Path) -> Result<Vec<SplitArrays>, ImportError> {
    let file = Hdf5File::open(path)?;
    let groups = file.groups("/")?;
    let mut parts = Vec::new();
    for split in Split::ALL {
        let group = groups
            .iter()
            .find(|name| spellings(split).contains(&name.to_lowercase().as_str()));
        let Some(group) = group else { continue };
        let arrays = file.datasets(group)?;
        let one_of = |names: &[&str]| {
            let found = names
                .iter()
                .find_map(|name| arrays.iter().find(|array| array.to_lowercase() == *name));
            found.map(|name| ArrayLocation {
                file: path.to_path_buf(),
                group: group.clone(),
                name: name.clone(),
            })
        };
        let labels = one_of(&LABELS).map(|place| (place, None));
        let (audio, ids) = (one_of(&AUDIO), one_of(&IDS));
        if audio.is_some() || labels.is_some() {
            parts.push(SplitArrays {
                split,
                audio,
                ids,
                labels: labels.into_iter().collect(),
            });
        }
    }
    Ok(parts)
}
