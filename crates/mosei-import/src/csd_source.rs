//! Computational sequences with one group per segment (`VIDEO[3]`), as CMU's SDK writes them after
//! alignment, or per video.

use crate::ImportError;
use crate::frame_store::FrameWriter;
use crate::frames::{begin_recording, require_columns};
use crate::labels::{LabelRow, Labels, check_names};
use crate::mapping::Mapping;
use crate::recording_ids::SegmentRef;
use crate::scale::{Scale, require_a_label_beside_sentiment};
use mosei_data::{Csd, feature_columns, label_columns};

/// Reads all frames in order of time; returns the names of the columns.
pub(crate) fn features(
    csd: &Csd,
    mapping: &Mapping,
    frame_writer: &mut FrameWriter,
) -> Result<Vec<String>, ImportError> {
    let path = csd.path();
    require_columns(path, frame_writer, csd.width())?;
    for video in csd.videos() {
        let sequence = csd.read(&video.id)?;
        let mut rows: Vec<usize> = (0..sequence.intervals.len()).collect();
        rows.sort_by(|&a, &b| sequence.intervals[a][0].total_cmp(&sequence.intervals[b][0]));
        let mut last = f64::NEG_INFINITY;
        for row in rows {
            let [start, end] = sequence.intervals[row].map(|t| mapping.features.unit.seconds(t));
            if start <= last || end <= start {
                let place = format!("'{}', row {row}", video.id);
                let expected = "frames with increasing starts, each longer than 0 s";
                return Err(ImportError::table(
                    path,
                    place,
                    expected,
                    format!("[{start}, {end}] after {last}"),
                ));
            }
            last = start;
            let at = begin_recording(path, &video.id, &video.id, None, &video.id, frame_writer)?;
            frame_writer.push(at, start, end, sequence.row(row))?;
        }
    }
    Ok(feature_columns(csd))
}

/// Reads all labelled segments.
pub(crate) fn labels(csd: &Csd, mapping: &Mapping) -> Result<Labels, ImportError> {
    let path = csd.path();
    let names = match (label_columns(csd), &mapping.labels.names) {
        (_, Some(names)) if names.len() == csd.width() => names.clone(),
        (Some(columns), None) => columns,
        _ => {
            let expected = format!(
                "{} names of columns ('names' under [labels] of a mapping file)",
                csd.width()
            );
            return Err(ImportError::table(
                path,
                csd.root(),
                expected,
                "other names, or none",
            ));
        }
    };
    check_names(path, &names)?;
    let mut labels = Labels {
        path: path.to_path_buf(),
        names,
        on_video_axis: Some(true),
        ..Labels::default()
    };
    require_a_label_beside_sentiment(path, &labels.names)?;
    let scale = Scale::of(&mapping.labels);
    for video in csd.videos() {
        let sequence = csd.read(&video.id)?;
        for (row, interval) in sequence.intervals.iter().enumerate() {
            let place = format!("'{}', row {row}", video.id);
            for (label, &x) in labels.names.iter().zip(sequence.row(row)) {
                labels
                    .values
                    .push(
                        scale
                            .intensity(f64::from(x), label)
                            .map_err(|[low, high]| {
                                let place = format!("{place}, column '{label}'");
                                ImportError::table(
                                    path,
                                    place,
                                    format!("a label in [{low}, {high}]"),
                                    format!("{x}"),
                                )
                            })?,
                    );
            }
            let segment = SegmentRef::of(&video.id);
            let name = segment
                .as_ref()
                .map_or_else(|| video.id.clone(), |part| part.video.clone());
            let time = Some(interval.map(|t| mapping.labels.unit.seconds(t)));
            labels.rows.push(LabelRow {
                name,
                segment,
                time,
                speaker: None,
                split: None,
                found_by_time: false,
                place,
            });
        }
    }
    labels.clipped = scale.clipped();
    Ok(labels)
}
