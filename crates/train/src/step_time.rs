//! How long a training step takes on this machine: a few steps of a model, timed.

use crate::TrainError;
use crate::reconstruction::{MaskedBatch, Reconstruction, optimiser, update};
use backbone::{EncoderConfig, Layout, Source};
use run_record::seed::{Stream, rng_named};
use ssl_mask::ReconstructionLoss;
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Segments of a timed batch, and timed steps: together a fraction of a second for a model of usual
/// size.
const SEGMENTS: usize = 8;
const STEPS: u32 = 3;

/// Seconds of a pre-training step on the CPU for each segment of its batch, with `threads` threads.
///
/// The batch is constant, [B F, C]: B segments of F = `frames` frames and C = `columns` columns, a
/// third of the frames hidden. An encoder takes at most `max_frames` frames.
///
/// # Errors
/// A shape that cannot be built.
pub fn step_seconds(
    config: &EncoderConfig,
    frames: usize,
    columns: usize,
    max_frames: usize,
    threads: usize,
) -> Result<f64, TrainError> {
    tch::set_num_threads(threads as i32);
    let mut source = Source::draw(|name: &str| rng_named(0, Stream::Init, name));
    let model = Reconstruction::new(config, columns, max_frames, &mut source, Device::Cpu)?;
    let parameters = model.parameters().into_iter().map(|(_, t)| t).collect();
    let mut optimiser = optimiser(parameters, 0.0);
    let rates = vec![0.0; optimiser.parameters().len()];
    let offsets: Vec<i64> = (0..=SEGMENTS).map(|i| (i * frames) as i64).collect();
    let rows = (SEGMENTS * frames) as i64;
    let hidden: Vec<i64> = (0..rows).step_by(3).collect();
    let float = (Kind::Float, Device::Cpu);
    let batch = MaskedBatch {
        x_nc: Tensor::f_ones([rows, columns as i64], float)?,
        learned_n1: None,
        hidden_rows_k: Tensor::f_from_slice(&hidden)?,
        target_kc: Tensor::f_zeros([hidden.len() as i64, columns as i64], float)?,
        layout: Layout::new(&offsets, Device::Cpu)?,
    };
    let mut step = || -> Result<(), TrainError> {
        let loss = model.loss(&batch, ReconstructionLoss::SmoothL1, true)?;
        update(&mut optimiser, &loss, 1.0, &rates).map(drop)
    };
    // The first also asks for memory, and chooses kernels.
    step()?;
    let began = Instant::now();
    for _ in 0..STEPS {
        step()?;
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(STEPS) / SEGMENTS as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_time() {
        let config = EncoderConfig {
            model_dim: 8,
            heads: 1,
            layers: 1,
            ..EncoderConfig::default()
        };
        let seconds = step_seconds(&config, 30, 74, 40, 1).unwrap();
        assert!(seconds > 0.0 && seconds.is_finite());
    }
}
