use crate::TrainError;
use std::fmt;
use std::str::FromStr;

/// How many labels: a share of the training segments, or a count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// A share in (0, 1].
    Fraction(f64),
    /// Segments.
    Count(usize),
}

impl Budget {
    /// Labelled segments out of `n`.
    pub fn labels_of(self, n: usize) -> usize {
        match self {
            Budget::Fraction(f) => mosei_data::subset::labels_of_fraction(f, n),
            Budget::Count(k) => k,
        }
    }
}

/// `f0.05` for a share, `n24` for a count.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Fraction(x) => write!(f, "f{x}"),
            Budget::Count(n) => write!(f, "n{n}"),
        }
    }
}

impl FromStr for Budget {
    type Err = TrainError;

    fn from_str(text: &str) -> Result<Self, TrainError> {
        let wrong = || TrainError::Argument {
            what: "label budget",
            expected: "a share such as f0.05 or a count such as n24".into(),
            found: text.into(),
        };
        let number = text.get(1..).ok_or_else(wrong)?;
        match text.as_bytes()[0] {
            b'f' => match number.parse() {
                Ok(f) if f > 0.0 && f <= 1.0 => Ok(Budget::Fraction(f)),
                _ => Err(wrong()),
            },
            b'n' => number.parse().ok().filter(|&n| n > 0).map(Budget::Count).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_round_trip_and_nonsense_is_refused() {
        for budget in [Budget::Fraction(0.05), Budget::Fraction(1.0), Budget::Count(24)] {
            assert_eq!(budget.to_string().parse::<Budget>().unwrap(), budget);
        }
        for text in ["", "f", "n", "5%", "f0", "f1.5", "fNaN", "n0", "n-1", "n1.5", "é1"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
