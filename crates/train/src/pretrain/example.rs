//! Pre-training shown on one segment: `reconstruction.parquet`, one row a (frame, column).
//!
//! The segment is of the validation split, never of the test split; its frames are hidden as at
//! every validation. Writing it draws no random number of the training.

use super::Pretraining;
use crate::TrainError;
use run_record::{Column, Table};
use std::collections::BTreeMap;

/// The file, beside the encoder.
pub const EXAMPLE_FILE: &str = "reconstruction.parquet";

impl Pretraining<'_> {
    /// The segment to show: of those of the validation split the one in the middle by length.
    fn shown_segment(&self) -> Result<usize, TrainError> {
        let mut by_length: Vec<(usize, usize)> = self
            .corpus
            .fold()
            .valid
            .iter()
            .map(|&i| (self.corpus.prepared.frames(i), i))
            .collect();
        by_length.sort_unstable();
        let fold = self.corpus.fold_index;
        let middle = by_length.get(by_length.len() / 2);
        middle.map(|(_, i)| *i).ok_or(TrainError::EmptySplit {
            fold,
            split: "validation",
        })
    }

    /// The rows of `reconstruction.parquet`: input and guess in standard units, a guess where the
    /// frame was hidden.
    pub(super) fn example(&self) -> Result<Table, TrainError> {
        let segment = self.shown_segment()?;
        let masked = self.masked(&[("validation".to_string(), segment)])?;
        let input = self.corpus.gather(&[segment]);
        let guess_kc = Vec::<f32>::try_from(
            self.model
                .rebuild(&masked, false)?
                .f_to_device(tch::Device::Cpu)?
                .f_flatten(0, 1)?,
        )?;
        let rows = Vec::<i64>::try_from(&masked.hidden_rows_k.f_to_device(tch::Device::Cpu)?)?;
        let width = input.width;
        let guesses: BTreeMap<usize, &[f32]> = rows
            .iter()
            .map(|&row| row as usize)
            .zip(guess_kc.chunks_exact(width))
            .collect();
        let id = self.corpus.prepared.id(segment);
        let n = input.x_nc.len();
        let names = &self.corpus.normalisation().columns;
        let each =
            || (0..n / width).flat_map(|frame| (0..width).map(move |column| (frame, column)));
        let guess =
            |(frame, column): (usize, usize)| guesses.get(&frame).map(|of| f64::from(of[column]));
        Ok(Table::new()
            .with("video", Column::Text(vec![id.video.clone(); n]))
            .with("segment", Column::I32(vec![id.segment; n]))
            .with(
                "frame",
                Column::I32(each().map(|(frame, _)| frame as i32).collect()),
            )
            .with(
                "column",
                Column::Text(each().map(|(_, column)| names[column].clone()).collect()),
            )
            .with("input", Column::F32(input.x_nc))
            .with(
                "hidden",
                Column::Bool(
                    each()
                        .map(|(frame, _)| guesses.contains_key(&frame))
                        .collect(),
                ),
            )
            .with("guess", Column::OptionF64(each().map(guess).collect())))
    }
}
