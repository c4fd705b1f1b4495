//! The label budgets of a study, from what its cells say of themselves.

use std::collections::{BTreeMap, BTreeSet};

/// A label budget; its count may differ a little between folds.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    /// Labels, mean over folds.
    pub labels: f64,
    /// Labels in the fold with the fewest.
    pub fewest: i32,
    /// Labels in the fold with the most.
    pub most: i32,
}

/// What a cell says of its budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Labels {
    /// Cross-validation fold.
    pub fold: i32,
    /// Share of the training segments whose labels were used.
    pub fraction: f64,
    /// How many that was.
    pub n_labels: i32,
}

/// The budgets, fewest labels first, and which of them each cell has.
///
/// A plan that names shares has folds of different size differ in counts, one that names counts has them differ in
/// shares: whichever takes fewer different values is what the plan named.
pub fn budgets(cells: &[Labels]) -> (Vec<Budget>, Vec<usize>) {
    // The bits of a non-negative float sort as it does.
    let share = |cell: &Labels| cell.fraction.max(0.0).to_bits();
    let labels = |cell: &Labels| u64::from(cell.n_labels.max(0).unsigned_abs());
    let shares: BTreeSet<u64> = cells.iter().map(share).collect();
    let counts: BTreeSet<u64> = cells.iter().map(labels).collect();
    let by_count = counts.len() < shares.len();
    let key = |cell: &Labels| if by_count { labels(cell) } else { share(cell) };
    let keys: Vec<u64> = if by_count { counts } else { shares }.into_iter().collect();
    let budget = |&k: &u64| {
        let by_fold: BTreeMap<i32, i32> = cells.iter().filter(|c| key(c) == k).map(|c| (c.fold, c.n_labels)).collect();
        let each = || by_fold.values().copied();
        Budget {
            labels: crate::mean(each().map(f64::from)).unwrap_or(0.0),
            fewest: each().min().unwrap_or(0),
            most: each().max().unwrap_or(0),
        }
    };
    let place = |cell: &Labels| keys.binary_search(&key(cell)).unwrap_or_default();
    (keys.iter().map(budget).collect(), cells.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(fold: i32, fraction: f64, n_labels: i32) -> Labels {
        Labels { fold, fraction, n_labels }
    }

    #[test]
    fn shares_are_told_from_counts() {
        let shares = [cell(0, 0.5, 10), cell(1, 0.5, 12), cell(0, 0.25, 5), cell(1, 0.25, 6)];
        let (budgets_found, places) = budgets(&shares);
        assert_eq!(places, [1, 1, 0, 0]);
        assert_eq!((budgets_found[1].labels, budgets_found[1].fewest, budgets_found[1].most), (11.0, 10, 12));
        let counts = [cell(0, 0.5, 10), cell(1, 0.48, 10), cell(0, 0.25, 5), cell(1, 0.24, 5)];
        assert_eq!(budgets(&counts).1, [1, 1, 0, 0]);
        assert_eq!(budgets(&[]), (Vec::new(), Vec::new()));
    }
}
