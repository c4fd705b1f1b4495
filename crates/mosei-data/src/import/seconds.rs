//! Times in tables: numbers of seconds, and the ways in which other software spells a length of time.

/// Seconds beyond which a time is taken to be in another unit: 115 days.
pub(super) const MOST_S: f64 = 1e7;

/// What is said of a time that is none.
pub(super) const EXPECTED: &str = "a time in seconds (or as '0 days 00:00:01.5'), at most 10000000";

/// Seconds of a text: a number; `D days HH:MM:SS.F`, as pandas writes them, with or without the days; `MM:SS.F`.
pub(super) fn parse(text: &str) -> Option<f64> {
    let seconds = match text.parse::<f64>() {
        Ok(number) => number,
        Err(_) => spelt(text)?,
    };
    is_time(seconds).then_some(seconds)
}

/// Whether a number may be a time in seconds.
pub(super) fn is_time(seconds: f64) -> bool {
    seconds.abs() <= MOST_S
}

fn spelt(text: &str) -> Option<f64> {
    let (days, clock) = match text.split_once("day") {
        Some((days, rest)) => (days.trim().parse::<i32>().ok()?, rest.strip_prefix('s').unwrap_or(rest).trim()),
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
            let plain = part.bytes().all(|b| b.is_ascii_digit() || (last && b == b'.'));
            let value = part.parse::<f64>().ok().filter(|_| plain)?;
            // Hours, or minutes where there are none, may be more than 59.
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
    fn pandas_and_people_are_understood() {
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
            assert!(found.is_some_and(|s| (s - seconds).abs() < 1e-9), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "abc", "1,5", "00:61:00", "1:2:3:4", "::", "0 days x", "days", "inf", "NaN", "1e8", "0 days 1", "1:-2"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
