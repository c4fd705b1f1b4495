use eval::Metric;
use eval::statistics::StudyStatistics;
use run_record::ResultRow;

/// All that a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportInput {
    /// Name of the study.
    pub name: String,
    /// What the reader must know to judge or repeat the run: data, settings, versions, hashes.
    pub facts: Vec<FactGroup>,
    /// The resolved config, as TOML.
    pub config_toml: String,
    /// The rows of `results.csv`; only those of the test split are shown.
    pub results: Vec<ResultRow>,
    /// What `eval` says of the differences and how sure it is; `None` where it was not computed: then no difference is
    /// claimed.
    pub statistics: Option<StudyStatistics>,
    /// Rows of predictors that need no model (`always-absent`, `training-mean`, …), one a fold; their start is their name,
    /// their label budget is not looked at.
    pub trivial: Vec<ResultRow>,
    /// Starts in the order to show them; others found in the rows follow.
    pub starts: Vec<String>,
    /// Emotions in the order to show them; others found in the rows follow.
    pub emotions: Vec<String>,
    /// Loss curves, one an encoder.
    pub pretraining: Vec<Curve>,
    /// Cells that failed: key and error.
    pub failures: Vec<(String, String)>,
    /// What limits the findings, in the caller's words.
    pub notes: Vec<String>,
    /// Name of the metric that the verdict rests on.
    pub primary_metric: String,
    /// Labels (mean over folds) of the budget that the verdict rests on; `None` is the budget with the fewest.
    pub primary_labels: Option<f64>,
    /// Cells that were planned.
    pub planned_cells: usize,
    /// Cells that are finished.
    pub finished_cells: usize,
}

impl Default for ReportInput {
    /// An empty study whose verdict would rest on ROC AUC.
    fn default() -> Self {
        ReportInput {
            name: String::new(),
            facts: Vec::new(),
            config_toml: String::new(),
            results: Vec::new(),
            statistics: None,
            trivial: Vec::new(),
            starts: Vec::new(),
            emotions: Vec::new(),
            pretraining: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
            primary_metric: Metric::RocAuc.name().to_string(),
            primary_labels: None,
            planned_cells: 0,
            finished_cells: 0,
        }
    }
}

/// Facts under one heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactGroup {
    /// The heading.
    pub title: String,
    /// Name and value of each.
    pub rows: Vec<(String, String)>,
}

/// The loss curve of one encoder's pre-training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Which encoder.
    pub name: String,
    /// Its points, by step.
    pub points: Vec<CurvePoint>,
}

/// The losses at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Optimiser steps so far.
    pub step: u64,
    /// Loss over the hidden frames of training batches.
    pub train_loss: f64,
    /// The same over validation speech, where it was measured.
    pub valid_loss: Option<f64>,
}
