//! Delimited text with one row per line: cells separated by commas, semicolons or tabs.

use crate::ImportError;
use crate::cell::Cell;
use crate::feature_columns::identifies;
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};
use std::cell::{Cell as Shared, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

/// Longest row, bytes: an unclosed quote would take in the rest of the file.
const MAX_ROW_BYTES: u64 = 16 << 20;

const FORMAT: &str = "UTF-8 text with one row per line (CSV or TSV)";

/// An open text file, at one of its rows.
pub(crate) struct TextTable {
    reader: Reader<Counted>,
    record: StringRecord,
    seen: Rc<Seen>,
    /// Lines before those of the reader.
    lines_above: u64,
    /// Line of this row, from 1.
    line: u64,
}

/// How far a source has been read.
#[derive(Default)]
struct Seen {
    /// Bytes since the last row.
    since: Shared<u64>,
    /// Line ends.
    ends: RefCell<LineEnds>,
}

/// Positions of line ends, for line numbers. At a CR LF, the CSV reader leaves the LF to the next
/// row.
#[derive(Default)]
struct LineEnds {
    /// Bytes read.
    bytes: u64,
    /// Line-end bytes after the last position asked for.
    ahead: VecDeque<(u64, u8)>,
    /// Lines that end before those.
    passed: u64,
    /// The position after a CR at the end of the last of those, where an LF may follow.
    after_cr: Option<u64>,
}

impl LineEnds {
    fn add(&mut self, bytes: &[u8]) {
        let ends = bytes
            .iter()
            .enumerate()
            .filter(|(_, b)| matches!(b, b'\n' | b'\r'));
        self.ahead
            .extend(ends.map(|(i, b)| (self.bytes + i as u64, *b)));
        self.bytes += bytes.len() as u64;
    }

    /// The line, from 1, of the first byte at or after `place` that does not end a line. Places
    /// must not decrease.
    fn line_at(&mut self, place: u64) -> u64 {
        let mut next = place;
        while let Some(&(at, byte)) = self.ahead.front() {
            if at > next {
                break;
            }
            next = next.max(at + 1);
            let second = byte == b'\n' && self.after_cr == Some(at);
            self.passed += u64::from(!second);
            self.after_cr = (byte == b'\r').then_some(at + 1);
            self.ahead.pop_front();
        }
        1 + self.passed
    }
}

impl TextTable {
    /// Opens a file; its first line holds the names of the columns, unless that line holds values
    /// and `given` are their names.
    pub fn open(
        path: &Path,
        file: File,
        given: Option<&[String]>,
    ) -> Result<(Vec<String>, Self), ImportError> {
        let mut file = BufReader::new(file);
        let mut header = first_line(path, &mut file)?;
        // Excel reads and writes a line that names the delimiter.
        let stated = stated_delimiter(&header);
        if stated.is_some() {
            header = first_line(path, &mut file)?;
        }
        let delimiter = stated.unwrap_or_else(|| delimiter(&header));
        let first = first_cells(path, delimiter, &header)?;
        let headerless = given.is_some_and(|given| holds_values(&first, given));
        if !headerless && all_numbers(&first) {
            let expected =
                "the names of the columns, or --columns FILE with a name for each of them";
            let found = format!("numbers, such as {}", mosei_data::quoted(&first[0]));
            return Err(ImportError::table(path, "line 1", expected, found));
        }
        let above = u64::from(stated.is_some());
        let (rest, seen) = Counted::new(Box::new(Cursor::new(header).chain(file)));
        let mut table = TextTable {
            reader: ReaderBuilder::new()
                .delimiter(delimiter)
                .has_headers(!headerless)
                .from_reader(rest),
            record: StringRecord::new(),
            seen,
            lines_above: above,
            line: 1 + above,
        };
        if let (Some(given), true) = (given, headerless) {
            return Ok((given.to_vec(), table));
        }
        table
            .reader
            .headers()
            .map_err(|e| csv_error(path, e, |_| 1 + above))?;
        table.seen.since.set(0);
        Ok((first, table))
    }

    /// The rows that follow a header of `lines_above` lines.
    pub fn without_header(
        rest: BufReader<File>,
        builder: &ReaderBuilder,
        lines_above: u64,
    ) -> Self {
        let (rest, seen) = Counted::new(Box::new(rest));
        TextTable {
            reader: builder.from_reader(rest),
            record: StringRecord::new(),
            seen,
            lines_above,
            line: lines_above,
        }
    }

    pub fn advance(&mut self, path: &Path) -> Result<bool, ImportError> {
        let line = |position: &Position| {
            self.lines_above + self.seen.ends.borrow_mut().line_at(position.byte())
        };
        let more = self
            .reader
            .read_record(&mut self.record)
            .map_err(|e| csv_error(path, e, line))?;
        self.line = self.record.position().map_or(self.line, line);
        self.seen.since.set(0);
        Ok(more)
    }

    pub fn cell(&self, column: usize) -> Cell<'_> {
        self.record
            .get(column)
            .map_or(Cell::Missing, Cell::from_text)
    }

    /// Cells of this row.
    pub fn cells(&self) -> usize {
        self.record.len()
    }

    /// Line of the file, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }
}

/// The first line, with its line end.
fn first_line(path: &Path, file: &mut BufReader<File>) -> Result<Vec<u8>, ImportError> {
    let mut line = Vec::new();
    let read = file
        .by_ref()
        .take(MAX_ROW_BYTES)
        .read_until(b'\n', &mut line);
    read.map_err(ImportError::io("read", path))?;
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") || line.contains(&0) {
        return Err(ImportError::table(
            path,
            "line 1",
            FORMAT,
            "other bytes (UTF-16, or not text)",
        ));
    }
    if line.trim_ascii().is_empty() {
        return Err(ImportError::table(
            path,
            "line 1",
            "the names of the columns",
            "an empty line",
        ));
    }
    Ok(line)
}

/// The delimiter in a line such as `sep=;`.
fn stated_delimiter(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*delimiter),
        _ => None,
    }
}

/// The cells of the first line, without quotes.
fn first_cells(path: &Path, delimiter: u8, line: &[u8]) -> Result<Vec<String>, ImportError> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(line);
    let cells = reader.headers().map_err(|e| csv_error(path, e, |_| 1))?;
    let name = |cell: &str| match Cell::from_text(cell) {
        Cell::Text(name) => name.to_string(),
        // A column may be called "NA" or similar.
        _ => cell.trim().to_string(),
    };
    Ok(cells.iter().map(name).collect())
}

/// The cells of a line that are numbers, unless they count 0, 1, 2, … as pandas names columns.
fn numbers(cells: &[String]) -> Option<usize> {
    let numbers: Vec<f64> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
    let counts = numbers.iter().enumerate().all(|(i, x)| *x == i as f64);
    (!counts).then_some(numbers.len())
}

/// Whether a first line holds the values of columns with the names `given`, and not other names.
fn holds_values(cells: &[String], given: &[String]) -> bool {
    let identify = |names: &[String]| names.iter().any(|name| identifies(name));
    let is_header = identify(cells) || cells.iter().any(|cell| given.contains(cell));
    cells.len() == given.len() && !is_header && (numbers(cells).is_some() || identify(given))
}

fn all_numbers(cells: &[String]) -> bool {
    numbers(cells) == Some(cells.len())
}

/// The delimiter that occurs most often in a header, outside quotes.
fn delimiter(header: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for &byte in header {
        quoted ^= byte == b'"';
        if let Some((_, n)) = counts.iter_mut().find(|(d, _)| *d == byte && !quoted) {
            *n += 1;
        }
    }
    // On a tie, the first of the list.
    counts
        .iter()
        .rev()
        .max_by_key(|(_, n)| *n)
        .map_or(b',', |(d, _)| *d)
}

fn csv_error(path: &Path, error: csv::Error, line: impl Fn(&Position) -> u64) -> ImportError {
    let line = |position: &Option<Position>| {
        position
            .as_ref()
            .map_or("a row".to_string(), |p| format!("line {}", line(p)))
    };
    match error.into_kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => ImportError::table(
            path,
            line(&pos),
            format!("{expected_len} cells, as in the header"),
            format!("{len} cells"),
        ),
        ErrorKind::Utf8 { pos, .. } => {
            ImportError::table(path, line(&pos), FORMAT, "bytes that are not UTF-8")
        }
        ErrorKind::Io(source) => match source.get_ref().is_some_and(|e| e.is::<TooLong>()) {
            true => ImportError::table(
                path,
                "a row",
                format!("at most {MAX_ROW_BYTES} bytes per row"),
                "more",
            )
            .with_hint(Some("is a quote left open?".into())),
            false => ImportError::io("read", path)(source),
        },
        other => ImportError::unreadable(path, FORMAT, format!("{other:?}")),
    }
}

/// A source that fails once a row is too long.
pub(crate) struct Counted {
    source: Box<dyn Read>,
    seen: Rc<Seen>,
}

#[derive(Debug, thiserror::Error)]
#[error("a row that is too long")]
struct TooLong;

impl Counted {
    fn new(source: Box<dyn Read>) -> (Self, Rc<Seen>) {
        let seen = Rc::new(Seen::default());
        (
            Counted {
                source,
                seen: Rc::clone(&seen),
            },
            seen,
        )
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.seen.since.get() > MAX_ROW_BYTES {
            return Err(std::io::Error::other(TooLong));
        }
        let n = self.source.read(buffer)?;
        self.seen.since.set(self.seen.since.get() + n as u64);
        self.seen.ends.borrow_mut().add(&buffer[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::{LineEnds, delimiter, holds_values, stated_delimiter};

    #[test]
    fn a_first_line_of_values_is_no_header() {
        let list = |text: &str| text.split(',').map(str::to_string).collect::<Vec<_>>();
        let values = |line: &str, given: &str| holds_values(&list(line), &list(given));
        assert!(values("0.5,-2,3", "a,b,c") && values("wav/a.wav,0,0.1", "file,start,F0"));
        assert!(values("a,0,1", "video,start,F0"));
        // Names of pandas' columns, other names, and another number of them.
        assert!(!values("0,1,2", "a,b,c") && !values("x,y,z", "a,b,c") && !values("1,2", "a,b,c"));
        assert!(!values("file,0,1", "a,b,c") && !values("id,start,0.5", "video,start,F0"));
    }

    #[test]
    fn a_line_can_state_the_delimiter() {
        assert_eq!(stated_delimiter(b"sep=;\r\n"), Some(b';'));
        assert_eq!(stated_delimiter(b"\xef\xbb\xbfSEP=,\n"), Some(b','));
        assert_eq!(
            (stated_delimiter(b"sep=;;\n"), stated_delimiter(b"sep\n")),
            (None, None)
        );
    }

    #[test]
    fn lines_are_counted_for_all_line_ends() {
        for (text, rows) in [
            (&b"a\nb\n\nc\n"[..], &[(0, 1), (2, 2), (4, 4)][..]),
            // The reader leaves the LF to the next row.
            (b"a\r\nb\r\n\r\nc\r\n", &[(0, 1), (2, 2), (5, 4)]),
            (b"a\rb\rc", &[(0, 1), (2, 2), (4, 3)]),
            (b"\"x\r\ny\"\r\nb", &[(0, 1), (7, 3)]),
        ] {
            let mut ends = LineEnds::default();
            // In two parts, as from a file.
            let (first, second) = text.split_at(text.len() / 2);
            ends.add(first);
            ends.add(second);
            for &(place, line) in rows {
                assert_eq!(ends.line_at(place), line, "{text:?} at {place}");
            }
        }
    }

    #[test]
    fn the_most_frequent_delimiter_is_used() {
        assert_eq!(delimiter(b"a,b,c\n"), b',');
        assert_eq!(delimiter(b"name;frameTime;F0\n"), b';');
        assert_eq!(delimiter(b"a\tb\n"), b'\t');
        assert_eq!(delimiter(b"\"a;b;c\",d\n"), b',');
        assert_eq!(delimiter(b"one\n"), b',');
    }
}
