//! NumPy arrays (.npy), one per recording: `[frames, columns]`.

use crate::ImportError;
use mosei_data::MAX_COLUMNS;
use mosei_data::files;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::fs::File;
use std::io::{BufReader, Read};
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
const SHAPE: &str = "an array [frames, columns]";

/// An array of frames.
pub(crate) struct Array {
    /// Columns.
    pub columns: usize,
    /// Values `[frames, columns]`, row-major.
    pub values: Vec<f32>,
}

/// Reads an array of float32, float64 or integers, in either order and of either endianness.
///
/// # Errors
/// Where it is not a NumPy array, is pickled, has another type or shape, or is truncated.
pub(crate) fn read(path: &Path) -> Result<Array, ImportError> {
    let file = File::open(path).map_err(ImportError::io("open", path))?;
    let facts = file.metadata().map_err(ImportError::io("open", path))?;
    files::require_file(path, &facts)?;
    crate::detect_format::refuse_pickle(path)?;
    let mut file = BufReader::new(file);
    let header = header(path, &mut file)?;
    // Some headers overflow a multiplication in the library, which panics.
    let npy = catch_unwind(AssertUnwindSafe(|| {
        NpyFile::new(header.as_slice().chain(file))
    }))
    .unwrap_or_else(|_| Err(std::io::Error::other("an impossible header")))
    .map_err(|e| ImportError::unreadable(path, FORMAT, e))?;
    if npy.uses_pickled_array() {
        return Err(ImportError::Pickle {
            path: path.to_path_buf(),
            found: "an array of Python objects",
        });
    }
    let (frames, columns) = match *npy.shape() {
        [frames, columns] => (frames, columns),
        // A single feature.
        [frames] => (frames, 1),
        _ => {
            return Err(ImportError::table(
                path,
                "shape",
                SHAPE,
                format!("{:?}", npy.shape()),
            ));
        }
    };
    let values = frames.checked_mul(columns).filter(|n| *n <= MAX_VALUES);
    let (Some(values), true) = (values, (1..=MAX_COLUMNS as u64).contains(&columns)) else {
        return Err(ImportError::table(
            path,
            "shape",
            SHAPE,
            format!("[{frames}, {columns}]"),
        ));
    };
    if frames == 0 {
        return Err(ImportError::table(
            path,
            "shape",
            "at least one frame",
            "none",
        ));
    }
    let bytes = npy.dtype().num_bytes().unwrap_or(0) as u64 * values;
    if facts.len() < bytes {
        let expected = format!("{bytes} bytes of values, as its shape needs");
        return Err(ImportError::table(
            path,
            "values",
            expected,
            format!("a file of {} bytes", facts.len()),
        ));
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
            return Err(ImportError::table(
                path,
                "dtype",
                "float32, float64 or integers",
                found,
            ));
        }
    };
    let (frames, columns) = (frames as usize, columns as usize);
    Ok(Array {
        columns,
        values: if order == Order::C {
            values
        } else {
            transposed(&values, frames, columns)
        },
    })
}

/// Reads and checks the header's bytes, before the library parses them.
fn header(path: &Path, file: &mut impl Read) -> Result<Vec<u8>, ImportError> {
    let fail = |found: &str| ImportError::table(path, "header", FORMAT, found);
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

/// Column-major values as row-major ones.
fn transposed(values: &[f32], frames: usize, columns: usize) -> Vec<f32> {
    (0..frames)
        .flat_map(|f| (0..columns).map(move |c| values[c * frames + f]))
        .collect()
}
