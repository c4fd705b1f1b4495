//! Fine-tuning: one cell of the grid, from a start and a few labels to predictions.

mod config;
mod outcome;
mod pooled;
mod task;

pub use config::{FinetuneConfig, HeadInit, PositiveWeight, Select, Threshold, ValidationLabels};

use crate::card::{CardNotes, ModelFacts, Score};
use crate::encodings::Encodings;
use crate::event::{Candidate, Event, JOURNAL_FILE, finite, hash_of_tensors};
use crate::initial_model::{initial_encoder, initial_heads};
use crate::input::InputFacts;
use crate::log::move_events;
use crate::predict::Scores;
use crate::subsets::{read_subset, read_validation_subset};
use crate::training::{OutputOptions, end_journal};
use crate::{Corpus, EncodeRun, Model, Summary, TrainError, TrainingConfig, encode, train};
use backbone::{EmotionHeads, Encoder, EncoderConfig};
use mosei_schema::{LabelBudget, Split, Start};
use run_record::{CellId, CellPredictions, Journal, StagedDir, read_to_string, write_atomic};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use task::{Finetuning, Shared};

/// A cell's predictions, in its folder.
pub const PREDICTIONS_FILE: &str = "predictions.parquet";
const ENCODINGS_FILE: &str = "encodings.safetensors";
/// The trainings of a learning-rate search, a folder each, until one is selected.
const CANDIDATES: &str = "candidates";

/// One cell of the grid: everything that its outcome depends on, and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct FinetuneRun<'a> {
    /// How it learns.
    pub config: &'a FinetuneConfig,
    /// Shape of the encoder.
    pub encoder: &'a EncoderConfig,
    /// What it begins with.
    pub start: Start,
    /// The pre-trained encoder's folder, for the starts that have one.
    pub pretrained: Option<&'a Path>,
    /// The output of [`encode`] for the fold, for the starts with a frozen encoder; computed here
    /// where it is not given.
    pub encodings: Option<&'a Path>,
    /// The table of labelled training segments, as [`crate::write_subsets`] writes it.
    pub subsets: &'a Path,
    /// The table of labelled validation segments, where `validation_labels` is `budget`.
    pub validation_subsets: Option<&'a Path>,
    /// Label budget.
    pub budget: LabelBudget,
    /// Label draw.
    pub draw: usize,
    /// Training seed.
    pub seed: u32,
    /// Seed of the encoder's pre-training, for the starts that have one.
    pub pretrain_seed: u32,
    /// Where its files go.
    pub output: OutputOptions<'a>,
    /// What the model's card says beside its measurements.
    pub card: CardNotes<'a>,
}

/// Trains one cell and writes into its folder: `predictions.parquet`, `model/` where it is kept,
/// `journal.jsonl`.
///
/// Every start of a (fold, budget, seed, draw) has the same labels, random head weights, batches
/// and dropout.
///
/// # Errors
/// Labels, an encoder or encodings that do not fit the corpus; a training that diverges; a file
/// that cannot be written.
pub fn finetune(run: &FinetuneRun<'_>, corpus: &mut Corpus) -> Result<Summary, TrainError> {
    let mut test_labels = corpus.take_test_labels()?;
    let (fraction, labelled) = read_subset(run.subsets, corpus, run.draw, run.budget)?;
    if run.config.validation_labels == ValidationLabels::Budget {
        let table = run.validation_subsets.ok_or_else(|| TrainError::Argument {
            what: "--validation-subsets",
            expected: "the table of labelled validation segments, as finetune.validation_labels is \"budget\"".into(),
            found: "none".into(),
        })?;
        let selection = read_validation_subset(table, corpus, run.draw, run.budget)?;
        corpus.limit_selection(selection, &mut test_labels);
    }
    let out = run.output.folder;
    crate::checkpoint::remove_outputs(out, &["model", PREDICTIONS_FILE])?;
    let cell = Cell {
        run,
        labelled: &labelled,
    };
    let Trained {
        summary,
        predicted,
        thresholds,
        model,
    } = if run.start == Start::PooledLogistic {
        pooled::fit(&cell, corpus)?
    } else {
        cell.train(corpus)?
    };
    let id = CellId {
        cell: run.output.key.to_string(),
        partition: corpus.fold().partition as i32,
        fold: corpus.fold_index as i32,
        start: run.start.name().to_string(),
        fraction,
        n_labels: labelled.len() as i32,
        seed: run.seed as i32,
        draw: run.draw as i32,
        budget: run.budget.to_string(),
        pretrain_seed: run
            .start
            .is_pretrained()
            .then_some(run.pretrain_seed as i32),
    };
    // Nothing is learned or selected after this line.
    let released = test_labels.release(
        &mut Journal::append(&out.join(JOURNAL_FILE))?,
        summary.steps,
    )?;
    let mut rows = Vec::new();
    for (split, scores) in [
        (Split::Valid, &predicted.valid),
        (Split::Test, &predicted.test),
    ] {
        rows.extend(outcome::rows(corpus, split, scores, &thresholds, &released));
    }
    let predictions = CellPredictions { id, rows };
    predictions.to_table().write(&out.join(PREDICTIONS_FILE))?;
    if let Some(model) = model {
        write_model(&model, run, corpus, &predictions)?;
    }
    end_journal(out, &summary)?;
    crate::checkpoint::remove_outputs(out, &[CANDIDATES])?;
    crate::checkpoint::remove(out)?;
    Ok(summary)
}

/// What a trained cell predicts of the segments it is evaluated on, made without their labels.
struct Predicted {
    valid: Scores,
    test: Scores,
}

impl Predicted {
    /// Thresholds by emotion; where they are tuned, by the scores of the segments used for model
    /// selection, which are the validation split or some of it.
    fn thresholds(
        &self,
        corpus: &Corpus,
        rule: Threshold,
        predict: impl Fn(&[usize]) -> Result<Scores, TrainError>,
    ) -> Result<Vec<f64>, TrainError> {
        if rule == Threshold::Fixed || corpus.selection() == corpus.fold().valid {
            return Ok(outcome::thresholds(corpus, rule, &self.valid));
        }
        Ok(outcome::thresholds(
            corpus,
            rule,
            &predict(corpus.selection())?,
        ))
    }
}

/// The outcome of a cell's training.
struct Trained {
    summary: Summary,
    predicted: Predicted,
    /// By emotion.
    thresholds: Vec<f64>,
    /// Where it is to be kept.
    model: Option<Model>,
}

/// Writes a cell's `model/`, with its measurements.
fn write_model(
    model: &Model,
    run: &FinetuneRun<'_>,
    corpus: &Corpus,
    predictions: &CellPredictions,
) -> Result<(), TrainError> {
    let scores = eval::measure_cell(predictions)?
        .into_iter()
        .map(Score::of)
        .collect();
    let facts = ModelFacts::new(run.card, predictions.id.clone(), scores);
    let input = InputFacts::of(corpus.prepared.manifest());
    let staged = StagedDir::create(&run.output.folder.join("model"))?;
    model.write(&input, staged.path())?;
    facts.write(model, &input, staged.path())?;
    Ok(staged.commit()?)
}

/// A cell, its labels drawn.
struct Cell<'a> {
    run: &'a FinetuneRun<'a>,
    labelled: &'a [usize],
}

impl Cell<'_> {
    fn train(&self, corpus: &mut Corpus) -> Result<Trained, TrainError> {
        let FinetuneRun {
            config,
            start,
            seed,
            output,
            ..
        } = *self.run;
        let trainings = self.trainings();
        let (encoder, mut heads) = self.initial_model(corpus)?;
        let encodings = self.encodings(corpus, &heads)?;
        let encodings = encodings.as_ref();
        let first_heads = hash_of_tensors(heads.parameters().entries())?;
        self.initialise_heads(corpus, encodings, &encoder, &mut heads)?;
        // All trainings of a search begin with the same weights.
        let mut initial = vec![(encoder, heads)];
        for _ in 1..trainings.len() {
            let (encoder, mut heads) = self.initial_model(corpus)?;
            heads.take(&initial[0].1)?;
            initial.push((encoder, heads));
        }
        let corpus = &*corpus;
        let mut best: Option<(Finetuning<'_>, Summary, usize)> = None;
        let mut summaries = Vec::new();
        let shared = Shared {
            corpus,
            encodings,
            first_heads,
            initial_validation: OnceCell::new(),
        };
        let label = format!("{start}, {} labels, seed {seed}", self.labelled.len());
        for (i, (training, (encoder, heads))) in trainings.iter().zip(initial).enumerate() {
            let mut task = Finetuning::new(self, &shared, training, encoder, heads)?;
            let folder = self.folder_of(i, trainings.len());
            let output = OutputOptions {
                folder: &folder,
                ..output
            };
            let summary = train(&mut task, training, u64::from(seed), output, &label)?;
            summaries.push(summary);
            if best
                .as_ref()
                .is_none_or(|(_, before, _)| summary.best_score > before.best_score)
            {
                best = Some((task, summary, i));
            }
        }
        let (task, summary, selected) = best.ok_or_else(|| TrainError::Argument {
            what: "finetune.learning_rate_factors",
            expected: "at least one".into(),
            found: "none".into(),
        })?;
        if trainings.len() > 1 {
            self.record_search(&trainings, &summaries, selected)?;
        }
        let fold = corpus.fold();
        let predicted = Predicted {
            valid: task.predict(&fold.valid)?,
            test: task.predict(&fold.test)?,
        };
        let thresholds = predicted.thresholds(corpus, config.threshold, |s| task.predict(s))?;
        let model = config.keep_models.then(|| Model {
            encoder: task.encoder,
            heads: task.heads,
            normalisation: corpus.normalisation().clone(),
            emotions: corpus.prepared.emotions().to_vec(),
            thresholds: thresholds.clone(),
            presence_above: corpus.prepared.manifest().config.presence_above,
        });
        Ok(Trained {
            summary,
            predicted,
            thresholds,
            model,
        })
    }

    /// Makes the journal and events of the selected training those of the cell, after a line for
    /// each candidate.
    fn record_search(
        &self,
        trainings: &[TrainingConfig],
        summaries: &[Summary],
        selected: usize,
    ) -> Result<(), TrainError> {
        let out = self.run.output.folder;
        let path = out.join(JOURNAL_FILE);
        let mut journal = String::new();
        for (i, (training, summary)) in trainings.iter().zip(summaries).enumerate() {
            let candidate = Event::Candidate(Candidate {
                step: summary.steps,
                learning_rate: training.learning_rate,
                factor: self.run.config.learning_rate_factors[i],
                best_step: summary.best_step,
                best_score: finite(summary.best_score),
                chosen: i == selected,
            });
            journal += &serde_json::to_string(&candidate).map_err(TrainError::json(&path))?;
            journal.push('\n');
        }
        let folder = self.folder_of(selected, trainings.len());
        journal += &read_to_string(&folder.join(JOURNAL_FILE))?;
        write_atomic(&path, journal.as_bytes())?;
        move_events(&folder, out)
    }

    /// The settings of each training of the search, in its order.
    fn trainings(&self) -> Vec<TrainingConfig> {
        let FinetuneRun { config, start, .. } = *self.run;
        let rate = if start.trains_encoder() {
            config.training.learning_rate
        } else {
            config.probe_learning_rate
        };
        let of = |factor: &f64| TrainingConfig {
            learning_rate: rate * factor,
            ..config.training.clone()
        };
        config.learning_rate_factors.iter().map(of).collect()
    }

    /// The folder of a training of the search.
    fn folder_of(&self, i: usize, of: usize) -> PathBuf {
        let out = self.run.output.folder;
        if of == 1 {
            out.to_path_buf()
        } else {
            out.join(CANDIDATES).join(i.to_string())
        }
    }

    fn initial_model(&self, corpus: &mut Corpus) -> Result<(Encoder, EmotionHeads), TrainError> {
        let FinetuneRun {
            config,
            encoder: shape,
            start,
            pretrained,
            seed,
            ..
        } = *self.run;
        let encoder = initial_encoder(shape, corpus, start, pretrained, seed)?;
        let heads = initial_heads(&config.heads, config.objective, shape, corpus, seed)?;
        Ok((encoder, heads))
    }

    /// The output of a frozen encoder for the fold: read, or computed here for this cell alone.
    fn encodings(
        &self,
        corpus: &mut Corpus,
        heads: &EmotionHeads,
    ) -> Result<Option<Encodings>, TrainError> {
        let FinetuneRun {
            config,
            encoder,
            start,
            pretrained,
            seed,
            output,
            ..
        } = *self.run;
        match (start.trains_encoder(), self.run.encodings) {
            (true, None) => Ok(None),
            (true, Some(path)) => Err(TrainError::Argument {
                what: "--encodings",
                expected: format!("none, as the encoder of start {start} learns"),
                found: path.display().to_string(),
            }),
            (false, Some(path)) => Encodings::open(path, corpus, heads, encoder).map(Some),
            (false, None) => {
                let path = output.folder.join(ENCODINGS_FILE);
                encode(
                    &EncodeRun {
                        encoder,
                        heads: &config.heads,
                        start,
                        pretrained,
                        seed,
                    },
                    corpus,
                    &path,
                )?;
                let encodings = Encodings::open(&path, corpus, heads, encoder);
                // A mapped file stays readable after its name is removed.
                crate::checkpoint::remove_outputs(output.folder, &[ENCODINGS_FILE])?;
                encodings.map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckpointConfig, test_corpus};
    use mosei_data::{DataConfig, Prepared};

    #[test]
    fn neither_training_nor_selection_can_read_a_test_label() {
        let folder = tempfile::tempdir().unwrap();
        let mut corpus = test_corpus::corpus(folder.path(), 60, DataConfig::default());
        let test_labels = corpus.take_test_labels().unwrap();
        assert!(matches!(
            corpus.take_test_labels(),
            Err(TrainError::TestLabelsTaken { fold: 0 })
        ));

        let config = FinetuneConfig::default();
        let shape = EncoderConfig {
            model_dim: 8,
            heads: 1,
            layers: 1,
            ..EncoderConfig::default()
        };
        let encoder = initial_encoder(&shape, &mut corpus, Start::Scratch, None, 0).unwrap();
        let heads = initial_heads(&config.heads, config.objective, &shape, &corpus, 0).unwrap();
        let (train, test) = (corpus.fold().train[0], corpus.fold().test[0]);
        let checkpoints = CheckpointConfig::default();
        let run = FinetuneRun {
            config: &config,
            encoder: &shape,
            start: Start::Scratch,
            pretrained: None,
            encodings: None,
            subsets: Path::new(""),
            validation_subsets: None,
            budget: LabelBudget::Count(1),
            draw: 0,
            seed: 0,
            pretrain_seed: 0,
            output: OutputOptions {
                key: "",
                folder: folder.path(),
                checkpoints: &checkpoints,
                tensorboard: false,
            },
            card: CardNotes::default(),
        };
        let cell = Cell {
            run: &run,
            labelled: &[train],
        };
        let shared = Shared {
            corpus: &corpus,
            encodings: None,
            first_heads: String::new(),
            initial_validation: OnceCell::new(),
        };
        let task = Finetuning::new(&cell, &shared, &config.training, encoder, heads).unwrap();
        assert!(task.scores(&[train]).unwrap().1.is_finite());
        let refused = task.scores(&[train, test]).err().unwrap().to_string();
        let id = corpus.prepared.id(test);
        assert!(
            refused.starts_with(&format!("segment {id}: ")) && refused.contains("withheld"),
            "{refused}"
        );
        // Its predictions need no labels; its labels are released once, and the journal records it.
        assert_eq!(task.predict(&[test]).unwrap().score.unwrap().len(), 6);
        let mut journal = Journal::append(&folder.path().join(JOURNAL_FILE)).unwrap();
        let read = test_labels.release(&mut journal, 7).unwrap();
        assert_eq!(
            read.of_segment(&corpus, test),
            Prepared::open(&test_corpus::prepared(folder.path()))
                .unwrap()
                .intensities(test)
        );
        let line = run_record::read_to_string(&folder.path().join(JOURNAL_FILE)).unwrap();
        let expected = format!(
            r#"{{"event":"test-labels","step":7,"segments":{},"validation_segments":0}}"#,
            corpus.fold().test.len()
        );
        assert!(line.contains(&expected), "{line}");
    }
}
