use crate::DataError;
use mosei_schema::{INTENSITY_MAX, INTENSITY_MIN, SENTIMENT_MAX, SENTIMENT_MIN};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::ops::Range;
use std::path::Path;

/// Everything stored of segments but their frames.
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
    /// Index of the video in the manifest's list `[S]`.
    pub video: Vec<i32>,
    /// Row in the video `[S]`.
    pub segment: Vec<i32>,
}

/// What a file of segments must contain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Segments.
    pub segments: usize,
    /// Emotions; 0 for segments without labels.
    pub emotions: usize,
    /// Whether sentiment is stored too.
    pub has_sentiment: bool,
    /// Number of videos.
    pub videos: usize,
    /// Stored frames of all segments.
    pub frames: usize,
}

fn bytes<T: Copy, const N: usize>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&v| to(v)).collect()
}

fn values<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|&chunk| from(chunk))
        .collect()
}

impl Segments {
    /// Number of segments.
    pub fn len(&self) -> usize {
        self.video.len()
    }

    /// Range of the stored frames of a segment.
    pub fn frames(&self, i: usize) -> Range<usize> {
        self.offsets[i] as usize..self.offsets[i + 1] as usize
    }

    /// Writes the segments; without labels if `emotions` is 0.
    pub fn write(&self, path: &Path, emotions: usize) -> Result<(), DataError> {
        let s = self.len();
        let mut parts = vec![
            (
                "offsets",
                Dtype::I64,
                vec![s + 1],
                bytes(&self.offsets, i64::to_le_bytes),
            ),
            (
                "intervals",
                Dtype::F64,
                vec![s, 2],
                bytes(self.intervals.as_flattened(), f64::to_le_bytes),
            ),
            (
                "video",
                Dtype::I32,
                vec![s],
                bytes(&self.video, i32::to_le_bytes),
            ),
            (
                "segment",
                Dtype::I32,
                vec![s],
                bytes(&self.segment, i32::to_le_bytes),
            ),
        ];
        if emotions > 0 {
            let intensities = bytes(&self.intensities, f32::to_le_bytes);
            parts.push(("intensities", Dtype::F32, vec![s, emotions], intensities));
        }
        if !self.sentiment.is_empty() {
            parts.push((
                "sentiment",
                Dtype::F32,
                vec![s],
                bytes(&self.sentiment, f32::to_le_bytes),
            ));
        }
        let fail = |e: safetensors::SafeTensorError| {
            DataError::structure(
                path,
                "segments",
                "tensors of the shapes their lists have",
                e.to_string(),
            )
        };
        let views = parts
            .iter()
            .map(|(name, dtype, shape, data)| {
                Ok((*name, TensorView::new(*dtype, shape.clone(), data)?))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(fail)?;
        let file = safetensors::serialize(views, None).map_err(fail)?;
        std::fs::write(path, file).map_err(DataError::io("write", path))?;
        std::fs::File::open(path)
            .and_then(|f| f.sync_all())
            .map_err(DataError::io("sync", path))
    }

    /// Reads the bytes that [`Segments::write`] wrote to `path`, and checks them against what there
    /// must be.
    pub fn read(path: &Path, file: &[u8], expected: Extent) -> Result<Self, DataError> {
        let Extent {
            segments: s,
            emotions,
            has_sentiment,
            videos,
            frames,
        } = expected;
        let tensors = SafeTensors::deserialize(file)
            .map_err(|e| DataError::structure(path, "/", "a safetensors file", e.to_string()))?;
        // The manifest is not trusted; any wrong number is refused below.
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
                _ => values(
                    &get("intensities", Dtype::F32, &[s, emotions])?,
                    f32::from_le_bytes,
                ),
            },
            sentiment,
            intervals: pairs.as_chunks::<2>().0.to_vec(),
            video: values(&get("video", Dtype::I32, &[s])?, i32::from_le_bytes),
            segment: values(&get("segment", Dtype::I32, &[s])?, i32::from_le_bytes),
        };
        let ends = (
            segments.offsets.first().copied(),
            segments.offsets.last().map(|&n| usize::try_from(n)),
        );
        if ends != (Some(0), Some(Ok(frames))) || !segments.offsets.is_sorted() {
            let fall = segments.offsets.windows(2).find(|w| w[0] > w[1]);
            let ends = || format!("{} to {}", segments.offsets[0], segments.offsets[s]);
            let found = fall.map_or_else(ends, |w| format!("{} after {}", w[1], w[0]));
            return Err(DataError::structure(
                path,
                "offsets",
                format!("a rise from 0 to {frames}"),
                found,
            ));
        }
        if let Some(bad) = segments
            .video
            .iter()
            .find(|&&v| !usize::try_from(v).is_ok_and(|v| v < videos))
        {
            return Err(DataError::structure(
                path,
                "video",
                format!("0 to below {videos}"),
                bad.to_string(),
            ));
        }
        segments.check_values(path, emotions)?;
        Ok(segments)
    }

    /// Checks the values of each segment; without emotions, those of stretches.
    fn check_values(&self, path: &Path, emotions: usize) -> Result<(), DataError> {
        let fail = |name: &str, i: usize, expected: &str, found: String| {
            Err(DataError::structure(
                path,
                format!("{name}[{i}]"),
                expected,
                found,
            ))
        };
        if let Some(i) = self
            .intervals
            .iter()
            .position(|[s, e]| !(s.is_finite() && e.is_finite() && s <= e))
        {
            return fail(
                "intervals",
                i,
                "finite start <= end",
                format!("{:?}", self.intervals[i]),
            );
        }
        let (low, high) = (INTENSITY_MIN as f32, INTENSITY_MAX as f32);
        if let Some(i) = self
            .intensities
            .iter()
            .position(|x| !(low..=high).contains(x))
        {
            let found = self.intensities[i].to_string();
            return fail(
                "intensities",
                i / emotions.max(1),
                &format!("labels in [{low}, {high}]"),
                found,
            );
        }
        let (low, high) = (SENTIMENT_MIN as f32, SENTIMENT_MAX as f32);
        if let Some(i) = self
            .sentiment
            .iter()
            .position(|x| !(low..=high).contains(x))
        {
            return fail(
                "sentiment",
                i,
                &format!("a label in [{low}, {high}]"),
                self.sentiment[i].to_string(),
            );
        }
        let ids: Vec<(i32, i32)> = self
            .video
            .iter()
            .copied()
            .zip(self.segment.iter().copied())
            .collect();
        match emotions {
            0 => match self.segment.iter().position(|&row| row != -1) {
                Some(i) => fail(
                    "segment",
                    i,
                    "-1, as of all stretches",
                    self.segment[i].to_string(),
                ),
                None => Ok(()),
            },
            _ => match (
                self.segment.iter().position(|&row| row < 0),
                ids.windows(2).position(|w| w[0] >= w[1]),
            ) {
                (Some(i), _) => fail("segment", i, "a row from 0", self.segment[i].to_string()),
                (_, Some(i)) => fail(
                    "segment",
                    i + 1,
                    "segments in order of video and row, each once",
                    format!("{:?} after {:?}", ids[i + 1], ids[i]),
                ),
                (None, None) => Ok(()),
            },
        }
    }
}
