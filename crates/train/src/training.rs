//! The one training loop, for pre-training and fine-tuning alike. Read it from top to bottom.

use crate::checkpoint::{self, CheckpointConfig, Named, State};
use crate::event::{Beginning, Event, JOURNAL_FILE, StepEvent, finite, hash_of_segments};
use crate::log::TrainingLog;
use crate::reconstruction::{Update, optimiser, update};
use crate::{TrainError, TrainingConfig, bar};
use run_record::Journal;
use run_record::seed::{Stream, foreign_seed};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use tch::Tensor;
use torch_ext::seed_generators;

/// What the loop trains.
pub trait Task {
    /// The tensors that learn, by name.
    fn parameters(&self) -> Vec<(String, Tensor)>;
    /// The loss of a step's batch, dropout on. libtorch's generators have just been set for the
    /// step.
    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError>;
    /// An evaluation on the validation split, dropout off.
    fn validate(&mut self) -> Result<Validation, TrainError>;
    /// The learning rate of each parameter in a step, as a multiple of the schedule's; one of 0
    /// stays.
    fn rates(&self, _step: usize) -> Vec<f64> {
        vec![1.0; self.parameters().len()]
    }
    /// Hashes of what every training that this one is compared with must share before the first
    /// step.
    fn beginning(&self) -> Beginning {
        Beginning::default()
    }
    /// The evaluation of the weights before the first step, where these may be the best.
    fn validate_initial(&mut self) -> Result<Option<Validation>, TrainError> {
        Ok(None)
    }
    /// Names of a step's segments, for the journal and for messages.
    fn segments_of(&mut self, step: usize) -> String;
}

/// A step's loss and what it was made of.
pub struct StepOutcome {
    /// The loss, with its graph.
    pub loss: Tensor,
    /// The epoch the batch begins in, from 0.
    pub epoch: usize,
    /// Frames of the batch.
    pub valid_frames: i64,
    /// Frames that the largest kernel computed, padding included.
    pub computed_frames: i64,
}

/// The outcome of an evaluation on the validation split.
#[derive(Debug, Clone)]
pub struct Validation {
    /// Higher is better.
    pub score: f64,
    /// Mean loss.
    pub loss: f64,
    /// Further numbers for the journal, by name.
    pub more: BTreeMap<&'static str, Option<f64>>,
}

/// How a training ended. The best weights are in place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Steps done.
    pub steps: usize,
    /// Best validation score.
    pub best_score: f64,
    /// Steps done when it was reached.
    pub best_step: usize,
}

/// Where a training writes its outputs, and which.
#[derive(Debug, Clone, Copy)]
pub struct OutputOptions<'a> {
    /// Hash of all settings that the outcome depends on: a checkpoint of other settings is not
    /// used.
    pub key: &'a str,
    /// Folder of its journal, checkpoints and outputs.
    pub folder: &'a Path,
    /// How often checkpoints are saved, and how many are kept.
    pub checkpoints: &'a CheckpointConfig,
    /// Whether the journal's numbers are written as TensorBoard events too.
    pub tensorboard: bool,
}

/// Trains, writing a journal and checkpoints, and leaves the best weights in the task. The caller
/// writes the journal's last line.
///
/// Continues from a checkpoint of the same settings where there is one. On the CPU, with the same
/// number of threads, the outcome is the same bit for bit, interrupted or not.
///
/// # Errors
/// A loss or gradient that is not finite, with the batch; a file that cannot be written.
pub fn train(
    task: &mut dyn Task,
    config: &TrainingConfig,
    seed: u64,
    output: OutputOptions<'_>,
    label: &str,
) -> Result<Summary, TrainError> {
    let OutputOptions {
        key,
        folder,
        checkpoints,
        tensorboard,
    } = output;
    let parameters: Named = task.parameters();
    let tensors: Vec<Tensor> = parameters.iter().map(|(_, t)| t.shallow_clone()).collect();
    let mut optimiser = optimiser(tensors, config.weight_decay);
    let mut best = BTreeMap::new();
    let fresh = State {
        settings: key.to_string(),
        step: 0,
        best: None,
        validations_since_best: 0,
    };
    let restored = checkpoint::restore(folder, key, &parameters, &optimiser, &mut best)?;
    let mut log = TrainingLog::open(folder, tensorboard, restored.as_ref(), task.beginning())?;
    let mut state = restored.unwrap_or(fresh);
    let mut saved = Instant::now();
    let bar = bar(label, config.steps as u64);
    bar.set_position(state.step as u64);
    bar.reset_eta();

    if state.step == 0
        && state.best.is_none()
        && let Some(validation) = tch::no_grad(|| task.validate_initial())?
    {
        record(validation, &mut state, &parameters, &mut best, &mut log)?;
    }
    while state.step < config.steps
        && (config.patience == 0 || state.validations_since_best < config.patience)
    {
        let began = Instant::now();
        let step = state.step;
        // Dropout is a function of (seed, step): starts of one cell drop the same units, and a step
        // can be replayed.
        let dropout = foreign_seed(seed, Stream::Dropout, step as u64);
        seed_generators(dropout);
        let outcome = task.step(step)?;
        let learning_rate = config.learning_rate_at(step);
        let rates: Vec<f64> = task
            .rates(step)
            .into_iter()
            .map(|rate| rate * learning_rate)
            .collect();
        let taken = update(&mut optimiser, &outcome.loss, config.clip_norm, &rates)?;
        let Update {
            loss,
            gradient_norm,
        } = taken;
        if !taken.is_finite() {
            let segments = task.segments_of(step);
            return Err(TrainError::Diverged {
                step,
                loss,
                gradient_norm,
                segments,
            });
        }
        state.step += 1;
        log.write(&Event::Step(StepEvent {
            step,
            epoch: outcome.epoch,
            loss,
            learning_rate,
            gradient_norm,
            valid_frames: outcome.valid_frames,
            computed_frames: outcome.computed_frames,
            seconds: began.elapsed().as_secs_f64(),
            batch: hash_of_segments(&task.segments_of(step)),
            dropout,
        }))?;

        if state.step.is_multiple_of(config.validate_every) || state.step == config.steps {
            let validation = tch::no_grad(|| task.validate())?;
            let validation = record(validation, &mut state, &parameters, &mut best, &mut log)?;
            bar.set_message(format!("loss {loss:.4}, validation {validation:.4}"));
        }
        if state.step < config.steps && checkpoints.is_due(state.step, saved) {
            let began = Instant::now();
            checkpoint::save(
                folder,
                &state,
                &parameters,
                &optimiser,
                &best,
                checkpoints.keep,
            )?;
            saved = Instant::now();
            log.write(&Event::Checkpoint {
                step: state.step,
                seconds: began.elapsed().as_secs_f64(),
            })?;
        }
        bar.set_position(state.step as u64);
    }

    tch::no_grad(|| {
        parameters.iter().try_for_each(|(name, t)| {
            best.get(name)
                .map_or(Ok(()), |b| t.shallow_clone().f_copy_(b))
        })
    })?;
    bar.finish_and_clear();
    let (best_score, best_step) = state.best.unwrap_or((f64::NAN, state.step));
    Ok(Summary {
        steps: state.step,
        best_score,
        best_step,
    })
}

/// Logs an evaluation, and copies the weights where they are the best so far; returns the loss.
fn record(
    validation: Validation,
    state: &mut State,
    parameters: &Named,
    best: &mut BTreeMap<String, Tensor>,
    log: &mut TrainingLog,
) -> Result<f64, TrainError> {
    let Validation { score, loss, more } = validation;
    let more = more
        .into_iter()
        .map(|(name, value)| (name.to_string(), value.and_then(finite)))
        .collect();
    log.write(&Event::Validation {
        step: state.step,
        loss: finite(loss),
        score: finite(score),
        more,
    })?;
    state.validations_since_best += 1;
    if state.best.is_none_or(|(highest, _)| score > highest) {
        state.best = Some((score, state.step));
        state.validations_since_best = 0;
        *best = parameters
            .iter()
            .map(|(name, t)| (name.clone(), t.detach().copy()))
            .collect();
    }
    Ok(loss)
}

/// Writes the last line of a training's journal: after it, nothing is learned, selected or read.
pub(crate) fn end_journal(folder: &Path, summary: &Summary) -> Result<(), TrainError> {
    let Summary {
        steps: step,
        best_step,
        best_score,
    } = *summary;
    Event::End {
        step,
        best_step,
        best_score: finite(best_score),
    }
    .write(&mut Journal::append(&folder.join(JOURNAL_FILE))?)
}
