//! Label equivalence in words: how many labels the baseline needs to match the treated start.

use crate::numbers::{count, fixed};
use crate::study::Study;
use eval::Metric;
use eval::statistics::{Equivalence, LabelEquivalence};

/// "scratch needs about 2.3 times the labels (1.2 to not reached)"; `None` where it was not
/// computed.
pub(crate) fn sentence(study: &Study<'_>, budget: usize, metric: Metric) -> Option<String> {
    let found = study.statistics.equivalence(budget, metric)?;
    let (baseline, labels) = (study.baseline(), study.budgets[budget].labels);
    let labels_text = |n: f64| count(n.round().max(0.0) as u64);
    let ends = ends(found, labels);
    let interval = || match &ends {
        None => "no confidence interval could be computed".into(),
        Some([low, high]) if low == high => format!("confidence interval: {low}"),
        Some([low, high]) => format!("confidence interval: {} to {}", times(low), times(high)),
    };
    let within = || match &ends {
        None => interval(),
        Some([low, high]) => format!("{low} to {high}"),
    };
    Some(match found.labels {
        Equivalence::About(n) => {
            format!(
                "{baseline} needs about {} times the labels ({})",
                ratio(n / labels)?,
                within()
            )
        }
        Equivalence::NotReached(most) => {
            format!(
                "{baseline} does not reach that with {} labels, the largest budget ({})",
                labels_text(most),
                interval()
            )
        }
        Equivalence::AtMost(fewest) => {
            format!(
                "{baseline} reaches that with {} labels, the smallest budget ({})",
                labels_text(fewest),
                interval()
            )
        }
    })
}

/// Both ends of the confidence interval as multiples of `labels`, or words for an end that is not a
/// multiple; `None` without an interval.
pub(crate) fn ends(found: &LabelEquivalence, labels: f64) -> Option<[String; 2]> {
    let words = |end: Equivalence| match end {
        Equivalence::AtMost(_) => "below the smallest budget".into(),
        Equivalence::About(n) => ratio(n / labels).unwrap_or_else(|| "n/a".into()),
        Equivalence::NotReached(_) => "not reached".into(),
    };
    Some([words(found.low?), words(found.high?)])
}

/// A multiple with two significant digits; `None` for a value that is not finite.
pub(crate) fn ratio(x: f64) -> Option<String> {
    let decimals = if x < 0.1 { 2 } else { usize::from(x < 9.95) };
    x.is_finite().then(|| fixed(x, decimals))
}

/// "2.0 times the labels" for a multiple; other words as they are.
fn times(end: &str) -> String {
    if end.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{end} times the labels")
    } else {
        end.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn multiples_are_short() {
        let of = |x| ratio(x).unwrap_or_default();
        assert_eq!(
            [0.034, 0.46, 2.31, 9.96, 41.2, f64::INFINITY].map(of),
            ["0.03", "0.5", "2.3", "10", "41", ""]
        );
    }
}
