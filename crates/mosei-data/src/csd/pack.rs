//! A video compressed for a file: split into chunks and deflated, which takes far longer than
//! writing it and needs no HDF5.
//!
//! What lives here: the chunks and their bytes. What does not: the file (`write`), the shape of a
//! chunk (`chunks`).

use super::chunks::chunk_shape;
use super::number::Number;
use libdeflater::{CompressionLvl, Compressor};

/// Compressed features and intervals of a video, ready for [`crate::CsdWriter::write_packed`]. Any
/// thread may make one.
pub struct PackedVideo {
    pub(super) features: PackedMatrix,
    pub(super) intervals: PackedMatrix,
}

/// A matrix in deflated chunks.
pub(super) struct PackedMatrix {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Rows and columns of a chunk.
    pub chunk: [usize; 2],
    /// First row, first column and bytes of each chunk.
    pub chunks: Vec<([usize; 2], Vec<u8>)>,
}

impl PackedVideo {
    /// Compresses `features` `[rows, width]`, row-major, and `intervals` `[rows]` of start and end
    /// in seconds, at a deflate level from 0 to 9.
    ///
    /// # Errors
    /// The number of features, where it is not `rows` times `width`.
    pub fn new(
        width: usize,
        features: &[f32],
        intervals: &[[f64; 2]],
        deflate: u8,
    ) -> Result<Self, usize> {
        let rows = intervals.len();
        if rows.checked_mul(width) != Some(features.len()) {
            return Err(features.len());
        }
        let level = CompressionLvl::new(deflate.min(9).into()).unwrap_or_default();
        let mut deflate = Compressor::new(level);
        Ok(PackedVideo {
            features: PackedMatrix::new([rows, width], features, &mut deflate),
            intervals: PackedMatrix::new([rows, 2], intervals.as_flattened(), &mut deflate),
        })
    }
}

impl PackedMatrix {
    fn new<T: Number>(shape: [usize; 2], values: &[T], deflate: &mut Compressor) -> Self {
        let chunk = chunk_shape(shape, T::BYTES);
        let length = chunk[0] * chunk[1] * T::BYTES;
        let mut packed = PackedMatrix {
            shape,
            chunk,
            chunks: Vec::new(),
        };
        let (mut plain, mut buffer) = (
            Vec::with_capacity(length),
            vec![0; deflate.zlib_compress_bound(length)],
        );
        for first_row in (0..shape[0]).step_by(chunk[0]) {
            for first in (0..shape[1]).step_by(chunk[1]) {
                let columns = first..shape[1].min(first + chunk[1]);
                plain.clear();
                for row in values.chunks_exact(shape[1]).skip(first_row).take(chunk[0]) {
                    T::to_bytes(&row[columns.clone()], &mut plain);
                    // Chunks at the edge are padded to full size.
                    plain.resize(plain.len() + (chunk[1] - columns.len()) * T::BYTES, 0);
                }
                plain.resize(length, 0);
                // The buffer has the size of zlib's bound, so this cannot fail.
                let bytes = deflate
                    .zlib_compress(&plain, &mut buffer)
                    .map_or_else(|_| Vec::new(), |n| buffer[..n].to_vec());
                packed.chunks.push(([first_row, first], bytes));
            }
        }
        packed
    }
}
