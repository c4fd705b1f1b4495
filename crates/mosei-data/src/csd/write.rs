use super::open::unlocked;
use super::pack::{PackedMatrix, PackedVideo};
use super::write_chunk::{close, write_chunk};
use crate::DataError;
use hdf5::types::VarLenUnicode;
use hdf5::{File, Group, H5Type};
use mosei_schema::{VIDEO_ID_RULE, is_video_id};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Writes a .csd file with the layout of h5py: superblock 0, its chunk shapes, deflate without
/// shuffle. Without time stamps, equal content gives equal files.
#[derive(Debug)]
pub struct CsdWriter {
    path: PathBuf,
    handles: Handles,
    /// Whether a write has failed.
    failed: bool,
    root: String,
    deflate: u8,
}

/// HDF5's handles, which only [`CsdWriter::finish`] closes: on closing, HDF5 writes its buffers,
/// and may abort the process where it cannot, as on a full disk. The handles of an unfinished file
/// are leaked.
#[derive(Debug)]
struct Handles {
    data: ManuallyDrop<Group>,
    file: ManuallyDrop<File>,
}

impl CsdWriter {
    /// Creates a file, replacing an existing one. Each `metadata` value is stored as JSON.
    ///
    /// # Errors
    /// Where HDF5 cannot write.
    pub fn create(
        path: &Path,
        root: &str,
        metadata: &[(&str, serde_json::Value)],
        deflate: u8,
    ) -> Result<Self, DataError> {
        let mut options = unlocked();
        options.with_fapl(|p| p.libver_earliest());
        let file = options
            .create(path)
            .map_err(DataError::hdf5(path, root, "create"))?;
        let file = ManuallyDrop::new(file);
        let data = ManuallyDrop::new(begin(path, &file, root, metadata)?);
        Ok(CsdWriter {
            path: path.to_path_buf(),
            handles: Handles { data, file },
            failed: false,
            root: root.to_string(),
            deflate,
        })
    }

    /// Appends a video: `features` is `[rows, width]` row-major, `intervals` start and end of each
    /// row in seconds.
    ///
    /// # Errors
    /// Where the lengths do not match, the id is invalid, or HDF5 cannot write.
    pub fn write_video(
        &mut self,
        id: &str,
        width: usize,
        features: &[f32],
        intervals: &[[f64; 2]],
    ) -> Result<(), DataError> {
        let packed =
            PackedVideo::new(width, features, intervals, self.deflate).map_err(|found| {
                let expected = format!("{} x {width} features", intervals.len());
                DataError::structure(
                    &self.path,
                    format!("{}/data/{id}", self.root),
                    expected,
                    found.to_string(),
                )
            })?;
        self.write_packed(id, &packed)
    }

    /// Appends a video compressed at this file's deflate level.
    ///
    /// # Errors
    /// Where the id is invalid, or HDF5 cannot write.
    pub fn write_packed(&mut self, id: &str, video: &PackedVideo) -> Result<(), DataError> {
        let place = format!("{}/data/{id}", self.root);
        // HDF5 would interpret some ids as paths.
        if !is_video_id(id) {
            return Err(DataError::structure(
                &self.path,
                place,
                VIDEO_ID_RULE,
                format!("{id:?}"),
            ));
        }
        self.refuse_if_failed()?;
        let written = self.write_group(id, video);
        self.failed = written.is_err();
        written
    }

    fn refuse_if_failed(&self) -> Result<(), DataError> {
        match self.failed {
            false => Ok(()),
            true => {
                let expected = "a file without an earlier write error";
                Err(DataError::structure(
                    &self.path,
                    self.root.clone(),
                    expected,
                    "one with an error",
                ))
            }
        }
    }

    fn write_group(&self, id: &str, video: &PackedVideo) -> Result<(), DataError> {
        let place = format!("{}/data/{id}", self.root);
        let group = self
            .handles
            .data
            .create_group(id)
            .map_err(DataError::hdf5(&self.path, place, "create"))?;
        self.write_matrix::<f32>(&group, id, "features", &video.features)?;
        self.write_matrix::<f64>(&group, id, "intervals", &video.intervals)
    }

    fn write_matrix<T: H5Type>(
        &self,
        group: &Group,
        id: &str,
        name: &str,
        matrix: &PackedMatrix,
    ) -> Result<(), DataError> {
        let place = format!("{}/data/{id}/{name}", self.root);
        let mut builder = group
            .new_dataset::<T>()
            .with_dcpl(|p| p.obj_track_times(false));
        if !matrix.chunks.is_empty() {
            builder = builder
                .chunk((matrix.chunk[0], matrix.chunk[1]))
                .deflate(self.deflate);
        }
        let dataset = builder
            .shape((matrix.shape[0], matrix.shape[1]))
            .create(name);
        let dataset = dataset.map_err(DataError::hdf5(&self.path, place.clone(), "create"))?;
        for (first, bytes) in &matrix.chunks {
            if !write_chunk(&dataset, *first, bytes) {
                return Err(failed_to_write(&self.path, place));
            }
        }
        if close(dataset) {
            Ok(())
        } else {
            Err(failed_to_write(&self.path, place))
        }
    }

    /// Closes the file and waits until it is on disk.
    ///
    /// # Errors
    /// Where HDF5 or the system cannot write.
    pub fn finish(self) -> Result<(), DataError> {
        self.refuse_if_failed()?;
        let CsdWriter {
            path,
            handles: Handles { data, file },
            root,
            ..
        } = self;
        // Flushed before closing, where a write error could abort the process.
        file.flush()
            .map_err(DataError::hdf5(&path, root.clone(), "write"))?;
        // The file must be closed last.
        drop(ManuallyDrop::into_inner(data));
        ManuallyDrop::into_inner(file)
            .close()
            .map_err(DataError::hdf5(&path, root, "close"))?;
        std::fs::File::open(&path)
            .and_then(|f| f.sync_all())
            .map_err(DataError::io("sync", &path))
    }
}

/// Creates the groups and metadata of a new file; returns the group of the videos.
fn begin(
    path: &Path,
    file: &File,
    root: &str,
    metadata: &[(&str, serde_json::Value)],
) -> Result<Group, DataError> {
    let fail = |action| DataError::hdf5(path, root, action);
    let group = file.create_group(root).map_err(fail("create"))?;
    let data = group.create_group("data").map_err(fail("create"))?;
    let texts = group.create_group("metadata").map_err(fail("create"))?;
    for (key, value) in metadata {
        let place = format!("{root}/metadata/{key}");
        let text = VarLenUnicode::from_str(&value.to_string()).map_err(|e| {
            DataError::structure(
                path,
                place.clone(),
                "text without zero bytes",
                e.to_string(),
            )
        })?;
        let mut builder = texts.new_dataset::<VarLenUnicode>();
        builder = builder.with_dcpl(|p| p.obj_track_times(false));
        let dataset = builder.shape(1).create(*key).map_err(DataError::hdf5(
            path,
            place.clone(),
            "create",
        ))?;
        dataset
            .write_raw(&[text])
            .map_err(DataError::hdf5(path, place.clone(), "write"))?;
        if !close(dataset) {
            return Err(failed_to_write(path, place));
        }
    }
    Ok(data)
}

/// The error of the HDF5 call that has just failed.
fn failed_to_write(path: &Path, place: String) -> DataError {
    DataError::hdf5(path, place, "write")(hdf5::Error::query().unwrap_or_else(|error| error))
}
