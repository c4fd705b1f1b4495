/// A confusion matrix of two classes.
///
/// Where a value needs a class that no row has, it is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Present and predicted.
    pub tp: u64,
    /// Absent but predicted.
    pub fp: u64,
    /// Present but not predicted.
    pub fn_: u64,
    /// Absent and not predicted.
    pub tn: u64,
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Confusion {
    /// Counts the four cases; `None` where the slices differ in length.
    pub fn count(present: &[bool], predicted: &[bool]) -> Option<Self> {
        if present.len() != predicted.len() {
            return None;
        }
        let mut counts = Confusion::default();
        for pair in present.iter().zip(predicted) {
            match pair {
                (true, true) => counts.tp += 1,
                (false, true) => counts.fp += 1,
                (true, false) => counts.fn_ += 1,
                (false, false) => counts.tn += 1,
            }
        }
        Some(counts)
    }

    /// Present rows.
    pub const fn positives(&self) -> u64 {
        self.tp + self.fn_
    }

    /// Absent rows.
    pub const fn negatives(&self) -> u64 {
        self.fp + self.tn
    }

    /// All rows.
    pub const fn rows(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// tp / (tp + fp); 0 where none is predicted, as in scikit-learn and as F1 has it; `None` where
    /// no row is present.
    pub fn precision(&self) -> Option<f64> {
        if self.positives() == 0 {
            None
        } else {
            Some(share(self.tp, self.tp + self.fp).unwrap_or(0.0))
        }
    }

    /// tp / (tp + fn); `None` where no row is present.
    pub fn recall(&self) -> Option<f64> {
        share(self.tp, self.positives())
    }

    /// 2 tp / (2 tp + fp + fn) of the positive class; 0 where none is found, `None` where no row is
    /// present.
    pub fn f1(&self) -> Option<f64> {
        if self.positives() == 0 {
            None
        } else {
            share(2 * self.tp, 2 * self.tp + self.fp + self.fn_)
        }
    }

    /// F1 of both classes, weighted by their rows; `None` where no row is present.
    pub fn weighted_f1(&self) -> Option<f64> {
        let positive = self.f1()?;
        // The negative class swaps the roles; without a row of it or a prediction of it, its weight
        // is 0 anyway.
        let negative = share(2 * self.tn, 2 * self.tn + self.fp + self.fn_).unwrap_or(0.0);
        let weighted = positive * self.positives() as f64 + negative * self.negatives() as f64;
        Some(weighted / self.rows() as f64)
    }

    /// Share of right decisions; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.tp + self.tn, self.rows())
    }

    /// Mean of the recalls of both classes; `None` where one of them has no row.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.recall()? + share(self.tn, self.negatives())?) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;

    #[test]
    fn four_cases_are_told_apart() {
        let got = Confusion::count(
            &[true, false, true, false, false],
            &[true, true, false, false, false],
        );
        assert_eq!(
            got,
            Some(Confusion {
                tp: 1,
                fp: 1,
                fn_: 1,
                tn: 2
            })
        );
        assert_eq!(Confusion::count(&[true], &[]), None);
    }

    #[test]
    fn without_a_present_row_only_accuracy_is_defined() {
        let c = Confusion {
            tp: 0,
            fp: 1,
            fn_: 0,
            tn: 3,
        };
        let others = [
            c.precision(),
            c.recall(),
            c.f1(),
            c.weighted_f1(),
            c.balanced_accuracy(),
        ];
        assert_eq!(others, [None; 5]);
        assert_eq!(c.accuracy(), Some(0.75));
        assert_eq!(Confusion::default().accuracy(), None);
    }

    #[test]
    fn without_an_absent_row_balance_is_undefined() {
        let c = Confusion {
            tp: 3,
            fp: 0,
            fn_: 1,
            tn: 0,
        };
        assert_eq!(c.balanced_accuracy(), None);
        assert_eq!(c.weighted_f1(), c.f1());
    }

    #[test]
    fn where_nothing_is_predicted_precision_is_0_as_f1_is() {
        let c = Confusion {
            tp: 0,
            fp: 0,
            fn_: 2,
            tn: 2,
        };
        assert_eq!(
            (c.precision(), c.recall(), c.f1()),
            (Some(0.0), Some(0.0), Some(0.0))
        );
        assert_eq!(Confusion { fn_: 0, ..c }.precision(), None);
    }
}
