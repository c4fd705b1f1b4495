//! The segment that a pre-training rebuilt, as the report shows it.

use crate::StudyError;
use report::{RebuiltColumn, Reconstruction};
use run_record::Table;
use std::path::Path;

/// Reads the table; `encoder` names it, `frame_s` is the time from
/// frame to frame.
///
/// # Errors
/// A file that is no such table.
pub(super) fn read(
    path: &Path,
    encoder: &str,
    frame_s: Option<f64>,
) -> Result<Reconstruction, StudyError> {
    let table = Table::read(path)?;
    let (video, segment) = (table.text(path, "video")?, table.i32(path, "segment")?);
    let (frame, column) = (table.i32(path, "frame")?, table.text(path, "column")?);
    let (input, hidden) = (table.f32(path, "input")?, table.bool(path, "hidden")?);
    let guess = table.option_f64(path, "guess")?;
    let of = video
        .first()
        .zip(segment.first())
        .map(|(video, row)| format!(", validation segment {video}[{row}]"));
    let mut out = Reconstruction {
        name: format!("{encoder}{}", of.unwrap_or_default()),
        frame_s,
        ..Default::default()
    };
    for i in 0..table.rows() {
        if frame[i] as usize == out.hidden.len() {
            out.hidden.push(hidden[i]);
        }
        let at = out
            .columns
            .iter()
            .position(|c| c.name == column[i])
            .unwrap_or_else(|| {
                out.columns.push(RebuiltColumn {
                    name: column[i].clone(),
                    ..RebuiltColumn::default()
                });
                out.columns.len() - 1
            });
        out.columns[at].input.push(f64::from(input[i]));
        out.columns[at].guess.push(guess[i]);
    }
    Ok(out)
}
