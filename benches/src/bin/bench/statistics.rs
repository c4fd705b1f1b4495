//! Medians and spread over rounds, and the power with which something grows.

/// A summary of several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one; the mean of the two middle ones where their number is even.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// How many.
    pub count: usize,
}

/// The spread of some values; `None` without values.
pub fn spread(values: &[f64]) -> Option<Spread> {
    let median = eval::median(values.iter().copied())?;
    let (lowest, highest) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(*v), high.max(*v))
        });
    Some(Spread {
        median,
        lowest,
        highest,
        count: values.len(),
    })
}

/// The power p of y ~ x^p: the slope of the least-squares line through the logarithms.
pub fn power(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0)
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    let (mx, my) = (
        eval::mean(logs.iter().map(|p| p.0))?,
        eval::mean(logs.iter().map(|p| p.1))?,
    );
    let across = logs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>();
    let along = logs.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>();
    (along > 0.0).then(|| across / along)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(spread(&[]), None);
        assert_eq!(
            spread(&[3.0, 1.0, 2.0]),
            Some(Spread {
                median: 2.0,
                lowest: 1.0,
                highest: 3.0,
                count: 3
            })
        );
        assert_eq!(spread(&[4.0, 1.0]).unwrap().median, 2.5);
    }

    #[test]
    fn a_square_has_power_two() {
        let power = |points: &[(f64, f64)]| super::power(points);
        assert!((power(&[(1.0, 3.0), (2.0, 12.0), (4.0, 48.0)]).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(power(&[(1.0, 3.0)]), None);
    }
}
