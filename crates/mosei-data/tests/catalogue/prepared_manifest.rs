//! Prepared folders with an invalid manifest: altered after it was written, or written so, with a
//! matching checksum.

use crate::check::{Case, opened};
use crate::corpus::patch;
use mosei_data::Manifest;
use serde_json::{Value, json};
use std::path::Path;

/// A place in the manifest, and what is put there; the manifest is sealed again, so that only what
/// it says is wrong.
#[rustfmt::skip]
const SEALED: [(&str, &str, &str, &str); 40] = [
    ("no columns", "/columns", "[]", "out/manifest.json: 'columns': expected 1 to 16384 names, found 0"),
    ("a column more", "/columns", r#"["x", "y", "z"]"#, "out/frames.safetensors: 'frames': expected float32 [frames, 3], found [60, 2] at byte 256"),
    ("a column twice", "/columns", r#"["x", "x"]"#, "out/manifest.json: 'columns': expected unique names, found \"x\" twice"),
    ("other columns", "/columns", r#"["p", "q"]"#, "out/manifest.json: 'folds[0].normaliser': column 'x': expected among the data's columns, found 2 columns without it, the nearest is 'p'"),
    ("no emotions", "/emotions", "[]", "out/manifest.json: 'emotions': expected 1 to 16384 names, found 0"),
    ("an emotion less", "/emotions", r#"["happy", "sad", "anger", "surprise", "disgust"]"#, "out/segments.safetensors: 'intensities': expected F32 [12, 5], found F32 [12, 6]"),
    ("an emotion twice", "/emotions", r#"["happy", "sad", "anger", "surprise", "disgust", "happy"]"#, "out/manifest.json: 'emotions': expected unique names, found \"happy\" twice"),
    ("sentiment that is not there", "/has_sentiment", "true", "out/segments.safetensors: 'sentiment': expected F32 [12], found nothing"),
    ("no videos", "/videos", "[]", "out/segments.safetensors: 'video': expected 0 to below 0, found 0"),
    ("a video less", "/videos", r#"["a", "b", "c", "d", "e"]"#, "out/segments.safetensors: 'video': expected 0 to below 5, found 5"),
    ("a video twice", "/videos", r#"["a", "a", "c", "d", "e", "f"]"#, "out/manifest.json: 'videos': expected sorted ids, each once, found \"a\" after \"a\""),
    ("videos out of order", "/videos", r#"["b", "a", "c", "d", "e", "f"]"#, "out/manifest.json: 'videos': expected sorted ids, each once, found \"a\" after \"b\""),
    ("a video that is a path", "/videos", r#"["../a", "b", "c", "d", "e", "f"]"#, no_id!("out/manifest.json: 'videos'", "\"../a\"")),
    ("an empty id", "/videos", r#"["", "b", "c", "d", "e", "f"]"#, no_id!("out/manifest.json: 'videos'", "\"\"")),
    ("videos that look alike", "/videos", "[\"a\", \"b\", \"c\", \"d\", \"e\", \"\u{435}\"]", "out/manifest.json: 'videos': expected ids that do not look alike, found 'e' and '\\u{435}'"),
    ("a segment more", "/counts/segments/labelled", "13", "out/segments.safetensors: 'intervals': expected F64 [13, 2], found F64 [12, 2]"),
    ("as many segments as there are numbers", "/counts/segments/labelled", "18446744073709551615", "out/segments.safetensors: 'intervals': expected F64 [18446744073709551615, 2], found F64 [12, 2]"),
    ("a kept segment less", "/counts/segments/kept", "11", "out/manifest.json: 'counts.segments.kept': expected 12 as in the files, found 11"),
    ("a frame more", "/counts/frames/stored", "61", "out/manifest.json: 'counts.frames.stored': expected 60 as in the files, found 61"),
    ("a labelled video more", "/counts/videos/labelled", "7", "out/manifest.json: 'counts.videos.labelled': expected 6 as in the files, found 7"),
    ("no folds", "/folds", "[]", "out/manifest.json: 'folds': expected at least one, found none"),
    ("a fold of fewer videos", "/folds/0/split", r#"["train", "train", "train", "valid", "test"]"#, "out/manifest.json: 'folds[0].split': expected 6 videos, found 5"),
    ("a fold of other splits", "/folds/0/split", r#"["train", "train", "test", "valid", "test", null]"#, "out/manifest.json: 'folds[0].sizes.train': expected 2 videos, 4 segments, 20 frames as in the files, found 3 videos, 6 segments, 30 frames"),
    ("a fold without test", "/folds/0/split", r#"["train", "train", "train", "valid", null, null]"#, "out/manifest.json: 'folds[0].sizes.test': expected 0 videos, 0 segments, 0 frames as in the files, found 1 videos, 2 segments, 10 frames"),
    ("a split of another name", "/folds/0/split/0", r#""dev""#, "out/manifest.json: expected the manifest of a prepared folder: unknown variant `dev`, expected one of `train`, `valid`, `test`"),
    ("sizes of a split", "/folds/0/sizes/train/frames", "1", "out/manifest.json: 'folds[0].sizes.train': expected 3 videos, 6 segments, 30 frames as in the files, found 3 videos, 6 segments, 1 frames"),
    ("a mean less", "/folds/0/normaliser/mean", "[0.0]", "out/manifest.json: 'folds[0].normaliser': key 'mean, std': expected 2 values, as many as columns, found [1, 2]"),
    ("a deviation of 0", "/folds/0/normaliser/std/0", "0.0", "out/manifest.json: 'folds[0].normaliser': key 'std of 'x'': expected a number above 0, found 0"),
    ("a deviation below 0", "/folds/0/normaliser/std/0", "-1.0", "out/manifest.json: 'folds[0].normaliser': key 'std of 'x'': expected a number above 0, found -1"),
    ("a deviation that is null", "/folds/0/normaliser/std/0", "null", "out/manifest.json: expected the manifest of a prepared folder: invalid type: null, expected f64"),
    ("a mean that is text", "/folds/0/normaliser/mean/0", r#""0""#, "out/manifest.json: expected the manifest of a prepared folder: invalid type: string \"0\", expected f64"),
    ("a normaliser of another column", "/folds/0/normaliser/columns/0", r#""z""#, "out/manifest.json: 'folds[0].normaliser': column 'z': expected among the data's columns, found 2 columns without it, the nearest is 'x'"),
    ("a clip of 0", "/folds/0/normaliser/clip", "0.0", "out/manifest.json: 'folds[0].normaliser': key 'clip': expected a number above 0, found 0"),
    ("a setting out of range", "/config/pool_frames", "0", "out/manifest.json: 'config': key 'pool_frames': expected at least 1, found 0"),
    ("features outside the folder", "/config/features", r#""/etc/passwd""#, "out/manifest.json: 'config': key 'features': expected a file inside the data folder, found \"/etc/passwd\""),
    ("no such origin of folds", "/fold_source", r#""dice""#, "out/manifest.json: expected the manifest of a prepared folder: unknown variant `dice`, expected one of `file`, `split`, `k-fold`"),
    ("a stretch more", "/unlabelled/stretches", "1", "out/unlabelled.safetensors: 'intervals': expected F64 [1, 2], found F64 [0, 2]"),
    ("a frame of stretches more", "/unlabelled/frames", "1", "out/manifest.json: 'unlabelled.frames': expected 0 as in the files, found 1"),
    ("a labelled video among the unlabelled", "/unlabelled/videos", r#"["a"]"#, "out/manifest.json: 'unlabelled.videos': expected videos without labels, found \"a\", which is one of 'videos'"),
    ("an unlabelled video that is a path", "/unlabelled/videos", r#"["/a"]"#, no_id!("out/manifest.json: 'unlabelled.videos'", "\"/a\"")),
];

/// A place in the manifest, and what is put there, without sealing it again.
#[rustfmt::skip]
const ALTERED: [(&str, &str, &str, &str); 14] = [
    ("no format", "/format", "null", "out/manifest.json: 'format': expected 3 (prepare the data again), found null"),
    ("a format to come", "/format", "4", "out/manifest.json: 'format': expected 3 (prepare the data again), found 4"),
    ("the format before", "/format", "2", "out/manifest.json: 'format': expected 3 (prepare the data again), found 2"),
    ("a format that is text", "/format", r#""3""#, "out/manifest.json: 'format': expected 3 (prepare the data again), found \"3\""),
    ("a format below 0", "/format", "-2", "out/manifest.json: 'format': expected 3 (prepare the data again), found -2"),
    ("another mean", "/folds/0/normaliser/mean/0", "0.125", altered!("out/manifest.json: expected BLAKE3 # of its content, found #")),
    ("another hash of an input", "/inputs/0/blake3", r#""00""#, altered!("out/manifest.json: expected BLAKE3 # of its content, found #")),
    ("another setting", "/config/clip", "7.0", altered!("out/manifest.json: expected BLAKE3 # of its content, found #")),
    ("another hash of itself", "/checksum", r#""00""#, altered!("out/manifest.json: expected BLAKE3 00 of its content, found #")),
    ("no hash of itself", "/checksum", "null", altered!("out/manifest.json: expected BLAKE3 none of its content, found #")),
    ("no hashes of files", "/files", "{}", "out/manifest.json: 'files': expected [\"frames.safetensors\", \"segments.safetensors\", \"unlabelled-frames.safetensors\", \"unlabelled.safetensors\"], found []"),
    ("a hash of another file", "/files", r#"{"../x": {"bytes": 1, "blake3": "00"}}"#, "out/manifest.json: 'files': expected [\"frames.safetensors\", \"segments.safetensors\", \"unlabelled-frames.safetensors\", \"unlabelled.safetensors\"], found [\"../x\"]"),
    ("a negative size", "/files/frames.safetensors/bytes", "-1", "out/manifest.json: expected the manifest of a prepared folder: invalid value: integer `-1`, expected u64"),
    ("a member more", "/files/frames.safetensors/name", r#""x""#, "out/manifest.json: expected the manifest of a prepared folder: unknown field `name`, expected `bytes` or `blake3`"),
];

/// What is done to the bytes of the manifest.
type Bytes = (&'static str, fn(&mut Vec<u8>), &'static str);

#[rustfmt::skip]
const BYTES: [Bytes; 13] = [
    ("an empty manifest", |b| b.clear(), "out/manifest.json: expected the manifest of a prepared folder: EOF while parsing a value"),
    ("a manifest cut off at its beginning", |b| b.truncate(1), "out/manifest.json: expected the manifest of a prepared folder: EOF while parsing an object"),
    ("half a manifest", |b| b.truncate(b.len() / 2), "out/manifest.json: expected the manifest of a prepared folder: EOF while parsing a list"),
    ("a manifest without its last brace", |b| b.truncate(b.len() - 1), "out/manifest.json: expected the manifest of a prepared folder: EOF while parsing an object"),
    ("a manifest with more behind", |b| b.extend(b"{}"), "out/manifest.json: expected the manifest of a prepared folder: trailing characters"),
    ("an empty table for a manifest", |b| *b = b"{}".to_vec(), "out/manifest.json: 'format': expected 3 (prepare the data again), found none"),
    ("a list for a manifest", |b| *b = b"[]".to_vec(), "out/manifest.json: 'format': expected 3 (prepare the data again), found none"),
    ("nothing but a format", |b| *b = br#"{"format": 3}"#.to_vec(), "out/manifest.json: expected the manifest of a prepared folder: missing field `inputs`"),
    ("a manifest in binary", |b| *b = vec![0; 64], "out/manifest.json: expected the manifest of a prepared folder: expected value"),
    ("a byte that is no text", |b| b[20] = 0xff, "out/manifest.json: expected the manifest of a prepared folder: invalid unicode code point"),
    ("a manifest with a byte order mark", |b| drop(b.splice(0..0, *b"\xef\xbb\xbf")), "out/manifest.json: expected the manifest of a prepared folder: expected value"),
    ("a key that is spelt wrong", |b| replace(b, b"\"emotions\"", b"\"emotoins\""), "out/manifest.json: expected the manifest of a prepared folder: unknown field `emotoins`, expected one of `format`, `inputs`, `config`, `columns`, `emotions`, `has_sentiment`, `videos`, `frame_rate_hz`, `irregular`, `oddities`, `counts`, `nonfinite`, `fold_source`, `folds`, `unlabelled`, `files`, `checksum`"),
    ("a key twice", |b| replace(b, b"\"has_sentiment\": false", b"\"has_sentiment\": false, \"has_sentiment\": true"), "out/manifest.json: expected the manifest of a prepared folder: duplicate field `has_sentiment`"),
];

pub fn cases() -> Vec<Case> {
    let manifest = |folder: &Path| folder.join("manifest.json");
    let mut cases = Vec::new();
    for (name, place, value, said) in SEALED {
        cases.push(opened(
            name,
            move |folder| put(&manifest(folder), place, value, true),
            said,
        ));
    }
    for (name, place, value, said) in ALTERED {
        cases.push(opened(
            name,
            move |folder| put(&manifest(folder), place, value, false),
            said,
        ));
    }
    for (name, change, said) in BYTES {
        cases.push(opened(
            name,
            move |folder| patch(&manifest(folder), change),
            said,
        ));
    }
    cases.push(opened(
        "no manifest",
        move |f| std::fs::remove_file(manifest(f)).unwrap(),
        "failed to open out/manifest.json",
    ));
    let folder = move |f: &Path| {
        std::fs::remove_file(manifest(f)).unwrap();
        std::fs::create_dir(manifest(f)).unwrap();
    };
    cases.push(opened(
        "a folder for a manifest",
        folder,
        "out/manifest.json: expected a file, found a folder",
    ));
    let long = move |f: &Path| {
        std::fs::File::create(manifest(f))
            .unwrap()
            .set_len(1 << 40)
            .unwrap()
    };
    cases.push(opened(
        "a manifest of a terabyte",
        long,
        "out/manifest.json: '.': expected at most 268435456 bytes, found 1099511627776 bytes",
    ));
    let elsewhere = move |f: &Path| {
        std::fs::rename(manifest(f), f.join("../m.json")).unwrap();
        std::os::unix::fs::symlink("../m.json", manifest(f)).unwrap();
    };
    cases.push(opened(
        "a manifest out of the folder",
        elsewhere,
        "out/manifest.json: expected a file, found a link",
    ));
    cases.push(opened(
        "no folder",
        |f| std::fs::remove_dir_all(f).unwrap(),
        "failed to open out/manifest.json",
    ));
    cases
}

fn put(path: &Path, place: &str, value: &str, seal: bool) {
    patch(path, |bytes| {
        let mut manifest: Value = serde_json::from_slice(bytes).unwrap();
        let (parent, key) = place.rsplit_once('/').unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        match manifest.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            table => table[key] = value,
        }
        // What is no manifest any more cannot be sealed, and is refused before it comes to that.
        if seal && let Ok(mut sealed) = serde_json::from_value::<Manifest>(manifest.clone()) {
            sealed.checksum = None;
            manifest["checksum"] = json!(run_record::hash_json(&sealed));
        }
        *bytes = serde_json::to_vec_pretty(&manifest).unwrap();
    });
}

fn replace(bytes: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let at = crate::corpus::find(bytes, from, 0);
    bytes.splice(at..at + from.len(), to.iter().copied());
}
