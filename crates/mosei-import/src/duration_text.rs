//! Times in tables: numbers of seconds, and the notations of other software for durations.

/// Largest time, seconds (115 days); a larger one is probably in another unit.
pub(crate) const MAX_S: f64 = 1e7;

/// What an error message expects of a time.
pub(crate) const EXPECTED: &str = "a time in seconds (or as '0 days 00:00:01.5'), at most 10000000";

/// Parses a time in seconds: a number, `D days HH:MM:SS.F` as pandas writes it, with or without the
/// days, or `MM:SS.F`.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let seconds = match text.parse::<f64>() {
        Ok(number) => number,
        Err(_) => parse_clock(text)?,
    };
    is_time(seconds).then_some(seconds)
}

/// Whether a number is a plausible time in seconds.
pub(crate) fn is_time(seconds: f64) -> bool {
    seconds.abs() <= MAX_S
}

fn parse_clock(text: &str) -> Option<f64> {
    let (days, clock) = match text.split_once("day") {
        Some((days, rest)) => (
            days.trim().parse::<i32>().ok()?,
            rest.strip_prefix('s').unwrap_or(rest).trim(),
        ),
        None => (0, text.trim()),
    };
    let (sign, clock) = match clock.strip_prefix('-') {
        Some(clock) => (-1.0, clock),
        None => (1.0, clock.strip_prefix('+').unwrap_or(clock)),
    };
    let mut seconds = 0.0;
    if !clock.is_empty() {
        let parts: Vec<&str> = clock.split(':').collect();
        if !(2..=3).contains(&parts.len()) {
            return None;
        }
        for (i, part) in parts.iter().enumerate() {
            let last = i + 1 == parts.len();
            let plain = part
                .bytes()
                .all(|b| b.is_ascii_digit() || (last && b == b'.'));
            let value = part.parse::<f64>().ok().filter(|_| plain)?;
            // Only the first part may exceed 59.
            if i > 0 && value >= 60.0 {
                return None;
            }
            seconds = seconds * 60.0 + value;
        }
    } else if days == 0 && !text.contains("day") {
        return None;
    }
    Some(f64::from(days) * 86_400.0 + sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_pandas_and_people_are_parsed() {
        for (text, seconds) in [
            ("0.5", 0.5),
            ("-0.05", -0.05),
            ("1e-2", 0.01),
            ("0 days", 0.0),
            ("0 days 00:00:00.010000", 0.01),
            ("1 days 01:01:01", 90_061.0),
            ("-1 days +23:59:59.950000", -0.05),
            ("00:01:02.25", 62.25),
            ("01:30", 90.0),
            ("75:00", 4500.0),
        ] {
            let found = parse(text);
            assert!(
                found.is_some_and(|s| (s - seconds).abs() < 1e-9),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn other_text_is_not_a_time() {
        for text in [
            "", "abc", "1,5", "00:61:00", "1:2:3:4", "::", "0 days x", "days", "inf", "NaN", "1e8",
            "0 days 1", "1:-2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
