//! Finished runs, read for a comparison.

use crate::run_folder::RunFolder;
use crate::statistics::read_statistics;
use crate::{Study, StudyError};
use eval::Metric;
use mosei_data::Prepared;
use report::{ComparedStudy, Comparison};
use std::collections::BTreeSet;

/// Reads the statistics of finished runs and compares them. The primary contrast is the first
/// run's.
///
/// # Errors
/// A run without statistics, or with those of other predictions; runs that have nothing in common.
pub fn compare(runs: &[RunFolder]) -> Result<Comparison, StudyError> {
    let (mut studies, mut inputs, mut primary) = (Vec::new(), BTreeSet::new(), None);
    for run in runs {
        run.read_plan()?;
        let study = Study::load(&run.config())?;
        let statistics = read_statistics(run)?.ok_or_else(|| StudyError::Run {
            path: run.path().to_path_buf(),
            problem: "expected a finished run, found no statistics.json in it".into(),
        })?;
        inputs.insert(input_hashes(run)?);
        primary.get_or_insert_with(|| {
            let metric = Metric::from_name(&study.report.primary_metric);
            (
                metric.unwrap_or(Metric::RocAuc),
                study.report.primary_labels.clone(),
            )
        });
        // Names tell runs apart for people; two of one name have their folders' as well.
        studies.push((
            study.name.clone(),
            run.path().display().to_string(),
            statistics,
        ));
    }
    let names: Vec<String> = studies.iter().map(|(name, _, _)| name.clone()).collect();
    let named = |(name, path, statistics): (String, String, _)| {
        let twice = names.iter().filter(|other| **other == name).count() > 1;
        ComparedStudy {
            name: if twice {
                format!("{name} ({path})")
            } else {
                name
            },
            statistics,
        }
    };
    let studies: Vec<ComparedStudy> = studies.into_iter().map(named).collect();
    let (metric, budget) = primary.unwrap_or((Metric::RocAuc, None));
    // Runs whose features and labels are byte for byte the same are of the same videos.
    Ok(report::compare(
        &studies,
        (metric, budget.as_deref()),
        inputs.len() == 1,
    )?)
}

/// The hashes of a run's features and labels.
fn input_hashes(run: &RunFolder) -> Result<BTreeSet<String>, StudyError> {
    let prepared = Prepared::open_unverified(&run.prepared())?;
    let inputs = prepared.manifest().inputs.iter();
    let data = inputs.filter(|file| file.key != "folds");
    Ok(data.map(|file| file.blake3.clone()).collect())
}
