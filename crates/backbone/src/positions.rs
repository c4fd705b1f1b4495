use crate::linear::Builder;
use crate::parameters::Init;
use crate::{BackboneError, Layout, Positions};
use tch::{Device, Tensor};

/// The positional encoding that is added to frames.
#[derive(Debug)]
pub(crate) struct PositionTable {
    table_td: Tensor,
}

impl PositionTable {
    pub(crate) fn new(
        builder: &mut Builder<'_, '_>,
        positions: Positions,
        max_frames: usize,
        width: usize,
    ) -> Result<Self, BackboneError> {
        let table_td = match positions {
            Positions::Sinusoidal => sinusoidal(max_frames, width, builder.device)?,
            Positions::Learned => {
                let shape = [max_frames as i64, width as i64];
                builder.tensor("positions".into(), &shape, Init::Uniform(0.02))?
            }
        };
        Ok(PositionTable { table_td })
    }

    /// # Shapes
    /// `x_nd` [N, D] → [N, D]
    pub(crate) fn add(&self, x_nd: &Tensor, layout: &Layout) -> Result<Tensor, BackboneError> {
        Ok(x_nd.f_add(&Tensor::f_embedding(
            &self.table_td,
            layout.positions(),
            -1,
            false,
            false,
        )?)?)
    }
}

/// Sines at even, cosines at odd columns; wavelengths from 2π to 20000π (Vaswani et al., section
/// 3.5).
///
/// Computed in 32-bit floats in the usual order of PyTorch programs, so that the values are equal.
fn sinusoidal(max_frames: usize, width: usize, device: Device) -> Result<Tensor, BackboneError> {
    let options = (tch::Kind::Float, Device::Cpu);
    let position = Tensor::f_arange(max_frames as i64, options)?.f_unsqueeze(1)?;
    let column = Tensor::f_arange_start_step(0, width as i64, 2, options)?;
    let angle = position.f_mul(
        &column
            .f_mul_scalar(-(10000f64.ln()) / width as f64)?
            .f_exp()?,
    )?;
    let table = Tensor::f_stack(&[angle.f_sin()?, angle.f_cos()?], 2)?
        .f_reshape([max_frames as i64, width as i64])?;
    Ok(table.f_to_device(device)?)
}
