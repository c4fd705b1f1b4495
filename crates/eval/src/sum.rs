//! Sums that do not lose digits with the number of terms.

/// The sum of `values` with Neumaier's compensation: as good as summed in twice the precision and rounded once.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        // The smaller of the two loses its low digits in the addition; they are kept aside.
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    total + lost
}

/// The mean of `values`; `None` where there are none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut n = 0_u64;
    let total = sum(values.into_iter().inspect(|_| n += 1));
    (n > 0).then(|| total / n as f64)
}

#[cfg(test)]
mod tests {
    use super::{mean, sum};

    #[test]
    fn small_terms_beside_large_ones_are_kept() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(std::iter::repeat_n(0.1, 1_000_000)), 100_000.0);
    }

    #[test]
    fn nothing_has_no_mean() {
        assert_eq!(mean([]), None);
        assert_eq!(mean([1.0, 2.0]), Some(1.5));
    }
}
