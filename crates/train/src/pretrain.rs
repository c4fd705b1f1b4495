//! Pre-training: hide frames, rebuild them.

mod example;

pub use example::EXAMPLE_FILE;

use crate::batches::Batches;
use crate::event::{Event, JOURNAL_FILE};
use crate::input::InputFacts;
use crate::pretrain_on::seen_by;
use crate::reconstruction::{MaskedBatch, Reconstruction};
use crate::training::end_journal;
use crate::{
    Corpus, OutputOptions, PretrainOn, StepOutcome, Summary, Task, TrainError, TrainingConfig,
    Validation, train,
};
use backbone::{EncoderConfig, EncoderFolder, Source};
use mosei_schema::{PretrainKind, SegmentId};
use rand::seq::SliceRandom;
use run_record::seed::{Stream, rng_named};
use run_record::{Column, Journal, StagedDir, Table};
use ssl_mask::{HiddenFrames, MaskConfig, Masker, Treatment};
use std::collections::BTreeMap;
use tch::Tensor;

/// What pre-training saw, beside its encoder.
pub const SEEN_FILE: &str = "pretraining.parquet";

/// One pre-training: everything that its outcome depends on, and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct PretrainRun<'a> {
    /// Shape of the encoder.
    pub encoder: &'a EncoderConfig,
    /// What is hidden.
    pub mask: &'a MaskConfig,
    /// Steps, batches, learning rate.
    pub training: &'a TrainingConfig,
    /// Which speech it draws from.
    pub on: PretrainOn,
    /// Of which videos, and in which order.
    pub kind: PretrainKind,
    /// Training seed.
    pub seed: u32,
    /// Where its files go.
    pub output: OutputOptions<'a>,
}

struct Pretraining<'a> {
    corpus: &'a Corpus,
    masker: Masker,
    model: Reconstruction,
    batches: Batches,
    batch_segments: usize,
    seed: u64,
    kind: PretrainKind,
}

/// Pre-trains an encoder on the training videos of a fold (see [`PretrainKind`] for others) and
/// writes into its folder: `encoder/`, `pretraining.parquet` (what it saw),
/// `reconstruction.parquet` (one segment rebuilt), `journal.jsonl`.
///
/// # Errors
/// Speech outside segments where the corpus has none; a training that diverges; a file that cannot
/// be written.
pub fn pretrain(run: &PretrainRun<'_>, corpus: &Corpus) -> Result<Summary, TrainError> {
    let (seed, device, out) = (u64::from(run.seed), corpus.device, run.output.folder);
    let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
    let (columns, max_frames) = (corpus.input_dim(), corpus.max_frames());
    let model = Reconstruction::new(run.encoder, columns, max_frames, &mut source, device)?;
    let batch_segments = run.training.batch_segments;
    let seen = seen_by(corpus, run.kind, run.on)?;
    let mut task = Pretraining {
        masker: Masker::new(run.mask)?,
        batches: Batches::new(seen.clone(), batch_segments, seed),
        batch_segments,
        corpus,
        model,
        seed,
        kind: run.kind,
    };
    crate::checkpoint::remove_outputs(out, &["encoder", SEEN_FILE, EXAMPLE_FILE])?;
    let label = format!(
        "pre-training, fold {}, seed {}{}",
        corpus.fold_index,
        run.seed,
        run.kind.remark()
    );
    let summary = train(&mut task, run.training, seed, run.output, &label)?;

    let ids: Vec<SegmentId> = seen.iter().map(|&i| corpus.prepared.id(i)).collect();
    seen_table(&ids, corpus.fold_index, run.seed, run.kind).write(&out.join(SEEN_FILE))?;
    tch::no_grad(|| task.example())?.write(&out.join(EXAMPLE_FILE))?;
    let staged = StagedDir::create(&out.join("encoder"))?;
    EncoderFolder::write(&task.model.encoder, corpus.normalisation(), staged.path())?;
    InputFacts::of(corpus.prepared.manifest()).write(staged.path())?;
    staged.commit()?;
    let stretches = seen
        .iter()
        .filter(|i| corpus.prepared.stretches().contains(i))
        .count();
    let event = Event::Seen {
        step: summary.steps,
        kind: run.kind.name().into(),
        segments: seen.len() - stretches,
        stretches,
        frames: seen.iter().map(|&i| corpus.prepared.frames(i)).sum(),
    };
    event.write(&mut Journal::append(&out.join(JOURNAL_FILE))?)?;
    end_journal(out, &summary)?;
    crate::checkpoint::remove(out)?;
    Ok(summary)
}

/// The rows of `pretraining.parquet`, one for each segment or stretch.
pub fn seen_table(ids: &[SegmentId], fold: usize, seed: u32, kind: PretrainKind) -> Table {
    let table = Table::new()
        .with("fold", Column::I32(vec![fold as i32; ids.len()]))
        .with("seed", Column::I32(vec![seed as i32; ids.len()]))
        .with(
            "video",
            Column::Text(ids.iter().map(|id| id.video.clone()).collect()),
        )
        .with(
            "segment",
            Column::I32(ids.iter().map(|id| id.segment).collect()),
        );
    table.with("kind", Column::Text(vec![kind.name().into(); ids.len()]))
}

/// Puts the rows of `x_tc` [T, C], C = `width`, into the order given: row `t` becomes that which
/// stood at `order[t]`.
fn reorder(x_tc: &mut [f32], width: usize, order: &[usize]) {
    let before = x_tc.to_vec();
    for (row, &from) in x_tc.chunks_exact_mut(width).zip(order) {
        row.copy_from_slice(&before[from * width..(from + 1) * width]);
    }
}

impl Pretraining<'_> {
    /// The name of a segment in an epoch, for what is drawn for it there.
    fn name(&self, epoch: &str, segment: usize) -> String {
        let prepared = &self.corpus.prepared;
        let id = prepared.id(segment);
        match prepared.stretches().contains(&segment) {
            false => format!("{epoch} {} {}", id.segment, id.video),
            // Stretches of one video share an id, and shall not share a mask.
            true => format!(
                "{epoch} {} {} {}",
                id.segment,
                prepared.stretch_number(segment),
                id.video
            ),
        }
    }

    /// The mask of a segment in an epoch: no other thing enters, so it is the same in any batch,
    /// and of any kind.
    fn mask(&self, epoch: &str, segment: usize) -> HiddenFrames {
        let mut rng = rng_named(self.seed, Stream::Mask, &self.name(epoch, segment));
        self.masker
            .draw(self.corpus.prepared.frames(segment), &mut rng)
    }

    /// The order of a segment's frames in an epoch, where they are shuffled.
    fn order(&self, epoch: &str, segment: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.corpus.prepared.frames(segment)).collect();
        order.shuffle(&mut rng_named(
            self.seed,
            Stream::Frames,
            &self.name(epoch, segment),
        ));
        order
    }

    fn masked(&self, segments: &[(String, usize)]) -> Result<MaskedBatch, TrainError> {
        let ids: Vec<usize> = segments.iter().map(|(_, s)| *s).collect();
        let mut batch = self.corpus.gather(&ids);
        let width = batch.width;
        let (mut rows, mut target) = (Vec::new(), Vec::new());
        let mut learned = vec![0f32; batch.x_nc.len() / width];
        for (i, (epoch, segment)) in segments.iter().enumerate() {
            let (from, to) = (batch.offsets[i] as usize, batch.offsets[i + 1] as usize);
            if self.kind == PretrainKind::Shuffled {
                reorder(
                    &mut batch.x_nc[from * width..to * width],
                    width,
                    &self.order(epoch, *segment),
                );
            }
            let hidden = self.mask(epoch, *segment);
            for (&frame, &treatment) in hidden.frames().iter().zip(hidden.treatments()) {
                let row = from + frame;
                rows.push(row as i64);
                target.extend_from_slice(&batch.x_nc[row * width..(row + 1) * width]);
                learned[row] = f32::from(u8::from(treatment == Treatment::Learned));
            }
            hidden.apply(&mut batch.x_nc[from * width..to * width], width);
        }
        let (x_nc, layout) = self.corpus.tensors(&batch)?;
        let device = self.corpus.device;
        let learned_n1 = if learned.contains(&1.0) {
            Some(
                Tensor::f_from_slice(&learned)?
                    .f_unsqueeze(1)?
                    .f_to_device(device)?,
            )
        } else {
            None
        };
        Ok(MaskedBatch {
            x_nc,
            learned_n1,
            hidden_rows_k: Tensor::f_from_slice(&rows)?.f_to_device(device)?,
            target_kc: Tensor::f_from_slice(&target)?
                .f_reshape([-1, width as i64])?
                .f_to_device(device)?,
            layout,
        })
    }

    fn loss(&self, batch: &MaskedBatch, train: bool) -> Result<Tensor, TrainError> {
        self.model.loss(batch, self.masker.config().loss, train)
    }
}

impl Task for Pretraining<'_> {
    fn parameters(&self) -> Vec<(String, Tensor)> {
        self.model.parameters()
    }

    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError> {
        let segments: Vec<(String, usize)> = self
            .batches
            .batch(step)
            .into_iter()
            .map(|(epoch, s)| (epoch.to_string(), s))
            .collect();
        let batch = self.masked(&segments)?;
        Ok(StepOutcome {
            loss: self.loss(&batch, true)?,
            epoch: self.batches.epoch(step),
            valid_frames: batch.layout.frames(),
            computed_frames: batch.layout.computed_frames(),
        })
    }

    fn validate(&mut self) -> Result<Validation, TrainError> {
        let (mut sum, mut hidden) = (0.0, 0.0);
        for chunk in self.corpus.fold().valid.chunks(self.batch_segments) {
            // The same frames at every validation, so that validations can be compared.
            let segments: Vec<(String, usize)> = chunk
                .iter()
                .map(|&s| ("validation".to_string(), s))
                .collect();
            let batch = self.masked(&segments)?;
            let count = batch.target_kc.size()[0] as f64;
            sum += f64::try_from(self.loss(&batch, false)?)? * count;
            hidden += count;
        }
        let loss = sum / hidden;
        Ok(Validation {
            score: -loss,
            loss,
            more: BTreeMap::new(),
        })
    }

    fn segments_of(&mut self, step: usize) -> String {
        self.corpus.names(&self.batches.segments(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_corpus;
    use mosei_data::{DataConfig, Unlabelled};
    use std::collections::BTreeSet;
    use std::path::Path;
    use tch::Device;

    fn corpus(folder: &Path) -> Corpus {
        let config = DataConfig {
            unlabelled: Unlabelled::Outside,
            unlabelled_min_s: 0.2,
            ..DataConfig::default()
        };
        test_corpus::corpus(folder, 60, config)
    }

    fn task<'a>(corpus: &'a Corpus, seed: u64, batch_segments: usize) -> Pretraining<'a> {
        let config = backbone::EncoderConfig {
            model_dim: 8,
            heads: 1,
            layers: 1,
            ..Default::default()
        };
        let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
        let (columns, max_frames) = (corpus.input_dim(), corpus.max_frames());
        let model =
            Reconstruction::new(&config, columns, max_frames, &mut source, Device::Cpu).unwrap();
        let batches = Batches::new(corpus.fold().train.clone(), batch_segments, seed);
        let masker = Masker::new(&ssl_mask::MaskConfig::default()).unwrap();
        Pretraining {
            corpus,
            masker,
            model,
            batches,
            batch_segments,
            seed,
            kind: PretrainKind::Ordinary,
        }
    }

    #[test]
    fn a_mask_depends_on_seed_epoch_and_segment_alone() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let longest = *corpus
            .fold()
            .train
            .iter()
            .max_by_key(|&&i| corpus.prepared.frames(i))
            .unwrap();
        let others: Vec<usize> = corpus
            .fold()
            .train
            .iter()
            .copied()
            .filter(|&i| i != longest)
            .take(5)
            .collect();
        let (small, large) = (task(&corpus, 1, 2), task(&corpus, 1, 8));
        assert_eq!(small.mask("3", longest), large.mask("3", longest));
        assert_ne!(small.mask("3", longest), small.mask("4", longest));
        assert_ne!(
            small.mask("3", longest),
            task(&corpus, 2, 2).mask("3", longest)
        );

        // The segment's rows are the same whatever stands before it in the batch.
        let rows = |batch: &[usize]| {
            let named: Vec<(String, usize)> = batch.iter().map(|&i| ("3".to_string(), i)).collect();
            let masked = small.masked(&named).unwrap();
            let at = batch.iter().position(|&i| i == longest).unwrap();
            let before: usize = batch[..at].iter().map(|&i| corpus.prepared.frames(i)).sum();
            masked.x_nc.slice(
                0,
                before as i64,
                (before + corpus.prepared.frames(longest)) as i64,
                1,
            )
        };
        let alone = rows(&[longest]);
        assert_eq!(alone, rows(&[others[0], longest, others[1]]));
        assert_eq!(alone, rows(&[others[2], others[3], others[4], longest]));
    }

    #[test]
    fn stretches_of_one_video_have_masks_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let task = task(&corpus, 1, 4);
        let stretches: Vec<usize> = corpus.prepared.stretches().collect();
        let names: BTreeSet<String> = stretches.iter().map(|&i| task.name("3", i)).collect();
        let videos: BTreeSet<usize> = stretches
            .iter()
            .map(|&i| corpus.prepared.video(i))
            .collect();
        assert!(videos.len() < stretches.len(), "some video has two");
        assert_eq!(names.len(), stretches.len());
    }

    #[test]
    fn shuffled_frames_are_the_same_frames_in_another_order() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let usual = task(&corpus, 1, 4);
        let shuffled = Pretraining {
            kind: PretrainKind::Shuffled,
            ..task(&corpus, 1, 4)
        };
        let longest = *corpus
            .fold()
            .train
            .iter()
            .max_by_key(|&&i| corpus.prepared.frames(i))
            .unwrap();
        assert_eq!(
            shuffled.order("3", longest),
            task(&corpus, 1, 8).order("3", longest)
        );
        assert_ne!(shuffled.order("3", longest), shuffled.order("4", longest));
        assert_ne!(
            shuffled.order("3", longest),
            task(&corpus, 2, 4).order("3", longest)
        );

        // As many frames are hidden, at the same places, of the same batch; what stands there is
        // another.
        let named: Vec<(String, usize)> = corpus.fold().train[..4]
            .iter()
            .map(|&i| ("3".to_string(), i))
            .collect();
        let (a, b) = (
            usual.masked(&named).unwrap(),
            shuffled.masked(&named).unwrap(),
        );
        assert_eq!(a.hidden_rows_k, b.hidden_rows_k);
        assert_eq!(a.target_kc.size(), b.target_kc.size());
        assert_ne!(a.target_kc, b.target_kc);
        // Each segment has the same frames, with those put back that are hidden.
        let whole = |masked: &MaskedBatch| {
            let width = corpus.input_dim();
            let mut x = Vec::<f32>::try_from(&masked.x_nc.reshape([-1])).unwrap();
            let targets = Vec::<f32>::try_from(&masked.target_kc.reshape([-1])).unwrap();
            let rows = Vec::<i64>::try_from(&masked.hidden_rows_k).unwrap();
            for (row, target) in rows.iter().zip(targets.chunks(width)) {
                x[*row as usize * width..][..width].copy_from_slice(target);
            }
            let mut from = 0;
            let segments = named.iter().map(|(_, i)| {
                let frames = corpus.prepared.frames(*i);
                let of = x[from * width..(from + frames) * width].chunks(width);
                from += frames;
                of.map(|row| row.iter().map(|v| v.to_bits()).collect::<Vec<u32>>())
                    .collect::<Vec<_>>()
            });
            segments.collect::<Vec<_>>()
        };
        let (mut a, mut b) = (whole(&a), whole(&b));
        assert_ne!(a, b);
        a.iter_mut().chain(&mut b).for_each(|frames| frames.sort());
        assert_eq!(a, b);
    }

    #[test]
    fn each_kind_sees_what_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let fold = corpus.fold();
        let sees = |kind, on| -> BTreeSet<usize> {
            let seen = seen_by(&corpus, kind, on).unwrap();
            let set: BTreeSet<usize> = seen.iter().copied().collect();
            assert_eq!(set.len(), seen.len(), "nothing twice");
            set
        };
        let of = |lists: &[&Vec<usize>]| {
            lists
                .iter()
                .flat_map(|l| l.iter().copied())
                .collect::<BTreeSet<usize>>()
        };
        assert!(!fold.unlabelled.is_empty() && !fold.unlabelled_judged.is_empty());
        for kind in [PretrainKind::Ordinary, PretrainKind::Shuffled] {
            assert_eq!(sees(kind, PretrainOn::Segments), of(&[&fold.train]));
            assert_eq!(
                sees(kind, PretrainOn::AllSpeech),
                of(&[&fold.train, &fold.unlabelled])
            );
        }
        let ablation = PretrainKind::Transductive;
        assert_eq!(
            sees(ablation, PretrainOn::Segments),
            of(&[&fold.train, &fold.valid, &fold.test])
        );
        let all = of(&[
            &fold.train,
            &fold.valid,
            &fold.test,
            &fold.unlabelled,
            &fold.unlabelled_judged,
        ]);
        assert_eq!(sees(ablation, PretrainOn::AllSpeech), all);
    }

    #[test]
    fn the_example_is_a_validation_segment_and_guesses_hidden_frames_alone() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let task = task(&corpus, 1, 4);
        let table = task.example().unwrap();
        assert_eq!(table, task.example().unwrap());
        let path = folder.path().join(EXAMPLE_FILE);
        table.write(&path).unwrap();
        let video = &table.text(&path, "video").unwrap()[0];
        assert!(
            corpus
                .fold()
                .valid
                .iter()
                .any(|&i| &corpus.prepared.id(i).video == video)
        );
        let (hidden, guess) = (
            table.bool(&path, "hidden").unwrap(),
            table.option_f64(&path, "guess").unwrap(),
        );
        assert_eq!(hidden.len() % corpus.input_dim(), 0);
        let count = hidden.iter().filter(|h| **h).count();
        assert!(count > 0 && count < hidden.len());
        assert!(
            guess
                .iter()
                .zip(hidden)
                .all(|(guess, hidden)| guess.is_some() == *hidden)
        );
    }

    #[test]
    fn the_loss_sees_hidden_frames_alone() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let task = task(&corpus, 1, 4);
        let named: Vec<(String, usize)> = corpus.fold().train[..4]
            .iter()
            .map(|&i| ("0".to_string(), i))
            .collect();
        let mut masked = task.masked(&named).unwrap();
        let hidden: usize = named
            .iter()
            .map(|(epoch, i)| task.mask(epoch, *i).frames().len())
            .sum();
        assert_eq!(
            masked.target_kc.size(),
            [hidden as i64, corpus.input_dim() as i64]
        );
        // A target that the head already gives has no loss, whatever the open frames are.
        masked.target_kc = task.model.rebuild(&masked, false).unwrap().detach();
        assert_eq!(
            f64::try_from(task.loss(&masked, false).unwrap()).unwrap(),
            0.0
        );
    }
}
