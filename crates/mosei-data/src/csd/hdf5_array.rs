//! HDF5 files of any layout: groups with arrays of numbers or text.
//!
//! What lives here: listing groups, and reading arrays a few rows at a time. Like every HDF5 call,
//! each is first tried in a fork. What does not: the meaning of arrays.

use super::limits::most_values;
use super::links::{foreign_filter, links, member, stored_elsewhere};
use super::open::open_to_read;
use super::sandbox::{Limits, run_sandboxed};
use super::type_class::non_numeric_kind;
use crate::{DataError, files};
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, File, Group};
use ndarray::{ArrayD, s};
use std::path::{Path, PathBuf};

/// Longest fixed-length text, bytes.
const MAX_FIXED: usize = 256;

/// An open HDF5 file of any layout, for reading.
pub struct Hdf5File {
    path: PathBuf,
    bytes: u64,
    file: File,
}

/// An array in an [`Hdf5File`].
pub struct Hdf5Array<'f> {
    file: &'f Hdf5File,
    place: String,
    dataset: Dataset,
    /// Its dimensions.
    pub shape: Vec<usize>,
}

impl Hdf5File {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it is not HDF5, or HDF5 fails on it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
        files::require_file(path, &facts)?;
        run_sandboxed(path, Limits::of_file(facts.len()), || {
            // List everything down to the members of the root's groups.
            let Ok(file) = Self::open_here(path, facts.len()) else {
                return false;
            };
            let Ok(roots) = file.groups("/") else {
                return false;
            };
            file.datasets("/").is_ok() && roots.iter().all(|name| file.members(name).is_ok())
        })?;
        Self::open_here(path, facts.len())
    }

    fn open_here(path: &Path, bytes: u64) -> Result<Self, DataError> {
        let file = open_to_read(path)?;
        Ok(Hdf5File {
            path: path.to_path_buf(),
            bytes,
            file,
        })
    }

    /// Names of the groups in a group, sorted; `/` is the root.
    ///
    /// # Errors
    /// Where HDF5 cannot list the group.
    pub fn groups(&self, group: &str) -> Result<Vec<String>, DataError> {
        self.members_of_kind(group, "a group")
    }

    /// Names of the datasets in a group, sorted; `/` is the root.
    ///
    /// # Errors
    /// Where HDF5 cannot list the group.
    pub fn datasets(&self, group: &str) -> Result<Vec<String>, DataError> {
        self.members_of_kind(group, "a dataset")
    }

    fn members_of_kind(&self, group: &str, kind: &str) -> Result<Vec<String>, DataError> {
        Ok(self
            .members(group)?
            .into_iter()
            .filter(|(_, k)| *k == kind)
            .map(|(name, _)| name)
            .collect())
    }

    /// Names in a group, sorted, and what each is.
    fn members(&self, place: &str) -> Result<Vec<(String, &'static str)>, DataError> {
        let group = self.group(place)?;
        let found = links(&self.path, place, &group)?;
        Ok(found
            .into_iter()
            .map(|(name, link)| {
                let kind = member(&group, &name, Some(link));
                (name, kind)
            })
            .collect())
    }

    fn group(&self, place: &str) -> Result<Group, DataError> {
        self.file
            .group(place)
            .map_err(DataError::hdf5(&self.path, place, "open"))
    }

    /// The array `name` in a group.
    ///
    /// # Errors
    /// Where it is no dataset, its values are in another file, or they need a filter that HDF5 does
    /// not include.
    pub fn array(&self, group: &str, name: &str) -> Result<Hdf5Array<'_>, DataError> {
        let place = if group == "/" {
            name.to_string()
        } else {
            format!("{group}/{name}")
        };
        let parent = self.group(group)?;
        let found = member(
            &parent,
            name,
            links(&self.path, group, &parent)?.get(name).copied(),
        );
        if found != "a dataset" {
            return Err(DataError::structure(&self.path, place, "a dataset", found));
        }
        let dataset =
            parent
                .dataset(name)
                .map_err(DataError::hdf5(&self.path, place.clone(), "open"))?;
        let layout =
            |source| DataError::hdf5(&self.path, place.clone(), "read the layout of")(source);
        if let Some(found) = stored_elsewhere(&dataset).map_err(layout)? {
            return Err(DataError::structure(
                &self.path,
                place,
                "values in this file",
                found,
            ));
        }
        if let Some(found) = foreign_filter(&dataset).map_err(layout)? {
            return Err(DataError::structure(
                &self.path,
                place,
                "filters that are part of HDF5",
                found,
            ));
        }
        let shape = dataset.shape();
        let most = most_values(self.bytes);
        let values = shape
            .iter()
            .try_fold(1_u64, |n, &d| n.checked_mul(d as u64));
        if values.is_none_or(|n| n > most) {
            let expected = format!("at most {most} values in a file of its size");
            return Err(DataError::structure(
                &self.path,
                place,
                expected,
                format!("shape {shape:?}"),
            ));
        }
        Ok(Hdf5Array {
            file: self,
            place,
            dataset,
            shape,
        })
    }
}

impl Hdf5Array<'_> {
    /// Its path in the file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Rows `first..first + count` of a numeric array of one to three dimensions, row-major.
    ///
    /// # Errors
    /// Where it has another number of dimensions, is not numeric, or HDF5 cannot read it.
    pub fn rows(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        let path = &self.file.path;
        let fail = |action| DataError::hdf5(path, self.place.clone(), action);
        if let Some(found) =
            non_numeric_kind(&self.dataset.dtype().map_err(fail("read the type of"))?)
        {
            return Err(DataError::structure(
                path,
                self.place.clone(),
                "numbers",
                found,
            ));
        }
        let rows = first..first + count;
        let read = || -> hdf5::Result<ArrayD<f32>> {
            match self.shape.len() {
                1 => self.dataset.read_slice(s![rows.clone()]),
                2 => self.dataset.read_slice(s![rows.clone(), ..]),
                _ => self.dataset.read_slice(s![rows.clone(), .., ..]),
            }
        };
        if !(1..=3).contains(&self.shape.len()) {
            let found = format!("shape {:?}", self.shape);
            return Err(DataError::structure(
                path,
                self.place.clone(),
                "1 to 3 dimensions",
                found,
            ));
        }
        if !run_sandboxed(path, Limits::of_file(self.file.bytes), || read().is_ok())? {
            return Err(fail("read")("HDF5 cannot read it".into()));
        }
        Ok(read().map_err(fail("read"))?.into_iter().collect())
    }

    /// All values of a text array.
    ///
    /// # Errors
    /// Where it holds no UTF-8 text, or HDF5 cannot read it.
    pub fn texts(&self) -> Result<Vec<String>, DataError> {
        let path = &self.file.path;
        let fail = |action| DataError::hdf5(path, self.place.clone(), action);
        let dtype = self.dataset.dtype().map_err(fail("read the type of"))?;
        let kind = dtype.to_descriptor().map_err(fail("read the type of"))?;
        macro_rules! all {
            ($type:ty) => {
                self.dataset
                    .read_raw::<$type>()?
                    .iter()
                    .map(|s| utf8(s.as_bytes()))
                    .collect()
            };
        }
        let read = || -> hdf5::Result<Option<Vec<Option<String>>>> {
            Ok(Some(match kind {
                TypeDescriptor::VarLenUnicode => all!(VarLenUnicode),
                TypeDescriptor::VarLenAscii => all!(VarLenAscii),
                TypeDescriptor::FixedUnicode(n) if n <= MAX_FIXED => all!(FixedUnicode<MAX_FIXED>),
                TypeDescriptor::FixedAscii(n) if n <= MAX_FIXED => all!(FixedAscii<MAX_FIXED>),
                _ => return Ok(None),
            }))
        };
        if !run_sandboxed(path, Limits::of_file(self.file.bytes), || read().is_ok())? {
            return Err(fail("read")("HDF5 cannot read it".into()));
        }
        let texts = read()
            .map_err(fail("read"))?
            .and_then(|texts| texts.into_iter().collect());
        texts.ok_or_else(|| {
            DataError::structure(path, self.place.clone(), "text in UTF-8", "something else")
        })
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
