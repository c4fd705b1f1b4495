//! A cell of a table of any format.

use crate::duration_text;
use crate::mapping::TimeUnit;
use crate::parquet_lists::List;
use std::borrow::Cow;

/// The value of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Empty, or one of the usual words for a missing value.
    Missing,
    /// A number.
    Number(f64),
    /// A duration, seconds.
    Seconds(f64),
    /// True or false.
    Bool(bool),
    /// Text, trimmed.
    Text(&'a str),
    /// A list, or an array.
    List(&'a List),
    /// An unsupported type, by name.
    Other(&'static str),
}

/// Words for a missing number or time, in lower case: of Praat, R, spreadsheets, pandas and C's
/// printf. As the name of something they are words like any other.
const NO_NUMBER: [&str; 14] = [
    "--undefined--",
    "none",
    "null",
    "na",
    "n/a",
    "#n/a",
    "#na",
    "<na>",
    "nat",
    "nan(ind)",
    "-nan(ind)",
    "1.#qnan",
    "1.#ind",
    "-1.#ind",
];

/// The value of `True` or `false`, in any case.
fn truth(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") {
        Some(true)
    } else {
        is("false").then_some(false)
    }
}

impl<'a> Cell<'a> {
    /// Parses a cell of a text file, without surrounding spaces and one pair of quotes (openSMILE
    /// writes single ones).
    pub fn from_text(text: &'a str) -> Self {
        let text = text.trim();
        let quoted = |q: char| text.strip_prefix(q).and_then(|t| t.strip_suffix(q));
        let text = quoted('\'').or_else(|| quoted('"')).unwrap_or(text);
        match text {
            "" | "?" | "NA" | "N/A" | "NaN" | "nan" | "NaT" | "null" => Cell::Missing,
            text => Cell::Text(text),
        }
    }

    /// Whether a number or a time is missing here.
    pub fn is_missing(self) -> bool {
        match self {
            Cell::Missing => true,
            Cell::Text(text) => NO_NUMBER.iter().any(|word| text.eq_ignore_ascii_case(word)),
            _ => false,
        }
    }

    /// The value of a feature, NaN where it is missing, 1 where it is true; `None` where it is not a
    /// number.
    pub fn feature(self) -> Option<f32> {
        match self {
            cell if cell.is_missing() => Some(f32::NAN),
            Cell::Number(x) => Some(x as f32),
            // Parsed as float32: by way of float64 it would be rounded twice.
            Cell::Text(text) => text
                .parse()
                .ok()
                .or_else(|| truth(text).map(|t| f32::from(u8::from(t)))),
            Cell::Bool(t) => Some(f32::from(u8::from(t))),
            Cell::Missing | Cell::Seconds(_) | Cell::List(_) | Cell::Other(_) => None,
        }
    }

    /// Whether the value is true, where it is true or false.
    pub fn truth(self) -> Option<bool> {
        match self {
            Cell::Bool(t) => Some(t),
            Cell::Text(text) => truth(text),
            _ => None,
        }
    }

    /// The value as a number.
    pub fn number(self) -> Option<f64> {
        match self {
            Cell::Number(x) => Some(x),
            Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The value as a time in seconds; `unit` is the unit of plain numbers.
    pub fn seconds(self, unit: TimeUnit) -> Option<f64> {
        let plain = |x: f64| Some(unit.seconds(x)).filter(|x| duration_text::is_time(*x));
        match self {
            Cell::Number(x) => plain(x),
            Cell::Seconds(x) => duration_text::is_time(x).then_some(x),
            Cell::Text(text) => match text.parse() {
                Ok(x) => plain(x),
                Err(_) => duration_text::parse(text),
            },
            Cell::Missing | Cell::Bool(_) | Cell::List(_) | Cell::Other(_) => None,
        }
    }

    /// The value as text. Whole numbers are formatted as integers, for ids that other software has
    /// parsed as numbers.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Number(x) if x.fract() == 0.0 && x.abs() < 9e15 => {
                Some(Cow::Owned(format!("{}", x as i64)))
            }
            Cell::Number(x) if x.is_finite() => Some(Cow::Owned(format!("{x}"))),
            Cell::Bool(t) => Some(Cow::Borrowed(if t { "True" } else { "False" })),
            _ => None,
        }
    }

    /// The value, for an error message.
    pub fn quoted(self) -> String {
        match self {
            Cell::Missing => "nothing".into(),
            Cell::Number(x) => format!("{x}"),
            Cell::Seconds(x) => format!("{x} s"),
            Cell::Bool(t) => format!("{t}"),
            Cell::Text(text) => mosei_data::quoted(text),
            Cell::List(list) => format!("a list of {} values", list.values.len()),
            Cell::Other(kind) => kind.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_missing_numbers_are_no_numbers_and_no_names() {
        let words = [
            "",
            "?",
            "NA",
            "NaT",
            "--undefined--",
            "None",
            "#N/A",
            "-nan(ind)",
            "<NA>",
            "-1.#IND",
            "nan",
            "-nan",
        ];
        for word in words {
            let cell = Cell::from_text(word);
            assert!(cell.feature().is_some_and(f32::is_nan), "{word}");
        }
        // A speaker or an emotion may be called so.
        assert_eq!(Cell::from_text("None").text().as_deref(), Some("None"));
        assert_eq!(Cell::from_text("undefined").feature(), None);
    }

    #[test]
    fn truth_is_a_number() {
        let of = |text: &'static str| {
            (
                Cell::from_text(text).feature(),
                Cell::from_text(text).truth(),
            )
        };
        assert_eq!(of("True"), (Some(1.0), Some(true)));
        assert_eq!(of("FALSE"), (Some(0.0), Some(false)));
        assert_eq!(of("yes"), (None, None));
        assert_eq!(Cell::Bool(true).feature(), Some(1.0));
    }
}
