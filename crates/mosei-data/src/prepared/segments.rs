use crate::DataError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::ops::Range;
use std::path::Path;

/// What is stored of each segment but its frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segments {
    /// First frame of each segment, and the end of the last `[S + 1]`.
    pub offsets: Vec<i64>,
    /// `[S, E]`.
    pub intensities: Vec<f32>,
    /// `[S]`, or empty.
    pub sentiment: Vec<f32>,
    /// `[S]`, seconds.
    pub intervals: Vec<[f64; 2]>,
    /// Place of the video in the manifest's list `[S]`.
    pub video: Vec<i32>,
    /// Row in the video `[S]`.
    pub segment: Vec<i32>,
}

/// What a file of segments must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Segments.
    pub segments: usize,
    /// Emotions; 0 for segments without labels.
    pub emotions: usize,
    /// Whether sentiment is stored too.
    pub has_sentiment: bool,
    /// Videos that segments are of.
    pub videos: usize,
    /// Stored frames of all segments.
    pub frames: usize,
}

fn bytes<T: Copy, const N: usize>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&v| to(v)).collect()
}

fn values<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| from(chunk)).collect()
}

impl Segments {
    /// Segments.
    pub fn len(&self) -> usize {
        self.video.len()
    }

    /// Stored frames of a segment.
    pub fn frames(&self, i: usize) -> Range<usize> {
        self.offsets[i] as usize..self.offsets[i + 1] as usize
    }

    /// Writes them; without emotions, without labels.
    pub fn write(&self, path: &Path, emotions: usize) -> Result<(), DataError> {
        let s = self.len();
        let mut parts = vec![
            ("offsets", Dtype::I64, vec![s + 1], bytes(&self.offsets, i64::to_le_bytes)),
            ("intervals", Dtype::F64, vec![s, 2], bytes(self.intervals.as_flattened(), f64::to_le_bytes)),
            ("video", Dtype::I32, vec![s], bytes(&self.video, i32::to_le_bytes)),
            ("segment", Dtype::I32, vec![s], bytes(&self.segment, i32::to_le_bytes)),
        ];
        if emotions > 0 {
            let intensities = bytes(&self.intensities, f32::to_le_bytes);
            parts.push(("intensities", Dtype::F32, vec![s, emotions], intensities));
        }
        if !self.sentiment.is_empty() {
            parts.push(("sentiment", Dtype::F32, vec![s], bytes(&self.sentiment, f32::to_le_bytes)));
        }
        let fail = |e: safetensors::SafeTensorError| {
            DataError::structure(path, "segments", "tensors of the shapes their lists have", e.to_string())
        };
        let views = parts
            .iter()
            .map(|(name, dtype, shape, data)| Ok((*name, TensorView::new(*dtype, shape.clone(), data)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fail)?;
        let file = safetensors::serialize(views, None).map_err(fail)?;
        std::fs::write(path, file).map_err(DataError::io("write", path))?;
        std::fs::File::open(path).and_then(|f| f.sync_all()).map_err(DataError::io("sync", path))
    }

    /// Reads what [`Segments::write`] wrote, and checks it against what there must be.
    pub fn read(path: &Path, expected: Extent) -> Result<Self, DataError> {
        let Extent { segments: s, emotions, has_sentiment, videos, frames } = expected;
        let file = std::fs::read(path).map_err(DataError::io("read", path))?;
        let tensors = SafeTensors::deserialize(&file)
            .map_err(|e| DataError::structure(path, "/", "a safetensors file", e.to_string()))?;
        // The manifest may say anything; a number that no file can fit is refused below like any other.
        let edges = s.saturating_add(1);
        let get = |name: &str, dtype: Dtype, shape: &[usize]| {
            let fail = |found| {
                let expected = format!("{dtype:?} {shape:?}");
                Err(DataError::structure(path, name, expected, found))
            };
            match tensors.tensor(name) {
                Ok(t) if t.dtype() == dtype && t.shape() == shape => Ok(t.data().to_vec()),
                Ok(t) => fail(format!("{:?} {:?}", t.dtype(), t.shape())),
                Err(_) => fail("nothing".to_string()),
            }
        };
        let pairs = values(&get("intervals", Dtype::F64, &[s, 2])?, f64::from_le_bytes);
        let sentiment = match has_sentiment {
            true => values(&get("sentiment", Dtype::F32, &[s])?, f32::from_le_bytes),
            false => Vec::new(),
        };
        let segments = Segments {
            offsets: values(&get("offsets", Dtype::I64, &[edges])?, i64::from_le_bytes),
            intensities: match emotions {
                0 => Vec::new(),
                _ => values(&get("intensities", Dtype::F32, &[s, emotions])?, f32::from_le_bytes),
            },
            sentiment,
            intervals: pairs.as_chunks::<2>().0.to_vec(),
            video: values(&get("video", Dtype::I32, &[s])?, i32::from_le_bytes),
            segment: values(&get("segment", Dtype::I32, &[s])?, i32::from_le_bytes),
        };
        let ends = (segments.offsets.first().copied(), segments.offsets.last().map(|&n| usize::try_from(n)));
        if ends != (Some(0), Some(Ok(frames))) || !segments.offsets.is_sorted() {
            let found = format!("{:?} to {:?}", segments.offsets.first(), segments.offsets.last());
            return Err(DataError::structure(path, "offsets", format!("a rise from 0 to {frames}"), found));
        }
        if let Some(bad) = segments.video.iter().find(|&&v| !usize::try_from(v).is_ok_and(|v| v < videos)) {
            return Err(DataError::structure(path, "video", format!("0 to below {videos}"), bad.to_string()));
        }
        Ok(segments)
    }
}
