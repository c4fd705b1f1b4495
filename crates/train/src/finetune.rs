//! Fine-tuning: one cell of the grid, from a start and a few labels to predictions.

use crate::batches::Batches;
use crate::encodings::Encodings;
use crate::optimise::wrong;
use crate::paired::{HEADS, LABELS, hash_of_segments, hash_of_tensors};
use crate::predict::Scores;
use crate::start::start_encoder;
use crate::training::{JOURNAL_FILE, end_journal};
use crate::{
    Budget, Corpus, EncodeSettings, Model, Start, StepOutcome, Study, Summary, Task, TrainError, TrainingConfig,
    Validation, encode, train,
};
use backbone::{EmotionHeads, Encoder, HeadsConfig, Outputs, Pooling, Source};
use mosei_data::{ConfigError, targets::present};
use mosei_schema::Split;
use run_record::seed::{Stream, rng_named};
use run_record::{CellId, CellPredictions, Journal, PredictionRow, StagedDir};
use serde::{Deserialize, Serialize};
use ssl_mask::ReconstructionLoss;
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Reduction, Tensor};

pub(crate) const PREDICTIONS_FILE: &str = "predictions.parquet";
const ENCODINGS_FILE: &str = "encodings.safetensors";

/// How a cell learns from its labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FinetuneConfig {
    /// What is predicted. Default `both`.
    pub objective: Objective,
    /// How frames are pooled to segments. Default `mean`.
    pub pooling: Pooling,
    /// Dropout of the pooled vector. Default 0.1.
    pub head_dropout: f64,
    /// Weight of positive labels in the presence loss. Default `none`.
    pub positive_weight: PositiveWeight,
    /// Distance between intensities. Default `smooth-l1`.
    pub intensity_loss: ReconstructionLoss,
    /// Weight of the intensity loss beside the presence loss, where both are trained. Default 1.
    pub intensity_weight: f64,
    /// What the best weights are chosen by, on the validation split. Default `loss`.
    pub select: Select,
    /// The threshold of presence. Default `fixed`.
    pub threshold: Threshold,
    /// Learning rate of the starts whose encoder stays as it is: heads alone bear a higher one. Default 1e-2.
    pub probe_learning_rate: f64,
    /// Whether each cell's model is kept beside its predictions. Default true.
    pub keep_models: bool,
    /// Steps, batches, learning rate.
    pub training: TrainingConfig,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        FinetuneConfig {
            objective: Objective::Both,
            pooling: Pooling::Mean,
            head_dropout: 0.1,
            positive_weight: PositiveWeight::None,
            intensity_loss: ReconstructionLoss::SmoothL1,
            intensity_weight: 1.0,
            select: Select::Loss,
            threshold: Threshold::Fixed,
            probe_learning_rate: 1e-2,
            keep_models: true,
            training: TrainingConfig::default(),
        }
    }
}

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Whether an emotion is there: binary cross-entropy with logits.
    Presence,
    /// How strong it is, from 0 to 3.
    Intensity,
    /// Both, by two heads on one encoder.
    Both,
}

/// Weight of positive labels in the presence loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PositiveWeight {
    /// 1.
    None,
    /// Negatives over positives among the cell's labels, by emotion, from 1/20 to 20.
    Balanced,
}

/// What the best weights are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// Lowest validation loss.
    Loss,
    /// Highest mean of the emotions' ROC AUC; the loss decides where there is none.
    RocAuc,
}

/// The threshold of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// 0.5.
    Fixed,
    /// The one with the highest F1 on the validation split, by emotion; 0.5 where that has no positive.
    TunedF1,
}

impl FinetuneConfig {
    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(self.head_dropout >= 0.0 && self.head_dropout < 1.0) {
            return Err(wrong("head_dropout", "a share from 0 to below 1", self.head_dropout));
        }
        for (key, x) in [("intensity_weight", self.intensity_weight), ("probe_learning_rate", self.probe_learning_rate)]
        {
            if !(x > 0.0 && x.is_finite()) {
                return Err(wrong(key, "a number above 0", x));
            }
        }
        self.training.check().map_err(|e| ConfigError { key: format!("training.{}", e.key), ..e })
    }

    pub(crate) fn heads(&self) -> HeadsConfig {
        HeadsConfig {
            pooling: self.pooling,
            dropout: self.head_dropout,
            presence: self.objective != Objective::Intensity,
            intensity: self.objective != Objective::Presence,
        }
    }
}

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
    pub budget: Budget,
    /// Training seed.
    pub seed: u32,
    /// Seed of the encoder's pre-training, for the starts that have one.
    pub pretrain_seed: u32,
    /// Label draw.
    pub draw: usize,
    /// Hash of everything the outcome depends on.
    pub key: &'a str,
}

struct Finetuning<'a> {
    corpus: &'a Corpus,
    config: &'a FinetuneConfig,
    start: Start,
    encoder: Encoder,
    heads: EmotionHeads,
    /// What an encoder that stays as it is made of the segments.
    encodings: Option<Encodings>,
    batches: Batches,
    positive_weight_e: Option<Tensor>,
}

/// Trains one cell and writes into `out`: `predictions.parquet`, `model/` where kept, `journal.jsonl`.
///
/// Every start of a (fold, budget, seed, draw) sees the same labels, first head weights, batches and dropout.
pub fn finetune(
    study: &Study,
    corpus: &mut Corpus,
    subsets: &Path,
    settings: CellSettings<'_>,
    out: &Path,
) -> Result<Summary, TrainError> {
    let seed = u64::from(settings.seed);
    let test_labels = corpus.take_test_labels()?;
    let (fraction, labelled) = crate::read_subset(subsets, corpus, settings.draw, settings.budget)?;
    let encoder = start_encoder(study, corpus, settings.start, settings.encoder, settings.seed)?;
    let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
    let (width, emotions) = (study.encoder.model_dim, corpus.prepared.emotions().to_vec());
    let heads = EmotionHeads::new(&study.finetune.heads(), width, emotions.len(), &mut source, corpus.device)?;
    let encodings = encodings_of(study, corpus, &settings, &heads, out)?;
    let mut training = study.finetune.training.clone();
    if !settings.start.encoder_learns() {
        training.learning_rate = study.finetune.probe_learning_rate;
    }
    let mut task = Finetuning {
        positive_weight_e: positive_weight(study.finetune.positive_weight, corpus, &labelled)?,
        batches: Batches::new(labelled.clone(), training.batch_segments, seed),
        encodings,
        config: &study.finetune,
        start: settings.start,
        corpus,
        encoder,
        heads,
    };
    crate::checkpoint::remove_outputs(out, &["model", PREDICTIONS_FILE])?;
    let label = format!("{}, {} labels, seed {}", settings.start.name(), labelled.len(), settings.seed);
    let summary = train(&mut task, &training, seed, settings.key, out, &label)?;

    let thresholds = task.thresholds(emotions.len())?;
    let id = CellId {
        cell: settings.key.to_string(),
        fold: corpus.fold_index as i32,
        start: settings.start.name().to_string(),
        fraction,
        n_labels: labelled.len() as i32,
        seed: settings.seed as i32,
        draw: settings.draw as i32,
        pretrain_seed: settings.start.pretrained().then_some(settings.pretrain_seed as i32),
    };
    let mut rows = task.predictions(Split::Valid, &thresholds, |_, i| corpus.prepared.intensities(i))?;
    // Nothing is left to be learned or chosen.
    let read = test_labels.read(&mut Journal::append(&out.join(JOURNAL_FILE))?, summary.steps)?;
    rows.extend(task.predictions(Split::Test, &thresholds, |row, _| read.intensities(row))?);
    if study.finetune.keep_models {
        let staged = StagedDir::create(&out.join("model"))?;
        let model = Model {
            encoder: task.encoder,
            heads: task.heads,
            normalisation: corpus.normalisation().clone(),
            emotions,
            thresholds,
            presence_above: corpus.prepared.manifest().config.presence_above,
        };
        model.write(staged.path())?;
        staged.commit()?;
    }
    CellPredictions { id, rows }.to_table().write(&out.join(PREDICTIONS_FILE))?;
    end_journal(out, &summary)?;
    crate::checkpoint::remove(out)?;
    Ok(summary)
}

/// What a start's encoder makes of the fold, where it stays as it is: read, or made here for this cell alone.
fn encodings_of(
    study: &Study,
    corpus: &mut Corpus,
    settings: &CellSettings<'_>,
    heads: &EmotionHeads,
    out: &Path,
) -> Result<Option<Encodings>, TrainError> {
    let width = study.encoder.model_dim;
    match (settings.start.encoder_learns(), settings.encodings) {
        (true, None) => Ok(None),
        (true, Some(path)) => Err(TrainError::Argument {
            what: "--encodings",
            expected: format!("none, as the encoder of start {} learns", settings.start.name()),
            found: path.display().to_string(),
        }),
        (false, Some(path)) => Encodings::open(path, corpus, heads, width).map(Some),
        (false, None) => {
            let path = out.join(ENCODINGS_FILE);
            let CellSettings { start, encoder, seed, .. } = *settings;
            encode(study, corpus, EncodeSettings { start, encoder, seed }, &path)?;
            let encodings = Encodings::open(&path, corpus, heads, width);
            // What is mapped stays when its name goes.
            crate::checkpoint::remove_outputs(out, &[ENCODINGS_FILE])?;
            encodings.map(Some)
        }
    }
}

/// Negatives over positives of each emotion among the labels: [E].
fn positive_weight(rule: PositiveWeight, corpus: &Corpus, labelled: &[usize]) -> Result<Option<Tensor>, TrainError> {
    if rule == PositiveWeight::None {
        return Ok(None);
    }
    let prepared = &corpus.prepared;
    let weights: Vec<f32> = (0..prepared.emotions().len())
        .map(|e| {
            let positives = labelled.iter().filter(|&&i| prepared.presence(i, e)).count();
            let ratio = (labelled.len() - positives) as f32 / positives.max(1) as f32;
            ratio.clamp(0.05, 20.0)
        })
        .collect();
    Ok(Some(Tensor::f_from_slice(&weights)?.f_to_device(corpus.device)?))
}

/// What the heads say of a batch, with its sizes.
struct Answer {
    outputs: Outputs,
    valid_frames: i64,
    computed_frames: i64,
}

/// The values of one emotion out of rows of `emotions` values.
fn column(values: &[f64], emotion: usize, emotions: usize) -> Vec<f64> {
    values.iter().skip(emotion).step_by(emotions).copied().collect()
}

impl Finetuning<'_> {
    fn answer(&self, segments: &[usize], train: bool) -> Result<Answer, TrainError> {
        if let Some(encodings) = &self.encodings {
            let outputs = match encodings.gather(segments, self.corpus.device)? {
                (pooled_bk, None) => self.heads.forward_pooled(&pooled_bk, train)?,
                (h_nd, Some(layout)) => self.heads.forward(&h_nd, &layout, train)?,
            };
            let valid_frames = segments.iter().map(|&s| self.corpus.prepared.frames(s) as i64).sum();
            return Ok(Answer { outputs, valid_frames, computed_frames: 0 });
        }
        let (x_nc, layout) = self.corpus.tensors(&self.corpus.gather(segments))?;
        let h_nd = self.encoder.forward(&x_nc, &layout, train)?;
        let outputs = self.heads.forward(&h_nd, &layout, train)?;
        Ok(Answer { outputs, valid_frames: layout.frames(), computed_frames: layout.computed_frames() })
    }

    /// Labels of a batch as [B, E].
    fn targets(&self, segments: &[usize], of: impl Fn(usize, usize) -> f32) -> Result<Tensor, TrainError> {
        let prepared = &self.corpus.prepared;
        if let Some(&i) = segments.iter().find(|&&i| prepared.intensities(i).iter().any(|x| x.is_nan())) {
            return Err(TrainError::WithheldLabel { segment: prepared.id(i).to_string() });
        }
        let emotions = prepared.emotions().len();
        let values: Vec<f32> =
            segments.iter().flat_map(|&i| (0..emotions).map(|e| of(i, e)).collect::<Vec<_>>()).collect();
        Ok(Tensor::f_from_slice(&values)?.f_reshape([-1, emotions as i64])?.f_to_device(self.corpus.device)?)
    }

    /// Mean over segments and emotions.
    fn loss(&self, segments: &[usize], outputs: &Outputs) -> Result<Tensor, TrainError> {
        let prepared = &self.corpus.prepared;
        let presence = match &outputs.presence_be {
            None => None,
            Some(logits_be) => {
                let target_be = self.targets(segments, |i, e| f32::from(u8::from(prepared.presence(i, e))))?;
                let weight_e = self.positive_weight_e.as_ref();
                Some(logits_be.f_binary_cross_entropy_with_logits(
                    &target_be,
                    None::<&Tensor>,
                    weight_e,
                    Reduction::Mean,
                )?)
            }
        };
        let intensity = match &outputs.intensity_be {
            None => None,
            Some(found_be) => {
                let target_be = self.targets(segments, |i, e| prepared.intensities(i)[e])?;
                Some(ssl_mask::reconstruction_loss(self.config.intensity_loss, found_be, &target_be)?)
            }
        };
        match (presence, intensity) {
            (Some(p), Some(i)) => Ok(p.f_add(&i.f_mul_scalar(self.config.intensity_weight)?)?),
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (None, None) => Err(TrainError::Argument {
                what: "objective",
                expected: "presence, intensity or both".into(),
                found: "neither".into(),
            }),
        }
    }

    /// Scores of segments, and their mean loss.
    fn scores(&self, segments: &[usize]) -> Result<(Scores, f64), TrainError> {
        let (mut scores, mut sum) = (Scores::default(), 0.0);
        for chunk in segments.chunks(self.config.training.batch_segments) {
            let answer = self.answer(chunk, false)?;
            sum += f64::try_from(self.loss(chunk, &answer.outputs)?)? * chunk.len() as f64;
            scores.push(&answer.outputs)?;
        }
        Ok((scores, sum / segments.len() as f64))
    }

    fn present(&self, segments: &[usize], emotion: usize) -> Vec<bool> {
        segments.iter().map(|&i| self.corpus.prepared.presence(i, emotion)).collect()
    }

    /// Thresholds by emotion; the validation split alone decides.
    fn thresholds(&self, emotions: usize) -> Result<Vec<f64>, TrainError> {
        const FIXED: f64 = 0.5;
        if self.config.threshold == Threshold::Fixed {
            return Ok(vec![FIXED; emotions]);
        }
        let valid = &self.corpus.fold().valid;
        let score = tch::no_grad(|| self.scores(valid))?.0.score;
        let best = |score: &[f64], e| eval::threshold::best_f1(&self.present(valid, e), &column(score, e, emotions));
        Ok((0..emotions).map(|e| score.as_deref().and_then(|score| best(score, e)).unwrap_or(FIXED)).collect())
    }

    /// What the heads say of segments, without a look at their labels.
    fn said_of(&self, segments: &[usize]) -> Result<Scores, TrainError> {
        let mut scores = Scores::default();
        for chunk in segments.chunks(self.config.training.batch_segments) {
            scores.push(&self.answer(chunk, false)?.outputs)?;
        }
        Ok(scores)
    }

    /// The rows of a split; `labels` gives the intensities of the segment at a place of the split, by place and segment.
    fn predictions<'l>(
        &self,
        split: Split,
        thresholds: &[f64],
        labels: impl Fn(usize, usize) -> &'l [f32],
    ) -> Result<Vec<PredictionRow>, TrainError> {
        let prepared = &self.corpus.prepared;
        let segments = self.corpus.fold().segments(split);
        let scores = tch::no_grad(|| self.said_of(segments))?;
        let (emotions, above) = (prepared.emotions(), prepared.manifest().config.presence_above);
        let mut rows = Vec::with_capacity(segments.len() * emotions.len());
        for (row, &segment) in segments.iter().enumerate() {
            let (id, intensities) = (prepared.id(segment), labels(row, segment));
            for (e, emotion) in emotions.iter().enumerate() {
                let of = |values: &Option<Vec<f64>>| values.as_ref().map(|v| v[row * emotions.len() + e]);
                rows.push(PredictionRow {
                    split: split.name().into(),
                    video: id.video.clone(),
                    segment: id.segment,
                    emotion: emotion.clone(),
                    intensity: f64::from(intensities[e]),
                    present: present(intensities[e], above),
                    score: of(&scores.score),
                    predicted_intensity: of(&scores.intensity),
                    threshold: thresholds[e],
                });
            }
        }
        Ok(rows)
    }
}

impl Task for Finetuning<'_> {
    fn parameters(&self) -> Vec<(String, Tensor)> {
        let encoder = self.start.encoder_learns().then(|| self.encoder.parameters().entries());
        let entries = encoder.into_iter().flatten().chain(self.heads.parameters().entries());
        entries.map(|(name, t)| (name.clone(), t.shallow_clone())).collect()
    }

    fn beginning(&self) -> Result<BTreeMap<&'static str, String>, TrainError> {
        let labels = hash_of_segments(&self.corpus.names(self.batches.segments()));
        Ok(BTreeMap::from([(LABELS, labels), (HEADS, hash_of_tensors(self.heads.parameters().entries())?)]))
    }

    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError> {
        let segments: Vec<usize> = self.batches.batch(step).into_iter().map(|(_, s)| s).collect();
        let answer = self.answer(&segments, true)?;
        Ok(StepOutcome {
            loss: self.loss(&segments, &answer.outputs)?,
            epoch: self.batches.epoch(step),
            valid_frames: answer.valid_frames,
            computed_frames: answer.computed_frames,
        })
    }

    fn validate(&mut self) -> Result<Validation, TrainError> {
        let valid = &self.corpus.fold().valid;
        let (scores, loss) = self.scores(valid)?;
        let emotions = self.corpus.prepared.emotions().len();
        let auc = |score: &[f64], e| eval::metrics::roc_auc(&self.present(valid, e), &column(score, e, emotions));
        let macro_auc = scores.score.and_then(|score| eval::mean((0..emotions).filter_map(|e| auc(&score, e))));
        let score = match (self.config.select, macro_auc) {
            (Select::RocAuc, Some(auc)) => auc,
            _ => -loss,
        };
        Ok(Validation { score, loss, more: BTreeMap::from([("macro_roc_auc", macro_auc)]) })
    }

    fn segments_of(&mut self, step: usize) -> String {
        let segments: Vec<usize> = self.batches.batch(step).into_iter().map(|(_, s)| s).collect();
        self.corpus.names(&segments)
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
        let heads = EmotionHeads::new(&study.finetune.heads(), 8, 6, &mut source, Device::Cpu).unwrap();
        let (train, test) = (corpus.fold().train[0], corpus.fold().test[0]);
        let task = Finetuning {
            corpus: &corpus,
            config: &study.finetune,
            start: Start::Scratch,
            encoder,
            heads,
            encodings: None,
            batches: Batches::new(vec![train], 1, 0),
            positive_weight_e: None,
        };
        assert!(task.scores(&[train]).unwrap().1.is_finite());
        let refused = task.scores(&[train, test]).err().unwrap().to_string();
        let id = corpus.prepared.id(test);
        assert!(refused.starts_with(&format!("segment {id}: ")) && refused.contains("withheld"), "{refused}");
        // What the heads say of it can be had all the same; and its labels, once, through the door.
        assert_eq!(task.said_of(&[test]).unwrap().score.unwrap().len(), 6);
        let mut journal = Journal::append(&folder.path().join(JOURNAL_FILE)).unwrap();
        let read = test_labels.read(&mut journal, 7).unwrap();
        assert_eq!(read.intensities(0), Prepared::open(&prepared).unwrap().intensities(test));
        let line = run_record::read_to_string(&folder.path().join(JOURNAL_FILE)).unwrap();
        let expected = format!("\"segments\":{},\"step\":7", corpus.fold().test.len());
        assert!(line.contains("\"event\":\"test-labels\"") && line.contains(&expected), "{line}");
    }
}
