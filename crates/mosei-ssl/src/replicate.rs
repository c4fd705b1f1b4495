//! The configuration of an independent replication of a study.

use crate::{GridConfig, Study, StudyConfig, StudyError};

/// The configuration that repeats a study with another partition of the videos, other training
/// seeds, pre-trainings and label draws, and nothing else. `number` numbers the replications of a
/// study, from 1; two of them have no seed in common with each other or with the study.
///
/// # Errors
/// A number of 0; seeds that would not fit their type.
pub fn replication(study: &Study, number: u32) -> Result<Study, StudyError> {
    let invalid = |expected: &str| StudyError::Argument {
        what: "--seed",
        expected: expected.into(),
        found: number.to_string(),
    };
    if number == 0 {
        return Err(invalid("a number from 1: 0 would be the study itself"));
    }
    let mut config = StudyConfig::clone(study);
    let moved = |seed: u64| seed.checked_add(u64::from(number));
    let too_large = || invalid("a smaller number");
    let [split, labels] = [config.data.split.seed, config.labels.seed].map(moved);
    config.data.split.seed = split.ok_or_else(too_large)?;
    config.labels.seed = labels.ok_or_else(too_large)?;
    let step = distance(&config.grid);
    let shift = |seeds: &mut Vec<u32>| -> Option<()> {
        for seed in seeds {
            *seed = step.checked_mul(number)?.checked_add(*seed)?;
        }
        Some(())
    };
    shift(&mut config.grid.seeds).ok_or_else(too_large)?;
    if let Some(seeds) = &mut config.grid.pretrain_seeds {
        shift(seeds).ok_or_else(too_large)?;
    }
    config.name = format!("{}-replication-{number}", config.name);
    Study::check(config).map_err(|e| StudyError::Argument {
        what: "--seed",
        expected: e.expected,
        found: e.found,
    })
}

/// How far the seeds of a replication are from those before: no seed is met twice.
fn distance(grid: &GridConfig) -> u32 {
    let pretraining = grid.pretrain_seeds.iter().flatten();
    let seeds = || grid.seeds.iter().chain(pretraining.clone()).copied();
    let (low, high) = (seeds().min().unwrap_or(0), seeds().max().unwrap_or(0));
    (high - low).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn study(grid: &str) -> Study {
        let text = format!(
            "name = \"x\"\n[synth]\n[data.split]\nk_folds = 4\nrepeats = 2\nseed = 7\n[labels]\ncounts = [24]\n[grid]\n{grid}\n"
        );
        Study::parse(Path::new("s.toml"), &text).unwrap()
    }

    #[test]
    fn only_what_a_replication_would_have_otherwise_changes() {
        let original = study("seeds = [2, 5]\npretrain_seeds = [0, 1]");
        let replication = |n| replication(&original, n).unwrap();
        let first = replication(1);
        assert_eq!(first.name, "x-replication-1");
        assert_eq!((first.data.split.seed, first.labels.seed), (8, 1));
        assert_eq!(first.grid.seeds, [8, 11]);
        assert_eq!(first.grid.pretrain_seeds, Some(vec![6, 7]));
        let mut back = StudyConfig::clone(&first);
        (back.name, back.grid) = (original.name.clone(), original.grid.clone());
        (back.data.split.seed, back.labels.seed) = (7, 0);
        assert_eq!(back, *original);
        // No seed is met twice.
        let all = [original.clone(), first, replication(2), replication(3)];
        let seeds: Vec<u32> = all.iter().flat_map(|s| s.grid.seeds.clone()).collect();
        assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), seeds.len());
        let message = super::replication(&original, 0).unwrap_err().to_string();
        assert!(
            message.contains("--seed: expected a number from 1"),
            "{message}"
        );
        let message = super::replication(&original, u32::MAX)
            .unwrap_err()
            .to_string();
        assert!(message.contains("a smaller number"), "{message}");
    }
}
