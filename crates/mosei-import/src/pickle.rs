//! Pickles, read without executing anything.
//!
//! What lives here: an interpreter of the opcodes of protocols 2 to 5 that knows numbers, text,
//! bytes, lists, tuples, dicts, sets, NumPy arrays and the tensors of `torch.save`. It has no way to
//! call anything: names of functions and classes are compared with a list (`pickle/globals.rs`), and
//! any other name is an error with its place. What does not: what the data mean
//! (`released_pickle`).
//!
//! Values of arrays are not read but located: the largest releases have 12 GB, of which the objects
//! between the arrays are a few megabytes. Reading goes by offset in the file.
//!
//! Why not a kept crate (2026-11): `serde-pickle` 1.2 puts an object's state in the place of the
//! object, so that an array loses its type, and copies all bytes into memory; `pyferrite` 0.0.2 reads
//! the whole file and keeps unknown names instead of refusing them; `repugnant-pickle` 0.0.1, its
//! only release, parses a slice and leaves NumPy to the caller; the readers of `candle-core` and burn
//! know PyTorch's checkpoints alone. None locates values of NumPy arrays by offset. The archive is
//! read by `zip`, half-precision numbers by `half`.

mod array;
mod check;
mod globals;
mod input;
mod latin1;
mod machine;
mod node;
mod read_array;
mod torch_zip;
mod value;

pub(crate) use read_array::ArrayReader;
pub(crate) use value::{Scalar, Value};

use crate::ImportError;
use input::{Input, Span};
use machine::{Built, MAX_OBJECTS, Machine};
use mosei_data::files;
use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The first bytes of a file of `torch.save` before PyTorch 1.6: a number that marks it.
const OLD_TORCH: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// How often each object may be visited, on average.
const VISITS: usize = 4;

/// Why a pickle was refused.
#[derive(Debug)]
pub(crate) enum Fault {
    /// At a byte of the file.
    Content {
        at: u64,
        expected: String,
        found: String,
    },
    /// The system's reason.
    Io(std::io::Error),
}

impl Fault {
    pub fn content(at: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Fault::Content {
            at,
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn into_error(self, path: &Path) -> ImportError {
        match self {
            Fault::Content {
                at,
                expected,
                found,
            } => ImportError::table(path, format!("byte {at}"), expected, found),
            Fault::Io(source) => ImportError::io("read", path)(source),
        }
    }
}

/// A pickle whose objects are known and whose values are still in the file.
pub(crate) struct Pickle {
    path: PathBuf,
    file: File,
    /// A folder for files of its own.
    scratch: PathBuf,
    built: Built,
    /// Bytes of values that may still be read.
    left: Cell<u64>,
    /// Items of lists and dicts that may still be visited.
    steps_left: Cell<u64>,
}

impl Pickle {
    /// Reads the objects of a pickle, or of an archive of `torch.save`. `scratch` is a folder for
    /// temporary files.
    ///
    /// # Errors
    /// Where it is truncated, names a function or class that is not known, holds itself, or is no
    /// pickle; the error names the byte of the opcode.
    pub fn open(path: &Path, scratch: &Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(ImportError::io("open", path))?;
        let facts = file.metadata().map_err(ImportError::io("open", path))?;
        files::require_file(path, &facts)?;
        let mut start = [0; OLD_TORCH.len()];
        let whole = Span {
            at: 0,
            len: facts.len(),
        };
        let (mut span, mut archive) = (whole, None);
        if facts.len() > start.len() as u64 {
            file.read_exact_at(&mut start, 0)
                .map_err(ImportError::io("read", path))?;
        }
        if start == OLD_TORCH {
            let expected = "an archive of torch.save (PyTorch 1.6 or later)";
            let found = "an older form; torch.save(torch.load(f), g) writes it again";
            return Err(ImportError::table(path, "byte 0", expected, found));
        }
        if start.starts_with(b"PK\x03\x04") {
            let found = torch_zip::Archive::open(path, &file, facts.len())?;
            (span, archive) = (found.pickle, Some(Rc::new(found)));
        }
        let own = || file.try_clone().map_err(ImportError::io("open", path));
        let run = |for_input: File, for_text: File| -> Result<Built, Fault> {
            let input = Input::new(for_input, span)?;
            let built = Machine::new(input, for_text, archive).run()?;
            check::require_tree(&built)?;
            let after = span.at + span.len - built.end;
            if after > 0 {
                let found = format!("{after} more bytes");
                return Err(Fault::content(built.end, "the end of the file", found));
            }
            Ok(built)
        };
        // A handle of its own, as the position of a clone is that of the file.
        let for_input = File::open(path).map_err(ImportError::io("open", path))?;
        let built = run(for_input, own()?).map_err(|fault| fault.into_error(path))?;
        Ok(Pickle {
            path: path.to_path_buf(),
            file,
            scratch: scratch.to_path_buf(),
            built,
            left: Cell::new(facts.len()),
            steps_left: Cell::new((VISITS * MAX_OBJECTS) as u64),
        })
    }

    /// The object that the pickle is.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, self.built.root)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, fault: Fault) -> ImportError {
        fault.into_error(&self.path)
    }

    /// Counts items that are visited: a small file could list the same ones a million times.
    fn step(&self, at: u64, items: usize) -> Result<(), ImportError> {
        let expected = "items of its own for each list and dict";
        let found = "items that several of them share";
        self.use_up(&self.steps_left, items as u64, at, [expected, found])
    }

    /// Counts bytes of values that are read: a small file could name the same ones a million times.
    fn spend(&self, at: u64, bytes: u64) -> Result<(), ImportError> {
        let expected = "values of its own for each array";
        let found = "values that several arrays share";
        self.use_up(&self.left, bytes, at, [expected, found])
    }

    fn use_up(
        &self,
        left: &Cell<u64>,
        amount: u64,
        at: u64,
        [expected, found]: [&str; 2],
    ) -> Result<(), ImportError> {
        let rest = left.get().checked_sub(amount);
        left.set(rest.ok_or_else(|| self.error(Fault::content(at, expected, found)))?);
        Ok(())
    }
}

/// Reads at most `most` bytes.
fn read_span(file: &File, at: u64, span: Span, most: u64) -> Result<Vec<u8>, Fault> {
    if span.len > most {
        let expected = format!("at most {most} bytes");
        return Err(Fault::content(at, expected, span.len.to_string()));
    }
    let mut bytes = vec![0; span.len as usize];
    file.read_exact_at(&mut bytes, span.at).map_err(Fault::Io)?;
    Ok(bytes)
}
