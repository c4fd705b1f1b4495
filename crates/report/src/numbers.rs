//! How numbers are written for people: a true minus sign, no "-0.000", as many digits as mean
//! something.

use eval::statistics::Interval;

/// With a fixed number of decimals.
pub(crate) fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|b| matches!(b, b'0' | b'.')) => digits.to_string(),
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// With a fixed number of decimals and a sign, except where it rounds to zero.
pub(crate) fn signed(x: f64, decimals: usize) -> String {
    let text = fixed(x, decimals);
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if x > 0.0 && !is_zero {
        format!("+{text}")
    } else {
        text
    }
}

/// The two ends of an interval, with signs where it is one of a difference: "[+0.020, +0.062]".
pub(crate) fn interval(ends: Interval, decimals: usize, sign: bool) -> String {
    let end = |x| {
        if sign {
            signed(x, decimals)
        } else {
            fixed(x, decimals)
        }
    };
    format!("[{}, {}]", end(ends.low), end(ends.high))
}

/// "= 0.003", "< 0.001": to be put behind a p.
pub(crate) fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "< 0.001".into(),
        p if p < 0.0995 => format!("= {}", fixed(p, 3)),
        p => format!("= {}", fixed(p, 2)),
    }
}

/// A share as "95 %".
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1}", 100.0 * share);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// "1 pair", "2 pairs".
pub(crate) fn many(n: usize, what: &str) -> String {
    format!(
        "{} {what}{}",
        count(n as u64),
        if n == 1 { "" } else { "s" }
    )
}

/// With about three significant digits.
pub(crate) fn significant(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return fixed(x, 0);
    }
    let magnitude = x.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{x:.2e}").replace('-', "\u{2212}");
    }
    fixed(x, (2.0 - magnitude).max(0.0) as usize)
}

/// A count, with a comma between thousands.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "a", "a and b", "a, b and c".
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_zeros() {
        assert_eq!(fixed(-0.0004, 3), "0.000");
        assert_eq!(fixed(-0.0126, 3), "\u{2212}0.013");
        assert_eq!(signed(0.0126, 3), "+0.013");
        assert_eq!(signed(0.0001, 3), "0.000");
        assert_eq!(signed(-1.0, 1), "\u{2212}1.0");
    }

    #[test]
    fn digits_follow_the_size() {
        let cases = [
            (0.0, "0"),
            (1234.5, "1234"),
            (12.34, "12.3"),
            (0.012345, "0.0123"),
            (3e-7, "3.00e\u{2212}7"),
        ];
        for (x, text) in cases {
            assert_eq!(significant(x), text);
        }
    }

    #[test]
    fn intervals_and_tests() {
        let ends = Interval {
            low: -0.0126,
            high: 0.02,
        };
        assert_eq!(interval(ends, 3, true), "[\u{2212}0.013, +0.020]");
        assert_eq!(
            interval(
                Interval {
                    low: 0.5,
                    high: 0.6
                },
                2,
                false
            ),
            "[0.50, 0.60]"
        );
        let p = [0.0, 0.003, 0.0996, 0.25, 1.0].map(p_value);
        assert_eq!(p, ["< 0.001", "= 0.003", "= 0.10", "= 0.25", "= 1.00"]);
        assert_eq!([percent(0.95), percent(0.999)], ["95 %", "99.9 %"]);
        assert_eq!(
            [many(1, "pair"), many(1200, "pair")],
            ["1 pair", "1,200 pairs"]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [count(0), count(999), count(1000), count(1234567)].join(" "),
            "0 999 1,000 1,234,567"
        );
    }

    #[test]
    fn lists_read_as_sentences() {
        let items: Vec<String> = ["a", "b", "c"].map(String::from).into();
        assert_eq!(
            [listed(&items[..1]), listed(&items[..2]), listed(&items)].join("; "),
            "a; a and b; a, b and c"
        );
    }
}
