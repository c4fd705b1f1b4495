/// The name with the smallest edit distance to `wanted` (insertions, deletions, substitutions and
/// transpositions); the first of several.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .min_by_key(|name| strsim::osa_distance(wanted, name))
}

/// The name that was probably meant: the nearest, if its edit distance is at most a third of its
/// length, or 1. Case is ignored.
///
/// ```
/// use mosei_schema::near_miss;
/// assert_eq!(near_miss("hapy", ["happy", "sad"]), Some("happy"));
/// assert_eq!(near_miss("boredom", ["happy", "sad"]), None);
/// ```
pub fn near_miss<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&wanted, &name.to_lowercase());
    let (name, letters) = names
        .into_iter()
        .map(|name| (name, distance(name)))
        .min_by_key(|(_, d)| *d)?;
    (letters <= (name.chars().count() / 3).max(1)).then_some(name)
}

/// An unknown name, followed by the one that was probably meant, for error messages.
pub fn found_with_near_miss<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match near_miss(found, names) {
        Some(near) => format!("{found}; did you mean '{near}'?"),
        None => found.to_string(),
    }
}

/// A parser's message about an unknown name, followed by the name that was probably meant.
///
/// ```
/// use mosei_schema::with_near_miss;
/// let message = "unknown field `hedas`, expected one of `model_dim`, `heads`";
/// assert_eq!(with_near_miss(message), format!("{message}; did you mean 'heads'?"));
/// ```
pub fn with_near_miss(message: &str) -> String {
    let line = message
        .lines()
        .find(|line| line.starts_with("unknown field") || line.starts_with("unknown variant"));
    let mut quoted = line.unwrap_or_default().split('`').skip(1).step_by(2);
    match quoted.next().and_then(|unknown| near_miss(unknown, quoted)) {
        Some(near) => format!("{}; did you mean '{near}'?", message.trim_end()),
        None => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_first_name() {
        assert_eq!(
            nearest("MCEP_01", ["VUV", "MCEP_1", "MCEP_10"]),
            Some("MCEP_1")
        );
        assert_eq!(nearest("é", ["e", "x"]), Some("e"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn distant_names_are_not_suggested() {
        for (wanted, found) in [
            ("suprise", Some("surprise")),
            ("FEAR", Some("fear")),
            ("asd", Some("sad")),
            ("calm", None),
            ("", None),
        ] {
            assert_eq!(
                near_miss(wanted, ["surprise", "fear", "sad"]),
                found,
                "{wanted}"
            );
        }
    }
}
