//! Computational sequences (.csd) on disk, read and written one video at a time.
//!
//! What lives here: HDF5, and the checks of a file's structure. What does not: the meaning of
//! columns.
//!
//! Layout: `<root>/data/<video>/features` `[rows, columns]`, `<root>/data/<video>/intervals`
//! `[rows, 2]` in seconds, `<root>/metadata/<key>` a string holding JSON. All of it must be in the
//! file itself: links are not followed.

mod by_video;
mod chunks;
mod groups;
mod hdf5_array;
mod layout;
mod limits;
mod links;
mod metadata;
mod number;
mod open;
mod pack;
mod read_metadata;
mod sandbox;
mod type_class;
mod unpack;
mod write;
mod write_chunk;

pub(crate) use by_video::VideoGroups;
pub use hdf5_array::{Hdf5Array, Hdf5File};
pub use limits::MAX_COLUMNS;
pub use metadata::{LABELS_ROOT, SequenceInfo, sequence_metadata};
pub use pack::PackedVideo;
pub use write::CsdWriter;

use crate::{DataError, files, ids};
use groups::{find_root, named_root, open_group};
use hdf5::H5Type;
use hdf5::{Dataset, Group, LinkType};
use links::{foreign_filter, links, member, stored_elsewhere};
use sandbox::Limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A .csd file opened and checked: every video has both datasets, of one width.
#[derive(Debug)]
pub struct Csd {
    path: PathBuf,
    /// The same file, for reads without HDF5.
    file: std::fs::File,
    /// Its size.
    bytes: u64,
    root: String,
    data: Group,
    /// Path of `data` in the file.
    data_place: String,
    videos: Vec<VideoShape>,
    by_video: BTreeMap<String, VideoGroups>,
    width: usize,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// A group of a file, which is a video or a segment, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoShape {
    /// Its id.
    pub id: String,
    /// Its rows.
    pub rows: usize,
}

/// One video, as in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Columns of `features`.
    pub width: usize,
    /// Features `[rows, width]`, row-major.
    pub features: Vec<f32>,
    /// Intervals `[rows]` of start and end, seconds; not necessarily in order of time.
    pub intervals: Vec<[f64; 2]>,
}

/// What reads values.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// Our reader where the storage layout is a common one, else HDF5.
    Own,
    /// HDF5 alone.
    Hdf5,
}

impl Sequence {
    /// The features of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..(row + 1) * self.width]
    }
}

impl Csd {
    /// Opens a file and checks the shapes of all datasets; reads no features.
    ///
    /// Everything HDF5 does is first tried in a fork of this process, as a damaged file can make it
    /// crash or hang.
    ///
    /// # Errors
    /// Where the file is not HDF5, HDF5 fails on it, a group or dataset is missing, or shapes do
    /// not match; the error names the place.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::open_root(path, None)
    }

    /// Opens one of several streams in a file, by the name of its root group; its groups of videos
    /// may be the root's own members, without `data` between them.
    ///
    /// # Errors
    /// As those of [`Csd::open`], and where there is no such group.
    pub fn open_stream(path: &Path, stream: &str) -> Result<Self, DataError> {
        Self::open_root(path, Some(stream))
    }

    /// The names of the streams in a file, sorted: root groups with `data`, or else root groups
    /// that hold groups and no datasets.
    ///
    /// # Errors
    /// Where the file is not HDF5, or HDF5 fails on it.
    pub fn streams(path: &Path) -> Result<Vec<String>, DataError> {
        let file = Hdf5File::open(path)?;
        let (mut with_data, mut others) = (Vec::new(), Vec::new());
        for root in file.groups("/")? {
            let groups = file.groups(&root)?;
            if groups.iter().any(|name| name == "data") {
                with_data.push(root);
            } else if !groups.is_empty() && file.datasets(&root)?.is_empty() {
                others.push(root);
            }
        }
        Ok(if with_data.is_empty() {
            others
        } else {
            with_data
        })
    }

    fn open_root(path: &Path, stream: Option<&str>) -> Result<Self, DataError> {
        // First, so that a missing or unreadable file is not reported as one of the wrong format.
        let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
        files::require_file(path, &facts)?;
        if facts.len() == 0 {
            let (expected, found) = ("an HDF5 file (.csd)", "0 bytes");
            return Err(DataError::NotAFile {
                path: path.to_path_buf(),
                expected,
                found,
            });
        }
        // An error in the fork is reported by the same call in this process.
        sandbox::run_sandboxed(path, Limits::of_file(facts.len()), || {
            Self::open_here(path, facts.len(), stream)
                .and_then(|csd| csd.find_values())
                .is_ok()
        })?;
        Self::open_here(path, facts.len(), stream)
    }

    fn open_here(path: &Path, bytes: u64, stream: Option<&str>) -> Result<Self, DataError> {
        let past_hdf5 = std::fs::File::open(path).map_err(DataError::io("open", path))?;
        let file = open::open_to_read(path)?;
        let (root, group) = match stream {
            None => find_root(path, &file)?,
            Some(stream) => named_root(path, &file, stream)?,
        };
        let members = links(path, &root, &group)?;
        let (data, place) = match stream {
            Some(_) if !members.contains_key("data") => (group.clone(), root.clone()),
            _ => {
                let place = format!("{root}/data");
                let link = members.get("data").copied();
                (open_group(path, &group, "data", link, &place)?, place)
            }
        };
        let metadata = read_metadata::read_metadata(path, &root, &group)?;
        let videos = links(path, &place, &data)?;
        ids::check_ids(path, &place, videos.keys())?;
        let own_path = path.to_path_buf();
        let mut csd = Csd {
            path: own_path,
            file: past_hdf5,
            bytes,
            root,
            data,
            data_place: place.clone(),
            videos: Vec::new(),
            by_video: BTreeMap::new(),
            width: 0,
            metadata,
        };
        let mut first: Option<(String, usize)> = None;
        for (id, link) in videos {
            let (features, intervals) = csd.checked_datasets(&id, link)?;
            let (rows, width) = csd.shape(&id, "features", &features)?;
            let (interval_rows, two) = csd.shape(&id, "intervals", &intervals)?;
            if two != 2 {
                let found = format!("{two} columns");
                return Err(DataError::structure(
                    path,
                    csd.place(&id, "intervals"),
                    "2 columns (start, end)",
                    found,
                ));
            }
            if rows != interval_rows {
                let expected = format!("{rows} rows, as many as features");
                let found = format!("{interval_rows} rows");
                return Err(DataError::structure(
                    path,
                    csd.place(&id, "intervals"),
                    expected,
                    found,
                ));
            }
            match &first {
                None => first = Some((id.clone(), width)),
                Some((other, expected)) if *expected != width => {
                    let expected = format!("{expected} columns as in '{other}'");
                    let found = format!("{width} columns");
                    return Err(DataError::structure(
                        path,
                        csd.place(&id, "features"),
                        expected,
                        found,
                    ));
                }
                Some(_) => {}
            }
            csd.videos.push(VideoShape { id, rows });
        }
        let Some((_, width)) = first else {
            return Err(DataError::structure(
                path,
                place,
                "at least one video",
                "none",
            ));
        };
        csd.width = width;
        csd.by_video = by_video::by_video(path, &place, &csd.videos)?;
        Ok(csd)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the root group.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The groups, sorted by id: videos, or segments of them ([`mosei_schema::segment_name`]).
    pub fn videos(&self) -> &[VideoShape] {
        &self.videos
    }

    /// Index of a video in [`Csd::videos`].
    pub fn find(&self, id: &str) -> Option<usize> {
        self.videos.binary_search_by(|v| v.id.as_str().cmp(id)).ok()
    }

    /// How the file holds each video, by the video's id.
    pub(crate) fn by_video(&self) -> &BTreeMap<String, VideoGroups> {
        &self.by_video
    }

    /// Number of rows of a video, over all its segments.
    pub(crate) fn rows_of(&self, held: &VideoGroups) -> usize {
        match held {
            VideoGroups::Whole(place) => self.videos[*place].rows,
            VideoGroups::Segments(_, segments) => segments
                .values()
                .map(|&place| self.videos[place].rows)
                .sum(),
        }
    }

    /// Columns of every video.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows of all videos.
    pub fn rows(&self) -> usize {
        self.videos.iter().map(|v| v.rows).sum()
    }

    /// The metadata that is valid JSON.
    pub fn metadata(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.metadata
    }

    /// The column names of the metadata, where there is a unique one for each column.
    pub fn dimension_names(&self) -> Option<Vec<String>> {
        let names: Vec<String> =
            serde_json::from_value(self.metadata.get("dimension names")?.clone()).ok()?;
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        let fits = names.len() == self.width
            && different.len() == names.len()
            && names.iter().all(|n| !n.is_empty());
        fits.then_some(names)
    }

    /// Reads one video. Several threads can read in parallel: HDF5, which is locked, is only asked
    /// where the values are.
    ///
    /// # Errors
    /// Where HDF5 cannot read it, or an interval is not finite or ends before it starts.
    pub fn read(&self, id: &str) -> Result<Sequence, DataError> {
        self.read_by(id, Reader::Own)
    }

    /// Reads one video by HDF5 alone: the reference for [`Csd::read`], with equal values. For
    /// trusted files only: HDF5 can hang on a damaged one.
    ///
    /// # Errors
    /// As those of [`Csd::read`].
    pub fn read_through_hdf5(&self, id: &str) -> Result<Sequence, DataError> {
        self.read_by(id, Reader::Hdf5)
    }

    fn read_by(&self, id: &str, reader: Reader) -> Result<Sequence, DataError> {
        let intervals: Vec<f64> = self.values(id, "intervals", reader)?;
        let intervals: Vec<[f64; 2]> = intervals.as_chunks().0.to_vec();
        for (row, &[start, end]) in intervals.iter().enumerate() {
            if !(start.is_finite() && end.is_finite() && start <= end) {
                let (path, video) = (self.path.clone(), id.to_string());
                return Err(DataError::Interval {
                    path,
                    video,
                    row,
                    start,
                    end,
                });
            }
        }
        let features = self.values(id, "features", reader)?;
        Ok(Sequence {
            width: self.width,
            features,
            intervals,
        })
    }

    fn values<T: H5Type + number::Number>(
        &self,
        id: &str,
        name: &str,
        reader: Reader,
    ) -> Result<Vec<T>, DataError> {
        let dataset = self.dataset(id, name)?;
        if let Reader::Own = reader
            && let Some(stored) = layout::StoredMatrix::find::<T>(&dataset)
            && let Some(values) = unpack::read(&self.file, &stored)
        {
            return Ok(values);
        }
        let fail = DataError::hdf5(&self.path, self.place(id, name), "read");
        // HDF5 itself, tried in a fork first: the file may be damaged.
        if let Reader::Own = reader
            && !sandbox::run_sandboxed(&self.path, Limits::of_file(self.bytes), || {
                dataset.read_raw::<T>().is_ok()
            })?
        {
            return Err(fail("HDF5 cannot read it".into()));
        }
        dataset.read_raw().map_err(fail)
    }

    /// Locates the values of all datasets, to try whether that works.
    fn find_values(&self) -> Result<(), DataError> {
        for video in &self.videos {
            layout::StoredMatrix::find::<f32>(&self.dataset(&video.id, "features")?);
            layout::StoredMatrix::find::<f64>(&self.dataset(&video.id, "intervals")?);
        }
        Ok(())
    }

    fn dataset(&self, id: &str, name: &str) -> Result<Dataset, DataError> {
        let dataset = self.data.dataset(&format!("{id}/{name}"));
        dataset.map_err(DataError::hdf5(&self.path, self.place(id, name), "open"))
    }

    fn place(&self, id: &str, dataset: &str) -> String {
        format!("{}/{id}/{dataset}", self.data_place)
    }

    /// Opens `features` and `intervals` of a video; both must be datasets with their values in this
    /// file.
    fn checked_datasets(&self, id: &str, link: LinkType) -> Result<(Dataset, Dataset), DataError> {
        let place = format!("{}/{id}", self.data_place);
        let group = open_group(&self.path, &self.data, id, Some(link), &place)?;
        let members = links(&self.path, &place, &group)?;
        let open = |name: &str| {
            let place = || self.place(id, name);
            let found = member(&group, name, members.get(name).copied());
            if found != "a dataset" {
                return Err(DataError::structure(
                    &self.path,
                    place(),
                    "a dataset",
                    found,
                ));
            }
            let dataset =
                group
                    .dataset(name)
                    .map_err(DataError::hdf5(&self.path, place(), "open"))?;
            let layout =
                |source| DataError::hdf5(&self.path, place(), "read the layout of")(source);
            if let Some(found) = stored_elsewhere(&dataset).map_err(layout)? {
                return Err(DataError::structure(
                    &self.path,
                    place(),
                    "values in this file",
                    found,
                ));
            }
            match foreign_filter(&dataset).map_err(layout)? {
                None => Ok(dataset),
                Some(found) => Err(DataError::structure(
                    &self.path,
                    place(),
                    "filters that are part of HDF5",
                    found,
                )),
            }
        };
        Ok((open("features")?, open("intervals")?))
    }

    /// Rows and columns of a numeric dataset.
    fn shape(&self, id: &str, name: &str, dataset: &Dataset) -> Result<(usize, usize), DataError> {
        let fail = |expected: &str, found: String| {
            Err(DataError::structure(
                &self.path,
                self.place(id, name),
                expected,
                found,
            ))
        };
        let shape = dataset.shape();
        let &[rows, columns] = shape.as_slice() else {
            return fail("2 dimensions [rows, columns]", format!("shape {shape:?}"));
        };
        if !(1..=limits::MAX_COLUMNS).contains(&columns) {
            return fail(
                &format!("1 to {} columns", limits::MAX_COLUMNS),
                format!("{columns}"),
            );
        }
        let most = limits::most_values(self.bytes);
        if rows.checked_mul(columns).is_none_or(|n| n as u64 > most) {
            return fail(
                &format!("at most {most} values in a file of its size"),
                format!("shape {shape:?}"),
            );
        }
        let dtype = dataset.dtype().map_err(DataError::hdf5(
            &self.path,
            self.place(id, name),
            "read the type of",
        ))?;
        if let Some(found) = type_class::non_numeric_kind(&dtype) {
            return fail("numbers", found.into());
        }
        match dtype.to_descriptor() {
            Ok(_) => Ok((rows, columns)),
            // HDF5 converts floats of other sizes too, such as float16.
            Err(_) if dtype.conv_to::<f32>().is_some() => Ok((rows, columns)),
            Err(source) => Err(DataError::hdf5(
                &self.path,
                self.place(id, name),
                "read the type of",
            )(source)),
        }
    }
}
