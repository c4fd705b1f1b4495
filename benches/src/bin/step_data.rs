//! Writes the data of the training step, `benches/README.md` tells which: lengths, frames, hidden
//! frames, first weights.
//!
//! Ours and all peers read this one file, so that they do the same work on the same numbers.

use backbone::{Encoder, EncoderConfig, ReconstructionHead, Source};
use clap::Parser;
use rand::{Rng, RngExt};
use run_record::seed::{Stream, rng, rng_named};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::json;
use ssl_mask::{MaskConfig, Masker};
use std::collections::HashMap;
use std::error::Error;
use std::f32::consts::TAU;
use std::path::PathBuf;
use tch::{Device, Kind, Tensor};

/// Quantiles of the durations of MOSEI's labelled segments, in seconds.
const SEGMENT_SECONDS: &str = include_str!("../segment_seconds.txt");
const COLUMNS: usize = 74;
/// Slow movements that all columns are mixed from.
const SOURCES: usize = 8;

/// Writes the data of the training step.
#[derive(Parser)]
struct Arguments {
    /// The safetensors file to write.
    #[arg(long)]
    out: PathBuf,
    /// Batches.
    #[arg(long, default_value_t = 16)]
    batches: usize,
    /// Segments of a batch.
    #[arg(long, default_value_t = 32)]
    batch_segments: usize,
    /// Longer segments are cut to so many frames.
    #[arg(long, default_value_t = 500)]
    max_frames: usize,
    /// Frames a second, after pooling over time.
    #[arg(long, default_value_t = 100.0)]
    frame_rate: f64,
    /// Every segment has max_frames frames.
    #[arg(long)]
    equal: bool,
    /// Width of the encoder; heads have 16 columns, and the inner width is four times the width.
    #[arg(long, default_value_t = 128)]
    width: usize,
    /// Layers of the encoder.
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Seed of everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let a = Arguments::parse();
    let lengths = lengths(&a)?;
    let masker = Masker::new(&MaskConfig::default())?;
    let mixing = mixing(&mut rng(a.seed, Stream::Synth, 0));
    let (mut frames, mut hidden) = (Vec::new(), Vec::new());
    for (i, &length) in lengths.iter().enumerate() {
        segment(
            &mixing,
            length,
            &mut rng(a.seed, Stream::Synth, 2 + i as u64),
            &mut frames,
        );
        let from = hidden.len();
        hidden.resize(from + length, 0u8);
        for frame in masker
            .draw(length, &mut rng(a.seed, Stream::Mask, i as u64))
            .frames()
        {
            hidden[from + frame] = 1;
        }
    }
    let mut tensors = vec![
        (
            "lengths".to_string(),
            Dtype::I64,
            vec![a.batches, a.batch_segments],
            lengths
                .iter()
                .flat_map(|&l| (l as i64).to_le_bytes())
                .collect(),
        ),
        (
            "frames".to_string(),
            Dtype::F32,
            vec![hidden.len(), COLUMNS],
            bytes(&frames),
        ),
        ("hidden".to_string(), Dtype::U8, vec![hidden.len()], hidden),
    ];
    let config = EncoderConfig {
        model_dim: a.width,
        heads: a.width / 16,
        layers: a.layers,
        feedforward_dim: 4 * a.width,
        ..EncoderConfig::default()
    };
    tensors.extend(weights(&config, a.max_frames, a.seed)?);
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .map(|(name, kind, shape, data)| {
            Ok((name.as_str(), TensorView::new(*kind, shape.clone(), data)?))
        })
        .collect::<Result<_, safetensors::SafeTensorError>>()?;
    let encoder = json!({
        "model_dim": config.model_dim, "heads": config.heads, "layers": config.layers,
        "feedforward_dim": config.feedforward_dim, "columns": COLUMNS, "max_frames": a.max_frames,
    });
    let metadata = HashMap::from([("encoder".to_string(), encoder.to_string())]);
    serialize_to_file(views, Some(metadata), &a.out)?;
    let total: usize = lengths.iter().sum();
    eprintln!(
        "{} segments, {:.1} frames on average",
        lengths.len(),
        total as f64 / lengths.len() as f64
    );
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Frames of each segment: MOSEI's durations, each quantile equally likely.
fn lengths(a: &Arguments) -> Result<Vec<usize>, Box<dyn Error>> {
    let seconds: Vec<f64> = SEGMENT_SECONDS
        .lines()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let mut rng = rng(a.seed, Stream::Synth, 1);
    let mut draw = || {
        let frames = (seconds[rng.random_range(0..seconds.len())] * a.frame_rate).round() as usize;
        if a.equal {
            a.max_frames
        } else {
            frames.clamp(1, a.max_frames)
        }
    };
    Ok((0..a.batches * a.batch_segments).map(|_| draw()).collect())
}

/// How much of each source is in each column, so that columns have a variance of about 1.
fn mixing(rng: &mut impl Rng) -> Vec<[f32; SOURCES]> {
    let scale = (6.0 / SOURCES as f32).sqrt();
    (0..COLUMNS)
        .map(|_| std::array::from_fn(|_| rng.random_range(-scale..scale)))
        .collect()
}

/// The frames of a segment: slow sines, mixed, with a little noise.
fn segment(mixing: &[[f32; SOURCES]], length: usize, rng: &mut impl Rng, frames: &mut Vec<f32>) {
    // Periods of a fifth of a second to two seconds.
    let sources: [(f32, f32); SOURCES] = std::array::from_fn(|_| {
        (
            TAU / rng.random_range(20.0..200.0),
            rng.random_range(0.0..TAU),
        )
    });
    for t in 0..length {
        let now = sources.map(|(speed, phase)| (speed * t as f32 + phase).sin());
        for weights in mixing {
            let mixed: f32 = weights.iter().zip(&now).map(|(w, s)| w * s).sum();
            frames.push(mixed + rng.random_range(-0.3..0.3f32));
        }
    }
}

type Written = (String, Dtype, Vec<usize>, Vec<u8>);

/// First weights of encoder and head, by their names in PyTorch.
fn weights(
    config: &EncoderConfig,
    max_frames: usize,
    seed: u64,
) -> Result<Vec<Written>, Box<dyn Error>> {
    let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
    let encoder = Encoder::new(config, COLUMNS, max_frames, &mut source, Device::Cpu)?;
    let head = ReconstructionHead::new(config.model_dim, COLUMNS, &mut source, Device::Cpu)?;
    let all = encoder
        .parameters()
        .entries()
        .iter()
        .chain(head.parameters().entries());
    // The vector for a learned replacement takes no part where hidden frames are zeros.
    all.filter(|(name, _)| name != "hidden_frame")
        .map(|(name, tensor)| written(name, tensor))
        .collect()
}

fn written(name: &str, tensor: &Tensor) -> Result<Written, Box<dyn Error>> {
    let shape = tensor.size().iter().map(|&n| n as usize).collect();
    let values = Vec::<f32>::try_from(tensor.detach().f_to_kind(Kind::Float)?.f_flatten(0, -1)?)?;
    Ok((name.to_string(), Dtype::F32, shape, bytes(&values)))
}
