//! Writing a chunk that is packed already: the one call that HDF5's Rust binding lacks, and so the one with `unsafe`.
#![allow(unsafe_code, reason = "calling HDF5")]

use hdf5::Dataset;
use hdf5_sys::h5d::H5Dwrite_chunk;
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
