//! The memory-mapped frames. Mapping needs `unsafe`.
#![allow(
    unsafe_code,
    reason = "mapping a file and reading its bytes as float32"
)]

use crate::DataError;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use std::fs::File;
use std::ops::Range;
use std::path::Path;

#[cfg(target_endian = "big")]
compile_error!("frames are stored as little-endian float32 and mapped as they are");

/// `[frames, columns]` of float32 in a file.
#[derive(Debug)]
pub(crate) struct MappedFrames {
    map: Mmap,
    /// First byte of the tensor; a multiple of 4.
    start: usize,
    frames: usize,
    columns: usize,
}

impl MappedFrames {
    /// Maps a file and checks its header; the frames themselves are left on disk.
    pub fn open(path: &Path, columns: usize) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        // SAFETY: the map is read-only. Prepared folders are written under another name, renamed
        // into place and never written again; when one is replaced, the mapped file's bytes stay
        // alive.
        let map = unsafe { Mmap::map(&file) }.map_err(DataError::io("map", path))?;
        let expected = format!("float32 [frames, {columns}]");
        let fail = |found: String| {
            Err(DataError::structure(
                path,
                "frames",
                expected.clone(),
                found,
            ))
        };
        let tensors = match SafeTensors::deserialize(&map) {
            Ok(tensors) => tensors,
            Err(e) => return fail(format!("no safetensors file: {e}")),
        };
        let Ok(tensor) = tensors.tensor("frames") else {
            return fail(format!("{:?}", tensors.names()));
        };
        let (Dtype::F32, &[frames, width]) = (tensor.dtype(), tensor.shape()) else {
            return fail(format!("{:?} {:?}", tensor.dtype(), tensor.shape()));
        };
        let start = tensor.data().as_ptr() as usize - map.as_ptr() as usize;
        if width != columns || !start.is_multiple_of(align_of::<f32>()) {
            return fail(format!("[{frames}, {width}] at byte {start}"));
        }
        Ok(MappedFrames {
            map,
            start,
            frames,
            columns,
        })
    }

    /// Frames in the file.
    pub fn len(&self) -> usize {
        self.frames
    }

    /// Rows `[rows, columns]` of the tensor.
    pub fn rows(&self, rows: Range<usize>) -> &[f32] {
        let byte = |row: usize| self.start + row * self.columns * size_of::<f32>();
        let bytes = &self.map[byte(rows.start)..byte(rows.end)];
        // SAFETY: every bit pattern is a valid f32; the start was checked to be aligned, so
        // `before` and `after` are empty.
        let (before, values, after) = unsafe { bytes.align_to::<f32>() };
        debug_assert!(before.is_empty() && after.is_empty());
        values
    }
}
