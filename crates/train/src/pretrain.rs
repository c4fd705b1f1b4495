//! Pre-training: hide frames, rebuild them.

mod example;

pub(crate) use example::{EXAMPLE_FILE, read_example};

use crate::batches::Batches;
use crate::training::end_journal;
use crate::{Corpus, StepOutcome, Study, Summary, Task, TrainError, Validation, train};
use backbone::{Encoder, EncoderFolder, Layout, ReconstructionHead, Source};
use mosei_schema::SegmentId;
use run_record::seed::{Stream, rng_named};
use run_record::{Column, StagedDir, Table};
use ssl_mask::{HiddenFrames, Masker, Treatment, reconstruction_loss};
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

/// What pre-training saw, beside its encoder.
pub(crate) const SEEN_FILE: &str = "pretraining.parquet";

/// Which pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PretrainSettings<'a> {
    /// Training seed.
    pub seed: u32,
    /// Hash of all settings, for checkpoints.
    pub key: &'a str,
}

struct Pretraining<'a> {
    corpus: &'a Corpus,
    masker: Masker,
    encoder: Encoder,
    head: ReconstructionHead,
    batches: Batches,
    batch_segments: usize,
    seed: u64,
}

/// A batch with its hidden frames.
struct Masked {
    x_nc: Tensor,
    learned_n1: Option<Tensor>,
    hidden_rows_k: Tensor,
    target_kc: Tensor,
    layout: Layout,
}

/// Pre-trains an encoder on the training segments of a fold and writes into `out`:
/// `encoder/`, `pretraining.parquet` (what it saw), `reconstruction.parquet` (its guesses in one segment), `journal.jsonl`.
pub fn pretrain(
    study: &Study,
    corpus: &Corpus,
    settings: PretrainSettings<'_>,
    out: &Path,
) -> Result<Summary, TrainError> {
    let seed = u64::from(settings.seed);
    let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
    let encoder = Encoder::new(&study.encoder, corpus.input_dim(), corpus.max_frames(), &mut source, corpus.device)?;
    let head = ReconstructionHead::new(study.encoder.model_dim, corpus.input_dim(), &mut source, corpus.device)?;
    let batch_segments = study.pretrain.batch_segments;
    let mut task = Pretraining {
        masker: Masker::new(&study.mask)?,
        batches: Batches::new(corpus.fold().train.clone(), batch_segments, seed),
        batch_segments,
        corpus,
        encoder,
        head,
        seed,
    };
    crate::checkpoint::remove_outputs(out, &["encoder", SEEN_FILE, EXAMPLE_FILE])?;
    let label = format!("pre-training, fold {}, seed {}", corpus.fold_index, settings.seed);
    let summary = train(&mut task, &study.pretrain, seed, settings.key, out, &label)?;

    let seen: Vec<SegmentId> = corpus.fold().train.iter().map(|&i| corpus.prepared.id(i)).collect();
    seen_table(&seen, corpus.fold_index, settings.seed).write(&out.join(SEEN_FILE))?;
    tch::no_grad(|| task.example())?.write(&out.join(EXAMPLE_FILE))?;
    let staged = StagedDir::create(&out.join("encoder"))?;
    EncoderFolder::write(&task.encoder, corpus.normalisation(), staged.path())?;
    staged.commit()?;
    end_journal(out, &summary)?;
    crate::checkpoint::remove(out)?;
    Ok(summary)
}

/// The rows of `pretraining.parquet`.
pub(crate) fn seen_table(ids: &[SegmentId], fold: usize, seed: u32) -> Table {
    Table::new()
        .with("fold", Column::I32(vec![fold as i32; ids.len()]))
        .with("seed", Column::I32(vec![seed as i32; ids.len()]))
        .with("video", Column::Text(ids.iter().map(|id| id.video.clone()).collect()))
        .with("segment", Column::I32(ids.iter().map(|id| id.segment).collect()))
}

impl Pretraining<'_> {
    /// The mask of a segment in an epoch: no other thing enters, so it is the same in any batch.
    fn mask(&self, epoch: &str, segment: usize) -> HiddenFrames {
        let id = self.corpus.prepared.id(segment);
        let mut rng = rng_named(self.seed, Stream::Mask, &format!("{epoch} {} {}", id.segment, id.video));
        self.masker.draw(self.corpus.prepared.frames(segment), &mut rng)
    }

    fn masked(&self, segments: &[(String, usize)]) -> Result<Masked, TrainError> {
        let ids: Vec<usize> = segments.iter().map(|(_, s)| *s).collect();
        let mut batch = self.corpus.gather(&ids);
        let width = batch.width;
        let (mut rows, mut target) = (Vec::new(), Vec::new());
        let mut learned = vec![0f32; batch.x_nc.len() / width];
        for (i, (epoch, segment)) in segments.iter().enumerate() {
            let (from, to) = (batch.offsets[i] as usize, batch.offsets[i + 1] as usize);
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
            Some(Tensor::f_from_slice(&learned)?.f_unsqueeze(1)?.f_to_device(device)?)
        } else {
            None
        };
        Ok(Masked {
            x_nc,
            learned_n1,
            hidden_rows_k: Tensor::f_from_slice(&rows)?.f_to_device(device)?,
            target_kc: Tensor::f_from_slice(&target)?.f_reshape([-1, width as i64])?.f_to_device(device)?,
            layout,
        })
    }

    /// What the head makes of the hidden frames: [K, C].
    fn rebuilt(&self, batch: &Masked, train: bool) -> Result<Tensor, TrainError> {
        let x_nc = match &batch.learned_n1 {
            Some(learned_n1) => self.head.fill(&batch.x_nc, learned_n1)?,
            None => batch.x_nc.shallow_clone(),
        };
        let h_nd = self.encoder.forward(&x_nc, &batch.layout, train)?;
        // Only hidden frames are rebuilt: the loss sees no other.
        let h_kd = torch_ext::gather_rows(&h_nd, &batch.hidden_rows_k)?;
        Ok(self.head.forward(&h_kd)?)
    }

    fn loss(&self, batch: &Masked, train: bool) -> Result<Tensor, TrainError> {
        Ok(reconstruction_loss(self.masker.config().loss, &self.rebuilt(batch, train)?, &batch.target_kc)?)
    }
}

impl Task for Pretraining<'_> {
    fn parameters(&self) -> Vec<(String, Tensor)> {
        let entries = self.encoder.parameters().entries().iter().chain(self.head.parameters().entries());
        entries.map(|(name, t)| (name.clone(), t.shallow_clone())).collect()
    }

    fn step(&mut self, step: usize) -> Result<StepOutcome, TrainError> {
        let segments: Vec<(String, usize)> =
            self.batches.batch(step).into_iter().map(|(epoch, s)| (epoch.to_string(), s)).collect();
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
            // The same frames at every look, so that looks can be compared.
            let segments: Vec<(String, usize)> = chunk.iter().map(|&s| ("validation".to_string(), s)).collect();
            let batch = self.masked(&segments)?;
            let count = batch.target_kc.size()[0] as f64;
            sum += f64::try_from(self.loss(&batch, false)?)? * count;
            hidden += count;
        }
        let loss = sum / hidden;
        Ok(Validation { score: -loss, loss, more: BTreeMap::new() })
    }

    fn segments_of(&mut self, step: usize) -> String {
        let segments: Vec<usize> = self.batches.batch(step).into_iter().map(|(_, s)| s).collect();
        self.corpus.names(&segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosei_data::{DataConfig, SynthConfig};
    use std::path::PathBuf;
    use tch::Device;

    fn corpus(folder: &Path) -> Corpus {
        let synth = SynthConfig { videos: 16, segments: 60, median_segment_s: 1.5, ..SynthConfig::default() };
        let (data, prepared): (PathBuf, PathBuf) = (folder.join("data"), folder.join("prepared"));
        mosei_data::synthesise(&synth, &data, &mut |_, _| ()).unwrap();
        let config = DataConfig { pool_frames: 10, max_frames: 40, ..DataConfig::default() };
        mosei_data::prepare(&config, &data, &prepared, &mut |_, _| ()).unwrap();
        Corpus::open(&prepared, 0, Device::Cpu).unwrap()
    }

    fn task<'a>(corpus: &'a Corpus, seed: u64, batch_segments: usize) -> Pretraining<'a> {
        let config = backbone::EncoderConfig { model_dim: 8, heads: 1, layers: 1, ..Default::default() };
        let mut source = Source::draw(|name: &str| rng_named(seed, Stream::Init, name));
        let encoder = Encoder::new(&config, corpus.input_dim(), corpus.max_frames(), &mut source, Device::Cpu).unwrap();
        let head = ReconstructionHead::new(8, corpus.input_dim(), &mut source, Device::Cpu).unwrap();
        let batches = Batches::new(corpus.fold().train.clone(), batch_segments, seed);
        let masker = Masker::new(&ssl_mask::MaskConfig::default()).unwrap();
        Pretraining { corpus, masker, encoder, head, batches, batch_segments, seed }
    }

    #[test]
    fn a_mask_depends_on_seed_epoch_and_segment_alone() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let longest = *corpus.fold().train.iter().max_by_key(|&&i| corpus.prepared.frames(i)).unwrap();
        let others: Vec<usize> = corpus.fold().train.iter().copied().filter(|&i| i != longest).take(5).collect();
        let (small, large) = (task(&corpus, 1, 2), task(&corpus, 1, 8));
        assert_eq!(small.mask("3", longest), large.mask("3", longest));
        assert_ne!(small.mask("3", longest), small.mask("4", longest));
        assert_ne!(small.mask("3", longest), task(&corpus, 2, 2).mask("3", longest));

        // The segment's rows are the same whatever stands before it in the batch.
        let rows = |batch: &[usize]| {
            let named: Vec<(String, usize)> = batch.iter().map(|&i| ("3".to_string(), i)).collect();
            let masked = small.masked(&named).unwrap();
            let at = batch.iter().position(|&i| i == longest).unwrap();
            let before: usize = batch[..at].iter().map(|&i| corpus.prepared.frames(i)).sum();
            masked.x_nc.slice(0, before as i64, (before + corpus.prepared.frames(longest)) as i64, 1)
        };
        let alone = rows(&[longest]);
        assert_eq!(alone, rows(&[others[0], longest, others[1]]));
        assert_eq!(alone, rows(&[others[2], others[3], others[4], longest]));
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
        assert!(corpus.fold().valid.iter().any(|&i| &corpus.prepared.id(i).video == video));
        let shown = read_example(&path, "encoder", None).unwrap();
        assert_eq!((shown.columns.len(), shown.columns[0].input.len()), (corpus.input_dim(), shown.hidden.len()));
        let hidden = shown.hidden.iter().filter(|h| **h).count();
        assert!(hidden > 0 && hidden < shown.hidden.len());
        for column in &shown.columns {
            assert!(column.guess.iter().zip(&shown.hidden).all(|(guess, hidden)| guess.is_some() == *hidden));
        }
    }

    #[test]
    fn the_loss_sees_hidden_frames_alone() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = corpus(folder.path());
        let task = task(&corpus, 1, 4);
        let named: Vec<(String, usize)> = corpus.fold().train[..4].iter().map(|&i| ("0".to_string(), i)).collect();
        let mut masked = task.masked(&named).unwrap();
        let hidden: usize = named.iter().map(|(epoch, i)| task.mask(epoch, *i).frames().len()).sum();
        assert_eq!(masked.target_kc.size(), [hidden as i64, corpus.input_dim() as i64]);
        // A target that the head already gives has no loss, whatever the open frames are.
        let h_nd = task.encoder.forward(&masked.x_nc, &masked.layout, false).unwrap();
        let h_kd = h_nd.index_select(0, &masked.hidden_rows_k);
        masked.target_kc = task.head.forward(&h_kd).unwrap().detach();
        assert_eq!(f64::try_from(task.loss(&masked, false).unwrap()).unwrap(), 0.0);
    }
}
