//! One array of numpy a recording: `[frames, columns]`.

use crate::csd::MAX_COLUMNS;
use crate::{DataError, whole};
use npyz::{DType, NpyFile, Order, TypeChar};
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Longest header, and brackets in it: a real one has a few, and a parser goes one deeper with each.
const MOST_HEADER_BYTES: usize = 4096;
const MOST_BRACKETS: usize = 16;
/// Digits of a dimension.
const MOST_DIGITS: usize = 10;
/// Values of an array beyond which it is no recording (4 GiB of float32).
const MOST_VALUES: u64 = 1 << 30;

const FORMAT: &str = "an array of numpy (.npy)";
const SHAPE: &str = "an array [frames, columns]";

/// An array as rows.
pub(super) struct Array {
    /// Columns.
    pub columns: usize,
    /// Values `[frames, columns]`, row-major.
    pub values: Vec<f32>,
}

/// Reads an array of float32, float64 or integers, in either order and of either endianness.
///
/// # Errors
/// Where it is none, is pickled, has another type or shape, or ends early.
pub(super) fn read(path: &Path) -> Result<Array, DataError> {
    let file = File::open(path).map_err(DataError::io("open", path))?;
    let facts = file.metadata().map_err(DataError::io("open", path))?;
    whole::require_file(path, &facts)?;
    super::recognise::refuse_pickle(path)?;
    let mut file = BufReader::new(file);
    let header = header(path, &mut file)?;
    // Of some headers the library multiplies what is too large to be multiplied.
    let npy = catch_unwind(AssertUnwindSafe(|| NpyFile::new(header.as_slice().chain(file))))
        .unwrap_or_else(|_| Err(std::io::Error::other("a header that no array has")))
        .map_err(|e| DataError::unreadable(path, FORMAT, e))?;
    if npy.uses_pickled_array() {
        return Err(DataError::Pickle { path: path.to_path_buf(), found: "an array of Python objects" });
    }
    let (frames, columns) = match *npy.shape() {
        [frames, columns] => (frames, columns),
        // One feature alone.
        [frames] => (frames, 1),
        _ => return Err(DataError::table(path, "shape", SHAPE, format!("{:?}", npy.shape()))),
    };
    let values = frames.checked_mul(columns).filter(|n| *n <= MOST_VALUES);
    let (Some(values), true) = (values, (1..=MAX_COLUMNS as u64).contains(&columns)) else {
        return Err(DataError::table(path, "shape", SHAPE, format!("[{frames}, {columns}]")));
    };
    if frames == 0 {
        return Err(DataError::table(path, "shape", "at least one frame", "none"));
    }
    let bytes = npy.dtype().num_bytes().unwrap_or(0) as u64 * values;
    if facts.len() < bytes {
        let expected = format!("{bytes} bytes of values, as its shape says");
        return Err(DataError::table(path, "values", expected, format!("a file of {} bytes", facts.len())));
    }
    let order = npy.order();
    let plain = match npy.dtype() {
        DType::Plain(plain) => Some((plain.type_char(), plain.size_field())),
        _ => None,
    };
    let values = match plain {
        Some((TypeChar::Float, 4)) => values_of::<f32>(path, npy, |x| x)?,
        Some((TypeChar::Float, 8)) => values_of::<f64>(path, npy, |x| x as f32)?,
        Some((TypeChar::Int, 1)) => values_of::<i8>(path, npy, f32::from)?,
        Some((TypeChar::Int, 2)) => values_of::<i16>(path, npy, f32::from)?,
        Some((TypeChar::Int, 4)) => values_of::<i32>(path, npy, |x| x as f32)?,
        Some((TypeChar::Int, 8)) => values_of::<i64>(path, npy, |x| x as f32)?,
        _ => {
            let found = npy.dtype().descr();
            return Err(DataError::table(path, "dtype", "float32, float64 or integers", found));
        }
    };
    let (frames, columns) = (frames as usize, columns as usize);
    Ok(Array { columns, values: if order == Order::C { values } else { turned(&values, frames, columns) } })
}

/// The bytes of the header, which a library may then be given.
fn header(path: &Path, file: &mut impl Read) -> Result<Vec<u8>, DataError> {
    let fail = |found: &str| DataError::table(path, "header", FORMAT, found);
    let mut bytes = vec![0; 10];
    file.read_exact(&mut bytes).map_err(|_| fail("a few bytes"))?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(fail("another file"));
    }
    let (begin, length) = match bytes[6] {
        1 => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        2 | 3 => {
            bytes.resize(12, 0);
            file.read_exact(&mut bytes[10..]).map_err(|_| fail("a few bytes"))?;
            (12, u32::from_le_bytes(std::array::from_fn(|i| bytes[8 + i])) as usize)
        }
        _ => return Err(fail("another version of the format")),
    };
    if length > MOST_HEADER_BYTES {
        return Err(fail("a header of too many bytes"));
    }
    bytes.resize(begin + length, 0);
    file.read_exact(&mut bytes[begin..]).map_err(|_| fail("half a header"))?;
    if bytes[begin..].iter().filter(|b| b"([{".contains(b)).count() > MOST_BRACKETS {
        return Err(fail("a header with brackets in brackets"));
    }
    if bytes[begin..].split(|b| !b.is_ascii_digit()).any(|digits| digits.len() > MOST_DIGITS) {
        return Err(fail("a header with a number of too many digits"));
    }
    Ok(bytes)
}

fn values_of<T: npyz::Deserialize>(
    path: &Path,
    npy: NpyFile<impl Read>,
    value: impl Fn(T) -> f32,
) -> Result<Vec<f32>, DataError> {
    let data = npy.data::<T>().map_err(|e| DataError::unreadable(path, FORMAT, e))?;
    data.map(|x| x.map(&value)).collect::<Result<_, _>>().map_err(DataError::io("read", path))
}

/// Values column by column, row by row.
fn turned(values: &[f32], frames: usize, columns: usize) -> Vec<f32> {
    (0..frames).flat_map(|f| (0..columns).map(move |c| values[c * frames + f])).collect()
}
