//! Compensated sums, whose error does not grow with the number of terms.

/// A compensated running sum: as accurate as one in twice the precision, rounded once.
///
/// The rounding error of an addition is itself a float (Knuth's two-sum) and is summed separately.
/// There is no branch, so it is fast.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    error: f64,
}

impl Sum {
    #[inline]
    pub fn add(&mut self, value: f64) {
        let next = self.total + value;
        let added = next - self.total;
        self.error += (self.total - (next - added)) + (value - added);
        self.total = next;
    }

    pub fn value(self) -> f64 {
        self.total + self.error
    }
}

/// The sum of `values`, compensated: as good as summed in twice the precision and rounded once.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum.value()
}

/// The mean of `values`; `None` where there are none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut n = 0_u64;
    let total = sum(values.into_iter().inspect(|_| n += 1));
    (n > 0).then(|| total / n as f64)
}

/// The median of finite `values`, the mean of the two middle ones if their number is even; `None`
/// where there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    Some((sorted.get(n.checked_sub(1)? / 2)? + sorted.get(n / 2)?) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::{mean, median, sum};

    #[test]
    fn small_terms_beside_large_ones_are_kept() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(std::iter::repeat_n(0.1, 1_000_000)), 100_000.0);
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        assert_eq!(median([3.0, 0.0, 1.0]), Some(1.0));
        assert_eq!(median([3.0, 0.0, 1.0, 2.0]), Some(1.5));
        assert_eq!((median([2.0]), median([])), (Some(2.0), None));
    }

    #[test]
    fn nothing_has_no_mean() {
        assert_eq!(mean([]), None);
        assert_eq!(mean([1.0, 2.0]), Some(1.5));
    }
}
