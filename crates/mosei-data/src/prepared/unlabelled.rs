use super::mapped_frames::MappedFrames;
use super::{Extent, Segments, UNLABELLED_FILE, UNLABELLED_FRAMES_FILE, checksums};
use crate::manifest::FileRecord;
use crate::{DataError, Manifest};
use std::collections::BTreeMap;
use std::path::Path;

/// The speech outside all labelled segments, from its own files.
#[derive(Debug)]
pub(crate) struct StoredStretches {
    pub frames: MappedFrames,
    /// Without labels.
    pub segments: Segments,
    /// NaN for every emotion.
    pub no_labels: Vec<f32>,
}

impl StoredStretches {
    /// Opens the files, where the manifest lists them.
    pub fn open(
        folder: &Path,
        manifest: &Manifest,
        records: &BTreeMap<String, FileRecord>,
    ) -> Result<Option<Self>, DataError> {
        let Some(record) = &manifest.unlabelled else {
            return Ok(None);
        };
        let path = folder.join(UNLABELLED_FRAMES_FILE);
        checksums::check_size(&path, UNLABELLED_FRAMES_FILE, records)?;
        let frames = MappedFrames::open(&path, manifest.columns.len())?;
        let extent = Extent {
            segments: record.stretches,
            emotions: 0,
            has_sentiment: false,
            videos: manifest.videos.len() + record.videos.len(),
            frames: frames.len(),
        };
        let path = folder.join(UNLABELLED_FILE);
        let bytes = checksums::read_member(&path, UNLABELLED_FILE, records)?;
        let segments = Segments::read(&path, &bytes, extent)?;
        if !segments.video.is_sorted() {
            return Err(DataError::structure(
                &path,
                "video",
                "stretches in order of video",
                "another order",
            ));
        }
        Ok(Some(StoredStretches {
            frames,
            segments,
            no_labels: vec![f32::NAN; manifest.emotions.len()],
        }))
    }
}
