//! The task of a cell: what its heads, and its encoder where that learns, make of a batch, and how wrong it is.

use super::{FinetuneConfig, HeadStart, PositiveWeight, Select};
use crate::batches::Batches;
use crate::encodings::Encodings;
use crate::paired::{HEADS, LABELS, VALIDATION, hash_of_segments};
use crate::predict::Scores;
use crate::regression::{Choice, choose, matrix};
use crate::{Corpus, Start, StepOutcome, Task, TrainError, TrainingConfig, Validation};
use backbone::{EmotionHeads, Encoder, Outputs};
use std::collections::BTreeMap;
use tch::{Reduction, Tensor};

/// Segments that go through an encoder at a time where nothing is learned.
const CHUNK: usize = 32;

pub(super) struct Finetuning<'a> {
    corpus: &'a Corpus,
    config: &'a FinetuneConfig,
    /// The settings of this training, by whose learning rate those of the heads and layers are told.
    training: &'a TrainingConfig,
    start: Start,
    pub(super) encoder: Encoder,
    pub(super) heads: EmotionHeads,
    /// What an encoder that stays as it is made of the segments.
    encodings: Option<&'a Encodings>,
    batches: Batches,
    positive_weight_e: Option<Tensor>,
    /// Whether the encoder stays as it is for now.
    resting: bool,
    beginning: BTreeMap<&'static str, String>,
}

/// What a cell is made of before it learns.
pub(super) struct Beginning<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) config: &'a FinetuneConfig,
    pub(super) training: &'a TrainingConfig,
    pub(super) start: Start,
    pub(super) encoder: Encoder,
    pub(super) heads: EmotionHeads,
    /// Hash of the heads as they were drawn: what a regression makes of them follows from the encoder, which starts differ
    /// in.
    pub(super) first_heads: String,
    pub(super) encodings: Option<&'a Encodings>,
    /// The labelled segments.
    pub(super) labelled: &'a [usize],
    pub(super) seed: u64,
}

/// What the heads say of a batch, with its sizes.
struct Answer {
    outputs: Outputs,
    valid_frames: i64,
    computed_frames: i64,
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

/// What the heads of a cell are made ready with before they learn.
pub(super) struct Ready<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) config: &'a FinetuneConfig,
    pub(super) encodings: Option<&'a Encodings>,
    /// The labelled segments.
    pub(super) labelled: &'a [usize],
}

impl Ready<'_> {
    /// Standardises what the heads are given, and lets them begin as regressions, where the configuration says so.
    pub(super) fn make(&self, encoder: &Encoder, heads: &mut EmotionHeads) -> Result<(), TrainError> {
        let Ready { corpus, config, labelled, .. } = *self;
        if config.standardise {
            let pooled_sp = self.pooled(encoder, heads, &corpus.fold().train)?;
            heads.standardise(&pooled_sp)?;
        }
        if config.head_start == HeadStart::Regression {
            let features = |segments: &[usize]| matrix(&heads.standardised(&self.pooled(encoder, heads, segments)?)?);
            let choice = Choice { corpus, config, labelled };
            let fitted = choose(choice, &features(labelled)?, &features(corpus.choosing())?)?;
            heads.set(&fitted.heads(corpus.device)?)?;
        }
        Ok(())
    }

    /// What the heads pool of segments, without dropout or gradients: [S, P].
    fn pooled(&self, encoder: &Encoder, heads: &EmotionHeads, segments: &[usize]) -> Result<Tensor, TrainError> {
        let pool = |chunk: &[usize]| -> Result<Tensor, TrainError> {
            match self.encodings {
                Some(encodings) => match encodings.gather(chunk, self.corpus.device)? {
                    (pooled_bp, None) => Ok(pooled_bp),
                    (frames_nk, Some(layout)) => Ok(heads.pool(&frames_nk, &layout)?),
                },
                None => {
                    let (x_nc, layout) = self.corpus.tensors(&self.corpus.gather(chunk))?;
                    Ok(heads.pool(&heads.read(encoder, &x_nc, &layout, false)?, &layout)?)
                }
            }
        };
        tch::no_grad(|| {
            let chunks: Result<Vec<Tensor>, TrainError> = segments.chunks(CHUNK).map(pool).collect();
            Ok(Tensor::f_cat(&chunks?, 0)?)
        })
    }
}

impl<'a> Finetuning<'a> {
    /// The task before its first step.
    pub(super) fn new(b: Beginning<'a>) -> Result<Self, TrainError> {
        let Beginning { corpus, config, training, start, encoder, heads, first_heads, encodings, labelled, seed } = b;
        Ok(Finetuning {
            positive_weight_e: positive_weight(config.positive_weight, corpus, labelled)?,
            batches: Batches::new(labelled.to_vec(), training.batch_segments, seed),
            resting: false,
            beginning: BTreeMap::from([
                (LABELS, hash_of_segments(&corpus.names(labelled))),
                (VALIDATION, hash_of_segments(&corpus.names(corpus.choosing()))),
                (HEADS, first_heads),
            ]),
            corpus,
            config,
            training,
            start,
            encoder,
            heads,
            encodings,
        })
    }

    fn answer(&self, segments: &[usize], train: bool) -> Result<Answer, TrainError> {
        if let Some(encodings) = self.encodings {
            let outputs = match encodings.gather(segments, self.corpus.device)? {
                (pooled_bp, None) => self.heads.forward_pooled(&pooled_bp, train)?,
                (frames_nk, Some(layout)) => self.heads.forward(&frames_nk, &layout, train)?,
            };
            let valid_frames = segments.iter().map(|&s| self.corpus.prepared.frames(s) as i64).sum();
            return Ok(Answer { outputs, valid_frames, computed_frames: 0 });
        }
        let (x_nc, layout) = self.corpus.tensors(&self.corpus.gather(segments))?;
        let read = || self.heads.read(&self.encoder, &x_nc, &layout, train);
        let frames_nk = if self.resting { tch::no_grad(read) } else { read() }?;
        let outputs = self.heads.forward(&frames_nk, &layout, train)?;
        Ok(Answer { outputs, valid_frames: layout.frames(), computed_frames: layout.computed_frames() })
    }

    /// Mean over segments and emotions.
    fn loss(&self, segments: &[usize], outputs: &Outputs) -> Result<Tensor, TrainError> {
        let corpus = self.corpus;
        let presence = match &outputs.presence_be {
            None => None,
            Some(logits_be) => {
                let target_be = corpus.presence_be(segments)?;
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
                let target_be = corpus.intensities_be(segments)?;
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
    pub(super) fn scores(&self, segments: &[usize]) -> Result<(Scores, f64), TrainError> {
        let (mut scores, mut sum) = (Scores::default(), 0.0);
        for chunk in segments.chunks(self.training.batch_segments) {
            let answer = self.answer(chunk, false)?;
            sum += f64::try_from(self.loss(chunk, &answer.outputs)?)? * chunk.len() as f64;
            scores.push(&answer.outputs)?;
        }
        Ok((scores, sum / segments.len() as f64))
    }

    /// What the heads say of segments, without a look at their labels.
    pub(super) fn said_of(&self, segments: &[usize]) -> Result<Scores, TrainError> {
        tch::no_grad(|| {
            let mut scores = Scores::default();
            for chunk in segments.chunks(self.training.batch_segments) {
                scores.push(&self.answer(chunk, false)?.outputs)?;
            }
            Ok(scores)
        })
    }

    /// How many layers of decay a tensor of the encoder stands below its top.
    fn depth(&self, name: &str) -> i32 {
        let layers = self.encoder.config().layers;
        let of_layer =
            name.strip_prefix("encoder.layers.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let below = match of_layer {
            Some(layer) => layers - 1 - layer,
            None if name.starts_with("encoder.") => 0,
            None => layers,
        };
        below as i32
    }
}

impl Task for Finetuning<'_> {
    fn parameters(&self) -> Vec<(String, Tensor)> {
        let encoder = self.start.encoder_learns().then(|| self.encoder.parameters().entries());
        let entries = encoder.into_iter().flatten().chain(self.heads.parameters().entries());
        entries.map(|(name, t)| (name.clone(), t.shallow_clone())).collect()
    }

    fn rates(&self, step: usize) -> Vec<f64> {
        let heads = match self.config.head_learning_rate.filter(|_| self.start.encoder_learns()) {
            Some(rate) => rate / self.training.learning_rate,
            None => 1.0,
        };
        let rests = self.rests(step);
        let encoder = self.start.encoder_learns().then(|| self.encoder.parameters().entries());
        let encoder = encoder.into_iter().flatten().map(|(name, _)| match rests {
            true => 0.0,
            false => self.config.layer_decay.powi(self.depth(name)),
        });
        encoder.chain(self.heads.parameters().entries().iter().map(|_| heads)).collect()
    }

    fn beginning(&self) -> BTreeMap<&'static str, String> {
        self.beginning.clone()
    }

    fn knows_something(&self) -> bool {
        self.config.head_start == HeadStart::Regression
    }

    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError> {
        let segments: Vec<usize> = self.batches.batch(step).into_iter().map(|(_, s)| s).collect();
        self.resting = self.rests(step);
        let answer = self.answer(&segments, true)?;
        Ok(StepOutcome {
            loss: self.loss(&segments, &answer.outputs)?,
            epoch: self.batches.epoch(step),
            valid_frames: answer.valid_frames,
            computed_frames: answer.computed_frames,
        })
    }

    fn validate(&mut self) -> Result<Validation, TrainError> {
        let choosing = self.corpus.choosing();
        let (scores, loss) = self.scores(choosing)?;
        let macro_auc = self.corpus.macro_auc(choosing, &scores);
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

impl Finetuning<'_> {
    /// Whether a pre-trained encoder is left as it is in a step.
    fn rests(&self, step: usize) -> bool {
        self.start.pretrained() && self.start.encoder_learns() && step < self.config.thaw_after
    }
}
