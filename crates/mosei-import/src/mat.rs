//! MATLAB's files (.mat) of level 5, as MATLAB's `save -v7` and `-v6`, Octave's and SciPy write them.
//!
//! What lives here: which matrix holds the features, and its values. The format is read by the crate
//! `matfile`. What does not: what the axes are (`axes`).

use crate::ImportError;
use crate::axes;
use crate::npy::Array;
use matfile::{MatFile, NumericData};
use mosei_data::files;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Largest file, bytes: it is read into memory.
const MAX_BYTES: u64 = 1 << 30;
/// The matrix of COVAREP's files.
const FEATURES: &str = "features";

const FORMAT: &str = "a MATLAB file of level 5 (save -v7)";

/// Names of the matrices in a file, sorted.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, ImportError> {
    let file = open(path)?;
    let mut names: Vec<String> = file.arrays().iter().map(|a| a.name().to_string()).collect();
    names.sort();
    Ok(names)
}

/// The name of the matrix with the features: `features`, as in COVAREP's files, else the only one.
///
/// # Errors
/// Where there are none, or several and none is called so.
pub(crate) fn features_name(path: &Path) -> Result<String, ImportError> {
    let names = names(path)?;
    match names.as_slice() {
        [one] => Ok(one.clone()),
        several if several.iter().any(|name| name == FEATURES) => Ok(FEATURES.into()),
        several => {
            let found = if several.is_empty() {
                "none".into()
            } else {
                several.join(", ")
            };
            let expected = format!("one matrix of numbers, or one called '{FEATURES}'");
            Err(ImportError::table(path, "", expected, found))
        }
    }
}

/// Reads a matrix; its shape has two dimensions.
///
/// # Errors
/// Where it is not there, or holds no real numbers.
pub(crate) fn read(path: &Path, name: &str) -> Result<Array, ImportError> {
    let file = open(path)?;
    let fail = |expected: &str, found: String| {
        Err(ImportError::table(
            path,
            format!("'{name}'"),
            expected,
            found,
        ))
    };
    let Some(array) = file.find_by_name(name) else {
        return fail("a matrix of numbers", "none".into());
    };
    let &[rows, columns] = array.size().as_slice() else {
        return fail(
            "a matrix [frames, columns]",
            format!("size {:?}", array.size()),
        );
    };
    let Some(values) = real(array.data()) else {
        return fail("real numbers", "complex numbers".into());
    };
    if rows == 0 || columns == 0 || rows.checked_mul(columns) != Some(values.len()) {
        let found = format!("size [{rows}, {columns}] and {} values", values.len());
        return fail("a matrix [frames, columns] with values", found);
    }
    // MATLAB's matrices lie column by column.
    let values = axes::transposed(&values, rows, columns);
    Ok(Array {
        shape: vec![rows, columns],
        values,
    })
}

/// The values of a matrix; `None` for complex numbers.
fn real(data: &NumericData) -> Option<Vec<f32>> {
    macro_rules! cast {
        ($real:expr, $imag:expr) => {
            $imag
                .is_none()
                .then(|| $real.iter().map(|&x| x as f32).collect())
        };
    }
    match data {
        NumericData::Int8 { real, imag } => cast!(real, imag),
        NumericData::UInt8 { real, imag } => cast!(real, imag),
        NumericData::Int16 { real, imag } => cast!(real, imag),
        NumericData::UInt16 { real, imag } => cast!(real, imag),
        NumericData::Int32 { real, imag } => cast!(real, imag),
        NumericData::UInt32 { real, imag } => cast!(real, imag),
        NumericData::Int64 { real, imag } => cast!(real, imag),
        NumericData::UInt64 { real, imag } => cast!(real, imag),
        NumericData::Single { real, imag } => cast!(real, imag),
        NumericData::Double { real, imag } => cast!(real, imag),
    }
}

fn open(path: &Path) -> Result<MatFile, ImportError> {
    let bytes = files::read_bounded(path, MAX_BYTES)?;
    let refused = |found: &str| Err(ImportError::table(path, "", FORMAT, found));
    if bytes.starts_with(b"MATLAB 7.3") {
        return refused("one of version 7.3 (HDF5)");
    }
    if bytes.starts_with(b"# Created by Octave") || bytes.starts_with(b"Octave-1-") {
        return refused("one in Octave's own format");
    }
    check_packed(path, &bytes)?;
    catch_unwind(AssertUnwindSafe(|| MatFile::parse(bytes.as_slice())))
        .unwrap_or(Err(matfile::Error::InternalError))
        .map_err(|e| ImportError::unreadable(path, FORMAT, e.to_string()))
}

/// Checks that the deflated matrices of a file are of a plausible size, as the library holds all of
/// them in memory.
fn check_packed(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    // After the header of 128 bytes, each element has a type and a length; 15 is a deflated one.
    const HEADER: usize = 128;
    const COMPRESSED: u32 = 15;
    let big = bytes.get(126..128) == Some(b"MI");
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    };
    let (mut at, mut unpacked) = (HEADER, 0);
    while let (Some(kind), Some(length)) = (number(at), number(at + 4)) {
        let (from, to) = (at + 8, (at + 8).saturating_add(length as usize));
        if kind == COMPRESSED {
            let source = flate2::read::ZlibDecoder::new(bytes.get(from..to).unwrap_or_default());
            unpacked +=
                std::io::copy(&mut source.take(MAX_BYTES + 1), &mut std::io::sink()).unwrap_or(0);
        }
        if unpacked > MAX_BYTES {
            let expected = format!("at most {MAX_BYTES} bytes of matrices");
            return Err(ImportError::table(path, "", expected, "more"));
        }
        // Elements that are not deflated are padded to 8 bytes.
        at = if kind == COMPRESSED {
            to
        } else {
            to.next_multiple_of(8)
        };
    }
    Ok(())
}
