//! Runs: what a study's numbers are means over, and which of them are pairs.
//!
//! A run of a start and a budget has three sources of variation: what its training seed moves (first weights, batches,
//! dropout), its label draw, and its pre-training. Where each training seed has a pre-training of the same number, the two
//! are tied: they move together and count as one source, the training seed.

/// What a run of a start and a budget is told apart by; its folds are parts of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Training seed.
    pub seed: i32,
    /// Label draw.
    pub draw: i32,
    /// Seed of its pre-training; `None` for a start without one, and where it is tied to the training seed.
    pub pretrain_seed: Option<i32>,
}

impl Run {
    /// The pair that two runs are, if they are one: of one training seed and label draw, and of one pre-training where both
    /// have one. A run without pre-training is the counterpart of each pre-training's.
    pub fn pair(self, other: Run) -> Option<Run> {
        let same = (self.seed, self.draw) == (other.seed, other.draw)
            && (self.pretrain_seed.is_none() || other.pretrain_seed.is_none() || self == other);
        same.then_some(Run { pretrain_seed: self.pretrain_seed.or(other.pretrain_seed), ..self })
    }
}

/// How a study varies pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PretrainSeeds {
    /// No start is pre-trained, or nobody wrote down by which seed.
    None,
    /// Each training seed has a pre-training of the same number.
    Tied,
    /// Training seeds meet other pre-trainings than their own.
    Crossed,
}

impl PretrainSeeds {
    /// What the cells of a study tell: the training seed and the seed of the pre-training of each.
    pub fn of(cells: impl IntoIterator<Item = (i32, Option<i32>)>) -> Self {
        let mut found = PretrainSeeds::None;
        for (seed, pretrain_seed) in cells {
            match pretrain_seed {
                Some(p) if p != seed => return PretrainSeeds::Crossed,
                Some(_) => found = PretrainSeeds::Tied,
                None => {}
            }
        }
        found
    }

    /// The run of a cell of such a study.
    pub fn run(self, seed: i32, draw: i32, pretrain_seed: Option<i32>) -> Run {
        Run { seed, draw, pretrain_seed: pretrain_seed.filter(|_| self == PretrainSeeds::Crossed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pretraining_of_the_same_number_is_no_source_of_its_own() {
        let way = PretrainSeeds::of([(0, None), (0, Some(0)), (1, Some(1))]);
        assert_eq!((way, way.run(1, 4, Some(1)).pretrain_seed), (PretrainSeeds::Tied, None));
        let way = PretrainSeeds::of([(0, Some(0)), (1, Some(0))]);
        assert_eq!((way, way.run(0, 4, Some(0)).pretrain_seed), (PretrainSeeds::Crossed, Some(0)));
        assert_eq!(PretrainSeeds::of([(3, None)]), PretrainSeeds::None);
    }

    #[test]
    fn one_run_without_pretraining_meets_all_that_have_one() {
        let run = |seed, pretrain_seed| Run { seed, draw: 0, pretrain_seed };
        assert_eq!(run(1, Some(2)).pair(run(1, None)), Some(run(1, Some(2))));
        assert_eq!(run(1, None).pair(run(1, Some(2))), Some(run(1, Some(2))));
        assert_eq!(run(1, Some(2)).pair(run(1, Some(3))), None);
        assert_eq!(run(1, Some(2)).pair(run(2, None)), None);
        assert_eq!(run(1, None).pair(run(1, None)), Some(run(1, None)));
    }
}
