//! When a metric of presence rests on too few rows to be reported.

use std::fmt;

/// Fewest test rows of each class, over all folds, that a metric of presence is reported for. With
/// fewer, a single row moves the recall of its class by more than a fifth, and no resampling of
/// them shows the uncertainty.
pub const MIN_CLASS_ROWS: u64 = 5;

/// A class with fewer than [`MIN_CLASS_ROWS`] rows, and how many it has. Displayed as "3
/// positives".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScarceClass {
    /// Rows where the emotion is present.
    Positives(u64),
    /// Rows where it is absent.
    Negatives(u64),
}

impl fmt::Display for ScarceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, class) = match self {
            ScarceClass::Positives(n) => (n, "positive"),
            ScarceClass::Negatives(n) => (n, "negative"),
        };
        write!(f, "{n} {class}{}", if *n == 1 { "" } else { "s" })
    }
}

/// The class, if any, that has too few rows for a metric of presence.
///
/// ```
/// use eval::{ScarceClass, scarce_class};
///
/// assert_eq!(scarce_class(3, 50), Some(ScarceClass::Positives(3)));
/// assert_eq!(scarce_class(5, 5), None);
/// ```
pub fn scarce_class(positives: u64, negatives: u64) -> Option<ScarceClass> {
    if positives < MIN_CLASS_ROWS {
        Some(ScarceClass::Positives(positives))
    } else if negatives < MIN_CLASS_ROWS {
        Some(ScarceClass::Negatives(negatives))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scarcer_class_is_named_with_its_number() {
        let shown = |positives, negatives| {
            scarce_class(positives, negatives).map(|class| class.to_string())
        };
        assert_eq!(shown(1, 50).as_deref(), Some("1 positive"));
        assert_eq!(shown(50, 0).as_deref(), Some("0 negatives"));
        assert_eq!(shown(4, 4).as_deref(), Some("4 positives"));
        assert_eq!(shown(MIN_CLASS_ROWS, MIN_CLASS_ROWS), None);
    }
}
