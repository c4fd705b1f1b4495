//! Data that a trained model is applied to: a prepared folder, or recordings without labels.
//!
//! What lives here: whether they are such as the model knows, and batches of them. What does not:
//! what the model says.

use crate::TrainError;
use crate::corpus::normaliser_of;
use crate::input::InputFacts;
use backbone::{Layout, Normalisation};
use mosei_data::{
    BoundNormaliser, Csd, Prepared, feature_columns, recording_rate_hz, split_recording,
};
use mosei_schema::{SegmentId, segment_name};
use std::path::{Path, PathBuf};
use tch::{Device, Tensor};

/// Segments of a batch.
const BATCH: usize = 32;

/// A segment of a prepared folder, or a piece of a recording, which are counted from 0; where the
/// file has a group for each segment, a piece has the number of its segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) id: SegmentId,
    /// From where to where, seconds.
    pub(crate) interval: [f64; 2],
}

/// What becomes of a batch: its parts, [N, C] and its layout.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&[Part], &Tensor, &Layout) -> Result<(), TrainError>;

/// Data, open, and checked against a model.
pub(crate) struct ModelData {
    path: PathBuf,
    normaliser: BoundNormaliser,
    max_frames: usize,
    input: InputFacts,
    frames: Frames,
}

enum Frames {
    Prepared(Box<Prepared>),
    Recordings(Csd),
}

impl ModelData {
    /// Opens a prepared folder or a features file (.csd) for an encoder that takes at most
    /// `max_frames` frames.
    ///
    /// # Errors
    /// A column that the data lack, by name; another number of frames a second; a segment that is
    /// too long.
    pub(crate) fn open(
        path: &Path,
        normalisation: &Normalisation,
        input: InputFacts,
        max_frames: usize,
    ) -> Result<Self, TrainError> {
        let normaliser = normaliser_of(normalisation);
        let (frames, normaliser) = if path.is_dir() {
            let prepared = Prepared::open(path)?;
            prepared.check_frames()?;
            input.check_prepared(path, prepared.manifest())?;
            if let Some(i) = (0..prepared.len()).find(|&i| prepared.frames(i) > max_frames) {
                return Err(TrainError::DataMismatch {
                    path: path.into(),
                    what: "frames of a segment",
                    expected: format!("at most {max_frames}"),
                    found: format!("{} in {}", prepared.frames(i), prepared.id(i)),
                });
            }
            let normaliser = normaliser.bind(prepared.columns())?;
            (Frames::Prepared(Box::new(prepared)), normaliser)
        } else {
            let csd = Csd::open(path)?;
            let normaliser = normaliser.bind(&feature_columns(&csd))?;
            (Frames::Recordings(csd), normaliser)
        };
        Ok(ModelData {
            path: path.into(),
            normaliser,
            max_frames,
            input,
            frames,
        })
    }

    /// Goes through all that has frames, batch by batch. Returns the number of parts.
    pub(crate) fn each_batch(&self, device: Device, take: Take<'_>) -> Result<usize, TrainError> {
        let mut give = |parts: &[Part], x_nc: &[f32], offsets: &[i64]| {
            let layout = Layout::new(offsets, device)?;
            let shape = [-1, self.normaliser.width() as i64];
            let x_nc = Tensor::f_from_slice(x_nc)?
                .f_reshape(shape)?
                .f_to_device(device)?;
            tch::no_grad(|| take(parts, &x_nc, &layout))
        };
        match &self.frames {
            Frames::Prepared(prepared) => {
                let segments: Vec<usize> = (0..prepared.len())
                    .filter(|&i| prepared.frames(i) > 0)
                    .collect();
                for chunk in segments.chunks(BATCH) {
                    let batch = prepared.gather(&self.normaliser, chunk);
                    let part = |&i: &usize| Part {
                        id: prepared.id(i),
                        interval: prepared.interval(i),
                    };
                    give(
                        &chunk.iter().map(part).collect::<Vec<_>>(),
                        &batch.x_nc,
                        &batch.offsets,
                    )?;
                }
                Ok(segments.len())
            }
            Frames::Recordings(csd) => {
                let mut all = 0;
                for shape in csd.videos() {
                    let recording = csd.read(&shape.id)?;
                    self.input.check_rate(
                        &self.path,
                        recording_rate_hz(&recording),
                        self.input.pool_frames,
                    )?;
                    let found =
                        split_recording(&recording, self.input.pool_frames, self.max_frames);
                    for (first, chunk) in found
                        .chunks(BATCH)
                        .enumerate()
                        .map(|(k, chunk)| (k * BATCH, chunk))
                    {
                        let (mut parts, mut x_nc, mut offsets) = (Vec::new(), Vec::new(), vec![0]);
                        for (i, piece) in chunk.iter().enumerate() {
                            self.normaliser.apply(&piece.frames, &mut x_nc);
                            offsets.push((x_nc.len() / self.normaliser.width()) as i64);
                            let id = match segment_name(&shape.id) {
                                Some(name) => SegmentId {
                                    video: name.video.into(),
                                    segment: name.number,
                                },
                                None => SegmentId {
                                    video: shape.id.clone(),
                                    segment: (first + i) as i32,
                                },
                            };
                            parts.push(Part {
                                id,
                                interval: piece.interval,
                            });
                        }
                        give(&parts, &x_nc, &offsets)?;
                    }
                    all += found.len();
                }
                Ok(all)
            }
        }
    }
}
