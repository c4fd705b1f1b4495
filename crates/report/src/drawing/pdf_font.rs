//! Helvetica, which every reader of PDF has: how wide words are in it, and how they are written.

/// Widths of the characters from the space to the tilde, in thousandths of the size (Adobe's
/// metrics of the 14 standard fonts).
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// The same of the bold face.
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// What any other character is taken to be: most letters with accents are as wide.
const OTHER: u16 = 556;

/// How wide a line is, in units of its size.
pub(super) fn width(text: &str, bold: bool) -> f64 {
    let widths = if bold { &BOLD } else { &REGULAR };
    let of = |code: u8| {
        usize::from(code)
            .checked_sub(0x20)
            .and_then(|i| widths.get(i))
            .copied()
            .unwrap_or(OTHER)
    };
    codes(text)
        .into_iter()
        .map(|code| f64::from(of(code)))
        .sum::<f64>()
        / 1000.0
}

/// The characters in WinAnsi, the encoding of Western Europe; what it lacks becomes a question
/// mark.
pub(super) fn codes(text: &str) -> Vec<u8> {
    let code = |c: char| match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => c as u8,
        // The standard font has no minus; a dash is as long and stands as high.
        '\u{2212}' | '\u{2013}' => 0x96,
        '\u{2014}' => 0x97,
        '\u{2026}' => 0x85,
        '\u{2018}' => 0x91,
        '\u{2019}' => 0x92,
        '\u{201c}' => 0x93,
        '\u{201d}' => 0x94,
        '\u{20ac}' => 0x80,
        _ => b'?',
    };
    text.chars().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(
            [width("", false), width("0.5", false), width("i", true)],
            [0.0, 1.39, 0.278]
        );
        assert!(width("Calibration", true) > width("Calibration", false));
    }

    #[test]
    fn what_the_encoding_lacks_is_seen_to_be_missing() {
        assert_eq!(codes("\u{2212}1\u{e9}\u{4e2d}"), [0x96, b'1', 0xe9, b'?']);
    }
}
