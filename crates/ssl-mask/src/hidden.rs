use crate::{MaskConfig, MaskConfigError, Replacement, shape};
use rand::{Rng, RngExt};

/// Draws masks after a checked configuration.
#[derive(Debug, Clone)]
pub struct Masker {
    config: MaskConfig,
}

/// What is done to one hidden frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Set to zero.
    Zero,
    /// Set to zero, for the learned vector to be added.
    Learned,
    /// Set to the frame of that number.
    Other(usize),
    /// Left as it is.
    Keep,
}

/// The hidden frames of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenFrames {
    frames: Vec<usize>,
    treatments: Vec<Treatment>,
}

impl Masker {
    /// A masker, if the configuration makes sense.
    pub fn new(config: &MaskConfig) -> Result<Self, MaskConfigError> {
        config.check()?;
        Ok(Masker { config: config.clone() })
    }

    /// The configuration.
    pub fn config(&self) -> &MaskConfig {
        &self.config
    }

    /// Draws the hidden frames of a segment of `frames` frames: a function of its arguments alone.
    ///
    /// At least one frame is hidden, and never all where there are two or more.
    pub fn draw(&self, frames: usize, rng: &mut impl Rng) -> HiddenFrames {
        let c = &self.config;
        let hidden = shape::draw(c.shape, c.ratio, c.span_frames, frames, rng);
        let treatments = hidden.iter().map(|&frame| treatment(c.replacement, frame, frames, rng)).collect();
        HiddenFrames { frames: hidden, treatments }
    }
}

fn treatment(replacement: Replacement, frame: usize, frames: usize, rng: &mut impl Rng) -> Treatment {
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

/// Another frame of the segment, each equally likely; in a segment of one frame there is none, and zeros stand in.
fn other(frame: usize, frames: usize, rng: &mut impl Rng) -> Treatment {
    if frames < 2 {
        return Treatment::Zero;
    }
    let i = rng.random_range(0..frames - 1);
    Treatment::Other(if i < frame { i } else { i + 1 })
}

impl HiddenFrames {
    /// Numbers of the hidden frames, ascending.
    pub fn frames(&self) -> &[usize] {
        &self.frames
    }

    /// What is done to each of [`HiddenFrames::frames`].
    pub fn treatments(&self) -> &[Treatment] {
        &self.treatments
    }

    /// Puts the replacements into a segment. Other frames are taken as they were before any was hidden.
    ///
    /// # Shapes
    /// `x_tc` [T, C], row-major
    ///
    /// # Panics
    /// Where the segment is shorter than the one the mask was drawn for.
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
        self.frames.iter().copied().zip(self.treatments.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_do_as_they_say() {
        let mut x = vec![1.0, 2.0, 3.0, 4.0, 5.0];
        let hidden = HiddenFrames {
            frames: vec![0, 1, 2, 4],
            treatments: vec![Treatment::Zero, Treatment::Other(0), Treatment::Keep, Treatment::Learned],
        };
        hidden.apply(&mut x, 1);
        assert_eq!(x, [0.0, 1.0, 3.0, 4.0, 0.0]);
    }
}
