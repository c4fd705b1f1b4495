//! How much a file may ask for: bounds by which a file of a few bytes cannot make anybody allocate gigabytes.

/// Values of one dataset beyond which a file is taken to be damaged (8 GiB of float32).
const MAX_VALUES: u64 = 1 << 31;
/// Columns beyond which nothing here is made for a file: means and deviations are kept of each, video by video.
pub(crate) const MAX_COLUMNS: usize = 1 << 14;
/// Values that a file of any size may have in one dataset: those that were never written take no room in it.
const FREE_VALUES: u64 = 1 << 24;
/// The most that deflate packs into a byte is 1,032 bytes, which are 258 values of 4.
const VALUES_A_BYTE: u64 = 258;
/// What HDF5 takes to read a file, besides the values.
const OVERHEAD_BYTES: u64 = 512 << 20;

/// Most values of a dataset in a file of so many bytes: what the best packing makes of them.
pub(super) fn most_values(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(VALUES_A_BYTE).clamp(FREE_VALUES, MAX_VALUES)
}

/// Memory that reading one dataset of a file of so many bytes may take: as float64, twice, where HDF5 converts them.
pub(super) fn memory_bytes(file_bytes: u64) -> u64 {
    OVERHEAD_BYTES + 2 * 8 * most_values(file_bytes)
}
