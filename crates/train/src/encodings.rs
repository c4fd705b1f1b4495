//! The output of a frozen encoder over a fold, computed once for all cells that probe it.
//!
//! What lives here: writing the file, and reading rows from it. Labels play no part. What does not:
//! the heads that take the rows ([`crate::finetune()`]).
//!
//! One file holds one tensor, `rows` [R, K] of float32: a row a segment where pooling has nothing
//! to learn, else a row a frame, of the fold's segments in the order of the prepared folder. The
//! segments go through the encoder in that order, [`CHUNK`] at a time, whichever of them a cell
//! asks for: products of other sizes have other last bits.

use crate::initial_model::{initial_encoder, initial_heads};
use crate::{Corpus, TrainError};
use backbone::{EmotionHeads, EncoderConfig, HeadsConfig, Layout, Objective};
use mosei_schema::Start;
use run_record::StagedFile;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Segments that go through the encoder at a time.
const CHUNK: usize = 32;
/// Bytes before the rows: the header's length and the header, padded with spaces so that the rows
/// lie aligned.
const HEADER_BYTES: usize = 256;

/// Which encoder, and for which heads.
#[derive(Debug, Clone, Copy)]
pub struct EncodeRun<'a> {
    /// Shape of the encoder.
    pub encoder: &'a EncoderConfig,
    /// The heads that will read it: they decide whether a row is a segment or a frame, and how wide
    /// it is.
    pub heads: &'a HeadsConfig,
    /// `frozen` or `random-frozen`.
    pub start: Start,
    /// The pre-trained encoder's folder, for `frozen`.
    pub pretrained: Option<&'a Path>,
    /// Training seed.
    pub seed: u32,
}

/// Where the rows of each segment stand.
struct Places {
    /// By segment; empty for a segment that the fold does not hold.
    rows: Vec<Range<usize>>,
    /// R.
    count: usize,
    /// K.
    width: usize,
    /// Whether a row is a frame.
    frames: bool,
}

impl Places {
    fn new(corpus: &Corpus, heads: &EmotionHeads, encoder: &EncoderConfig) -> Self {
        let (config, inputs) = (heads.config(), corpus.input_dim());
        let frames = config.pooling_learns();
        let width = match frames {
            true => config.frame_dim(encoder, inputs),
            false => config.pooled_dim(encoder.model_dim, inputs),
        };
        let mut rows = vec![0..0; corpus.prepared.len()];
        let mut count = 0;
        for segment in segments_of(corpus) {
            let end = count
                + if frames {
                    corpus.prepared.frames(segment)
                } else {
                    1
                };
            rows[segment] = count..end;
            count = end;
        }
        Places {
            rows,
            count,
            width,
            frames,
        }
    }
}

/// The fold's segments, in the order of the prepared folder.
fn segments_of(corpus: &Corpus) -> Vec<usize> {
    let fold = corpus.fold();
    let mut segments = [&fold.train[..], &fold.valid, &fold.test].concat();
    segments.sort_unstable();
    segments
}

/// Runs the encoder of a start over all segments of the corpus' fold and writes its output into
/// `out`. Returns the shape of what was written, [R, K].
///
/// # Errors
/// A start whose encoder learns; an encoder that cannot be read or has another shape; a file that
/// cannot be written.
pub fn encode(
    run: &EncodeRun<'_>,
    corpus: &mut Corpus,
    out: &Path,
) -> Result<[usize; 2], TrainError> {
    if !run.start.is_probe() {
        return Err(TrainError::Argument {
            what: "--start",
            expected: "a start with a frozen encoder: frozen or random-frozen".into(),
            found: run.start.name().into(),
        });
    }
    let encoder = initial_encoder(run.encoder, corpus, run.start, run.pretrained, run.seed)?;
    // Only pooling is used here; which heads follow it does not matter.
    let heads = initial_heads(run.heads, Objective::Both, run.encoder, corpus, run.seed)?;
    let places = Places::new(corpus, &heads, run.encoder);

    let mut staged = StagedFile::create(out)?;
    let failed = |e| TrainError::io("write", out)(e);
    let mut file = BufWriter::with_capacity(1 << 20, staged.file_mut());
    let mut hasher = blake3::Hasher::new();
    // The header holds the checksum of the rows, so it is written last.
    file.write_all(&[0; HEADER_BYTES]).map_err(failed)?;
    for chunk in segments_of(corpus).chunks(CHUNK) {
        let rows = tch::no_grad(|| -> Result<Vec<f32>, TrainError> {
            let (x_nc, layout) = corpus.tensors(&corpus.gather(chunk))?;
            let frames_nk = heads.read(&encoder, &x_nc, &layout, false)?;
            let rows_rk = if places.frames {
                frames_nk
            } else {
                heads.pool(&frames_nk, &layout)?
            };
            Ok(Vec::<f32>::try_from(
                &rows_rk
                    .f_to_device(Device::Cpu)?
                    .f_contiguous()?
                    .f_reshape([-1])?,
            )?)
        })?;
        let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        hasher.update(&bytes);
        file.write_all(&bytes).map_err(failed)?;
    }
    file.rewind().map_err(failed)?;
    file.write_all(&header(
        places.count,
        places.width,
        &hasher.finalize().to_hex(),
    ))
    .map_err(failed)?;
    file.flush().map_err(failed)?;
    drop(file);
    staged.commit()?;
    Ok([places.count, places.width])
}

/// The first bytes of a safetensors file with one tensor, [`HEADER_BYTES`] of them.
fn header(rows: usize, width: usize, sum: &str) -> Vec<u8> {
    let end = rows * width * size_of::<f32>();
    let tensor = json!({"dtype": "F32", "shape": [rows, width], "data_offsets": [0, end]});
    let text = json!({"__metadata__": {"blake3": sum}, "rows": tensor}).to_string();
    let length = HEADER_BYTES - 8;
    let mut bytes = (length as u64).to_le_bytes().to_vec();
    bytes.extend(format!("{text:<length$}").into_bytes());
    bytes
}

/// The rows that cells read, mapped from disk.
pub(crate) struct Encodings {
    /// [R, K]
    rows_rk: Tensor,
    places: Places,
}

impl Encodings {
    /// Opens what [`encode`] wrote for this fold, and compares its rows with their checksum.
    pub(crate) fn open(
        path: &Path,
        corpus: &Corpus,
        heads: &EmotionHeads,
        encoder: &EncoderConfig,
    ) -> Result<Self, TrainError> {
        let places = Places::new(corpus, heads, encoder);
        let mut found = Vec::with_capacity(HEADER_BYTES);
        let file = File::open(path).map_err(TrainError::io("open", path))?;
        let length = file
            .metadata()
            .map_err(TrainError::io("look at", path))?
            .len();
        (&file)
            .take(HEADER_BYTES as u64)
            .read_to_end(&mut found)
            .map_err(TrainError::io("read", path))?;
        let bytes = places.count * places.width * size_of::<f32>();
        let header_found = parse_header(&found);
        let sum = header_found["__metadata__"]["blake3"]
            .as_str()
            .unwrap_or_default();
        if found != header(places.count, places.width, sum)
            || length != (HEADER_BYTES + bytes) as u64
        {
            let problem = format!(
                "expected encodings of this fold, [{}, {}], found {}",
                places.count,
                places.width,
                match &header_found["rows"]["shape"] {
                    Value::Null => "another file or a part of one".to_string(),
                    shape => shape.to_string(),
                }
            );
            return Err(TrainError::Run {
                path: path.to_path_buf(),
                problem,
            });
        }
        let mut hasher = blake3::Hasher::new();
        hasher
            .update_reader(&file)
            .map_err(TrainError::io("read", path))?;
        if hasher.finalize().to_hex().as_str() != sum {
            let problem = "expected rows with the checksum in the header, found others; delete the file, and it is written again";
            return Err(TrainError::Run {
                path: path.to_path_buf(),
                problem: problem.into(),
            });
        }
        let name = path.to_str().ok_or_else(|| TrainError::Run {
            path: path.to_path_buf(),
            problem: "expected a path that is UTF-8, found another".into(),
        })?;
        // Only what is asked for is read, and all processes share one copy of it.
        let size = (HEADER_BYTES + bytes) as i64;
        let map = Tensor::f_from_file(name, false, size, (Kind::Uint8, Device::Cpu))?;
        let rows = map
            .f_slice(0, HEADER_BYTES as i64, size, 1)?
            .f_view_dtype(Kind::Float)?;
        let rows_rk = rows.f_reshape([places.count as i64, places.width as i64])?;
        Ok(Encodings { rows_rk, places })
    }

    /// The rows of segments, one after another, with their layout where a row is a frame.
    ///
    /// # Shapes
    /// [N, K], where N is the frames of the segments or their number
    pub(crate) fn gather(
        &self,
        segments: &[usize],
        device: Device,
    ) -> Result<(Tensor, Option<Layout>), TrainError> {
        let spans = segments.iter().map(|&segment| &self.places.rows[segment]);
        let rows: Vec<i64> = spans
            .clone()
            .flat_map(|s| s.start as i64..s.end as i64)
            .collect();
        let rows_nk = self
            .rows_rk
            .f_index_select(0, &Tensor::f_from_slice(&rows)?)?
            .f_to_device(device)?;
        if !self.places.frames {
            return Ok((rows_nk, None));
        }
        let mut offsets = vec![0i64];
        let mut end = 0;
        for span in spans {
            end += span.len() as i64;
            offsets.push(end);
        }
        Ok((rows_nk, Some(Layout::new(&offsets, device)?)))
    }
}

/// The header of a file that begins with these bytes; null where they are none.
fn parse_header(first: &[u8]) -> Value {
    first
        .get(8..)
        .and_then(|text| serde_json::from_slice(text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_corpus;
    use backbone::Pooling;
    use mosei_data::DataConfig;

    fn encoder() -> EncoderConfig {
        EncoderConfig {
            model_dim: 8,
            heads: 2,
            layers: 1,
            feedforward_dim: 8,
            ..EncoderConfig::default()
        }
    }

    fn heads_config(pooling: Pooling) -> HeadsConfig {
        HeadsConfig {
            pooling,
            ..HeadsConfig::default()
        }
    }

    fn corpus(folder: &Path) -> Corpus {
        test_corpus::corpus(folder, 80, DataConfig::default())
    }

    fn heads(pooling: Pooling, corpus: &Corpus) -> EmotionHeads {
        initial_heads(
            &heads_config(pooling),
            Objective::Both,
            &encoder(),
            corpus,
            0,
        )
        .unwrap()
    }

    fn write(
        pooling: Pooling,
        start: Start,
        corpus: &mut Corpus,
        out: &Path,
    ) -> Result<[usize; 2], TrainError> {
        let (encoder, heads) = (&encoder(), &heads_config(pooling));
        encode(
            &EncodeRun {
                encoder,
                heads,
                start,
                pretrained: None,
                seed: 3,
            },
            corpus,
            out,
        )
    }

    #[test]
    fn rows_are_what_the_encoder_makes_of_each_segment() {
        let folder = tempfile::tempdir().unwrap();
        let mut corpus = corpus(folder.path());
        let out = folder.path().join("e.safetensors");
        for pooling in [Pooling::Mean, Pooling::MeanDeviation, Pooling::Attention] {
            let [_, width] = write(pooling, Start::RandomFrozen, &mut corpus, &out).unwrap();
            assert_eq!(
                width,
                if pooling == Pooling::MeanDeviation {
                    16
                } else {
                    8
                }
            );
            let heads = heads(pooling, &corpus);
            let encodings = Encodings::open(&out, &corpus, &heads, &encoder()).unwrap();
            let encoder =
                initial_encoder(&encoder(), &mut corpus, Start::RandomFrozen, None, 3).unwrap();
            // Of each split one, not in the order of the folder.
            let fold = corpus.fold();
            let segments = [fold.test[1], fold.train[2], fold.valid[0]];
            let (rows_nk, layout) = encodings.gather(&segments, Device::Cpu).unwrap();
            let (x_nc, expected) = corpus.tensors(&corpus.gather(&segments)).unwrap();
            let h_nd = encoder.forward(&x_nc, &expected, false).unwrap();
            let expected_nk = if pooling == Pooling::Attention {
                h_nd
            } else {
                heads.pool(&h_nd, &expected).unwrap()
            };
            assert_eq!(
                layout.map(|l| l.frames()),
                (pooling == Pooling::Attention).then(|| expected.frames())
            );
            assert_eq!(rows_nk.size(), expected_nk.size());
            let difference = f64::try_from((rows_nk - expected_nk).abs().max()).unwrap();
            assert!(difference < 1e-5, "{pooling:?}: {difference:e}");
        }
    }

    #[test]
    fn a_file_of_other_encodings_or_a_part_of_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut corpus = corpus(folder.path());
        let out = folder.path().join("e.safetensors");
        write(Pooling::Mean, Start::RandomFrozen, &mut corpus, &out).unwrap();
        let open = |pooling| Encodings::open(&out, &corpus, &heads(pooling, &corpus), &encoder());
        let refusal = |pooling| {
            let error = open(pooling).err().unwrap().to_string();
            assert!(
                error.contains("e.safetensors: expected encodings of this fold, ["),
                "{error}"
            );
            error
        };
        let rows = segments_of(&corpus).len();
        assert!(refusal(Pooling::Attention).ends_with(&format!("found [{rows},8]")));
        let whole = std::fs::read(&out).unwrap();
        for part in [&whole[..whole.len() - 4], &whole[..100], &[]] {
            std::fs::write(&out, part).unwrap();
            refusal(Pooling::Mean);
        }
        // A single bit of one value.
        let mut altered = whole.clone();
        altered[HEADER_BYTES] ^= 1;
        std::fs::write(&out, &altered).unwrap();
        let found = open(Pooling::Mean).err().unwrap().to_string();
        assert!(
            found.contains("expected rows with the checksum in the header"),
            "{found}"
        );
        let error = write(Pooling::Mean, Start::Ssl, &mut corpus, &out)
            .unwrap_err()
            .to_string();
        assert!(error.contains("found ssl"), "{error}");
    }
}
