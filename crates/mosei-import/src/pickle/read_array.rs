//! Reads the values of arrays, a few rows at a time.
//!
//! What lives here: strides, orders of bytes, and types of numbers. What does not: which array is
//! meant.

use super::array::{Array, Dtype, Kind, Values, count};
use super::latin1::{self, Decoder};
use super::{Fault, Pickle, input::Span};
use crate::ImportError;
use half::{bf16, f16};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;

/// Bytes that protocol 2 wrote as text and that are decoded in memory; more go through a file.
const MAX_DECODED: u64 = 1 << 24;
/// Bytes read at once.
const PIECE_BYTES: u64 = 1 << 20;

/// Most bytes that one row of values may be spread over.
const MAX_SPREAD_BYTES: u64 = 1 << 26;

/// Reads one array.
pub(crate) struct ArrayReader<'p> {
    pickle: &'p Pickle,
    dtype: Dtype,
    /// Its dimensions.
    pub shape: Vec<u64>,
    strides: Vec<u64>,
    first: u64,
    source: Source<'p>,
}

/// Where the bytes of values are.
enum Source<'p> {
    /// In the pickle.
    File(&'p File, Span),
    /// In a file of their own.
    Decoded(File),
    Memory(Vec<u8>),
}

impl<'p> ArrayReader<'p> {
    /// Prepares to read an array of numbers.
    ///
    /// # Errors
    /// Where its values are no numbers, or bytes of the pickle would be read more than once.
    pub(super) fn new(pickle: &'p Pickle, at: u64, array: &Array) -> Result<Self, ImportError> {
        let fault = |expected: &str, found: &str| {
            pickle.error(Fault::content(at, expected, found.to_string()))
        };
        if !array.dtype.is_numeric() {
            return Err(fault("an array of numbers", array.dtype.kind_name()));
        }
        let bytes = count(&array.shape).unwrap_or(u64::MAX) * u64::from(array.dtype.size);
        pickle.spend(at, bytes)?;
        let source = match array.values {
            Values::Plain(span) => Source::File(&pickle.file, span),
            Values::Latin1(span) => decode(pickle, span, bytes)?,
            Values::Objects(_) => return Err(fault("an array of numbers", "one of objects")),
        };
        Ok(ArrayReader {
            pickle,
            dtype: array.dtype,
            shape: array.shape.clone(),
            strides: array.strides.clone(),
            first: array.first,
            source,
        })
    }

    /// Values of rows `first..first + rows` along the first dimension, row-major.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn rows(&self, first: u64, rows: u64) -> Result<Vec<f32>, ImportError> {
        let mut shape = self.shape.clone();
        let Some(length) = shape.first_mut() else {
            return Ok(Vec::new());
        };
        *length = rows;
        let from = self.first + first * self.strides[0];
        let values = count(&shape).unwrap_or(0) as usize;
        let mut out = vec![0.0; values];
        if values == 0 {
            return Ok(out);
        }
        // Along one dimension values lie side by side, or nearly so: read it at once.
        let run = (0..shape.len())
            .min_by_key(|&i| (shape[i] == 1, self.strides[i]))
            .unwrap_or(0);
        // The dimensions behind it whose rows follow each other without a gap go with it.
        let (mut inner, mut length) = (run, shape[run]);
        let dense = self.strides[run] == 1 && run + 1 == shape.len();
        while dense && inner > 0 && self.strides[inner - 1] == length {
            inner -= 1;
            length *= shape[inner];
        }
        let step = if length == 1 { 1 } else { self.strides[run] };
        let outer: Vec<usize> = (0..shape.len())
            .filter(|&i| if dense { i < inner } else { i != run })
            .collect();
        // Distance in `out` between values of the run, and between those of each outer dimension.
        let out_stride = |i: usize| shape[i + 1..].iter().product::<u64>() as usize;
        let out_step = if dense { 1 } else { out_stride(run) };
        let mut index = vec![0_u64; outer.len()];
        let mut bytes = Vec::new();
        loop {
            let (mut source, mut target) = (from, 0);
            for (&i, &k) in outer.iter().zip(&index) {
                source += k * self.strides[i];
                target += k as usize * out_stride(i);
            }
            self.read_run(source, length, step, &mut bytes)?;
            self.convert(&bytes, step, &mut out[target..], out_step);
            // The next outer index, last dimension first.
            let mut place = outer.len();
            loop {
                if place == 0 {
                    return Ok(out);
                }
                place -= 1;
                index[place] += 1;
                if index[place] < shape[outer[place]] {
                    break;
                }
                index[place] = 0;
            }
        }
    }

    /// Reads `length` values that are `step` values apart, with all that lies between them.
    fn read_run(
        &self,
        from: u64,
        length: u64,
        step: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ImportError> {
        let size = u64::from(self.dtype.size);
        let at = from * size;
        let len = ((length - 1) * step + 1) * size;
        if step > 1 && len > MAX_SPREAD_BYTES {
            let expected = format!("values of a row within {MAX_SPREAD_BYTES} bytes");
            let found = format!("{len}; save the tensor as x.contiguous()");
            return Err(self.pickle.error(Fault::content(at, expected, found)));
        }
        bytes.resize(len as usize, 0);
        let path = self.pickle.path();
        let fail = |e| ImportError::io("read", path)(e);
        match &self.source {
            Source::File(file, span) => file.read_exact_at(bytes, span.at + at).map_err(fail),
            Source::Decoded(file) => file.read_exact_at(bytes, at).map_err(fail),
            Source::Memory(all) => {
                bytes.copy_from_slice(&all[at as usize..][..len as usize]);
                Ok(())
            }
        }
    }

    fn convert(&self, bytes: &[u8], step: u64, out: &mut [f32], out_step: usize) {
        let size = self.dtype.size as usize;
        let values = bytes.chunks(size * step as usize).map(|b| &b[..size]);
        let targets = out.iter_mut().step_by(out_step);
        let big = self.dtype.big_endian;
        macro_rules! each {
            ($type:ty, $value:expr) => {
                for (x, bytes) in targets.zip(values) {
                    let bytes = std::array::from_fn(|i| bytes[i]);
                    let value = if big {
                        <$type>::from_be_bytes(bytes)
                    } else {
                        <$type>::from_le_bytes(bytes)
                    };
                    *x = $value(value);
                }
            };
        }
        match (self.dtype.kind, size) {
            (Kind::Float, 2) => each!(f16, f16::to_f32),
            (Kind::Float, 4) => each!(f32, std::convert::identity),
            (Kind::Float, _) => each!(f64, |x| x as f32),
            (Kind::BFloat, _) => each!(bf16, bf16::to_f32),
            (Kind::Int, 1) => each!(i8, f32::from),
            (Kind::Int, 2) => each!(i16, f32::from),
            (Kind::Int, 4) => each!(i32, |x| x as f32),
            (Kind::Int, _) => each!(i64, |x| x as f32),
            (_, 1) => each!(u8, f32::from),
            (_, 2) => each!(u16, f32::from),
            (_, 4) => each!(u32, |x| x as f32),
            (..) => each!(u64, |x| x as f32),
        }
    }
}

impl Dtype {
    fn kind_name(self) -> &'static str {
        match self.kind {
            Kind::Float | Kind::BFloat | Kind::Int | Kind::Unsigned => "numbers",
            Kind::Bool => "booleans",
            Kind::Text | Kind::Bytes => "text",
            Kind::Object => "objects",
        }
    }
}

/// Decodes `bytes` bytes that were written as text.
fn decode<'p>(pickle: &'p Pickle, span: Span, bytes: u64) -> Result<Source<'p>, ImportError> {
    let mut decoder = Decoder::default();
    let mut memory = Vec::new();
    let path = pickle.path();
    let mut file = match bytes > MAX_DECODED {
        true => {
            let file = tempfile::tempfile_in(&pickle.scratch)
                .map_err(ImportError::io("create a file in", &pickle.scratch))?;
            Some(BufWriter::new(file))
        }
        false => None,
    };
    let (mut text, mut decoded, mut total) = (Vec::new(), Vec::new(), 0);
    for begin in (0..span.len).step_by(PIECE_BYTES as usize) {
        text.resize(PIECE_BYTES.min(span.len - begin) as usize, 0);
        let read = pickle.file.read_exact_at(&mut text, span.at + begin);
        read.map_err(ImportError::io("read", path))?;
        decoded.clear();
        decoder.add(&text, &mut decoded).map_err(|found| {
            pickle.error(Fault::content(span.at + begin, latin1::EXPECTED, found))
        })?;
        total += decoded.len() as u64;
        match &mut file {
            Some(file) => file
                .write_all(&decoded)
                .map_err(ImportError::io("write to a file in", &pickle.scratch))?,
            None => memory.extend_from_slice(&decoded),
        }
    }
    if total != bytes {
        let expected = format!("{bytes} bytes of values, as the shape needs");
        return Err(pickle.error(Fault::content(span.at, expected, total.to_string())));
    }
    match file {
        None => Ok(Source::Memory(memory)),
        Some(file) => file
            .into_inner()
            .map(Source::Decoded)
            .map_err(|e| ImportError::io("write to a file in", &pickle.scratch)(e.into_error())),
    }
}

/// The text of a value of an array, without the zeros that fill it up.
pub(super) fn text_of(bytes: &[u8], dtype: Dtype) -> Option<String> {
    if dtype.kind == Kind::Bytes {
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
        return String::from_utf8(bytes[..end].to_vec()).ok();
    }
    let letters = bytes
        .as_chunks()
        .0
        .iter()
        .map(|unit| match dtype.big_endian {
            true => char::from_u32(u32::from_be_bytes(*unit)),
            false => char::from_u32(u32::from_le_bytes(*unit)),
        });
    let text: String = letters.collect::<Option<_>>()?;
    Some(text.trim_end_matches('\0').to_string())
}

/// The number of a value of an array.
pub(super) fn number_of(bytes: &[u8], dtype: Dtype) -> Option<f64> {
    let mut own = [0; 8];
    let size = bytes.len().min(8);
    own[..size].copy_from_slice(&bytes[..size]);
    if dtype.big_endian {
        own[..size].reverse();
    }
    let bits = u64::from_le_bytes(own);
    // Shifted up and down again, so that the sign is kept.
    let shift = 64 - 8 * size as u32;
    Some(match (dtype.kind, size) {
        (Kind::Float, 8) => f64::from_bits(bits),
        (Kind::Float, 4) => f32::from_bits(bits as u32).into(),
        (Kind::Float, 2) => f16::from_bits(bits as u16).into(),
        (Kind::BFloat, 2) => bf16::from_bits(bits as u16).into(),
        (Kind::Int, _) => ((bits as i64) << shift >> shift) as f64,
        (Kind::Unsigned, _) => bits as f64,
        _ => return None,
    })
}
