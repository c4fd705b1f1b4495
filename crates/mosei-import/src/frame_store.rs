//! All frames of an import in a temporary file, in the order in which they were read.
//!
//! What lives here: the file, which is unnamed, and the positions of each recording's frames in it.
//! Memory: a few bytes per run of consecutive rows of one recording. What does not: which labels
//! the frames belong to.

use crate::ImportError;
use crate::recording_ids::SegmentRef;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Size of the write buffer, bytes.
const BUFFER_BYTES: usize = 1 << 20;
/// How many frames at the end of a recording may have the start of the frame before.
pub(crate) const MAX_TIED: usize = 3;
/// Bytes of a frame's start and end.
const TIME_BYTES: usize = 16;

/// Writes frames to the temporary file.
pub(crate) struct FrameWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    columns: usize,
    recordings: Vec<Recording>,
    by_name: BTreeMap<String, usize>,
}

/// The frames of one recording.
#[derive(Debug)]
pub(crate) struct Recording {
    /// Its id.
    pub name: String,
    /// Its video and segment, where the features give them.
    pub segment: Option<SegmentRef>,
    /// Its name in the source, for messages.
    pub source_name: String,
    /// First byte and number of frames of each run.
    runs: Vec<(u64, usize)>,
    /// Number of frames.
    pub frames: usize,
    /// Start of its last frame, seconds.
    pub last_start: f64,
    /// Start and end of its frames on the time axis of its video, seconds; `None` where its times
    /// may be relative to itself.
    pub extent_in_video: Option<[f64; 2]>,
    /// How many of its last frames have the start of the frame before.
    pub tied: usize,
}

/// Frames of a recording, as read.
pub(crate) struct Frames {
    /// Starts, seconds; increasing, but the last few may be equal.
    pub starts: Vec<f64>,
    /// Ends, seconds; NaN where unknown.
    pub ends: Vec<f64>,
    /// Features `[frames, columns]`, row-major.
    pub features: Vec<f32>,
}

impl FrameWriter {
    /// Creates an empty file in `folder`.
    pub fn create(folder: &Path) -> Result<Self, ImportError> {
        let file =
            tempfile::tempfile_in(folder).map_err(ImportError::io("create a file in", folder))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let (recordings, by_name) = (Vec::new(), BTreeMap::new());
        Ok(FrameWriter {
            folder: folder.to_path_buf(),
            file,
            bytes: 0,
            columns: 0,
            recordings,
            by_name,
        })
    }

    /// Checks that the frames to come have `columns` columns, as those before.
    ///
    /// # Errors
    /// The number of columns before, where it differs.
    pub fn require_columns(&mut self, columns: usize) -> Result<(), usize> {
        if self.recordings.is_empty() {
            self.columns = columns;
        }
        if self.columns == columns {
            Ok(())
        } else {
            Err(self.columns)
        }
    }

    /// The recording with id `name`, added where it is new.
    ///
    /// # Errors
    /// The source name of the recording with this id, where it differs from `source_name`.
    pub fn recording(
        &mut self,
        name: &str,
        segment: Option<SegmentRef>,
        source_name: &str,
    ) -> Result<usize, &str> {
        if let Some(&i) = self.by_name.get(name) {
            let same = self.recordings[i].source_name == source_name
                && self.recordings[i].segment == segment;
            return if same {
                Ok(i)
            } else {
                Err(&self.recordings[i].source_name)
            };
        }
        self.recordings.push(Recording {
            name: name.into(),
            segment,
            source_name: source_name.into(),
            runs: Vec::new(),
            frames: 0,
            last_start: f64::NEG_INFINITY,
            extent_in_video: None,
            tied: 0,
        });
        self.by_name.insert(name.into(), self.recordings.len() - 1);
        Ok(self.recordings.len() - 1)
    }

    /// Appends a frame to a recording; `features` has one value per column.
    pub fn push(
        &mut self,
        recording: usize,
        start: f64,
        end: f64,
        features: &[f32],
    ) -> Result<(), ImportError> {
        debug_assert_eq!(features.len(), self.columns);
        let fail = |e| ImportError::io("write to a file in", &self.folder)(e);
        self.file.write_all(&start.to_le_bytes()).map_err(fail)?;
        self.file.write_all(&end.to_le_bytes()).map_err(fail)?;
        for x in features {
            self.file.write_all(&x.to_le_bytes()).map_err(fail)?;
        }
        let row = (TIME_BYTES + 4 * features.len()) as u64;
        let recording = &mut self.recordings[recording];
        match recording.runs.last_mut() {
            Some((begin, rows)) if *begin + *rows as u64 * row == self.bytes => *rows += 1,
            _ => recording.runs.push((self.bytes, 1)),
        }
        recording.frames += 1;
        recording.tied += usize::from(start == recording.last_start);
        recording.last_start = start;
        self.bytes += row;
        Ok(())
    }

    /// Sets the extent of a recording on the time axis of its video.
    pub fn set_extent_in_video(&mut self, recording: usize, extent: [f64; 2]) {
        self.recordings[recording].extent_in_video = Some(extent);
    }

    /// Ends writing; the frames can then be read.
    pub fn finish(self) -> Result<FrameStore, ImportError> {
        let FrameWriter {
            folder,
            file,
            columns,
            recordings,
            by_name,
            ..
        } = self;
        let file = file
            .into_inner()
            .map_err(|e| ImportError::io("write to a file in", &folder)(e.into_error()))?;
        Ok(FrameStore {
            folder,
            file,
            columns,
            recordings,
            by_name,
        })
    }

    /// The id of the first recording.
    pub fn first_name(&self) -> Option<&str> {
        self.recordings.first().map(|r| r.name.as_str())
    }

    /// A recording.
    pub fn get(&self, recording: usize) -> &Recording {
        &self.recordings[recording]
    }
}

/// Frames of all recordings, on disk.
pub(crate) struct FrameStore {
    folder: PathBuf,
    file: File,
    /// Columns of all frames.
    pub columns: usize,
    /// The recordings in the order in which they were read.
    pub recordings: Vec<Recording>,
    by_name: BTreeMap<String, usize>,
}

impl FrameStore {
    /// Index of the recording with this id.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Ids of all recordings, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Reads the frames of a recording; several threads may do so at once.
    pub fn read(&self, recording: usize) -> Result<Frames, ImportError> {
        let recording = &self.recordings[recording];
        let mut frames = Frames {
            starts: Vec::with_capacity(recording.frames),
            ends: Vec::with_capacity(recording.frames),
            features: Vec::with_capacity(recording.frames * self.columns),
        };
        let row = TIME_BYTES + 4 * self.columns;
        let mut bytes = Vec::new();
        for &(begin, rows) in &recording.runs {
            bytes.resize(rows * row, 0);
            self.file
                .read_exact_at(&mut bytes, begin)
                .map_err(ImportError::io("read a file in", &self.folder))?;
            for row in bytes.chunks_exact(row) {
                let number = |at: usize| f64::from_le_bytes(std::array::from_fn(|i| row[at + i]));
                frames.starts.push(number(0));
                frames.ends.push(number(8));
                frames.features.extend(
                    row[TIME_BYTES..]
                        .as_chunks()
                        .0
                        .iter()
                        .map(|b| f32::from_le_bytes(*b)),
                );
            }
        }
        Ok(frames)
    }
}
