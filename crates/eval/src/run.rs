//! Runs: the units over which a study's values are means, and their pairs.
//!
//! A run of a start and a budget has three sources of variation: what its training seed moves
//! (first weights, batches, dropout), its label draw, and its pre-training. Where each training
//! seed has a pre-training of the same number, the two are tied: they move together and count as
//! one source, the training seed.

/// The identity of a run of a start and a budget; its folds are parts of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Training seed.
    pub seed: i32,
    /// Label draw.
    pub draw: i32,
    /// Seed of its pre-training; `None` for a start without one, and where it is tied to the
    /// training seed.
    pub pretrain_seed: Option<i32>,
}

impl Run {
    /// The pair that two runs form, if they do: with the same training seed and label draw, and the
    /// same pre-training where both have one. A run without pre-training is the counterpart of a
    /// run of every pre-training.
    pub fn pair(self, other: Run) -> Option<Run> {
        let same = (self.seed, self.draw) == (other.seed, other.draw)
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
    pub fn run(self, seed: i32, draw: i32, pretrain_seed: Option<i32>) -> Run {
        Run {
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
        let seed = |way: PretrainSeeds| way.run(1, 4, Some(1)).pretrain_seed;
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
            draw: 0,
            pretrain_seed,
        };
        assert_eq!(run(1, Some(2)).pair(run(1, None)), Some(run(1, Some(2))));
        assert_eq!(run(1, None).pair(run(1, Some(2))), Some(run(1, Some(2))));
        assert_eq!(run(1, Some(2)).pair(run(1, Some(3))), None);
        assert_eq!(run(1, Some(2)).pair(run(2, None)), None);
        assert_eq!(run(1, None).pair(run(1, None)), Some(run(1, None)));
    }
}
