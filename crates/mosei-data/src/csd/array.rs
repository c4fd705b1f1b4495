//! HDF5 files of other layouts than ours: arrays of numbers or text, in groups.
//!
//! What lives here: listing groups, and reading arrays a few rows at a time, tried in a fork first as everything of HDF5's is. What does
//! not: what arrays mean.

use super::alone::{Limits, survive};
use super::class::no_numbers;
use super::limits::most_values;
use super::links::{foreign_filter, links, member, stored_elsewhere};
use super::open::open_to_read;
use crate::{DataError, whole};
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, File, Group};
use ndarray::{ArrayD, s};
use std::path::{Path, PathBuf};

/// Longest text of fixed length.
const FIXED: usize = 256;

/// An open file.
pub(crate) struct ArrayFile {
    path: PathBuf,
    bytes: u64,
    file: File,
}

/// A dataset of an open file.
pub(crate) struct Array<'f> {
    file: &'f ArrayFile,
    place: String,
    dataset: Dataset,
    /// Its dimensions.
    pub shape: Vec<usize>,
}

impl ArrayFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it is not HDF5, or HDF5 comes to grief over it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
        whole::require_file(path, &facts)?;
        survive(path, Limits::of_file(facts.len()), || {
            // All names, down to what is in groups of the root, and what they stand for.
            let Ok(file) = Self::open_here(path, facts.len()) else { return false };
            let Ok(roots) = file.members("/") else { return false };
            roots.iter().filter(|(_, kind)| *kind == "a group").all(|(name, _)| file.members(name).is_ok())
        })?;
        Self::open_here(path, facts.len())
    }

    fn open_here(path: &Path, bytes: u64) -> Result<Self, DataError> {
        let file = open_to_read(path)?;
        Ok(ArrayFile { path: path.to_path_buf(), bytes, file })
    }

    /// Names in a group (`/` is the root), ordered, and what stands under each: "a group", "a dataset" or what else.
    pub fn members(&self, place: &str) -> Result<Vec<(String, &'static str)>, DataError> {
        let group = self.group(place)?;
        let found = links(&self.path, place, &group)?;
        Ok(found
            .into_iter()
            .map(|(name, link)| (member(&group, &name, Some(link)), name))
            .map(|(k, n)| (n, k))
            .collect())
    }

    fn group(&self, place: &str) -> Result<Group, DataError> {
        self.file.group(place).map_err(DataError::hdf5(&self.path, place, "open"))
    }

    /// The array of a name in a group, where its values are in this file.
    ///
    /// # Errors
    /// Where it is no dataset, or one whose values are elsewhere or packed by somebody else's filter.
    pub fn array(&self, group: &str, name: &str) -> Result<Array<'_>, DataError> {
        let place = if group == "/" { name.to_string() } else { format!("{group}/{name}") };
        let parent = self.group(group)?;
        let found = member(&parent, name, links(&self.path, group, &parent)?.get(name).copied());
        if found != "a dataset" {
            return Err(DataError::structure(&self.path, place, "a dataset", found));
        }
        let dataset = parent.dataset(name).map_err(DataError::hdf5(&self.path, place.clone(), "open"))?;
        let layout = |source| DataError::hdf5(&self.path, place.clone(), "read the layout of")(source);
        if let Some(found) = stored_elsewhere(&dataset).map_err(layout)? {
            return Err(DataError::structure(&self.path, place, "values in this file", found));
        }
        if let Some(found) = foreign_filter(&dataset).map_err(layout)? {
            return Err(DataError::structure(&self.path, place, "filters of HDF5's own", found));
        }
        let shape = dataset.shape();
        let most = most_values(self.bytes);
        let values = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d as u64));
        if values.is_none_or(|n| n > most) {
            let expected = format!("at most {most} values in a file of its size");
            return Err(DataError::structure(&self.path, place, expected, format!("shape {shape:?}")));
        }
        Ok(Array { file: self, place, dataset, shape })
    }
}

impl Array<'_> {
    /// Where it stands in the file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Some rows of an array of numbers with two or three dimensions, row-major.
    ///
    /// # Errors
    /// Where it has other dimensions, no numbers, or HDF5 cannot read it.
    pub fn rows(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        let path = &self.file.path;
        let fail = |action| DataError::hdf5(path, self.place.clone(), action);
        if let Some(found) = no_numbers(&self.dataset.dtype().map_err(fail("read the type of"))?) {
            return Err(DataError::structure(path, self.place.clone(), "numbers", found));
        }
        let rows = first..first + count;
        let read = || -> hdf5::Result<ArrayD<f32>> {
            match self.shape.len() {
                2 => self.dataset.read_slice(s![rows.clone(), ..]),
                _ => self.dataset.read_slice(s![rows.clone(), .., ..]),
            }
        };
        if !(2..=3).contains(&self.shape.len()) {
            let found = format!("shape {:?}", self.shape);
            return Err(DataError::structure(path, self.place.clone(), "2 or 3 dimensions", found));
        }
        if !survive(path, Limits::of_file(self.file.bytes), || read().is_ok())? {
            return Err(fail("read")("HDF5 cannot".into()));
        }
        Ok(read().map_err(fail("read"))?.into_iter().collect())
    }

    /// All of an array of text.
    ///
    /// # Errors
    /// Where it has no text, or HDF5 cannot read it.
    pub fn texts(&self) -> Result<Vec<String>, DataError> {
        let path = &self.file.path;
        let fail = |action| DataError::hdf5(path, self.place.clone(), action);
        let dtype = self.dataset.dtype().map_err(fail("read the type of"))?;
        let kind = dtype.to_descriptor().map_err(fail("read the type of"))?;
        macro_rules! all {
            ($type:ty) => {
                self.dataset.read_raw::<$type>()?.iter().map(|s| utf8(s.as_bytes())).collect()
            };
        }
        let read = || -> hdf5::Result<Option<Vec<Option<String>>>> {
            Ok(Some(match kind {
                TypeDescriptor::VarLenUnicode => all!(VarLenUnicode),
                TypeDescriptor::VarLenAscii => all!(VarLenAscii),
                TypeDescriptor::FixedUnicode(n) if n <= FIXED => all!(FixedUnicode<FIXED>),
                TypeDescriptor::FixedAscii(n) if n <= FIXED => all!(FixedAscii<FIXED>),
                _ => return Ok(None),
            }))
        };
        if !survive(path, Limits::of_file(self.file.bytes), || read().is_ok())? {
            return Err(fail("read")("HDF5 cannot".into()));
        }
        let texts = read().map_err(fail("read"))?.and_then(|texts| texts.into_iter().collect());
        texts.ok_or_else(|| DataError::structure(path, self.place.clone(), "text in UTF-8", "something else"))
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
