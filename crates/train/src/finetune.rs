//! Fine-tuning: one cell of the grid, from a start and a few labels to predictions.

mod config;
mod outcome;
mod pooled;
mod task;

pub use config::{FinetuneConfig, HeadStart, Objective, PositiveWeight, Select, Threshold, ValidationLabels};

use crate::card::{ModelFacts, Score};
use crate::encodings::Encodings;
use crate::follow::move_events;
use crate::input::InputFacts;
use crate::paired::hash_of_tensors;
use crate::predict::Scores;
use crate::start::start_encoder;
use crate::subsets::read_validation_subset;
use crate::training::{JOURNAL_FILE, Keeping, end_journal};
use crate::{Corpus, EncodeSettings, Model, Start, Study, Summary, TrainError, TrainingConfig, encode, train};
use backbone::{EmotionHeads, Encoder, Source};
use mosei_schema::{LabelBudget, Split};
use run_record::seed::{Stream, rng_named};
use run_record::{CellId, CellPredictions, Journal, StagedDir, read_to_string, write_atomic};
use serde_json::json;
use std::path::Path;
use task::{Beginning, Finetuning, Ready};

pub(crate) const PREDICTIONS_FILE: &str = "predictions.parquet";
const ENCODINGS_FILE: &str = "encodings.safetensors";
/// Where the trainings of a search stand, each in a folder of its own, until one is chosen.
const CANDIDATES: &str = "candidates";
/// The event of the journal that says how a training of the search went.
pub(crate) const CANDIDATE_EVENT: &str = "candidate";

/// Which cell.
#[derive(Debug, Clone, Copy)]
pub struct CellSettings<'a> {
    /// What it starts from.
    pub start: Start,
    /// The pre-trained encoder's folder, for the starts that have one.
    pub encoder: Option<&'a Path>,
    /// What [`encode`] made of the fold, for the starts whose encoder stays as it is; without it, it is made.
    pub encodings: Option<&'a Path>,
    /// Label budget.
    pub budget: LabelBudget,
    /// Training seed.
    pub seed: u32,
    /// Seed of the encoder's pre-training, for the starts that have one.
    pub pretrain_seed: u32,
    /// Label draw.
    pub draw: usize,
    /// Hash of everything the outcome depends on.
    pub key: &'a str,
}

/// Where the labels of a cell are told: tables that `sample` writes.
#[derive(Debug, Clone, Copy)]
pub struct LabelTables<'a> {
    /// The labelled training segments of each budget.
    pub training: &'a Path,
    /// The labelled validation segments of each budget, where `validation_labels` is `budget`.
    pub validation: Option<&'a Path>,
}

/// Trains one cell and writes into `out`: `predictions.parquet`, `model/` where kept, `journal.jsonl`.
///
/// Every start of a (fold, budget, seed, draw) sees the same labels, first head weights, batches and dropout.
pub fn finetune(
    study: &Study,
    corpus: &mut Corpus,
    labels: LabelTables<'_>,
    settings: CellSettings<'_>,
    out: &Path,
) -> Result<Summary, TrainError> {
    let mut test_labels = corpus.take_test_labels()?;
    let (fraction, labelled) = crate::read_subset(labels.training, corpus, settings.draw, settings.budget)?;
    if study.finetune.validation_labels == ValidationLabels::Budget {
        let table = labels.validation.ok_or_else(|| TrainError::Argument {
            what: "--validation-subsets",
            expected: "the table of labelled validation segments, as finetune.validation_labels is \"budget\"".into(),
            found: "none".into(),
        })?;
        let choosing = read_validation_subset(table, corpus, settings.draw, settings.budget)?;
        corpus.choose_by(choosing, &mut test_labels);
    }
    crate::checkpoint::remove_outputs(out, &["model", PREDICTIONS_FILE])?;
    let cell = Cell { study, settings, labelled: &labelled, out };
    let Learned { summary, said, thresholds, model } =
        if settings.start == Start::PooledLogistic { pooled::regress(&cell, corpus)? } else { cell.train(corpus)? };
    let id = CellId {
        cell: settings.key.to_string(),
        fold: corpus.fold_index as i32,
        start: settings.start.name().to_string(),
        fraction,
        n_labels: labelled.len() as i32,
        seed: settings.seed as i32,
        draw: settings.draw as i32,
        budget: settings.budget.to_string(),
        pretrain_seed: settings.start.pretrained().then_some(settings.pretrain_seed as i32),
    };
    // Nothing is left to be learned or chosen.
    let read = test_labels.read(&mut Journal::append(&out.join(JOURNAL_FILE))?, summary.steps)?;
    let mut rows = Vec::new();
    for (split, scores) in [(Split::Valid, &said.valid), (Split::Test, &said.test)] {
        rows.extend(outcome::rows(corpus, split, scores, &thresholds, &read));
    }
    let predictions = CellPredictions { id, rows };
    predictions.to_table().write(&out.join(PREDICTIONS_FILE))?;
    if let Some(model) = model {
        keep(&model, study, corpus, &predictions, out)?;
    }
    end_journal(out, &summary)?;
    crate::checkpoint::remove_outputs(out, &[CANDIDATES])?;
    crate::checkpoint::remove(out)?;
    Ok(summary)
}

/// What a trained cell says of the segments it is judged on, without a look at their labels.
struct Said {
    valid: Scores,
    test: Scores,
}

/// How a cell ended.
struct Learned {
    summary: Summary,
    said: Said,
    /// By emotion.
    thresholds: Vec<f64>,
    /// Where it is to be kept.
    model: Option<Model>,
}

/// Writes a cell's `model/`, with what was measured of it.
fn keep(
    model: &Model,
    study: &Study,
    corpus: &Corpus,
    predictions: &CellPredictions,
    out: &Path,
) -> Result<(), TrainError> {
    let facts = ModelFacts {
        made_by: concat!("mosei-ssl ", env!("CARGO_PKG_VERSION")).into(),
        study: study.name.clone(),
        cell: predictions.id.clone(),
        licence: study.report.licence.clone(),
        notes: study.report.notes.clone(),
        scores: eval::measure_cell(predictions)?.into_iter().map(Score::of).collect(),
    };
    let input = InputFacts::of(corpus.prepared.manifest());
    let staged = StagedDir::create(&out.join("model"))?;
    model.write(&input, staged.path())?;
    facts.write(model, &input, staged.path())?;
    Ok(staged.commit()?)
}

/// A cell, its labels drawn.
struct Cell<'a> {
    study: &'a Study,
    settings: CellSettings<'a>,
    labelled: &'a [usize],
    out: &'a Path,
}

impl Cell<'_> {
    fn train(&self, corpus: &mut Corpus) -> Result<Learned, TrainError> {
        let Cell { study, settings, labelled, out } = *self;
        let config = &study.finetune;
        let trainings = self.trainings();
        let (encoder, mut heads) = self.begin(corpus)?;
        let encodings = self.encodings(corpus, &heads)?;
        let encodings = encodings.as_ref();
        let first_heads = hash_of_tensors(heads.parameters().entries())?;
        Ready { corpus, config, encodings, labelled }.make(&encoder, &mut heads)?;
        // The trainings of a search begin alike.
        let mut begun = vec![(encoder, heads)];
        for _ in 1..trainings.len() {
            let (encoder, mut heads) = self.begin(corpus)?;
            heads.take(&begun[0].1)?;
            begun.push((encoder, heads));
        }
        let corpus = &*corpus;
        let mut best: Option<(Finetuning<'_>, Summary, usize)> = None;
        let mut summaries = Vec::new();
        for (i, (training, (encoder, heads))) in trainings.iter().zip(begun).enumerate() {
            let (seed, start) = (u64::from(settings.seed), settings.start);
            let first_heads = first_heads.clone();
            let mut task = Finetuning::new(Beginning {
                corpus,
                config,
                training,
                start,
                encoder,
                heads,
                first_heads,
                encodings,
                labelled,
                seed,
            })?;
            let label = format!("{}, {} labels, seed {}", start.name(), labelled.len(), settings.seed);
            let (place, checkpoints) = (self.place(i, trainings.len()), &study.checkpoints);
            let keeping =
                Keeping { settings: settings.key, place: &place, checkpoints, tensorboard: study.tensorboard };
            let summary = train(&mut task, training, seed, keeping, &label)?;
            summaries.push(summary);
            if best.as_ref().is_none_or(|(_, before, _)| summary.best_score > before.best_score) {
                best = Some((task, summary, i));
            }
        }
        let (task, summary, chosen) = best.ok_or_else(|| TrainError::Argument {
            what: "finetune.learning_rate_factors",
            expected: "at least one".into(),
            found: "none".into(),
        })?;
        if trainings.len() > 1 {
            // The cell's journal is that of the training that was kept, after what the search found.
            let found = trainings.iter().zip(summaries).enumerate().map(|(i, (training, summary))| {
                let line = json!({
                    "event": CANDIDATE_EVENT, "step": summary.steps, "learning_rate": training.learning_rate,
                    "factor": config.learning_rate_factors[i], "best_step": summary.best_step,
                    "best_score": summary.best_score, "chosen": i == chosen,
                });
                format!("{line}\n")
            });
            let mut journal: String = found.collect();
            journal += &read_to_string(&self.place(chosen, trainings.len()).join(JOURNAL_FILE))?;
            write_atomic(&out.join(JOURNAL_FILE), journal.as_bytes())?;
            move_events(&self.place(chosen, trainings.len()), out)?;
        }
        let thresholds = outcome::thresholds(corpus, config.threshold, |segments| task.said_of(segments))?;
        let fold = corpus.fold();
        let said = Said { valid: task.said_of(&fold.valid)?, test: task.said_of(&fold.test)? };
        let model = config.keep_models.then(|| Model {
            encoder: task.encoder,
            heads: task.heads,
            normalisation: corpus.normalisation().clone(),
            emotions: corpus.prepared.emotions().to_vec(),
            thresholds: thresholds.clone(),
            presence_above: corpus.prepared.manifest().config.presence_above,
        });
        Ok(Learned { summary, said, thresholds, model })
    }

    /// The settings of each training of the search, in its order.
    fn trainings(&self) -> Vec<TrainingConfig> {
        let config = &self.study.finetune;
        let rate = if self.settings.start.encoder_learns() {
            config.training.learning_rate
        } else {
            config.probe_learning_rate
        };
        let of = |factor: &f64| TrainingConfig { learning_rate: rate * factor, ..config.training.clone() };
        config.learning_rate_factors.iter().map(of).collect()
    }

    /// Where a training of the search keeps its journal and checkpoints.
    fn place(&self, i: usize, of: usize) -> std::path::PathBuf {
        if of == 1 { self.out.to_path_buf() } else { self.out.join(CANDIDATES).join(i.to_string()) }
    }

    fn begin(&self, corpus: &mut Corpus) -> Result<(Encoder, EmotionHeads), TrainError> {
        let Cell { study, settings, .. } = *self;
        let encoder = start_encoder(study, corpus, settings.start, settings.encoder, settings.seed)?;
        let mut source = Source::draw(|name: &str| rng_named(u64::from(settings.seed), Stream::Init, name));
        let emotions = corpus.prepared.emotions().len();
        let (config, inputs) = (study.finetune.heads(), corpus.input_dim());
        let heads = EmotionHeads::new(&config, &study.encoder, inputs, emotions, &mut source, corpus.device)?;
        Ok((encoder, heads))
    }

    /// What a start's encoder makes of the fold, where it stays as it is: read, or made here for this cell alone.
    fn encodings(&self, corpus: &mut Corpus, heads: &EmotionHeads) -> Result<Option<Encodings>, TrainError> {
        let Cell { study, settings, out, .. } = *self;
        match (settings.start.encoder_learns(), settings.encodings) {
            (true, None) => Ok(None),
            (true, Some(path)) => Err(TrainError::Argument {
                what: "--encodings",
                expected: format!("none, as the encoder of start {} learns", settings.start.name()),
                found: path.display().to_string(),
            }),
            (false, Some(path)) => Encodings::open(path, corpus, heads, &study.encoder).map(Some),
            (false, None) => {
                let path = out.join(ENCODINGS_FILE);
                let CellSettings { start, encoder, seed, .. } = settings;
                encode(study, corpus, EncodeSettings { start, encoder, seed }, &path)?;
                let encodings = Encodings::open(&path, corpus, heads, &study.encoder);
                // What is mapped stays when its name goes.
                crate::checkpoint::remove_outputs(out, &[ENCODINGS_FILE])?;
                encodings.map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosei_data::{DataConfig, Prepared, SynthConfig};
    use tch::Device;

    #[test]
    fn nothing_is_learned_from_or_chosen_by_a_test_segment() {
        let folder = tempfile::tempdir().unwrap();
        let synth = SynthConfig { videos: 16, segments: 60, median_segment_s: 1.5, ..SynthConfig::default() };
        let config = DataConfig { pool_frames: 10, max_frames: 40, ..DataConfig::default() };
        let (data, prepared) = (folder.path().join("data"), folder.path().join("prepared"));
        mosei_data::synthesise(&synth, &data, &mut |_, _| ()).unwrap();
        mosei_data::prepare(&config, &data, &prepared, &mut |_, _| ()).unwrap();
        let mut corpus = Corpus::open(&prepared, 0, Device::Cpu).unwrap();
        let test_labels = corpus.take_test_labels().unwrap();
        assert!(matches!(corpus.take_test_labels(), Err(TrainError::TestLabelsTaken { fold: 0 })));

        let study = Study::parse(Path::new("s.toml"), "[encoder]\nmodel_dim = 8\nheads = 1\nlayers = 1\n").unwrap();
        let encoder = start_encoder(&study, &mut corpus, Start::Scratch, None, 0).unwrap();
        let mut source = Source::draw(|name: &str| rng_named(0, Stream::Init, name));
        let (heads, inputs) = (study.finetune.heads(), corpus.input_dim());
        let heads = EmotionHeads::new(&heads, &study.encoder, inputs, 6, &mut source, Device::Cpu).unwrap();
        let (train, test) = (corpus.fold().train[0], corpus.fold().test[0]);
        let labelled = [train];
        let task = Finetuning::new(Beginning {
            corpus: &corpus,
            config: &study.finetune,
            training: &study.finetune.training,
            start: Start::Scratch,
            encoder,
            heads,
            first_heads: String::new(),
            encodings: None,
            labelled: &labelled,
            seed: 0,
        })
        .unwrap();
        assert!(task.scores(&[train]).unwrap().1.is_finite());
        let refused = task.scores(&[train, test]).err().unwrap().to_string();
        let id = corpus.prepared.id(test);
        assert!(refused.starts_with(&format!("segment {id}: ")) && refused.contains("withheld"), "{refused}");
        // What the heads say of it can be had all the same; and its labels, once, through the door.
        assert_eq!(task.said_of(&[test]).unwrap().score.unwrap().len(), 6);
        let mut journal = Journal::append(&folder.path().join(JOURNAL_FILE)).unwrap();
        let read = test_labels.read(&mut journal, 7).unwrap();
        assert_eq!(read.of_segment(&corpus, test), Prepared::open(&prepared).unwrap().intensities(test));
        let line = run_record::read_to_string(&folder.path().join(JOURNAL_FILE)).unwrap();
        let expected = format!("\"segments\":{},\"step\":7,\"validation_segments\":0", corpus.fold().test.len());
        assert!(line.contains("\"event\":\"test-labels\"") && line.contains(&expected), "{line}");
    }
}
