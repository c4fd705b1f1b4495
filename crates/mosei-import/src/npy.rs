//! NumPy arrays (.npy), in a file or an archive.
//!
//! What lives here: the format, with its types and orders. What does not: what the axes are (`axes`),
//! and where arrays lie (`arrays`).

use crate::{ImportError, axes};
use half::f16;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Longest header, and most brackets in it: a real one has a few, and the parser recurses at each.
const MAX_HEADER_BYTES: usize = 4096;
const MAX_BRACKETS: usize = 16;
/// Most digits of a dimension.
const MAX_DIGITS: usize = 10;
/// Most values of an array (4 GiB of float32).
const MAX_VALUES: u64 = 1 << 30;

const FORMAT: &str = "a NumPy array (.npy)";
const SHAPE: &str = "an array [frames, columns] or [frames]";

/// An array of one or two dimensions.
pub(crate) struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// Reads the shape of an array: one or two dimensions, after a leading one of length 1 (a batch of
/// one recording).
///
/// # Errors
/// Where it is not a NumPy array, is pickled, or has another shape.
pub(crate) fn shape(
    path: &Path,
    place: &str,
    source: impl Read,
    bytes: u64,
) -> Result<Vec<usize>, ImportError> {
    open(path, place, source, bytes).map(|(shape, _)| shape)
}

/// Reads an array of floats, integers or booleans, in either order and of either endianness. Its
/// source has so many `bytes`; `place` is the name of the array in an archive, for messages.
///
/// # Errors
/// Where it is not a NumPy array, is pickled, has another type or shape, or is truncated.
pub(crate) fn read(
    path: &Path,
    place: &str,
    source: impl Read,
    bytes: u64,
) -> Result<Array, ImportError> {
    let (shape, npy) = open(path, place, source, bytes)?;
    let order = npy.order();
    let plain = match npy.dtype() {
        DType::Plain(plain) => Some((plain.type_char(), plain.size_field())),
        _ => None,
    };
    let values = match plain {
        Some((TypeChar::Float, 2)) => values_of::<f16>(path, npy, f16::to_f32)?,
        Some((TypeChar::Float, 4)) => values_of::<f32>(path, npy, |x| x)?,
        Some((TypeChar::Float, 8)) => values_of::<f64>(path, npy, |x| x as f32)?,
        Some((TypeChar::Int, 1)) => values_of::<i8>(path, npy, f32::from)?,
        Some((TypeChar::Int, 2)) => values_of::<i16>(path, npy, f32::from)?,
        Some((TypeChar::Int, 4)) => values_of::<i32>(path, npy, |x| x as f32)?,
        Some((TypeChar::Int, 8)) => values_of::<i64>(path, npy, |x| x as f32)?,
        Some((TypeChar::Uint, 1)) => values_of::<u8>(path, npy, f32::from)?,
        Some((TypeChar::Uint, 2)) => values_of::<u16>(path, npy, f32::from)?,
        Some((TypeChar::Uint, 4)) => values_of::<u32>(path, npy, |x| x as f32)?,
        Some((TypeChar::Uint, 8)) => values_of::<u64>(path, npy, |x| x as f32)?,
        Some((TypeChar::Bool, _)) => values_of::<bool>(path, npy, |x| f32::from(u8::from(x)))?,
        _ => return Err(unknown_type(path, place, &npy.dtype())),
    };
    let values = match (order, shape.as_slice()) {
        (Order::Fortran, &[rows, columns]) => axes::transposed(&values, rows, columns),
        _ => values,
    };
    Ok(Array { shape, values })
}

/// The error for a type that does not become float32.
fn unknown_type(path: &Path, place: &str, dtype: &DType) -> ImportError {
    let (place, found) = (inside(place, "dtype"), dtype.descr());
    ImportError::table(path, place, "floats, integers or booleans", found)
}

/// Whether a type holds floats of at most 64 bits, integers or booleans.
fn is_number(dtype: &DType) -> bool {
    let DType::Plain(plain) = dtype else {
        return false;
    };
    matches!(
        (plain.type_char(), plain.size_field()),
        (TypeChar::Float, 2 | 4 | 8)
            | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8)
            | (TypeChar::Bool, _)
    )
}

/// A place in an array of an archive.
fn inside(place: &str, what: &str) -> String {
    if place.is_empty() {
        what.to_string()
    } else {
        format!("'{place}', {what}")
    }
}

/// Opens an array, and checks its shape against the size of its source.
fn open<'s>(
    path: &Path,
    place: &str,
    mut source: impl Read + 's,
    bytes: u64,
) -> Result<(Vec<usize>, NpyFile<impl Read + 's>), ImportError> {
    let header = header(path, place, &mut source)?;
    // Some headers overflow a multiplication in the library, which panics.
    let npy = catch_unwind(AssertUnwindSafe(move || {
        NpyFile::new(Cursor::new(header).chain(source))
    }))
    .unwrap_or_else(|_| Err(std::io::Error::other("an impossible header")))
    .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
    if npy.uses_pickled_array() {
        return Err(ImportError::Pickle {
            path: path.to_path_buf(),
            found: "an array of Python objects",
        });
    }
    if !is_number(&npy.dtype()) {
        return Err(unknown_type(path, place, &npy.dtype()));
    }
    let at_shape = |expected: &str, found: String| {
        Err(ImportError::table(
            path,
            inside(place, "shape"),
            expected,
            found,
        ))
    };
    let shape = match *npy.shape() {
        [1, frames, columns] => vec![frames, columns],
        [frames, columns] => vec![frames, columns],
        [frames] => vec![frames],
        _ => return at_shape(SHAPE, format!("{:?}", npy.shape())),
    };
    let values = shape.iter().try_fold(1_u64, |n, d| n.checked_mul(*d));
    let Some(values) = values.filter(|n| *n <= MAX_VALUES) else {
        return at_shape(SHAPE, format!("{shape:?}"));
    };
    if shape.first() == Some(&0) {
        return at_shape("at least one frame", "none".into());
    }
    if values == 0 {
        return at_shape(SHAPE, format!("{shape:?}"));
    }
    let needed = npy.dtype().num_bytes().unwrap_or(0) as u64 * values;
    if bytes < needed {
        let expected = format!("{needed} bytes of values, as its shape needs");
        let found = format!("a file of {bytes} bytes");
        return Err(ImportError::table(
            path,
            inside(place, "values"),
            expected,
            found,
        ));
    }
    Ok((shape.into_iter().map(|n| n as usize).collect(), npy))
}

/// Reads and checks the header's bytes, before the library parses them.
fn header(path: &Path, place: &str, file: &mut impl Read) -> Result<Vec<u8>, ImportError> {
    let fail = |found: &str| ImportError::table(path, inside(place, "header"), FORMAT, found);
    let mut bytes = vec![0; 10];
    file.read_exact(&mut bytes)
        .map_err(|_| fail("a truncated file"))?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(fail("another format"));
    }
    let (begin, length) = match bytes[6] {
        1 => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        2 | 3 => {
            bytes.resize(12, 0);
            file.read_exact(&mut bytes[10..])
                .map_err(|_| fail("a truncated file"))?;
            (
                12,
                u32::from_le_bytes(std::array::from_fn(|i| bytes[8 + i])) as usize,
            )
        }
        _ => return Err(fail("another version of the format")),
    };
    if length > MAX_HEADER_BYTES {
        return Err(fail("a header that is too long"));
    }
    bytes.resize(begin + length, 0);
    file.read_exact(&mut bytes[begin..])
        .map_err(|_| fail("a truncated header"))?;
    if bytes[begin..].iter().filter(|b| b"([{".contains(b)).count() > MAX_BRACKETS {
        return Err(fail("a header with too many brackets"));
    }
    if bytes[begin..]
        .split(|b| !b.is_ascii_digit())
        .any(|digits| digits.len() > MAX_DIGITS)
    {
        return Err(fail("a header with too large a number"));
    }
    Ok(bytes)
}

fn values_of<T: npyz::Deserialize>(
    path: &Path,
    npy: NpyFile<impl Read>,
    value: impl Fn(T) -> f32,
) -> Result<Vec<f32>, ImportError> {
    let data = npy
        .data::<T>()
        .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
    data.map(|x| x.map(&value))
        .collect::<Result<_, _>>()
        .map_err(ImportError::io("read", path))
}
