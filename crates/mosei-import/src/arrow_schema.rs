//! Duration columns in the schema that Arrow software (pyarrow, polars, pandas) stores in a Parquet
//! file.
//!
//! What lives here: just enough of Arrow's IPC format (a flatbuffer in Base64) to find which
//! columns are durations and their unit, for which Parquet has no type. A schema that cannot be
//! read has no durations.

use std::collections::BTreeMap;

/// Tags of Arrow's `MessageHeader.Schema` and `Type.Duration`.
const SCHEMA: u8 = 1;
const DURATION: u8 = 18;

/// The unit of each duration column, in seconds.
pub(crate) fn durations(text: &str) -> BTreeMap<String, f64> {
    decode_base64(text)
        .and_then(|bytes| parse_message(&bytes))
        .unwrap_or_default()
}

/// Decodes Base64.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn parse_message(bytes: &[u8]) -> Option<BTreeMap<String, f64>> {
    // Since Arrow 0.15, four bytes of ones precede the length.
    let rest = match bytes.get(..4)? {
        [0xff, 0xff, 0xff, 0xff] => bytes.get(8..)?,
        _ => bytes.get(4..)?,
    };
    let buffer = Buffer(rest);
    let message = buffer.table(0)?;
    // Message { version, header type, header }, Schema { endianness, fields }.
    if message.byte(1)? != SCHEMA {
        return None;
    }
    let (start, count) = message.table_at(2)?.vector(1)?;
    let mut units = BTreeMap::new();
    for i in 0..count {
        // Field { name, nullable, type tag, type }, Duration { unit }, by default milliseconds.
        let field = buffer.table(start.checked_add(i.checked_mul(4)?)?)?;
        if field.byte(2) != Some(DURATION) {
            continue;
        }
        let unit = match field.table_at(3)?.byte(0).unwrap_or(1) {
            0 => 1.0,
            1 => 1e-3,
            2 => 1e-6,
            3 => 1e-9,
            _ => continue,
        };
        units.insert(field.text(0)?.to_string(), unit);
    }
    Some(units)
}

/// A flatbuffer; reads are bounds-checked.
#[derive(Clone, Copy)]
struct Buffer<'a>(&'a [u8]);

/// A table of a flatbuffer: its position and that of its vtable.
struct Table<'a> {
    buffer: Buffer<'a>,
    start: usize,
    vtable: usize,
}

impl<'a> Buffer<'a> {
    fn u32(self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }

    fn u16(self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(2)?)?;
        Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// The table that the offset at `at` points to.
    fn table(self, at: usize) -> Option<Table<'a>> {
        let start = at.checked_add(self.u32(at)?)?;
        let back = i32::from_le_bytes(self.0.get(start..start.checked_add(4)?)?.try_into().ok()?);
        let vtable = usize::try_from(i64::try_from(start).ok()? - i64::from(back)).ok()?;
        Some(Table {
            buffer: self,
            start,
            vtable,
        })
    }
}

impl<'a> Table<'a> {
    /// Position of a field's value; `None` where the field is absent.
    fn field(&self, i: usize) -> Option<usize> {
        let place = 4 + 2 * i;
        if place + 2 > self.buffer.u16(self.vtable)? {
            return None;
        }
        match self.buffer.u16(self.vtable + place)? {
            0 => None,
            offset => Some(self.start + offset),
        }
    }

    fn byte(&self, i: usize) -> Option<u8> {
        self.buffer.0.get(self.field(i)?).copied()
    }

    fn table_at(&self, i: usize) -> Option<Table<'a>> {
        self.buffer.table(self.field(i)?)
    }

    /// Position and number of a vector's elements.
    fn vector(&self, i: usize) -> Option<(usize, usize)> {
        let at = self.field(i)?;
        let start = at.checked_add(self.buffer.u32(at)?)?;
        let count = self.buffer.u32(start)?;
        // Each takes at least four bytes.
        (count <= self.buffer.0.len() / 4).then_some((start + 4, count))
    }

    fn text(&self, i: usize) -> Option<&'a str> {
        let at = self.field(i)?;
        let start = at.checked_add(self.buffer.u32(at)?)?;
        let length = self.buffer.u32(start)?;
        let bytes = self
            .buffer
            .0
            .get(start + 4..start.checked_add(4)?.checked_add(length)?)?;
        std::str::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pyarrow 26 wrote them: `file` string, `start` duration[ms], `n` int64.
    const PYARROW: &str = "/////9gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAMAAAB4AAAAPAAAAAQAAACk////AAABAhAAAAAcAAAABAAAAAAAAAABAAAAbgAAAAgADAAIAAcACAAAAAAAAAFAAAAA2P///wAAARIQAAAAGAAAAAQAAAAAAAAABQAAAHN0YXJ0AAAAyP///xAAFAAIAAYABwAMAAAAEAAQAAAAAAABBRAAAAAcAAAABAAAAAAAAAAEAAAAZmlsZQAAAAAEAAQABAAAAAAAAAA=";
    /// As polars 2.1 wrote them: `file` string view, `start` duration[ms].
    const POLARS: &str = "/////5kAAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQA+P///wwAAAAIAAgAAAAEAAIAAAAwAAAABAAAAMT///8YAAAAEAAAAAgAAAABEgAAAAAAAMT///8FAAAAc3RhcnQAAADs////LAAAACAAAAAYAAAAARQAABAAEgAEABAAEQAIAAAADAAAAAAA/P///wQABAAEAAAAZmlsZQA=";

    #[test]
    fn units_are_read_from_pyarrow_and_polars() {
        let expected = BTreeMap::from([("start".to_string(), 1e-3)]);
        assert_eq!(durations(PYARROW), expected);
        assert_eq!(durations(POLARS), expected);
    }

    #[test]
    fn invalid_schemas_have_no_durations() {
        for text in ["", "====", "not base64!", "AAAA", "/////9gAAAAQAAAA"] {
            assert!(durations(text).is_empty(), "{text}");
        }
        // Neither truncated nor altered schemas panic.
        let bytes = PYARROW.as_bytes();
        for i in 0..bytes.len() {
            let mut altered = bytes.to_vec();
            altered[i] = if bytes[i] == b'/' { b'A' } else { b'/' };
            durations(std::str::from_utf8(&altered).unwrap());
            durations(&PYARROW[..i]);
        }
    }
}
