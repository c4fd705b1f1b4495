use crate::DataError;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Bytes before the tensor: the header's length (8) and the header, padded with spaces as
/// safetensors allows. The fixed size allows writing in one pass, before the number of frames is
/// known; a multiple of 64 keeps them aligned.
const HEADER_BYTES: usize = 256;

/// Writes `frames.safetensors`.
pub(crate) struct FramesWriter {
    path: PathBuf,
    file: BufWriter<File>,
    columns: usize,
    frames: usize,
    early: EarlySync,
}

impl FramesWriter {
    pub fn create(path: &Path, columns: usize) -> Result<Self, DataError> {
        let file = File::create(path).map_err(DataError::io("create", path))?;
        let early = EarlySync::of(file.try_clone().map_err(DataError::io("open", path))?);
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER_BYTES])
            .map_err(DataError::io("write", path))?;
        Ok(FramesWriter {
            path: path.to_path_buf(),
            file,
            columns,
            frames: 0,
            early,
        })
    }

    /// Appends frames `[frames, columns]`.
    pub fn append(&mut self, frames: &[f32]) -> Result<(), DataError> {
        self.frames += frames.len() / self.columns;
        let mut bytes = [0; 1 << 14];
        for part in frames.chunks(bytes.len() / size_of::<f32>()) {
            for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(part) {
                *bytes = value.to_le_bytes();
            }
            self.file
                .write_all(&bytes[..size_of_val(part)])
                .map_err(DataError::io("write", &self.path))?;
        }
        self.early.wrote(size_of_val(frames));
        Ok(())
    }

    /// Frames written so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Fills in the header and waits until the file is on disk.
    pub fn finish(self) -> Result<(), DataError> {
        let FramesWriter {
            path,
            file,
            columns,
            frames,
            early,
        } = self;
        let end = frames * columns * size_of::<f32>();
        let json = format!(
            r#"{{"frames":{{"dtype":"F32","shape":[{frames},{columns}],"data_offsets":[0,{end}]}}}}"#
        );
        let length = HEADER_BYTES - 8;
        let mut header = (length as u64).to_le_bytes().to_vec();
        header.extend(format!("{json:<length$}").into_bytes());
        let mut file = file
            .into_inner()
            .map_err(|e| DataError::io("write", &path)(e.into_error()))?;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&header))
            .and_then(|()| early.finish())
            .and_then(|()| file.sync_all())
            .map_err(DataError::io("write", &path))
    }
}

/// Bytes after which the system is asked to start writing to disk, instead of at the end.
const EARLY_BYTES: usize = 64 << 20;

/// A thread that syncs to disk while others continue.
struct EarlySync {
    wake: SyncSender<()>,
    thread: thread::JoinHandle<io::Result<()>>,
    /// Bytes written since it was last woken.
    since: usize,
}

impl EarlySync {
    fn of(file: File) -> Self {
        let (wake, woken) = sync_channel(1);
        let thread = thread::spawn(move || woken.into_iter().try_for_each(|()| file.sync_data()));
        EarlySync {
            wake,
            thread,
            since: 0,
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= EARLY_BYTES {
            self.since = 0;
            // A full channel means a sync is running; a closed one, an error reported by `finish`.
            let _ = self.wake.try_send(());
        }
    }

    /// Ends the thread. The system reports an error once, possibly to this thread instead of the
    /// last sync.
    fn finish(self) -> io::Result<()> {
        let EarlySync { wake, thread, .. } = self;
        drop(wake);
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
