/// Holm's adjusted p values (1979), in the order given: what is below α after it keeps the chance
/// of any false alarm among them below α, however they depend on each other.
///
/// A missing p is a test that was not made and counts for nothing.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p
        .iter()
        .enumerate()
        .filter_map(|(i, p)| Some((i, (*p)?)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (tests, mut most) = (order.len(), 0.0_f64);
    let mut adjusted = vec![None; p.len()];
    for (rank, (i, p)) in order.into_iter().enumerate() {
        most = most.max(p * (tests - rank) as f64).min(1.0);
        adjusted[i] = Some(most);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn the_smallest_is_multiplied_by_all_and_none_falls_below_it() {
        let got = holm(&[Some(0.03), Some(0.01), None, Some(0.04)]);
        assert_eq!(got, [Some(0.06), Some(0.03), None, Some(0.06)]);
        assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
        assert_eq!(holm(&[]), []);
    }
}
