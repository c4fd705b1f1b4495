//! Finds columns that grow by one step from frame to frame in all recordings: row numbers or times,
//! from which a model could tell where in a recording it is.
//!
//! What lives here: the search. What does not: what becomes of such a column.

use mosei_data::Sequence;
use std::collections::BTreeMap;

/// Steps, of all recordings together, below which growth may be chance.
const MIN_STEPS: usize = 8;
/// Relative difference between steps that are equal: times may be rounded, and are float32.
const SAME_STEP: f32 = 0.01;

/// Columns that have grown by one step in all recordings so far.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    /// Each column with its step; `None` before the first recording.
    columns: Option<BTreeMap<usize, f32>>,
    steps: usize,
}

/// The columns of one recording that grow by one step, each with its step, and the number of steps;
/// `None` with fewer than three frames.
pub(crate) fn of_recording(recording: &Sequence) -> Option<(BTreeMap<usize, f32>, usize)> {
    let frames = recording.intervals.len();
    if frames < 3 {
        return None;
    }
    let step = |c: usize, row: usize| recording.row(row)[c] - recording.row(row - 1)[c];
    let mut columns: BTreeMap<usize, f32> = (0..recording.width)
        .map(|c| (c, step(c, 1)))
        .filter(|(_, step)| *step > 0.0 && step.is_finite())
        .collect();
    for row in 2..frames {
        if columns.is_empty() {
            break;
        }
        columns.retain(|&c, first| {
            // The rounding of large float32 counts, too.
            let tolerance = SAME_STEP * *first + 4.0 * f32::EPSILON * recording.row(row)[c].abs();
            (step(c, row) - *first).abs() <= tolerance
        });
    }
    Some((columns, frames - 1))
}

impl Growth {
    /// Adds the columns of a recording.
    pub fn add(&mut self, found: Option<(BTreeMap<usize, f32>, usize)>) {
        let Some((found, steps)) = found else { return };
        self.steps += steps;
        match &mut self.columns {
            None => self.columns = Some(found),
            Some(columns) => columns.retain(|c, step| {
                let other = found.get(c);
                other.is_some_and(|other| (other - *step).abs() <= 2.0 * SAME_STEP * *step)
            }),
        }
    }

    /// The columns that grow by one step in all recordings, with their steps.
    pub fn columns(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        let enough = self.steps >= MIN_STEPS;
        let columns = self.columns.iter().flatten().map(|(&c, &step)| (c, step));
        columns.filter(move |_| enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(width: usize, features: Vec<f32>) -> Sequence {
        let intervals = (0..features.len() / width)
            .map(|k| [k as f64, k as f64 + 1.0])
            .collect();
        Sequence {
            width,
            features,
            intervals,
        }
    }

    #[test]
    fn counters_and_times_grow_and_features_do_not() {
        let mut growth = Growth::default();
        for (first, frames) in [(0, 6), (1000, 5), (0, 2)] {
            let row = |k: i32| {
                let k = (first + k) as f32;
                [k, k * 0.01, (k * 7.0) % 5.0, 3.0, k * k]
            };
            growth.add(of_recording(&sequence(
                5,
                (0..frames).flat_map(row).collect(),
            )));
        }
        let found: Vec<usize> = growth.columns().map(|(c, _)| c).collect();
        assert_eq!(found, [0, 1]);
        // A few frames may grow by chance, and another step in another recording is no counter.
        let mut few = Growth::default();
        few.add(of_recording(&sequence(1, vec![0.0, 1.0, 2.0])));
        assert_eq!(few.columns().count(), 0);
        few.add(of_recording(&sequence(
            1,
            (0..20).map(|k| k as f32 * 0.5).collect(),
        )));
        assert_eq!(few.columns().count(), 0);
    }
}
