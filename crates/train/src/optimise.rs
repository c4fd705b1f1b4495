//! How weights are moved: the settings of a training, and its learning rate at each step.

use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};

/// The settings of one training, be it pre-training or fine-tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Steps, whatever the number of segments: every start of a cell gets the same. Default 300.
    pub steps: usize,
    /// Segments of a batch; all there are where they are fewer. Default 32.
    pub batch_segments: usize,
    /// Learning rate at the top of the schedule. Default 1e-3.
    pub learning_rate: f64,
    /// Steps of linear rise from 0 to the learning rate. Default 20.
    pub warmup_steps: usize,
    /// What follows the rise. Default `cosine`.
    pub schedule: Schedule,
    /// Decoupled weight decay of matrices. Default 0.01.
    pub weight_decay: f64,
    /// Joint norm that gradients are clipped to; 0 for none. Default 1.
    pub clip_norm: f64,
    /// Steps between looks at the validation data. Default 25.
    pub validate_every: usize,
    /// Looks without a better score after which training stops; 0 to never stop. The best weights
    /// are kept either way. Default 0.
    pub patience: usize,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            steps: 300,
            batch_segments: 32,
            learning_rate: 1e-3,
            warmup_steps: 20,
            schedule: Schedule::Cosine,
            weight_decay: 0.01,
            clip_norm: 1.0,
            validate_every: 25,
            patience: 0,
        }
    }
}

/// The learning rate after the rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Stays.
    Constant,
    /// Falls in a straight line to 0 at the last step.
    Linear,
    /// Falls as half a cosine to 0 at the last step.
    Cosine,
}

impl TrainingConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), SettingError> {
        for (key, n) in [
            ("steps", self.steps),
            ("batch_segments", self.batch_segments),
            ("validate_every", self.validate_every),
        ] {
            if n == 0 {
                return Err(SettingError::new(key, "at least 1", n));
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(SettingError::new(
                "learning_rate",
                "a number above 0",
                self.learning_rate,
            ));
        }
        if self.warmup_steps >= self.steps {
            return Err(SettingError::new(
                "warmup_steps",
                format!("fewer than the {} steps", self.steps),
                self.warmup_steps,
            ));
        }
        for (key, x) in [
            ("weight_decay", self.weight_decay),
            ("clip_norm", self.clip_norm),
        ] {
            if !(x >= 0.0 && x.is_finite()) {
                return Err(SettingError::new(key, "0 or a number above", x));
            }
        }
        Ok(())
    }

    /// The learning rate of a step, from 0.
    pub fn learning_rate_at(&self, step: usize) -> f64 {
        let (step, warmup) = (step as f64, self.warmup_steps as f64);
        if step < warmup {
            return self.learning_rate * (step + 1.0) / warmup;
        }
        let done = (step - warmup) / (self.steps as f64 - warmup).max(1.0);
        self.learning_rate
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Linear => 1.0 - done,
                Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_almost_nothing() {
        for schedule in [Schedule::Linear, Schedule::Cosine] {
            let config = TrainingConfig {
                steps: 100,
                warmup_steps: 10,
                schedule,
                ..TrainingConfig::default()
            };
            let rates: Vec<f64> = (0..100).map(|s| config.learning_rate_at(s)).collect();
            assert_eq!((rates[0], rates[9], rates[10]), (1e-4, 1e-3, 1e-3));
            assert!(
                rates[10..].windows(2).all(|w| w[1] < w[0]) && rates[99] < 2e-5 && rates[99] > 0.0
            );
        }
        let constant = TrainingConfig {
            schedule: Schedule::Constant,
            warmup_steps: 0,
            ..TrainingConfig::default()
        };
        assert_eq!(constant.learning_rate_at(299), 1e-3);
    }
}
