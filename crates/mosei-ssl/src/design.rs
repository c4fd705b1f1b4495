//! What a study will be able to say, before it is run: the width of its confidence interval and the
//! hours it takes, beside designs around it.

use crate::run_folder::RunFolder;
use crate::statistics::read_statistics;
use crate::step::StudyStep;
use crate::{Study, StudyConfig, StudyError};
use eval::statistics::{Components, Design};
use eval::{MACRO, Metric};
use mosei_data::{Csd, LabelSet};
use run_record::StepRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A design with what it can be expected to give and to cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastDesign {
    /// What it changes in the study.
    pub name: &'static str,
    /// Its levels.
    pub design: Design,
    /// Half the width of the confidence interval of the primary contrast.
    pub half_width: Option<f64>,
    /// Processor time of all trainings; `None` where a step's time is not known.
    pub core_seconds: Option<f64>,
}

/// The designs around a study.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignForecast {
    /// The study first.
    pub designs: Vec<ForecastDesign>,
    /// Where the variances come from.
    pub assumption: String,
    /// The level of the intervals.
    pub level: f64,
}

/// A finished study that is asked for its variances and times.
struct Pilot {
    components: Components,
    videos: usize,
    /// Mean seconds of a step by what it trains.
    seconds: BTreeMap<String, f64>,
}

/// Forecasts the width of the interval and the time of a study and of designs around it.
///
/// Variances and times come from `pilot`, a finished run of the same data; without one the
/// variances are assumed ([`Components::ASSUMED`]) and `seconds_per_segment` gives the times.
/// `None` where the number of test videos is not known.
///
/// # Errors
/// A pilot that is not finished or lacks the contrast.
pub fn forecast_designs(
    study: &Study,
    data: Option<&Path>,
    pilot: Option<&RunFolder>,
    seconds_per_segment: Option<f64>,
) -> Result<Option<DesignForecast>, StudyError> {
    let pilot = pilot.map(|run| Pilot::read(run, study)).transpose()?;
    let counted = || test_videos(study, data);
    let Some(videos) = pilot.as_ref().map(|p| p.videos).or_else(counted) else {
        return Ok(None);
    };
    let (components, assumption) = match &pilot {
        Some(pilot) => (pilot.components, "of the pilot".to_string()),
        None => (
            Components::ASSUMED,
            "assumed (standard deviations of the difference: 0.05 between videos, 0.02 between folds, 0.01 between seeds and \
             between draws); a finished run of these data, as --pilot RUN, has the true ones"
                .to_string(),
        ),
    };
    let mut designs = Vec::new();
    for (name, change) in CHANGES {
        let mut config = StudyConfig::clone(study);
        change(&mut config);
        // A change that this study cannot have, such as partitions of a given split.
        let Ok(changed) = Study::check(config) else {
            continue;
        };
        if designs
            .iter()
            .any(|(_, known): &(_, Study)| *known == changed)
        {
            continue;
        }
        designs.push((name, changed));
    }
    let forecast = |(name, study): &(&'static str, Study)| {
        let design = design_of(study, videos)?;
        Ok(ForecastDesign {
            name,
            design,
            half_width: components.half_width(&design, study.report.level),
            core_seconds: seconds(study, pilot.as_ref(), seconds_per_segment)?,
        })
    };
    Ok(Some(DesignForecast {
        designs: designs
            .iter()
            .map(forecast)
            .collect::<Result<_, StudyError>>()?,
        assumption,
        level: study.report.level,
    }))
}

/// A change of a study, with its name.
type Change = (&'static str, fn(&mut StudyConfig));

/// What may be changed in a study.
const CHANGES: [Change; 4] = [
    ("as configured", |_| ()),
    ("one more partition", |c| {
        c.data.split.repeats += usize::from(c.data.split.k_folds > 0);
    }),
    ("one more training seed", |c| {
        c.grid
            .seeds
            .extend(c.grid.seeds.iter().max().map(|most| most + 1));
    }),
    ("one more label draw", |c| c.labels.draws += 1),
];

fn design_of(study: &Study, videos: usize) -> Result<Design, StudyError> {
    let split = &study.data.split;
    let folds = study.folds(split.fold_count())?;
    let partitions: BTreeSet<usize> = folds.iter().map(|&k| split.partition(k)).collect();
    Ok(Design {
        videos,
        folds: folds.len() / partitions.len().max(1),
        partitions: partitions.len(),
        seeds: study.grid.seeds.len(),
        draws: study.labels.draws,
        pretrain_seeds: study.grid.pretrain_seeds.as_ref().map(Vec::len),
    })
}

/// The number of test videos, from the labels or the synthetic corpus; `None` where they cannot be
/// read.
fn test_videos(study: &Study, data: Option<&Path>) -> Option<usize> {
    let all = match (data, &study.synth) {
        (Some(folder), _) => {
            let files: Result<Vec<Csd>, _> = study
                .data
                .labels
                .iter()
                .map(|name| Csd::open(&folder.join(name)))
                .collect();
            LabelSet::read(&files.ok()?).ok()?.videos.len()
        }
        (None, Some(synth)) => synth.videos,
        (None, None) => return None,
    };
    let split = &study.data.split;
    match (study.data.folds.is_some(), split.k_folds) {
        // A folds file may test any share of them.
        (true, _) => None,
        (false, 0) => Some((split.test_share * all as f64).round() as usize),
        (false, _) => Some(all),
    }
}

impl Pilot {
    fn read(run: &RunFolder, study: &Study) -> Result<Self, StudyError> {
        let problem = |problem: String| StudyError::Run {
            path: run.path().to_path_buf(),
            problem,
        };
        let plan = run.read_plan()?;
        let statistics = read_statistics(run)?.ok_or_else(|| {
            problem("expected a finished run as pilot, found no statistics.json in it".into())
        })?;
        let metric = Metric::from_name(&study.report.primary_metric);
        let wanted = study.report.primary_labels.as_deref();
        let budget = statistics
            .budgets
            .iter()
            .position(|b| wanted.is_none_or(|name| b.name == name));
        let contrast = statistics.contrasts.iter().find(|c| {
            (Some(c.metric), Some(c.budget), c.emotion.as_str()) == (metric, budget, MACRO)
        });
        let components = contrast.and_then(|c| Components::of(&statistics, c));
        let components = components.ok_or_else(|| {
            problem(format!(
                "expected the variances of {} - {} in macro {} with label budget {}, found none",
                statistics.analysis.treated,
                statistics.analysis.baseline,
                study.report.primary_metric,
                wanted.unwrap_or("the smallest")
            ))
        })?;
        let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for step in &plan.steps {
            if let Some(record) = StepRecord::read(&run.records(step)) {
                let trained = trained(&StudyStep::of(step)?);
                all.entry(trained).or_default().push(record.seconds);
            }
        }
        Ok(Pilot {
            components,
            videos: statistics.clusters,
            seconds: all
                .into_iter()
                .filter_map(|(what, seconds)| Some((what, eval::mean(seconds)?)))
                .collect(),
        })
    }
}

/// What a step trains, of which the time depends on it.
fn trained(step: &StudyStep) -> String {
    match step {
        StudyStep::Cell(cell) => format!("{} {}", cell.start, cell.budget),
        other => other.kind().to_string(),
    }
}

/// Processor time of the trainings of a study.
fn seconds(
    study: &Study,
    pilot: Option<&Pilot>,
    per_segment: Option<f64>,
) -> Result<Option<f64>, StudyError> {
    let steps = crate::plan::training_steps(study)?;
    let of = |step: &sweep::Step| -> Result<Option<f64>, StudyError> {
        Ok(match pilot {
            Some(pilot) => pilot.seconds.get(&trained(&StudyStep::of(step)?)).copied(),
            None => per_segment.map(|seconds| seconds * step.cost as f64),
        })
    };
    let mut total = 0.0;
    for step in &steps {
        match of(step)? {
            Some(seconds) => total += seconds * study.threads as f64,
            None => return Ok(None),
        }
    }
    Ok(Some(total))
}

impl DesignForecast {
    /// The table for people, with hours of `cores` cores.
    pub fn to_text(&self, cores: usize) -> String {
        let hours = |seconds: Option<f64>| {
            seconds.map_or("n/a".to_string(), |s| {
                match s / 3600.0 / cores.max(1) as f64 {
                    hours if hours < 1.0 => format!("{:.0} min", (hours * 60.0).max(1.0)),
                    hours => format!("{hours:.1} h"),
                }
            })
        };
        let width =
            |half: Option<f64>| half.map_or("n/a".to_string(), |half| format!("±{half:.3}"));
        let mut out = format!(
            "\nexpected {} % confidence interval of the primary contrast; variances {}\n{:<24}{:>11}{:>7}{:>7}{:>7}{:>10}  time on {}\n",
            self.level * 100.0,
            self.assumption,
            "",
            "partitions",
            "folds",
            "seeds",
            "draws",
            "width",
            match cores {
                1 => "1 core".into(),
                n => format!("{n} cores"),
            }
        );
        for of in &self.designs {
            let d = &of.design;
            out += &format!(
                "{:<24}{:>11}{:>7}{:>7}{:>7}{:>10}  {}\n",
                of.name,
                d.partitions,
                d.folds,
                d.seeds,
                d.draws,
                width(of.half_width),
                hours(of.core_seconds)
            );
        }
        let now = self.designs.first().map(|of| of.design);
        if now.is_some_and(|d| d.seeds == 1 || d.draws == 1 || d.pretrain_seeds == Some(1)) {
            out += "A source with one level has no part in the width: the result would be conditional on it.\n";
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(more: &str) -> Study {
        let text = format!("[synth]\nvideos = 40\n[labels]\ncounts = [24]\n{more}");
        Study::parse(Path::new("s.toml"), &text).unwrap()
    }

    fn forecast(more: &str) -> DesignForecast {
        let found = forecast_designs(&study(more), None, None, Some(0.001));
        found.unwrap().unwrap()
    }

    #[test]
    fn designs_around_a_study_are_narrower_and_cost_more() {
        let found = forecast("draws = 2\n[data.split]\nk_folds = 4\n[grid]\nseeds = [0, 1]\n");
        let names: Vec<&str> = found.designs.iter().map(|d| d.name).collect();
        assert_eq!(
            names,
            [
                "as configured",
                "one more partition",
                "one more training seed",
                "one more label draw"
            ]
        );
        let now = &found.designs[0];
        assert_eq!((now.design.videos, now.design.folds), (40, 4));
        for other in &found.designs[1..] {
            assert!(other.half_width < now.half_width, "{other:?}");
            assert!(other.core_seconds > now.core_seconds, "{other:?}");
        }
        let text = found.to_text(2);
        assert!(
            text.contains("time on 2 cores") && !text.contains("conditional"),
            "{text}"
        );
    }

    #[test]
    fn only_the_folds_that_are_run_count() {
        let found = forecast("[data.split]\nk_folds = 4\nrepeats = 3\n[grid]\nfolds = [4, 5]\n");
        let design = found.designs[0].design;
        assert_eq!((design.partitions, design.folds), (1, 2));
    }

    #[test]
    fn a_single_split_has_no_partitions_to_add() {
        let found = forecast("[grid]\nseeds = [0]\n");
        assert_eq!(
            found.designs[0].design.videos, 8,
            "a fifth of them is tested"
        );
        assert!(found.designs.iter().all(|d| d.name != "one more partition"));
        assert!(found.to_text(1).contains("conditional on it"));
    }
}
