/// The name that takes the fewest letters inserted, dropped, replaced or swapped to become `wanted`; the first of several.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().min_by_key(|name| strsim::osa_distance(wanted, name))
}

/// The name that was probably meant: the nearest, where at most a third of its letters (and at least one) are other ones.
/// Capitals do not count.
///
/// ```
/// use mosei_schema::near_miss;
/// assert_eq!(near_miss("hapy", ["happy", "sad"]), Some("happy"));
/// assert_eq!(near_miss("boredom", ["happy", "sad"]), None);
/// ```
pub fn near_miss<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&wanted, &name.to_lowercase());
    let (name, letters) = names.into_iter().map(|name| (name, distance(name))).min_by_key(|(_, d)| *d)?;
    (letters <= (name.chars().count() / 3).max(1)).then_some(name)
}

/// A name that is unknown, with the one that was probably meant behind it: what messages say was found.
pub fn found_with_near_miss<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match near_miss(found, names) {
        Some(near) => format!("{found}; did you mean '{near}'?"),
        None => found.to_string(),
    }
}

/// A parser's words about a name that it does not know, with the one that was probably meant behind them.
///
/// ```
/// use mosei_schema::with_near_miss;
/// let words = "unknown field `hedas`, expected one of `model_dim`, `heads`";
/// assert_eq!(with_near_miss(words), format!("{words}; did you mean 'heads'?"));
/// ```
pub fn with_near_miss(words: &str) -> String {
    let line = words.lines().find(|line| line.starts_with("unknown field") || line.starts_with("unknown variant"));
    let mut quoted = line.unwrap_or_default().split('`').skip(1).step_by(2);
    match quoted.next().and_then(|unknown| near_miss(unknown, quoted)) {
        Some(near) => format!("{}; did you mean '{near}'?", words.trim_end()),
        None => words.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_first_of_the_nearest() {
        assert_eq!(nearest("MCEP_01", ["VUV", "MCEP_1", "MCEP_10"]), Some("MCEP_1"));
        assert_eq!(nearest("é", ["e", "x"]), Some("e"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn what_is_far_is_no_near_miss() {
        for (wanted, found) in
            [("suprise", Some("surprise")), ("FEAR", Some("fear")), ("asd", Some("sad")), ("calm", None), ("", None)]
        {
            assert_eq!(near_miss(wanted, ["surprise", "fear", "sad"]), found, "{wanted}");
        }
    }
}
