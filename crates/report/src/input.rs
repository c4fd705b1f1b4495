use eval::Metric;
use eval::run::{PretrainSeeds, Run};
use eval::statistics::StudyStatistics;
use run_record::ResultRow;

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportInput {
    /// Name of the study.
    pub name: String,
    /// What a reader needs to assess or reproduce the run: data, settings, versions, hashes.
    pub facts: Vec<FactGroup>,
    /// The resolved config, as TOML.
    pub config_toml: String,
    /// The rows of `results.csv`; only those of the test split are shown.
    pub results: Vec<ResultRow>,
    /// Differences with their confidence intervals and tests; `None` where they were not computed:
    /// then no difference is claimed.
    pub statistics: Option<StudyStatistics>,
    /// Rows of the trivial predictors (`always-absent`, `training-mean`, …), one per fold; their
    /// start is their name, and their label budget is ignored.
    pub trivial: Vec<ResultRow>,
    /// Starts in the order to show them; others found in the rows follow.
    pub starts: Vec<String>,
    /// Emotions in the order to show them; others found in the rows follow.
    pub emotions: Vec<String>,
    /// Loss curves, one an encoder.
    pub pretraining: Vec<Curve>,
    /// One encoder's reconstruction of masked frames.
    pub reconstruction: Option<Reconstruction>,
    /// The fine-tunings of the [`crate::headline_cells`].
    pub trainings: Vec<Training>,
    /// The trainings of the learning-rate search; empty where there was none.
    pub search: Vec<Candidate>,
    /// The scores of these cells in the test split.
    pub scored: Vec<ScoredRows>,
    /// Cells that failed: key and error.
    pub failures: Vec<(String, String)>,
    /// Limitations, as sentences.
    pub notes: Vec<String>,
    /// Name of the primary metric.
    pub primary_metric: String,
    /// Name of the primary label budget, where one was chosen before the run; `None` is the budget
    /// with the fewest labels, and the report then states that none was chosen.
    pub primary_budget: Option<String>,
    /// How the plan varies pre-training.
    pub pretrain_seeds: PretrainSeeds,
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
            reconstruction: None,
            trainings: Vec::new(),
            search: Vec::new(),
            scored: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
            primary_metric: Metric::RocAuc.name().to_string(),
            primary_budget: None,
            pretrain_seeds: PretrainSeeds::None,
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

/// The losses of one training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Which training.
    pub name: String,
    /// Its points, by step.
    pub points: Vec<CurvePoint>,
}

/// The losses at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Optimiser steps so far.
    pub step: u64,
    /// Mean loss of the training batches since the point before.
    pub train_loss: f64,
    /// The same over the validation split, where it was measured.
    pub valid_loss: Option<f64>,
}

/// The fine-tuning of one cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Training {
    /// The cell's start.
    pub start: String,
    /// Its losses.
    pub curve: Curve,
    /// The step that model selection chose.
    pub best_step: Option<u64>,
}

/// One training of a cell's search for its learning rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// The cell's start.
    pub start: String,
    /// Name of its label budget.
    pub budget: String,
    /// Times the learning rate of the configuration.
    pub factor: f64,
    /// The best score on the validation split; higher is better.
    pub score: f64,
    /// Whether model selection chose it.
    pub chosen: bool,
}

/// The scores of one cell for one emotion in its test segments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoredRows {
    /// The cell's key.
    pub cell: String,
    /// Its start.
    pub start: String,
    /// Seeds and label draw: cells that differ in nothing but the fold are one run.
    pub run: Run,
    /// Name of the emotion.
    pub emotion: String,
    /// Whether it is present, by segment.
    pub present: Vec<bool>,
    /// Predicted probability that it is, by segment.
    pub score: Vec<f64>,
}

/// An encoder's reconstruction of the masked frames of one segment that it was not trained on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reconstruction {
    /// Which encoder and which segment, in words.
    pub name: String,
    /// Seconds between frames, where known.
    pub frame_s: Option<f64>,
    /// Whether a frame was masked, by frame.
    pub hidden: Vec<bool>,
    /// Each column's values.
    pub columns: Vec<RebuiltColumn>,
}

/// One feature column of a [`Reconstruction`], in standard deviations from its mean.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebuiltColumn {
    /// Name of the column.
    pub name: String,
    /// The values, by frame.
    pub input: Vec<f64>,
    /// The reconstruction, where the frame was masked.
    pub guess: Vec<Option<f64>>,
}
