//! The labels of all videos, from one or several files.
//!
//! What lives here: the meaning of columns, the consistency of files, the range of values. What
//! does not: frames.

use crate::csd::VideoGroups;
use crate::{Csd, DataError};
use mosei_schema::{
    Emotion, INTENSITY_MAX, INTENSITY_MIN, Numbering, SENTIMENT_MAX, SENTIMENT_MIN,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A column of a label file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelColumn {
    Sentiment,
    Emotion(String),
}

impl LabelColumn {
    fn from_name(name: &str) -> Self {
        // `sentiment` in MOSEI's files, `sentiment score` in MOSI's.
        if name.to_lowercase().starts_with("sentiment") {
            LabelColumn::Sentiment
        } else {
            LabelColumn::Emotion(name.to_string())
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            LabelColumn::Sentiment => "sentiment",
            LabelColumn::Emotion(name) => name,
        }
    }

    pub(crate) fn range(&self) -> (f64, f64) {
        match self {
            LabelColumn::Sentiment => (SENTIMENT_MIN, SENTIMENT_MAX),
            LabelColumn::Emotion(_) => (INTENSITY_MIN, INTENSITY_MAX),
        }
    }
}

/// The columns of a label file: by name, else by number.
pub(crate) fn label_columns(csd: &Csd) -> Option<Vec<LabelColumn>> {
    if let Some(names) = csd.dimension_names() {
        return Some(names.iter().map(|n| LabelColumn::from_name(n)).collect());
    }
    let emotions = || {
        Emotion::ALL
            .iter()
            .map(|e| LabelColumn::Emotion(e.name().to_string()))
    };
    match csd.width() {
        1 => Some(vec![LabelColumn::Sentiment]),
        6 => Some(emotions().collect()),
        7 => Some(
            std::iter::once(LabelColumn::Sentiment)
                .chain(emotions())
                .collect(),
        ),
        _ => None,
    }
}

/// The labels of one video.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VideoLabels {
    /// What segment numbers count, where the file names segments; `None` where they are rows of the
    /// video.
    pub numbering: Option<Numbering>,
    /// Numbers of the segments `[rows]`.
    pub numbers: Vec<i32>,
    /// Intervals `[rows]` of start and end, seconds, in the file's order of rows.
    pub intervals: Vec<[f64; 2]>,
    /// Intensities `[rows, emotions]`, row-major.
    pub intensities: Vec<f32>,
    /// Sentiment `[rows]`; empty where no file holds it.
    pub sentiment: Vec<f32>,
}

/// The labels of all videos.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSet {
    /// Names of the emotions, in file order.
    pub emotions: Vec<String>,
    /// Whether there is a sentiment column.
    pub has_sentiment: bool,
    /// Labels by video id.
    pub videos: BTreeMap<String, VideoLabels>,
    /// Each file with its columns, for messages.
    sources: Vec<(PathBuf, Vec<LabelColumn>)>,
}

impl LabelSet {
    /// Reads label files and joins their columns. Values are not checked; see [`LabelSet::check`].
    ///
    /// # Errors
    /// Where a file cannot be read, its columns are unknown or occur in two files, or two files
    /// differ in videos, rows or intervals.
    pub fn read(files: &[Csd]) -> Result<Self, DataError> {
        let mut sources: Vec<(PathBuf, Vec<LabelColumn>)> = Vec::new();
        for csd in files {
            let columns = label_columns(csd).ok_or_else(|| {
                let expected = "1, 6 or 7 label columns, or names in 'dimension names'";
                let found = format!("{} columns without names", csd.width());
                DataError::structure(csd.path(), format!("{}/data", csd.root()), expected, found)
            })?;
            for (other, earlier) in &sources {
                if let Some(twice) = columns.iter().find(|c| earlier.contains(c)) {
                    let expected = format!("columns that {} does not hold", other.display());
                    let found = format!("'{}' in both", twice.name());
                    return Err(DataError::structure(
                        csd.path(),
                        csd.root(),
                        expected,
                        found,
                    ));
                }
            }
            sources.push((csd.path().to_path_buf(), columns));
        }
        let all = || sources.iter().flat_map(|(_, columns)| columns);
        let emotions: Vec<String> = all()
            .filter(|c| **c != LabelColumn::Sentiment)
            .map(|c| c.name().to_string())
            .collect();
        let has_sentiment = all().any(|c| *c == LabelColumn::Sentiment);
        let mut videos: BTreeMap<String, VideoLabels> = BTreeMap::new();
        if let Some(first) = files.first() {
            for other in &files[1..] {
                check_same_videos(first, other)?;
            }
            for (id, held) in first.by_video() {
                let labels = match held {
                    VideoGroups::Whole(_) => read_group(files, &sources, id)?,
                    VideoGroups::Segments(numbering, segments) => {
                        read_segments(files, &sources, *numbering, segments)?
                    }
                };
                videos.insert(id.clone(), labels);
            }
        }
        Ok(LabelSet {
            emotions,
            has_sentiment,
            videos,
            sources,
        })
    }

    /// Checks that every label is in its range.
    ///
    /// # Errors
    /// The first label that is not, in order of video, row and file.
    pub fn check(&self) -> Result<(), DataError> {
        let e = self.emotions.len();
        for (video, labels) in &self.videos {
            for row in 0..labels.intervals.len() {
                let mut intensities = labels.intensities[row * e..(row + 1) * e].iter();
                for (path, column) in self
                    .sources
                    .iter()
                    .flat_map(|(p, columns)| columns.iter().map(move |c| (p, c)))
                {
                    let value = match column {
                        LabelColumn::Sentiment => labels.sentiment.get(row).copied(),
                        LabelColumn::Emotion(_) => intensities.next().copied(),
                    };
                    let Some(value) = value else { continue };
                    let (low, high) = column.range();
                    // NaN is in no range.
                    if !(low..=high).contains(&f64::from(value)) {
                        let (video, column) = (video.clone(), column.name().to_string());
                        let row = labels.numbers[row] as usize;
                        return Err(DataError::Label {
                            path: path.clone(),
                            video,
                            row,
                            column,
                            value,
                            low,
                            high,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Number of segments of all videos.
    pub fn segments(&self) -> usize {
        self.videos.values().map(|v| v.intervals.len()).sum()
    }

    /// The first label file, for messages.
    pub(crate) fn path(&self) -> &Path {
        self.sources.first().map_or(Path::new(""), |(path, _)| path)
    }
}

fn check_same_videos(first: &Csd, other: &Csd) -> Result<(), DataError> {
    let missing = |from: &Csd, into: &Csd| {
        let id = from
            .videos()
            .iter()
            .find(|v| into.find(&v.id).is_none())
            .map(|v| v.id.clone())?;
        let place = format!("{}/data/{id}", into.root());
        Some(DataError::structure(
            into.path(),
            place,
            format!("a group as in {}", from.path().display()),
            "nothing",
        ))
    };
    missing(first, other)
        .or_else(|| missing(other, first))
        .map_or(Ok(()), Err)
}

/// Reads the labels of a video with one group per segment.
fn read_segments(
    files: &[Csd],
    sources: &[(PathBuf, Vec<LabelColumn>)],
    numbering: Numbering,
    segments: &BTreeMap<i32, usize>,
) -> Result<VideoLabels, DataError> {
    let mut all = VideoLabels {
        numbering: Some(numbering),
        ..VideoLabels::default()
    };
    for (&number, &place) in segments {
        let group = &files[0].videos()[place].id;
        let labels = read_group(files, sources, group)?;
        if labels.intervals.len() != 1 {
            let place = format!("{}/data/{group}", files[0].root());
            let found = format!("{} rows", labels.intervals.len());
            return Err(DataError::structure(
                files[0].path(),
                place,
                "one row, as it is one labelled segment",
                found,
            ));
        }
        all.numbers.push(number);
        all.intervals.extend(labels.intervals);
        all.intensities.extend(labels.intensities);
        all.sentiment.extend(labels.sentiment);
    }
    Ok(all)
}

/// Reads the labels of one group.
fn read_group(
    files: &[Csd],
    sources: &[(PathBuf, Vec<LabelColumn>)],
    id: &str,
) -> Result<VideoLabels, DataError> {
    let sequences = files
        .iter()
        .map(|csd| csd.read(id))
        .collect::<Result<Vec<_>, _>>()?;
    let intervals = sequences
        .first()
        .map(|s| s.intervals.clone())
        .unwrap_or_default();
    for (csd, sequence) in files.iter().zip(&sequences).skip(1) {
        // Columns are joined row by row, so rows must have the same intervals.
        let rows = intervals.len().max(sequence.intervals.len());
        for row in 0..rows {
            let (expected, found) = (
                intervals.get(row).copied(),
                sequence.intervals.get(row).copied(),
            );
            let same = matches!((expected, found), (Some(a), Some(b)) if close(a[0], b[0]) && close(a[1], b[1]));
            if !same {
                let place = |interval: Option<[f64; 2]>| {
                    interval.map_or("no such row".to_string(), |[start, end]| {
                        format!("the interval [{start}, {end}]")
                    })
                };
                return Err(DataError::LabelFilesDiffer {
                    path: csd.path().to_path_buf(),
                    video: id.to_string(),
                    row,
                    expected: format!("{} as in {}", place(expected), files[0].path().display()),
                    found: place(found),
                });
            }
        }
    }
    let numbers = (0..intervals.len()).map(|row| row as i32).collect();
    let mut labels = VideoLabels {
        numbers,
        intervals,
        ..VideoLabels::default()
    };
    for row in 0..labels.intervals.len() {
        for ((_, columns), sequence) in sources.iter().zip(&sequences) {
            for (column, &value) in columns.iter().zip(sequence.row(row)) {
                match column {
                    LabelColumn::Sentiment => labels.sentiment.push(value),
                    LabelColumn::Emotion(_) => labels.intensities.push(value),
                }
            }
        }
    }
    Ok(labels)
}

/// Whether two times are equal up to the precision of float32 at a few hundred seconds.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-3
}
