//! Reading stored values without HDF5, which lets in one thread at a time.
//!
//! What lives here: reads at a place, the filters undone, chunks put together. What does not: finding them (see
//! `stored`). Whatever fails is `None`, and read again by HDF5, whose reasons are the ones that are told.

use super::number::Number;
use super::stored::{Chunk, ChunkFilter, Chunks, Stored, StoredBytes};
use libdeflater::Decompressor;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Chunks that lie one behind the other are read together up to so many bytes.
const RUN_BYTES: usize = 1 << 20;

/// The values of a matrix, row-major.
pub(super) fn read<T: Number>(file: &File, stored: &Stored) -> Option<Vec<T>> {
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
                    place(bytes, chunk, chunks.shape, &mut values, stored);
                }
            }
        }
    }
    Some(values)
}

/// Parts of a list whose chunks lie one behind the other in the file.
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

/// Copies the part of a chunk that lies in the matrix to its place.
fn place<T: Number>(bytes: &[u8], chunk: &Chunk, shape: [usize; 2], values: &mut [T], stored: &Stored) {
    let columns = shape[1].min(stored.columns - chunk.first[1]);
    let rows = values.chunks_exact_mut(stored.columns).skip(chunk.first[0]);
    for (row, bytes) in rows.zip(bytes.chunks_exact(shape[1] * T::BYTES)) {
        T::from_bytes(bytes, &mut row[chunk.first[1]..chunk.first[1] + columns]);
    }
}

/// Undoes the filters of chunks of one size.
struct Unpacker<'a> {
    filters: &'a [ChunkFilter],
    value_bytes: usize,
    inflate: Decompressor,
    inflated: Vec<u8>,
    unshuffled: Vec<u8>,
    /// Bytes of a chunk when all is undone.
    length: usize,
}

impl<'a> Unpacker<'a> {
    fn new(chunks: &'a Chunks, value_bytes: usize) -> Self {
        let length = chunks.shape[0] * chunks.shape[1] * value_bytes;
        let inflate = Decompressor::new();
        Unpacker { filters: &chunks.filters, value_bytes, inflate, inflated: vec![], unshuffled: vec![], length }
    }

    fn unpack<'b>(&'b mut self, packed: &'b [u8], skipped: u32) -> Option<&'b [u8]> {
        let mut bytes = packed;
        // Taken as they are filled: no filter stands in the list twice.
        let (mut inflated, mut unshuffled) = (Some(&mut self.inflated), Some(&mut self.unshuffled));
        for (i, filter) in self.filters.iter().enumerate().rev() {
            if skipped.checked_shr(i as u32).is_none_or(|bits| bits & 1 == 1) {
                continue;
            }
            match filter {
                ChunkFilter::Deflate => {
                    let out = inflated.take()?;
                    // A checksum may have been taken of the unpacked bytes.
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

/// Puts the bytes of each value together again; a rest shorter than a value stays as it is.
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

/// The checksum of Fletcher with two sums of 16 bits, over big-endian words, an odd byte at the end counting as high.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0u64, 0u64);
    let (words, rest) = bytes.as_chunks::<2>();
    // So few words at a time that neither sum can overflow.
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

/// A sum modulo 65,535, in 1 to 65,535 where it is not 0: as sums with the carry added at the low end come out.
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
    fn checksums_are_those_of_the_books() {
        // Of "abcde" and "abcdef" with big-endian words, worked by hand from the definition.
        let by_definition = |words: &[u64]| {
            let (low, high) = words.iter().fold((0, 0), |(a, b), w| ((a + w) % 65535, (b + a + w) % 65535));
            (high << 16 | low) as u32
        };
        assert_eq!(fletcher32(b"abcde"), by_definition(&[0x6162, 0x6364, 0x6500]));
        assert_eq!(fletcher32(b"abcdef"), by_definition(&[0x6162, 0x6364, 0x6566]));
        assert_eq!(fletcher32(&[]), 0);
        let long: Vec<u8> = (0..400_001u64).map(|i| ((i * i) >> 3) as u8).collect();
        let words: Vec<u64> =
            long.chunks(2).map(|w| u64::from(w[0]) << 8 | w.get(1).map_or(0, |&b| b.into())).collect();
        assert_eq!(fletcher32(&long), by_definition(&words));
    }

    #[test]
    fn shuffled_bytes_come_back_in_order() {
        let mut out = Vec::new();
        unshuffle(&[1, 5, 2, 6, 3, 7, 4, 8, 9], 4, &mut out);
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        unshuffle(&[1, 2], 4, &mut out);
        assert_eq!(out, [1, 2]);
    }

    #[test]
    fn chunks_are_read_together_where_they_touch() {
        let chunk = |at, packed| Chunk { first: [0, 0], at, packed, skipped: 0 };
        let list = [chunk(10, 5), chunk(15, 3), chunk(20, RUN_BYTES), chunk(20 + RUN_BYTES as u64, 1)];
        assert_eq!(runs(&list).map(<[_]>::len).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(runs(&[]).count(), 0);
    }
}
