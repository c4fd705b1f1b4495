//! The layout of a packed batch, and the conversion between packed and padded rows.

use crate::BackboneError;
use tch::{Device, Kind, Tensor};

/// The segment boundaries of a packed batch.
#[derive(Debug)]
pub struct Layout {
    offsets: Vec<i64>,
    lengths: Vec<i64>,
    frames: i64,
    longest: i64,
    /// [N] row of each packed frame among the padded [B T] rows.
    padded_rows: Tensor,
    /// [N] position of each frame in its segment.
    positions: Tensor,
    /// [N] segment of each frame.
    segment_ids: Tensor,
    /// [B, T] true where a padded row is a frame; `None` if all segments have the same length.
    valid_bt: Option<Tensor>,
    device: Device,
}

impl Layout {
    /// The layout of segments from `offsets[i]` to before `offsets[i + 1]`.
    ///
    /// # Errors
    /// Offsets that do not start at 0 or are not strictly increasing: every segment has at least
    /// one frame.
    pub fn new(offsets: &[i64], device: Device) -> Result<Self, BackboneError> {
        let wrong = |expected| BackboneError::Offsets {
            expected,
            found: format!("{offsets:?}"),
        };
        if offsets.len() < 2 || offsets[0] != 0 {
            return Err(wrong("0 first and at least one segment"));
        }
        if offsets.windows(2).any(|w| w[1] <= w[0]) {
            return Err(wrong("strictly increasing numbers"));
        }
        let lengths: Vec<i64> = offsets.windows(2).map(|w| w[1] - w[0]).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let frames = lengths.iter().sum();
        let each = |of: fn(i64, i64, i64) -> i64| -> Result<Tensor, BackboneError> {
            let rows: Vec<i64> = (0..)
                .zip(&lengths)
                .flat_map(|(b, &n)| (0..n).map(move |t| of(b, t, longest)))
                .collect();
            Ok(Tensor::f_from_slice(&rows)?.f_to_device(device)?)
        };
        let valid_bt = if lengths.iter().all(|&n| n == longest) {
            None
        } else {
            let valid: Vec<bool> = lengths
                .iter()
                .flat_map(|&n| (0..longest).map(move |t| t < n))
                .collect();
            Some(
                Tensor::f_from_slice(&valid)?
                    .f_reshape([-1, longest])?
                    .f_to_device(device)?,
            )
        };
        Ok(Layout {
            padded_rows: each(|b, t, longest| b * longest + t)?,
            positions: each(|_, t, _| t)?,
            segment_ids: each(|b, _, _| b)?,
            frames,
            longest,
            offsets: offsets.to_vec(),
            lengths,
            valid_bt,
            device,
        })
    }

    /// Frames of each segment.
    pub fn lengths(&self) -> &[i64] {
        &self.lengths
    }

    /// Segments B.
    pub fn segments(&self) -> i64 {
        self.lengths.len() as i64
    }

    /// Total number N of frames.
    pub fn frames(&self) -> i64 {
        self.frames
    }

    /// Frames T of the longest segment.
    pub fn longest(&self) -> i64 {
        self.longest
    }

    /// Rows that attention computes: N on the CPU, where nothing is padded, else B T.
    pub fn computed_frames(&self) -> i64 {
        if self.device == Device::Cpu {
            self.frames
        } else {
            self.segments() * self.longest
        }
    }

    /// The start of each segment and the end of the last: [B + 1].
    pub(crate) fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// Position of each frame in its segment, from 0: [N] int64.
    pub(crate) fn positions(&self) -> &Tensor {
        &self.positions
    }

    /// True where a padded row is a frame, or `None` if every row is: [B, T].
    pub(crate) fn valid_bt(&self) -> Option<&Tensor> {
        self.valid_bt.as_ref()
    }

    /// # Shapes
    /// `x_nd` [N, K] → [B, T, K], 0 in the padding
    pub(crate) fn pad(&self, x_nd: &Tensor) -> Result<Tensor, BackboneError> {
        let (b, t) = (self.segments(), self.longest);
        let x = if self.valid_bt.is_none() {
            x_nd.shallow_clone()
        } else {
            torch_ext::scatter_rows(x_nd, &self.padded_rows, b * t)?
        };
        Ok(x.f_reshape([b, t, -1])?)
    }

    /// # Shapes
    /// `x_btd` [B, T, K] → [N, K]
    pub(crate) fn pack(&self, x_btd: &Tensor) -> Result<Tensor, BackboneError> {
        let x = x_btd.f_reshape([self.segments() * self.longest, -1])?;
        if self.valid_bt.is_none() {
            return Ok(x);
        }
        Ok(torch_ext::gather_rows(&x, &self.padded_rows)?)
    }

    /// The matrix whose product with [N, D] sums the frames of each segment: [B, N], 1 at a
    /// segment's own frames.
    ///
    /// Unlike index addition, the product is one fast call with reproducible results.
    pub(crate) fn membership_bn(&self) -> Result<Tensor, BackboneError> {
        let zeros = Tensor::f_zeros([self.segments(), self.frames], (Kind::Float, self.device))?;
        Ok(zeros.f_scatter_value(0, &self.segment_ids.f_unsqueeze(0)?, 1.0)?)
    }

    /// Frames of each segment as [B, 1] floats.
    pub(crate) fn lengths_b1(&self) -> Result<Tensor, BackboneError> {
        Ok(Tensor::f_from_slice(&self.lengths)?
            .f_to_kind(Kind::Float)?
            .f_unsqueeze(1)?
            .f_to_device(self.device)?)
    }
}
