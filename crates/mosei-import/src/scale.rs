//! The scale of labels: values beyond it, and sentiment alone.
//!
//! What lives here: clipping, which a mapping file asks for, and its count. What does not: where
//! values come from.

use crate::ImportError;
use crate::labels::{intensity_of, is_sentiment};
use crate::mapping::LabelMapping;
use mosei_schema::{SENTIMENT_MAX, SENTIMENT_MIN};
use std::cell::Cell;
use std::path::Path;

/// How values become intensities.
pub(crate) struct Scale {
    range: [f64; 2],
    clip: bool,
    clipped: Cell<usize>,
}

impl Scale {
    /// The scale that a mapping file states.
    pub fn of(mapping: &LabelMapping) -> Self {
        Scale {
            range: mapping.range,
            clip: mapping.clip,
            clipped: Cell::new(0),
        }
    }

    /// The intensity of a value, from 0 to 3 (sentiment: -3 to 3).
    ///
    /// # Errors
    /// The range, where the value is outside it and is not to be clipped, or is no number.
    pub fn intensity(&self, x: f64, label: &str) -> Result<f32, [f64; 2]> {
        intensity_of(x, label, self.range).or_else(|[low, high]| {
            if !self.clip || !x.is_finite() {
                return Err([low, high]);
            }
            self.clipped.set(self.clipped.get() + 1);
            intensity_of(x.clamp(low, high), label, self.range)
        })
    }

    /// The lowest and highest value of a label.
    pub fn range_of(&self, label: &str) -> [f64; 2] {
        match is_sentiment(label) {
            true => [SENTIMENT_MIN, SENTIMENT_MAX],
            false => self.range,
        }
    }

    /// How many values were beyond the scale.
    pub fn clipped(&self) -> usize {
        self.clipped.get()
    }
}

/// Refuses labels of sentiment alone: a study learns labels, and sentiment is only carried along
/// with them.
///
/// # Errors
/// How sentiment becomes a label.
pub(crate) fn require_a_label_beside_sentiment(
    path: &Path,
    names: &[String],
) -> Result<(), ImportError> {
    if !names.iter().all(|name| is_sentiment(name)) {
        return Ok(());
    }
    let expected = "at least one label beside sentiment";
    let found = names.join(", ");
    Err(ImportError::table(path, "", expected, found).with_hint(Some(SENTIMENT_ALONE.into())))
}

/// How sentiment becomes a label.
pub(crate) const SENTIMENT_ALONE: &str = "to study sentiment itself, give it a name and a range of its own in [labels] of a mapping file: see 'Sentiment alone' in docs/your-data.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_scale_are_clipped_and_counted_where_asked_for() {
        let mut mapping = LabelMapping::default();
        assert_eq!(Scale::of(&mapping).intensity(5.0, "fear"), Err([0.0, 3.0]));
        mapping.clip = true;
        let scale = Scale::of(&mapping);
        assert_eq!(scale.intensity(5.0, "fear"), Ok(3.0));
        assert_eq!(scale.intensity(-4.0, "sentiment"), Ok(-3.0));
        assert_eq!(scale.intensity(1.0, "fear"), Ok(1.0));
        assert_eq!(scale.clipped(), 2);
        assert!(scale.intensity(f64::NAN, "fear").is_err());
        assert!(scale.intensity(f64::INFINITY, "fear").is_err());
    }
}
