//! Bytes that protocol 2 writes as Latin-1 text, in UTF-8.

/// What such bytes are, for messages.
pub(super) const EXPECTED: &str = "bytes as Latin-1 text in UTF-8";

/// Decodes such text piece by piece.
#[derive(Default)]
pub(super) struct Decoder {
    /// The first byte of a character of two, where a piece ended behind it.
    first: Option<u8>,
}

impl Decoder {
    /// Decodes a piece onto `bytes`.
    ///
    /// # Errors
    /// What was found instead.
    pub fn add(&mut self, text: &[u8], bytes: &mut Vec<u8>) -> Result<(), String> {
        for &byte in text {
            match (self.first.take(), byte) {
                (None, 0..=0x7f) => bytes.push(byte),
                (None, 0xc2 | 0xc3) => self.first = Some(byte),
                (Some(first), 0x80..=0xbf) => bytes.push(((first & 3) << 6) | (byte & 0x3f)),
                _ => return Err(format!("byte {byte:#04x}")),
            }
        }
        Ok(())
    }
}
