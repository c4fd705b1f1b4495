//! Computational sequences whose videos are segments (`VIDEO[3]`), as CMU's SDK writes them after alignment, or videos.

use super::frames::{begin_called, require_columns};
use super::labels::{LabelRow, Labels, check_names, intensity_of};
use super::mapping::Mapping;
use super::names::Part;
use super::scratch::Scratch;
use crate::labels::label_columns;
use crate::{Csd, DataError, feature_columns};
use std::path::Path;

/// Takes all frames, in order of time; names of the columns.
pub(super) fn features(path: &Path, mapping: &Mapping, scratch: &mut Scratch) -> Result<Vec<String>, DataError> {
    let csd = Csd::open(path)?;
    require_columns(path, scratch, csd.width())?;
    for video in csd.videos() {
        let sequence = csd.read(&video.id)?;
        let mut rows: Vec<usize> = (0..sequence.intervals.len()).collect();
        rows.sort_by(|&a, &b| sequence.intervals[a][0].total_cmp(&sequence.intervals[b][0]));
        let mut last = f64::NEG_INFINITY;
        let (mut first, mut latest) = (f64::INFINITY, f64::NEG_INFINITY);
        for row in rows {
            let [start, end] = sequence.intervals[row].map(|t| mapping.features.unit.seconds(t));
            if start <= last || end <= start {
                let place = format!("'{}', row {row}", video.id);
                let expected = "frames that begin one after another, each with some length";
                return Err(DataError::table(path, place, expected, format!("[{start}, {end}] after {last}")));
            }
            last = start;
            let at = begin_called(path, &video.id, &video.id, None, &video.id, scratch)?;
            scratch.push(at, start, end, sequence.row(row))?;
            // The SDK keeps the video's times.
            first = first.min(start);
            latest = latest.max(end);
            scratch.place_on_video(at, [first, latest]);
        }
    }
    Ok(feature_columns(&csd))
}

/// All labelled segments.
pub(super) fn labels(path: &Path, mapping: &Mapping) -> Result<Labels, DataError> {
    let csd = Csd::open(path)?;
    let names = match (label_columns(&csd), &mapping.labels.names) {
        (_, Some(names)) if names.len() == csd.width() => names.clone(),
        (Some(columns), None) => columns.iter().map(|c| c.name().to_string()).collect(),
        _ => {
            let expected = format!("{} names of columns ('names' under [labels] of a mapping file)", csd.width());
            return Err(DataError::table(path, csd.root(), expected, "others, or none"));
        }
    };
    check_names(path, &names)?;
    let mut labels = Labels { path: path.to_path_buf(), names, rows: Vec::new(), values: Vec::new(), speakers: false };
    for video in csd.videos() {
        let sequence = csd.read(&video.id)?;
        for (row, interval) in sequence.intervals.iter().enumerate() {
            let place = format!("'{}', row {row}", video.id);
            for (label, &x) in labels.names.iter().zip(sequence.row(row)) {
                labels.values.push(intensity_of(f64::from(x), label, mapping.labels.range).map_err(
                    |[low, high]| {
                        let place = format!("{place}, column '{label}'");
                        DataError::table(path, place, format!("a label in [{low}, {high}]"), format!("{x}"))
                    },
                )?);
            }
            let segment = Part::of(&video.id);
            let name = segment.as_ref().map_or_else(|| video.id.clone(), |part| part.video.clone());
            let time = Some(interval.map(|t| mapping.labels.unit.seconds(t)));
            labels.rows.push(LabelRow { name, segment, time, speaker: None, split: None, place, on_video: true });
        }
    }
    Ok(labels)
}
