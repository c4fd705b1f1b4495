//! How long a training step takes on this machine: a few steps of a model, timed.

use crate::TrainError;
use backbone::{Encoder, EncoderConfig, Layout, ReconstructionHead, Source};
use run_record::seed::{Stream, rng_named};
use std::time::Instant;
use tch::{Device, Kind, Tensor};
use torch_ext::{AdamW, AdamWConfig};

/// Segments of a timed batch, and timed steps: together a fraction of a second for a model of usual
/// size.
const SEGMENTS: usize = 8;
const STEPS: u32 = 3;

/// Seconds of a pre-training step on the CPU for each segment of its batch, with `threads` threads.
///
/// The batch is constant, [B F, C]: B segments of F = `frames` frames and C = `columns` columns. An
/// encoder takes at most `max_frames` frames.
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
    let encoder = Encoder::new(config, columns, max_frames, &mut source, Device::Cpu)?;
    let head = ReconstructionHead::new(config.model_dim, columns, &mut source, Device::Cpu)?;
    let named = encoder
        .parameters()
        .entries()
        .iter()
        .chain(head.parameters().entries());
    let adamw = AdamWConfig {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
    };
    let mut optimiser = AdamW::new(adamw, named.map(|(_, t)| t.shallow_clone()).collect());
    let offsets: Vec<i64> = (0..=SEGMENTS).map(|i| (i * frames) as i64).collect();
    let layout = Layout::new(&offsets, Device::Cpu)?;
    let x_nc = Tensor::f_ones(
        [(SEGMENTS * frames) as i64, columns as i64],
        (Kind::Float, Device::Cpu),
    )?;
    let mut step = || -> Result<(), TrainError> {
        let rebuilt = head.forward(&encoder.forward(&x_nc, &layout, true)?)?;
        torch_ext::clear_gradients(optimiser.parameters())?;
        rebuilt.f_square()?.f_mean(Kind::Float)?.f_backward()?;
        Ok(optimiser.step(&vec![0.0; optimiser.parameters().len()])?)
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
