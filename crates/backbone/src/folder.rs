//! The folder of an encoder: `model.safetensors` and `config.json`, which Python can read too.

use crate::{Activation, BackboneError, Encoder, EncoderConfig, Positions, Source};
use mosei_schema::SettingError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

const CONFIG_FILE: &str = "config.json";
const TENSOR_FILE: &str = "model.safetensors";
const TEXT_KEY: &str = "state";

/// The normalisation of the encoder's input: `(x - mean) / std`, clipped to ± `clip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Names of the columns, in the order of the encoder's input.
    pub columns: Vec<String>,
    /// Mean of each column.
    pub mean: Vec<f64>,
    /// Standard deviation of each column.
    pub std: Vec<f64>,
    /// Limit of the standardised values.
    pub clip: f64,
}

/// The content of `config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderConfig {
    input_dim: usize,
    model_dim: usize,
    heads: usize,
    layers: usize,
    feedforward_dim: usize,
    dropout: f64,
    activation: Activation,
    norm_first: bool,
    positions: Positions,
    max_frames: usize,
    columns: Vec<String>,
    mean: Vec<f64>,
    std: Vec<f64>,
    clip: f64,
}

/// The content of an encoder's folder.
#[derive(Debug)]
pub struct EncoderFolder {
    /// Its architecture.
    pub config: EncoderConfig,
    /// Number C of input columns.
    pub input_dim: usize,
    /// Maximum number of frames of a segment.
    pub max_frames: usize,
    /// The normalisation of its input.
    pub normalisation: Normalisation,
    /// Its tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    path: PathBuf,
}

impl EncoderFolder {
    /// Writes an encoder into an existing folder.
    pub fn write(
        encoder: &Encoder,
        normalisation: &Normalisation,
        folder: &Path,
    ) -> Result<(), BackboneError> {
        let c = encoder.config();
        let n = normalisation;
        let config = FolderConfig {
            input_dim: encoder.input_dim(),
            model_dim: c.model_dim,
            heads: c.heads,
            layers: c.layers,
            feedforward_dim: c.feedforward_dim,
            dropout: c.dropout,
            activation: c.activation,
            norm_first: c.norm_first,
            positions: c.positions,
            max_frames: encoder.max_frames(),
            columns: n.columns.clone(),
            mean: n.mean.clone(),
            std: n.std.clone(),
            clip: n.clip,
        };
        write_tensors(
            encoder.parameters().entries(),
            None,
            &folder.join(TENSOR_FILE),
        )?;
        let path = folder.join(CONFIG_FILE);
        let text = serde_json::to_string_pretty(&config).map_err(|source| BackboneError::Json {
            path: path.clone(),
            source,
        })?;
        std::fs::write(&path, text + "\n").map_err(io("cannot be written", &path))
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// A missing or invalid file; an unknown or missing key; column lists of different length.
    pub fn read(folder: &Path) -> Result<Self, BackboneError> {
        let path = folder.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(io("cannot be read", &path))?;
        let c: FolderConfig =
            serde_json::from_str(&text).map_err(|source| BackboneError::Json {
                path: path.clone(),
                source,
            })?;
        for (key, found) in [
            ("columns", c.columns.len()),
            ("mean", c.mean.len()),
            ("std", c.std.len()),
        ] {
            if found != c.input_dim {
                let (expected, found) = (
                    format!("{} values, one per input", c.input_dim),
                    found.to_string(),
                );
                let source = Box::new(SettingError::new(key, expected, found).into());
                return Err(BackboneError::InFile { path, source });
            }
        }
        if let Some(duplicate) =
            (1..c.columns.len()).find(|&i| c.columns[..i].contains(&c.columns[i]))
        {
            let (expected, found) = (
                "each name once".to_string(),
                format!("'{}' twice", c.columns[duplicate]),
            );
            let source = Box::new(SettingError::new("columns", expected, found).into());
            return Err(BackboneError::InFile { path, source });
        }
        let config = EncoderConfig {
            model_dim: c.model_dim,
            heads: c.heads,
            layers: c.layers,
            feedforward_dim: c.feedforward_dim,
            dropout: c.dropout,
            activation: c.activation,
            norm_first: c.norm_first,
            positions: c.positions,
            // The precision is a setting of training, not of the weights.
            ..EncoderConfig::default()
        };
        if let Err(source) = config.check() {
            return Err(BackboneError::InFile {
                path,
                source: Box::new(source.into()),
            });
        }
        let (tensors, _) = read_tensors(&folder.join(TENSOR_FILE))?;
        let normalisation = Normalisation {
            columns: c.columns,
            mean: c.mean,
            std: c.std,
            clip: c.clip,
        };
        Ok(EncoderFolder {
            config,
            input_dim: c.input_dim,
            max_frames: c.max_frames,
            normalisation,
            tensors,
            path: folder.to_path_buf(),
        })
    }

    /// Builds the encoder.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape than the configuration, or is not part of it.
    pub fn encoder(&self, device: Device) -> Result<Encoder, BackboneError> {
        let in_file = |source| BackboneError::InFile {
            path: self.path.join(TENSOR_FILE),
            source: Box::new(source),
        };
        let mut source = Source::tensors(&self.tensors);
        let encoder = Encoder::new(
            &self.config,
            self.input_dim,
            self.max_frames,
            &mut source,
            device,
        )
        .map_err(in_file)?;
        let known = encoder.parameters().entries();
        match self
            .tensors
            .keys()
            .find(|name| known.iter().all(|(n, _)| n != *name))
        {
            Some(name) => Err(in_file(BackboneError::UnknownTensor { name: name.clone() })),
            None => Ok(encoder),
        }
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BackboneError {
    let path = path.to_path_buf();
    move |source| BackboneError::Io {
        path,
        action,
        source,
    }
}

/// Writes 32-bit tensors and an optional text into a safetensors file.
pub fn write_tensors(
    tensors: &[(String, Tensor)],
    text: Option<&str>,
    path: &Path,
) -> Result<(), BackboneError> {
    let mut bytes = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        if tensor.kind() != Kind::Float {
            return Err(BackboneError::Kind {
                name: name.clone(),
                found: format!("{:?}", tensor.kind()),
            });
        }
        let flat = tensor
            .detach()
            .f_to_device(Device::Cpu)?
            .f_contiguous()?
            .f_reshape([-1])?;
        let values = Vec::<f32>::try_from(&flat)?;
        bytes.push(
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<u8>>(),
        );
    }
    let invalid = |source| BackboneError::Tensors {
        path: path.to_path_buf(),
        source,
    };
    let mut views = Vec::with_capacity(tensors.len());
    for ((name, tensor), data) in tensors.iter().zip(&bytes) {
        let shape = tensor.size().iter().map(|&n| n as usize).collect();
        views.push((
            name.as_str(),
            TensorView::new(Dtype::F32, shape, data).map_err(invalid)?,
        ));
    }
    // A single text: the library writes several metadata entries in no fixed order.
    let texts = text.map(|t| HashMap::from([(TEXT_KEY.to_string(), t.to_string())]));
    let serialised = safetensors::serialize(views, texts).map_err(invalid)?;
    std::fs::write(path, serialised).map_err(io("cannot be written", path))
}

/// Reads the 32-bit tensors of a safetensors file, which must be finite, and the text of
/// [`write_tensors`].
pub fn read_tensors(
    path: &Path,
) -> Result<(BTreeMap<String, Tensor>, Option<String>), BackboneError> {
    let bytes = std::fs::read(path).map_err(io("cannot be read", path))?;
    let invalid = |source| BackboneError::Tensors {
        path: path.to_path_buf(),
        source,
    };
    let file = SafeTensors::deserialize(&bytes).map_err(invalid)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(invalid)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            let source = BackboneError::Kind {
                name: name.into(),
                found: format!("{:?}", view.dtype()),
            };
            return Err(BackboneError::InFile {
                path: path.to_path_buf(),
                source: Box::new(source),
            });
        }
        let (chunks, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = chunks.iter().map(|c| f32::from_le_bytes(*c)).collect();
        if let Some(place) = values.iter().position(|v| !v.is_finite()) {
            let source = Box::new(BackboneError::NotFinite {
                name: name.into(),
                found: values[place],
                place,
            });
            return Err(BackboneError::InFile {
                path: path.to_path_buf(),
                source,
            });
        }
        let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        tensors.insert(
            name.to_string(),
            Tensor::f_from_slice(&values)?.f_reshape(&shape)?,
        );
    }
    let text = header
        .metadata()
        .as_ref()
        .and_then(|texts| texts.get(TEXT_KEY).cloned());
    Ok((tensors, text))
}
