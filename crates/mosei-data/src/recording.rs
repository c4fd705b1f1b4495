//! The features of one video, from the groups that a file holds of it, for the segments that the labels name.
//!
//! What lives here: whether segments are found by time or by number. By time, as a rule: the groups of a video's segments are put
//! together on the video's time axis. By number only where features and labels both name segments in one notation, and then their
//! times must say the same. What does not: which frames an interval takes (`align`).

use crate::align::{Dropped, EPSILON_S, Timeline};
use crate::csd::Held;
use crate::{Csd, DataError, Sequence, VideoLabels};
use std::collections::BTreeMap;
use std::path::Path;

/// A video's features.
pub(crate) struct Recording {
    /// Frames of all groups, one behind the other.
    pub sequence: Sequence,
    /// All of them in order of time.
    pub timeline: Timeline,
    /// The frames of each segment alone, where segments are found by number: their first row, and their order.
    own: Option<BTreeMap<i32, (usize, Timeline)>>,
}

impl Recording {
    /// Reads a video for its labels, which stand in `labels_path`; `None` where the file has nothing of it. `one_axis` wants
    /// the times of its groups to be those of the video, whether or not segments are found by them.
    ///
    /// # Errors
    /// Where it cannot be read; where segments are numbered in two ways; where a segment's times are not those of its label.
    pub fn read(
        features: &Csd,
        id: &str,
        labels: &VideoLabels,
        labels_path: &Path,
        one_axis: bool,
    ) -> Result<Option<Self>, DataError> {
        let (numbering, segments) = match features.by_video().get(id) {
            None => return Ok(None),
            Some(Held::Whole(_)) => return features.read(id).map(|sequence| Some(Self::by_time(sequence))),
            Some(Held::Segments(numbering, segments)) => (*numbering, segments),
        };
        let read = |(&number, &place): (&i32, &usize)| Ok((number, features.read(&features.videos()[place].id)?));
        let parts = segments.iter().map(read).collect::<Result<BTreeMap<i32, Sequence>, DataError>>()?;
        let names = Names { features, labels_path, id, name: &|number| numbering.name(id, number) };
        match labels.numbering {
            None => names.together(parts).map(|sequence| Some(Self::by_time(sequence))),
            Some(other) if other != numbering => {
                let said = labels.numbers.first().map_or_else(String::new, |&number| other.name(id, number));
                let first = names.name(segments.keys().next().copied().unwrap_or(0));
                let expected = format!(
                    "segments that are numbered as in {}, or labels of '{id}' by start and end: '{said}' counts {}",
                    labels_path.display(),
                    other.counts()
                );
                let found = format!("'{first}', which counts {}; the numbers do not mean the same", numbering.counts());
                Err(DataError::structure(features.path(), names.place(&first), expected, found))
            }
            Some(_) => {
                names.check_times(labels, &parts)?;
                if one_axis {
                    names.together(parts.clone())?;
                }
                Ok(Some(Self::by_number(features.width(), parts)))
            }
        }
    }

    fn by_time(sequence: Sequence) -> Self {
        Recording { timeline: Timeline::new(&sequence.intervals), sequence, own: None }
    }

    fn by_number(width: usize, parts: BTreeMap<i32, Sequence>) -> Self {
        let mut all = Sequence { width, features: Vec::new(), intervals: Vec::new() };
        let mut own = BTreeMap::new();
        for (number, part) in parts {
            own.insert(number, (all.intervals.len(), Timeline::new(&part.intervals)));
            all.features.extend(part.features);
            all.intervals.extend(part.intervals);
        }
        Recording { timeline: Timeline::new(&all.intervals), sequence: all, own: Some(own) }
    }

    /// Rows of the frames of the segment of that number and interval, in order of time, and when the features end there.
    ///
    /// # Errors
    /// Why there is none.
    pub fn frames_of(&self, number: i32, interval: [f64; 2]) -> Result<(Vec<usize>, f64), Dropped> {
        let Some(own) = &self.own else {
            return self.timeline.frames_of(interval).map(|rows| (rows, self.timeline.end_s()));
        };
        let (first, timeline) = own.get(&number).ok_or(Dropped::NoFeatures)?;
        let rows = timeline.frames_of(interval)?.into_iter().map(|row| first + row).collect();
        Ok((rows, timeline.end_s()))
    }
}

/// From when to when the frames of a group are; `None` where it has none.
fn extent(part: &Sequence) -> Option<[f64; 2]> {
    let timeline = Timeline::new(&part.intervals);
    (!part.intervals.is_empty()).then(|| [timeline.start_s(), timeline.end_s()])
}

/// Whether two intervals share more than [`EPSILON_S`].
pub(crate) fn overlap(a: [f64; 2], b: [f64; 2]) -> bool {
    a[1].min(b[1]) - a[0].max(b[0]) > EPSILON_S
}

/// A segment whose number stands for another part of its video in the features than in the labels.
pub(crate) struct OtherTime {
    /// The number.
    pub number: i32,
    /// When its label is.
    pub label: [f64; 2],
    /// When its features are.
    pub own: [f64; 2],
    /// Another group, whose frames lie within the label and outside its own.
    pub other: Option<(i32, [f64; 2])>,
}

/// The first segment whose number means something else on each side. Features that were aligned to the labels have all that
/// overlaps a label in its own group, so that a frame of another group alone says that they were aligned to something else,
/// such as words.
pub(crate) fn other_time(
    labels: impl Iterator<Item = (i32, [f64; 2])>,
    extents: &BTreeMap<i32, [f64; 2]>,
) -> Option<OtherTime> {
    for (number, label) in labels.filter(|(_, [start, end])| end - start >= EPSILON_S) {
        let Some(&own) = extents.get(&number) else { continue };
        let stranger = || {
            let mut others = extents.iter().map(|(&k, &e)| (k, e)).filter(|(_, e)| overlap(*e, label));
            others.find(|(_, e)| !overlap(*e, own) && e[1] - e[0] > EPSILON_S)
        };
        let beyond = own[0] - label[0] > EPSILON_S || label[1] - own[1] > EPSILON_S;
        let other = if beyond { stranger() } else { None };
        if !overlap(label, own) || other.is_some() {
            return Some(OtherTime { number, label, own, other });
        }
    }
    None
}

/// Names for messages.
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

    /// Wants the segments of both sides to be at the same time.
    fn check_times(&self, labels: &VideoLabels, parts: &BTreeMap<i32, Sequence>) -> Result<(), DataError> {
        let extents: BTreeMap<i32, [f64; 2]> =
            parts.iter().filter_map(|(&number, part)| Some((number, extent(part)?))).collect();
        let said = labels.numbers.iter().copied().zip(labels.intervals.iter().copied());
        let Some(OtherTime { number, label, own, other }) = other_time(said, &extents) else { return Ok(()) };
        let name = self.name(number);
        let expected =
            format!("the frames of {} to {} s, as '{name}' is in {}", label[0], label[1], self.labels_path.display());
        let more = other
            .map_or_else(String::new, |(k, [start, end])| format!(", and {start} to {end} s in '{}'", self.name(k)));
        let found = format!(
            "{} to {} s{more}: the numbers do not mean the same; labels of '{}' by start and end are joined by time",
            own[0], own[1], self.id
        );
        Err(DataError::structure(self.features.path(), self.place(&name), expected, found))
    }

    /// The frames of all groups on the time axis of the video. Where segments overlap, a frame stands in several groups, cut
    /// at the edges of each: it is kept once.
    fn together(&self, parts: BTreeMap<i32, Sequence>) -> Result<Sequence, DataError> {
        let width = self.features.width();
        let mut rows: Vec<([f64; 2], i32, &[f32])> = Vec::new();
        for (&number, part) in &parts {
            rows.extend(part.intervals.iter().enumerate().map(|(row, &interval)| (interval, number, part.row(row))));
        }
        rows.sort_by(|(a, k, _), (b, l, _)| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])).then(k.cmp(l)));
        let same = |a: &[f32], b: &[f32]| a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()));
        let mut kept: Vec<([f64; 2], i32, &[f32])> = Vec::new();
        // Latest end among the kept and those before them.
        let mut latest: Vec<f64> = Vec::new();
        for (interval, number, features) in rows {
            let reaching = (0..kept.len()).rev().take_while(|&i| latest[i] - interval[0] > EPSILON_S);
            let others: Vec<usize> =
                reaching.filter(|&i| kept[i].1 != number && overlap(kept[i].0, interval)).collect();
            if let Some(&twin) = others.iter().find(|&&i| same(kept[i].2, features)) {
                kept[twin].0[1] = kept[twin].0[1].max(interval[1]);
                (twin..kept.len()).for_each(|i| latest[i] = latest[i].max(interval[1]));
                continue;
            }
            if let Some(&other) = others.first() {
                let (name, [start, end]) = (self.name(kept[other].1), kept[other].0);
                let expected = format!("a time of its own on the time axis of '{}'", self.id);
                let found = format!(
                    "frames of other values at {} to {} s and, in '{name}', at {start} to {end} s: labels of '{}' cannot be joined by time",
                    interval[0], interval[1], self.id
                );
                return Err(DataError::structure(
                    self.features.path(),
                    self.place(&self.name(number)),
                    expected,
                    found,
                ));
            }
            latest.push(latest.last().map_or(interval[1], |l| l.max(interval[1])));
            kept.push((interval, number, features));
        }
        let features = kept.iter().flat_map(|(.., features)| features.iter().copied()).collect();
        Ok(Sequence { width, features, intervals: kept.iter().map(|(interval, ..)| *interval).collect() })
    }
}
