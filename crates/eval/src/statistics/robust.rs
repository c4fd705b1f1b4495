//! Aggregates over runs and tasks that are robust to a single outlying run (Agarwal and others
//! 2021, arXiv 2108.13264).

use std::cmp::Ordering;

/// The mean of the middle half of the values: a quarter of them, rounded down, is left out at
/// either end.
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let out = sorted.len() / 4;
    crate::mean(sorted[out..sorted.len() - out].iter().copied())
}

/// The chance that a run of `ours` is better than one of `theirs` at the same task, a tie counting
/// half, averaged over tasks. `None` where no task has runs on both sides.
///
/// `tasks` holds the runs of both sides, one pair of lists a task; more is better.
pub fn probability_of_improvement(tasks: &[(Vec<f64>, Vec<f64>)]) -> Option<f64> {
    crate::mean(
        tasks
            .iter()
            .filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty())
            .map(|(ours, theirs)| {
                let pairs = ours
                    .iter()
                    .flat_map(|x| theirs.iter().map(move |y| x.partial_cmp(y)));
                let won = |order| match order {
                    Some(Ordering::Greater) => 1.0,
                    Some(Ordering::Equal) => 0.5,
                    _ => 0.0,
                };
                pairs.map(won).sum::<f64>() / (ours.len() * theirs.len()) as f64
            }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_left_out() {
        assert_eq!(
            interquartile_mean(&[100.0, 1.0, 2.0, 3.0, -50.0]),
            Some(2.0)
        );
        assert_eq!(interquartile_mean(&[1.0, 2.0]), Some(1.5));
        assert_eq!(interquartile_mean(&[f64::NAN]), None);
    }

    #[test]
    fn every_run_meets_every_other_of_its_task() {
        let tasks = [
            (vec![1.0, 3.0], vec![2.0, 3.0]),
            (vec![5.0], vec![0.0]),
            (vec![], vec![1.0]),
        ];
        // First task: 1 loses twice, 3 wins and ties: 1.5 of 4. Second: 1 of 1.
        assert_eq!(
            probability_of_improvement(&tasks),
            Some((0.375 + 1.0) / 2.0)
        );
        assert_eq!(probability_of_improvement(&[]), None);
    }
}
