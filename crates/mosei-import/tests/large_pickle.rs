//! A pickle that is larger than the memory that its import may take. Most of it is a hole in the
//! file, which reads as zeros: padding.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_import::{ImportOptions, import};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

/// Segments of the training split, frames of each, columns.
const SHAPE: [u32; 3] = [8500, 500, 74];
const MAX_MEMORY: u64 = 256 << 20;

/// Opcodes of an array of float32, up to its bytes.
fn array(shape: [u32; 3], bytes: u64) -> Vec<u8> {
    let number = |n: u32| [b"J".as_slice(), &n.to_le_bytes()].concat();
    [
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR(K\x01".as_slice(),
        &shape.map(number).concat(),
        b"\x87cnumpy\ndtype\n\x8c\x02f4\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89\x8e",
        &bytes.to_le_bytes(),
    ]
    .concat()
}

#[test]
fn values_are_read_where_they_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut file = File::create(at("f.pkl")).unwrap();
    file.write_all(b"\x80\x04}(").unwrap();
    for (split, segments) in [
        (b"\x05train".as_slice(), SHAPE[0]),
        (b"\x05valid", 1),
        (b"\x04test", 1),
    ] {
        let shape = [segments, SHAPE[1], SHAPE[2]];
        let bytes = shape.iter().map(|n| u64::from(*n)).product::<u64>() * 4;
        let entry = [
            b"\x8c",
            split,
            b"}\x8c\x05audio".as_slice(),
            &array(shape, bytes),
        ]
        .concat();
        file.write_all(&entry).unwrap();
        // One frame of the first segment, and one of the last.
        let begin = file.stream_position().unwrap();
        file.write_all(&1_f32.to_le_bytes()).unwrap();
        file.seek(SeekFrom::Start(begin + bytes - 4)).unwrap();
        file.write_all(&[2_f32.to_le_bytes().as_slice(), b"tbs"].concat())
            .unwrap();
    }
    file.write_all(b"u.").unwrap();
    drop(file);
    let labels = ["train", "valid", "test"]
        .map(|split| format!("{split}-00000,1\n"))
        .concat();
    std::fs::write(at("l.csv"), format!("video,happy\n{labels}train-08499,2\n")).unwrap();
    let options = ImportOptions {
        features: at("f.pkl"),
        labels: Some(at("l.csv")),
        rate_hz: Some(20.0),
        ..ImportOptions::default()
    };
    let summary = import(&options, &at("out"), &mut |_, _| ()).unwrap();
    // In the splits of one segment its frames reach from the first to the last.
    assert_eq!((summary.frames, summary.padding), (1 + 1 + 500 + 500, 8498));
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!(peak << 10 <= MAX_MEMORY, "{peak} kB");
}
