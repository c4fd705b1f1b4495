//! The data of the training step, as `step_data` writes them.

use backbone::EncoderConfig;
use safetensors::tensor::{SafeTensors, TensorView};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use tch::Tensor;

/// The content of a file of `step_data`.
pub struct StepData {
    /// The encoder's shape; dropout as by default.
    pub encoder: EncoderConfig,
    /// Columns C of a frame.
    pub columns: usize,
    /// Frames of the longest segment that there may be.
    pub max_frames: usize,
    /// First weights of encoder and head by name.
    pub weights: BTreeMap<String, Tensor>,
    batches: Vec<StepBatch>,
}

/// Segments one behind the other.
pub struct StepBatch {
    /// Frames of each segment.
    pub lengths: Vec<usize>,
    /// All frames, `[N, C]` row-major, none of them hidden yet.
    pub frames_nc: Vec<f32>,
    /// Whether each frame is to be hidden, `[N]`.
    pub hidden_n: Vec<bool>,
}

#[derive(Deserialize)]
struct Shape {
    model_dim: usize,
    heads: usize,
    layers: usize,
    feedforward_dim: usize,
    columns: usize,
    max_frames: usize,
}

impl StepData {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or that `step_data` did not write.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get("encoder"))
            .ok_or("no 'encoder' in the metadata")?;
        let shape: Shape = serde_json::from_str(text)?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let lengths_view = tensors.tensor("lengths")?;
        let lengths: Vec<usize> = numbers(&lengths_view, i64::from_le_bytes)
            .into_iter()
            .map(|l| l as usize)
            .collect();
        let frames = numbers(&tensors.tensor("frames")?, f32::from_le_bytes);
        let hidden = tensors.tensor("hidden")?;
        let segments = lengths_view.shape().get(1).copied().unwrap_or(0).max(1);
        let total: usize = lengths.iter().sum();
        if hidden.data().len() != total || frames.len() != total * shape.columns {
            return Err(format!(
                "{}: lengths, frames and hidden frames do not fit together",
                path.display()
            )
            .into());
        }
        let (mut batches, mut from) = (Vec::new(), 0);
        for lengths in lengths.chunks(segments) {
            let to = from + lengths.iter().sum::<usize>();
            batches.push(StepBatch {
                lengths: lengths.to_vec(),
                frames_nc: frames[from * shape.columns..to * shape.columns].to_vec(),
                hidden_n: hidden.data()[from..to].iter().map(|&h| h != 0).collect(),
            });
            from = to;
        }
        let mut weights = BTreeMap::new();
        for (name, view) in tensors.tensors() {
            if !["lengths", "frames", "hidden"].contains(&name.as_str()) {
                let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
                let tensor =
                    Tensor::f_from_slice(&numbers(&view, f32::from_le_bytes))?.f_reshape(shape)?;
                weights.insert(name, tensor);
            }
        }
        let encoder = EncoderConfig {
            model_dim: shape.model_dim,
            heads: shape.heads,
            layers: shape.layers,
            feedforward_dim: shape.feedforward_dim,
            ..EncoderConfig::default()
        };
        Ok(StepData {
            encoder,
            columns: shape.columns,
            max_frames: shape.max_frames,
            weights,
            batches,
        })
    }

    /// The batch of a step, from 0.
    ///
    /// # Panics
    /// Where the file has no batches.
    pub fn batch(&self, step: usize) -> &StepBatch {
        &self.batches[step % self.batches.len()]
    }
}

/// The numbers of a tensor, N bytes each.
fn numbers<T, const N: usize>(view: &TensorView<'_>, number: fn([u8; N]) -> T) -> Vec<T> {
    view.data()
        .as_chunks::<N>()
        .0
        .iter()
        .map(|bytes| number(*bytes))
        .collect()
}
