//! Runs: the units over which a study's values are means, and their pairs.
//!
//! A run of a start and a budget has four sources of variation: the partition of the videos into
//! folds, what its training seed moves (first weights, batches, dropout), its label draw, and its
//! pre-training. Where each training
//! seed has a pre-training of the same number, the two are tied: they move together and count as
//! one source, the training seed.

use run_record::{CellId, ResultRow};

/// The identity of a run of a start and a budget; the folds of its partition are parts of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Partition of the videos into folds.
    pub partition: i32,
    /// Training seed.
    pub seed: i32,
    /// Label draw.
    pub draw: i32,
    /// Seed of its pre-training; `None` for a start without one, and where it is tied to the
    /// training seed.
    pub pretrain_seed: Option<i32>,
}

impl Run {
    /// The pair that two runs form, if they do: with the same partition, training seed and label
    /// draw, and the same pre-training where both have one. A run without pre-training is the counterpart of a
    /// run of every pre-training.
    pub fn pair(self, other: Run) -> Option<Run> {
        let same = (self.partition, self.seed, self.draw)
            == (other.partition, other.seed, other.draw)
            && (self.pretrain_seed.is_none() || other.pretrain_seed.is_none() || self == other);
        same.then_some(Run {
            pretrain_seed: self.pretrain_seed.or(other.pretrain_seed),
            ..self
        })
    }
}

/// How a study varies pre-training: a fact of its plan, whatever part of it has finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretrainSeeds {
    /// No start is pre-trained.
    #[default]
    None,
    /// Each training seed has a pre-training of the same number.
    Tied,
    /// Training seeds meet other pre-trainings than their own.
    Crossed,
}

impl PretrainSeeds {
    /// The run of a cell of such a study.
    pub fn run(self, cell: &CellId) -> Run {
        self.run_of(cell.partition, cell.seed, cell.draw, cell.pretrain_seed)
    }

    /// The run of a measurement of such a study.
    pub fn run_of_row(self, row: &ResultRow) -> Run {
        self.run_of(row.partition, row.seed, row.draw, row.pretrain_seed)
    }

    fn run_of(self, partition: i32, seed: i32, draw: i32, pretrain_seed: Option<i32>) -> Run {
        Run {
            partition,
            seed,
            draw,
            pretrain_seed: pretrain_seed.filter(|_| self == PretrainSeeds::Crossed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_crossed_pretraining_is_a_source_of_its_own() {
        let seed = |way: PretrainSeeds| way.run_of(0, 1, 4, Some(1)).pretrain_seed;
        // In a crossed study the run (1, 1) has a pre-training of its own even where it is the only
        // one that has finished.
        assert_eq!(
            [
                PretrainSeeds::None,
                PretrainSeeds::Tied,
                PretrainSeeds::Crossed
            ]
            .map(seed),
            [None, None, Some(1)]
        );
    }

    #[test]
    fn one_run_without_pretraining_meets_all_that_have_one() {
        let run = |seed, pretrain_seed| Run {
            seed,
            pretrain_seed,
            ..Run::default()
        };
        assert_eq!(run(1, Some(2)).pair(run(1, None)), Some(run(1, Some(2))));
        assert_eq!(run(1, None).pair(run(1, Some(2))), Some(run(1, Some(2))));
        assert_eq!(run(1, Some(2)).pair(run(1, Some(3))), None);
        assert_eq!(run(1, Some(2)).pair(run(2, None)), None);
        let elsewhere = Run {
            partition: 1,
            ..run(1, None)
        };
        assert_eq!(run(1, Some(2)).pair(elsewhere), None);
        assert_eq!(run(1, None).pair(run(1, None)), Some(run(1, None)));
    }
}
