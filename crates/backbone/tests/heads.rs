//! The heads against plain loops, and the first values of weights.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use backbone::{EmotionHeads, Encoder, EncoderConfig, HeadsConfig, Layout, Pooling, Source};
use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use tch::{Device, Kind, Tensor};

const OFFSETS: [i64; 4] = [0, 4, 5, 11];

fn source() -> Source<'static> {
    Source::draw(|name: &str| ChaCha12Rng::seed_from_u64(name.bytes().map(u64::from).sum()))
}

fn heads(pooling: Pooling) -> EmotionHeads {
    let config = HeadsConfig { pooling, dropout: 0.0, presence: true, intensity: true };
    EmotionHeads::new(&config, 3, 6, &mut source(), Device::Cpu).unwrap()
}

fn frames() -> Tensor {
    tch::no_grad(|| (Tensor::arange(33, (Kind::Float, Device::Cpu)) * 0.7).sin().reshape([11, 3]))
}

fn tensor(heads: &EmotionHeads, name: &str) -> Tensor {
    heads.parameters().entries().iter().find(|(n, _)| n == name).unwrap().1.detach()
}

/// Pools each segment by itself, then applies the presence head.
fn expected(pooling: Pooling, heads: &EmotionHeads) -> Tensor {
    let h_nd = frames();
    let rows: Vec<Tensor> = OFFSETS
        .windows(2)
        .map(|w| {
            let h_td = h_nd.slice(0, w[0], w[1], 1);
            let mean = h_td.mean_dim(0, false, Kind::Float);
            match pooling {
                Pooling::Mean => mean,
                Pooling::MeanDeviation => {
                    let deviation = ((&h_td - &mean).square().mean_dim(0, false, Kind::Float) + 1e-6).sqrt();
                    Tensor::cat(&[mean, deviation], 0)
                }
                Pooling::Attention => {
                    let score = h_td.linear(&tensor(heads, "pooling.weight"), Some(&tensor(heads, "pooling.bias")));
                    (score.softmax(0, Kind::Float) * h_td).sum_dim_intlist(0, false, Kind::Float)
                }
            }
        })
        .collect();
    Tensor::stack(&rows, 0).linear(&tensor(heads, "presence.weight"), Some(&tensor(heads, "presence.bias")))
}

#[test]
fn pooling_sees_each_segment_alone() {
    let layout = Layout::new(&OFFSETS, Device::Cpu).unwrap();
    for pooling in [Pooling::Mean, Pooling::MeanDeviation, Pooling::Attention] {
        let heads = heads(pooling);
        let found = heads.forward(&frames(), &layout, true).unwrap().presence_be.unwrap();
        let difference = f64::try_from((found - expected(pooling, &heads)).abs().max()).unwrap();
        assert!(difference < 1e-5, "{pooling:?}: {difference:e}");
    }
}

#[test]
fn first_values_depend_on_the_name_alone_and_have_pytorchs_spread() {
    let config = EncoderConfig { layers: 1, ..EncoderConfig::default() };
    let make = |layers| {
        let config = EncoderConfig { layers, ..config.clone() };
        Encoder::new(&config, 20, 10, &mut source(), Device::Cpu).unwrap().parameters().snapshot()
    };
    let (one, two) = (make(1), make(2));
    for (name, tensor) in &one {
        assert_eq!(tensor, &two[name], "{name}");
    }
    let largest = |name: &str| f64::try_from(one[name].abs().max()).unwrap();
    let near = |found: f64, bound: f64| assert!(found <= bound && found > 0.97 * bound, "{found} of {bound}");
    near(largest("encoder.layers.0.self_attn.in_proj_weight"), (6.0 / 256.0f64).sqrt());
    near(largest("encoder.layers.0.linear2.weight"), 1.0 / 16.0);
    near(largest("input.weight"), 1.0 / 20f64.sqrt());
    assert_eq!(largest("encoder.layers.0.self_attn.in_proj_bias"), 0.0);
}

#[test]
fn offsets_that_cut_nothing_are_refused() {
    for offsets in [&[] as &[i64], &[0], &[1, 2], &[0, 3, 3], &[0, 3, 2]] {
        assert!(Layout::new(offsets, Device::Cpu).is_err(), "{offsets:?}");
    }
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let encoder = Encoder::new(&EncoderConfig::default(), 20, 10, &mut source(), Device::Cpu).unwrap();
    let zeros = |n, c| Tensor::zeros([n, c], (Kind::Float, Device::Cpu));
    let run = |n, c, offsets: &[i64]| {
        encoder.forward(&zeros(n, c), &Layout::new(offsets, Device::Cpu).unwrap(), false).unwrap_err().to_string()
    };
    assert_eq!(run(5, 19, &[0, 5]), "tensor 'frames': expected shape [5, 20], found [5, 19]");
    assert_eq!(run(11, 20, &[0, 11]), "segment of 11 frames: the encoder has positions for 10");
}
