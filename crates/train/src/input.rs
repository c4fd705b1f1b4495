//! What an encoder was trained on: `input.json` beside its weights, and whether other data are of
//! that kind.

use crate::TrainError;
use mosei_data::manifest::InputFile;
use mosei_data::{Crop, Manifest, same_rate};
use serde::{Deserialize, Serialize};
use std::path::Path;

const INPUT_JSON: &str = "input.json";

/// What frames an encoder knows. Its columns and their standardisation stand in its `config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFacts {
    /// Frames a second of the features file, before pooling; `None` where that had no frame, or
    /// none of one rate.
    pub frame_rate_hz: Option<f64>,
    /// Whether the time from frame to frame varied (words, turns, functionals): then no rate is
    /// compared.
    pub irregular: bool,
    /// Frames averaged into one.
    pub pool_frames: usize,
    /// What was kept of a segment longer than the encoder takes.
    pub crop: Crop,
    /// The files that the training data were prepared from, with their hashes.
    pub files: Vec<InputFile>,
}

impl InputFacts {
    /// Those of a prepared corpus.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        InputFacts {
            frame_rate_hz: manifest.frame_rate_hz,
            irregular: manifest.irregular,
            pool_frames: manifest.config.pool_frames,
            crop: manifest.config.crop,
            files: manifest.inputs.clone(),
        }
    }

    /// Whether a prepared folder's frames are such as the training data's.
    ///
    /// # Errors
    /// As [`Self::check_rate`]; where frames are irregular and the model knows those of a rate.
    pub(crate) fn check_prepared(
        &self,
        path: &Path,
        manifest: &Manifest,
    ) -> Result<(), TrainError> {
        if let (Some(ours), true) = (self.frame_rate_hz, manifest.irregular) {
            return Err(TrainError::DataMismatch {
                path: path.into(),
                what: "frames a second",
                expected: format!("{ours} Hz"),
                found: "irregular times (words, turns, functionals)".into(),
            });
        }
        self.check_rate(path, manifest.frame_rate_hz, manifest.config.pool_frames)
    }

    /// Writes `input.json` into an encoder's folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        let path = folder.join(INPUT_JSON);
        let text = serde_json::to_string_pretty(self).map_err(TrainError::json(&path))?;
        std::fs::write(&path, text + "\n").map_err(TrainError::io("write", &path))
    }

    /// Reads `input.json` of an encoder's folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(INPUT_JSON);
        if folder.is_dir() && !path.exists() {
            let problem =
                "expected a file that says what the encoder was trained on, found none: an encoder of an earlier \
                           version, train it again"
                    .to_string();
            return Err(TrainError::Run { path, problem });
        }
        serde_json::from_str(&run_record::read_to_string(&path)?).map_err(TrainError::json(&path))
    }

    /// Whether data at `path` have as many frames a second as the training data. Where a rate is
    /// not known, or the model knows irregular frames, there is nothing to compare.
    ///
    /// # Errors
    /// Where they have more, or fewer.
    pub(crate) fn check_rate(
        &self,
        path: &Path,
        rate_hz: Option<f64>,
        pool_frames: usize,
    ) -> Result<(), TrainError> {
        let (Some(ours), Some(theirs)) = (self.frame_rate_hz, rate_hz) else {
            return Ok(());
        };
        let pooled = |rate: f64, pool: usize| rate / pool.max(1) as f64;
        let (expected, found) = (pooled(ours, self.pool_frames), pooled(theirs, pool_frames));
        if same_rate(found, expected) {
            return Ok(());
        }
        let text = |rate: f64, pool: usize| match pool {
            1 => format!("{rate} Hz"),
            _ => format!("{} Hz ({rate} Hz, pool_frames {pool})", pooled(rate, pool)),
        };
        Err(TrainError::DataMismatch {
            path: path.into(),
            what: "frames a second",
            expected: text(ours, self.pool_frames),
            found: text(theirs, pool_frames),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_another_rate_are_refused() {
        let ours = InputFacts {
            frame_rate_hz: Some(100.0),
            irregular: false,
            pool_frames: 4,
            crop: Crop::Centre,
            files: Vec::new(),
        };
        let check = |rate, pool| ours.check_rate(Path::new("d"), rate, pool);
        assert!(
            check(Some(100.0), 4).is_ok()
                && check(Some(50.0), 2).is_ok()
                && check(Some(100.3), 4).is_ok()
        );
        assert!(
            check(None, 7).is_ok(),
            "without a frame there is nothing to compare"
        );
        let message = check(Some(100.0), 5).unwrap_err().to_string();
        let expected = "d: frames a second: expected 25 Hz (100 Hz, pool_frames 4) as the model was trained on, found 20 Hz \
                        (100 Hz, pool_frames 5)";
        assert_eq!(message, expected);
    }
}
