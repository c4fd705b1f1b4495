//! Many runs as a mean and a spread.

/// The spread of a few values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// How many.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation with n - 1; `None` for a single value.
    pub sd: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = eval::mean(values.iter().copied())?;
        let n = values.len();
        let squares = eval::sum(values.iter().map(|v| (v - mean).powi(2)));
        let sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Spread { n, mean, sd, min, max })
    }

    /// Standard error of the mean, were the values independent; `None` for a single value.
    pub fn standard_error(&self) -> Option<f64> {
        self.sd.map(|sd| sd / (self.n as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_spread_of_a_few_values() {
        let s = Spread::of(&[1.0, 2.0, 6.0]).unwrap();
        assert_eq!((s.n, s.mean, s.min, s.max), (3, 3.0, 1.0, 6.0));
        assert!((s.sd.unwrap() - 7.0_f64.sqrt()).abs() < 1e-15);
        assert!((s.standard_error().unwrap() - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn one_value_has_no_spread_and_none_no_mean() {
        let s = Spread::of(&[2.0]).unwrap();
        assert_eq!((s.sd, s.standard_error()), (None, None));
        assert_eq!(Spread::of(&[]), None);
    }
}
