//! Writing a compressed chunk, and closing a dataset with a result: calls that the Rust binding of
//! HDF5 lacks.
#![allow(unsafe_code, reason = "calling HDF5")]

use hdf5::Dataset;
use hdf5_sys::h5d::{H5Dclose, H5Dwrite_chunk};
use hdf5_sys::h5p::H5P_DEFAULT;

/// Writes the compressed chunk that starts at row and column `first` of a matrix. Returns whether
/// HDF5 succeeded.
pub(super) fn write_chunk(dataset: &Dataset, first: [usize; 2], bytes: &[u8]) -> bool {
    if dataset.ndim() != 2 || bytes.is_empty() {
        return false;
    }
    let first = first.map(|n| n as u64);
    // SAFETY: the identifier is valid while the dataset lives, `first` has one number for each of
    // its two dimensions, and HDF5 reads `bytes.len()` bytes from `bytes`. HDF5's lock is held, as
    // its functions require.
    let status = hdf5::sync::sync(|| unsafe {
        H5Dwrite_chunk(
            dataset.id(),
            H5P_DEFAULT,
            0,
            first.as_ptr(),
            bytes.len(),
            bytes.as_ptr().cast(),
        )
    });
    status >= 0
}

/// Closes a dataset, which flushes its buffers. Returns whether HDF5 succeeded; if not, the file
/// must not be used again, as HDF5 keeps parts of the dataset.
pub(super) fn close(dataset: Dataset) -> bool {
    // Dropping the dataset would close it without a result.
    let dataset = std::mem::ManuallyDrop::new(dataset);
    // SAFETY: the identifier is valid, as the dataset is never dropped, and it is not used again.
    hdf5::sync::sync(|| unsafe { H5Dclose(dataset.id()) }) >= 0
}
