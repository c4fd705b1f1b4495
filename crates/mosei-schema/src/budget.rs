use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A label budget as configured: a fraction of the training segments, or a number of them.
///
/// Its text, `f0.05` or `n24`, is the budget's name in every table. The name is the same in all
/// folds, even where a fraction amounts to different numbers of segments.
///
/// ```
/// use mosei_schema::LabelBudget;
///
/// let budget: LabelBudget = "f0.05".parse()?;
/// assert_eq!((budget.labels_of(310), budget.to_string()), (16, "f0.05".to_string()));
/// # Ok::<(), mosei_schema::BudgetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LabelBudget {
    /// A fraction of the training segments, above 0 and at most 1.
    Fraction(f64),
    /// A number of segments, at least one.
    Count(usize),
}

impl LabelBudget {
    /// Labelled segments out of `training_segments`. A fraction is rounded to the nearest integer,
    /// halves away from 0.
    pub fn labels_of(self, training_segments: usize) -> usize {
        match self {
            LabelBudget::Fraction(share) => (share * training_segments as f64).round() as usize,
            LabelBudget::Count(count) => count,
        }
    }

    /// Whether it is all training segments, of which there is one draw.
    pub fn is_all(self) -> bool {
        self == LabelBudget::Fraction(1.0)
    }

    /// The fraction of `training_segments`: as configured, or computed from a count.
    pub fn share_of(self, training_segments: usize) -> f64 {
        match self {
            LabelBudget::Fraction(share) => share,
            LabelBudget::Count(count) => count as f64 / training_segments as f64,
        }
    }
}

/// `f0.05` for a fraction, `n24` for a count.
impl fmt::Display for LabelBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelBudget::Fraction(share) => write!(f, "f{share}"),
            LabelBudget::Count(count) => write!(f, "n{count}"),
        }
    }
}

/// A text that is not a label budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetError {
    /// The text.
    pub found: String,
}

impl BudgetError {
    /// The notation of label budgets, for messages.
    pub const EXPECTED: &'static str = "a fraction such as f0.05 or a count such as n24";
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "label budget: expected {}, found '{}'",
            Self::EXPECTED,
            self.found
        )
    }
}

impl std::error::Error for BudgetError {}

impl FromStr for LabelBudget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let number = text.get(1..).unwrap_or_default();
        let budget = match text.as_bytes().first() {
            Some(b'f') => number
                .parse()
                .ok()
                .filter(|&f| f > 0.0 && f <= 1.0)
                .map(LabelBudget::Fraction),
            Some(b'n') => number
                .parse()
                .ok()
                .filter(|&n| n > 0)
                .map(LabelBudget::Count),
            _ => None,
        };
        budget.ok_or_else(|| BudgetError { found: text.into() })
    }
}

impl From<LabelBudget> for String {
    fn from(budget: LabelBudget) -> Self {
        budget.to_string()
    }
}

impl TryFrom<String> for LabelBudget {
    type Error = BudgetError;

    fn try_from(text: String) -> Result<Self, BudgetError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_round_trip_and_invalid_ones_are_rejected() {
        for budget in [
            LabelBudget::Fraction(0.05),
            LabelBudget::Fraction(1.0),
            LabelBudget::Count(24),
        ] {
            assert_eq!(budget.to_string().parse::<LabelBudget>().unwrap(), budget);
        }
        for text in [
            "", "f", "n", "5%", "f0", "f1.5", "fNaN", "n0", "n-1", "n1.5", "é1",
        ] {
            assert!(text.parse::<LabelBudget>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_rounded_to_the_nearest_number() {
        let found = [
            (0.01, 49),
            (0.01, 50),
            (0.1, 14),
            (0.1, 15),
            (0.3, 5),
            (1.0, 7),
        ];
        assert_eq!(
            found.map(|(f, n)| LabelBudget::Fraction(f).labels_of(n)),
            [0, 1, 1, 2, 2, 7]
        );
        assert_eq!(LabelBudget::Count(24).share_of(96), 0.25);
    }
}
