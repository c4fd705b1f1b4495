//! Numbers as the page writes them.

/// Three significant digits, or all before the point, with commas between thousands.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.digits$}");
    match text.split_once('.') {
        Some(_) => text,
        None => apart(&text),
    }
}

fn apart(whole: &str) -> String {
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |rest| ("-", rest));
    let groups: Vec<String> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    sign.to_string() + &groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn three_digits_are_significant() {
        let written = [22_345.6, 999.7, 10.04, 1.5, 0.0123, 1_234_567.0, 0.0, 3e-12].map(short);
        assert_eq!(
            written,
            [
                "22,346",
                "1,000",
                "10.0",
                "1.50",
                "0.0123",
                "1,234,567",
                "0",
                "0.000000000"
            ]
        );
    }
}
