//! The label budgets of a study, from the names that its cells carry.

use std::collections::{BTreeMap, BTreeSet};

/// A label budget; its count may differ between folds.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    /// Its name, as configured: `n24`, `f0.05`.
    pub name: String,
    /// Labels, mean over folds: the number that curves, areas and label equivalence use.
    pub labels: f64,
    /// Labels in the fold with the fewest.
    pub fewest: i32,
    /// Labels in the fold with the most.
    pub most: i32,
}

/// The budget of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Labels<'a> {
    /// Name of the budget.
    pub budget: &'a str,
    /// Cross-validation fold.
    pub fold: i32,
    /// Labelled training segments.
    pub n_labels: i32,
}

/// The budgets, fewest labels first, those of equal labels by name.
pub fn budgets<'a>(cells: impl IntoIterator<Item = Labels<'a>>) -> Vec<Budget> {
    let mut by_name: BTreeMap<&str, BTreeMap<i32, i32>> = BTreeMap::new();
    for cell in cells {
        by_name
            .entry(cell.budget)
            .or_default()
            .insert(cell.fold, cell.n_labels);
    }
    let budget = |(name, by_fold): (&str, BTreeMap<i32, i32>)| Budget {
        name: name.to_string(),
        labels: crate::mean(by_fold.values().copied().map(f64::from)).unwrap_or(0.0),
        fewest: by_fold.values().copied().min().unwrap_or(0),
        most: by_fold.values().copied().max().unwrap_or(0),
    };
    let mut budgets: Vec<Budget> = by_name.into_iter().map(budget).collect();
    // Stable: by name among equals.
    budgets.sort_by(|a, b| a.labels.total_cmp(&b.labels));
    budgets
}

/// The index of the budget of that name.
pub fn place(budgets: &[Budget], name: &str) -> Option<usize> {
    budgets.iter().position(|budget| budget.name == name)
}

/// Whether any budget has other counts in some folds than in others.
pub fn differ_by_fold(budgets: &[Budget]) -> bool {
    budgets.iter().any(|budget| budget.fewest != budget.most)
}

/// The points of a learning curve by their labels, ascending; budgets of equal labels, such as a
/// count and a share that come to the same number, are one point at the mean of their values.
pub fn points(budgets: &[Budget], values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, Vec<f64>)> = Vec::new();
    for (budget, value) in budgets.iter().zip(values) {
        match points.last_mut() {
            Some((labels, values)) if *labels == budget.labels => values.push(value),
            _ => points.push((budget.labels, vec![value])),
        }
    }
    points
        .into_iter()
        .filter_map(|(labels, values)| Some((labels, crate::mean(values)?)))
        .collect()
}

/// Names that more than one budget of equal labels has.
pub fn same_labels(budgets: &[Budget]) -> BTreeSet<&str> {
    let pairs = budgets
        .iter()
        .zip(budgets.iter().skip(1))
        .filter(|(a, b)| a.labels == b.labels);
    pairs
        .flat_map(|(a, b)| [a.name.as_str(), b.name.as_str()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(budget: &str, fold: i32, n_labels: i32) -> Labels<'_> {
        Labels {
            budget,
            fold,
            n_labels,
        }
    }

    #[test]
    fn a_budget_is_one_whatever_the_size_of_the_folds() {
        // The folds of 310, 322, 298, 305 and 331 training segments in which counts and shares were
        // once confused.
        let sizes = [310, 322, 298, 305, 331];
        let cells = (0..).zip(sizes).flat_map(|(fold, n)| {
            [
                cell("f1", fold, n),
                cell("n24", fold, 24),
                cell("n72", fold, 72),
            ]
        });
        let found = budgets(cells.collect::<Vec<_>>());
        assert_eq!(
            found.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(),
            ["n24", "n72", "f1"]
        );
        assert_eq!(
            (found[2].labels, found[2].fewest, found[2].most),
            (313.2, 298, 331)
        );
        assert_eq!(
            (found[0].labels, found[0].fewest, found[0].most),
            (24.0, 24, 24)
        );
        assert_eq!(
            (place(&found, "n72"), place(&found, "n73")),
            (Some(1), None)
        );
        assert!(differ_by_fold(&found) && !differ_by_fold(&found[..2]));
        assert_eq!(budgets([]), []);
    }

    #[test]
    fn budgets_of_equal_labels_are_one_point_of_a_curve() {
        let found = budgets([cell("n10", 0, 10), cell("n40", 0, 40), cell("f1", 0, 40)]);
        assert_eq!(
            found.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(),
            ["n10", "f1", "n40"]
        );
        assert_eq!(points(&found, [0.5, 0.7, 0.8]), [(10.0, 0.5), (40.0, 0.75)]);
        assert_eq!(same_labels(&found), BTreeSet::from(["f1", "n40"]));
    }
}
