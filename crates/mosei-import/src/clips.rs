//! When the clips of a transcript are said, and labels joined to segments by time.
//!
//! What lives here: the archive's folder of transcripts, or a table, and the join of labels whose
//! segments have other numbers than the features', or none. A clip's number is not that of a row of
//! a label file: clips without a label have a number too. What does not: all other joins (`join`).

use crate::ImportError;
use crate::frame_store::{FrameStore, Recording, TimesOf};
use crate::join::ByVideoTimes;
use crate::labels::{LabelRow, Labels};
use crate::mapping::Mapping;
use crate::recording_ids::{SegmentRef, spellings};
use crate::table::{Table, TableFormat};
use crate::time_axis;
use mosei_data::align::median;
use mosei_data::files;
use mosei_schema::Numbering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Longest transcript of a video, bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Most clips.
const MAX_CLIPS: usize = 1 << 22;
/// Most pairs of a label and a segment that are compared in one video.
const MAX_PAIRS: usize = 1 << 24;
/// What stands between the fields of a line.
const BETWEEN: &str = "___";
/// A label and a segment are one where they share more than this of the time that they cover
/// together. Neighbouring segments of MOSEI overlap, by a tenth of their length in the median.
const SAME: f64 = 0.5;

const LINE: &str = "lines 'VIDEO___CLIP___START___END___TEXT'";

/// The interval of each clip, seconds.
pub(crate) struct Clips {
    path: PathBuf,
    by_video: BTreeMap<String, BTreeMap<i32, [f64; 2]>>,
    count: usize,
}

/// What was joined by time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ByTime {
    /// Labels.
    pub labels: usize,
    /// Greatest difference between the starts or ends of a label and its segment, seconds.
    pub greatest_s: f64,
    /// Length of a segment's frames as a share of the time that it was said in: the median. Far from
    /// 1, the frame rate is another one.
    pub covered: Option<f64>,
}

impl Clips {
    /// Reads a folder of transcripts, or a table with the columns video, clip, start and end.
    ///
    /// # Errors
    /// Where a line or cell is something else, or a clip has two intervals.
    pub fn read(path: &Path, mapping: &Mapping) -> Result<Self, ImportError> {
        let mut clips = Clips {
            path: path.to_path_buf(),
            by_video: BTreeMap::new(),
            count: 0,
        };
        match path.is_dir() {
            true => clips.read_folder()?,
            false => clips.read_table(mapping)?,
        }
        match clips.count {
            0 => Err(ImportError::table(
                path,
                "",
                "clips of a transcript",
                "none",
            )),
            _ => Ok(clips),
        }
    }

    fn read_folder(&mut self) -> Result<(), ImportError> {
        let mut names = Vec::new();
        let folder = &self.path;
        for entry in std::fs::read_dir(folder).map_err(ImportError::io("list", folder))? {
            let file = entry.map_err(ImportError::io("list", folder))?.path();
            let hidden = file
                .file_name()
                .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
            if !hidden && file.extension().is_some_and(|e| e == "txt") {
                names.push(file);
            }
        }
        names.sort();
        for file in names {
            // The text of a line may be in any encoding; it is not read.
            let bytes = files::read_bounded(&file, MAX_BYTES)?;
            for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
                let line = String::from_utf8_lossy(line);
                if line.trim().is_empty() {
                    continue;
                }
                let place = format!("line {}", i + 1);
                let Some((video, clip, interval)) = fields(&line) else {
                    let found = format!("'{}'", line.chars().take(60).collect::<String>());
                    return Err(ImportError::table(&file, place, LINE, found));
                };
                self.add(&file, &place, video, clip, interval)?;
            }
        }
        Ok(())
    }

    fn read_table(&mut self, mapping: &Mapping) -> Result<(), ImportError> {
        let path = self.path.clone();
        let parquet = path
            .extension()
            .is_some_and(|e| e == "parquet" || e == "pq");
        let format = if parquet {
            TableFormat::Parquet
        } else {
            TableFormat::Csv
        };
        let mut table = Table::open(&path, format, None)?;
        let column = |names: &[&str]| {
            table.find_any(names, &[]).ok_or_else(|| {
                let expected = "the columns 'video', 'clip', 'start' and 'end'";
                ImportError::table(&path, "header", expected, format!("no '{}'", names[0]))
            })
        };
        let video = column(&["video", "video_id"])?;
        let clip = column(&["clip", "clip_id", "segment"])?;
        let (start, end) = (column(&["start", "start_s"])?, column(&["end", "end_s"])?);
        while table.advance()? {
            let number = table.cell(clip).number().filter(|n| n.fract() == 0.0);
            let Some(number) = number.filter(|n| (0.0..f64::from(i32::MAX)).contains(n)) else {
                return Err(table.invalid_cell(clip, "the number of a clip"));
            };
            let name = table.cell(video).text();
            let name = name.ok_or_else(|| table.invalid_cell(video, "the name of a video"))?;
            let name = mapping.ids.id(&name);
            let seconds = |column| {
                let seconds = table.cell(column).seconds(mapping.labels.unit);
                seconds.ok_or_else(|| table.invalid_cell(column, crate::duration_text::EXPECTED))
            };
            let interval = [seconds(start)?, seconds(end)?];
            let place = table.place();
            self.add(&path, &place, &name, number as i32, interval)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        file: &Path,
        place: &str,
        video: &str,
        clip: i32,
        interval: [f64; 2],
    ) -> Result<(), ImportError> {
        let [start, end] = interval;
        if !(start.is_finite() && end.is_finite() && start < end) {
            let found = format!("{start} to {end} s");
            return Err(ImportError::table(
                file,
                place,
                "a start before its end",
                found,
            ));
        }
        let clips = self.by_video.entry(video.to_string()).or_default();
        match clips.insert(clip, interval) {
            Some(other) if other != interval => {
                let expected = format!("one interval for clip {clip} of '{video}'");
                let found = format!("{start} to {end} s and {} to {} s", other[0], other[1]);
                return Err(ImportError::table(file, place, expected, found));
            }
            Some(_) => return Ok(()),
            None => self.count += 1,
        }
        match self.count > MAX_CLIPS {
            true => Err(ImportError::table(
                file,
                place,
                format!("at most {MAX_CLIPS} clips"),
                "more",
            )),
            false => Ok(()),
        }
    }

    /// The interval of a segment that is a clip.
    fn interval_of(&self, part: &SegmentRef) -> Option<[f64; 2]> {
        let number = part.segment.parse().ok();
        let number: i32 = number.filter(|_| part.numbering == Some(Numbering::Clips))?;
        self.by_video.get(&part.video)?.get(&number).copied()
    }
}

/// Video, clip and interval of a line. An id may end with the character that stands between the
/// fields, so the first place counts behind which the fields are numbers.
fn fields(line: &str) -> Option<(&str, i32, [f64; 2])> {
    let starts = line.match_indices('_').map(|(i, _)| i);
    starts
        .filter(|&i| i > 0 && line[i..].starts_with(BETWEEN))
        .find_map(|i| {
            let mut rest = line[i + BETWEEN.len()..].splitn(4, BETWEEN);
            let digits = rest
                .next()
                .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
            let mut time = || rest.next()?.trim().parse::<f64>().ok();
            Some((&line[..i], digits.parse().ok()?, [time()?, time()?]))
        })
}

/// Joins labels with segments by time, where one side has other numbers or none: each such label
/// then names its segment. A label of a clip gets its time where features are whole recordings, or
/// where `times` says that `join` puts segments on the axis of their video.
///
/// # Errors
/// Where the features are clips whose times are unknown, and labels have times alone.
pub(crate) fn join_by_time(
    labels: &mut Labels,
    features: &Path,
    frames: &FrameStore,
    clips: Option<&Clips>,
    times: ByVideoTimes,
) -> Result<ByTime, ImportError> {
    // The segments of each video whose times in it are known.
    let mut segments: BTreeMap<&str, Vec<(usize, [f64; 2])>> = BTreeMap::new();
    let mut without_time: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, recording) in frames.recordings.iter().enumerate() {
        let Some(part) = &recording.segment else {
            continue;
        };
        let own = clips.and_then(|clips| clips.interval_of(part));
        let of_frames = (frames.times == TimesOf::Videos).then_some(recording.extent);
        match own.or(recording.extent_in_video).or(of_frames) {
            Some(interval) => segments.entry(&part.video).or_default().push((i, interval)),
            None if part.numbering == Some(Numbering::Clips) => {
                without_time.entry(&part.video).or_insert(i);
            }
            None => {}
        }
    }
    let labels_have_times = time_axis::of_labels(labels);
    // Labels that have to be joined by time, by video.
    let mut wanted: BTreeMap<String, Vec<(usize, [f64; 2])>> = BTreeMap::new();
    for (i, row) in labels.rows.iter_mut().enumerate() {
        let clip = row
            .segment
            .as_ref()
            .and_then(|part| clips?.interval_of(part));
        let on_its_video = labels_have_times || row.segment.is_none();
        let Some(interval) = clip.or(row.time.filter(|_| on_its_video)) else {
            continue;
        };
        if times == ByVideoTimes::Yes && frames.find(&row.name).is_none() {
            // `join` gives it the frames at its time, of whatever segment.
            row.time = Some(interval);
            continue;
        }
        if interval[1] == f64::INFINITY || joined_by_number(row, frames) {
            continue;
        }
        if frames.find(&row.name).is_some() {
            if clip.is_some() {
                (row.segment, row.time) = (None, clip);
            }
            continue;
        }
        if segments.contains_key(row.name.as_str()) {
            wanted
                .entry(row.name.clone())
                .or_default()
                .push((i, interval));
        } else if let (None, Some(&first)) = (&row.segment, without_time.get(row.name.as_str())) {
            let expected = match clips {
                None => {
                    "--clips with the times of the transcript's clips, as labels have times".into()
                }
                Some(clips) => format!("clips of '{}' in {}", row.name, clips.path.display()),
            };
            let name = &frames.recordings[first].name;
            let found = format!("'{name}', the number of a clip, which is not that of a label");
            return Err(ImportError::table(
                features,
                format!("'{name}'"),
                expected,
                found,
            ));
        }
    }
    let mut by_time = ByTime::default();
    let mut covered = Vec::new();
    for (video, rows) in wanted {
        if rows.len().saturating_mul(segments[video.as_str()].len()) > MAX_PAIRS {
            let expected =
                format!("at most {MAX_PAIRS} pairs of a label and a segment in '{video}'");
            return Err(ImportError::table(features, "", expected, "more"));
        }
        for (row, place, difference) in pairs(&rows, &segments[video.as_str()]) {
            let (segment, [start, end]) = segments[video.as_str()][place];
            let recording = &frames.recordings[segment];
            let part = recording.segment.as_ref();
            let name = part.map(|part| part.segment.clone()).unwrap_or_default();
            if let Some(steps) = steps(recording) {
                covered.push(steps / (end - start));
            }
            let label = &mut labels.rows[row];
            label.segment = Some(SegmentRef::named(video.clone(), name));
            label.found_by_time = true;
            by_time.labels += 1;
            by_time.greatest_s = by_time.greatest_s.max(difference);
        }
    }
    by_time.covered = median(covered);
    Ok(by_time)
}

/// Length of the frames of a recording, by their starts, seconds; `None` where it has one frame.
fn steps(recording: &Recording) -> Option<f64> {
    let frames = recording.frames as f64;
    (frames > 1.0)
        .then(|| (recording.latest_start() - recording.extent[0]) * frames / (frames - 1.0))
}

/// Whether a label names a segment by a number that the features have too.
fn joined_by_number(row: &LabelRow, frames: &FrameStore) -> bool {
    let Some(part) = &row.segment else {
        return false;
    };
    spellings(&row.name, &part.segment)
        .iter()
        .any(|(name, counts)| {
            frames.find(name).is_some() && (part.numbering.is_none() || part.numbering == *counts)
        })
}

/// Pairs of a label's row and the place of a segment, with the greatest difference of their starts
/// and ends: those that share most come first, and each is in one pair.
fn pairs(labels: &[(usize, [f64; 2])], segments: &[(usize, [f64; 2])]) -> Vec<(usize, usize, f64)> {
    let mut near: Vec<(f64, usize, usize, f64)> = Vec::new();
    for &(row, a) in labels {
        for (segment, &(_, b)) in segments.iter().enumerate() {
            let both = a[1].min(b[1]) - a[0].max(b[0]);
            let share = both / (a[1].max(b[1]) - a[0].min(b[0]));
            if share > SAME {
                let difference = (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
                near.push((share, row, segment, difference));
            }
        }
    }
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut rows, mut used) = (BTreeSet::new(), BTreeSet::new());
    near.retain(|(_, row, segment, _)| {
        let free = !rows.contains(row) && !used.contains(segment);
        if free {
            rows.insert(*row);
            used.insert(*segment);
        }
        free
    });
    near.into_iter()
        .map(|(_, row, segment, difference)| (row, segment, difference))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line_are_found_behind_ids_with_underscores() {
        let line = "a_b___3___0.9___8.05___ said___1___2___3___";
        assert_eq!(fields(line), Some(("a_b", 3, [0.9, 8.05])));
        assert_eq!(fields("x_____4___1___2___"), Some(("x__", 4, [1.0, 2.0])));
        assert_eq!(
            fields("81406___0___-0.1___2___t"),
            Some(("81406", 0, [-0.1, 2.0]))
        );
        for wrong in [
            "",
            "a___b___1___2___t",
            "a___1___x___2___t",
            "___1___1___2___t",
            "a,1,2,3",
        ] {
            assert_eq!(fields(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_label_and_segment_is_in_one_pair() {
        let labels = [(0, [0.0, 4.0]), (1, [3.5, 9.0]), (2, [20.0, 30.0])];
        let segments = [
            (7, [3.4, 9.1]),
            (8, [0.0, 4.1]),
            (9, [0.2, 4.0]),
            (6, [29.0, 39.0]),
        ];
        let found = pairs(&labels, &segments);
        let numbers: Vec<(usize, usize)> = found.iter().map(|(a, b, _)| (*a, *b)).collect();
        assert_eq!(numbers, [(0, 1), (1, 0)]);
        assert!((found[0].2 - 0.1).abs() < 1e-9);
    }
}
