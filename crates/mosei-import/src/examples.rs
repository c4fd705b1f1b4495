//! Examples of what an import has read and joined, for a person to check at a glance.
//!
//! What lives here: which examples, and their words. What does not: the rest of the summary.

use crate::join::Video;
use crate::write::Pair;
use mosei_data::Sequence;
use mosei_data::align::Timeline;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Columns that an example shows.
const MAX_COLUMNS: usize = 3;
/// Examples of joined segments.
const MAX_EXAMPLES: usize = 3;

/// The first and the last frame of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameExample {
    /// The recording.
    pub recording: String,
    /// Its number of frames.
    pub frames: usize,
    /// Names of the first columns.
    pub columns: Vec<String>,
    /// Start and end in seconds of the first frame, and its values of these columns.
    pub first: ([f64; 2], Vec<f32>),
    /// The same of the last frame.
    pub last: ([f64; 2], Vec<f32>),
}

impl FrameExample {
    pub(crate) fn new(recording: &str, columns: &[String], frames: &Sequence) -> Self {
        let shown = columns.len().min(MAX_COLUMNS);
        let frame = |row: usize| (frames.intervals[row], frames.row(row)[..shown].to_vec());
        FrameExample {
            recording: recording.into(),
            frames: frames.intervals.len(),
            columns: columns[..shown].to_vec(),
            first: frame(0),
            last: frame(frames.intervals.len() - 1),
        }
    }
}

impl Display for FrameExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frame = |([start, end], values): &([f64; 2], Vec<f32>)| {
            let named = self.columns.iter().zip(values);
            let values: Vec<String> = named.map(|(name, x)| format!("{name} {x}")).collect();
            format!("{} s: {}", span(*start, *end), values.join(", "))
        };
        write!(f, "'{}', frame 1 at {}", self.recording, frame(&self.first))?;
        match self.frames {
            1 => Ok(()),
            n => write!(f, "; frame {n} at {}", frame(&self.last)),
        }
    }
}

/// A labelled segment with the frames that it gets.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinExample {
    /// The segment in words.
    pub segment: String,
    /// Its labels above 0, and sentiment.
    pub labels: Vec<(String, f32)>,
    /// Its start and end in the recording, seconds.
    pub interval: [f64; 2],
    /// The recording.
    pub recording: String,
    /// First and last of its frames, counted from 1, with start and end in seconds; `None` where it
    /// gets none.
    pub frames: Option<([usize; 2], [f64; 2])>,
}

impl JoinExample {
    /// The segments that become examples, by video: the first, the middle and the last one.
    pub(crate) fn choose(videos: &[Video]) -> BTreeMap<usize, Vec<usize>> {
        let counts = videos.iter().map(|video| video.segments.len());
        let all: usize = counts.clone().sum();
        let mut places: Vec<usize> = (0..MAX_EXAMPLES)
            .map(|k| k * all.saturating_sub(1) / (MAX_EXAMPLES - 1))
            .collect();
        places.dedup();
        let mut chosen: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut before = 0;
        for (video, count) in counts.enumerate() {
            let here = places
                .iter()
                .filter(|&&p| (before..before + count).contains(&p));
            let here: Vec<usize> = here.map(|p| p - before).collect();
            if !here.is_empty() {
                chosen.insert(video, here);
            }
            before += count;
        }
        chosen
    }

    /// Segment `k` of a video, at `time` in its recording, whose frames are given.
    pub(crate) fn new(
        pair: &Pair<'_>,
        video: &Video,
        k: usize,
        time: [f64; 2],
        frames: Vec<[f64; 2]>,
    ) -> Self {
        let segment = &video.segments[k];
        let rows = Timeline::new(&frames).frames_of(time).ok();
        let ends = rows.and_then(|rows| Some([*rows.first()?, *rows.last()?]));
        let labels = pair.labels.names.iter().zip(pair.labels.of(segment.row));
        JoinExample {
            segment: pair.labels.describe(segment.row),
            labels: labels
                .filter(|(_, x)| **x != 0.0)
                .map(|(name, x)| (name.clone(), *x))
                .collect(),
            interval: time,
            recording: pair.frames.name_of(&video.units[segment.unit]).into(),
            frames: ends.map(|[a, b]| ([a + 1, b + 1], [frames[a][0], frames[b][1]])),
        }
    }
}

impl Display for JoinExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|(name, x)| format!("{name} {x}"))
            .collect();
        let labels = if labels.is_empty() {
            "nothing above 0".into()
        } else {
            labels.join(", ")
        };
        let [start, end] = self.interval;
        write!(
            f,
            "{} ({labels}) at {} s of '{}': ",
            self.segment,
            span(start, end),
            self.recording
        )?;
        match self.frames {
            None => write!(f, "no frames"),
            Some(([a, b], [from, to])) if a == b => write!(f, "frame {a} ({} s)", span(from, to)),
            Some(([a, b], [from, to])) => write!(f, "frames {a} to {b} ({} s)", span(from, to)),
        }
    }
}

/// Two times, rounded to tenths of a millisecond.
fn span(start: f64, end: f64) -> String {
    let round = |t: f64| (t * 1e4).round() / 1e4;
    format!("{} to {}", round(start), round(end))
}
