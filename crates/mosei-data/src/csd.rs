//! A computational sequence (.csd) on disk: one video at a time, in or out.
//!
//! What lives here: HDF5, and the checks that make a file one of this kind. What does not: what the columns mean.
//!
//! Layout: `<root>/data/<video>/features` `[rows, columns]`, `<root>/data/<video>/intervals` `[rows, 2]` in seconds,
//! `<root>/metadata/<key>` a string holding JSON. All of it in the file itself: links elsewhere are not followed.

mod alone;
mod array;
mod by_video;
mod chunks;
mod class;
mod groups;
mod limits;
mod links;
mod metadata;
mod number;
mod open;
mod pack;
mod stored;
mod text;
mod unpack;
mod write;
mod write_chunk;

pub(crate) use array::{Array, ArrayFile};
pub(crate) use by_video::Held;
pub(crate) use limits::MAX_COLUMNS;
pub(crate) use metadata::{About, metadata};
pub(crate) use pack::PackedVideo;
pub use write::CsdWriter;

use crate::{DataError, ids, whole};
use alone::Limits;
use groups::{find_root, open_group};
use hdf5::H5Type;
use hdf5::{Dataset, Group, LinkType};
use links::{foreign_filter, links, member, stored_elsewhere};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A .csd file opened and checked: every video has both datasets, of one width.
#[derive(Debug)]
pub struct Csd {
    path: PathBuf,
    /// The same file, for reads past HDF5.
    file: std::fs::File,
    /// Its size.
    bytes: u64,
    root: String,
    data: Group,
    videos: Vec<VideoShape>,
    by_video: BTreeMap<String, Held>,
    width: usize,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// A group of a file, a video or a segment of one, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoShape {
    /// Its id.
    pub id: String,
    /// Its rows.
    pub rows: usize,
}

/// One video as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Columns of `features`.
    pub width: usize,
    /// Features `[rows, width]`, row-major.
    pub features: Vec<f32>,
    /// Intervals `[rows]` of start and end, seconds; not necessarily in order of time.
    pub intervals: Vec<[f64; 2]>,
}

/// Who reads values.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// We, where they are stored in one of the usual ways; HDF5 the rest.
    Own,
    /// HDF5.
    Hdf5,
}

impl Sequence {
    /// The features of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..(row + 1) * self.width]
    }
}

impl Csd {
    /// Opens a file and checks the shape of everything in it; reads no features.
    ///
    /// All that HDF5 does is tried first in a fork of this process, which a damaged file may end or keep busy for ever.
    ///
    /// # Errors
    /// Where the file is not HDF5 or HDF5 comes to grief over it, lacks a group or dataset, or its shapes do not fit together: each names the place.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        // Asked first, so that a missing or unreadable file is not taken for one of a wrong kind.
        let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
        whole::require_file(path, &facts)?;
        if facts.len() == 0 {
            let (expected, found) = ("an HDF5 file (.csd)", "0 bytes");
            return Err(DataError::NotAFile { path: path.to_path_buf(), expected, found });
        }
        // Whether it went well is told by what comes next, in words.
        alone::survive(path, Limits::of_file(facts.len()), || {
            Self::open_here(path, facts.len()).and_then(|csd| csd.find_values()).is_ok()
        })?;
        Self::open_here(path, facts.len())
    }

    fn open_here(path: &Path, bytes: u64) -> Result<Self, DataError> {
        let past_hdf5 = std::fs::File::open(path).map_err(DataError::io("open", path))?;
        let file = open::open_to_read(path)?;
        let (root, group) = find_root(path, &file)?;
        let place = format!("{root}/data");
        let members = links(path, &root, &group)?;
        let data = open_group(path, &group, "data", members.get("data").copied(), &place)?;
        let metadata = text::read_metadata(path, &root, &group)?;
        let videos = links(path, &place, &data)?;
        ids::check(path, &place, videos.keys())?;
        let own_path = path.to_path_buf();
        let mut csd = Csd {
            path: own_path,
            file: past_hdf5,
            bytes,
            root,
            data,
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
                return Err(DataError::structure(path, csd.place(&id, "intervals"), "2 columns (start, end)", found));
            }
            if rows != interval_rows {
                let expected = format!("{rows} rows, as many as features");
                let found = format!("{interval_rows} rows");
                return Err(DataError::structure(path, csd.place(&id, "intervals"), expected, found));
            }
            match &first {
                None => first = Some((id.clone(), width)),
                Some((other, expected)) if *expected != width => {
                    let expected = format!("{expected} columns as in '{other}'");
                    let found = format!("{width} columns");
                    return Err(DataError::structure(path, csd.place(&id, "features"), expected, found));
                }
                Some(_) => {}
            }
            csd.videos.push(VideoShape { id, rows });
        }
        let Some((_, width)) = first else {
            return Err(DataError::structure(path, format!("{}/data", csd.root), "at least one video", "none"));
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

    /// The place of a video among [`Csd::videos`].
    pub fn find(&self, id: &str) -> Option<usize> {
        self.videos.binary_search_by(|v| v.id.as_str().cmp(id)).ok()
    }

    /// How the file holds each video, by the video's id.
    pub(crate) fn by_video(&self) -> &BTreeMap<String, Held> {
        &self.by_video
    }

    /// Rows of a video, of all its segments together.
    pub(crate) fn rows_of(&self, held: &Held) -> usize {
        match held {
            Held::Whole(place) => self.videos[*place].rows,
            Held::Segments(_, segments) => segments.values().map(|&place| self.videos[place].rows).sum(),
        }
    }

    /// Columns of every video.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of all videos.
    pub fn rows(&self) -> usize {
        self.videos.iter().map(|v| v.rows).sum()
    }

    /// The metadata that could be read as JSON.
    pub fn metadata(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.metadata
    }

    /// The column names that the metadata gives, where they are as many as the columns and all different.
    pub fn dimension_names(&self) -> Option<Vec<String>> {
        let names: Vec<String> = serde_json::from_value(self.metadata.get("dimension names")?.clone()).ok()?;
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        let fits = names.len() == self.width && different.len() == names.len() && names.iter().all(|n| !n.is_empty());
        fits.then_some(names)
    }

    /// Reads one video. Several threads may, side by side: HDF5, which lets in one at a time, only tells the places.
    ///
    /// # Errors
    /// Where HDF5 cannot read it, or an interval is not finite or ends before it starts.
    pub fn read(&self, id: &str) -> Result<Sequence, DataError> {
        self.read_by(id, Reader::Own)
    }

    /// Reads one video through HDF5 alone, which gives the same values: what [`Csd::read`] is held against. For files that are
    /// known to be whole: a damaged one can keep HDF5 busy for ever.
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
                return Err(DataError::Interval { path, video, row, start, end });
            }
        }
        let features = self.values(id, "features", reader)?;
        Ok(Sequence { width: self.width, features, intervals })
    }

    fn values<T: H5Type + number::Number>(&self, id: &str, name: &str, reader: Reader) -> Result<Vec<T>, DataError> {
        let dataset = self.dataset(id, name)?;
        if let Reader::Own = reader
            && let Some(stored) = stored::Stored::find::<T>(&dataset)
            && let Some(values) = unpack::read(&self.file, &stored)
        {
            return Ok(values);
        }
        let fail = DataError::hdf5(&self.path, self.place(id, name), "read");
        // Filters and indices of all kinds: tried first, for the file may be damaged.
        if let Reader::Own = reader
            && !alone::survive(&self.path, Limits::of_file(self.bytes), || dataset.read_raw::<T>().is_ok())?
        {
            return Err(fail("HDF5 cannot".into()));
        }
        dataset.read_raw().map_err(fail)
    }

    /// Looks up where the values of all datasets are, and forgets it.
    fn find_values(&self) -> Result<(), DataError> {
        for video in &self.videos {
            stored::Stored::find::<f32>(&self.dataset(&video.id, "features")?);
            stored::Stored::find::<f64>(&self.dataset(&video.id, "intervals")?);
        }
        Ok(())
    }

    fn dataset(&self, id: &str, name: &str) -> Result<Dataset, DataError> {
        let dataset = self.data.dataset(&format!("{id}/{name}"));
        dataset.map_err(DataError::hdf5(&self.path, self.place(id, name), "open"))
    }

    fn place(&self, id: &str, dataset: &str) -> String {
        format!("{}/data/{id}/{dataset}", self.root)
    }

    /// Opens `features` and `intervals` of a video, where both are datasets with their values in this file.
    fn checked_datasets(&self, id: &str, link: LinkType) -> Result<(Dataset, Dataset), DataError> {
        let place = format!("{}/data/{id}", self.root);
        let group = open_group(&self.path, &self.data, id, Some(link), &place)?;
        let members = links(&self.path, &place, &group)?;
        let open = |name: &str| {
            let place = || self.place(id, name);
            let found = member(&group, name, members.get(name).copied());
            if found != "a dataset" {
                return Err(DataError::structure(&self.path, place(), "a dataset", found));
            }
            let dataset = group.dataset(name).map_err(DataError::hdf5(&self.path, place(), "open"))?;
            let layout = |source| DataError::hdf5(&self.path, place(), "read the layout of")(source);
            if let Some(found) = stored_elsewhere(&dataset).map_err(layout)? {
                return Err(DataError::structure(&self.path, place(), "values in this file", found));
            }
            match foreign_filter(&dataset).map_err(layout)? {
                None => Ok(dataset),
                Some(found) => Err(DataError::structure(&self.path, place(), "filters of HDF5's own", found)),
            }
        };
        Ok((open("features")?, open("intervals")?))
    }

    /// Rows and columns of a dataset of numbers.
    fn shape(&self, id: &str, name: &str, dataset: &Dataset) -> Result<(usize, usize), DataError> {
        let fail = |expected: &str, found: String| {
            Err(DataError::structure(&self.path, self.place(id, name), expected, found))
        };
        let shape = dataset.shape();
        let &[rows, columns] = shape.as_slice() else {
            return fail("2 dimensions [rows, columns]", format!("shape {shape:?}"));
        };
        if !(1..=limits::MAX_COLUMNS).contains(&columns) {
            return fail(&format!("1 to {} columns", limits::MAX_COLUMNS), format!("{columns}"));
        }
        let most = limits::most_values(self.bytes);
        if rows.checked_mul(columns).is_none_or(|n| n as u64 > most) {
            return fail(&format!("at most {most} values in a file of its size"), format!("shape {shape:?}"));
        }
        let dtype = dataset.dtype().map_err(DataError::hdf5(&self.path, self.place(id, name), "read the type of"))?;
        if let Some(found) = class::no_numbers(&dtype) {
            return fail("numbers", found.into());
        }
        match dtype.to_descriptor() {
            Ok(_) => Ok((rows, columns)),
            // Floats of sizes that have no name here, such as float16, are converted by HDF5 all the same.
            Err(_) if dtype.conv_to::<f32>().is_some() => Ok((rows, columns)),
            Err(source) => Err(DataError::hdf5(&self.path, self.place(id, name), "read the type of")(source)),
        }
    }
}
