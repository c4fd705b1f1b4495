//! Reads stored values without HDF5, which allows one thread at a time.
//!
//! What lives here: reading, undoing filters, assembling chunks. What does not: locating them
//! (`layout`). Any failure is `None`; HDF5 then reads the values, and gives the reason if it fails
//! too.

use super::layout::{Chunk, ChunkFilter, Chunks, StoredBytes, StoredMatrix};
use super::number::Number;
use libdeflater::Decompressor;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Adjacent chunks are read together, up to this many bytes.
const RUN_BYTES: usize = 1 << 20;

/// The values of a matrix, row-major.
pub(super) fn read<T: Number>(file: &File, stored: &StoredMatrix) -> Option<Vec<T>> {
    let mut values = vec![T::default(); stored.rows * stored.columns];
    match &stored.bytes {
        &StoredBytes::Contiguous(at) => {
            let mut bytes = vec![0; RUN_BYTES.min(values.len() * T::BYTES)];
            let mut at = at;
            for part in values.chunks_mut(RUN_BYTES / T::BYTES) {
                let bytes = &mut bytes[..part.len() * T::BYTES];
                file.read_exact_at(bytes, at).ok()?;
                T::from_bytes(bytes, part);
                at += bytes.len() as u64;
            }
        }
        StoredBytes::Chunked(chunks) => {
            let mut unpacker = Unpacker::new(chunks, T::BYTES);
            let mut packed = Vec::new();
            for run in runs(&chunks.list) {
                packed.resize(run.iter().map(|c| c.packed).sum(), 0);
                file.read_exact_at(&mut packed, run[0].at).ok()?;
                let mut rest = packed.as_slice();
                for chunk in run {
                    let (bytes, after) = rest.split_at(chunk.packed);
                    rest = after;
                    let bytes = unpacker.unpack(bytes, chunk.skipped)?;
                    copy_chunk(bytes, chunk, chunks.shape, &mut values, stored);
                }
            }
        }
    }
    Some(values)
}

/// Runs of chunks that are adjacent in the file.
fn runs(list: &[Chunk]) -> impl Iterator<Item = &[Chunk]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let mut end = rest.first()?.at;
        let mut bytes = 0;
        let fits = |c: &&Chunk| {
            let fits = c.at == end && (bytes == 0 || bytes + c.packed <= RUN_BYTES);
            (end, bytes) = (c.at.wrapping_add(c.packed as u64), bytes + c.packed);
            fits
        };
        let (run, after) = rest.split_at(rest.iter().take_while(fits).count());
        rest = after;
        Some(run)
    })
}

/// Copies the part of a chunk that is inside the matrix.
fn copy_chunk<T: Number>(
    bytes: &[u8],
    chunk: &Chunk,
    shape: [usize; 2],
    values: &mut [T],
    stored: &StoredMatrix,
) {
    let columns = shape[1].min(stored.columns - chunk.first[1]);
    let rows = values.chunks_exact_mut(stored.columns).skip(chunk.first[0]);
    for (row, bytes) in rows.zip(bytes.chunks_exact(shape[1] * T::BYTES)) {
        T::from_bytes(bytes, &mut row[chunk.first[1]..chunk.first[1] + columns]);
    }
}

/// Undoes the filters of equally sized chunks.
struct Unpacker<'a> {
    filters: &'a [ChunkFilter],
    value_bytes: usize,
    inflate: Decompressor,
    inflated: Vec<u8>,
    unshuffled: Vec<u8>,
    /// Bytes of an unfiltered chunk.
    length: usize,
}

impl<'a> Unpacker<'a> {
    fn new(chunks: &'a Chunks, value_bytes: usize) -> Self {
        let length = chunks.shape[0] * chunks.shape[1] * value_bytes;
        let inflate = Decompressor::new();
        Unpacker {
            filters: &chunks.filters,
            value_bytes,
            inflate,
            inflated: vec![],
            unshuffled: vec![],
            length,
        }
    }

    fn unpack<'b>(&'b mut self, packed: &'b [u8], skipped: u32) -> Option<&'b [u8]> {
        let mut bytes = packed;
        // Each buffer is used once: no filter is listed twice.
        let (mut inflated, mut unshuffled) = (Some(&mut self.inflated), Some(&mut self.unshuffled));
        for (i, filter) in self.filters.iter().enumerate().rev() {
            if skipped
                .checked_shr(i as u32)
                .is_none_or(|bits| bits & 1 == 1)
            {
                continue;
            }
            match filter {
                ChunkFilter::Deflate => {
                    let out = inflated.take()?;
                    // Room for a checksum of the unpacked bytes.
                    out.resize(self.length + 4, 0);
                    let length = self.inflate.zlib_decompress(bytes, out).ok()?;
                    bytes = &out[..length];
                }
                ChunkFilter::Shuffle => {
                    let out = unshuffled.take()?;
                    unshuffle(bytes, self.value_bytes, out);
                    bytes = out;
                }
                ChunkFilter::Fletcher32 => {
                    let (content, sum) = bytes.split_last_chunk::<4>()?;
                    if fletcher32(content) != u32::from_le_bytes(*sum) {
                        return None;
                    }
                    bytes = content;
                }
            }
        }
        (bytes.len() == self.length).then_some(bytes)
    }
}

/// Restores the byte order of a shuffled buffer; a remainder shorter than a value is copied.
fn unshuffle(bytes: &[u8], value_bytes: usize, out: &mut Vec<u8>) {
    let values = bytes.len() / value_bytes;
    out.resize(bytes.len(), 0);
    let (whole, rest) = bytes.split_at(values * value_bytes);
    out[whole.len()..].copy_from_slice(rest);
    for (k, plane) in whole.chunks_exact(values.max(1)).enumerate() {
        for (value, &byte) in out.chunks_exact_mut(value_bytes).zip(plane) {
            value[k] = byte;
        }
    }
}

/// Fletcher's checksum with two 16-bit sums over big-endian words; an odd last byte is a high byte.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0u64, 0u64);
    let (words, rest) = bytes.as_chunks::<2>();
    // Blocks so short that neither sum can overflow.
    for block in words.chunks(1 << 16) {
        for &word in block {
            low += u64::from(u16::from_be_bytes(word));
            high += low;
        }
        (low, high) = (folded(low), folded(high));
    }
    if let &[odd] = rest {
        low = folded(low + (u64::from(odd) << 8));
        high = folded(high + low);
    }
    (high << 16 | low) as u32
}

/// A sum modulo 65,535, where a multiple other than 0 gives 65,535, as with end-around carry.
fn folded(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_follow_the_definition() {
        // Computed from the definition, with big-endian words.
        let by_definition = |words: &[u64]| {
            let (low, high) = words
                .iter()
                .fold((0, 0), |(a, b), w| ((a + w) % 65535, (b + a + w) % 65535));
            (high << 16 | low) as u32
        };
        assert_eq!(
            fletcher32(b"abcde"),
            by_definition(&[0x6162, 0x6364, 0x6500])
        );
        assert_eq!(
            fletcher32(b"abcdef"),
            by_definition(&[0x6162, 0x6364, 0x6566])
        );
        assert_eq!(fletcher32(&[]), 0);
        let long: Vec<u8> = (0..400_001u64).map(|i| ((i * i) >> 3) as u8).collect();
        let words: Vec<u64> = long
            .chunks(2)
            .map(|w| u64::from(w[0]) << 8 | w.get(1).map_or(0, |&b| b.into()))
            .collect();
        assert_eq!(fletcher32(&long), by_definition(&words));
    }

    #[test]
    fn unshuffling_restores_the_order() {
        let mut out = Vec::new();
        unshuffle(&[1, 5, 2, 6, 3, 7, 4, 8, 9], 4, &mut out);
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        unshuffle(&[1, 2], 4, &mut out);
        assert_eq!(out, [1, 2]);
    }

    #[test]
    fn adjacent_chunks_are_read_together() {
        let chunk = |at, packed| Chunk {
            first: [0, 0],
            at,
            packed,
            skipped: 0,
        };
        let list = [
            chunk(10, 5),
            chunk(15, 3),
            chunk(20, RUN_BYTES),
            chunk(20 + RUN_BYTES as u64, 1),
        ];
        assert_eq!(runs(&list).map(<[_]>::len).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(runs(&[]).count(), 0);
    }
}
