use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// Lowest intensity of an emotion.
pub const INTENSITY_MIN: f64 = 0.0;
/// Highest intensity of an emotion.
pub const INTENSITY_MAX: f64 = 3.0;
/// Most negative sentiment.
pub const SENTIMENT_MIN: f64 = -3.0;
/// Most positive sentiment.
pub const SENTIMENT_MAX: f64 = 3.0;

/// The six emotions of CMU-MOSEI, in the order of its label columns.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Emotion {
    /// Happiness.
    Happy,
    /// Sadness.
    Sad,
    /// Anger.
    Anger,
    /// Surprise.
    Surprise,
    /// Disgust.
    Disgust,
    /// Fear.
    Fear,
}

impl Emotion {
    /// All six, in the order of the label columns.
    pub const ALL: [Emotion; 6] = [
        Emotion::Happy,
        Emotion::Sad,
        Emotion::Anger,
        Emotion::Surprise,
        Emotion::Disgust,
        Emotion::Fear,
    ];

    /// The name used in files and tables.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The emotion with this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The class of an intensity in the paper's 4-class accuracy: rounded half up and clipped to 0..=3.
pub fn intensity_class(intensity: f64) -> u8 {
    (intensity + 0.5).floor().clamp(0.0, 3.0) as u8
}

#[cfg(test)]
mod tests {
    use super::{Emotion, intensity_class};

    #[test]
    fn names_round_trip() {
        for e in Emotion::ALL {
            assert_eq!(Emotion::from_name(e.name()), Some(e));
        }
        assert_eq!(Emotion::from_name("joy"), None);
    }

    #[test]
    fn intensities_round_half_up_and_clip() {
        let cases = [
            (-0.6, 0),
            (0.0, 0),
            (0.49, 0),
            (0.5, 1),
            (1.5, 2),
            (2.5, 3),
            (3.0, 3),
            (7.0, 3),
        ];
        for (x, class) in cases {
            assert_eq!(intensity_class(x), class, "{x}");
        }
    }
}
