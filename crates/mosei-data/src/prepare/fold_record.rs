//! The record of a fold: the sizes of its splits, and the normaliser of its training frames.

use super::assign::AssignedFold;
use super::unlabelled::UnlabelledPass;
use crate::align::Dropped;
use crate::manifest::{FoldRecord, SplitSize};
use crate::normalise::{Moments, fit};
use crate::prepared::{MappedFrames, Segments};
use crate::{DataConfig, DataError, FoldOrigin, SplitCounts};
use mosei_schema::Split;
use std::collections::BTreeMap;
use std::path::Path;

/// The result of the pass, from which folds are recorded.
pub(super) struct Corpus<'a> {
    pub origin: FoldOrigin,
    pub columns: &'a [String],
    pub segments: &'a Segments,
    /// The stored frames of these.
    pub frames: MappedFrames,
    /// Ids of the labelled videos.
    pub videos: &'a [String],
    /// The features file.
    pub features: &'a Path,
    pub moments: Vec<Moments>,
    pub dropped: Vec<Option<Dropped>>,
    pub unlabelled: Option<&'a UnlabelledPass>,
}

impl Corpus<'_> {
    /// The record of one fold.
    ///
    /// # Errors
    /// Where a split has no segment with frames, a column has extreme outliers, or no column varies
    /// over the training frames.
    pub fn fold_record(
        &self,
        index: usize,
        fold: AssignedFold,
        config: &DataConfig,
    ) -> Result<FoldRecord, DataError> {
        let Corpus {
            columns,
            segments,
            moments,
            ..
        } = self;
        let counts = |split| {
            let of_split = (0..segments.len())
                .filter(|&i| fold.split[segments.video[i] as usize] == Some(split));
            SplitCounts::count(of_split.map(|i| self.dropped[i]))
        };
        let mut sizes: BTreeMap<Split, SplitSize> = Split::ALL
            .into_iter()
            .map(|s| (s, SplitSize::default()))
            .collect();
        for (video, split) in fold.split.iter().enumerate() {
            if let Some(size) = split.and_then(|s| sizes.get_mut(&s)) {
                size.videos += usize::from(moments[video].frames > 0);
                size.frames += moments[video].frames;
            }
        }
        for i in (0..segments.len()).filter(|&i| !segments.frames(i).is_empty()) {
            if let Some(size) =
                fold.split[segments.video[i] as usize].and_then(|s| sizes.get_mut(&s))
            {
                size.segments += 1;
            }
        }
        if let Some((split, _)) = sizes.iter().find(|(_, size)| size.segments == 0) {
            let (origin, counts) = (self.origin.clone(), counts(*split));
            return Err(DataError::EmptySplit {
                fold: index,
                origin,
                split: split.name(),
                counts,
            });
        }
        let mut training = Moments::new(columns.len());
        for (video, split) in fold.split.iter().enumerate() {
            if *split == Some(Split::Train) {
                training.merge(&moments[video]);
            }
        }
        self.check_outliers(index, &fold.split, &training)?;
        let fitted = fit(&training, columns, config.clip);
        if fitted.normaliser.columns.is_empty() {
            return Err(DataError::NoColumn {
                fold: index,
                origin: self.origin.clone(),
                columns: columns.len(),
                values: training.frames * columns.len() as u64,
                not_finite: fitted.missing.iter().sum(),
                counts: counts(Split::Train),
            });
        }
        Ok(FoldRecord {
            partition: fold.partition,
            unlabelled: self
                .unlabelled
                .map(|u| u.sizes(&fold.split))
                .unwrap_or_default(),
            split: fold.split,
            sizes,
            normaliser: fitted.normaliser,
            dropped_columns: fitted.dropped,
            training_frames: training.frames,
            training_missing: super::by_column(columns, &fitted.missing),
            unknown_ids: fold.unknown_ids,
            ids_without_labels: fold.ids_without_labels,
            ids_without_features: fold.ids_without_features,
        })
    }
}
