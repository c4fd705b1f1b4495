//! The statistics of a prepared folder's stored frames, computed again from scratch, to audit the
//! normaliser of a fold.

use crate::normalise::{Moments, fit};
use crate::{Normaliser, Prepared};

/// Moments of each video's stored frames; those of any set of videos are merged from them.
pub struct StoredMoments<'a> {
    prepared: &'a Prepared,
    by_video: Vec<Moments>,
}

/// A normaliser fitted again on the stored frames of some videos.
#[derive(Debug, Clone, PartialEq)]
pub struct RefittedNormaliser {
    /// Mean and standard deviation of each column that varies.
    pub normaliser: Normaliser,
    /// Columns that do not vary.
    pub dropped_columns: Vec<String>,
    /// Frames that it was fitted on.
    pub frames: u64,
}

impl<'a> StoredMoments<'a> {
    /// Reads all frames, one segment at a time.
    pub fn of(prepared: &'a Prepared) -> Self {
        let mut by_video =
            vec![Moments::new(prepared.columns().len()); prepared.manifest().videos.len()];
        for i in 0..prepared.len() {
            by_video[prepared.video(i)].add(prepared.raw(i));
        }
        StoredMoments { prepared, by_video }
    }

    /// Fits a normaliser on the videos for which `includes` is true, given their index in the
    /// manifest's list. Videos are merged in the order of [`crate::prepare`], so that the same
    /// videos give the same bits.
    pub fn fit(&self, includes: impl Fn(usize) -> bool) -> RefittedNormaliser {
        let columns = self.prepared.columns();
        let mut merged = Moments::new(columns.len());
        for (_, moments) in self
            .by_video
            .iter()
            .enumerate()
            .filter(|(video, _)| includes(*video))
        {
            merged.merge(moments);
        }
        let fitted = fit(&merged, columns, self.prepared.manifest().config.clip);
        RefittedNormaliser {
            normaliser: fitted.normaliser,
            dropped_columns: fitted.dropped,
            frames: merged.frames,
        }
    }
}
