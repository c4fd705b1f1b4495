//! A small prepared corpus, for the tests of this crate.

use crate::Corpus;
use mosei_data::{DataConfig, SynthConfig};
use std::path::{Path, PathBuf};
use tch::Device;

/// The prepared folder that [`corpus`] leaves below `folder`.
pub(crate) fn prepared(folder: &Path) -> PathBuf {
    folder.join("prepared")
}

/// Fold 0 of a synthetic corpus of 16 videos, prepared below `folder` as `config` says but pooled
/// and cut to at most 40 frames a segment.
pub(crate) fn corpus(folder: &Path, segments: usize, config: DataConfig) -> Corpus {
    let synth = SynthConfig {
        videos: 16,
        segments,
        median_segment_s: 1.5,
        ..SynthConfig::default()
    };
    let config = DataConfig {
        pool_frames: 10,
        max_frames: 40,
        ..config
    };
    let data = folder.join("data");
    mosei_data::synthesise(&synth, &data, &mut |_, _| ()).unwrap();
    mosei_data::prepare(&config, &data, &prepared(folder), &mut |_, _| ()).unwrap();
    Corpus::open(&prepared(folder), 0, Device::Cpu).unwrap()
}
