//! Learning curves: a metric against the number of labels.

/// How many labels a curve needs to reach a value; in JSON `{"bound": "about", "labels": 31.5}`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "bound", content = "labels", rename_all = "kebab-case")]
pub enum Equivalence {
    /// At most this many, the smallest budget.
    AtMost(f64),
    /// About this many.
    About(f64),
    /// More than this many, the largest budget.
    NotReached(f64),
}

impl Equivalence {
    /// A sort key: 0 below the smallest budget, infinite above the largest.
    pub(super) fn order(self) -> f64 {
        match self {
            Equivalence::AtMost(_) => 0.0,
            Equivalence::About(labels) => labels,
            Equivalence::NotReached(_) => f64::INFINITY,
        }
    }

    /// The value of a sort key, for a curve between `fewest` and `most` labels.
    pub(super) fn of_order(order: f64, fewest: f64, most: f64) -> Self {
        // A power of a logarithm can miss an end of the curve by its last bit.
        const ROUNDING: f64 = 1e-12;
        if order < fewest * (1.0 - ROUNDING) {
            Equivalence::AtMost(fewest)
        } else if order <= most * (1.0 + ROUNDING) {
            Equivalence::About(order)
        } else {
            Equivalence::NotReached(most)
        }
    }
}

/// The mean height of a curve over the logarithm of labels: trapezia between neighbours, divided by
/// the whole width.
///
/// `points` are (labels, value), ascending in labels, which are above 0. `None` for fewer than two
/// points, or labels that do not rise.
pub fn area_under_curve(points: &[(f64, f64)]) -> Option<f64> {
    let steps = || points.iter().zip(points.iter().skip(1));
    if points.len() < 2 || points[0].0 <= 0.0 || steps().any(|(a, b)| a.0 >= b.0) {
        return None;
    }
    let area = crate::sum(steps().map(|(a, b)| (b.0 / a.0).ln() * (a.1 + b.1) / 2.0));
    Some(area / (points[points.len() - 1].0 / points[0].0).ln()).filter(|area| area.is_finite())
}

/// The number of labels at which a curve reaches `target`, between its points in proportion to the
/// logarithm of labels.
///
/// The curve is first made monotone (isotonic regression by pool adjacent violators), so that a dip
/// by chance does not decide; `points` as in [`area_under_curve`]. `None` for an empty curve or a
/// value that is not finite.
pub fn labels_to_reach(
    points: &[(f64, f64)],
    target: f64,
    higher_is_better: bool,
) -> Option<Equivalence> {
    if !target.is_finite() || points.iter().any(|(n, v)| !v.is_finite() || *n <= 0.0) {
        return None;
    }
    let sign = if higher_is_better { 1.0 } else { -1.0 };
    let rising = isotonic(&points.iter().map(|p| sign * p.1).collect::<Vec<_>>());
    let target = sign * target;
    let (fewest, most) = (points.first()?.0, points.last()?.0);
    let reached = rising.iter().position(|&v| v >= target);
    Some(match reached {
        None => Equivalence::NotReached(most),
        Some(0) => Equivalence::AtMost(fewest),
        Some(i) => {
            let share = (target - rising[i - 1]) / (rising[i] - rising[i - 1]);
            Equivalence::About(points[i - 1].0 * (points[i].0 / points[i - 1].0).powf(share))
        }
    })
}

/// The isotonic regression of the values.
fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for &value in values {
        let mut block = (value, 1);
        while let Some(&(before, n)) = blocks.last() {
            if before <= block.0 {
                break;
            }
            blocks.pop();
            block = (
                (before * n as f64 + block.0 * block.1 as f64) / (n + block.1) as f64,
                n + block.1,
            );
        }
        blocks.push(block);
    }
    blocks
        .into_iter()
        .flat_map(|(value, n)| std::iter::repeat_n(value, n))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_has_its_height_as_area() {
        assert_eq!(
            area_under_curve(&[(10.0, 0.7), (100.0, 0.7), (300.0, 0.7)]),
            Some(0.7)
        );
        let got = area_under_curve(&[(10.0, 0.0), (100.0, 1.0), (1000.0, 1.0)]).unwrap();
        assert!((got - 0.75).abs() < 1e-15, "{got}");
        assert_eq!(area_under_curve(&[(10.0, 0.7)]), None);
        assert_eq!(area_under_curve(&[(10.0, 0.7), (10.0, 0.8)]), None);
    }

    #[test]
    fn between_two_budgets_the_logarithm_counts() {
        let curve = [(10.0, 0.5), (1000.0, 0.7)];
        let Some(Equivalence::About(labels)) = labels_to_reach(&curve, 0.6, true) else {
            panic!()
        };
        assert!((labels - 100.0).abs() < 1e-9);
        assert_eq!(
            labels_to_reach(&curve, 0.4, true),
            Some(Equivalence::AtMost(10.0))
        );
        assert_eq!(
            labels_to_reach(&curve, 0.71, true),
            Some(Equivalence::NotReached(1000.0))
        );
        let errors = [(10.0, 0.5), (1000.0, 0.3)];
        let Some(Equivalence::About(labels)) = labels_to_reach(&errors, 0.4, false) else {
            panic!()
        };
        assert!((labels - 100.0).abs() < 1e-9, "of an error less is better");
    }

    #[test]
    fn an_end_of_an_interval_is_a_bound_where_it_is_no_number_of_labels() {
        let end = |order| Equivalence::of_order(order, 10.0, 1000.0);
        assert_eq!(end(0.0), Equivalence::AtMost(10.0));
        assert_eq!(end(f64::INFINITY), Equivalence::NotReached(1000.0));
        assert_eq!(end(120.0), Equivalence::About(120.0));
        let json = serde_json::to_string(&[end(0.0), end(31.5)]).unwrap();
        assert_eq!(
            json,
            r#"[{"bound":"at-most","labels":10.0},{"bound":"about","labels":31.5}]"#
        );
    }

    #[test]
    fn a_dip_is_evened_out() {
        assert_eq!(isotonic(&[1.0, 3.0, 2.0, 4.0]), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(isotonic(&[3.0, 2.0, 1.0]), [2.0, 2.0, 2.0]);
        let curve = [(10.0, 0.6), (100.0, 0.5), (1000.0, 0.8)];
        // Evened out it stands at 0.55 up to 100 labels.
        let Some(Equivalence::About(labels)) = labels_to_reach(&curve, 0.6, true) else {
            panic!()
        };
        assert!(labels > 100.0, "{labels}");
    }
}
