//! Prepared folders with invalid tensors: altered after they were written, or written so, with
//! matching hashes.

use crate::check::{Case, opened};
use crate::corpus::patch;
use crate::seal::seal;
use serde_json::Value;
use std::path::Path;

/// A file, what is done to its bytes, what is said with the hashes of before, and what with those
/// of now.
type Bytes = (
    &'static str,
    &'static str,
    fn(&mut Vec<u8>),
    &'static str,
    &'static str,
);

const FRAMES: &str = "frames.safetensors";
const SEGMENTS: &str = "segments.safetensors";
const OUTSIDE: &str = "unlabelled.safetensors";
const OUTSIDE_FRAMES: &str = "unlabelled-frames.safetensors";

#[rustfmt::skip]
const BYTES: [Bytes; 14] = [
    ("frames empty", FRAMES, |b| b.clear(), altered!("out/frames.safetensors: expected 736 bytes, found 0 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: header too small"),
    ("frames cut off in the length of the header", FRAMES, |b| b.truncate(5), altered!("out/frames.safetensors: expected 736 bytes, found 5 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: header too small"),
    ("frames cut off in the header", FRAMES, |b| b.truncate(40), altered!("out/frames.safetensors: expected 736 bytes, found 40 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid header length"),
    ("frames cut off behind the header", FRAMES, |b| b.truncate(256), altered!("out/frames.safetensors: expected 736 bytes, found 256 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: incomplete metadata, file not fully covered"),
    ("frames a value short", FRAMES, |b| b.truncate(b.len() - 4), altered!("out/frames.safetensors: expected 736 bytes, found 732 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: incomplete metadata, file not fully covered"),
    ("frames a byte longer", FRAMES, |b| b.push(0), altered!("out/frames.safetensors: expected 736 bytes, found 737 bytes"), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: incomplete metadata, file not fully covered"),
    ("frames with a header of huge length", FRAMES, |b| b[..8].fill(0xff), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: header too large", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: header too large"),
    ("frames with a header of 90 megabytes", FRAMES, |b| b[..8].copy_from_slice(&90_000_000u64.to_le_bytes()), "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid header length", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid header length"),
    ("frames with a header that is no JSON", FRAMES, |b| b[8] = b'X', "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid JSON in header: expected value at line 1 column 1", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid JSON in header: expected value at line 1 column 1"),
    ("segments empty", SEGMENTS, |b| b.clear(), altered!("out/segments.safetensors: expected 1016 bytes, found 0 bytes"), "out/segments.safetensors: '/': expected a safetensors file, found header too small"),
    ("segments cut off in the header", SEGMENTS, |b| b.truncate(100), altered!("out/segments.safetensors: expected 1016 bytes, found 100 bytes"), "out/segments.safetensors: '/': expected a safetensors file, found invalid header length"),
    ("segments a byte short", SEGMENTS, |b| b.truncate(b.len() - 1), altered!("out/segments.safetensors: expected 1016 bytes, found 1015 bytes"), "out/segments.safetensors: '/': expected a safetensors file, found incomplete metadata, file not fully covered"),
    ("stretches' frames empty", OUTSIDE_FRAMES, |b| b.clear(), altered!("out/unlabelled-frames.safetensors: expected 256 bytes, found 0 bytes"), "out/unlabelled-frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: header too small"),
    ("stretches a byte short", OUTSIDE, |b| b.truncate(b.len() - 1), altered!("out/unlabelled.safetensors: expected 256 bytes, found 255 bytes"), "out/unlabelled.safetensors: '/': expected a safetensors file, found incomplete metadata, file not fully covered"),
];

/// A file, a place in its header, and what is put there; the hashes are those of now.
#[rustfmt::skip]
const HEADERS: [(&str, &str, &str, &str, &str); 22] = [
    ("frames of another name", FRAMES, "", r#"{"x": {"dtype": "F32", "shape": [60, 2], "data_offsets": [0, 480]}}"#, "out/frames.safetensors: 'frames': expected float32 [frames, 2], found [\"x\"]"),
    ("frames of whole numbers", FRAMES, "/frames/dtype", r#""I32""#, "out/frames.safetensors: 'frames': expected float32 [frames, 2], found I32 [60, 2]"),
    ("frames of half numbers", FRAMES, "", r#"{"frames": {"dtype": "F16", "shape": [120, 2], "data_offsets": [0, 480]}}"#, "out/frames.safetensors: 'frames': expected float32 [frames, 2], found F16 [120, 2]"),
    ("frames of no type", FRAMES, "/frames/dtype", r#""F99""#, "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid JSON in header: unknown variant `F99`, expected one of `BOOL`, `F4`, `F6_E2M3`, `F6_E3M2`, `U8`, `I8`, `F8_E5M2`, `F8_E4M3`, `F8_E8M0`, `F8_E4M3FNUZ`, `F8_E5M2FNUZ`, `I16`, `U16`, `F16`, `BF16`, `I32`, `U32`, `F32`, `C64`, `F64`, `I64`, `U64` at line 1 column 64"),
    ("frames of three columns", FRAMES, "/frames/shape", "[40, 3]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found [40, 3] at byte 72"),
    ("frames of one dimension", FRAMES, "/frames/shape", "[120]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found F32 [120]"),
    ("frames of three dimensions", FRAMES, "/frames/shape", "[60, 2, 1]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found F32 [60, 2, 1]"),
    ("frames of a huge shape", FRAMES, "/frames/shape", "[9223372036854775807, 2]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: overflow computing buffer size from shape and/or element type"),
    ("frames of a shape that goes round", FRAMES, "/frames/shape", "[4611686018427387904, 4]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: overflow computing buffer size from shape and/or element type"),
    ("frames of a negative shape", FRAMES, "/frames/shape", "[-60, -2]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid JSON in header: invalid value: integer `-60`, expected usize at line 1 column 66"),
    ("frames that begin behind the end", FRAMES, "/frames/data_offsets", "[480, 960]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid offset for tensor `frames`"),
    ("frames that end before their beginning", FRAMES, "/frames/data_offsets", "[480, 0]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid offset for tensor `frames`"),
    ("frames that do not begin at 0", FRAMES, "/frames/data_offsets", "[4, 484]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid offset for tensor `frames`"),
    ("frames of huge offsets", FRAMES, "/frames/data_offsets", "[0, 18446744073709551615]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid shape, data type, or offset for tensor"),
    ("frames of fewer bytes than their shape", FRAMES, "/frames/data_offsets", "[0, 240]", "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid shape, data type, or offset for tensor"),
    ("frames twice in the same bytes", FRAMES, "/y", r#"{"dtype": "F32", "shape": [30, 2], "data_offsets": [240, 480]}"#, "out/frames.safetensors: 'frames': expected float32 [frames, 2], found no safetensors file: invalid offset for tensor `y`"),
    ("segments without intervals", SEGMENTS, "/intervals", "null", "out/segments.safetensors: '/': expected a safetensors file, found invalid offset for tensor `intensities`"),
    ("segments with offsets of 32 bits", SEGMENTS, "/offsets/dtype", r#""I32""#, "out/segments.safetensors: '/': expected a safetensors file, found invalid shape, data type, or offset for tensor"),
    ("segments with unsigned offsets", SEGMENTS, "/offsets/dtype", r#""U64""#, "out/segments.safetensors: 'offsets': expected I64 [13], found U64 [13]"),
    ("segments with a shape of their labels", SEGMENTS, "/intensities/shape", "[6, 12]", "out/segments.safetensors: 'intensities': expected F32 [12, 6], found F32 [6, 12]"),
    ("segments that overlap", SEGMENTS, "/intensities/data_offsets", "[0, 288]", "out/segments.safetensors: '/': expected a safetensors file, found invalid offset for tensor `intensities`"),
    ("segments with videos of another type", SEGMENTS, "/video/dtype", r#""F32""#, "out/segments.safetensors: 'video': expected I32 [12], found F32 [12]"),
];

/// A tensor of a file with another value.
type OtherValue = (
    &'static str,
    &'static str,
    &'static str,
    usize,
    &'static [u8],
    &'static str,
);

/// A file, a tensor, the place of a value in it, and the bytes of another; the hashes are those of
/// now.
#[rustfmt::skip]
const VALUES: [OtherValue; 18] = [
    ("a first frame that is not 0", SEGMENTS, "offsets", 0, &1i64.to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found 1 to 60"),
    ("a last frame behind the end", SEGMENTS, "offsets", 12, &61i64.to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found 0 to 61"),
    ("a last frame before the end", SEGMENTS, "offsets", 12, &59i64.to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found 0 to 59"),
    ("frames that go back", SEGMENTS, "offsets", 3, &1i64.to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found 1 after 10"),
    ("a negative frame", SEGMENTS, "offsets", 1, &(-1i64).to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found -1 after 0"),
    ("a frame beyond all numbers", SEGMENTS, "offsets", 1, &i64::MAX.to_le_bytes(), "out/segments.safetensors: 'offsets': expected a rise from 0 to 60, found 10 after 9223372036854775807"),
    ("a start that is NaN", SEGMENTS, "intervals", 0, &f64::NAN.to_le_bytes(), "out/segments.safetensors: 'intervals[0]': expected finite start <= end, found [NaN, 0.05]"),
    ("a start after its end", SEGMENTS, "intervals", 2, &1.0f64.to_le_bytes(), "out/segments.safetensors: 'intervals[1]': expected finite start <= end, found [1.0, 0.1]"),
    ("an end at infinity", SEGMENTS, "intervals", 1, &f64::INFINITY.to_le_bytes(), "out/segments.safetensors: 'intervals[0]': expected finite start <= end, found [0.0, inf]"),
    ("a video behind the last", SEGMENTS, "video", 11, &6i32.to_le_bytes(), "out/segments.safetensors: 'video': expected 0 to below 6, found 6"),
    ("a negative video", SEGMENTS, "video", 0, &(-1i32).to_le_bytes(), "out/segments.safetensors: 'video': expected 0 to below 6, found -1"),
    ("videos out of order", SEGMENTS, "video", 2, &0i32.to_le_bytes(), "out/segments.safetensors: 'segment[2]': expected segments in order of video and row, each once, found (0, 0) after (0, 1)"),
    ("a negative row", SEGMENTS, "segment", 0, &(-1i32).to_le_bytes(), "out/segments.safetensors: 'segment[0]': expected a row from 0, found -1"),
    ("a row twice", SEGMENTS, "segment", 1, &0i32.to_le_bytes(), "out/segments.safetensors: 'segment[1]': expected segments in order of video and row, each once, found (0, 0) after (0, 0)"),
    ("a label that is NaN", SEGMENTS, "intensities", 0, &f32::NAN.to_le_bytes(), "out/segments.safetensors: 'intensities[0]': expected labels in [0, 3], found NaN"),
    ("a label above the range", SEGMENTS, "intensities", 71, &3.5f32.to_le_bytes(), "out/segments.safetensors: 'intensities[11]': expected labels in [0, 3], found 3.5"),
    ("a label below the range", SEGMENTS, "intensities", 6, &(-1f32).to_le_bytes(), "out/segments.safetensors: 'intensities[1]': expected labels in [0, 3], found -1"),
    ("a label that is infinite", SEGMENTS, "intensities", 7, &f32::INFINITY.to_le_bytes(), "out/segments.safetensors: 'intensities[1]': expected labels in [0, 3], found inf"),
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, file, change, before, now) in BYTES {
        cases.push(opened(
            name,
            move |folder| patch(&folder.join(file), change),
            before,
        ));
        let sealed = move |folder: &Path| {
            patch(&folder.join(file), change);
            seal(folder);
        };
        cases.push(opened(&format!("{name}, sealed"), sealed, now));
    }
    for (name, file, place, value, said) in HEADERS {
        let change = move |folder: &Path| {
            patch(&folder.join(file), |bytes| put(bytes, place, value));
            seal(folder);
        };
        cases.push(opened(name, change, said));
    }
    for (name, file, tensor, at, value, said) in VALUES {
        let change = move |folder: &Path| {
            patch(&folder.join(file), |bytes| {
                let (header, start) = header(bytes);
                let first = start
                    + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize
                    + at * value.len();
                bytes[first..first + value.len()].copy_from_slice(value);
            });
            seal(folder);
        };
        cases.push(opened(name, change, said));
    }
    for (name, file, said) in [
        (
            "a bit of the frames",
            FRAMES,
            altered!("out/frames.safetensors: expected BLAKE3 #, found #"),
        ),
        (
            "a bit of the segments",
            SEGMENTS,
            altered!("out/segments.safetensors: expected BLAKE3 #, found #"),
        ),
        (
            "a bit of the stretches' header",
            OUTSIDE,
            altered!("out/unlabelled.safetensors: expected BLAKE3 #, found #"),
        ),
    ] {
        cases.push(opened(
            name,
            move |f| patch(&f.join(file), |b| *b.last_mut().unwrap() ^= 1),
            said,
        ));
    }
    for file in [FRAMES, SEGMENTS, OUTSIDE, OUTSIDE_FRAMES] {
        let gone = move |f: &Path| std::fs::remove_file(f.join(file)).unwrap();
        cases.push(opened(
            &format!("{file} gone"),
            gone,
            &format!("failed to open out/{file}"),
        ));
        let elsewhere = move |f: &Path| {
            std::fs::rename(f.join(file), f.join("..").join(file)).unwrap();
            std::os::unix::fs::symlink(Path::new("..").join(file), f.join(file)).unwrap();
        };
        let said = format!("out/{file}: expected a file, found a link");
        cases.push(opened(
            &format!("{file} a link out of the folder"),
            elsewhere,
            &said,
        ));
        let folder = move |f: &Path| {
            std::fs::remove_file(f.join(file)).unwrap();
            std::fs::create_dir(f.join(file)).unwrap();
        };
        let said = format!("out/{file}: expected a file, found a folder");
        cases.push(opened(&format!("{file} a folder"), folder, &said));
    }
    cases
}

/// The header of a file of tensors, and where it ends.
fn header(bytes: &[u8]) -> (Value, usize) {
    let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[8..end]).unwrap(), end)
}

fn put(bytes: &mut Vec<u8>, place: &str, value: &str) {
    let (mut header, end) = header(bytes);
    let value: Value = serde_json::from_str(value).unwrap();
    match place.rsplit_once('/') {
        None => header = value,
        Some((parent, key)) if value.is_null() => drop(
            header
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(key),
        ),
        Some((parent, key)) => header.pointer_mut(parent).unwrap()[key] = value,
    }
    let text = header.to_string();
    let text = format!("{text:<width$}", width = text.len().next_multiple_of(8));
    let length = (text.len() as u64).to_le_bytes();
    bytes.splice(..end, length.into_iter().chain(text.into_bytes()));
}
