//! A cell of a table of any format.

use crate::duration_text;
use crate::mapping::TimeUnit;
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
    /// Text, trimmed.
    Text(&'a str),
    /// An unsupported type, by name.
    Other(&'static str),
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

    /// The value of a feature, NaN where it is missing; `None` where it is not a number.
    pub fn feature(self) -> Option<f32> {
        match self {
            Cell::Missing => Some(f32::NAN),
            Cell::Number(x) => Some(x as f32),
            // Parsed as float32: by way of float64 it would be rounded twice.
            Cell::Text(text) => text.parse().ok(),
            Cell::Seconds(_) | Cell::Other(_) => None,
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
            Cell::Missing | Cell::Other(_) => None,
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
            _ => None,
        }
    }

    /// The value, for an error message.
    pub fn quoted(self) -> String {
        match self {
            Cell::Missing => "nothing".into(),
            Cell::Number(x) => format!("{x}"),
            Cell::Seconds(x) => format!("{x} s"),
            Cell::Text(text) => mosei_data::quoted(text),
            Cell::Other(kind) => kind.into(),
        }
    }
}
