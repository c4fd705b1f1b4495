//! What the releases of MOSEI and its kin have in common, in whatever container: segments with an
//! id, padded to one length, in three splits.
//!
//! What lives here: padding, ids of segments, names of splits, the known rate. What does not: the
//! containers (`padded_hdf5`, `released_pickle`).

use crate::ImportError;
use crate::frame_store::FrameWriter;
use crate::frames::begin_recording;
use crate::mapping::Mapping;
use crate::recording_ids::{SegmentRef, spellings};
use mosei_schema::Split;
use std::path::Path;

/// Names of the acoustic features.
pub(crate) const AUDIO: [&str; 5] = ["audio", "acoustic", "covarep", "features", "src-audio"];
/// Names of ids.
pub(crate) const IDS: [&str; 4] = ["id", "ids", "segment_id", "segment"];

/// Rate of the acoustic features in the unaligned releases of MOSEI, Hz (Tsai et al. 2019, MulT,
/// appendix), which are COVAREP's columns for at most 25 s of a segment.
pub(crate) const UNALIGNED_RATE_HZ: f64 = 20.0;
const UNALIGNED_FRAMES: u64 = 500;
const UNALIGNED_COLUMNS: u64 = 74;

/// What asks for a rate.
pub(crate) const RATE: &str =
    "--rate with the frame rate, as this layout holds no times (a word counts as one frame)";

/// The rate that an array `[segments, frames, columns]` is known to have: that of the unaligned
/// releases, in which text has another number of frames.
pub(crate) fn known_rate_hz(audio: &[u64], text: Option<&[u64]>) -> Option<f64> {
    let shape = [UNALIGNED_FRAMES, UNALIGNED_COLUMNS];
    let unaligned = text.and_then(|shape| shape.get(1)) != Some(&UNALIGNED_FRAMES);
    (audio.get(1..) == Some(&shape) && text.is_some() && unaligned).then_some(UNALIGNED_RATE_HZ)
}

/// Spellings of a split.
pub(crate) const fn spellings_of(split: Split) -> &'static [&'static str] {
    match split {
        Split::Train => &["train"],
        Split::Valid => &["valid", "val", "dev"],
        Split::Test => &["test"],
    }
}

/// The id of a segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SegmentId {
    /// Text: `VIDEO$_$3`, `VIDEO[3]`, or the name of a recording.
    Named(String),
    /// A video and the interval in it, seconds.
    Timed(String, [f64; 2]),
}

impl SegmentId {
    /// As the file has it.
    pub fn source_name(&self) -> String {
        match self {
            SegmentId::Named(name) => name.clone(),
            SegmentId::Timed(video, [start, end]) => format!("{video}, {start} to {end} s"),
        }
    }

    /// The id of its recording or video, and the segment.
    pub fn parts(&self, mapping: &Mapping) -> (String, Option<SegmentRef>) {
        match self {
            SegmentId::Named(name) => match SegmentRef::of(name) {
                Some(known) => (known.video.clone(), Some(known)),
                None => (mapping.ids.id(name), None),
            },
            SegmentId::Timed(video, [start, end]) => {
                let video = mapping.ids.id(video);
                let part = SegmentRef::named(video.clone(), format!("{start}-{end}"));
                (video, Some(part))
            }
        }
    }
}

/// Begins the recording of a segment, which must be new.
///
/// # Errors
/// Where its id is that of another one.
pub(crate) fn begin_segment(
    path: &Path,
    place: &str,
    id: &SegmentId,
    mapping: &Mapping,
    writer: &mut FrameWriter,
) -> Result<usize, ImportError> {
    let source_name = id.source_name();
    let (video, part) = id.parts(mapping);
    let name = match (id, &part) {
        (SegmentId::Named(name), Some(_)) => name.clone(),
        (SegmentId::Timed(..), Some(part)) => spellings(&video, &part.segment)[0].0.clone(),
        (_, None) => video,
    };
    let at = begin_recording(path, place, &name, part, &source_name, writer)?;
    if writer.get(at).frames > 0 {
        let found = format!("'{source_name}' twice");
        return Err(ImportError::table(path, place, "each segment once", found));
    }
    if let SegmentId::Timed(_, interval) = id {
        writer.set_extent_in_video(at, *interval);
    }
    Ok(at)
}

/// The frames of a padded segment `[frames, columns]` that are no padding: those before and after
/// are all zero. Where its length is known, it lies at the beginning or the end. `None` where all is
/// padding.
///
/// # Errors
/// What the length should be, where more frames hold values.
pub(crate) fn unpadded(
    segment: &[f32],
    columns: usize,
    length: Option<u64>,
) -> Result<Option<std::ops::Range<usize>>, String> {
    let frames = segment.len() / columns;
    let is_zero = |r: usize| {
        segment[r * columns..(r + 1) * columns]
            .iter()
            .all(|x| *x == 0.0)
    };
    let Some(begin) = (0..frames).find(|&r| !is_zero(r)) else {
        return Ok(None);
    };
    let end = (begin..frames)
        .rev()
        .find(|&r| !is_zero(r))
        .unwrap_or(begin)
        + 1;
    match length.map(|n| usize::try_from(n).unwrap_or(usize::MAX)) {
        None => Ok(Some(begin..end)),
        Some(length) if length <= frames && end <= length => Ok(Some(0..length)),
        Some(length) if length <= frames && begin >= frames - length => {
            Ok(Some(frames - length..frames))
        }
        Some(length) => Err(format!(
            "{length} frames, and values in frames {begin} to {} of {frames}",
            end - 1
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_goes_from_both_sides() {
        let x = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0];
        assert_eq!(unpadded(&x, 2, None), Ok(Some(1..4)));
        assert_eq!(unpadded(&[0.0; 6], 2, Some(2)), Ok(None));
        // A known length keeps frames that are zero but no padding.
        assert_eq!(unpadded(&x, 2, Some(4)), Ok(Some(0..4)));
        assert_eq!(unpadded(&x[..8], 2, Some(3)), Ok(Some(1..4)));
        assert_eq!(unpadded(&x, 2, Some(5)), Ok(Some(0..5)));
        assert!(unpadded(&x, 2, Some(2)).is_err() && unpadded(&x, 2, Some(6)).is_err());
        // A frame without a finite value is a frame.
        assert_eq!(unpadded(&[f32::NEG_INFINITY, 0.0], 1, None), Ok(Some(0..1)));
    }

    #[test]
    fn only_the_unaligned_release_has_a_known_rate() {
        let known = |audio: [u64; 3], text: Option<&[u64]>| known_rate_hz(&audio, text);
        assert_eq!(known([9, 500, 74], Some(&[9, 50, 300])), Some(20.0));
        assert_eq!(known([9, 500, 74], Some(&[9, 500, 300])), None);
        assert_eq!(known([9, 50, 74], Some(&[9, 50, 300])), None);
        assert_eq!(known([9, 375, 5], Some(&[9, 50, 300])), None);
        assert_eq!(known([9, 500, 74], None), None);
    }
}
