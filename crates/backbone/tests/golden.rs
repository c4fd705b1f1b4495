//! The encoder is compared with PyTorch's `nn.TransformerEncoder`, on files of `golden/make.py`.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use backbone::{EncoderFolder, Layout, read_tensors};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    f64::try_from((a - b).abs().max()).unwrap()
}

const NAMES: [&str; 4] = [
    "pre-gelu-sinusoidal",
    "post-gelu-learned",
    "pre-relu-learned",
    "post-relu-sinusoidal",
];

#[test]
fn outputs_equal_those_of_pytorch() {
    for name in NAMES {
        let folder = EncoderFolder::read(&golden(name)).unwrap();
        let encoder = folder.encoder(Device::Cpu).unwrap();
        let (expected, _) = read_tensors(&golden(name).join("expected.safetensors")).unwrap();
        let layout = Layout::new(&[0, 9, 10, 15], Device::Cpu).unwrap();
        let y_nd = encoder.forward(&expected["x_nc"], &layout, false).unwrap();
        let difference = largest_difference(&y_nd, &expected["y_nd"]);
        assert!(difference < 1e-5, "{name}: {difference:e}");
    }
}

#[test]
fn a_segment_has_the_same_output_alone_and_in_a_batch() {
    let folder = EncoderFolder::read(&golden(NAMES[0])).unwrap();
    let encoder = folder.encoder(Device::Cpu).unwrap();
    let (expected, _) = read_tensors(&golden(NAMES[0]).join("expected.safetensors")).unwrap();
    for (from, to) in [(0, 9), (9, 10), (10, 15)] {
        let layout = Layout::new(&[0, to - from], Device::Cpu).unwrap();
        let y_nd = encoder
            .forward(&expected["x_nc"].slice(0, from, to, 1), &layout, false)
            .unwrap();
        let difference = largest_difference(&y_nd, &expected["y_nd"].slice(0, from, to, 1));
        assert!(difference < 1e-5, "{from}..{to}: {difference:e}");
    }
}

#[test]
fn a_folder_round_trips() {
    for name in NAMES {
        let read = EncoderFolder::read(&golden(name)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        EncoderFolder::write(
            &read.encoder(Device::Cpu).unwrap(),
            &read.normalisation,
            dir.path(),
        )
        .unwrap();
        let again = EncoderFolder::read(dir.path()).unwrap();
        assert_eq!(
            (&again.config, &again.normalisation),
            (&read.config, &read.normalisation)
        );
        assert_eq!(
            again.tensors.keys().collect::<Vec<_>>(),
            read.tensors.keys().collect::<Vec<_>>()
        );
        for (tensor_name, tensor) in &again.tensors {
            assert_eq!(tensor, &read.tensors[tensor_name], "{tensor_name}");
        }
    }
}

#[test]
fn a_mismatch_of_config_and_weights_is_rejected_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let from = golden(NAMES[0]);
    std::fs::copy(
        from.join("model.safetensors"),
        dir.path().join("model.safetensors"),
    )
    .unwrap();
    let text = std::fs::read_to_string(from.join("config.json")).unwrap();
    let cases = [
        (
            "\"feedforward_dim\": 24",
            "\"feedforward_dim\": 32",
            "'encoder.layers.0.linear1.weight': expected shape [32, 16], found [24, 16]",
        ),
        (
            "\"layers\": 2",
            "\"layers\": 3",
            "'encoder.layers.2.self_attn.in_proj_weight': expected shape [48, 16], found no such tensor",
        ),
        (
            "\"layers\": 2",
            "\"layers\": 1",
            "'encoder.layers.1.linear1.bias': not a tensor of this configuration",
        ),
        (
            "\"heads\": 4",
            "\"heads\": 5",
            "'heads': expected a divisor of model_dim 16, found 5",
        ),
        (
            "\"c1\"",
            "\"c0\"",
            "'columns': expected each name once, found 'c0' twice",
        ),
        (
            "\"input_dim\": 5",
            "\"input_dim\": 6",
            "'columns': expected 6 values, one per input, found 5",
        ),
    ];
    for (old, new, message) in cases {
        std::fs::write(dir.path().join("config.json"), text.replace(old, new)).unwrap();
        let error = EncoderFolder::read(dir.path())
            .and_then(|f| f.encoder(Device::Cpu).map(|_| ()))
            .unwrap_err();
        let chain = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(chain.contains(message), "{new}: {chain}");
    }
}

#[test]
fn a_weight_that_is_no_number_is_refused_by_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.safetensors");
    let tensor = |values: &[f32]| vec![("w".to_string(), Tensor::from_slice(values))];
    backbone::write_tensors(&tensor(&[1.0, 2.0, f32::INFINITY]), None, &path).unwrap();
    let error = read_tensors(&path).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "tensor 'w': expected finite numbers, found inf at 2"
    );
    backbone::write_tensors(&tensor(&[1.0, 2.0, 3.0]), None, &path).unwrap();
    assert!(read_tensors(&path).is_ok());
}

#[test]
fn learned_positions_and_inputs_get_gradients() {
    let folder = EncoderFolder::read(&golden("pre-relu-learned")).unwrap();
    let encoder = folder.encoder(Device::Cpu).unwrap();
    let (expected, _) =
        read_tensors(&golden("pre-relu-learned").join("expected.safetensors")).unwrap();
    let layout = Layout::new(&[0, 9, 10, 15], Device::Cpu).unwrap();
    let y_nd = encoder.forward(&expected["x_nc"], &layout, true).unwrap();
    y_nd.square().sum(Kind::Float).backward();
    for (name, tensor) in encoder.parameters().entries() {
        assert!(tensor.grad().defined(), "{name}");
    }
}
