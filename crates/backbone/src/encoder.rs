use crate::layer::{ForwardContext, Layer, ResidualStream};
use crate::linear::{Builder, Linear};
use crate::norm::Norm;
use crate::positions::PositionTable;
use crate::{BackboneError, EncoderConfig, Layout, Parameters, Precision, Source};
use mosei_schema::SettingError;
use tch::{Device, Tensor};

/// The encoder: input projection, positional encoding, transformer layers, and with pre-norm a
/// final layer norm.
#[derive(Debug)]
pub struct Encoder {
    config: EncoderConfig,
    input_dim: usize,
    max_frames: usize,
    input: Linear,
    positions: PositionTable,
    layers: Vec<Layer>,
    norm: Option<Norm>,
    parameters: Parameters,
}

impl Encoder {
    /// An encoder for `input_dim` columns and segments of up to `max_frames` frames.
    ///
    /// # Errors
    /// An invalid configuration; a missing tensor or one of another shape in `source`.
    pub fn new(
        config: &EncoderConfig,
        input_dim: usize,
        max_frames: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        config.check()?;
        // Sizes may come from a file, so they are checked before memory is allocated.
        for (key, size, max) in [
            ("input_dim", input_dim, 1 << 20),
            ("max_frames", max_frames, 1 << 20),
        ] {
            if !(1..=max).contains(&size) {
                let expected = format!("a number from 1 to {max}");
                return Err(SettingError::new(key, expected, size).into());
            }
        }
        let mut parameters = Parameters::default();
        let mut builder = Builder {
            parameters: &mut parameters,
            source,
            device,
        };
        let width = config.model_dim;
        let input = builder.linear("input", input_dim as i64, width as i64)?;
        let positions = PositionTable::new(&mut builder, config.positions, max_frames, width)?;
        let layers = (0..config.layers)
            .map(|i| Layer::new(&mut builder, &format!("encoder.layers.{i}"), config))
            .collect::<Result<_, _>>()?;
        let norm = config
            .norm_first
            .then(|| Norm::new(&mut builder, "encoder.norm", width as i64))
            .transpose()?;
        Ok(Encoder {
            config: config.clone(),
            input_dim,
            max_frames,
            input,
            positions,
            layers,
            norm,
            parameters,
        })
    }

    /// Its architecture.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Number C of input columns.
    pub fn input_dim(&self) -> usize {
        self.input_dim
    }

    /// Maximum number of frames of a segment.
    pub fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Encodes a packed batch. `train` enables dropout and the configured precision; otherwise all
    /// products use 32-bit floats.
    ///
    /// # Shapes
    /// `x_nc` [N, C] → [N, D]
    ///
    /// # Errors
    /// A batch whose shape does not match the layout or the encoder.
    pub fn forward(
        &self,
        x_nc: &Tensor,
        layout: &Layout,
        train: bool,
    ) -> Result<Tensor, BackboneError> {
        self.run(x_nc, layout, train, |_| Ok(()))
    }

    /// As [`Encoder::forward`], but returns the first layer's input and the output of every layer,
    /// concatenated. The final norm is applied to the last one only.
    ///
    /// # Shapes
    /// `x_nc` [N, C] → [N, (layers + 1) D]
    pub fn forward_layers(
        &self,
        x_nc: &Tensor,
        layout: &Layout,
        train: bool,
    ) -> Result<Tensor, BackboneError> {
        let mut parts = Vec::new();
        let last = self.run(x_nc, layout, train, |stream| {
            parts.push(match &stream.branch_nd {
                Some(branch) => stream.h_nd.f_add(branch)?,
                None => stream.h_nd.shallow_clone(),
            });
            Ok(())
        })?;
        parts.pop();
        parts.push(last);
        Ok(Tensor::f_cat(&parts, 1)?)
    }

    /// Runs the layers. `visit` is called with the first layer's input and each layer's output.
    fn run(
        &self,
        x_nc: &Tensor,
        layout: &Layout,
        train: bool,
        mut visit: impl FnMut(&ResidualStream) -> Result<(), BackboneError>,
    ) -> Result<Tensor, BackboneError> {
        let expected = [layout.frames(), self.input_dim as i64];
        if x_nc.size() != expected {
            let (name, expected, found) = ("frames".into(), expected.to_vec(), x_nc.size());
            return Err(BackboneError::Shape {
                name,
                expected,
                found,
            });
        }
        if layout.longest() > self.max_frames as i64 {
            return Err(BackboneError::TooLong {
                found: layout.longest(),
                max_frames: self.max_frames,
            });
        }
        let bf16 = train && self.config.precision == Precision::Bf16;
        let context = ForwardContext {
            layout,
            dropout: if train { self.config.dropout } else { 0.0 },
            bf16,
        };
        let h_nd = self.positions.add(&self.input.forward(x_nc)?, layout)?;
        let mut stream = ResidualStream {
            h_nd,
            branch_nd: None,
        };
        visit(&stream)?;
        for layer in &self.layers {
            stream = layer.forward(&stream, &context)?;
            visit(&stream)?;
        }
        match &self.norm {
            Some(norm) => Ok(norm.add_and_norm(&stream, &context, false)?.1),
            None => Ok(stream.h_nd),
        }
    }
}
