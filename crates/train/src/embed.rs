//! The outputs of an encoder for segments, for other programs.

use crate::model::require_kept;
use crate::model_data::{ModelData, Part};
use crate::{InputFacts, TrainError};
use backbone::{EncoderFolder, Layout};
use run_record::{Column, Table, TableFile};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// One row a frame, or one row a segment (the mean over its frames).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedLevel {
    /// A row a frame.
    Frame,
    /// A row a segment: `frame` is -1.
    Segment,
}

/// Writes `video, segment, frame, h0 … h{D-1}` (and, where asked, the standardised input `x0 …
/// x{C-1}`), in evaluation mode, of every segment of a prepared folder, or of every piece of every
/// recording of a features file (.csd), as [`crate::predict`] cuts them. `folder` is an encoder's,
/// or a model's, whose encoder is then taken. Returns the number of rows.
///
/// # Errors
/// A folder that is no encoder's, or altered; data without one of its columns, or with another
/// number of frames a second.
pub fn embed(
    folder: &Path,
    data: &Path,
    device: Device,
    level: EmbedLevel,
    with_input: bool,
    out: &[PathBuf],
) -> Result<usize, TrainError> {
    require_kept(folder)?;
    run_record::check_sums(folder)?;
    let inner = folder.join("encoder");
    let encoder_folder = if inner.is_dir() {
        inner.as_path()
    } else {
        folder
    };
    let read = EncoderFolder::read(encoder_folder)?;
    let encoder = read.encoder(device)?;
    let data = ModelData::open(
        data,
        &read.normalisation,
        InputFacts::read(encoder_folder)?,
        read.max_frames,
    )?;
    let mut files = out
        .iter()
        .map(|path| TableFile::create(path))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = 0;
    data.each_batch(device, &mut |parts, x_nc, layout| {
        let h_nd = encoder.forward(x_nc, layout, false)?;
        let table = table_of(parts, &h_nd, with_input.then_some(x_nc), layout, level)?;
        rows += table.rows();
        files
            .iter_mut()
            .try_for_each(|file| file.append(&table).map_err(TrainError::from))
    })?;
    for file in files {
        file.finish()?;
    }
    Ok(rows)
}

/// The rows of a batch: the encoder's output [N, D], and its input [N, C] where that is
/// asked for.
fn table_of(
    parts: &[Part],
    h_nd: &Tensor,
    x_nc: Option<&Tensor>,
    layout: &Layout,
    level: EmbedLevel,
) -> Result<Table, TrainError> {
    let lengths = layout.lengths();
    let by_level = |t: &Tensor| -> Result<Tensor, TrainError> {
        if level == EmbedLevel::Frame {
            return Ok(t.shallow_clone());
        }
        let segments = t.f_split_with_sizes(lengths, 0)?;
        let means = segments
            .iter()
            .map(|s| s.f_mean_dim(&[0i64][..], false, Kind::Float));
        Ok(Tensor::f_stack(&means.collect::<Result<Vec<_>, _>>()?, 0)?)
    };
    let (mut videos, mut segments, mut frames) = (Vec::new(), Vec::new(), Vec::new());
    for (part, &length) in parts.iter().zip(lengths) {
        let places = if level == EmbedLevel::Frame {
            0..length as i32
        } else {
            -1..0
        };
        for frame in places {
            videos.push(part.id.video.clone());
            segments.push(part.id.segment);
            frames.push(frame);
        }
    }
    let table = Table::new()
        .with("video", Column::Text(videos))
        .with("segment", Column::I32(segments))
        .with("frame", Column::I32(frames));
    let table = with_columns(table, "h", &by_level(h_nd)?)?;
    match x_nc {
        Some(x_nc) => with_columns(table, "x", &by_level(x_nc)?),
        None => Ok(table),
    }
}

fn with_columns(mut table: Table, prefix: &str, values: &Tensor) -> Result<Table, TrainError> {
    let values = values
        .f_to_device(Device::Cpu)?
        .f_transpose(0, 1)?
        .f_contiguous()?;
    let (columns, rows) = values.size2()?;
    let flat = Vec::<f32>::try_from(&values.f_reshape([-1])?)?;
    for (i, column) in flat
        .chunks(rows.max(1) as usize)
        .take(columns as usize)
        .enumerate()
    {
        table = table.with(format!("{prefix}{i}"), Column::F32(column.to_vec()));
    }
    Ok(table)
}
