//! Folds as CMU-MultimodalSDK has them: a Python file that assigns a list of ids to each of
//! `standard_train_fold`, `standard_valid_fold` and `standard_test_fold`.
//!
//! What lives here: that file, read as text. Nothing in it is executed; anything but such lists is
//! refused.

use crate::DataError;
use mosei_schema::Split;
use std::path::Path;

const EXPECTED: &str = "assignments such as standard_train_fold = ['id', …], and nothing else";

/// The ids of each split.
///
/// # Errors
/// Where the file holds anything else, or a split is missing or assigned twice; the error names the
/// line.
pub(super) fn read(path: &Path, text: &[u8]) -> Result<[Vec<String>; 3], DataError> {
    let text = std::str::from_utf8(text)
        .map_err(|_| DataError::structure(path, ".", "text in UTF-8", "other bytes"))?;
    let mut parser = Parser { path, text, at: 0 };
    let mut lists: [Option<Vec<String>>; 3] = [None, None, None];
    while let Some(name) = parser.name()? {
        let split = Split::ALL
            .into_iter()
            .find(|split| name == format!("standard_{split}_fold"));
        let Some(split) = split else {
            return Err(parser.error(format!("'{name}'")));
        };
        let place = &mut lists[split as usize];
        if place.is_some() {
            return Err(parser.error(format!("'{name}' twice")));
        }
        *place = Some(parser.list()?);
    }
    let missing = Split::ALL
        .into_iter()
        .find(|split| lists[*split as usize].is_none());
    if let Some(split) = missing {
        let expected = format!("standard_{split}_fold = ['id', …]");
        return Err(DataError::structure(path, ".", expected, "none"));
    }
    Ok(lists.map(Option::unwrap_or_default))
}

struct Parser<'a> {
    path: &'a Path,
    text: &'a str,
    /// First byte that has not been read.
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, found: String) -> DataError {
        let line = 1 + self.text[..self.at].matches('\n').count();
        DataError::content(self.path, format!("line {line}"), EXPECTED, found)
    }

    /// The rest, from the next character that is neither space nor comment.
    fn rest(&mut self) -> &'a str {
        loop {
            let rest = &self.text[self.at..];
            let begin = rest.trim_start();
            self.at = self.text.len() - begin.len();
            if !begin.starts_with('#') {
                return begin;
            }
            self.at += begin.find('\n').unwrap_or(begin.len());
        }
    }

    fn unexpected(&mut self) -> DataError {
        let found: String = self.rest().chars().take(20).collect();
        match found.is_empty() {
            true => self.error("the end of the file".into()),
            false => self.error(format!("'{}'", found.escape_debug())),
        }
    }

    /// Takes one character, where it comes next.
    fn take(&mut self, wanted: char) -> bool {
        let there = self.rest().starts_with(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    /// The name of the next assignment; `None` at the end of the file.
    fn name(&mut self) -> Result<Option<&'a str>, DataError> {
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &rest[..end.unwrap_or(rest.len())];
        self.at += name.len();
        match !name.is_empty() && self.take('=') {
            true => Ok(Some(name)),
            false => Err(self.unexpected()),
        }
    }

    /// A list of texts.
    fn list(&mut self) -> Result<Vec<String>, DataError> {
        if !self.take('[') {
            return Err(self.unexpected());
        }
        let mut ids = Vec::new();
        while !self.take(']') {
            let rest = self.rest();
            let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c));
            let text = quote.and_then(|quote| rest[1..].split_once(quote));
            let Some((id, _)) = text.filter(|(id, _)| !id.contains(['\\', '\n'])) else {
                return Err(self.unexpected());
            };
            ids.push(id.to_string());
            self.at += id.len() + 2;
            if !self.take(',') && !self.rest().starts_with(']') {
                return Err(self.unexpected());
            }
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<[Vec<String>; 3], String> {
        read(Path::new("f.py"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_read_as_text() {
        let text = "# folds\nstandard_train_fold=['-a', \"81406\",\n 'c',]\n\nstandard_test_fold = ['d'] # two\nstandard_valid_fold=['e']";
        let [train, valid, test] = of(text).unwrap();
        assert_eq!(
            (train, valid, test),
            (
                vec!["-a".to_string(), "81406".into(), "c".into()],
                vec!["e".to_string()],
                vec!["d".to_string()],
            )
        );
    }

    #[test]
    fn anything_else_is_refused_with_its_line() {
        for (text, found) in [
            ("", "expected standard_train_fold = ['id', …], found none"),
            ("\nimport os", "line 2: "),
            ("standard_train_fold = open('x')", "found 'open(\\'x\\')'"),
            ("standard_train_fold = ['a' 'b']", "found '\\'b\\']'"),
            ("standard_train_fold = ['a', 1]", "found '1]'"),
            ("standard_train_fold = ['a\\n']", "line 1: "),
            ("standard_train_fold = ['a", "line 1: "),
            (
                "standard_train_fold = ['a']\nstandard_train_fold = ['b']",
                "line 2: ",
            ),
            ("other = ['a']", "found 'other'"),
            ("standard_train_fold = ['a'] + x", "found '+ x'"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(found), "{text}: {error}");
        }
    }
}
