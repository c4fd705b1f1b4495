//! The summary of an import, for a person to check at a glance.

use crate::clips::ByTime;
use crate::examples::{FrameExample, JoinExample};
use crate::feature_columns::LeftOutColumn;
use crate::folds::Folds;
use crate::join::JoinCounts;
use crate::labels::is_sentiment;
use crate::read_features::FeaturesRead;
use crate::write::{Pair, Written};
use mosei_data::rates::FrameRate;
use std::fmt::{self, Display};

/// Columns left out that are listed for each reason.
const MAX_LISTED: usize = 6;

/// What was written, and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSummary {
    /// Recordings in the features.
    pub recordings: usize,
    /// Videos that were written.
    pub videos: usize,
    /// Frames that were written.
    pub frames: u64,
    /// Length of all recordings, seconds.
    pub seconds: f64,
    /// Feature columns.
    pub columns: usize,
    /// Whether they have no names, but numbers.
    pub unnamed: bool,
    /// Frame rate of the median recording, Hz; `None` where the step between frames varies within
    /// recordings.
    pub rate_hz: Option<f64>,
    /// Frames at the end of recordings with the start of the frame before, which are moved on by
    /// one step.
    pub tied: usize,
    /// Recordings whose frames were not in order of time, and were sorted.
    pub sorted: usize,
    /// Recordings of a single frame.
    pub single: usize,
    /// The first and the last frame of a recording.
    pub example: Option<FrameExample>,
    /// Columns of the features and of the labels that were left out.
    pub left_out_columns: [Vec<LeftOutColumn>; 2],
    /// How labelled segments got their frames.
    pub join: JoinCounts,
    /// Labelled segments with the frames that they get.
    pub joined: Vec<JoinExample>,
    /// Whether there are labels.
    pub labelled: bool,
    /// What else a person should check.
    pub notes: Vec<String>,
    /// Number of labelled segments that end long after their recording, and the first.
    pub late: (usize, Option<String>),
    /// Labelled segments that were written.
    pub segments: usize,
    /// Videos with labels.
    pub labelled_videos: usize,
    /// Each label, and the number of written segments where it is above 0.
    pub present: Vec<(String, usize)>,
    /// Number of labelled segments left out for lack of features, and the first.
    pub without_features: (usize, Option<String>),
    /// Number of recordings without labels, and the first.
    pub without_labels: (usize, Option<String>),
    /// Of these, recordings left out because their speaker is unknown.
    pub left_out: usize,
    /// Labelled segments that start after the end of their recording.
    pub past_the_end: usize,
    /// Of the labelled segments joined by time, those that got one segment of the features, of another
    /// number or none.
    pub by_time: usize,
    /// Greatest difference between the starts or ends of those on both sides, seconds.
    pub by_time_greatest_s: f64,
    /// Length of their frames as a share of the time that they were said in: the median. Far from 1, the frame rate is another one.
    pub by_time_covered: Option<f64>,
    /// Values of labels that were beyond the scale, and set to its ends.
    pub clipped: usize,
    /// Segments that were all padding.
    pub padding: usize,
    /// Videos in the training, validation and test split, where known.
    pub folds: Option<[usize; 3]>,
    /// Ids of the folds without any written video.
    pub unknown_fold_ids: usize,
}

impl ImportSummary {
    pub(crate) fn new(
        pair: &Pair<'_>,
        read: FeaturesRead,
        written: Written,
        folds: Option<Folds>,
        by_time: ByTime,
    ) -> Self {
        let Pair {
            joined,
            labels,
            frames,
            columns,
            ..
        } = pair;
        let rows = || {
            joined
                .videos
                .iter()
                .flat_map(|v| &v.segments)
                .map(|s| labels.of(s.row))
        };
        let present = labels
            .names
            .iter()
            .enumerate()
            .filter(|(_, name)| !is_sentiment(name));
        let present =
            present.map(|(i, name)| (name.clone(), rows().filter(|row| row[i] > 0.0).count()));
        ImportSummary {
            recordings: frames.recordings.len(),
            videos: joined.videos.len(),
            frames: written.frames,
            seconds: written.seconds,
            columns: columns.len(),
            unnamed: read.unnamed,
            rate_hz: written.rate.and_then(FrameRate::hz),
            tied: written.tied,
            sorted: frames.recordings.iter().filter(|r| r.sorted()).count(),
            single: written.single,
            example: written.example,
            left_out_columns: [read.left_out, labels.left_out.clone()],
            join: joined.counts,
            joined: written.joined,
            labelled: !labels.rows.is_empty(),
            notes: read.notes,
            late: written.late,
            segments: written.segments,
            labelled_videos: written.videos,
            present: present.collect(),
            without_features: joined.without_features.clone(),
            without_labels: joined.without_labels.clone(),
            left_out: joined.left_out,
            past_the_end: written.past_the_end,
            by_time: by_time.labels,
            by_time_greatest_s: by_time.greatest_s,
            by_time_covered: by_time.covered,
            clipped: labels.clipped,
            padding: read.padding,
            folds: folds.as_ref().map(|(lists, _)| {
                std::array::from_fn(|i| lists.values().nth(i).map_or(0, Vec::len))
            }),
            unknown_fold_ids: folds.map_or(0, |(_, left_out)| left_out),
        }
    }
}

/// The word for an example.
fn such_as(first: &Option<String>) -> String {
    first
        .as_ref()
        .map(|s| format!(", such as {s}"))
        .unwrap_or_default()
}

impl Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.features(f)?;
        if self.labelled {
            self.labels(f)?;
        } else {
            writeln!(f, "labels: none; each recording is a video by itself")?;
        }
        self.oddities(f)?;
        if !self.labelled {
            return Ok(());
        }
        match self.folds {
            Some([train, valid, test]) => {
                let left_out = match self.unknown_fold_ids {
                    0 => String::new(),
                    n => format!("; {n} ids without features or labels"),
                };
                writeln!(
                    f,
                    "folds: {train} training, {valid} validation and {test} test videos{left_out}"
                )
            }
            None => writeln!(
                f,
                "folds: none given; a study draws them by video ([data.split])"
            ),
        }
    }
}

impl ImportSummary {
    fn features(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = if self.unnamed {
            " (column_0, column_1, …: --columns FILE gives them names)"
        } else {
            ""
        };
        let rate = self
            .rate_hz
            .map_or("at irregular times".to_string(), |hz| format!("at {hz} Hz"));
        writeln!(
            f,
            "features: {} recordings in {} videos, {} frames ({} s) {rate}, {} columns{named}",
            self.recordings,
            self.videos,
            self.frames,
            (self.seconds * 1e3).round() / 1e3,
            self.columns
        )?;
        if let Some(example) = &self.example {
            writeln!(f, "  {example}")?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        left_out(f, &self.left_out_columns[0])
    }

    fn labels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present: Vec<String> = self
            .present
            .iter()
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        writeln!(
            f,
            "labels: {} segments of {} videos; above 0: {}",
            self.segments,
            self.labelled_videos,
            present.join(", ")
        )?;
        left_out(f, &self.left_out_columns[1])?;
        let JoinCounts {
            by_time,
            by_id,
            times_unused,
            by_row,
        } = self.join;
        let unused = if times_unused > 0 {
            format!(
                "; the times of {times_unused} are not used, as their frames have times of their own"
            )
        } else {
            String::new()
        };
        writeln!(
            f,
            "joined: {by_time} by time, {by_id} by id, {by_row} by row{unused}"
        )?;
        self.joined
            .iter()
            .try_for_each(|example| writeln!(f, "  {example}"))
    }

    fn oddities(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (n @ 1.., first) = &self.without_features {
            writeln!(
                f,
                "left out: {n} labelled segments without features{}",
                such_as(first)
            )?;
        }
        if let (n @ 1.., first) = &self.without_labels {
            let kept = if self.left_out > 0 {
                "left out: unknown speaker"
            } else {
                "kept"
            };
            writeln!(
                f,
                "without labels: {n} recordings ({kept}){}",
                such_as(first)
            )?;
        }
        if self.single > 0 {
            writeln!(
                f,
                "single frames: {} of {} recordings have one frame: hiding frames in time has no meaning there, and pre-training refuses a corpus of them",
                self.single, self.recordings
            )?;
        }
        if self.sorted > 0 {
            writeln!(
                f,
                "out of order: the frames of {} recordings were sorted by time",
                self.sorted
            )?;
        }
        if self.tied > 0 {
            writeln!(
                f,
                "equal starts: {} frames at the end of recordings, moved on by one step each",
                self.tied
            )?;
        }
        if let (n @ 1.., first) = &self.late {
            writeln!(
                f,
                "late: {n} labelled segments end long after their recording{}",
                such_as(first)
            )?;
        }
        if self.past_the_end > 0 {
            writeln!(
                f,
                "past the end: {} labelled segments start after their recording has ended",
                self.past_the_end
            )?;
        }
        if self.by_time > 0 {
            let covered = self.by_time_covered.map_or_else(String::new, |covered| {
                format!("; their frames are {covered:.2} times as long as they (median)")
            });
            writeln!(
                f,
                "one segment each: {} of those joined by time, whose starts and ends differ from it by at most {:.3} s{covered}",
                self.by_time, self.by_time_greatest_s
            )?;
        }
        if self.clipped > 0 {
            writeln!(
                f,
                "clipped: {} values of labels beyond the scale, set to its ends",
                self.clipped
            )?;
        }
        if self.padding > 0 {
            writeln!(f, "empty: {} segments are all padding", self.padding)?;
        }
        Ok(())
    }
}

/// Writes which columns were left out, by reason.
fn left_out(f: &mut fmt::Formatter<'_>, columns: &[LeftOutColumn]) -> fmt::Result {
    let mut reasons: Vec<&str> = columns
        .iter()
        .map(|column| column.reason.as_str())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let names: Vec<String> = columns
            .iter()
            .filter(|column| column.reason == reason)
            .map(|column| format!("'{}'", column.name))
            .collect();
        let more = names.len().saturating_sub(MAX_LISTED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let listed = names
            .iter()
            .take(MAX_LISTED)
            .map(String::as_str)
            .collect::<Vec<_>>();
        writeln!(
            f,
            "  columns left out: {}{more}: {reason}",
            listed.join(", ")
        )?;
    }
    Ok(())
}
