use super::map::MappedFrames;
use super::{Extent, Segments, UNLABELLED_FILE, UNLABELLED_FRAMES_FILE};
use crate::{DataError, Manifest};
use std::path::Path;

/// The speech outside all labelled segments, mapped from files of its own.
#[derive(Debug)]
pub(crate) struct StoredStretches {
    pub frames: MappedFrames,
    /// Without labels.
    pub segments: Segments,
    /// NaN for every emotion.
    pub no_labels: Vec<f32>,
}

impl StoredStretches {
    /// Opens what the manifest says is there, if anything.
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Option<Self>, DataError> {
        let Some(record) = &manifest.unlabelled else { return Ok(None) };
        let frames = MappedFrames::open(&folder.join(UNLABELLED_FRAMES_FILE), manifest.columns.len())?;
        let extent = Extent {
            segments: record.stretches,
            emotions: 0,
            has_sentiment: false,
            videos: manifest.videos.len() + record.videos.len(),
            frames: frames.len(),
        };
        let segments = Segments::read(&folder.join(UNLABELLED_FILE), extent)?;
        if !segments.video.is_sorted() {
            let path = folder.join(UNLABELLED_FILE);
            return Err(DataError::structure(&path, "video", "stretches in order of video", "another order"));
        }
        Ok(Some(StoredStretches { frames, segments, no_labels: vec![f32::NAN; manifest.emotions.len()] }))
    }
}
