//! Whether a run kept its rules, computed again from its files.
//!
//! What lives here: the table of rules, and the walk through it. What does not: the rules
//! themselves (a file for each kind of evidence), and anything that trains or predicts. A run that
//! is half done is audited as far as it goes.

mod cells;
mod evidence;
mod folds;
mod integrity;
mod machines;
mod pairing;
mod pretraining;
mod statistics;
mod subsets;
mod videos;

use crate::StudyError;
use crate::run_folder::RunFolder;
use evidence::{Cell, Evidence};
use run_record::error_chain;
use serde::{Deserialize, Serialize};

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds for everything that was checked.
    Ok,
    /// It does not. That breaks no promise, but readers of the results should know.
    Noted,
    /// It does not.
    Broken,
    /// There was nothing to check.
    NotChecked,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Noted => "noted",
            Outcome::Broken => "broken",
            Outcome::NotChecked => "not checked",
        }
    }
}

/// One rule and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name.
    pub rule: String,
    /// What it says.
    pub says: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was checked; the first id that breaks the rule, and how many more; or why nothing was
    /// checked.
    pub detail: String,
}

/// All rules and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Whether none is broken.
    pub holds: bool,
    /// In the order of the table.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// One line a rule.
    pub fn to_text(&self) -> String {
        let width = self
            .findings
            .iter()
            .map(|f| f.rule.len())
            .max()
            .unwrap_or(0);
        let line = |f: &Finding| {
            format!(
                "{:<11}  {:<width$}  {}\n",
                f.outcome.name(),
                f.rule,
                f.detail
            )
        };
        self.findings.iter().map(line).collect()
    }

    /// The broken rules.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|f| f.outcome == Outcome::Broken)
    }
}

/// What a rule finds: an outcome with its detail.
struct Verdict(Outcome, String);

impl Verdict {
    fn ok(checked: impl Into<String>) -> Self {
        Verdict(Outcome::Ok, checked.into())
    }

    fn noted(what: impl Into<String>) -> Self {
        Verdict(Outcome::Noted, what.into())
    }

    fn not_checked(why: impl Into<String>) -> Self {
        Verdict(Outcome::NotChecked, why.into())
    }

    /// Broken by the first problem, if there is one.
    fn of(problems: &[String], checked: impl Into<String>) -> Self {
        match problems {
            [] => Verdict::ok(checked),
            [one] => Verdict(Outcome::Broken, one.clone()),
            [first, more @ ..] => Verdict(
                Outcome::Broken,
                format!("{first} (and {} more)", more.len()),
            ),
        }
    }
}

/// How a rule is checked.
enum Check {
    /// Once.
    Run(fn(&Evidence) -> Result<Verdict, StudyError>),
    /// At each finished cell: the problems it has.
    Cell(fn(&Evidence, &Cell<'_>) -> Result<Vec<String>, StudyError>),
    /// At what the finished cells' journals say, all together.
    Journals(fn(&Evidence, &[pairing::Record]) -> Verdict),
}

struct Rule {
    name: &'static str,
    says: &'static str,
    check: Check,
}

const fn rule(name: &'static str, says: &'static str, check: Check) -> Rule {
    Rule { name, says, check }
}

static RULES: [Rule; 25] = [
    rule(
        "videos-in-one-split",
        "no video is in two splits of a fold",
        Check::Run(folds::videos_in_one_split),
    ),
    rule(
        "segment-ids-in-one-split",
        "ids that name segments of one video (VIDEO[3], VIDEO$_$3) are in one split of a fold",
        Check::Run(videos::segment_ids_in_one_split),
    ),
    rule(
        "segments-in-one-split",
        "every labelled segment with frames is in exactly one split of each fold",
        Check::Run(folds::segments_in_one_split),
    ),
    rule(
        "sizes-as-recorded",
        "the splits have the sizes that the manifest records",
        Check::Run(folds::sizes_as_recorded),
    ),
    rule(
        "videos-tested-once",
        "a cross-validation tests each video once",
        Check::Run(folds::videos_tested_once),
    ),
    rule(
        "overlaps-in-one-split",
        "segments of one video that overlap in time are in one split",
        Check::Run(folds::overlaps_in_one_split),
    ),
    rule(
        "statistics-of-training",
        "means and standard deviations are those of the training segments' frames alone",
        Check::Run(statistics::of_training_alone),
    ),
    rule(
        "statistics-of-encoders",
        "every pre-trained encoder carries the statistics of its fold",
        Check::Run(statistics::of_encoders),
    ),
    rule(
        "pretraining-on-training",
        "pre-training saw training videos of its fold alone, but for the ablation that is named transductive",
        Check::Run(pretraining::on_training_alone),
    ),
    rule(
        "stretches-outside-segments",
        "unlabelled speech overlaps no labelled segment",
        Check::Run(pretraining::stretches_outside_segments),
    ),
    rule(
        "subsets-of-training",
        "label budgets are drawn from training segments of their fold, each once",
        Check::Run(subsets::of_training),
    ),
    rule(
        "subsets-nested",
        "a smaller budget lies within every larger one of its draw",
        Check::Run(subsets::nested),
    ),
    rule(
        "cells-as-planned",
        "finished cells have the settings of the plan",
        Check::Cell(cells::as_planned),
    ),
    rule(
        "encoders-of-their-kind",
        "every start had an encoder of its own kind of pre-training, and the ablation's went nowhere else",
        Check::Cell(pretraining::of_its_kind),
    ),
    rule(
        "judged-on-the-split",
        "a cell's rows are its fold's validation and test segments, each once for every emotion",
        Check::Cell(cells::judged_on_the_split),
    ),
    rule(
        "labels-unaltered",
        "labels beside predictions are those of the data",
        Check::Cell(cells::labels_unaltered),
    ),
    rule(
        "test-labels-read-once",
        "test labels are read once, after the last step and the last validation",
        Check::Cell(cells::test_labels_read_once),
    ),
    rule(
        "same-labels",
        "every start of a budget and draw has the same labelled segments",
        Check::Journals(pairing::labels),
    ),
    rule(
        "same-beginning",
        "every start of a budget, draw and seed has the same first heads, batches and dropout",
        Check::Journals(pairing::beginnings),
    ),
    rule(
        "collected-as-predicted",
        "the run's table of predictions holds what its cells predicted",
        Check::Run(cells::collected),
    ),
    rule(
        "grid-as-configured",
        "the plan's cells are those of the configuration",
        Check::Run(integrity::grid),
    ),
    rule(
        "files-unaltered",
        "what finished steps left is what they wrote",
        Check::Run(integrity::outputs),
    ),
    rule(
        "tables-unaltered",
        "the run's tables are those that were collected from the plan's cells, and its statistics are of these tables",
        Check::Run(integrity::tables),
    ),
    rule(
        "measured-as-predicted",
        "the results are what the metrics say of the run's table of predictions",
        Check::Run(integrity::measured),
    ),
    rule(
        "made-alike",
        "all trainings were made with one instruction set, libtorch, number of threads and precision",
        Check::Run(machines::made_alike),
    ),
];

/// Checks every rule of a run folder, finished or not.
///
/// # Errors
/// A folder without a plan or without prepared data, or whose prepared data cannot be opened.
/// Anything else that cannot be read breaks the rule that needs it.
pub fn audit(run: &RunFolder) -> Result<Audit, StudyError> {
    let evidence = Evidence::open(run)?;
    let (problems, records) = check_cells(&evidence);
    let cells = evidence.finished_cells().count();
    let mut findings = Vec::new();
    for (i, Rule { name, says, check }) in RULES.iter().enumerate() {
        let Verdict(outcome, detail) = match check {
            Check::Run(check) => {
                check(&evidence).unwrap_or_else(|e| Verdict::of(&[error_chain(&e)], ""))
            }
            Check::Cell(_) | Check::Journals(_) if cells == 0 => {
                Verdict::not_checked("no cell is finished yet")
            }
            Check::Cell(_) => Verdict::of(
                &problems[i],
                format!("{cells} finished cells of {}", evidence.cells().count()),
            ),
            Check::Journals(check) => check(&evidence, &records),
        };
        findings.push(Finding {
            rule: (*name).into(),
            says: (*says).into(),
            outcome,
            detail,
        });
    }
    Ok(Audit {
        holds: findings.iter().all(|f| f.outcome != Outcome::Broken),
        findings,
    })
}

/// Reads each finished cell once: its problems by rule, and the record of its journal.
fn check_cells(evidence: &Evidence) -> (Vec<Vec<String>>, Vec<pairing::Record>) {
    let mut problems = vec![Vec::new(); RULES.len()];
    let mut records = Vec::new();
    for step in evidence.finished_cells() {
        let cell = match evidence.cell(step) {
            Ok(cell) => cell,
            Err(e) => {
                // What cannot be read is as good as altered; the first rule about cells says so.
                let first = RULES.iter().position(|r| matches!(r.check, Check::Cell(_)));
                problems[first.unwrap_or(0)].push(format!("{}: {}", step.id, error_chain(&e)));
                continue;
            }
        };
        for (rule, problems) in RULES.iter().zip(&mut problems) {
            if let Check::Cell(check) = rule.check {
                match check(evidence, &cell) {
                    Ok(found) => {
                        problems.extend(found.into_iter().map(|p| format!("{}: {p}", step.id)))
                    }
                    Err(e) => problems.push(format!("{}: {}", step.id, error_chain(&e))),
                }
            }
        }
        records.push(pairing::Record::of(&cell));
    }
    (problems, records)
}
