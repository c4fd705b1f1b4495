use crate::DataError;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes before the tensor: the header's length (8) and the header, padded with spaces as safetensors allows. A fixed
/// size lets the frames be written in one pass, before their number is known; a multiple of 64 keeps them aligned.
const HEADER_BYTES: usize = 256;

/// `frames.safetensors` under construction.
pub(crate) struct FramesWriter {
    path: PathBuf,
    file: BufWriter<File>,
    columns: usize,
    frames: usize,
}

impl FramesWriter {
    pub fn create(path: &Path, columns: usize) -> Result<Self, DataError> {
        let file = File::create(path).map_err(DataError::io("create", path))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER_BYTES]).map_err(DataError::io("write", path))?;
        Ok(FramesWriter { path: path.to_path_buf(), file, columns, frames: 0 })
    }

    /// Appends frames `[frames, columns]`.
    pub fn append(&mut self, frames: &[f32]) -> Result<(), DataError> {
        self.frames += frames.len() / self.columns;
        for value in frames {
            self.file.write_all(&value.to_le_bytes()).map_err(DataError::io("write", &self.path))?;
        }
        Ok(())
    }

    /// Frames written so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Fills in the header and waits until the file is on disk.
    pub fn finish(self) -> Result<(), DataError> {
        let FramesWriter { path, file, columns, frames } = self;
        let end = frames * columns * size_of::<f32>();
        let json = format!(r#"{{"frames":{{"dtype":"F32","shape":[{frames},{columns}],"data_offsets":[0,{end}]}}}}"#);
        let length = HEADER_BYTES - 8;
        let mut header = (length as u64).to_le_bytes().to_vec();
        header.extend(format!("{json:<length$}").into_bytes());
        let mut file = file.into_inner().map_err(|e| DataError::io("write", &path)(e.into_error()))?;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&header))
            .and_then(|()| file.sync_all())
            .map_err(DataError::io("write", &path))
    }
}
