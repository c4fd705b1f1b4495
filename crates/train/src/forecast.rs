//! How long training takes on this machine, before anything has been trained: a few steps of the study's own model, timed.

use crate::plan::PREPARED_FOLDER;
use crate::{Study, TrainError};
use backbone::{Encoder, Layout, ReconstructionHead, Source};
use mosei_data::Prepared;
use mosei_schema::{COVAREP_COLUMNS, COVAREP_RATE_HZ};
use run_record::seed::{Stream, rng_named};
use std::path::Path;
use std::time::Instant;
use tch::{Device, Kind, Tensor};
use torch_ext::{AdamW, AdamWConfig};

/// Segments of a timed batch, and timed steps: together a fraction of a second for a model of usual size.
const SEGMENTS: usize = 8;
const STEPS: u32 = 3;

/// Seconds that a training step of the study takes for each segment of its batch, on this processor and with the study's
/// threads; `None` where it trains elsewhere.
///
/// The data are noise of about the shape of the study's: what a run has prepared tells it, or the configuration does.
pub fn seconds_per_segment(study: &Study, run: &Path) -> Result<Option<f64>, TrainError> {
    if study.device != "cpu" {
        return Ok(None);
    }
    tch::set_num_threads(study.threads as i32);
    let (frames, columns) = shape(study, run);
    let mut source = Source::draw(|name: &str| rng_named(0, Stream::Init, name));
    let encoder = Encoder::new(&study.encoder, columns, study.data.max_frames, &mut source, Device::Cpu)?;
    let head = ReconstructionHead::new(study.encoder.model_dim, columns, &mut source, Device::Cpu)?;
    let named = encoder.parameters().entries().iter().chain(head.parameters().entries());
    let config = AdamWConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
    let mut optimiser = AdamW::new(config, named.map(|(_, t)| t.shallow_clone()).collect());
    let offsets: Vec<i64> = (0..=SEGMENTS).map(|i| (i * frames) as i64).collect();
    let layout = Layout::new(&offsets, Device::Cpu)?;
    let x_nc = Tensor::f_ones([(SEGMENTS * frames) as i64, columns as i64], (Kind::Float, Device::Cpu))?;
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
    Ok(Some(began.elapsed().as_secs_f64() / f64::from(STEPS) / SEGMENTS as f64))
}

/// Frames of a usual segment, and columns.
fn shape(study: &Study, run: &Path) -> (usize, usize) {
    if let Ok(prepared) = Prepared::open(&run.join(PREPARED_FOLDER)) {
        let counts = &prepared.manifest().counts;
        let frames = counts.frames.stored / (counts.segments.kept as u64).max(1);
        return ((frames as usize).max(1), prepared.columns().len());
    }
    let most = study.data.max_frames;
    let frames = match &study.synth {
        Some(synth) => (synth.median_segment_s * COVAREP_RATE_HZ / study.data.pool_frames as f64) as usize,
        None => most / 2,
    };
    (frames.clamp(1, most), COVAREP_COLUMNS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_timed_on_the_processor_alone() {
        let study = |text: &str| Study::parse(Path::new("s.toml"), text).unwrap();
        let nowhere = Path::new("nowhere");
        let seconds =
            seconds_per_segment(&study("[synth]\n[encoder]\nmodel_dim = 8\nheads = 1\nlayers = 1\n"), nowhere);
        assert!(seconds.unwrap().is_some_and(|s| s > 0.0 && s.is_finite()));
        assert_eq!(shape(&study("[synth]\nmedian_segment_s = 3.0\n[data]\npool_frames = 10\n"), nowhere), (30, 74));
        assert_eq!(shape(&study("[data]\nmax_frames = 80\n"), nowhere), (40, 74));
        assert_eq!(seconds_per_segment(&study("device = \"cuda\"\n"), nowhere).unwrap(), None);
    }
}
