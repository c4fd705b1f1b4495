//! A prepared folder: frames memory-mapped from disk, labels and folds in memory, batches gathered
//! from both.
//!
//! What lives here: opening, checking and indexing. What does not: writing one
//! ([`crate::prepare`]).
//!
//! Shapes: `S` segments, `N` stored frames of all segments, `C` columns of the file, `E` emotions.
//!
//! | file | tensor | shape | type |
//! |---|---|---|---|
//! | `frames.safetensors` | `frames` | `[N, C]` | float32, pooled and cropped, not standardised, NaN where missing |
//! | `segments.safetensors` | `offsets` | `[S + 1]` | int64, first frame of each segment |
//! | | `intensities` | `[S, E]` | float32 |
//! | | `sentiment` | `[S]` | float32, where there is any |
//! | | `intervals` | `[S, 2]` | float64, seconds |
//! | | `video`, `segment` | `[S]` | int32, index in the manifest's list, row in the video |
//! | `unlabelled-frames.safetensors` | `frames` | `[M, C]` | as above, of the stretches outside all segments |
//! | `unlabelled.safetensors` | `offsets`, `intervals`, `video`, `segment` | | as above, of `U` stretches; `segment` is -1 |
//!
//! The last two files exist where unlabelled speech is configured. Stretches have the indices after
//! those of the segments, `S..S + U`, so that a loop over the segments never includes one.

mod checksums;
mod mapped_frames;
mod segments;
mod unlabelled;
mod validate;
mod withheld;
mod write;

pub(crate) use checksums::add_checksums;
pub(crate) use mapped_frames::MappedFrames;
pub(crate) use segments::{Extent, Segments};
pub use withheld::WithheldLabels;
pub(crate) use write::FramesWriter;

use crate::{BoundNormaliser, DataError, Manifest, Normaliser, targets};
use mosei_schema::{SegmentId, Split};
use run_record::hash_file;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use unlabelled::StoredStretches;

/// Name of the manifest in a prepared folder.
pub const MANIFEST_FILE: &str = "manifest.json";
pub(crate) const FRAMES_FILE: &str = "frames.safetensors";
pub(crate) const SEGMENTS_FILE: &str = "segments.safetensors";
pub(crate) const UNLABELLED_FRAMES_FILE: &str = "unlabelled-frames.safetensors";
pub(crate) const UNLABELLED_FILE: &str = "unlabelled.safetensors";

/// An open prepared folder.
#[derive(Debug)]
pub struct Prepared {
    folder: PathBuf,
    manifest: Manifest,
    frames: MappedFrames,
    segments: Segments,
    unlabelled: Option<StoredStretches>,
    folds: Vec<Fold>,
}

/// One fold: the segments of each split, and the normaliser of its training frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Its number, from 0.
    pub index: usize,
    /// The partition of the videos that it belongs to, from 0.
    pub partition: usize,
    /// Training segments with at least one frame, in the folder's order.
    pub train: Vec<usize>,
    /// Validation segments with at least one frame.
    pub valid: Vec<usize>,
    /// Test segments with at least one frame.
    pub test: Vec<usize>,
    /// Stretches of unlabelled speech of training videos: in no split, for pre-training only.
    pub unlabelled: Vec<usize>,
    /// Stretches of validation and test videos: only for pre-training declared as transductive.
    pub unlabelled_judged: Vec<usize>,
    /// Fitted on the frames of `train`.
    pub normaliser: Normaliser,
}

impl Fold {
    /// The segments of a split.
    pub fn segments(&self, split: Split) -> &[usize] {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }
}

/// Segments concatenated without padding.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedBatch {
    /// Standardised frames of all segments `[frames, width]`.
    pub x_nc: Vec<f32>,
    /// Columns.
    pub width: usize,
    /// First frame of each segment, and the end of the last `[segments + 1]`.
    pub offsets: Vec<i64>,
    /// Indices of the segments, in order.
    pub segments: Vec<usize>,
}

impl Prepared {
    /// Opens a folder and checks that its files are unchanged and consistent. Frames are not read:
    /// only their size is checked, and their content by [`Prepared::check_frames`].
    ///
    /// # Errors
    /// Where a file is missing, has another format, was altered, or does not match the manifest.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        Self::open_with(folder, true)
    }

    /// Opens a folder for an audit, which has a named rule for each fault: neither hashes nor the
    /// ids and counts of the manifest are checked, only what is needed to read the files.
    ///
    /// # Errors
    /// Where a file is missing, has another format, or does not match the manifest.
    pub fn open_unverified(folder: &Path) -> Result<Self, DataError> {
        Self::open_with(folder, false)
    }

    fn open_with(folder: &Path, verified: bool) -> Result<Self, DataError> {
        let manifest = checksums::read_manifest(folder, verified)?;
        let path = folder.join(MANIFEST_FILE);
        // Without records, files are not compared.
        let records = if verified {
            manifest.files.clone()
        } else {
            BTreeMap::new()
        };
        if verified {
            validate::check_names(&path, &manifest)?;
        }
        let frames = folder.join(FRAMES_FILE);
        checksums::check_size(&frames, FRAMES_FILE, &records)?;
        let frames = MappedFrames::open(&frames, manifest.columns.len())?;
        let segments = folder.join(SEGMENTS_FILE);
        let extent = Extent {
            segments: manifest.counts.segments.labelled,
            emotions: manifest.emotions.len(),
            has_sentiment: manifest.has_sentiment,
            videos: manifest.videos.len(),
            frames: frames.len(),
        };
        let bytes = checksums::read_member(&segments, SEGMENTS_FILE, &records)?;
        let segments = Segments::read(&segments, &bytes, extent)?;
        let unlabelled = StoredStretches::open(folder, &manifest, &records)?;
        let folds = folds_of(&path, &manifest, &segments, unlabelled.as_ref())?;
        if verified {
            validate::check_counts(&path, &manifest, &segments, unlabelled.as_ref())?;
        }
        Ok(Prepared {
            folder: folder.to_path_buf(),
            manifest,
            frames,
            segments,
            unlabelled,
            folds,
        })
    }

    /// Reads all frames and checks their hashes. Call this once after opening, before training.
    ///
    /// # Errors
    /// The file that was altered.
    pub fn check_frames(&self) -> Result<(), DataError> {
        let names = checksums::members(self.unlabelled.is_some())
            .iter()
            .copied();
        names
            .filter(|&name| matches!(name, FRAMES_FILE | UNLABELLED_FRAMES_FILE))
            .try_for_each(|name| {
                let path = self.folder.join(name);
                checksums::check_hash(&path, name, &self.manifest.files, || Ok(hash_file(&path)?))
            })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Names of the emotions, in file order.
    pub fn emotions(&self) -> &[String] {
        &self.manifest.emotions
    }

    /// Names of the columns of [`Prepared::raw`], in file order.
    pub fn columns(&self) -> &[String] {
        &self.manifest.columns
    }

    /// Number of labelled segments, including those without frames; in order of video id, then row.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether there is no segment.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Indices of the stretches of unlabelled speech: after those of labelled segments, in order of
    /// video, then time.
    pub fn stretches(&self) -> Range<usize> {
        self.len()..self.len() + self.unlabelled.as_ref().map_or(0, |u| u.segments.len())
    }

    /// The tables and the index in them of segment or stretch `i`.
    fn at(&self, i: usize) -> (&Segments, &MappedFrames, usize) {
        match &self.unlabelled {
            Some(u) if i >= self.len() => (&u.segments, &u.frames, i - self.len()),
            _ => (&self.segments, &self.frames, i),
        }
    }

    /// The video and row of segment `i`; the row of any stretch is -1.
    pub fn id(&self, i: usize) -> SegmentId {
        let (segments, _, at) = self.at(i);
        let place = self.video(i);
        let labelled = self.manifest.videos.get(place);
        let video = labelled.unwrap_or_else(|| {
            let unlabelled = self.manifest.unlabelled.as_ref();
            &unlabelled.map_or(&self.manifest.videos, |u| &u.videos)
                [place - self.manifest.videos.len()]
        });
        SegmentId {
            video: video.clone(),
            segment: segments.segment[at],
        }
    }

    /// The number of stretch `i` among those of its video, from 0.
    pub fn stretch_number(&self, i: usize) -> usize {
        let (segments, _, at) = self.at(i);
        at - segments
            .video
            .partition_point(|&video| video < segments.video[at])
    }

    /// Index of segment `i`'s video in the manifest's list of videos, followed by its list of
    /// videos without labels.
    pub fn video(&self, i: usize) -> usize {
        let (segments, _, at) = self.at(i);
        segments.video[at] as usize
    }

    /// Start and end of segment or stretch `i`, seconds.
    pub fn interval(&self, i: usize) -> [f64; 2] {
        let (segments, _, at) = self.at(i);
        segments.intervals[at]
    }

    /// Stored frames of segment or stretch `i`; 0 where it was dropped.
    pub fn frames(&self, i: usize) -> usize {
        let (segments, _, at) = self.at(i);
        segments.frames(at).len()
    }

    /// Frames of segment or stretch `i` `[frames, C]`: as in the file but pooled and cropped, NaN
    /// where missing.
    pub fn raw(&self, i: usize) -> &[f32] {
        let (segments, frames, at) = self.at(i);
        frames.rows(segments.frames(at))
    }

    /// Intensities of segment `i` `[E]`, as in the file; NaN of a stretch.
    pub fn intensities(&self, i: usize) -> &[f32] {
        let e = self.manifest.emotions.len();
        if let Some(u) = self.unlabelled.as_ref().filter(|_| i >= self.len()) {
            return &u.no_labels;
        }
        &self.segments.intensities[i * e..(i + 1) * e]
    }

    /// Sentiment of segment `i`, where the files hold it.
    pub fn sentiment(&self, i: usize) -> Option<f32> {
        self.segments.sentiment.get(i).copied()
    }

    /// Whether an emotion is present in segment `i`: its intensity is above the configured
    /// threshold.
    pub fn presence(&self, i: usize, emotion: usize) -> bool {
        targets::present(
            self.intensities(i)[emotion],
            self.manifest.config.presence_above,
        )
    }

    /// The 4-class target of an emotion in segment `i`: its intensity rounded half up, 0 to 3.
    pub fn class4(&self, i: usize, emotion: usize) -> u8 {
        targets::intensity_class(f64::from(self.intensities(i)[emotion]))
    }

    /// How many folds there are.
    pub fn fold_count(&self) -> usize {
        self.folds.len()
    }

    /// One fold.
    ///
    /// # Errors
    /// Where there is no such fold.
    pub fn fold(&self, k: usize) -> Result<&Fold, DataError> {
        self.folds.get(k).ok_or_else(|| DataError::NoSuchFold {
            folder: self.folder.clone(),
            fold: k,
            folds: self.folds.len(),
        })
    }

    /// The standardised frames of some segments, concatenated.
    pub fn gather(&self, normaliser: &BoundNormaliser, segments: &[usize]) -> PackedBatch {
        let mut batch = PackedBatch {
            x_nc: Vec::with_capacity(
                segments.iter().map(|&i| self.frames(i)).sum::<usize>() * normaliser.width(),
            ),
            width: normaliser.width(),
            offsets: Vec::with_capacity(segments.len() + 1),
            segments: segments.to_vec(),
        };
        batch.offsets.push(0);
        let mut end = 0;
        for &i in segments {
            normaliser.apply(self.raw(i), &mut batch.x_nc);
            end += self.frames(i) as i64;
            batch.offsets.push(end);
        }
        batch
    }
}

fn folds_of(
    path: &Path,
    manifest: &Manifest,
    segments: &Segments,
    unlabelled: Option<&StoredStretches>,
) -> Result<Vec<Fold>, DataError> {
    let mut folds = Vec::with_capacity(manifest.folds.len());
    for (index, record) in manifest.folds.iter().enumerate() {
        if record.split.len() != manifest.videos.len() {
            let expected = format!("{} videos", manifest.videos.len());
            let found = format!("{}", record.split.len());
            return Err(DataError::structure(
                path,
                format!("folds[{index}].split"),
                expected,
                found,
            ));
        }
        let normaliser = |e| DataError::within(path, format!("folds[{index}].normaliser"), e);
        record
            .normaliser
            .bind(&manifest.columns)
            .map_err(normaliser)?;
        let of = |split| {
            (0..segments.len())
                .filter(|&i| {
                    record.split[segments.video[i] as usize] == Some(split)
                        && !segments.frames(i).is_empty()
                })
                .collect()
        };
        let (train, valid, test) = (of(Split::Train), of(Split::Valid), of(Split::Test));
        let stretches = |wanted: &dyn Fn(Split) -> bool| -> Vec<usize> {
            let split = |video: i32| {
                record
                    .split
                    .get(video as usize)
                    .copied()
                    .unwrap_or(Some(Split::Train))
            };
            let stretches = unlabelled
                .into_iter()
                .flat_map(|u| u.segments.video.iter().enumerate());
            stretches
                .filter(|&(_, &v)| split(v).is_some_and(wanted))
                .map(|(i, _)| segments.len() + i)
                .collect()
        };
        let (unlabelled, unlabelled_judged) = (
            stretches(&|s| s == Split::Train),
            stretches(&|s| s != Split::Train),
        );
        let normaliser = record.normaliser.clone();
        folds.push(Fold {
            index,
            partition: record.partition,
            train,
            valid,
            test,
            unlabelled,
            unlabelled_judged,
            normaliser,
        });
    }
    Ok(folds)
}
