//! Ids that are invalid, repeated or look alike.

use crate::check::{Case, prepared, read};
use crate::corpus::{IDS, edit, patch, video, write, write_folds, write_labels};
use std::path::Path;

/// Ids that HDF5 takes as names of groups.
#[rustfmt::skip]
const NAMES: [(&str, &str, &str); 22] = [
    ("folder above", "..", no_id!("f.csd: 'F/data'", "\"..\"")),
    ("a backslash", "a\\b", no_id!("f.csd: 'F/data'", "\"a\\\\b\"")),
    ("a drive", "C:\\a", no_id!("f.csd: 'F/data'", "\"C:\\\\a\"")),
    ("a line's end", "a\nb", no_id!("f.csd: 'F/data'", "\"a\\nb\"")),
    ("a return", "a\rb", no_id!("f.csd: 'F/data'", "\"a\\rb\"")),
    ("a tab", "a\tb", no_id!("f.csd: 'F/data'", "\"a\\tb\"")),
    ("a bell", "a\x07", no_id!("f.csd: 'F/data'", "\"a\\u{7}\"")),
    ("an escape sequence", "\x1b[2Ja", no_id!("f.csd: 'F/data'", "\"\\u{1b}[2Ja\"")),
    ("delete", "a\x7f", no_id!("f.csd: 'F/data'", "\"a\\u{7f}\"")),
    ("a control of the upper half", "a\u{85}", no_id!("f.csd: 'F/data'", "\"a\\u{85}\"")),
    ("a space in front", " a", no_id!("f.csd: 'F/data'", "\" a\"")),
    ("a space behind", "a ", no_id!("f.csd: 'F/data'", "\"a \"")),
    ("nothing but a space", " ", no_id!("f.csd: 'F/data'", "\" \"")),
    ("a space that does not break", "a\u{a0}b", no_id!("f.csd: 'F/data'", "\"a\\u{a0}b\"")),
    ("a space of no width", "a\u{200b}", no_id!("f.csd: 'F/data'", "\"a\\u{200b}\"")),
    ("a line separator", "a\u{2028}b", no_id!("f.csd: 'F/data'", "\"a\\u{2028}b\"")),
    ("writing turned round", "\u{202e}cba", no_id!("f.csd: 'F/data'", "\"\\u{202e}cba\"")),
    ("a byte order mark", "\u{feff}a", no_id!("f.csd: 'F/data'", "\"\\u{feff}a\"")),
    ("a soft hyphen", "a\u{ad}b", no_id!("f.csd: 'F/data'", "\"a\\u{ad}b\"")),
    ("a tag", "a\u{e0041}", no_id!("f.csd: 'F/data'", "\"a\\u{e0041}\"")),
    ("a character of private use", "\u{e000}", no_id!("f.csd: 'F/data'", "\"\\u{e000}\"")),
    ("a replacement for bytes that are no text", "a\u{fffd}", no_id!("f.csd: 'F/data'", "\"a�\"")),
];

/// Bytes of a name that are put over those of the video `video`.
#[rustfmt::skip]
const PATCHED: [(&str, &[u8], &str); 9] = [
    ("a path", b"vi/eo", no_id!("f.csd: 'F/data'", "\"vi/eo\"")),
    ("a path from the root", b"/ideo", no_id!("f.csd: 'F/data'", "\"/ideo\"")),
    ("a path upwards", b"../eo", no_id!("f.csd: 'F/data'", "\"../eo\"")),
    ("a path that ends", b"vide/", no_id!("f.csd: 'F/data'", "\"vide/\"")),
    ("nothing", b"\0ideo", "f.csd: 'F/data': failed to list"),
    ("this folder", b".\0deo", no_id!("f.csd: 'F/data'", "\".\"")),
    ("the folder above, patched", b"..\0eo", no_id!("f.csd: 'F/data'", "\"..\"")),
    ("bytes that are no text", b"vi\xff\xfeo", no_id!("f.csd: 'F/data'", "\"vi��o\"")),
    ("a name that there is", b"w\0deo", "f.csd: 'F/data': expected unique names, found \"w\" twice"),
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let add = |name: String| {
        move |path: &Path| {
            edit(path, |file| {
                let group = file.group("F/data").unwrap().create_group(&name).unwrap();
                for (member, value) in [("features", 0.0), ("intervals", 1.0)] {
                    let dataset = group
                        .new_dataset::<f32>()
                        .shape((1, 2))
                        .create(member)
                        .unwrap();
                    dataset.write_raw(&[0.0, value]).unwrap();
                }
            });
        }
    };
    for (what, name, said) in NAMES {
        cases.push(read(
            &format!("an id with {what}"),
            add(name.to_string()),
            said,
        ));
    }
    cases.push(read(
        "an id of 201 bytes",
        add("x".repeat(201)),
        no_id!(
            "f.csd: 'F/data'",
            "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… of 201 bytes"
        ),
    ));
    cases.push(read(
        "an id of 5000 bytes",
        add("ü".repeat(2500)),
        no_id!(
            "f.csd: 'F/data'",
            "\"üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü\"… of 5000 bytes"
        ),
    ));
    for (what, bytes, said) in PATCHED {
        let spoil = move |path: &Path| {
            write(path, "F", &[video("video"), video("w")]);
            patch(path, |b| {
                let at = crate::corpus::find(b, b"video\0", 0);
                b[at..at + bytes.len()].copy_from_slice(bytes);
            });
        };
        cases.push(read(&format!("an id patched to {what}"), spoil, said));
    }
    let alike = |a: &'static str, b: &'static str| {
        move |path: &Path| write(path, "F", &[video(a), video(b)])
    };
    cases.push(read(
        "look-alikes of two alphabets",
        alike("paypal", "p\u{430}ypal"),
        "f.csd: 'F/data': expected ids that do not look alike, found 'paypal' and 'p\\u{430}ypal'",
    ));
    cases.push(read(
        "look-alikes of two compositions",
        alike("Z\u{fc}rich", "Zu\u{308}rich"),
        "f.csd: 'F/data': expected ids that do not look alike, found 'Zu\\u{308}rich' and 'Z\\u{fc}rich'",
    ));
    cases.push(read(
        "look-alikes of two widths",
        alike("\u{ff41}bc", "abc"),
        "f.csd: 'F/data': expected ids that do not look alike, found 'abc' and '\\u{ff41}bc'",
    ));
    cases.push(read(
        "look-alike digits",
        alike("v1", "v\u{1d7cf}"),
        "f.csd: 'F/data': expected ids that do not look alike, found 'v1' and 'v\\u{1d7cf}'",
    ));
    let across = |dir: &Path, features: &str, labels: &str| {
        let mut videos = IDS.map(video).to_vec();
        videos.push(video(features));
        write(&dir.join("f.csd"), "F", &videos);
        write_labels(&dir.join("l.csd"), &[&IDS[..], &[labels]].concat());
    };
    cases.push(prepared(
        "look-alikes in features and labels",
        move |d, _| across(d, "\u{fc}", "u\u{308}"),
        "f.csd: 'ids here and in the labels': expected ids that do not look alike, found 'u\\u{308}' and '\\u{fc}'",
    ));
    let folds = move |dir: &Path| {
        across(dir, "\u{fc}", "\u{fc}");
        write_folds(dir, &["a", "b", "\u{fc}"], &["d"], &["u\u{308}"]);
    };
    cases.push(prepared(
        "look-alikes in two splits",
        move |d, _| folds(d),
        "folds.json: '/': expected ids that do not look alike, found 'u\\u{308}' and '\\u{fc}'",
    ));
    cases
}
