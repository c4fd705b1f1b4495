//! Upper bounds on what a file may claim, so that a file of a few bytes cannot cause gigabytes to
//! be allocated.

/// Most values of one dataset (8 GiB of float32); with more, a file is considered damaged.
const MAX_VALUES: u64 = 1 << 31;
/// Most columns of a file: a mean and a standard deviation of each are kept for every video.
pub const MAX_COLUMNS: usize = 1 << 14;
/// Values that a file of any size may have in one dataset: values never written take no space.
const FREE_VALUES: u64 = 1 << 24;
/// Deflate packs at most 1,032 bytes into one, which is 258 values of 4 bytes.
const VALUES_A_BYTE: u64 = 258;
/// Memory that HDF5 needs to read a file, besides the values.
const OVERHEAD_BYTES: u64 = 512 << 20;

/// Most values of a dataset in a file of this size, at the best possible compression.
pub(super) fn most_values(file_bytes: u64) -> u64 {
    file_bytes
        .saturating_mul(VALUES_A_BYTE)
        .clamp(FREE_VALUES, MAX_VALUES)
}

/// Memory for reading one dataset of a file of this size: twice its values as float64, for HDF5's
/// conversion.
pub(super) fn memory_bytes(file_bytes: u64) -> u64 {
    OVERHEAD_BYTES + 2 * 8 * most_values(file_bytes)
}
