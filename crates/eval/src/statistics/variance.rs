//! Variance components: how much of the variance between runs comes from each source.

use std::collections::BTreeSet;

/// The variance that one source adds to a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Component {
    /// The source, or `residual`.
    pub source: String,
    /// Levels that were run.
    pub levels: usize,
    /// Variance; `None` for a source with one level, which cannot be distinguished from a constant.
    pub variance: Option<f64>,
}

/// Splits the variance of runs over crossed sources, such as pre-training seed, initialisation and
/// label draw: every level of one meets every level of the others once. What the sources do
/// together is in the residual.
///
/// By the method of moments (expected mean squares of a crossed random-effects model without
/// interactions); a negative estimate is 0. `levels[i]` are the levels of run i, in the order of
/// `sources`. `None` where the runs are not crossed like that or leave nothing for the residual.
pub fn crossed_components(
    sources: &[&str],
    levels: &[Vec<usize>],
    values: &[f64],
) -> Option<Vec<Component>> {
    let n = values.len();
    let counts: Vec<usize> = (0..sources.len())
        .map(|s| {
            levels
                .iter()
                .filter_map(|l| l.get(s))
                .collect::<BTreeSet<_>>()
                .len()
        })
        .collect();
    let distinct: BTreeSet<&Vec<usize>> = levels.iter().collect();
    let crossed = levels.len() == n && distinct.len() == n && counts.iter().product::<usize>() == n;
    if !crossed
        || levels.iter().any(|l| l.len() != sources.len())
        || values.iter().any(|v| !v.is_finite())
    {
        return None;
    }
    let mean = crate::mean(values.iter().copied())?;
    let (mut left, mut freedom) = (
        crate::sum(values.iter().map(|v| (v - mean).powi(2))),
        n.checked_sub(1)?,
    );
    let mut mean_squares = Vec::new();
    for (s, &count) in counts.iter().enumerate() {
        let found: BTreeSet<usize> = levels.iter().map(|l| l[s]).collect();
        let each = (n / count) as f64;
        let squares = crate::sum(found.iter().map(|&level| {
            let of_level = levels
                .iter()
                .zip(values)
                .filter(|(l, _)| l[s] == level)
                .map(|(_, v)| *v);
            each * (crate::mean(of_level).unwrap_or(mean) - mean).powi(2)
        }));
        left -= squares;
        freedom = freedom.checked_sub(count - 1)?;
        mean_squares.push((count > 1).then(|| squares / (count - 1) as f64));
    }
    if freedom == 0 {
        return None;
    }
    let residual = left.max(0.0) / freedom as f64;
    let parts = sources
        .iter()
        .zip(&counts)
        .zip(mean_squares)
        .map(|((source, &count), squares)| Component {
            source: (*source).to_string(),
            levels: count,
            variance: squares.map(|squares| ((squares - residual) / (n / count) as f64).max(0.0)),
        });
    let rest = Component {
        source: "residual".into(),
        levels: n,
        variance: Some(residual),
    };
    Some(parts.chain([rest]).collect())
}

#[cfg(test)]
mod tests {
    use super::crossed_components;

    fn grid(a: usize, b: usize) -> Vec<Vec<usize>> {
        (0..a)
            .flat_map(|i| (0..b).map(move |j| vec![i, j]))
            .collect()
    }

    #[test]
    fn a_closed_form_without_residual() {
        // Value = effect of the first + effect of the second, nothing else: components are the
        // sample variances.
        let (first, second) = ([1.0, 2.0, 6.0], [0.0, 0.5]);
        let levels = grid(3, 2);
        let values: Vec<f64> = levels.iter().map(|l| first[l[0]] + second[l[1]]).collect();
        let got = crossed_components(&["seed", "draw"], &levels, &values).unwrap();
        let variances: Vec<f64> = got.iter().map(|c| c.variance.unwrap()).collect();
        assert!(
            (variances[0] - 7.0).abs() < 1e-12 && (variances[1] - 0.125).abs() < 1e-12,
            "{variances:?}"
        );
        assert!(variances[2].abs() < 1e-12);
    }

    #[test]
    fn one_level_tells_nothing_and_gaps_are_refused() {
        let got = crossed_components(&["seed", "draw"], &grid(3, 1), &[1.0, 2.0, 3.0]);
        assert_eq!(got, None, "nothing is left for the residual");
        let got = crossed_components(
            &["fold", "seed", "draw"],
            &grid(3, 2)
                .iter()
                .map(|l| vec![0, l[0], l[1]])
                .collect::<Vec<_>>(),
            &[1.0, 2.0, 3.0, 4.0, 5.0, 7.0],
        );
        assert_eq!(got.unwrap()[0].variance, None);
        let mut gap = grid(2, 2);
        gap[3] = vec![0, 0];
        assert_eq!(crossed_components(&["seed", "draw"], &gap, &[1.0; 4]), None);
    }
}
