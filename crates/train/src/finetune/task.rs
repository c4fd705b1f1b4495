//! The task of a cell: the forward pass of its heads, and of its encoder where that learns, and the
//! loss.

use super::{Cell, FinetuneConfig, HeadInit, PositiveWeight, Select};
use crate::batches::Batches;
use crate::encodings::Encodings;
use crate::event::{Beginning, hash_of_segments};
use crate::predict::Scores;
use crate::regression::{matrix, select};
use crate::{Corpus, StepOutcome, Task, TrainError, TrainingConfig, Validation};
use backbone::{EmotionHeads, Encoder, Outputs};
use mosei_schema::Start;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use tch::{Device, Reduction, Tensor};

/// Segments that go through an encoder at a time where nothing is learned.
const CHUNK: usize = 32;

/// What the trainings of a search share.
pub(super) struct Shared<'a> {
    pub(super) corpus: &'a Corpus,
    /// The output of a frozen encoder.
    pub(super) encodings: Option<&'a Encodings>,
    /// Hash of the heads' random weights: regressions that replace them depend on the encoder, in
    /// which starts differ.
    pub(super) first_heads: String,
    /// The evaluation of the weights before the first step.
    pub(super) initial_validation: OnceCell<Validation>,
}

pub(super) struct Finetuning<'a> {
    corpus: &'a Corpus,
    config: &'a FinetuneConfig,
    /// The settings of this training: its learning rate scales those of the heads and layers.
    training: &'a TrainingConfig,
    start: Start,
    pub(super) encoder: Encoder,
    pub(super) heads: EmotionHeads,
    /// The output of a frozen encoder.
    encodings: Option<&'a Encodings>,
    batches: Batches,
    positive_weight_e: Option<Tensor>,
    /// Whether the encoder is frozen in the current step.
    frozen: bool,
    beginning: Beginning,
    initial_validation: &'a OnceCell<Validation>,
}

/// The outputs for a batch, with its sizes.
struct Forward {
    outputs: Outputs,
    valid_frames: i64,
    computed_frames: i64,
}

/// Negatives over positives of each emotion among the labels: [E].
fn positive_weight(
    rule: PositiveWeight,
    corpus: &Corpus,
    labelled: &[usize],
) -> Result<Option<Tensor>, TrainError> {
    if rule == PositiveWeight::None {
        return Ok(None);
    }
    let prepared = &corpus.prepared;
    let weights: Vec<f32> = (0..prepared.emotions().len())
        .map(|e| {
            let positives = labelled
                .iter()
                .filter(|&&i| prepared.presence(i, e))
                .count();
            let ratio = (labelled.len() - positives) as f32 / positives.max(1) as f32;
            ratio.clamp(0.05, 20.0)
        })
        .collect();
    Ok(Some(
        Tensor::f_from_slice(&weights)?.f_to_device(corpus.device)?,
    ))
}

impl Cell<'_> {
    /// Standardises the input of the heads, and initialises them with regressions, where the
    /// configuration says so.
    pub(super) fn initialise_heads(
        &self,
        corpus: &Corpus,
        encodings: Option<&Encodings>,
        encoder: &Encoder,
        heads: &mut EmotionHeads,
    ) -> Result<(), TrainError> {
        let (config, labelled) = (self.run.config, self.labelled);
        let train = &corpus.fold().train;
        let pool = |segments: &[usize]| pooled(corpus, encodings, encoder, heads, segments);
        // One pass gives the statistics of all training segments and the rows of the labelled ones.
        let train_sp = config.heads.standardise.then(|| pool(train)).transpose()?;
        let regression = match config.head_init {
            HeadInit::Regression => {
                let labelled_lp = match &train_sp {
                    Some(train_sp) => {
                        train_sp.f_index_select(0, &places(labelled, train, train_sp.device())?)?
                    }
                    None => pool(labelled)?,
                };
                Some((labelled_lp, pool(corpus.selection())?))
            }
            HeadInit::Random => None,
        };
        if let Some(train_sp) = &train_sp {
            heads.standardise(train_sp)?;
        }
        if let Some((labelled_lp, selection_vp)) = regression {
            let features = |rows_sp: &Tensor| matrix(&heads.standardised(rows_sp)?);
            let fitted = select(
                corpus,
                config,
                labelled,
                &features(&labelled_lp)?,
                &features(&selection_vp)?,
            )?;
            heads.set(&fitted.heads(corpus.device)?)?;
        }
        Ok(())
    }
}

/// Where the segments stand among `all`, which holds each of them: [S].
fn places(segments: &[usize], all: &[usize], device: Device) -> Result<Tensor, TrainError> {
    let at: BTreeMap<usize, i64> = all.iter().copied().zip(0..).collect();
    let places: Vec<i64> = segments.iter().map(|s| at[s]).collect();
    Ok(Tensor::f_from_slice(&places)?.f_to_device(device)?)
}

/// Pooled vectors of segments, without dropout or gradients: [S, P].
fn pooled(
    corpus: &Corpus,
    encodings: Option<&Encodings>,
    encoder: &Encoder,
    heads: &EmotionHeads,
    segments: &[usize],
) -> Result<Tensor, TrainError> {
    let pool = |chunk: &[usize]| -> Result<Tensor, TrainError> {
        match encodings {
            Some(encodings) => match encodings.gather(chunk, corpus.device)? {
                (pooled_bp, None) => Ok(pooled_bp),
                (frames_nk, Some(layout)) => Ok(heads.pool(&frames_nk, &layout)?),
            },
            None => {
                let (x_nc, layout) = corpus.tensors(&corpus.gather(chunk))?;
                Ok(heads.pool(&heads.read(encoder, &x_nc, &layout, false)?, &layout)?)
            }
        }
    };
    tch::no_grad(|| {
        let chunks: Result<Vec<Tensor>, TrainError> = segments.chunks(CHUNK).map(pool).collect();
        Ok(Tensor::f_cat(&chunks?, 0)?)
    })
}

impl<'a> Finetuning<'a> {
    /// The task before its first step.
    pub(super) fn new(
        cell: &Cell<'a>,
        shared: &'a Shared<'a>,
        training: &'a TrainingConfig,
        encoder: Encoder,
        heads: EmotionHeads,
    ) -> Result<Self, TrainError> {
        let Shared {
            corpus, encodings, ..
        } = *shared;
        let (config, labelled) = (cell.run.config, cell.labelled);
        Ok(Finetuning {
            positive_weight_e: positive_weight(config.positive_weight, corpus, labelled)?,
            batches: Batches::new(
                labelled.to_vec(),
                training.batch_segments,
                u64::from(cell.run.seed),
            ),
            frozen: false,
            beginning: Beginning {
                labels: Some(hash_of_segments(&corpus.names(labelled))),
                validation: Some(hash_of_segments(&corpus.names(corpus.selection()))),
                heads: Some(shared.first_heads.clone()),
            },
            corpus,
            config,
            training,
            start: cell.run.start,
            encoder,
            heads,
            encodings,
            initial_validation: &shared.initial_validation,
        })
    }

    fn forward(&self, segments: &[usize], train: bool) -> Result<Forward, TrainError> {
        if let Some(encodings) = self.encodings {
            let outputs = match encodings.gather(segments, self.corpus.device)? {
                (pooled_bp, None) => self.heads.forward_pooled(&pooled_bp, train)?,
                (frames_nk, Some(layout)) => self.heads.forward(&frames_nk, &layout, train)?,
            };
            let valid_frames = segments
                .iter()
                .map(|&s| self.corpus.prepared.frames(s) as i64)
                .sum();
            return Ok(Forward {
                outputs,
                valid_frames,
                computed_frames: 0,
            });
        }
        let (x_nc, layout) = self.corpus.tensors(&self.corpus.gather(segments))?;
        let read = || self.heads.read(&self.encoder, &x_nc, &layout, train);
        let frames_nk = if self.frozen {
            tch::no_grad(read)
        } else {
            read()
        }?;
        let outputs = self.heads.forward(&frames_nk, &layout, train)?;
        Ok(Forward {
            outputs,
            valid_frames: layout.frames(),
            computed_frames: layout.computed_frames(),
        })
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
                Some(ssl_mask::reconstruction_loss(
                    self.config.intensity_loss,
                    found_be,
                    &target_be,
                )?)
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
            let forward = self.forward(chunk, false)?;
            sum += f64::try_from(self.loss(chunk, &forward.outputs)?)? * chunk.len() as f64;
            scores.push(&forward.outputs)?;
        }
        Ok((scores, sum / segments.len() as f64))
    }

    /// Scores of segments, made without their labels.
    pub(super) fn predict(&self, segments: &[usize]) -> Result<Scores, TrainError> {
        tch::no_grad(|| {
            let mut scores = Scores::default();
            for chunk in segments.chunks(self.training.batch_segments) {
                scores.push(&self.forward(chunk, false)?.outputs)?;
            }
            Ok(scores)
        })
    }

    /// How many layers of decay a tensor of the encoder stands below its top.
    fn depth(&self, name: &str) -> i32 {
        let layers = self.encoder.config().layers;
        let of_layer = name
            .strip_prefix("encoder.layers.")
            .and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
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
        let encoder = self
            .start
            .trains_encoder()
            .then(|| self.encoder.parameters().entries());
        let entries = encoder
            .into_iter()
            .flatten()
            .chain(self.heads.parameters().entries());
        entries
            .map(|(name, t)| (name.clone(), t.shallow_clone()))
            .collect()
    }

    fn rates(&self, step: usize) -> Vec<f64> {
        let heads = match self
            .config
            .head_learning_rate
            .filter(|_| self.start.trains_encoder())
        {
            Some(rate) => rate / self.training.learning_rate,
            None => 1.0,
        };
        let frozen = self.freezes(step);
        let encoder = self
            .start
            .trains_encoder()
            .then(|| self.encoder.parameters().entries());
        let encoder = encoder.into_iter().flatten().map(|(name, _)| match frozen {
            true => 0.0,
            false => self.config.layer_decay.powi(self.depth(name)),
        });
        encoder
            .chain(self.heads.parameters().entries().iter().map(|_| heads))
            .collect()
    }

    fn beginning(&self) -> Beginning {
        self.beginning.clone()
    }

    fn validate_initial(&mut self) -> Result<Option<Validation>, TrainError> {
        if self.config.head_init == HeadInit::Random {
            return Ok(None);
        }
        if let Some(validation) = self.initial_validation.get() {
            return Ok(Some(validation.clone()));
        }
        let validation = self.validate()?;
        Ok(Some(
            self.initial_validation.get_or_init(|| validation).clone(),
        ))
    }

    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError> {
        let segments = self.batches.segments(step);
        self.frozen = self.freezes(step);
        let forward = self.forward(&segments, true)?;
        Ok(StepOutcome {
            loss: self.loss(&segments, &forward.outputs)?,
            epoch: self.batches.epoch(step),
            valid_frames: forward.valid_frames,
            computed_frames: forward.computed_frames,
        })
    }

    fn validate(&mut self) -> Result<Validation, TrainError> {
        let selection = self.corpus.selection();
        let (scores, loss) = self.scores(selection)?;
        let macro_auc = self.corpus.macro_auc(selection, &scores);
        let score = match (self.config.select, macro_auc) {
            (Select::RocAuc, Some(auc)) => auc,
            _ => -loss,
        };
        Ok(Validation {
            score,
            loss,
            more: BTreeMap::from([("macro_roc_auc", macro_auc)]),
        })
    }

    fn segments_of(&mut self, step: usize) -> String {
        self.corpus.names(&self.batches.segments(step))
    }
}

impl Finetuning<'_> {
    /// Whether a pre-trained encoder is frozen in a step.
    fn freezes(&self, step: usize) -> bool {
        self.start.is_pretrained() && self.start.trains_encoder() && step < self.config.freeze_steps
    }
}
