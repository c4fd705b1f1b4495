//! A cell of a table, whatever file it stands in.

use super::mapping::TimeUnit;
use super::seconds;
use std::borrow::Cow;

/// Characters of a cell that a message shows.
const SHOWN: usize = 40;

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing, or one of the usual words for it.
    Missing,
    /// A number.
    Number(f64),
    /// A length of time, seconds.
    Seconds(f64),
    /// Text, without spaces at its ends.
    Text(&'a str),
    /// Something that tables here have no word for, by the name of its type.
    Other(&'static str),
}

impl<'a> Cell<'a> {
    /// A cell of a text file: spaces, and a pair of quotes that is left (openSMILE writes single ones), are no part of it.
    pub fn of_text(text: &'a str) -> Self {
        let text = text.trim();
        let quoted = |q: char| text.strip_prefix(q).and_then(|t| t.strip_suffix(q));
        let text = quoted('\'').or_else(|| quoted('"')).unwrap_or(text);
        match text {
            "" | "?" | "NA" | "N/A" | "NaN" | "nan" | "NaT" | "null" => Cell::Missing,
            text => Cell::Text(text),
        }
    }

    /// The number of a feature: NaN where there is none, nothing where it is no number.
    pub fn feature(self) -> Option<f32> {
        match self {
            Cell::Missing => Some(f32::NAN),
            Cell::Number(x) => Some(x as f32),
            // Straight to float32: by way of float64 it would be rounded twice.
            Cell::Text(text) => text.parse().ok(),
            Cell::Seconds(_) | Cell::Other(_) => None,
        }
    }

    /// The number of a label, where it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Cell::Number(x) => Some(x),
            Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The time, seconds, where it is one; `unit` is that of plain numbers.
    pub fn seconds(self, unit: TimeUnit) -> Option<f64> {
        let plain = |x: f64| Some(unit.seconds(x)).filter(|x| seconds::is_time(*x));
        match self {
            Cell::Number(x) => plain(x),
            Cell::Seconds(x) => seconds::is_time(x).then_some(x),
            Cell::Text(text) => match text.parse() {
                Ok(x) => plain(x),
                Err(_) => seconds::parse(text),
            },
            Cell::Missing | Cell::Other(_) => None,
        }
    }

    /// The text: whole numbers as they would be written, for ids that another software has taken for numbers.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Number(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(Cow::Owned(format!("{}", x as i64))),
            Cell::Number(x) if x.is_finite() => Some(Cow::Owned(format!("{x}"))),
            _ => None,
        }
    }

    /// For a message.
    pub fn shown(self) -> String {
        match self {
            Cell::Missing => "nothing".into(),
            Cell::Number(x) => format!("{x}"),
            Cell::Seconds(x) => format!("{x} s"),
            Cell::Text(text) => shown(text),
            Cell::Other(kind) => kind.into(),
        }
    }
}

/// A text for a message: what cannot be seen is spelt out, what is long is cut.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() == text.len() { format!("{start:?}") } else { format!("{start:?}… of {} bytes", text.len()) }
}
