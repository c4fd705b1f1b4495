//! Learning curves: a metric against the number of labels.

use super::Interval;
use crate::budget::{Budget, points};

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

/// The value of a curve between its points, in proportion to the logarithm of labels; `None`
/// outside.
pub(super) fn value_at(points: &[(f64, f64)], labels: f64) -> Option<f64> {
    let at = points.iter().position(|point| point.0 >= labels)?;
    let (most, after) = points[at];
    if most == labels {
        return Some(after);
    }
    let (fewest, before) = points[at.checked_sub(1)?];
    let share = (labels / fewest).ln() / (most / fewest).ln();
    Some(before + share * (after - before))
}

/// The weights of the budgets in a linear function of a curve, such as its area.
pub(super) fn weights(
    budgets: &[Budget],
    of_curve: impl Fn(&[(f64, f64)]) -> Option<f64>,
) -> Option<Vec<f64>> {
    let unit = |one: usize| (0..budgets.len()).map(move |b| f64::from(u8::from(b == one)));
    (0..budgets.len())
        .map(|b| of_curve(&points(budgets, unit(b))))
        .collect()
}

/// Numbers of labels that are tried between two points of a curve.
const TRIED: usize = 32;
/// Halvings of the step between the last number that is inside and the first that is not.
const HALVINGS: usize = 12;

/// The confidence interval of the labels that a curve needs to reach a value: all numbers of labels
/// at which the difference between the two cannot be distinguished from 0, the set of hypotheses
/// that a test does not reject. `gain(labels)` is the confidence interval of the value minus the
/// curve there, `labels` the estimate, which is always inside.
///
/// An end at which the smallest budget is inside is [`Equivalence::AtMost`], one at which the
/// largest is, [`Equivalence::NotReached`]. `None` where a difference has no interval.
pub(super) fn reaching_range(
    curve: &[(f64, f64)],
    labels: Equivalence,
    rising: bool,
    gain: impl Fn(f64) -> Option<Interval>,
) -> Option<[Equivalence; 2]> {
    let (fewest, most) = (curve.first()?.0, curve.last()?.0);
    let between = |(a, b): (&(f64, f64), &(f64, f64))| {
        let (from, ratio) = (a.0, b.0 / a.0);
        (1..TRIED).map(move |i| from * ratio.powf(i as f64 / TRIED as f64))
    };
    let mut tried: Vec<f64> = curve.iter().map(|point| point.0).collect();
    tried.extend(curve.iter().zip(curve.iter().skip(1)).flat_map(between));
    tried.sort_by(f64::total_cmp);
    // Whether more labels are needed, fewer, or neither can be told.
    let side = |labels: f64| {
        gain(labels).map(|ends| match (ends.low > 0.0, ends.high < 0.0) {
            (true, _) => Some(rising),
            (_, true) => Some(!rising),
            _ => None,
        })
    };
    let sides: Vec<Option<bool>> = tried.iter().map(|&n| side(n)).collect::<Option<_>>()?;
    let inside: Vec<usize> = (0..tried.len()).filter(|&i| sides[i].is_none()).collect();
    let edge = |mut out: f64, mut within: f64| {
        for _ in 0..HALVINGS {
            let middle = (out * within).sqrt();
            match side(middle) {
                Some(None) => within = middle,
                _ => out = middle,
            }
        }
        Equivalence::About(within)
    };
    let [low, high] = match (inside.first(), inside.last()) {
        (Some(&first), Some(&last)) => [
            match first {
                0 => Equivalence::AtMost(fewest),
                _ => edge(tried[first - 1], tried[first]),
            },
            match tried.get(last + 1) {
                None => Equivalence::NotReached(most),
                Some(&out) => edge(out, tried[last]),
            },
        ],
        // Above the curve, or below it, at every number of labels; else they cross at the estimate.
        _ if sides.iter().all(|side| *side == Some(true)) => [Equivalence::NotReached(most); 2],
        _ if sides.iter().all(|side| *side == Some(false)) => [Equivalence::AtMost(fewest); 2],
        _ => [labels; 2],
    };
    let first = |a: Equivalence, b: Equivalence| if a.order() <= b.order() { a } else { b };
    let last = |a: Equivalence, b: Equivalence| if a.order() >= b.order() { a } else { b };
    Some([first(low, labels), last(high, labels)])
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
    fn an_end_where_the_curve_cannot_be_distinguished_is_a_bound() {
        let curve = [(10.0, 0.5), (100.0, 0.6), (1000.0, 0.7)];
        let range = |target: f64, half: f64| {
            let labels = labels_to_reach(&curve, target, true).unwrap();
            let gain = |labels| {
                let gain = target - value_at(&curve, labels)?;
                let (low, high) = (gain - half, gain + half);
                Some(Interval { low, high })
            };
            reaching_range(&curve, labels, true, gain).unwrap()
        };
        let [Equivalence::About(low), Equivalence::About(high)] = range(0.6, 0.05) else {
            panic!()
        };
        // Half a step of the curve below and above.
        assert!((low / 10_f64.powf(1.5) - 1.0).abs() < 1e-3, "{low}");
        assert!((high / 10_f64.powf(2.5) - 1.0).abs() < 1e-3, "{high}");
        assert_eq!(
            range(0.6, 0.2),
            [Equivalence::AtMost(10.0), Equivalence::NotReached(1000.0)]
        );
        assert_eq!(range(0.9, 0.05), [Equivalence::NotReached(1000.0); 2]);
        assert_eq!(range(0.3, 0.05), [Equivalence::AtMost(10.0); 2]);
        let none = reaching_range(&curve, Equivalence::About(50.0), true, |_| None);
        assert_eq!(none, None);
        let json = serde_json::to_string(&[Equivalence::AtMost(10.0), Equivalence::About(31.5)]);
        assert_eq!(
            json.unwrap(),
            r#"[{"bound":"at-most","labels":10.0},{"bound":"about","labels":31.5}]"#
        );
    }

    #[test]
    fn weights_of_budgets_give_the_area_and_a_value() {
        let budget = |name: &str, labels: f64| Budget {
            name: name.into(),
            labels,
            fewest: labels as i32,
            most: labels as i32,
        };
        // Two budgets of equal labels are one point.
        let budgets = [
            budget("n10", 10.0),
            budget("f0.1", 10.0),
            budget("n50", 50.0),
            budget("f1", 1000.0),
        ];
        let values = [0.4, 0.6, 0.7, 0.9];
        let curve = points(&budgets, values);
        let of = |weights: Vec<f64>| crate::sum(weights.iter().zip(values).map(|(w, v)| w * v));
        let area = of(weights(&budgets, area_under_curve).unwrap());
        assert!((area - area_under_curve(&curve).unwrap()).abs() < 1e-15);
        let at = |labels| of(weights(&budgets, |curve| value_at(curve, labels)).unwrap());
        assert!((at(10.0) - 0.5).abs() < 1e-15 && (at(1000.0) - 0.9).abs() < 1e-15);
        assert!((at(500_f64.sqrt()) - 0.6).abs() < 1e-15);
        assert_eq!(value_at(&curve, 9.0), None);
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
