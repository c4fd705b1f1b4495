//! ARFF, as openSMILE writes it: one header line per column, then one row per line.

use crate::ImportError;
use crate::csv_table::TextTable;
use csv::ReaderBuilder;
use mosei_data::{MAX_COLUMNS, quoted};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest header line, bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// The columns of a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Attributes {
    /// Their names.
    pub names: Vec<String>,
    /// Their types, where these are not numbers: nominal ones as `{a, b}` (openSMILE writes `a,b`),
    /// text and dates.
    pub not_numeric: Vec<Option<String>>,
}

/// Types of numbers.
const NUMERIC: [&str; 3] = ["numeric", "real", "integer"];

/// Reads the header and leaves the table at its first row.
///
/// # Errors
/// Where the header is invalid.
pub(crate) fn open(path: &Path, file: File) -> Result<(Attributes, TextTable), ImportError> {
    let mut file = BufReader::new(file);
    let (mut found, mut lines, mut line) = (Attributes::default(), 0, Vec::new());
    loop {
        line.clear();
        let read = file
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line);
        if read.map_err(ImportError::io("read", path))? == 0 {
            return Err(ImportError::table(
                path,
                format!("line {}", lines + 1),
                "'@data' after '@attribute' lines",
                "the end",
            ));
        }
        lines += 1;
        let place = format!("line {lines}");
        let Ok(text) = std::str::from_utf8(&line) else {
            return Err(ImportError::table(
                path,
                place,
                "text in UTF-8",
                "other bytes",
            ));
        };
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match word.to_lowercase().as_str() {
            "" | "@relation" => {}
            word if word.starts_with('%') => {}
            "@attribute" => match attribute(rest) {
                Some((name, kind)) if found.names.len() < MAX_COLUMNS => {
                    let numeric = NUMERIC.iter().any(|n| kind.eq_ignore_ascii_case(n));
                    found.names.push(name);
                    found.not_numeric.push((!numeric).then_some(kind));
                }
                Some(_) => {
                    return Err(ImportError::table(
                        path,
                        place,
                        format!("at most {MAX_COLUMNS} columns"),
                        "more",
                    ));
                }
                None => {
                    return Err(ImportError::table(
                        path,
                        place,
                        "'@attribute NAME TYPE'",
                        quoted(text),
                    ));
                }
            },
            "@data" => break,
            _ => {
                return Err(ImportError::table(
                    path,
                    place,
                    "'@relation', '@attribute' or '@data'",
                    quoted(text),
                ));
            }
        }
    }
    // `flexible`: the number of cells is checked against the header's names, not against the first
    // row.
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .quote(b'\'')
        .escape(Some(b'\\'))
        .comment(Some(b'%'));
    Ok((found, TextTable::without_header(file, &builder, lines)))
}

/// Name and type in the text after `@attribute`; `None` where no type follows the name.
fn attribute(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let (name, kind) = match text.chars().next()? {
        quote @ ('\'' | '"') => text[1..].split_once(quote)?,
        _ => text.split_once(char::is_whitespace)?,
    };
    let (name, kind) = (name.trim(), kind.trim());
    (!name.is_empty() && !kind.is_empty()).then(|| (name.to_string(), kind.to_string()))
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn names_may_be_quoted() {
        let of = |text| attribute(text).map(|(name, kind)| format!("{name}|{kind}"));
        assert_eq!(
            of("frameTime numeric").as_deref(),
            Some("frameTime|numeric")
        );
        assert_eq!(
            of(" 'F0 final'  numeric").as_deref(),
            Some("F0 final|numeric")
        );
        assert_eq!(of("class {a, b}").as_deref(), Some("class|{a, b}"));
        assert_eq!(of("emotion 0,1,2").as_deref(), Some("emotion|0,1,2"));
        assert_eq!(
            (of("name"), of("'name numeric"), of("")),
            (None, None, None)
        );
    }
}
