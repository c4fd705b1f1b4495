//! What came of an import, for the one who asked for it.

use super::folds::Folds;
use super::join::Joined;
use super::labels::{Labels, is_sentiment};
use super::scratch::Taken;
use super::write::Written;
use crate::rates::Rate;
use std::fmt::{self, Display};

/// What was written, and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSummary {
    /// Recordings in the features.
    pub recordings: usize,
    /// Videos that were written.
    pub videos: usize,
    /// Frames that were written.
    pub frames: u64,
    /// Feature columns.
    pub columns: usize,
    /// Whether they have no names but numbers.
    pub unnamed: bool,
    /// Frames a second, of the median recording; `None` where the time from frame to frame varies within recordings.
    pub rate_hz: Option<f64>,
    /// Frames at the end of recordings that begin with the one before, and are put one hop on.
    pub tied: usize,
    /// Labelled segments that end far behind their recording, and the first.
    pub far_behind: (usize, Option<String>),
    /// Labelled segments that were written.
    pub segments: usize,
    /// Videos with labels.
    pub labelled_videos: usize,
    /// Labels, and in how many of the written segments each is above 0.
    pub present: Vec<(String, usize)>,
    /// Labelled segments without features, which are left out, and the first.
    pub without_features: (usize, Option<String>),
    /// Recordings without labels, and the first.
    pub without_labels: (usize, Option<String>),
    /// Of these, recordings that are left out because their speaker is not known.
    pub left_out: usize,
    /// Labelled segments that begin after their recording has ended.
    pub past_the_end: usize,
    /// Segments that were nothing but padding.
    pub padding: usize,
    /// Videos that train, validate and test, where that is known.
    pub folds: Option<[usize; 3]>,
    /// Names of the folds of which nothing was written.
    pub unknown_fold_ids: usize,
}

impl ImportSummary {
    #[allow(clippy::too_many_arguments, reason = "what each part of an import has to say")]
    pub(super) fn new(
        columns: &[String],
        unnamed: bool,
        labels: &Labels,
        taken: &Taken,
        joined: &Joined,
        written: Written,
        folds: Option<Folds>,
        padding: usize,
    ) -> Self {
        let rows = || joined.videos.iter().flat_map(|v| &v.segments).map(|s| labels.of(s.row));
        let present = labels.names.iter().enumerate().filter(|(_, name)| !is_sentiment(name));
        let present = present.map(|(i, name)| (name.clone(), rows().filter(|row| row[i] > 0.0).count()));
        ImportSummary {
            recordings: taken.recordings.len(),
            videos: joined.videos.len(),
            frames: written.frames,
            columns: columns.len(),
            unnamed,
            rate_hz: written.rate.and_then(Rate::hz),
            tied: written.tied,
            far_behind: written.far_behind,
            segments: written.segments,
            labelled_videos: written.videos,
            present: present.collect(),
            without_features: joined.without_features.clone(),
            without_labels: joined.without_labels.clone(),
            left_out: joined.left_out,
            past_the_end: written.past_the_end,
            padding,
            folds: folds.as_ref().map(|(lists, _)| std::array::from_fn(|i| lists.values().nth(i).map_or(0, Vec::len))),
            unknown_fold_ids: folds.map_or(0, |(_, left_out)| left_out),
        }
    }
}

impl Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let such_as = |first: &Option<String>| first.as_ref().map(|s| format!(", such as {s}")).unwrap_or_default();
        let named = if self.unnamed { " (column_0, column_1, …: --columns FILE gives them names)" } else { "" };
        let rate = self.rate_hz.map_or("at irregular times".to_string(), |hz| format!("at {hz} Hz"));
        writeln!(
            f,
            "features: {} recordings in {} videos, {} frames {rate}, {} columns{named}",
            self.recordings, self.videos, self.frames, self.columns
        )?;
        let present: Vec<String> = self.present.iter().map(|(name, n)| format!("{name} {n}")).collect();
        writeln!(
            f,
            "labels: {} segments of {} videos; above 0: {}",
            self.segments,
            self.labelled_videos,
            present.join(", ")
        )?;
        if let (n @ 1.., first) = &self.without_features {
            writeln!(f, "left out: {n} labelled segments without features{}", such_as(first))?;
        }
        if let (n @ 1.., first) = &self.without_labels {
            let kept = if self.left_out > 0 { "left out, as nobody says who speaks" } else { "kept" };
            writeln!(f, "without labels: {n} recordings ({kept}){}", such_as(first))?;
        }
        if self.tied > 0 {
            writeln!(f, "equal starts: {} frames at the end of recordings, put one hop on", self.tied)?;
        }
        if let (n @ 1.., first) = &self.far_behind {
            writeln!(f, "far behind: {n} labelled segments end far behind their recording{}", such_as(first))?;
        }
        if self.past_the_end > 0 {
            writeln!(f, "past the end: {} labelled segments begin after their recording has ended", self.past_the_end)?;
        }
        if self.padding > 0 {
            writeln!(f, "empty: {} segments are nothing but padding", self.padding)?;
        }
        match self.folds {
            Some([train, valid, test]) => {
                let left_out = match self.unknown_fold_ids {
                    0 => String::new(),
                    n => format!("; {n} names of which nothing is left"),
                };
                writeln!(f, "folds: {train} videos train, {valid} validate, {test} test{left_out}")
            }
            None => writeln!(f, "folds: none given; a study draws them by video ([data.split])"),
        }
    }
}
