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

/// Reads the header and leaves the table at its first row.
///
/// # Errors
/// Where the header is invalid.
pub(crate) fn open(path: &Path, file: File) -> Result<(Vec<String>, TextTable), ImportError> {
    let mut file = BufReader::new(file);
    let (mut names, mut lines, mut line) = (Vec::new(), 0, Vec::new());
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
                Some(name) if names.len() < MAX_COLUMNS => names.push(name),
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
    Ok((names, TextTable::without_header(file, &builder, lines)))
}

/// The name in the text after `@attribute`; `None` where no type follows it.
fn attribute(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, kind) = match text.chars().next()? {
        quote @ ('\'' | '"') => text[1..].split_once(quote)?,
        _ => text.split_once(char::is_whitespace)?,
    };
    (!name.trim().is_empty() && !kind.trim().is_empty()).then(|| name.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn names_may_be_quoted() {
        assert_eq!(attribute("frameTime numeric").as_deref(), Some("frameTime"));
        assert_eq!(
            attribute(" 'F0 final'  numeric").as_deref(),
            Some("F0 final")
        );
        assert_eq!(attribute("class {a, b}").as_deref(), Some("class"));
        assert_eq!(
            (attribute("name"), attribute("'name numeric"), attribute("")),
            (None, None, None)
        );
    }
}
