//! Writing a chunk that is packed already, and closing a dataset with an answer: what HDF5's Rust binding lacks, and so what has
//! `unsafe`.
#![allow(unsafe_code, reason = "calling HDF5")]

use hdf5::Dataset;
use hdf5_sys::h5d::{H5Dclose, H5Dwrite_chunk};
use hdf5_sys::h5p::H5P_DEFAULT;

/// Writes the chunk that begins at a row and column of a matrix in chunks. Whether HDF5 did it.
pub(super) fn write_chunk(dataset: &Dataset, first: [usize; 2], bytes: &[u8]) -> bool {
    if dataset.ndim() != 2 || bytes.is_empty() {
        return false;
    }
    let first = first.map(|n| n as u64);
    // SAFETY: the identifier lives as long as the dataset, `first` has a number for each of its two dimensions, and
    // HDF5 reads `bytes.len()` bytes from `bytes`. HDF5's lock is held, as its calls ask for.
    let status = hdf5::sync::sync(|| unsafe {
        H5Dwrite_chunk(dataset.id(), H5P_DEFAULT, 0, first.as_ptr(), bytes.len(), bytes.as_ptr().cast())
    });
    status >= 0
}

/// Closes a dataset, on which HDF5 writes what it has held back of it. Whether HDF5 could: a file of which it could not must not be
/// touched again, for HDF5 stumbles over what is left of the dataset.
pub(super) fn close(dataset: Dataset) -> bool {
    // Whoever drops it closes it too, and is not told how that went.
    let dataset = std::mem::ManuallyDrop::new(dataset);
    // SAFETY: the identifier is valid, as the dataset has not been dropped, and is not used again, as it never is.
    hdf5::sync::sync(|| unsafe { H5Dclose(dataset.id()) }) >= 0
}
