//! Statistics of the frames that a prepared folder stores, worked out anew: whoever doubts the normaliser of a fold asks
//! here.

use crate::normalise::{Moments, fit};
use crate::{Normaliser, Prepared};

/// Moments of each video's stored frames, from which those of any choice of videos are merged.
pub struct StoredMoments<'a> {
    prepared: &'a Prepared,
    by_video: Vec<Moments>,
}

/// The statistics of some videos.
#[derive(Debug, Clone, PartialEq)]
pub struct Refit {
    /// Mean and deviation of each column that varies.
    pub normaliser: Normaliser,
    /// Columns that do not.
    pub dropped_columns: Vec<String>,
    /// Frames that went in.
    pub frames: u64,
}

impl<'a> StoredMoments<'a> {
    /// Reads all frames, one segment at a time.
    pub fn of(prepared: &'a Prepared) -> Self {
        let mut by_video = vec![Moments::new(prepared.columns().len()); prepared.manifest().videos.len()];
        for i in 0..prepared.len() {
            by_video[prepared.video(i)].add(prepared.raw(i));
        }
        StoredMoments { prepared, by_video }
    }

    /// The statistics of the videos that `includes` names by their place in the manifest's list. Videos are merged in
    /// the order in which [`crate::prepare`] merges them, so that the same videos give the same bits.
    pub fn over(&self, includes: impl Fn(usize) -> bool) -> Refit {
        let columns = self.prepared.columns();
        let mut merged = Moments::new(columns.len());
        for (_, moments) in self.by_video.iter().enumerate().filter(|(video, _)| includes(*video)) {
            merged.merge(moments);
        }
        let fitted = fit(&merged, columns, self.prepared.manifest().config.clip);
        Refit { normaliser: fitted.normaliser, dropped_columns: fitted.dropped, frames: merged.frames }
    }
}
