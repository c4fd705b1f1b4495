//! Training steps in bfloat16 are compared with those in 32-bit floats.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use backbone::{Encoder, EncoderConfig, Layout, Precision, Source};
use rand::{SeedableRng, rngs::ChaCha12Rng};
use tch::{Device, Kind, Tensor};

fn encoder(norm_first: bool, precision: Precision) -> Encoder {
    let config = EncoderConfig {
        model_dim: 48,
        heads: 4,
        norm_first,
        precision,
        dropout: 0.0,
        ..Default::default()
    };
    let mut source = Source::draw(|name: &str| ChaCha12Rng::seed_from_u64(name.len() as u64));
    Encoder::new(&config, 10, 60, &mut source, Device::Cpu).unwrap()
}

fn batch() -> (Tensor, Layout) {
    let x_nc = (Tensor::arange(100 * 10, (Kind::Float, Device::Cpu)) * 0.37)
        .sin()
        .reshape([100, 10]);
    (
        x_nc,
        Layout::new(&[0, 1, 60, 83, 100], Device::Cpu).unwrap(),
    )
}

/// The output of a forward pass and the gradient of every tensor.
fn pass(encoder: &Encoder, train: bool) -> (Tensor, Vec<Tensor>) {
    let (x_nc, layout) = batch();
    let y_nd = encoder.forward(&x_nc, &layout, train).unwrap();
    let weight = (Tensor::arange(y_nd.numel() as i64, (Kind::Float, Device::Cpu)) * 0.11)
        .cos()
        .reshape_as(&y_nd);
    (&y_nd * weight).sum(Kind::Float).backward();
    (
        y_nd.detach(),
        encoder
            .parameters()
            .entries()
            .iter()
            .map(|(_, t)| t.grad().copy())
            .collect(),
    )
}

fn relative(a: &Tensor, b: &Tensor) -> f64 {
    f64::try_from((a - b).norm()).unwrap() / f64::try_from(b.norm()).unwrap().max(1e-6)
}

#[test]
fn steps_in_bfloat16_equal_those_in_floats_up_to_rounding() {
    for norm_first in [true, false] {
        let (exact, rounded) = (
            encoder(norm_first, Precision::Fp32),
            encoder(norm_first, Precision::Bf16),
        );
        let ((y, gradients), (y16, gradients16)) = (pass(&exact, true), pass(&rounded, true));
        assert_eq!(y16.kind(), Kind::Float);
        let difference = relative(&y16, &y);
        assert!(
            (1e-5..2e-2).contains(&difference),
            "norm_first {norm_first}: outputs differ by {difference:e}"
        );
        for ((name, _), (g16, g)) in exact
            .parameters()
            .entries()
            .iter()
            .zip(gradients16.iter().zip(&gradients))
        {
            assert_eq!(g16.kind(), Kind::Float, "{name}");
            // The gradient of the key bias is 0 up to rounding: the softmax does not depend on it.
            let difference = relative(g16, g);
            assert!(
                difference < 5e-2,
                "norm_first {norm_first}: gradients of {name} differ by {difference:e}"
            );
        }
    }
}

#[test]
fn precision_has_no_effect_outside_training() {
    let (y, _) = pass(&encoder(true, Precision::Fp32), false);
    let (y16, _) = pass(&encoder(true, Precision::Bf16), false);
    assert_eq!(y, y16);
}
