//! The storage layout of a dataset, so that several threads can read and decompress values in
//! parallel.
//!
//! What lives here: asking HDF5 for positions, sizes and filters. What does not: reading
//! (`unpack`). Any uncommon layout is `None`, and left to HDF5.

use hdf5::filters::Filter;
use hdf5::plist::dataset_create::{ChunkOpts, Layout};
use hdf5::{Dataset, H5Type};

/// Larger chunks are left to HDF5; those of h5py have at most 1 MiB.
const MAX_CHUNK_BYTES: usize = 64 << 20;
/// A compressed chunk is hardly longer than its content, unless the file is damaged.
const MAX_GROWTH_BYTES: u64 = 4096;

/// A matrix `[rows, columns]` in a file.
pub(super) struct StoredMatrix {
    pub rows: usize,
    pub columns: usize,
    pub bytes: StoredBytes,
}

/// How its bytes are stored.
pub(super) enum StoredBytes {
    /// Row-major, from this byte of the file.
    Contiguous(u64),
    /// In chunks.
    Chunked(Chunks),
}

/// Chunks that cover a matrix, each once; those at the edges extend beyond it.
pub(super) struct Chunks {
    /// Rows and columns of a chunk.
    pub shape: [usize; 2],
    /// Filters in the order of writing, none twice.
    pub filters: Vec<ChunkFilter>,
    /// In order of position in the file.
    pub list: Vec<Chunk>,
}

/// One chunk.
pub(super) struct Chunk {
    /// Its first row and column.
    pub first: [usize; 2],
    /// Its first byte in the file.
    pub at: u64,
    /// Its bytes in the file.
    pub packed: usize,
    /// Bit `i` is set where `filters[i]` was skipped.
    pub skipped: u32,
}

/// The filters that are supported here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkFilter {
    /// zlib's format.
    Deflate,
    /// The first bytes of all values, then the second ones, and so on.
    Shuffle,
    /// A checksum of 4 bytes at the end.
    Fletcher32,
}

impl StoredMatrix {
    /// Locates a matrix whose values are stored like `T` in memory; `None` where HDF5 must read it.
    pub fn find<T: H5Type>(dataset: &Dataset) -> Option<Self> {
        let &[rows, columns] = dataset.shape().as_slice() else {
            return None;
        };
        if !dataset.dtype().ok()?.is::<T>() {
            return None;
        }
        let plist = dataset.dcpl().ok()?;
        let bytes = match plist.get_layout().ok()? {
            Layout::Contiguous => {
                // Without written values HDF5 returns an offset that is not one.
                if dataset.storage_size() != (rows as u64 * columns as u64 * size_of::<T>() as u64)
                {
                    return None;
                }
                StoredBytes::Contiguous(dataset.offset()?)
            }
            Layout::Chunked => {
                // Such a file does not record which chunks at the edge are unfiltered.
                if plist
                    .get_chunk_opts()
                    .ok()?
                    .is_some_and(|o| o.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS))
                {
                    return None;
                }
                let filters = plist
                    .get_filters()
                    .ok()?
                    .iter()
                    .map(known)
                    .collect::<Option<Vec<_>>>()?;
                if (1..filters.len()).any(|i| filters[..i].contains(&filters[i])) {
                    return None;
                }
                let shape: [usize; 2] = plist.get_chunk().ok()??.try_into().ok()?;
                let bytes = shape[0]
                    .checked_mul(shape[1])?
                    .checked_mul(size_of::<T>())?;
                if !(1..=MAX_CHUNK_BYTES).contains(&bytes) {
                    return None;
                }
                let list = covering(
                    dataset,
                    [rows, columns],
                    shape,
                    bytes as u64 + MAX_GROWTH_BYTES,
                )?;
                StoredBytes::Chunked(Chunks {
                    shape,
                    filters,
                    list,
                })
            }
            _ => return None,
        };
        Some(StoredMatrix {
            rows,
            columns,
            bytes,
        })
    }
}

fn known(filter: &Filter) -> Option<ChunkFilter> {
    match filter {
        Filter::Deflate(_) => Some(ChunkFilter::Deflate),
        Filter::Shuffle => Some(ChunkFilter::Shuffle),
        Filter::Fletcher32 => Some(ChunkFilter::Fletcher32),
        _ => None,
    }
}

/// The chunks of a dataset; `None` unless each is stored exactly once.
fn covering(
    dataset: &Dataset,
    shape: [usize; 2],
    chunk: [usize; 2],
    most: u64,
) -> Option<Vec<Chunk>> {
    let across = [shape[0].div_ceil(chunk[0]), shape[1].div_ceil(chunk[1])];
    // Bounded before memory is allocated for it.
    let wanted = across[0].checked_mul(across[1]).filter(|&n| n <= 1 << 24)?;
    let mut seen = vec![false; wanted];
    let mut list = Vec::with_capacity(wanted);
    let visited = dataset.chunks_visit(|info| {
        let place = |d: usize| {
            let first = usize::try_from(*info.offset.get(d)?).ok()?;
            (first % chunk[d] == 0 && first < shape[d]).then_some((first, first / chunk[d]))
        };
        let (Some((row, i)), Some((column, j))) = (place(0), place(1)) else {
            return 1;
        };
        let twice = std::mem::replace(&mut seen[i * across[1] + j], true);
        if twice || info.size == 0 || info.size > most {
            return 1;
        }
        list.push(Chunk {
            first: [row, column],
            at: info.addr,
            packed: info.size as usize,
            skipped: info.filter_mask,
        });
        0
    });
    visited.ok()?;
    // A chunk that is not stored has the fill value, which only HDF5 knows.
    if list.len() != wanted {
        return None;
    }
    list.sort_unstable_by_key(|c| c.at);
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn common_layouts_are_found_and_others_left_to_hdf5() {
        for file in ["layouts.csd", "layouts_latest.csd"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/golden")
                .join(file);
            let videos = hdf5::File::open(path)
                .unwrap()
                .group("Layouts/data")
                .unwrap();
            for id in videos.member_names().unwrap() {
                let dataset = videos.dataset(&format!("{id}/features")).unwrap();
                assert_eq!(
                    StoredMatrix::find::<f32>(&dataset).is_some(),
                    id.starts_with("own_"),
                    "{file} {id}"
                );
                assert!(
                    StoredMatrix::find::<f64>(&dataset).is_none() || id == "gzip_double",
                    "{file} {id}"
                );
            }
        }
    }
}
