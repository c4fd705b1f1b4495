//! How long training takes on this machine, before anything has been trained: a few steps of the
//! study's own model, timed.

use crate::run_folder::RunFolder;
use crate::{Study, StudyError};
use backbone::EncoderConfig;
use mosei_data::Prepared;
use mosei_schema::{COVAREP_COLUMNS, COVAREP_RATE_HZ};

/// Seconds that a training step of the study takes for each segment of its batch, on this processor
/// and with the study's threads; `None` where it trains on another device.
///
/// The batch has about the shape of the study's: as the run has prepared it, or as the
/// configuration has it.
///
/// # Errors
/// An encoder that cannot be built.
pub fn seconds_per_segment(study: &Study, run: &RunFolder) -> Result<Option<f64>, StudyError> {
    seconds_with(&study.encoder, study, run)
}

/// The same with another encoder.
pub(crate) fn seconds_with(
    encoder: &EncoderConfig,
    study: &Study,
    run: &RunFolder,
) -> Result<Option<f64>, StudyError> {
    if study.device != "cpu" {
        return Ok(None);
    }
    let (frames, columns) = shape(study, run);
    Ok(Some(train::step_seconds(
        encoder,
        frames,
        columns,
        study.data.max_frames,
        study.threads,
    )?))
}

/// Frames of a usual segment, and columns.
fn shape(study: &Study, run: &RunFolder) -> (usize, usize) {
    if let Ok(prepared) = Prepared::open(&run.prepared()) {
        let counts = &prepared.manifest().counts;
        let frames = counts.frames.stored / (counts.segments.kept as u64).max(1);
        return ((frames as usize).max(1), prepared.columns().len());
    }
    let most = study.data.max_frames;
    let frames = match &study.synth {
        Some(synth) => {
            (synth.median_segment_s * COVAREP_RATE_HZ / study.data.pool_frames as f64) as usize
        }
        None => most / 2,
    };
    (frames.clamp(1, most), COVAREP_COLUMNS.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_step_is_timed_on_the_processor_alone() {
        let study = |text: &str| Study::parse(Path::new("s.toml"), text).unwrap();
        let nowhere = &RunFolder::new("nowhere");
        let seconds = seconds_per_segment(
            &study("[synth]\n[encoder]\nmodel_dim = 8\nheads = 1\nlayers = 1\n"),
            nowhere,
        );
        assert!(seconds.unwrap().is_some_and(|s| s > 0.0 && s.is_finite()));
        assert_eq!(
            shape(
                &study("[synth]\nmedian_segment_s = 3.0\n[data]\npool_frames = 10\n"),
                nowhere
            ),
            (30, 74)
        );
        assert_eq!(
            shape(&study("[data]\nmax_frames = 80\n"), nowhere),
            (40, 74)
        );
        assert_eq!(
            seconds_per_segment(&study("device = \"cuda\"\n"), nowhere).unwrap(),
            None
        );
    }
}
