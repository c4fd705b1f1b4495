//! Pickles that are refused, each with its exact error, which names the byte of the opcode; nothing
//! is written. Those of `fixtures/releases` were written by Python.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_import::{ImportOptions, import};
use std::path::Path;

/// `{"train": X, "valid": X, "test": X}` of protocol 4, where X is `{"audio": …}`.
fn release(audio: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x04}(".to_vec();
    for split in [b"\x05train".as_slice(), b"\x05valid", b"\x04test"] {
        bytes.extend([b"\x8c", split, b"}\x8c\x05audio", audio, b"s"].concat());
    }
    [bytes.as_slice(), b"u."].concat()
}

/// A NumPy array: its shape and type as opcodes, and its bytes.
fn array(shape: &[u8], code: &[u8; 2], bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    [
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR(K\x01",
        shape,
        b"cnumpy\ndtype\n\x8c\x02",
        code,
        b"\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89B",
        &length,
        bytes,
        b"tb",
    ]
    .concat()
}

/// What importing these bytes as features comes to.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at(name), bytes).unwrap();
    std::fs::write(at("l.csv"), "video,happy\na,3\nb,0\n").unwrap();
    let options = ImportOptions {
        features: at(name),
        labels: Some(at("l.csv")),
        rate_hz: Some(100.0),
        ..ImportOptions::default()
    };
    let error = import(&options, &at("out"), &mut |_, _| ()).unwrap_err();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is written"
    );
    error
        .to_string()
        .replace(&format!("{}/", folder.path().display()), "")
}

/// Compares what each file comes to with its message.
#[track_caller]
fn require<'a>(cases: impl IntoIterator<Item = (&'a str, Vec<u8>, &'a str)>) {
    let mut wrong = Vec::new();
    for (name, bytes, message) in cases {
        let found = refusal(name, &bytes);
        if found != format!("{name}: {message}") {
            wrong.push(format!(
                "{}
  {found}
",
                bytes.escape_ascii()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn what_python_writes_and_is_no_data_is_refused_by_name_and_place() {
    let cases = [
        (
            "other_global.pkl",
            "byte 54: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'datetime.timedelta', which is not called",
        ),
        (
            "other_global_p2.pkl",
            "byte 2: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'collections.Counter', which is not called",
        ),
        (
            "cycle.pkl",
            "byte 21: expected an object that does not hold itself, found one that does, through that of byte 21",
        ),
        (
            "deep.pkl",
            "byte 139: expected at most 64 levels of lists and dicts, found more",
        ),
        (
            "protocol0.pkl",
            "byte 0: expected a pickle of protocol 2 to 5, found no protocol, as 0 and 1 write it; pickle.dump(x, f, protocol=4) writes it again",
        ),
        (
            "out_of_band.pkl",
            "byte 50: expected all values in the file itself, found a buffer that was kept elsewhere (protocol 5, out of band)",
        ),
        (
            "old.pt",
            "byte 0: expected an archive of torch.save (PyTorch 1.6 or later), found an older form; torch.save(torch.load(f), g) writes it again",
        ),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/releases");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    require(cases.map(|(name, message)| (name, read(name), message)));
}

#[test]
fn opcodes_without_what_they_need_are_refused() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "byte 0: expected an opcode whose bytes are all there: 2 more, found 0, and the end of the pickle"),
        (b"\x80\x06N.", "byte 0: expected a pickle of protocol 2 to 5, found protocol 6"),
        (b"\x80\x04", "byte 2: expected an opcode whose bytes are all there: 1 more, found 0, and the end of the pickle"),
        (b"\x80\x04.", "byte 2: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04N.N", "byte 4: expected the end of the file, found 1 more bytes"),
        (b"\x80\x04N.", "byte 2: expected a dict with 'train', 'valid' and 'test', or with videos, found None"),
        (b"\x80\x04}.", "byte 2: expected a dict with 'train', 'valid' and 'test', or with videos, found an empty dict"),
        (b"\x80\x04\xff.", "byte 2: expected an opcode of numbers, text, lists, dicts, NumPy arrays or tensors, found 0xff"),
        (b"\x80\x040.", "byte 2: expected what the opcode needs on the stack, found less"),
        (b"\x80\x042.", "byte 2: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04t.", "byte 2: expected a mark before, found none"),
        (b"\x80\x04(0.", "byte 3: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04N\x86.", "byte 3: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04(N\x86.", "byte 4: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04h\x07.", "byte 2: expected an object that came before, found number 7"),
        (b"\x80\x04\x94.", "byte 2: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04Na.", "byte 3: expected what the opcode needs on the stack, found less"),
        (b"\x80\x04NNa.", "byte 4: expected a list, dict or set to add to, found None"),
        (b"\x80\x04}(Nu.", "byte 5: expected a value for each key, found a key alone"),
        (b"\x80\x04N)R.", "byte 4: expected a known function and its arguments, found others"),
        (b"\x80\x04N)b.", "byte 4: expected the content of a NumPy array or type, found content of 0 parts for None"),
        (b"\x80\x04NQ.", "byte 3: expected all objects in the file itself, found one that is kept elsewhere (a persistent id)"),
        (b"\x80\x04\x95\xff\0\0\0\0\0\0\0N.", "byte 2: expected a frame of at most 2 bytes, as many as follow, found 255"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "byte 2: expected an opcode whose bytes are all there: 18446744073709551615 more, found 1, and the end of the pickle"),
        (b"\x80\x04X\xff\xff\xff\xffab.", "byte 2: expected an opcode whose bytes are all there: 4294967295 more, found 3, and the end of the pickle"),
        (b"\x80\x04\x8b\xff\xff\xff\xff.", "byte 2: expected a length, found -1"),
        (b"\x80\x04cos\ngetcwd\n)R.", "byte 2: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'os.getcwd', which is not called"),
        (b"\x80\x04\x8c\x02os\x8c\x06getcwd\x93.", "byte 14: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'os.getcwd', which is not called"),
        (b"\x80\x04cbuiltins\nprint\n.", "byte 2: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'builtins.print', which is not called"),
        (b"\x80\x04NN\x93.", "byte 4: expected text, found None"),
        (b"\x80\x04cno line ends", "byte 2: expected an opcode whose bytes are all there: 1 more, found 0, and the end of the pickle"),
        (b"\x80\x04ctorch\nEvilStorage\n.", "byte 2: expected numbers, text, lists, dicts, NumPy arrays and tensors alone, found 'torch.EvilStorage', which is not called"),
        (b"\x80\x04cnumpy\ndtype\n\x8c\x02c8\x85R.", "byte 20: expected a NumPy type of numbers, text or objects, found 'c8'"),
        (b"\x80\x04cnumpy\ndtype\n)R.", "byte 16: expected a call as NumPy and PyTorch write it, found Dtype with 0 arguments"),
        (b"\x80\x04ccollections\nOrderedDict\nN\x85R.", "byte 29: expected a call as NumPy and PyTorch write it, found OrderedDict with 1 arguments"),
        (b"\x80\x04c_codecs\nencode\n\x8c\x01a\x8c\x05utf-8\x86R.", "byte 29: expected bytes as Latin-1 text, found text in 'utf-8'"),
        (b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(C\0cnumpy\ndtype\n\x8c\x02f4\x85R)\x8c\x01AtR.", "byte 62: expected the order 'C' or 'F', found 'A'"),
        (b"\x80\x04ctorch._utils\n_rebuild_tensor_v2\n(NK\0))tR.", "byte 42: expected the storage of a tensor, found None"),
    ];
    require(
        cases
            .iter()
            .map(|(bytes, message)| ("f.pkl", bytes.to_vec(), *message)),
    );
}

#[test]
fn arrays_must_be_all_there() {
    let one = array(b"K\x01K\x01K\x01\x87", b"f4", b"\0\0\x80\x3f");
    let error = refusal("f.pkl", &release(&one));
    assert!(
        error.starts_with("l.csv: line 2: expected segments of the 3 recordings"),
        "{error}"
    );
    let cases: &[(Vec<u8>, &str)] = &[
        (
            release(&array(b"K\x02K\x01K\x01\x87", b"f4", &[0; 4])),
            "byte 145: expected 8 bytes of values, as the shape needs, found 4",
        ),
        (
            release(&array(b"K\x01K\x01K\x01\x87", b"f4", &[0; 8])),
            "byte 149: expected 4 bytes of values, as the shape needs, found 8",
        ),
        (
            release(&array(
                b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x04K\x01\x87",
                b"f4",
                &[0; 4],
            )),
            "byte 153: expected at most 8 dimensions, of a possible size, found shape [9223372036854775807, 4, 1]",
        ),
        (
            release(&array(b"J\xff\xff\xff\xffK\x01K\x01\x87", b"f4", &[0; 4])),
            "byte 148: expected a whole number from 0, found -1",
        ),
        (
            release(&array(
                b"(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t",
                b"f4",
                &[0; 4],
            )),
            "byte 158: expected at most 8 dimensions, of a possible size, found shape [1, 1, 1, 1, 1, 1, 1, 1, 1]",
        ),
        (
            release(&array(b"K\x01K\x01\x86", b"f4", &[0; 4])),
            "byte 79: expected an array [segments, frames, columns], or a list of arrays, found shape [1, 1]",
        ),
        (
            release(&array(b"K\x01K\x01K\0\x87", b"f4", &[])),
            "byte 79: expected 1 to 16384 columns, and at most 16777216 values in a segment, found shape [1, 1, 0]",
        ),
        (
            release(&array(b"K\x01K\x01K\x01\x87", b"b1", &[0; 1])),
            "byte 79: expected an array of numbers, found booleans",
        ),
        (
            release(&array(b"K\x01K\x01K\x01\x87", b"f3", &[0; 3])),
            "byte 110: expected a NumPy type of numbers, text or objects, found 'f3'",
        ),
        (
            release(b"N"),
            "byte 19: expected an array [segments, frames, columns], or a list of arrays, found None",
        ),
        (release(b"]"), "expected at least one frame, found none"),
        (
            release(b"](NNe"),
            "byte 21: expected an array [frames, columns] for segment 0 of 'train', found None",
        ),
        // A memo that gives one array to every split.
        (
            [
                b"\x80\x04}(\x8c\x05train}\x8c\x05audio".as_slice(),
                &array(b"K\x01K\x40K\x01\x87", b"f8", &[1; 512]),
                b"q\0s\x8c\x05valid}\x8c\x05audioh\0s\x8c\x04test}\x8c\x05audioh\0su.",
            ]
            .concat(),
            "byte 79: expected values of its own for each array, found values that several arrays share",
        ),
    ];
    require(
        cases
            .iter()
            .map(|(bytes, message)| ("f.pkl", bytes.clone(), *message)),
    );
}

#[test]
fn every_truncated_release_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/releases");
    for name in ["multibench.pkl", "seven.pt"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        for length in (0..whole.len()).step_by(7) {
            let error = refusal(name, &whole[..length]);
            assert!(error.starts_with(name), "{length}: {error}");
        }
    }
}
