//! Folds files.

use crate::check::{Case, prepared};
use std::path::Path;

/// What stands in the file.
#[rustfmt::skip]
const TEXTS: [(&str, &[u8], &str); 34] = [
    ("nothing", b"", no_folds!("EOF while parsing a value")),
    ("a space", b" ", no_folds!("EOF while parsing a value")),
    ("null", b"null", no_folds!("invalid type: null, expected struct File")),
    ("a number", b"3", no_folds!("invalid type: integer `3`, expected struct File")),
    ("a text", br#""train""#, no_folds!("invalid type: string \"train\", expected struct File")),
    ("a list", br#"["a", "b"]"#, "folds.json: '/': expected an object of three lists, found a list"),
    ("a list of lists", br#"[["a", "b", "c"], ["d"], ["e"]]"#, "folds.json: '/': expected an object of three lists, found a list"),
    ("an empty table", b"{}", no_folds!("missing field `train`")),
    ("no test", br#"{"train": ["a"], "valid": ["d"]}"#, no_folds!("missing field `test`")),
    ("no valid", br#"{"train": ["a"], "test": ["d"]}"#, no_folds!("missing field `valid`")),
    ("another key", br#"{"train": ["a"], "valid": ["d"], "test": ["e"], "dev": []}"#, no_folds!("unknown field `dev`, expected one of `train`, `valid`, `test`")),
    ("another name", br#"{"train": ["a"], "validation": ["d"], "test": ["e"]}"#, no_folds!("unknown field `validation`, expected one of `train`, `valid`, `test`")),
    ("a key in capitals", br#"{"Train": ["a"], "valid": ["d"], "test": ["e"]}"#, no_folds!("unknown field `Train`, expected one of `train`, `valid`, `test`")),
    ("a key twice", br#"{"train": ["a"], "valid": ["d"], "test": ["e"], "train": ["b"]}"#, no_folds!("duplicate field `train`")),
    ("a text for a list", br#"{"train": "a", "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: string \"a\", expected a sequence")),
    ("null for a list", br#"{"train": ["a"], "valid": null, "test": ["e"]}"#, no_folds!("invalid type: null, expected a sequence")),
    ("a table for a list", br#"{"train": {"a": 1}, "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: map, expected a sequence")),
    ("a number for an id", br#"{"train": [81406], "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: integer `81406`, expected a string")),
    ("null for an id", br#"{"train": ["a", null], "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: null, expected a string")),
    ("a list for an id", br#"{"train": [["a"]], "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: sequence, expected a string")),
    ("true for an id", br#"{"train": [true], "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid type: boolean `true`, expected a string")),
    ("no end", br#"{"train": ["a"], "valid": ["d"], "test": ["e"]"#, no_folds!("EOF while parsing an object")),
    ("no end of a text", br#"{"train": ["a], "valid": ["d"], "test": ["e"]}"#, "folds.json: expected {\"train\": [ids], \"valid\": [ids], \"test\": [ids]}, each id a string: expected `,` or `]`"),
    ("a comma too many", br#"{"train": ["a",], "valid": ["d"], "test": ["e"]}"#, no_folds!("trailing comma")),
    ("more behind", br#"{"train": ["a"], "valid": ["d"], "test": ["e"]} {}"#, no_folds!("trailing characters")),
    ("single quotes", b"{'train': ['a'], 'valid': ['d'], 'test': ['e']}", no_folds!("key must be a string")),
    ("a comment", b"// folds\n{}", no_folds!("expected value")),
    ("NaN", b"NaN", no_folds!("expected value")),
    ("a byte order mark", b"\xef\xbb\xbf{\"train\": [\"a\"], \"valid\": [\"d\"], \"test\": [\"e\"]}", no_folds!("expected value")),
    ("text of 16 bits", b"{\0}\0", no_folds!("key must be a string")),
    ("bytes that are no text", b"{\"train\": [\"\xff\xfe\"], \"valid\": [\"d\"], \"test\": [\"e\"]}", no_folds!("invalid unicode code point")),
    ("half a surrogate", br#"{"train": ["\ud800"], "valid": ["d"], "test": ["e"]}"#, no_folds!("unexpected end of hex escape")),
    ("a line's end in a text", b"{\"train\": [\"a\nb\"], \"valid\": [\"d\"], \"test\": [\"e\"]}", no_folds!("control character (\\u0000-\\u001F) found while parsing a string")),
    ("an escape that is none", br#"{"train": ["\x41"], "valid": ["d"], "test": ["e"]}"#, no_folds!("invalid escape")),
];

/// Ids that are in the wrong place: train, valid, test.
#[rustfmt::skip]
const LISTS: [(&str, [&[&str]; 3], &str); 18] = [
    ("an id in train and test", [&["a", "b"], &["c"], &["a"]], "folds.json: video 'a' is listed in 'train' and again in 'test': expected each video once"),
    ("an id in train and valid", [&["a", "b"], &["b"], &["c"]], "folds.json: video 'b' is listed in 'train' and again in 'valid': expected each video once"),
    ("an id in valid and test", [&["a", "b"], &["c"], &["d", "c"]], "folds.json: video 'c' is listed in 'valid' and again in 'test': expected each video once"),
    ("an id twice in train", [&["a", "a"], &["c"], &["d"]], "folds.json: video 'a' is listed in 'train' and again in 'train': expected each video once"),
    ("no id in train", [&[], &["a"], &["b"]], "folds.json: 'train': expected at least one video id, found none"),
    ("no id in valid", [&["a"], &[], &["b"]], "folds.json: 'valid': expected at least one video id, found none"),
    ("no id in test", [&["a"], &["b"], &[]], "folds.json: 'test': expected at least one video id, found none"),
    ("ids of no file", [&["a", "zz", "yy"], &["b"], &["c"]], "folds.json: 2 video ids are in neither the features nor the labels, the first is 'yy' in 'train'; expected ids of f.csd or l.csd (set unknown_fold_ids = \"count\" to allow others)"),
    ("ids in other letters", [&["A"], &["b"], &["c"]], "folds.json: 1 video ids are in neither the features nor the labels, the first is 'A' in 'train', did you mean 'a'?; expected ids of f.csd or l.csd (set unknown_fold_ids = \"count\" to allow others)"),
    ("an empty id", [&["a", ""], &["b"], &["c"]], no_id!("folds.json: '/'", "\"\"")),
    ("this folder", [&["a", "."], &["b"], &["c"]], no_id!("folds.json: '/'", "\".\"")),
    ("the folder above", [&["a", ".."], &["b"], &["c"]], no_id!("folds.json: '/'", "\"..\"")),
    ("a path upwards", [&["a", "../../a"], &["b"], &["c"]], no_id!("folds.json: '/'", "\"../../a\"")),
    ("a path from the root", [&["a"], &["/etc/passwd"], &["c"]], no_id!("folds.json: '/'", "\"/etc/passwd\"")),
    ("an id with a zero byte", [&["a\0"], &["b"], &["c"]], no_id!("folds.json: '/'", "\"a\\0\"")),
    ("an id with a line's end", [&["a\n"], &["b"], &["c"]], no_id!("folds.json: '/'", "\"a\\n\"")),
    ("an id with a hidden space", [&["a\u{200b}"], &["b"], &["c"]], no_id!("folds.json: '/'", "\"a\\u{200b}\"")),
    ("an id that looks like another", [&["a"], &["\u{430}"], &["c"]], "folds.json: '/': expected ids that do not look alike, found 'a' and '\\u{430}'"),
];

pub fn cases() -> Vec<Case> {
    let folds = |d: &Path| d.join("folds.json");
    let mut cases = Vec::new();
    for (name, text, said) in TEXTS {
        cases.push(prepared(
            name,
            move |d, _| std::fs::write(folds(d), text).unwrap(),
            said,
        ));
    }
    for (name, [train, valid, test], said) in LISTS {
        cases.push(prepared(
            name,
            move |d, _| crate::corpus::write_folds(d, train, valid, test),
            said,
        ));
    }
    let nested = "[".repeat(100_000);
    cases.push(prepared(
        "lists in lists",
        move |d, _| std::fs::write(folds(d), &nested).unwrap(),
        "folds.json: '/': expected an object of three lists, found a list",
    ));
    let long = move |d: &Path, _: &mut _| {
        std::fs::File::create(folds(d))
            .unwrap()
            .set_len(5 << 30)
            .unwrap()
    };
    cases.push(prepared(
        "five gigabytes",
        long,
        "folds.json: '.': expected at most 67108864 bytes, found 5368709120 bytes",
    ));
    let id = "x".repeat(100_000);
    let long_id =
        move |d: &Path, _: &mut _| crate::corpus::write_folds(d, &["a", &id], &["b"], &["c"]);
    cases.push(prepared(
        "an id of a hundred thousand letters",
        long_id,
        no_id!(
            "folds.json: '/'",
            "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… of 100000 bytes"
        ),
    ));
    cases
}
