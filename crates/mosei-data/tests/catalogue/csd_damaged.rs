//! .csd files truncated or altered in each of HDF5's structures, which HDF5 itself refuses. Hangs
//! and crashes are tested with stand-ins (`src/csd/sandbox.rs`, `tests/tests/bad_input.rs`).

use crate::check::{Case, read};
use crate::corpus::{find, golden, patch};

/// Structures of the oldest layout, by the bytes that they begin with, which of them, and how many
/// bytes into it the file ends.
#[rustfmt::skip]
const CUTS: [(&str, &[u8], usize, usize); 22] = [
    ("superblock, nothing but its signature", b"\x89HDF", 0, 8),
    ("superblock, in its signature", b"\x89HDF", 0, 3),
    ("superblock, in its versions", b"\x89HDF", 0, 12),
    ("superblock, in its addresses", b"\x89HDF", 0, 44),
    ("superblock, in its root entry", b"\x89HDF", 0, 80),
    ("header of the root group", b"\x89HDF", 0, 100),
    ("tree of the root group, before", b"TREE", 0, 0),
    ("tree of the root group, in its head", b"TREE", 0, 10),
    ("tree of the root group, in its keys", b"TREE", 0, 30),
    ("heap of the root group, before", b"HEAP", 0, 0),
    ("heap of the root group, in its head", b"HEAP", 0, 20),
    ("heap of the root group, in its names", b"HEAP", 0, 36),
    ("node of the root group, before", b"SNOD", 0, 0),
    ("node of the root group, in its entries", b"SNOD", 0, 20),
    ("tree of the sequence", b"TREE", 1, 8),
    ("heap of the sequence", b"HEAP", 1, 8),
    ("node of the sequence", b"SNOD", 1, 8),
    ("tree of the videos", b"TREE", 2, 8),
    ("strings, before", b"GCOL", 0, 0),
    ("strings, in their head", b"GCOL", 0, 10),
    ("strings, in a string", b"GCOL", 0, 40),
    ("a chunk", b"\x78\x5e", 0, 5),
];

/// A structure, the bytes that it begins with, which of them, how many bytes into it, and what is
/// put there.
type Over = (
    &'static str,
    &'static [u8],
    usize,
    usize,
    &'static [u8],
    &'static str,
);

/// Structures of the oldest layout, and bytes that are put over them.
#[rustfmt::skip]
const OLD: [Over; 30] = [
    ("signature", b"\x89HDF", 0, 0, b"\x89HDX", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("version of the superblock", b"\x89HDF", 0, 8, b"\x09", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("size of offsets", b"\x89HDF", 0, 13, b"\x03", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("size of lengths", b"\x89HDF", 0, 14, b"\xff", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("keys of a leaf", b"\x89HDF", 0, 16, b"\0\0", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("end of the file", b"\x89HDF", 0, 40, b"\xff\xff\xff\xff\xff\xff\xff\x7f", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("end of the file at its beginning", b"\x89HDF", 0, 40, b"\0\0\0\0\0\0\0\0", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("base address", b"\x89HDF", 0, 24, b"\0\x10", "f.csd: 'F/data/f/intervals': expected a dataset, found something damaged"),
    ("root header far away", b"\x89HDF", 0, 64, b"\0\0\0\0\0\0\0\x40", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("root header at the superblock", b"\x89HDF", 0, 64, b"\0\0\0\0", "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("root tree", b"TREE", 0, 0, b"TREX", "f.csd: '/': failed to list"),
    ("root tree of another kind", b"TREE", 0, 4, b"\x07", "f.csd: '/': failed to list"),
    ("root tree with more entries than it can have", b"TREE", 0, 6, b"\xff\xff", "f.csd: '/': failed to list"),
    ("root tree that is its own child", b"TREE", 0, 32, b"\x88\0\0\0\0\0\0\0", "f.csd: '/': failed to list"),
    ("root heap", b"HEAP", 0, 0, b"HEAX", "f.csd: '/': failed to list"),
    ("root heap of huge size", b"HEAP", 0, 8, b"\xff\xff\xff\xff\xff\xff\xff\x7f", "f.csd: '/': failed to list"),
    ("root heap with a free block outside", b"HEAP", 0, 16, b"\xff\xff\xff\x7f", "f.csd: '/': failed to list"),
    ("root heap far away", b"HEAP", 0, 24, b"\xff\xff\xff\xff\xff\xff\xff\x7f", "f.csd: '/': failed to list"),
    ("root node", b"SNOD", 0, 0, b"SNOX", "f.csd: '/': failed to list"),
    ("root node with more entries than it can have", b"SNOD", 0, 6, b"\xff\xff", "f.csd: '/': failed to list"),
    ("root node with a name outside the heap", b"SNOD", 0, 8, b"\xff\xff\xff\x7f", "f.csd: '/': failed to list"),
    ("root node with an object far away", b"SNOD", 0, 16, b"\xff\xff\xff\xff\xff\xff\xff\x7f", "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'"),
    ("sequence tree", b"TREE", 1, 0, b"XXXX", "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'"),
    ("sequence heap", b"HEAP", 1, 0, b"XXXX", "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'"),
    ("sequence node", b"SNOD", 1, 0, b"XXXX", "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'F'"),
    ("metadata tree", b"TREE", 3, 0, b"XXXX", "f.csd: 'F/metadata': failed to list"),
    ("metadata heap", b"HEAP", 3, 0, b"XXXX", "f.csd: 'F/metadata': failed to list"),
    ("metadata node", b"SNOD", 3, 0, b"XXXX", "f.csd: 'F/data': failed to list"),
    ("a chunk's deflate stream", b"\x78\x5e", 0, 4, b"\xff\xff\xff\xff", "f.csd: 'F/data/a/features': failed to read"),
    ("a chunk's deflate head", b"\x78\x5e", 0, 0, b"\0\0", "f.csd: 'F/data/a/features': failed to read"),
];

/// Structures of the newest layout, with checksums, of which a byte is altered.
#[rustfmt::skip]
const NEW: [(&str, &[u8], usize, usize, &str); 12] = [
    ("superblock, new", b"\x89HDF", 0, 20, "f.csd: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("root header, new", b"OHDR", 0, 8, "f.csd: '/': failed to list"),
    ("second header, new", b"OHDR", 1, 8, "f.csd: '/': expected exactly one root group with a 'data' member, found none among 'Layouts'"),
    ("third header, new", b"OHDR", 2, 8, "f.csd: 'Layouts/data': expected a group, found something damaged"),
    ("fourth header, new", b"OHDR", 3, 8, "f.csd: 'Layouts/data/own_contiguous': expected a group, found something damaged"),
    ("fractal heap", b"FRHP", 0, 8, "f.csd: 'Layouts/data': failed to list"),
    ("block of a fractal heap", b"FHDB", 0, 30, "f.csd: 'Layouts/data': failed to list"),
    ("second tree", b"BTHD", 0, 8, "f.csd: 'Layouts/data/own_gzip_larger_chunk/features': failed to read"),
    ("leaf of a second tree", b"BTLF", 0, 8, "f.csd: 'Layouts/data': failed to list"),
    ("fixed array", b"FAHD", 0, 6, "f.csd: 'Layouts/data/own_chunked/features': failed to read"),
    ("extensible array", b"EAHD", 0, 6, "f.csd: 'Layouts/data/own_gzip_growing/features': failed to read"),
    ("block of an extensible array", b"EAIB", 0, 6, "f.csd: 'Layouts/data/own_gzip_growing/features': failed to read"),
];

pub fn cases() -> Vec<Case> {
    let whole = "f.csd: expected an HDF5 file (.csd), found something else or a damaged one";
    let mut cases = vec![
        read(
            "empty",
            |path| std::fs::write(path, "").unwrap(),
            "f.csd: expected an HDF5 file (.csd), found 0 bytes",
        ),
        read("text", |path| std::fs::write(path, "text").unwrap(), whole),
        read(
            "zeros",
            |path| std::fs::write(path, vec![0; 4096]).unwrap(),
            whole,
        ),
        read(
            "one byte less",
            |path| patch(path, |b| b.truncate(b.len() - 1)),
            whole,
        ),
        read(
            "first byte gone",
            |path| patch(path, |b| *b = b.split_off(1)),
            whole,
        ),
        read(
            "half",
            |path| patch(path, |b| b.truncate(b.len() / 2)),
            whole,
        ),
        read(
            "first half gone",
            |path| patch(path, |b| *b = b.split_off(b.len() / 2)),
            whole,
        ),
    ];
    for (place, signature, nth, into) in CUTS {
        let cut = move |b: &mut Vec<u8>| b.truncate(find(b, signature, nth) + into);
        cases.push(read(
            &format!("cut off at {place}"),
            move |path| patch(path, cut),
            whole,
        ));
    }
    for (place, signature, nth, into, bytes, said) in OLD {
        let damage = move |b: &mut Vec<u8>| {
            let at = find(b, signature, nth) + into;
            b[at..at + bytes.len()].copy_from_slice(bytes);
        };
        cases.push(read(place, move |path| patch(path, damage), said));
    }
    for (place, signature, nth, into, said) in NEW {
        let damage = move |b: &mut Vec<u8>| {
            let at = find(b, signature, nth) + into;
            b[at] ^= 0x10;
        };
        let spoil = move |path: &std::path::Path| {
            std::fs::copy(golden("layouts_latest.csd"), path).unwrap();
            patch(path, damage);
        };
        cases.push(read(place, spoil, said));
    }
    cases
}
