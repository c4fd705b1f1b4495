/// The name that takes the fewest letters inserted, dropped or replaced to become `wanted`; the first of several.
pub(crate) fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a String> {
    names.iter().min_by_key(|name| distance(wanted, name))
}

/// Levenshtein's distance, a row of the table at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_books() {
        let cases = [("kitten", "sitting", 3), ("", "abc", 3), ("flaw", "lawn", 2), ("é", "e", 1), ("a", "a", 0)];
        for (a, b, d) in cases {
            assert_eq!((distance(a, b), distance(b, a)), (d, d), "{a} {b}");
        }
        let names = ["VUV", "MCEP_1", "MCEP_10"].map(String::from);
        assert_eq!(nearest("MCEP_01", &names).unwrap(), "MCEP_1");
        assert_eq!(nearest("x", &[]), None);
    }
}
