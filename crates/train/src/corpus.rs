//! One fold of a prepared corpus, standardised for one encoder.

use crate::TrainError;
use crate::predict::{Scores, column};
use crate::test_labels::TestLabels;
use backbone::{Layout, Normalisation};
use mosei_data::{BoundNormaliser, Fold, Normaliser, PackedBatch, Prepared};
use std::path::Path;
use tch::{Device, Tensor};

/// What an encoder's folder says of its input, as the data apply it.
pub(crate) fn normaliser_of(normalisation: &Normalisation) -> Normaliser {
    let n = normalisation.clone();
    Normaliser {
        columns: n.columns,
        mean: n.mean,
        std: n.std,
        clip: n.clip,
    }
}

/// One fold of a prepared corpus.
pub struct Corpus {
    /// The whole corpus, without the labels of the fold's test split.
    pub prepared: Prepared,
    /// Which fold.
    pub fold_index: usize,
    /// Where batches go.
    pub device: Device,
    fold: Fold,
    /// The validation segments whose labels model selection may use.
    selection: Vec<usize>,
    test_labels: Option<TestLabels>,
    normalisation: Normalisation,
    normaliser: BoundNormaliser,
}

impl Corpus {
    /// Opens a prepared folder for one fold.
    pub fn open(path: &Path, fold: usize, device: Device) -> Result<Self, TrainError> {
        let mut prepared = Prepared::open(path)?;
        // Before anything is learnt from them: reading a gigabyte takes a third of a second.
        prepared.check_frames()?;
        let found = prepared.fold(fold)?.clone();
        for (split, segments) in [
            ("training", &found.train),
            ("validation", &found.valid),
            ("test", &found.test),
        ] {
            if segments.is_empty() {
                return Err(TrainError::EmptySplit { fold, split });
            }
        }
        let n = &found.normaliser;
        let normalisation = Normalisation {
            columns: n.columns.clone(),
            mean: n.mean.clone(),
            std: n.std.clone(),
            clip: n.clip,
        };
        let normaliser = n.bind(prepared.columns())?;
        let test_labels = Some(TestLabels::withhold(&mut prepared, &found.test));
        let selection = found.valid.clone();
        Ok(Corpus {
            prepared,
            fold_index: fold,
            device,
            fold: found,
            selection,
            test_labels,
            normalisation,
            normaliser,
        })
    }

    /// The labels of the test split, for one reading. Taken before anything borrows the corpus to
    /// train on it.
    ///
    /// # Errors
    /// Where they have been taken before.
    pub(crate) fn take_test_labels(&mut self) -> Result<TestLabels, TrainError> {
        self.test_labels
            .take()
            .ok_or_else(|| TrainError::TestLabelsTaken {
                fold: self.fold_index,
            })
    }

    /// Limits model selection (weights, learning rates, thresholds) to the labels of these
    /// validation segments; those of the others are withheld with the test split's.
    pub(crate) fn limit_selection(&mut self, segments: Vec<usize>, test_labels: &mut TestLabels) {
        let unused: Vec<usize> = self
            .fold
            .valid
            .iter()
            .copied()
            .filter(|i| !segments.contains(i))
            .collect();
        test_labels.withhold_unused(&mut self.prepared, &unused);
        self.selection = segments;
    }

    /// The validation segments used for model selection.
    pub(crate) fn selection(&self) -> &[usize] {
        &self.selection
    }

    /// The same fold, standardised as an encoder wants it: by its own columns, means and
    /// deviations.
    pub fn normalised_by(&mut self, normalisation: &Normalisation) -> Result<(), TrainError> {
        self.normaliser = normaliser_of(normalisation).bind(self.prepared.columns())?;
        self.normalisation = normalisation.clone();
        Ok(())
    }

    /// Which segments train, validate and test.
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// How frames are standardised.
    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// Columns that go into the encoder.
    pub fn input_dim(&self) -> usize {
        self.normalisation.columns.len()
    }

    /// Frames of the longest segment that can be.
    pub fn max_frames(&self) -> usize {
        self.prepared.manifest().config.max_frames
    }

    /// Segments one after another, standardised.
    pub fn gather(&self, segments: &[usize]) -> PackedBatch {
        self.prepared.gather(&self.normaliser, segments)
    }

    /// A packed batch as a tensor with its layout: [N, C].
    pub fn tensors(&self, batch: &PackedBatch) -> Result<(Tensor, Layout), TrainError> {
        let layout = Layout::new(&batch.offsets, self.device)?;
        let x_nc = Tensor::f_from_slice(&batch.x_nc)?
            .f_reshape([-1, batch.width as i64])?
            .f_to_device(self.device)?;
        Ok((x_nc, layout))
    }

    /// Whether an emotion is present in each of some segments.
    pub(crate) fn present(&self, segments: &[usize], emotion: usize) -> Vec<bool> {
        segments
            .iter()
            .map(|&i| self.prepared.presence(i, emotion))
            .collect()
    }

    /// Presence as 0 and 1: [B, E].
    ///
    /// # Errors
    /// A segment whose labels are withheld.
    pub(crate) fn presence_be(&self, segments: &[usize]) -> Result<Tensor, TrainError> {
        self.labels(segments, |i, e| {
            f32::from(u8::from(self.prepared.presence(i, e)))
        })
    }

    /// Intensities: [B, E].
    ///
    /// # Errors
    /// A segment whose labels are withheld.
    pub(crate) fn intensities_be(&self, segments: &[usize]) -> Result<Tensor, TrainError> {
        self.labels(segments, |i, e| self.prepared.intensities(i)[e])
    }

    fn labels(
        &self,
        segments: &[usize],
        of: impl Fn(usize, usize) -> f32,
    ) -> Result<Tensor, TrainError> {
        let prepared = &self.prepared;
        if let Some(&i) = segments
            .iter()
            .find(|&&i| prepared.intensities(i).iter().any(|x| x.is_nan()))
        {
            return Err(TrainError::WithheldLabel {
                segment: prepared.id(i).to_string(),
            });
        }
        let emotions = prepared.emotions().len();
        let values: Vec<f32> = segments
            .iter()
            .flat_map(|&i| (0..emotions).map(|e| of(i, e)).collect::<Vec<_>>())
            .collect();
        Ok(Tensor::f_from_slice(&values)?
            .f_reshape([-1, emotions as i64])?
            .f_to_device(self.device)?)
    }

    /// Mean over emotions of the area under the ROC curve, of those that have one.
    pub(crate) fn macro_auc(&self, segments: &[usize], scores: &Scores) -> Option<f64> {
        let score = scores.score.as_ref()?;
        let emotions = self.prepared.emotions().len();
        let auc =
            |e| eval::metrics::roc_auc(&self.present(segments, e), &column(score, e, emotions));
        eval::mean((0..emotions).filter_map(auc))
    }

    /// Ids of segments, for messages.
    pub fn names(&self, segments: &[usize]) -> String {
        let name = |&i: &usize| match self.prepared.stretches().contains(&i) {
            false => self.prepared.id(i).to_string(),
            true => format!(
                "{}#{}",
                self.prepared.id(i),
                self.prepared.stretch_number(i)
            ),
        };
        let names: Vec<String> = segments.iter().map(name).collect();
        names.join(" ")
    }
}
