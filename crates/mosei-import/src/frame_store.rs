//! All frames of an import in a temporary file, in the order in which they were read.
//!
//! What lives here: the file, which is unnamed, and the positions of each recording's frames in it.
//! Memory: a few bytes per run of consecutive rows of one recording. What does not: which labels
//! the frames belong to.

use crate::ImportError;
use crate::recording_ids::SegmentRef;
use mosei_data::align::EPSILON_S;
use mosei_schema::Split;
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

/// What the times of frames are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TimesOf {
    /// Those of a table: of a video, or of each segment.
    #[default]
    Table,
    /// Those of videos, as in files of CMU's SDK.
    Videos,
    /// The numbers of frames, counted from the beginning of each recording.
    Frames,
}

/// Writes frames to the temporary file.
pub(crate) struct FrameWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    columns: usize,
    /// Whether each column has a value in any row.
    any_value: Vec<bool>,
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
    /// Start of its first and end of its last frame, as far as that is known, seconds.
    pub extent: [f64; 2],
    /// Start and end that its segment has in its video, seconds, where they are not those of its
    /// frames.
    pub extent_in_video: Option<[f64; 2]>,
    /// How many frames have the start of the frame before.
    pub tied: usize,
    /// Its stretches: runs of frames in order of time.
    stretches: Vec<Stretch>,
    /// The first frame that begins before the one before it.
    pub disorder: Option<Disorder>,
    /// The split that the features declare.
    pub split: Option<Split>,
}

/// Frames in order of time.
#[derive(Debug)]
struct Stretch {
    /// Start of the first and of the last frame, seconds.
    starts: [f64; 2],
    /// How many of the last frames have the start of the frame before.
    tied: usize,
    /// The last step from one start to another, seconds.
    step: f64,
}

impl Stretch {
    /// The start of the last frame, once frames with equal starts are moved on by a step each.
    fn last_start(&self) -> f64 {
        self.starts[1] + self.tied as f64 * self.step
    }
}

/// A frame that begins before the one before it.
#[derive(Debug)]
pub(crate) struct Disorder {
    /// Row and column, for messages.
    pub place: String,
    /// Its start, seconds.
    pub start: f64,
    /// The start of the frame before, seconds.
    pub before: f64,
}

impl Recording {
    /// How many of the last frames of the last stretch have the start of the frame before.
    pub fn tied_in_stretch(&self) -> usize {
        self.stretches.last().map_or(0, |stretch| stretch.tied)
    }

    /// Whether a frame with this start follows those with equal starts once these are moved on by a
    /// step each: it then begins another stretch.
    pub fn follows(&self, start: f64) -> bool {
        self.stretches
            .last()
            .is_none_or(|stretch| start > stretch.last_start() + EPSILON_S)
    }

    /// The greatest start of its frames, seconds.
    pub fn latest_start(&self) -> f64 {
        let starts = self.stretches.iter().map(|stretch| stretch.starts[1]);
        starts.fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether its stretches overlap in time.
    pub fn stretches_overlap(&self) -> bool {
        let mut all: Vec<&Stretch> = self.stretches.iter().collect();
        all.sort_by(|a, b| a.starts[0].total_cmp(&b.starts[0]));
        all.windows(2)
            .any(|w| w[1].starts[0] <= w[0].last_start() + EPSILON_S)
    }

    /// Whether its frames were not in order of time.
    pub fn sorted(&self) -> bool {
        self.disorder.is_some()
    }

    fn add(&mut self, start: f64, end: f64) {
        self.frames += 1;
        // `max` ignores an end that is unknown.
        self.extent = [
            self.extent[0].min(start),
            self.extent[1].max(start).max(end),
        ];
        let tied = start == self.last_start;
        self.tied += usize::from(tied);
        match self.stretches.last_mut() {
            Some(stretch) if start >= self.last_start && (tied || stretch.tied == 0) => {
                stretch.tied += usize::from(tied);
                if !tied {
                    stretch.step = start - stretch.starts[1];
                }
                stretch.starts[1] = start;
            }
            _ => self.stretches.push(Stretch {
                starts: [start; 2],
                tied: 0,
                step: 0.0,
            }),
        }
        self.last_start = start;
    }
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

impl Frames {
    /// The same frames in order of time.
    fn in_order(self, columns: usize) -> Self {
        let mut rows: Vec<usize> = (0..self.starts.len()).collect();
        rows.sort_by(|&a, &b| self.starts[a].total_cmp(&self.starts[b]));
        let row = |&r: &usize| {
            self.features[r * columns..(r + 1) * columns]
                .iter()
                .copied()
        };
        Frames {
            starts: rows.iter().map(|&r| self.starts[r]).collect(),
            ends: rows.iter().map(|&r| self.ends[r]).collect(),
            features: rows.iter().flat_map(row).collect(),
        }
    }
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
            any_value: Vec::new(),
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
            self.any_value = vec![false; columns];
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
            extent: [f64::INFINITY, f64::NEG_INFINITY],
            extent_in_video: None,
            tied: 0,
            stretches: Vec::new(),
            disorder: None,
            split: None,
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
        recording.add(start, end);
        for (any, x) in self.any_value.iter_mut().zip(features) {
            *any |= !x.is_nan();
        }
        self.bytes += row;
        Ok(())
    }

    /// Sets the first frame of a recording that begins before the one before it.
    pub fn set_disorder(&mut self, recording: usize, disorder: Disorder) {
        self.recordings[recording].disorder = Some(disorder);
    }

    /// Sets start and end of a recording's segment in its video, seconds.
    pub fn set_extent_in_video(&mut self, recording: usize, extent: [f64; 2]) {
        self.recordings[recording].extent_in_video = Some(extent);
    }

    /// Sets the split of a recording that the features declare.
    pub fn set_split(&mut self, recording: usize, split: Split) {
        self.recordings[recording].split = Some(split);
    }

    /// All recordings.
    pub fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    /// Whether a column has a value in any row.
    pub fn has_value(&self, column: usize) -> bool {
        self.any_value.get(column).copied().unwrap_or(false)
    }

    /// Ends writing; the frames can then be read. `centred` says that times are those of the centres of
    /// frames.
    pub fn finish(self, times: TimesOf, centred: bool) -> Result<FrameStore, ImportError> {
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
            stored: columns,
            columns,
            kept: None,
            times,
            centred,
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
    /// Columns in the file.
    stored: usize,
    /// Columns of all frames.
    pub columns: usize,
    /// Their indices in the file, where some were left out.
    kept: Option<Vec<usize>>,
    /// What the times are.
    pub times: TimesOf,
    /// Whether they are those of the centres of frames.
    pub centred: bool,
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

    /// Leaves columns out, by their indices.
    pub fn leave_out(&mut self, columns: &[usize]) {
        if !columns.is_empty() {
            let kept: Vec<usize> = (0..self.stored).filter(|i| !columns.contains(i)).collect();
            self.columns = kept.len();
            self.kept = Some(kept);
        }
    }

    /// The name of recordings on one axis: that of their video, of a single one its own.
    pub fn name_of(&self, unit: &[usize]) -> &str {
        let recording = &self.recordings[unit[0]];
        match &recording.segment {
            Some(part) if unit.len() > 1 => &part.video,
            _ => &recording.name,
        }
    }

    /// Reads the frames of a recording in order of time; several threads may do so at once.
    pub fn read(&self, recording: usize) -> Result<Frames, ImportError> {
        let recording = &self.recordings[recording];
        let mut frames = Frames {
            starts: Vec::with_capacity(recording.frames),
            ends: Vec::with_capacity(recording.frames),
            features: Vec::with_capacity(recording.frames * self.columns),
        };
        let row = TIME_BYTES + 4 * self.stored;
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
                let values = row[TIME_BYTES..].as_chunks().0;
                match &self.kept {
                    None => frames
                        .features
                        .extend(values.iter().map(|b| f32::from_le_bytes(*b))),
                    Some(kept) => {
                        frames
                            .features
                            .extend(kept.iter().map(|&i| f32::from_le_bytes(values[i])));
                    }
                }
            }
        }
        if recording.sorted() {
            frames = frames.in_order(self.columns);
        }
        Ok(frames)
    }
}
