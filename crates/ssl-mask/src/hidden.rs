use crate::{MaskConfig, Replacement, shape};
use mosei_schema::SettingError;
use rand::{Rng, RngExt};

/// Draws masks with a validated configuration.
#[derive(Debug, Clone)]
pub struct Masker {
    config: MaskConfig,
}

/// The replacement of one masked frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Set to zero.
    Zero,
    /// Set to zero; the learned vector is added later.
    Learned,
    /// Replaced by the frame with this index.
    Other(usize),
    /// Left unchanged.
    Keep,
}

/// The masked frames of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenFrames {
    frames: Vec<usize>,
    treatments: Vec<Treatment>,
}

impl Masker {
    /// A masker, if the configuration is valid.
    pub fn new(config: &MaskConfig) -> Result<Self, SettingError> {
        config.check()?;
        Ok(Masker {
            config: config.clone(),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &MaskConfig {
        &self.config
    }

    /// Draws the masked frames of a segment of `frames` frames. The result depends on the arguments
    /// alone.
    ///
    /// At least one frame is masked, and of two or more never all.
    pub fn draw(&self, frames: usize, rng: &mut impl Rng) -> HiddenFrames {
        let c = &self.config;
        let hidden = shape::draw(c.shape, c.ratio, c.span_frames, frames, rng);
        let treatments = hidden
            .iter()
            .map(|&frame| treatment(c.replacement, frame, frames, rng))
            .collect();
        HiddenFrames {
            frames: hidden,
            treatments,
        }
    }
}

fn treatment(
    replacement: Replacement,
    frame: usize,
    frames: usize,
    rng: &mut impl Rng,
) -> Treatment {
    match replacement {
        Replacement::Zero => Treatment::Zero,
        Replacement::Learned => Treatment::Learned,
        Replacement::OtherFrame => other(frame, frames, rng),
        Replacement::Mixed => match rng.random_range(0..10) {
            0..8 => Treatment::Zero,
            8 => other(frame, frames, rng),
            _ => Treatment::Keep,
        },
    }
}

/// Another frame of the segment, drawn uniformly; zeros in a segment of one frame.
fn other(frame: usize, frames: usize, rng: &mut impl Rng) -> Treatment {
    if frames < 2 {
        return Treatment::Zero;
    }
    let i = rng.random_range(0..frames - 1);
    Treatment::Other(if i < frame { i } else { i + 1 })
}

impl HiddenFrames {
    /// Indices of the masked frames, ascending.
    pub fn frames(&self) -> &[usize] {
        &self.frames
    }

    /// The replacement of each of [`HiddenFrames::frames`].
    pub fn treatments(&self) -> &[Treatment] {
        &self.treatments
    }

    /// Replaces the masked frames of a segment. A frame that replaces another is copied from the
    /// unmasked segment.
    ///
    /// # Shapes
    /// `x_tc` [T, C], row-major
    ///
    /// # Panics
    /// If the segment is shorter than the one that the mask was drawn for.
    pub fn apply(&self, x_tc: &mut [f32], columns: usize) {
        let row = |frame: usize| frame * columns..(frame + 1) * columns;
        let copies: Vec<(usize, Vec<f32>)> = self
            .iter()
            .filter_map(|(frame, treatment)| match treatment {
                Treatment::Other(from) => Some((frame, x_tc[row(from)].to_vec())),
                _ => None,
            })
            .collect();
        for (frame, treatment) in self.iter() {
            if matches!(treatment, Treatment::Zero | Treatment::Learned) {
                x_tc[row(frame)].fill(0.0);
            }
        }
        for (frame, copy) in copies {
            x_tc[row(frame)].copy_from_slice(&copy);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, Treatment)> + '_ {
        self.frames
            .iter()
            .copied()
            .zip(self.treatments.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_applied() {
        let mut x = vec![1.0, 2.0, 3.0, 4.0, 5.0];
        let hidden = HiddenFrames {
            frames: vec![0, 1, 2, 4],
            treatments: vec![
                Treatment::Zero,
                Treatment::Other(0),
                Treatment::Keep,
                Treatment::Learned,
            ],
        };
        hidden.apply(&mut x, 1);
        assert_eq!(x, [0.0, 1.0, 3.0, 4.0, 0.0]);
    }
}
