//! Frames on their way from somebody's file to ours: on disk, in the order in which they came.
//!
//! What lives here: the file between, which has no name, and where the frames of each recording are in it. Memory is that of the
//! list: a few bytes for each stretch of rows of one recording. What does not: who they belong to.

use super::names::Part;
use crate::DataError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that are held back before they are written.
const BUFFER: usize = 1 << 20;
/// Frames at the end of a recording that may begin with the one before.
pub(super) const MOST_TIED: usize = 3;
/// Bytes of the two times of a frame.
const TIMES: usize = 16;

/// Frames that were taken so far.
pub(super) struct Scratch {
    folder: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    columns: usize,
    recordings: Vec<Recording>,
    by_name: BTreeMap<String, usize>,
}

/// The frames of one recording.
#[derive(Debug)]
pub(super) struct Recording {
    /// Its id.
    pub name: String,
    /// Its video and segment, where the features say them.
    pub segment: Option<Part>,
    /// What it was called before names became ids, for messages.
    pub called: String,
    /// Where frames of it begin, bytes, and how many follow.
    pieces: Vec<(u64, usize)>,
    /// Its frames.
    pub frames: usize,
    /// When its last frame begins, seconds.
    pub last_start: f64,
    /// From when to when its frames are on the time axis of its video, seconds; `None` where they may have one of their own.
    pub on_video: Option<[f64; 2]>,
    /// Its last frames that begin with the one before.
    pub tied: usize,
}

/// Frames of a recording as they came.
pub(super) struct Frames {
    /// When each begins, seconds; increasing, but that the last few may be equal.
    pub starts: Vec<f64>,
    /// When each ends, seconds, NaN where nobody said so.
    pub ends: Vec<f64>,
    /// Features `[frames, columns]`, row-major.
    pub features: Vec<f32>,
}

impl Scratch {
    /// An empty file in a folder.
    pub fn create(folder: &Path) -> Result<Self, DataError> {
        let file = tempfile::tempfile_in(folder).map_err(DataError::io("make a file in", folder))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let (recordings, by_name) = (Vec::new(), BTreeMap::new());
        Ok(Scratch { folder: folder.to_path_buf(), file, bytes: 0, columns: 0, recordings, by_name })
    }

    /// How many columns the frames that follow have: as many as those before.
    ///
    /// # Errors
    /// What was found before.
    pub fn require_columns(&mut self, columns: usize) -> Result<(), usize> {
        if self.recordings.is_empty() {
            self.columns = columns;
        }
        if self.columns == columns { Ok(()) } else { Err(self.columns) }
    }

    /// The recording of a name, begun where there is none. Nothing where one that was called otherwise has the name.
    pub fn recording(&mut self, name: &str, segment: Option<Part>, called: &str) -> Result<usize, &str> {
        if let Some(&i) = self.by_name.get(name) {
            let same = self.recordings[i].called == called && self.recordings[i].segment == segment;
            return if same { Ok(i) } else { Err(&self.recordings[i].called) };
        }
        self.recordings.push(Recording {
            name: name.into(),
            segment,
            called: called.into(),
            pieces: Vec::new(),
            frames: 0,
            last_start: f64::NEG_INFINITY,
            on_video: None,
            tied: 0,
        });
        self.by_name.insert(name.into(), self.recordings.len() - 1);
        Ok(self.recordings.len() - 1)
    }

    /// Adds a frame to a recording; there are as many features as columns.
    pub fn push(&mut self, recording: usize, start: f64, end: f64, features: &[f32]) -> Result<(), DataError> {
        debug_assert_eq!(features.len(), self.columns);
        let fail = |e| DataError::io("write in", &self.folder)(e);
        self.file.write_all(&start.to_le_bytes()).map_err(fail)?;
        self.file.write_all(&end.to_le_bytes()).map_err(fail)?;
        for x in features {
            self.file.write_all(&x.to_le_bytes()).map_err(fail)?;
        }
        let row = (TIMES + 4 * features.len()) as u64;
        let recording = &mut self.recordings[recording];
        match recording.pieces.last_mut() {
            Some((begin, rows)) if *begin + *rows as u64 * row == self.bytes => *rows += 1,
            _ => recording.pieces.push((self.bytes, 1)),
        }
        recording.frames += 1;
        recording.tied += usize::from(start == recording.last_start);
        recording.last_start = start;
        self.bytes += row;
        Ok(())
    }

    /// Says from when to when the frames of a recording are on the time axis of its video.
    pub fn place_on_video(&mut self, recording: usize, extent: [f64; 2]) {
        self.recordings[recording].on_video = Some(extent);
    }

    /// All that was taken, to be read.
    pub fn finish(self) -> Result<Taken, DataError> {
        let Scratch { folder, file, columns, recordings, by_name, .. } = self;
        let file = file.into_inner().map_err(|e| DataError::io("write in", &folder)(e.into_error()))?;
        Ok(Taken { folder, file, columns, recordings, by_name })
    }

    /// The id of the first recording.
    pub fn first_name(&self) -> Option<&str> {
        self.recordings.first().map(|r| r.name.as_str())
    }

    /// A recording that was begun.
    pub fn get(&self, recording: usize) -> &Recording {
        &self.recordings[recording]
    }
}

/// Frames of all recordings, on disk.
pub(super) struct Taken {
    folder: PathBuf,
    file: File,
    /// Columns of all frames.
    pub columns: usize,
    /// The recordings in the order in which they came.
    pub recordings: Vec<Recording>,
    by_name: BTreeMap<String, usize>,
}

impl Taken {
    /// The recording of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Ids of all recordings, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Reads the frames of a recording. Several threads may, side by side.
    pub fn read(&self, recording: usize) -> Result<Frames, DataError> {
        let recording = &self.recordings[recording];
        let mut frames = Frames {
            starts: Vec::with_capacity(recording.frames),
            ends: Vec::with_capacity(recording.frames),
            features: Vec::with_capacity(recording.frames * self.columns),
        };
        let row = TIMES + 4 * self.columns;
        let mut bytes = Vec::new();
        for &(begin, rows) in &recording.pieces {
            bytes.resize(rows * row, 0);
            self.file.read_exact_at(&mut bytes, begin).map_err(DataError::io("read in", &self.folder))?;
            for row in bytes.chunks_exact(row) {
                let number = |at: usize| f64::from_le_bytes(std::array::from_fn(|i| row[at + i]));
                frames.starts.push(number(0));
                frames.ends.push(number(8));
                frames.features.extend(row[TIMES..].as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
        }
        Ok(frames)
    }
}
