//! The heads are compared with plain loops; weight initialisation.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use backbone::{
    EmotionHeads, Encoder, EncoderConfig, HeadsConfig, Layers, Layout, Objective, Pooling, Source,
};
use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use tch::{Device, Kind, Tensor};

const OFFSETS: [i64; 4] = [0, 4, 5, 11];

fn source() -> Source<'static> {
    Source::draw(|name: &str| ChaCha12Rng::seed_from_u64(name.bytes().map(u64::from).sum()))
}

fn heads(pooling: Pooling) -> EmotionHeads {
    make(HeadsConfig { pooling, ..plain() })
}

fn plain() -> HeadsConfig {
    HeadsConfig {
        pooling: Pooling::Mean,
        layers: Layers::Last,
        input_statistics: false,
        standardise: false,
        dropout: 0.0,
    }
}

/// Heads on an encoder of width 3 and two layers, for 2 columns.
fn make(config: HeadsConfig) -> EmotionHeads {
    let encoder = EncoderConfig {
        model_dim: 3,
        heads: 1,
        layers: 2,
        ..EncoderConfig::default()
    };
    EmotionHeads::new(
        &config,
        Objective::Both,
        &encoder,
        2,
        6,
        &mut source(),
        Device::Cpu,
    )
    .unwrap()
}

fn frames() -> Tensor {
    tch::no_grad(|| {
        (Tensor::arange(33, (Kind::Float, Device::Cpu)) * 0.7)
            .sin()
            .reshape([11, 3])
    })
}

fn tensor(heads: &EmotionHeads, name: &str) -> Tensor {
    heads
        .parameters()
        .entries()
        .iter()
        .find(|(n, _)| n == name)
        .unwrap()
        .1
        .detach()
}

/// Pools each segment separately, then applies the presence head.
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
                    let std =
                        ((&h_td - &mean).square().mean_dim(0, false, Kind::Float) + 1e-6).sqrt();
                    Tensor::cat(&[mean, std], 0)
                }
                Pooling::Attention => {
                    let score = h_td.linear(
                        &tensor(heads, "pooling.weight"),
                        Some(&tensor(heads, "pooling.bias")),
                    );
                    (score.softmax(0, Kind::Float) * h_td).sum_dim_intlist(0, false, Kind::Float)
                }
            }
        })
        .collect();
    Tensor::stack(&rows, 0).linear(
        &tensor(heads, "presence.weight"),
        Some(&tensor(heads, "presence.bias")),
    )
}

#[test]
fn pooling_treats_each_segment_separately() {
    let layout = Layout::new(&OFFSETS, Device::Cpu).unwrap();
    for pooling in [Pooling::Mean, Pooling::MeanDeviation, Pooling::Attention] {
        let heads = heads(pooling);
        let found = heads
            .forward(&frames(), &layout, true)
            .unwrap()
            .presence_be
            .unwrap();
        let difference = f64::try_from((found - expected(pooling, &heads)).abs().max()).unwrap();
        assert!(difference < 1e-5, "{pooling:?}: {difference:e}");
    }
}

#[test]
fn the_weighted_sum_of_layers_starts_as_their_mean_and_follows_its_weights() {
    let layout = Layout::new(&OFFSETS, Device::Cpu).unwrap();
    let config = EncoderConfig {
        model_dim: 4,
        heads: 2,
        layers: 2,
        feedforward_dim: 8,
        ..EncoderConfig::default()
    };
    let encoder = Encoder::new(&config, 3, 10, &mut source(), Device::Cpu).unwrap();
    let parts = encoder.forward_layers(&frames(), &layout, false).unwrap();
    assert_eq!(parts.size(), [11, 12]);
    let part = |i: i64| parts.slice(1, 4 * i, 4 * i + 4, 1);
    assert_eq!(part(2), encoder.forward(&frames(), &layout, false).unwrap());
    assert_ne!(part(1), part(0));
    let heads = HeadsConfig {
        layers: Layers::WeightedSum,
        ..plain()
    };
    let heads = EmotionHeads::new(
        &heads,
        Objective::Both,
        &config,
        3,
        6,
        &mut source(),
        Device::Cpu,
    )
    .unwrap();
    let mean = EmotionHeads::new(
        &plain(),
        Objective::Both,
        &config,
        3,
        6,
        &mut source(),
        Device::Cpu,
    )
    .unwrap();
    let pooled = |h: &Tensor| mean.pool(h, &layout).unwrap();
    let read = heads.read(&encoder, &frames(), &layout, false).unwrap();
    let near = |found: Tensor, expected: Tensor| {
        let difference = f64::try_from((found - expected).abs().max()).unwrap();
        assert!(difference < 1e-5, "{difference:e}");
    };
    near(
        heads.pool(&read, &layout).unwrap(),
        pooled(&((part(0) + part(1) + part(2)) / 3.0)),
    );
    let logits = heads
        .parameters()
        .entries()
        .iter()
        .find(|(n, _)| n == "mixture")
        .unwrap()
        .1
        .shallow_clone();
    tch::no_grad(|| {
        logits
            .shallow_clone()
            .copy_(&Tensor::from_slice(&[0.0f32, 2f32.ln(), 0.0]))
    });
    near(
        heads.pool(&read, &layout).unwrap(),
        pooled(&((part(0) + part(1) * 2.0 + part(2)) / 4.0)),
    );
}

#[test]
fn input_statistics_are_mean_and_standard_deviation() {
    let layout = Layout::new(&OFFSETS, Device::Cpu).unwrap();
    let heads = make(HeadsConfig {
        input_statistics: true,
        ..plain()
    });
    let x_nc = Tensor::from_slice(&(0..22u8).map(|i| f32::from(i % 7)).collect::<Vec<_>>())
        .reshape([11, 2]);
    let pooled = heads
        .pool(&Tensor::cat(&[frames(), x_nc.shallow_clone()], 1), &layout)
        .unwrap();
    assert_eq!(pooled.size(), [3, 7]);
    for (row, w) in OFFSETS.windows(2).enumerate() {
        let x_tc = x_nc.slice(0, w[0], w[1], 1);
        let mean = x_tc.mean_dim(0, false, Kind::Float);
        let std = ((&x_tc - &mean).square().mean_dim(0, false, Kind::Float) + 1e-6).sqrt();
        let found = pooled.get(row as i64).slice(0, 3, 7, 1);
        assert!(f64::try_from((found - Tensor::cat(&[mean, std], 0)).abs().max()).unwrap() < 1e-5);
    }
}

#[test]
fn pooled_vectors_are_standardised_by_a_sample() {
    let mut heads = make(HeadsConfig {
        standardise: true,
        ..plain()
    });
    let sample = Tensor::from_slice(&[1.0f32, 5.0, 0.0, 3.0, 5.0, 4.0]).reshape([2, 3]);
    heads.standardise(&sample).unwrap();
    // The second dimension is constant and is not scaled.
    let found = heads.standardised(&sample).unwrap();
    assert_eq!(
        found,
        Tensor::from_slice(&[-1.0f32, 0.0, -1.0, 1.0, 0.0, 1.0]).reshape([2, 3])
    );
    let names: Vec<String> = heads.tensors().into_iter().map(|(name, _)| name).collect();
    assert!(
        names.ends_with(&["pooled.mean".into(), "pooled.deviation".into()]),
        "{names:?}"
    );
    assert!(
        heads
            .parameters()
            .entries()
            .iter()
            .all(|(name, _)| !name.starts_with("pooled."))
    );
}

#[test]
fn initial_values_depend_on_the_name_alone_and_have_pytorchs_bounds() {
    let config = EncoderConfig {
        layers: 1,
        ..EncoderConfig::default()
    };
    let make = |layers| {
        let config = EncoderConfig {
            layers,
            ..config.clone()
        };
        Encoder::new(&config, 20, 10, &mut source(), Device::Cpu)
            .unwrap()
            .parameters()
            .snapshot()
    };
    let (one, two) = (make(1), make(2));
    for (name, tensor) in &one {
        assert_eq!(tensor, &two[name], "{name}");
    }
    let largest = |name: &str| f64::try_from(one[name].abs().max()).unwrap();
    let near = |found: f64, bound: f64| {
        assert!(found <= bound && found > 0.97 * bound, "{found} of {bound}")
    };
    near(
        largest("encoder.layers.0.self_attn.in_proj_weight"),
        (6.0 / 256.0f64).sqrt(),
    );
    near(largest("encoder.layers.0.linear2.weight"), 1.0 / 16.0);
    near(largest("input.weight"), 1.0 / 20f64.sqrt());
    assert_eq!(largest("encoder.layers.0.self_attn.in_proj_bias"), 0.0);
}

#[test]
fn invalid_offsets_are_rejected() {
    for offsets in [&[] as &[i64], &[0], &[1, 2], &[0, 3, 3], &[0, 3, 2]] {
        assert!(Layout::new(offsets, Device::Cpu).is_err(), "{offsets:?}");
    }
}

#[test]
fn a_batch_of_the_wrong_shape_is_rejected() {
    let encoder = Encoder::new(
        &EncoderConfig::default(),
        20,
        10,
        &mut source(),
        Device::Cpu,
    )
    .unwrap();
    let zeros = |n, c| Tensor::zeros([n, c], (Kind::Float, Device::Cpu));
    let run = |n, c, offsets: &[i64]| {
        encoder
            .forward(
                &zeros(n, c),
                &Layout::new(offsets, Device::Cpu).unwrap(),
                false,
            )
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        run(5, 19, &[0, 5]),
        "tensor 'frames': expected shape [5, 20], found [5, 19]"
    );
    assert_eq!(
        run(11, 20, &[0, 11]),
        "segment of 11 frames: the encoder has positions for 10"
    );
}
