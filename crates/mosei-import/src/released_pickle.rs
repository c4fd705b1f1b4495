//! Releases as pickles and as archives of `torch.save`.
//!
//! What lives here: three layouts, and the frames and labels in them.
//!
//! - `{train, valid, test}`, each `{id, audio, …}` with padded arrays `[segments, frames, columns]`,
//!   or a list of arrays `[frames, columns]`: MMSA (`id` is `VIDEO$_$3`), MulT and MultiBench (`id`
//!   `[segments, 3]` is video, start, end), TAILOR and CARAT (`src-audio`, no ids).
//! - `{VIDEO: {SEGMENT: array}}`, the SDK before version 1; its segments are clips of the transcript.
//! - `{VIDEO: array}`.
//!
//! What does not: opcodes (`pickle`), padding and ids (`released`).

use crate::ImportError;
use crate::frame_store::FrameWriter;
use crate::frames::require_columns;
use crate::mapping::Mapping;
use crate::pickle::{ArrayReader, Pickle, Scalar, Value};
use crate::released::{
    AUDIO, IDS, RATE, SegmentId, UNALIGNED_RATE_HZ, begin_segment, known_rate_hz, spellings_of,
    unpadded,
};
use mosei_data::MAX_COLUMNS;
use mosei_schema::{Numbering, Split};
use std::path::Path;

/// Values read at once.
const BLOCK_VALUES: u64 = 1 << 22;
/// Most values of a segment, and segments of a split.
const MAX_VALUES: u64 = 1 << 24;
const MAX_SEGMENTS: usize = 1 << 20;

/// Names of the words, which show whether a release is aligned to them.
const TEXT: [&str; 3] = ["text", "src-text", "words"];
/// What follows the name of a modality in the name of its lengths.
const LENGTHS: &str = "_lengths";

/// A release: what is in each split, or in each video.
enum Layout<'p> {
    Splits(Vec<SplitPart<'p>>),
    Videos(Vec<(String, Value<'p>)>),
}

/// One split of a release.
pub(crate) struct SplitPart<'p> {
    pub split: Split,
    /// Its name in the file.
    pub name: String,
    dict: Value<'p>,
    entries: Vec<(String, Value<'p>)>,
}

impl<'p> Layout<'p> {
    fn of(root: Value<'p>) -> Result<Self, ImportError> {
        let expected = "a dict with 'train', 'valid' and 'test', or with videos";
        if !root.is_dict() {
            return Err(root.error(expected, root.kind()));
        }
        let entries = root.entries()?;
        let mut parts = Vec::new();
        for split in Split::ALL {
            let of_split = |name: &str| spellings_of(split).contains(&name.to_lowercase().as_str());
            let Some((name, dict)) = entries.iter().find(|(name, _)| of_split(name)) else {
                continue;
            };
            parts.push(SplitPart {
                split,
                name: name.clone(),
                dict: *dict,
                entries: dict.entries()?,
            });
        }
        match parts.len() {
            0 if entries.is_empty() => Err(root.error(expected, "an empty dict")),
            0 => Ok(Layout::Videos(entries)),
            3 => Ok(Layout::Splits(parts)),
            _ => {
                let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
                Err(root.error(expected, format!("'{}' alone", names.join("' and '"))))
            }
        }
    }
}

impl<'p> SplitPart<'p> {
    /// The entry that `chosen` names, else the one of the `usual` names that is there.
    ///
    /// # Errors
    /// Where the chosen one is not there, or there are several usual ones.
    pub fn one_of(
        &self,
        chosen: Option<&str>,
        usual: &[&str],
        key: &str,
    ) -> Result<Option<(&str, Value<'p>)>, ImportError> {
        let found: Vec<&(String, Value<'p>)> = match chosen {
            Some(chosen) => self.entries.iter().filter(|(n, _)| n == chosen).collect(),
            None => usual
                .iter()
                .flat_map(|usual| self.entries.iter().filter(move |(n, _)| n == usual))
                .collect(),
        };
        match (found.as_slice(), chosen) {
            ([(name, value)], _) => Ok(Some((name.as_str(), *value))),
            ([], None) => Ok(None),
            ([], Some(chosen)) => Err(self
                .dict
                .error(format!("'{chosen}' in '{}'", self.name), self.listed())),
            ([(a, _), (b, _), ..], _) => {
                let expected = format!("one of them, named by '{key}' of a mapping file");
                Err(self
                    .dict
                    .error(expected, format!("'{a}' and '{b}' in '{}'", self.name)))
            }
        }
    }

    /// The first of these names that is there.
    fn first_of(&self, names: &[&str]) -> Option<Value<'p>> {
        let find = |name: &&str| self.entries.iter().find(|(own, _)| own == name);
        names.iter().find_map(find).map(|(_, value)| *value)
    }

    /// Its names, for messages.
    pub fn listed(&self) -> String {
        let names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_str()).collect();
        format!("'{}'", names.join("', '"))
    }

    /// An error about it.
    pub fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> ImportError {
        self.dict.error(expected, found)
    }

    /// Whether its segments have ids.
    pub fn has_ids(&self) -> bool {
        self.first_of(&IDS).is_some()
    }

    /// Ids of its `segments` segments; numbers where it has none.
    pub fn ids(&self, segments: usize) -> Result<Vec<SegmentId>, ImportError> {
        let Some(ids) = self.first_of(&IDS) else {
            return Ok((0..segments)
                .map(|i| SegmentId::Named(format!("{}-{i:05}", self.split)))
                .collect());
        };
        let (shape, values) = ids.scalars()?;
        let width = match shape.as_slice() {
            [n] | [n, 1] if *n == segments as u64 => 1,
            [n, 3] if *n == segments as u64 => 3,
            _ => {
                let expected =
                    format!("{segments} ids, one per segment, or as many of video, start and end");
                return Err(ids.error(expected, format!("shape {shape:?}")));
            }
        };
        let id = |row: &[Scalar]| match row {
            [Scalar::Text(name)] => Ok(SegmentId::Named(name.clone())),
            [Scalar::Text(video), start, end] => match [seconds(start), seconds(end)] {
                [Some(start), Some(end)] if start < end => {
                    Ok(SegmentId::Timed(video.clone(), [start, end]))
                }
                _ => {
                    let expected = format!("start and end of a segment of '{video}', seconds");
                    Err(ids.error(expected, format!("{start:?} and {end:?}")))
                }
            },
            // A number may have lost its leading zeros.
            _ => Err(ids.error("ids that are text", "numbers")),
        };
        values.chunks_exact(width).map(id).collect()
    }
}

/// A time, which may be written as text.
fn seconds(value: &Scalar) -> Option<f64> {
    let x = match value {
        Scalar::Number(x) => *x,
        Scalar::Text(text) => text.trim().parse().ok()?,
    };
    x.is_finite().then_some(x)
}

/// The three splits of a pickle.
///
/// # Errors
/// Where it has another layout.
pub(crate) fn splits(pickle: &Pickle) -> Result<Vec<SplitPart<'_>>, ImportError> {
    match Layout::of(pickle.root())? {
        Layout::Splits(parts) => Ok(parts),
        Layout::Videos(_) => {
            let expected = "labels of the splits 'train', 'valid' and 'test', or a table or .csd file of labels";
            Err(pickle.root().error(expected, "a dict of videos"))
        }
    }
}

/// Reads the frames of all segments. Returns how many segments are all padding, and the step
/// between frames, which a known release has where `hop_s` is not given.
///
/// # Errors
/// Where the pickle is refused, has another layout or no rate, or an array has another shape.
pub(crate) fn features(
    path: &Path,
    mapping: &Mapping,
    hop_s: Option<f64>,
    scratch: &Path,
    writer: &mut FrameWriter,
) -> Result<(usize, Option<f64>), ImportError> {
    let pickle = Pickle::open(path, scratch)?;
    let mut reading = Reading {
        path,
        mapping,
        hop_s,
        writer,
        empty: 0,
    };
    match Layout::of(pickle.root())? {
        Layout::Splits(parts) => {
            for part in &parts {
                reading.split(part)?;
            }
        }
        Layout::Videos(videos) => reading.videos(&videos)?,
    }
    Ok((reading.empty, reading.hop_s))
}

/// What reading needs everywhere.
struct Reading<'a> {
    path: &'a Path,
    mapping: &'a Mapping,
    hop_s: Option<f64>,
    writer: &'a mut FrameWriter,
    empty: usize,
}

impl Reading<'_> {
    fn split(&mut self, part: &SplitPart<'_>) -> Result<(), ImportError> {
        let chosen = self.mapping.features.modality.as_deref();
        let Some((name, audio)) = part.one_of(chosen, &AUDIO, "[features] modality")? else {
            let expected = format!(
                "the features of '{}' ('audio', or a [features] modality in a mapping file)",
                part.name
            );
            return Err(part.error(expected, part.listed()));
        };
        let lengths = self.lengths(part, name)?;
        match audio.shape() {
            Some(&[segments, frames, columns]) => {
                self.require_rate(part, audio)?;
                let ids = self.ids(part, audio, segments as usize)?;
                let array = self.open(audio, frames, columns)?;
                let values = (frames * columns).max(1);
                let block = (BLOCK_VALUES / values).max(1);
                let mut first = 0;
                while first < segments {
                    let count = block.min(segments - first);
                    let rows = array.rows(first, count)?;
                    for (segment, k) in rows.chunks_exact(values as usize).zip(first..) {
                        let length = of_segment(&lengths, audio, k as usize, segments as usize)?;
                        let place = format!("segment {k} of '{}'", part.name);
                        self.segment(
                            &ids[k as usize],
                            &place,
                            segment,
                            columns,
                            length,
                            Some(part.split),
                        )?;
                    }
                    first += count;
                }
                Ok(())
            }
            _ => {
                let Some(items) = audio.items()? else {
                    let expected = "an array [segments, frames, columns], or a list of arrays";
                    let found = audio
                        .shape()
                        .map_or(audio.kind().into(), |s| format!("shape {s:?}"));
                    return Err(audio.error(expected, found));
                };
                self.require_rate(part, audio)?;
                let ids = self.ids(part, audio, items.len())?;
                for (k, (item, id)) in items.iter().zip(&ids).enumerate() {
                    let length = of_segment(&lengths, audio, k, items.len())?;
                    let place = format!("segment {k} of '{}'", part.name);
                    self.item(id, &place, *item, length, Some(part.split))?;
                }
                Ok(())
            }
        }
    }

    fn videos(&mut self, videos: &[(String, Value<'_>)]) -> Result<(), ImportError> {
        let mut segments = 0;
        for (video, value) in videos {
            if !value.is_dict() {
                let id = SegmentId::Named(video.clone());
                self.item(&id, &format!("'{video}'"), *value, None, None)?;
                continue;
            }
            for (segment, value) in value.entries()? {
                segments += 1;
                if segments > MAX_SEGMENTS {
                    return Err(value.error(format!("at most {MAX_SEGMENTS} segments"), "more"));
                }
                let number = segment
                    .parse::<i32>()
                    .ok()
                    .filter(|n| n.to_string() == segment);
                let Some(number) = number.filter(|n| *n >= 0) else {
                    let expected = format!("the number of a segment of '{video}'");
                    return Err(value.error(expected, format!("'{segment}'")));
                };
                // The segments of that SDK are clips of the transcript.
                let id = SegmentId::Named(Numbering::Clips.name(video, number));
                self.item(&id, &format!("'{video}', '{segment}'"), value, None, None)?;
            }
        }
        Ok(())
    }

    /// A segment with an array of its own, `[frames, columns]`.
    fn item(
        &mut self,
        id: &SegmentId,
        place: &str,
        value: Value<'_>,
        length: Option<u64>,
        split: Option<Split>,
    ) -> Result<(), ImportError> {
        let Some(&[frames, columns]) = value.shape() else {
            let found = value
                .shape()
                .map_or(value.kind().into(), |s| format!("shape {s:?}"));
            let expected = format!("an array [frames, columns] for {place}");
            return Err(value.error(expected, found));
        };
        if self.hop_s.is_none() {
            return Err(ImportError::table(self.path, "", RATE, "none"));
        }
        let array = self.open(value, frames, columns)?;
        let values = array.rows(0, frames)?;
        self.segment(id, place, &values, columns, length, split)
    }

    fn open<'p>(
        &mut self,
        value: Value<'p>,
        frames: u64,
        columns: u64,
    ) -> Result<ArrayReader<'p>, ImportError> {
        let values = frames.saturating_mul(columns);
        if !(1..=MAX_COLUMNS as u64).contains(&columns) || values > MAX_VALUES {
            let expected =
                format!("1 to {MAX_COLUMNS} columns, and at most {MAX_VALUES} values in a segment");
            return Err(value.error(
                expected,
                format!("shape {:?}", value.shape().unwrap_or(&[])),
            ));
        }
        require_columns(self.path, self.writer, columns as usize)?;
        match value.array()? {
            Some(array) => Ok(array),
            None => Err(value.error("an array", value.kind())),
        }
    }

    fn segment(
        &mut self,
        id: &SegmentId,
        place: &str,
        values: &[f32],
        columns: u64,
        length: Option<u64>,
        split: Option<Split>,
    ) -> Result<(), ImportError> {
        let columns = columns as usize;
        let (Some(hop), Some(range)) = (
            self.hop_s,
            unpadded(values, columns, length).map_err(|found| {
                let expected = "zeros beyond the length that the file states";
                ImportError::table(self.path, place, expected, found)
            })?,
        ) else {
            self.empty += 1;
            return Ok(());
        };
        let at = begin_segment(self.path, place, id, self.mapping, self.writer)?;
        if let Some(split) = split {
            self.writer.set_split(at, split);
        }
        for (k, r) in range.enumerate() {
            let row = &values[r * columns..(r + 1) * columns];
            self.writer
                .push(at, k as f64 * hop, (k + 1) as f64 * hop, row)?;
        }
        Ok(())
    }

    /// Knows or asks for the rate.
    fn require_rate(&mut self, part: &SplitPart<'_>, audio: Value<'_>) -> Result<(), ImportError> {
        if self.hop_s.is_some() {
            return Ok(());
        }
        let text = part.first_of(&TEXT).and_then(Value::shape);
        let known = known_rate_hz(audio.shape().unwrap_or(&[]), text);
        self.hop_s = known.map(f64::recip);
        match known {
            Some(_) => Ok(()),
            None => {
                let hint =
                    format!("in the unaligned releases of MOSEI it is {UNALIGNED_RATE_HZ} Hz");
                Err(ImportError::table(self.path, "", RATE, "none").with_hint(Some(hint)))
            }
        }
    }

    fn ids(
        &self,
        part: &SplitPart<'_>,
        audio: Value<'_>,
        segments: usize,
    ) -> Result<Vec<SegmentId>, ImportError> {
        match segments <= MAX_SEGMENTS {
            true => part.ids(segments),
            false => Err(audio.error(
                format!("at most {MAX_SEGMENTS} segments"),
                segments.to_string(),
            )),
        }
    }

    /// The lengths of the segments of a modality, where they are given.
    fn lengths(&self, part: &SplitPart<'_>, name: &str) -> Result<Option<Vec<u64>>, ImportError> {
        let key = format!("{name}{LENGTHS}");
        let Some(lengths) = part.first_of(&[&key]) else {
            return Ok(None);
        };
        let (_, values) = lengths.scalars()?;
        let length = |value: &Scalar| match value {
            Scalar::Number(x) if *x >= 0.0 && x.fract() == 0.0 => Ok(*x as u64),
            other => Err(lengths.error("numbers of frames", format!("{other:?}"))),
        };
        values
            .iter()
            .map(length)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// The length of a segment.
fn of_segment(
    lengths: &Option<Vec<u64>>,
    audio: Value<'_>,
    k: usize,
    segments: usize,
) -> Result<Option<u64>, ImportError> {
    match lengths {
        None => Ok(None),
        Some(lengths) if lengths.len() == segments => Ok(lengths.get(k).copied()),
        Some(lengths) => {
            let expected = format!("{} segments, as many as lengths", lengths.len());
            Err(audio.error(expected, segments.to_string()))
        }
    }
}
