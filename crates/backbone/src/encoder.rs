use crate::layer::{Layer, Pass, Stream};
use crate::linear::{Linear, Making};
use crate::norm::Norm;
use crate::positions::PositionTable;
use crate::{BackboneError, EncoderConfig, Layout, Parameters, Precision, Source};
use tch::{Device, Tensor};

/// The encoder: a linear map of the columns, positions, layers, and a last norm where norms come first.
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
    /// An encoder of `input_dim` columns and segments of up to `max_frames` frames.
    ///
    /// # Errors
    /// A configuration that makes no sense; a tensor of the source that is missing or has another shape.
    pub fn new(
        config: &EncoderConfig,
        input_dim: usize,
        max_frames: usize,
        source: &mut Source<'_>,
        device: Device,
    ) -> Result<Self, BackboneError> {
        config.check()?;
        // Sizes come from files too: they are looked at before memory is asked for.
        for (key, size, most) in [("input_dim", input_dim, 1 << 20), ("max_frames", max_frames, 1 << 20)] {
            if !(1..=most).contains(&size) {
                let expected = format!("a number from 1 to {most}");
                return Err(BackboneError::Config { key, expected, found: size.to_string() });
            }
        }
        let mut parameters = Parameters::default();
        let mut making = Making { parameters: &mut parameters, source, device };
        let width = config.model_dim;
        let input = making.linear("input", input_dim as i64, width as i64)?;
        let positions = PositionTable::new(&mut making, config.positions, max_frames, width)?;
        let layers = (0..config.layers)
            .map(|i| Layer::new(&mut making, &format!("encoder.layers.{i}"), config))
            .collect::<Result<_, _>>()?;
        let norm = config.norm_first.then(|| Norm::new(&mut making, "encoder.norm", width as i64)).transpose()?;
        Ok(Encoder { config: config.clone(), input_dim, max_frames, input, positions, layers, norm, parameters })
    }

    /// Its shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Columns C that it takes.
    pub fn input_dim(&self) -> usize {
        self.input_dim
    }

    /// Frames of the longest segment that it takes.
    pub fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Encodes a packed batch; `train` turns dropout on, and the
    /// configuration's precision: without it, products are of 32-bit floats.
    ///
    /// # Shapes
    /// `x_nc` [N, C] → [N, D]
    ///
    /// # Errors
    /// A batch of another shape than the layout or the encoder says.
    pub fn forward(&self, x_nc: &Tensor, layout: &Layout, train: bool) -> Result<Tensor, BackboneError> {
        self.run(x_nc, layout, train, |_| Ok(()))
    }

    /// As [`Encoder::forward`], with what goes into the first layer and what each layer gives side by side; only the last
    /// of them has gone through the last norm.
    ///
    /// # Shapes
    /// `x_nc` [N, C] → [N, (layers + 1) D]
    pub fn forward_layers(&self, x_nc: &Tensor, layout: &Layout, train: bool) -> Result<Tensor, BackboneError> {
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

    /// Runs the layers; `visit` sees what goes into the first and what each gives.
    fn run(
        &self,
        x_nc: &Tensor,
        layout: &Layout,
        train: bool,
        mut visit: impl FnMut(&Stream) -> Result<(), BackboneError>,
    ) -> Result<Tensor, BackboneError> {
        let expected = [layout.frames(), self.input_dim as i64];
        if x_nc.size() != expected {
            let (name, expected, found) = ("frames".into(), expected.to_vec(), x_nc.size());
            return Err(BackboneError::Shape { name, expected, found });
        }
        if layout.longest() > self.max_frames as i64 {
            return Err(BackboneError::TooLong { found: layout.longest(), max_frames: self.max_frames });
        }
        let half = train && self.config.precision == Precision::Bf16;
        let pass = Pass { layout, dropout: if train { self.config.dropout } else { 0.0 }, half };
        let h_nd = self.positions.add(&self.input.forward(x_nc)?, layout)?;
        let mut stream = Stream { h_nd, branch_nd: None };
        visit(&stream)?;
        for layer in &self.layers {
            stream = layer.forward(&stream, &pass)?;
            visit(&stream)?;
        }
        match &self.norm {
            Some(norm) => Ok(norm.after(&stream, &pass, false)?.1),
            None => Ok(stream.h_nd),
        }
    }
}
