//! A video packed for a file: cut into chunks and deflated, which takes far longer than writing it and needs no HDF5.
//!
//! What lives here: chunks and their bytes. What does not: the file (see `write`), the chunks' shape (see `chunks`).

use super::chunks::chunk_shape;
use super::number::Number;
use libdeflater::{CompressionLvl, Compressor};

/// Features and intervals of a video, ready to be written.
pub(crate) struct PackedVideo {
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
    /// Packs `features` `[rows, width]`, row-major, and as many `intervals`, at a deflate level from 0 to 9.
    ///
    /// # Errors
    /// What was found instead of `rows` times `width` features.
    pub fn new(width: usize, features: &[f32], intervals: &[[f64; 2]], deflate: u8) -> Result<Self, usize> {
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
        let mut packed = PackedMatrix { shape, chunk, chunks: Vec::new() };
        let (mut plain, mut room) = (Vec::with_capacity(length), vec![0; deflate.zlib_compress_bound(length)]);
        for first_row in (0..shape[0]).step_by(chunk[0]) {
            for first in (0..shape[1]).step_by(chunk[1]) {
                let columns = first..shape[1].min(first + chunk[1]);
                plain.clear();
                for row in values.chunks_exact(shape[1]).skip(first_row).take(chunk[0]) {
                    T::to_bytes(&row[columns.clone()], &mut plain);
                    // A chunk at the edge is as large as the others.
                    plain.resize(plain.len() + (chunk[1] - columns.len()) * T::BYTES, 0);
                }
                plain.resize(length, 0);
                // The room is the bound that was asked for, so it is enough.
                let bytes =
                    deflate.zlib_compress(&plain, &mut room).map_or_else(|_| Vec::new(), |n| room[..n].to_vec());
                packed.chunks.push(([first_row, first], bytes));
            }
        }
        packed
    }
}
