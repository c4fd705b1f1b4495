//! What pre-training is about, shown on one segment: `reconstruction.parquet`, one row a (frame, column).
//!
//! The segment is of the validation split, never of the test split; its frames are hidden as at every look at the validation
//! data. Writing it takes no random number of the training's.

use super::Pretraining;
use crate::TrainError;
use report::{RebuiltColumn, Reconstruction};
use run_record::{Column, Table};
use std::collections::BTreeMap;
use std::path::Path;

/// The file, beside the encoder.
pub(crate) const EXAMPLE_FILE: &str = "reconstruction.parquet";

impl Pretraining<'_> {
    /// The segment to show: of those of the validation split the one in the middle by length.
    fn shown_segment(&self) -> Result<usize, TrainError> {
        let mut by_length: Vec<(usize, usize)> =
            self.corpus.fold().valid.iter().map(|&i| (self.corpus.prepared.frames(i), i)).collect();
        by_length.sort_unstable();
        let fold = self.corpus.fold_index;
        let middle = by_length.get(by_length.len() / 2);
        middle.map(|(_, i)| *i).ok_or(TrainError::EmptySplit { fold, split: "validation" })
    }

    /// The rows of `reconstruction.parquet`: input and guess in standard units, a guess where the frame was hidden.
    pub(super) fn example(&self) -> Result<Table, TrainError> {
        let segment = self.shown_segment()?;
        let masked = self.masked(&[("validation".to_string(), segment)])?;
        let input = self.corpus.gather(&[segment]);
        let guess_kc =
            Vec::<f32>::try_from(self.rebuilt(&masked, false)?.f_to_device(tch::Device::Cpu)?.f_flatten(0, 1)?)?;
        let rows = Vec::<i64>::try_from(&masked.hidden_rows_k.f_to_device(tch::Device::Cpu)?)?;
        let width = input.width;
        let guesses: BTreeMap<usize, &[f32]> =
            rows.iter().map(|&row| row as usize).zip(guess_kc.chunks_exact(width)).collect();
        let id = self.corpus.prepared.id(segment);
        let n = input.x_nc.len();
        let names = &self.corpus.normalisation().columns;
        let each = || (0..n / width).flat_map(|frame| (0..width).map(move |column| (frame, column)));
        let guess = |(frame, column): (usize, usize)| guesses.get(&frame).map(|of| f64::from(of[column]));
        Ok(Table::new()
            .with("video", Column::Text(vec![id.video.clone(); n]))
            .with("segment", Column::I32(vec![id.segment; n]))
            .with("frame", Column::I32(each().map(|(frame, _)| frame as i32).collect()))
            .with("column", Column::Text(each().map(|(_, column)| names[column].clone()).collect()))
            .with("input", Column::F32(input.x_nc))
            .with("hidden", Column::Bool(each().map(|(frame, _)| guesses.contains_key(&frame)).collect()))
            .with("guess", Column::OptionF64(each().map(guess).collect())))
    }
}

/// Reads what a pre-training left; `encoder` names it, `frame_s` is the time from frame to frame.
///
/// # Errors
/// A file that is no such table.
pub(crate) fn read_example(path: &Path, encoder: &str, frame_s: Option<f64>) -> Result<Reconstruction, TrainError> {
    let table = Table::read(path)?;
    let (video, segment) = (table.text(path, "video")?, table.i32(path, "segment")?);
    let (frame, column) = (table.i32(path, "frame")?, table.text(path, "column")?);
    let (input, hidden) = (table.f32(path, "input")?, table.bool(path, "hidden")?);
    let guess = table.option_f64(path, "guess")?;
    let of = video.first().zip(segment.first()).map(|(video, row)| format!(", validation segment {video}[{row}]"));
    let mut out =
        Reconstruction { name: format!("{encoder}{}", of.unwrap_or_default()), frame_s, ..Default::default() };
    for i in 0..table.rows() {
        if frame[i] as usize == out.hidden.len() {
            out.hidden.push(hidden[i]);
        }
        let at = out.columns.iter().position(|c| c.name == column[i]).unwrap_or_else(|| {
            out.columns.push(RebuiltColumn { name: column[i].clone(), ..RebuiltColumn::default() });
            out.columns.len() - 1
        });
        out.columns[at].input.push(f64::from(input[i]));
        out.columns[at].guess.push(guess[i]);
    }
    Ok(out)
}
