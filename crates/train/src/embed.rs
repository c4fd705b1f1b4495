//! What an encoder makes of segments, for other programs.

use crate::{Corpus, TrainError};
use backbone::{Encoder, EncoderFolder};
use run_record::{Column, Table, TableWriter};
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// One row a frame, or one row a segment (the mean over its frames).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedLevel {
    /// A row a frame.
    Frame,
    /// A row a segment: `frame` is -1.
    Segment,
}

/// Writes `video, segment, frame, h0 … h{D-1}` (and, where asked, the standardised input `x0 … x{C-1}`) of every
/// segment that has frames, in evaluation mode. Returns the number of rows.
pub fn embed(
    encoder_folder: &Path,
    prepared: &Path,
    device: Device,
    level: EmbedLevel,
    with_input: bool,
    out: &Path,
) -> Result<usize, TrainError> {
    run_record::check_sums(encoder_folder)?;
    let folder = EncoderFolder::read(encoder_folder)?;
    let encoder = folder.encoder(device)?;
    let mut corpus = Corpus::open(prepared, 0, device)?;
    corpus.normalised_by(&folder.normalisation)?;
    let segments: Vec<usize> = (0..corpus.prepared.len()).filter(|&i| corpus.prepared.frames(i) > 0).collect();
    let mut writer = TableWriter::create(out)?;
    let mut rows = 0;
    for chunk in segments.chunks(32) {
        let part = tch::no_grad(|| embed_batch(&encoder, &corpus, chunk, level, with_input))?;
        rows += part.rows();
        writer.append(&part)?;
    }
    writer.finish()?;
    Ok(rows)
}

fn embed_batch(
    encoder: &Encoder,
    corpus: &Corpus,
    segments: &[usize],
    level: EmbedLevel,
    with_input: bool,
) -> Result<Table, TrainError> {
    let batch = corpus.gather(segments);
    let (x_nc, layout) = corpus.tensors(&batch)?;
    let mut h = encoder.forward(&x_nc, &layout, false)?;
    let mut x = x_nc;
    let spans: Vec<(i64, i64)> = batch.offsets.windows(2).map(|w| (w[0], w[1])).collect();
    if level == EmbedLevel::Segment {
        let mean = |t: &Tensor| -> Result<Tensor, TrainError> {
            let rows: Result<Vec<Tensor>, tch::TchError> = spans
                .iter()
                .map(|&(from, to)| t.f_slice(0, from, to, 1)?.f_mean_dim(&[0i64][..], false, Kind::Float))
                .collect();
            Ok(Tensor::f_stack(&rows?, 0)?)
        };
        (h, x) = (mean(&h)?, mean(&x)?);
    }
    let (mut videos, mut rows_of, mut frames) = (Vec::new(), Vec::new(), Vec::new());
    for (&segment, &(from, to)) in segments.iter().zip(&spans) {
        let id = corpus.prepared.id(segment);
        let places = if level == EmbedLevel::Frame { 0..(to - from) as i32 } else { -1..0 };
        for frame in places {
            videos.push(id.video.clone());
            rows_of.push(id.segment);
            frames.push(frame);
        }
    }
    let table = Table::new()
        .with("video", Column::Text(videos))
        .with("segment", Column::I32(rows_of))
        .with("frame", Column::I32(frames));
    let table = with_columns(table, "h", &h)?;
    if with_input { with_columns(table, "x", &x) } else { Ok(table) }
}

fn with_columns(mut table: Table, prefix: &str, values: &Tensor) -> Result<Table, TrainError> {
    let values = values.f_to_device(Device::Cpu)?.f_transpose(0, 1)?.f_contiguous()?;
    let (columns, rows) = values.size2()?;
    let flat = Vec::<f32>::try_from(&values.f_reshape([-1])?)?;
    for (i, column) in flat.chunks(rows.max(1) as usize).take(columns as usize).enumerate() {
        table = table.with(format!("{prefix}{i}"), Column::F32(column.to_vec()));
    }
    Ok(table)
}
