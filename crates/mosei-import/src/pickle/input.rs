//! The bytes of a pickle, read once from its beginning to its end.
//!
//! What lives here: positions, bounds and skipping. What does not: the meaning of bytes.

use super::Fault;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Longest text read at once: the name of a module, a class or a key.
const MAX_LINE_BYTES: u64 = 256;

/// A range of bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub at: u64,
    /// Number of bytes.
    pub len: u64,
}

/// A reader of a range of a file, which never reads past its end.
pub(super) struct Input {
    file: BufReader<File>,
    /// Position of the next byte in the file.
    pub at: u64,
    /// One past the last byte.
    pub end: u64,
    /// Position of the opcode that is being read, for messages.
    pub opcode: u64,
}

impl Input {
    /// Reads `span` of a file.
    pub fn new(mut file: File, span: Span) -> Result<Self, Fault> {
        file.seek(SeekFrom::Start(span.at)).map_err(Fault::Io)?;
        Ok(Input {
            file: BufReader::with_capacity(1 << 16, file),
            at: span.at,
            end: span.at.saturating_add(span.len),
            opcode: span.at,
        })
    }

    /// Checks that `len` more bytes follow.
    fn require(&self, len: u64) -> Result<(), Fault> {
        let left = self.end - self.at;
        if len > left {
            let expected = format!("an opcode whose bytes are all there: {len} more");
            return Err(Fault::content(
                self.opcode,
                expected,
                format!("{left}, and the end of the pickle"),
            ));
        }
        Ok(())
    }

    /// Reads exactly `N` bytes.
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.require(N as u64)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(Fault::Io)?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> Result<u8, Fault> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// Skips `len` bytes; returns where they are.
    pub fn skip(&mut self, len: u64) -> Result<Span, Fault> {
        self.require(len)?;
        let span = Span { at: self.at, len };
        let step = i64::try_from(len)
            .map_err(|_| Fault::content(self.opcode, "a possible length", len.to_string()))?;
        self.file.seek_relative(step).map_err(Fault::Io)?;
        self.at += len;
        Ok(span)
    }

    /// Reads a line of text, as old opcodes have it.
    pub fn line(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        let mut bytes = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                byte => bytes.push(byte),
            }
            if self.at - begin > MAX_LINE_BYTES {
                let expected = format!("a line of at most {MAX_LINE_BYTES} bytes");
                return Err(Fault::content(begin, expected, "a longer one"));
            }
        }
        String::from_utf8(bytes).map_err(|_| Fault::content(begin, "text in UTF-8", "other bytes"))
    }
}
