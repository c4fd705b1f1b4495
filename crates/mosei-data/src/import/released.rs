//! Segments that are cut and padded, in HDF5: the processed MOSEI releases, and other files of that layout.
//!
//! Two layouts. A folder as CMU released it: `audio_train.h5`, `audio_valid.h5`, `audio_test.h5`, each with one array
//! `[segments, frames, columns]`, and beside them `ey_*.h5` (six emotions) and `y_*.h5` (sentiment); no ids. Or one file with the
//! groups `train`, `valid` and `test`, each with `audio` and, where there are, `id` and `labels`.
//!
//! Frames of nothing but zeros before and after a segment are padding. The split is that of the release.

use super::frames::{begin_called, require_columns};
use super::labels::{LabelRow, Labels, check_names, intensity_of, is_sentiment};
use super::mapping::Mapping;
use super::names::Part as SegmentPart;
use super::scratch::Scratch;
use crate::DataError;
use crate::csd::{Array, ArrayFile, MAX_COLUMNS};
use mosei_schema::{Emotion, Split};
use std::path::{Path, PathBuf};

/// Values that are read at once.
const BLOCK: usize = 1 << 22;
/// Values of one segment, and segments of a split: a file of a few bytes may claim any number.
const MOST_VALUES: usize = 1 << 24;
const MOST_SEGMENTS: usize = 1 << 20;

const AUDIO: [&str; 4] = ["audio", "acoustic", "covarep", "features"];
const IDS: [&str; 4] = ["id", "ids", "segment_id", "segment"];
const LABELS: [&str; 5] = ["labels", "label", "emotions", "emotion", "y"];

/// The order of the columns in `ey_*.h5`.
const RELEASED: [Emotion; 6] =
    [Emotion::Anger, Emotion::Disgust, Emotion::Fear, Emotion::Happy, Emotion::Sad, Emotion::Surprise];

/// Where an array stands: file, group, name.
struct Place {
    file: PathBuf,
    group: String,
    name: String,
}

/// One split.
struct Part {
    split: Split,
    audio: Option<Place>,
    ids: Option<Place>,
    /// Arrays of labels, and the names of their columns where the layout gives them.
    labels: Vec<(Place, Option<Vec<String>>)>,
}

/// Whether an HDF5 file is a computational sequence.
pub(super) fn is_csd(path: &Path) -> Result<bool, DataError> {
    let file = ArrayFile::open(path)?;
    for (name, kind) in file.members("/")? {
        if kind == "a group" && file.members(&name)?.iter().any(|(n, kind)| n == "data" && *kind == "a group") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes the frames of all segments; how many segments are nothing but padding.
pub(super) fn features(
    path: &Path,
    mapping: &Mapping,
    hop_s: Option<f64>,
    scratch: &mut Scratch,
) -> Result<usize, DataError> {
    let Some(hop) = hop_s else {
        let expected = "--rate with the frames a second, as this layout holds no times (words count as one frame each)";
        return Err(DataError::table(path, "", expected, "none"));
    };
    let mut empty = 0;
    for part in parts(path)? {
        let Some(place) = &part.audio else { continue };
        let file = ArrayFile::open(&place.file)?;
        let array = file.array(&place.group, &place.name)?;
        let &[segments, frames, columns] = array.shape.as_slice() else {
            return Err(wrong_shape(place, &array, "[segments, frames, columns]"));
        };
        let values = frames.saturating_mul(columns);
        if columns > MAX_COLUMNS || !(1..=MOST_VALUES).contains(&values) || segments > MOST_SEGMENTS {
            let most = format!("at most {MOST_SEGMENTS} segments of 1 to {MOST_VALUES} values");
            return Err(wrong_shape(place, &array, &most));
        }
        require_columns(&place.file, scratch, columns)?;
        let names = names(&part, segments)?;
        let block = (BLOCK / (frames * columns)).max(1);
        for first in (0..segments).step_by(block) {
            let count = block.min(segments - first);
            for (i, segment) in array.rows(first, count)?.chunks_exact(frames * columns).enumerate() {
                let row = |r: usize| &segment[r * columns..(r + 1) * columns];
                let padding = |r: &usize| row(*r).iter().all(|x| *x == 0.0);
                let Some(begin) = (0..frames).find(|r| !padding(r)) else {
                    empty += 1;
                    continue;
                };
                let end = (begin..frames).rev().find(|r| !padding(r)).unwrap_or(begin) + 1;
                let name = &names[first + i];
                let known = SegmentPart::of(name);
                let id = if known.is_some() { name.clone() } else { mapping.ids.id(name) };
                let at = begin_called(&place.file, array.place(), &id, known, name, scratch)?;
                if scratch.get(at).frames > 0 {
                    return Err(DataError::table(
                        &place.file,
                        array.place(),
                        "every segment once",
                        format!("'{name}' twice"),
                    ));
                }
                for (k, r) in (begin..end).enumerate() {
                    scratch.push(at, k as f64 * hop, (k + 1) as f64 * hop, row(r))?;
                }
            }
        }
    }
    Ok(empty)
}

/// The labels of all segments.
pub(super) fn labels(path: &Path, mapping: &Mapping) -> Result<Labels, DataError> {
    let mut labels =
        Labels { path: path.to_path_buf(), names: Vec::new(), rows: Vec::new(), values: Vec::new(), speakers: false };
    for part in parts(path)? {
        if part.labels.is_empty() {
            let expected = format!("labels of '{}' ('ey_{}.h5', or '{}/labels')", part.split, part.split, part.split);
            return Err(DataError::table(path, "", expected, "none"));
        }
        let mut columns: Vec<(Vec<String>, Vec<f32>)> = Vec::new();
        let mut segments = None;
        for (place, known) in &part.labels {
            let file = ArrayFile::open(&place.file)?;
            let array = file.array(&place.group, &place.name)?;
            let (rows, width) = match *array.shape.as_slice() {
                [rows, width] | [rows, 1, width] => (rows, width),
                _ => return Err(wrong_shape(place, &array, "[segments, labels]")),
            };
            let most = rows > MOST_SEGMENTS || rows.saturating_mul(width) > MOST_VALUES;
            if *segments.get_or_insert(rows) != rows || width == 0 || most {
                return Err(wrong_shape(
                    place,
                    &array,
                    "[segments, labels], as many segments as elsewhere in the split",
                ));
            }
            columns.push((label_names(place, &array, mapping, known.as_deref(), width)?, array.rows(0, rows)?));
        }
        let names: Vec<String> = columns.iter().flat_map(|(names, _)| names.clone()).collect();
        if labels.names.is_empty() {
            labels.names = names.clone();
        }
        if labels.names != names {
            let found = format!("{} in '{}'", names.join(", "), part.split);
            return Err(DataError::table(path, "", format!("the labels {}", labels.names.join(", ")), found));
        }
        let segments = segments.unwrap_or(0);
        for (row, name) in (0..segments).zip(self::names(&part, segments)?) {
            let place = format!("row {row} of '{}'", part.split);
            for (names, values) in &columns {
                for (label, x) in names.iter().zip(&values[row * names.len()..]) {
                    let column = format!("{place}, column '{label}'");
                    labels.values.push(intensity_of(f64::from(*x), label, mapping.labels.range).map_err(
                        |[low, high]| {
                            DataError::table(path, column, format!("a label in [{low}, {high}]"), format!("{x}"))
                        },
                    )?);
                }
            }
            let segment = SegmentPart::of(&name);
            let name = segment.as_ref().map_or_else(|| mapping.ids.id(&name), |part| part.video.clone());
            let split = Some(part.split);
            labels.rows.push(LabelRow { name, segment, time: None, speaker: None, split, place, on_video: false });
        }
    }
    if labels.names.iter().all(|name| is_sentiment(name)) {
        return Err(DataError::table(path, "", "at least one label beside sentiment", labels.names.join(", ")));
    }
    Ok(labels)
}

fn label_names(
    place: &Place,
    array: &Array<'_>,
    mapping: &Mapping,
    known: Option<&[String]>,
    width: usize,
) -> Result<Vec<String>, DataError> {
    let emotions = || Emotion::ALL.iter().map(|e| e.name().to_string());
    let names = match (known, &mapping.labels.names, width) {
        // Of the folder one array is sentiment alone, and names are those of the others.
        (Some(known), _, 1) => known.to_vec(),
        (_, Some(names), _) => names.clone(),
        (Some(known), None, _) => known.to_vec(),
        (None, None, 7) => std::iter::once("sentiment".to_string()).chain(emotions()).collect(),
        (None, None, _) => {
            let expected = "the names of its columns ('names' under [labels] of a mapping file)";
            return Err(DataError::table(
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
        false => Err(DataError::table(
            &place.file,
            array.place(),
            format!("{} columns: {}", names.len(), names.join(", ")),
            format!("{width}"),
        )),
    }
}

/// The names of the segments of a split: its ids, else numbers.
fn names(part: &Part, segments: usize) -> Result<Vec<String>, DataError> {
    let Some(place) = &part.ids else { return Ok((0..segments).map(|i| format!("{}-{i:05}", part.split)).collect()) };
    let file = ArrayFile::open(&place.file)?;
    let array = file.array(&place.group, &place.name)?;
    match array.shape.as_slice() {
        [n] | [n, 1] if *n == segments => array.texts(),
        _ => Err(wrong_shape(place, &array, &format!("[{segments}], an id a segment"))),
    }
}

fn wrong_shape(place: &Place, array: &Array<'_>, expected: &str) -> DataError {
    DataError::structure(&place.file, array.place(), expected, format!("shape {:?}", array.shape))
}

fn parts(path: &Path) -> Result<Vec<Part>, DataError> {
    let parts = if path.is_dir() { parts_of_folder(path)? } else { parts_of_file(path)? };
    let missing = Split::ALL.into_iter().find(|s| !parts.iter().any(|p| p.split == *s));
    match missing {
        None => Ok(parts),
        Some(split) => {
            let expected = "'audio_train.h5', 'audio_valid.h5' and 'audio_test.h5', or groups 'train', 'valid' and 'test' with 'audio' in each, or a .csd file";
            Err(DataError::table(path, "", expected, format!("nothing for '{split}'")))
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

fn parts_of_folder(path: &Path) -> Result<Vec<Part>, DataError> {
    let mut parts = Vec::new();
    for split in Split::ALL {
        // The one array of a file, whatever it is called.
        let only = |stem: &str| -> Result<Option<Place>, DataError> {
            let file = spellings(split).iter().map(|s| path.join(format!("{stem}_{s}.h5"))).find(|f| f.is_file());
            let Some(file) = file else { return Ok(None) };
            let members = ArrayFile::open(&file)?.members("/")?;
            let arrays: Vec<&String> =
                members.iter().filter(|(_, kind)| *kind == "a dataset").map(|(n, _)| n).collect();
            match arrays.as_slice() {
                [name] => Ok(Some(Place { file, group: "/".into(), name: name.to_string() })),
                several => {
                    let found = format!("{}", several.len());
                    Err(DataError::structure(&file, "/", "one dataset", found))
                }
            }
        };
        let audio = only("audio")?;
        let sentiment = only("y")?.map(|place| (place, Some(vec!["sentiment".to_string()])));
        let released = RELEASED.iter().map(|e| e.name().to_string()).collect();
        let emotions = only("ey")?.map(|place| (place, Some(released)));
        if audio.is_some() || emotions.is_some() {
            let labels = sentiment.into_iter().chain(emotions).collect();
            parts.push(Part { split, audio, ids: None, labels });
        }
    }
    Ok(parts)
}

fn parts_of_file(path: &Path) -> Result<Vec<Part>, DataError> {
    let file = ArrayFile::open(path)?;
    let groups = file.members("/")?;
    let mut parts = Vec::new();
    for split in Split::ALL {
        let group =
            groups.iter().find(|(n, kind)| *kind == "a group" && spellings(split).contains(&n.to_lowercase().as_str()));
        let Some((group, _)) = group else { continue };
        let members = file.members(group)?;
        let one_of = |names: &[&str]| {
            let found = names.iter().find_map(|name| members.iter().find(|(n, _)| n.to_lowercase() == *name));
            found.map(|(name, _)| Place { file: path.to_path_buf(), group: group.clone(), name: name.clone() })
        };
        let labels = one_of(&LABELS).map(|place| (place, None));
        let (audio, ids) = (one_of(&AUDIO), one_of(&IDS));
        if audio.is_some() || labels.is_some() {
            parts.push(Part { split, audio, ids, labels: labels.into_iter().collect() });
        }
    }
    Ok(parts)
}
