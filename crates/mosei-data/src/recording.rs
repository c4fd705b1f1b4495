//! The features of one video, from its groups in a file, by labelled segment.
//!
//! What lives here: whether segments are joined by time or by number. By default they are joined by
//! time: the groups of a video's segments are merged on the video's time axis. They are joined by
//! number only where features and labels name segments in the same notation; their times must then
//! agree. What does not: which frames belong to an interval (`align`).

use crate::align::{Dropped, EPSILON_S, Timeline};
use crate::csd::VideoGroups;
use crate::{Csd, DataError, Sequence, VideoLabels};
use std::collections::BTreeMap;
use std::path::Path;

/// A video's features.
pub(crate) struct Recording {
    /// Frames of all groups, concatenated.
    pub sequence: Sequence,
    /// All of them in order of time.
    pub timeline: Timeline,
    /// First row and order of the frames of each segment, where segments are joined by number.
    by_number: Option<BTreeMap<i32, (usize, Timeline)>>,
}

impl Recording {
    /// Reads the features of a video with these labels, from `labels_path`; `None` where the file
    /// lacks it. With `one_axis`, the times of its groups must be those of the video even where
    /// segments are joined by number.
    ///
    /// # Errors
    /// Where it cannot be read, features and labels use different numberings, or a segment's times
    /// are not those of its label.
    pub fn read(
        features: &Csd,
        id: &str,
        labels: &VideoLabels,
        labels_path: &Path,
        one_axis: bool,
    ) -> Result<Option<Self>, DataError> {
        let (numbering, segments) = match features.by_video().get(id) {
            None => return Ok(None),
            Some(VideoGroups::Whole(_)) => {
                return features
                    .read(id)
                    .map(|sequence| Some(Self::by_time(sequence)));
            }
            Some(VideoGroups::Segments(numbering, segments)) => (*numbering, segments),
        };
        let read = |(&number, &place): (&i32, &usize)| {
            Ok((number, features.read(&features.videos()[place].id)?))
        };
        let parts = segments
            .iter()
            .map(read)
            .collect::<Result<BTreeMap<i32, Sequence>, DataError>>()?;
        let names = Names {
            features,
            labels_path,
            id,
            name: &|number| numbering.name(id, number),
        };
        match labels.numbering {
            None => names
                .merge(parts)
                .map(|sequence| Some(Self::by_time(sequence))),
            Some(other) if other != numbering => {
                let label = labels
                    .numbers
                    .first()
                    .map_or_else(String::new, |&number| other.name(id, number));
                let first = names.name(segments.keys().next().copied().unwrap_or(0));
                let expected = format!(
                    "segments numbered as in {}, or labels of '{id}' by start and end: '{label}' counts {}",
                    labels_path.display(),
                    other.counts()
                );
                let found = format!(
                    "'{first}', which counts {}; the numbers differ in meaning",
                    numbering.counts()
                );
                Err(DataError::structure(
                    features.path(),
                    names.place(&first),
                    expected,
                    found,
                ))
            }
            Some(_) => {
                names.check_times(labels, &parts)?;
                if one_axis {
                    names.merge(parts.clone())?;
                }
                Ok(Some(Self::by_number(features.width(), parts)))
            }
        }
    }

    fn by_time(sequence: Sequence) -> Self {
        Recording {
            timeline: Timeline::new(&sequence.intervals),
            sequence,
            by_number: None,
        }
    }

    fn by_number(width: usize, parts: BTreeMap<i32, Sequence>) -> Self {
        let mut all = Sequence {
            width,
            features: Vec::new(),
            intervals: Vec::new(),
        };
        let mut by_number = BTreeMap::new();
        for (number, part) in parts {
            by_number.insert(
                number,
                (all.intervals.len(), Timeline::new(&part.intervals)),
            );
            all.features.extend(part.features);
            all.intervals.extend(part.intervals);
        }
        Recording {
            timeline: Timeline::new(&all.intervals),
            sequence: all,
            by_number: Some(by_number),
        }
    }

    /// Rows of the frames of a segment, in order of time, and the end of the features there,
    /// seconds.
    ///
    /// # Errors
    /// Why there are none.
    pub fn frames_of(&self, number: i32, interval: [f64; 2]) -> Result<(Vec<usize>, f64), Dropped> {
        let Some(by_number) = &self.by_number else {
            return self
                .timeline
                .frames_of(interval)
                .map(|rows| (rows, self.timeline.end_s()));
        };
        let (first, timeline) = by_number.get(&number).ok_or(Dropped::NoFeatures)?;
        let rows = timeline
            .frames_of(interval)?
            .into_iter()
            .map(|row| first + row)
            .collect();
        Ok((rows, timeline.end_s()))
    }
}

/// Start and end of the frames of a group, seconds; `None` without frames.
fn extent(part: &Sequence) -> Option<[f64; 2]> {
    let timeline = Timeline::new(&part.intervals);
    (!part.intervals.is_empty()).then(|| [timeline.start_s(), timeline.end_s()])
}

/// Whether two intervals share more than [`EPSILON_S`].
fn overlap(a: [f64; 2], b: [f64; 2]) -> bool {
    a[1].min(b[1]) - a[0].max(b[0]) > EPSILON_S
}

/// A segment number that refers to different times of its video in the features and in the labels.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeMismatch {
    /// The segment number.
    pub number: i32,
    /// Start and end of its label, seconds.
    pub label: [f64; 2],
    /// Start and end of its features, seconds.
    pub own: [f64; 2],
    /// Another segment whose frames overlap the label but not the segment's own features.
    pub other: Option<(i32, [f64; 2])>,
}

/// The first segment whose number refers to different times in features and labels.
///
/// `labels` are numbers with start and end of their label, `extents` start and end of the features
/// by number, in seconds. Features aligned to the labels hold everything that overlaps a label in
/// the group of that label; a frame that overlaps it in another group alone shows that they were
/// aligned to something else, such as words.
pub fn find_time_mismatch(
    labels: impl Iterator<Item = (i32, [f64; 2])>,
    extents: &BTreeMap<i32, [f64; 2]>,
) -> Option<TimeMismatch> {
    for (number, label) in labels.filter(|(_, [start, end])| end - start >= EPSILON_S) {
        let Some(&own) = extents.get(&number) else {
            continue;
        };
        let foreign = || {
            let mut others = extents
                .iter()
                .map(|(&k, &e)| (k, e))
                .filter(|(_, e)| overlap(*e, label));
            others.find(|(_, e)| !overlap(*e, own) && e[1] - e[0] > EPSILON_S)
        };
        let beyond = own[0] - label[0] > EPSILON_S || label[1] - own[1] > EPSILON_S;
        let other = if beyond { foreign() } else { None };
        if !overlap(label, own) || other.is_some() {
            return Some(TimeMismatch {
                number,
                label,
                own,
                other,
            });
        }
    }
    None
}

/// Names for error messages.
struct Names<'a> {
    features: &'a Csd,
    labels_path: &'a Path,
    id: &'a str,
    name: &'a dyn Fn(i32) -> String,
}

impl Names<'_> {
    fn name(&self, number: i32) -> String {
        (self.name)(number)
    }

    fn place(&self, group: &str) -> String {
        format!("{}/data/{group}", self.features.root())
    }

    /// Checks that segments have the same times in features and labels.
    fn check_times(
        &self,
        labels: &VideoLabels,
        parts: &BTreeMap<i32, Sequence>,
    ) -> Result<(), DataError> {
        let extents: BTreeMap<i32, [f64; 2]> = parts
            .iter()
            .filter_map(|(&number, part)| Some((number, extent(part)?)))
            .collect();
        let times = labels
            .numbers
            .iter()
            .copied()
            .zip(labels.intervals.iter().copied());
        let Some(TimeMismatch {
            number,
            label,
            own,
            other,
        }) = find_time_mismatch(times, &extents)
        else {
            return Ok(());
        };
        let name = self.name(number);
        let expected = format!(
            "the frames of {} to {} s, as '{name}' is in {}",
            label[0],
            label[1],
            self.labels_path.display()
        );
        let more = other.map_or_else(String::new, |(k, [start, end])| {
            format!(", and {start} to {end} s in '{}'", self.name(k))
        });
        let found = format!(
            "{} to {} s{more}; the numbers differ in meaning; use labels of '{}' by start and end, which are joined by time",
            own[0], own[1], self.id
        );
        Err(DataError::structure(
            self.features.path(),
            self.place(&name),
            expected,
            found,
        ))
    }

    /// Merges the frames of all groups on the time axis of the video ([`merge_on_one_axis`]).
    fn merge(&self, parts: BTreeMap<i32, Sequence>) -> Result<Sequence, DataError> {
        let numbers: Vec<i32> = parts.keys().copied().collect();
        let parts: Vec<Sequence> = parts.into_values().collect();
        merge_on_one_axis(self.features.width(), &parts).map_err(|conflict| {
            let [one, other] = conflict.parts.map(|k| self.name(numbers[k]));
            let [interval, [start, end]] = conflict.intervals;
            let expected = format!("different times for different frames of '{}'", self.id);
            let found = format!(
                "frames with different values at {} to {} s and, in '{other}', at {start} to {end} s; labels of '{}' cannot be joined by time",
                interval[0], interval[1], self.id
            );
            DataError::structure(self.features.path(), self.place(&one), expected, found)
        })
    }
}

/// Two frames of different groups that overlap in time and have different values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MergeConflict {
    /// Indices of the groups.
    pub parts: [usize; 2],
    /// Start and end of the frames, seconds.
    pub intervals: [[f64; 2]; 2],
}

/// Merges groups of frames, `width` columns wide, on one time axis, in order of time. Where segments
/// overlap, a frame is in several groups, cut at the edges of each: it is kept once.
///
/// # Errors
/// The first two frames of different groups that overlap and have different values.
pub fn merge_on_one_axis(width: usize, parts: &[Sequence]) -> Result<Sequence, MergeConflict> {
    let mut rows: Vec<([f64; 2], usize, &[f32])> = Vec::new();
    for (k, part) in parts.iter().enumerate() {
        let frames = part.intervals.iter().enumerate();
        rows.extend(frames.map(|(row, &interval)| (interval, k, part.row(row))));
    }
    rows.sort_by(|(a, k, _), (b, l, _)| {
        a[0].total_cmp(&b[0])
            .then(a[1].total_cmp(&b[1]))
            .then(k.cmp(l))
    });
    let same = |a: &[f32], b: &[f32]| {
        a.iter()
            .map(|x| x.to_bits())
            .eq(b.iter().map(|x| x.to_bits()))
    };
    let mut kept: Vec<([f64; 2], usize, &[f32])> = Vec::new();
    // Latest end of each kept frame and those before it.
    let mut latest: Vec<f64> = Vec::new();
    for (interval, part, features) in rows {
        let reaching = (0..kept.len())
            .rev()
            .take_while(|&i| latest[i] - interval[0] > EPSILON_S);
        let others: Vec<usize> = reaching
            .filter(|&i| kept[i].1 != part && overlap(kept[i].0, interval))
            .collect();
        if let Some(&twin) = others.iter().find(|&&i| same(kept[i].2, features)) {
            kept[twin].0[1] = kept[twin].0[1].max(interval[1]);
            (twin..kept.len()).for_each(|i| latest[i] = latest[i].max(interval[1]));
            continue;
        }
        if let Some(&other) = others.first() {
            return Err(MergeConflict {
                parts: [part, kept[other].1],
                intervals: [interval, kept[other].0],
            });
        }
        latest.push(latest.last().map_or(interval[1], |l| l.max(interval[1])));
        kept.push((interval, part, features));
    }
    let features = kept
        .iter()
        .flat_map(|(.., features)| features.iter().copied())
        .collect();
    Ok(Sequence {
        width,
        features,
        intervals: kept.iter().map(|(interval, ..)| *interval).collect(),
    })
}
