//! Writes and counts the speech outside all segments.

use super::video::UnlabelledSpeech;
use crate::DataError;
use crate::manifest::{StretchSize, UnlabelledRecord};
use crate::prepared::{FramesWriter, Segments, UNLABELLED_FILE, UNLABELLED_FRAMES_FILE};
use mosei_schema::Split;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The segment number of all speech outside labelled segments.
const OUTSIDE: i32 = -1;

/// Written to separate files, so that those of labelled segments do not depend on it.
pub(super) struct UnlabelledPass {
    frames: FramesWriter,
    stretches: Segments,
    record: UnlabelledRecord,
    columns: usize,
}

impl UnlabelledPass {
    pub fn new(folder: &Path, columns: usize, videos: Vec<String>) -> Result<Self, DataError> {
        Ok(UnlabelledPass {
            frames: FramesWriter::create(&folder.join(UNLABELLED_FRAMES_FILE), columns)?,
            stretches: Segments {
                offsets: vec![0],
                ..Segments::default()
            },
            record: UnlabelledRecord {
                videos,
                ..UnlabelledRecord::default()
            },
            columns,
        })
    }

    /// Adds the speech of a video, by its index in the list of labelled videos followed by those
    /// without labels.
    pub fn add(&mut self, video: usize, speech: &UnlabelledSpeech) -> Result<(), DataError> {
        let mut end = self.frames.frames();
        self.frames.append(&speech.frames)?;
        for stretch in &speech.stretches {
            end += stretch.stored;
            self.stretches.offsets.push(end as i64);
            self.stretches.intervals.push(stretch.interval);
            self.stretches.video.push(video as i32);
            self.stretches.segment.push(OUTSIDE);
            self.record.frames_in_file += stretch.in_file as u64;
        }
        self.record.stretches += speech.stretches.len();
        self.record.frames += (speech.frames.len() / self.columns) as u64;
        self.record.too_short += speech.too_short;
        self.record.too_short_frames += speech.too_short_frames as u64;
        Ok(())
    }

    /// Sizes by split, given the split of each labelled video; videos without labels are training
    /// videos.
    pub fn sizes(&self, split: &[Option<Split>]) -> BTreeMap<Split, StretchSize> {
        let mut sizes: BTreeMap<Split, StretchSize> = Split::ALL
            .into_iter()
            .map(|s| (s, StretchSize::default()))
            .collect();
        let mut seen = BTreeSet::new();
        for (i, &video) in self.stretches.video.iter().enumerate() {
            let split = split
                .get(video as usize)
                .copied()
                .unwrap_or(Some(Split::Train));
            if let Some(size) = split.and_then(|s| sizes.get_mut(&s)) {
                size.videos += usize::from(seen.insert(video));
                size.stretches += 1;
                size.frames += self.stretches.frames(i).len() as u64;
            }
        }
        sizes
    }

    /// Completes the two files in `folder`.
    pub fn finish(self, folder: &Path) -> Result<UnlabelledRecord, DataError> {
        self.frames.finish()?;
        self.stretches.write(&folder.join(UNLABELLED_FILE), 0)?;
        Ok(self.record)
    }
}
