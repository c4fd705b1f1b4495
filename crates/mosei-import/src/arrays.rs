//! Arrays without names of columns, one for each recording: .npy files, members of .npz archives,
//! matrices of .mat files, datasets of HDF5.
//!
//! What lives here: where the arrays lie, and the frames they become. What does not: the formats
//! (`npy`, `mat`), what the axes are (`axes`).

use crate::frame_store::FrameWriter;
use crate::frames::{begin_recording, require_columns};
use crate::mapping::{Axes, Mapping};
use crate::npy::{self, Array};
use crate::{ImportError, axes, detect_format, mat};
use mosei_data::{Hdf5File, MAX_COLUMNS, files};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// Most times that deflate makes something smaller; a member that claims more is damaged.
const MAX_RATIO: u64 = 1100;
/// Most values of an array in HDF5.
const MAX_VALUES: usize = 1 << 30;

/// Where arrays lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrayFormat {
    Npy,
    Npz,
    Mat,
    Hdf5,
}

/// An array of one recording.
struct Item<'a> {
    file: &'a Path,
    /// Its name in the file, where that holds several.
    member: Option<String>,
    /// The name of the recording.
    name: String,
}

/// How the arrays were read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArraysRead {
    /// The axes.
    pub axes: Axes,
    /// The first recording, and the shape of its array.
    pub first: (String, Vec<usize>),
}

/// Reads all arrays of the files. `names` is the number of columns that have names.
///
/// # Errors
/// Where an array cannot be read, what the axes are is not clear, or there is no frame rate.
pub(crate) fn features(
    path: &Path,
    files: &[PathBuf],
    format: ArrayFormat,
    names: Option<usize>,
    mapping: &Mapping,
    hop_s: Option<f64>,
    writer: &mut FrameWriter,
) -> Result<ArraysRead, ImportError> {
    let Some(hop) = hop_s else {
        let expected = "--rate with the frame rate, as arrays hold no times";
        return Err(ImportError::table(path, "", expected, "none"));
    };
    let mut items = Vec::new();
    for file in files {
        items.extend(items_of(file, format, files.len() == 1 && file == path)?);
    }
    let shapes = items
        .iter()
        .map(|item| Ok((item.name.clone(), item.shape(format)?)));
    let shapes = shapes.collect::<Result<Vec<_>, ImportError>>()?;
    let axes = axes::decide(path, &shapes, mapping.features.axes, names, hop)?;
    for item in &items {
        let Array { shape, values } = item.read(format)?;
        let columns = axes::columns_of(&shape, axes);
        if columns > MAX_COLUMNS {
            let expected = format!("at most {MAX_COLUMNS} columns");
            return Err(ImportError::table(
                item.file,
                "shape",
                expected,
                format!("{shape:?}"),
            ));
        }
        require_columns(item.file, writer, columns)?;
        let (place, id) = (
            item.member.as_deref().unwrap_or_default(),
            mapping.ids.id(&item.name),
        );
        let at = begin_recording(item.file, place, &id, None, &item.name, writer)?;
        let values = axes::by_frame(values, &shape, axes);
        for (k, row) in values.chunks_exact(columns).enumerate() {
            writer.push(at, k as f64 * hop, (k + 1) as f64 * hop, row)?;
        }
    }
    match shapes.into_iter().next() {
        Some(first) => Ok(ArraysRead { axes, first }),
        None => Err(ImportError::table(path, "", "at least one array", "none")),
    }
}

/// The arrays of a file: its members, where `all` of them are recordings, else its only one.
fn items_of(file: &Path, format: ArrayFormat, all: bool) -> Result<Vec<Item<'_>>, ImportError> {
    let members = match format {
        ArrayFormat::Npy => None,
        ArrayFormat::Npz => Some(npz_members(file)?),
        ArrayFormat::Mat if all => Some(mat::names(file)?),
        ArrayFormat::Mat => Some(vec![mat::features_name(file)?]),
        ArrayFormat::Hdf5 => Some(Hdf5File::open(file)?.datasets("/")?),
    };
    let Some(members) = members else {
        let (member, name) = (None, detect_format::file_name(file)?);
        return Ok(vec![Item { file, member, name }]);
    };
    if members.is_empty() || (!all && members.len() > 1) {
        let expected = if all {
            "at least one array"
        } else {
            "one array, of the recording that the file is named after"
        };
        let found = if members.is_empty() {
            "none".into()
        } else {
            members.join(", ")
        };
        return Err(ImportError::table(file, "", expected, found));
    }
    members
        .into_iter()
        .map(|member| {
            let name = if all {
                member.clone()
            } else {
                detect_format::file_name(file)?
            };
            Ok(Item {
                file,
                member: Some(member),
                name,
            })
        })
        .collect()
}

impl Item<'_> {
    fn shape(&self, format: ArrayFormat) -> Result<Vec<usize>, ImportError> {
        match format {
            ArrayFormat::Npy => {
                self.with_file(|file, bytes| npy::shape(self.file, "", file, bytes))
            }
            ArrayFormat::Npz => {
                self.with_member(|place, source, bytes| npy::shape(self.file, place, source, bytes))
            }
            ArrayFormat::Mat => mat::read(self.file, self.member()).map(|array| array.shape),
            ArrayFormat::Hdf5 => {
                let file = Hdf5File::open(self.file)?;
                let array = file.array("/", self.member())?;
                match *array.shape.as_slice() {
                    [frames, columns]
                        if frames > 0
                            && columns > 0
                            && frames.saturating_mul(columns) <= MAX_VALUES =>
                    {
                        Ok(vec![frames, columns])
                    }
                    _ => {
                        let (place, found) = (
                            format!("'{}'", array.place()),
                            format!("shape {:?}", array.shape),
                        );
                        Err(ImportError::table(
                            self.file,
                            place,
                            "an array [frames, columns]",
                            found,
                        ))
                    }
                }
            }
        }
    }

    fn read(&self, format: ArrayFormat) -> Result<Array, ImportError> {
        match format {
            ArrayFormat::Npy => self.with_file(|file, bytes| npy::read(self.file, "", file, bytes)),
            ArrayFormat::Npz => {
                self.with_member(|place, source, bytes| npy::read(self.file, place, source, bytes))
            }
            ArrayFormat::Mat => mat::read(self.file, self.member()),
            ArrayFormat::Hdf5 => {
                let file = Hdf5File::open(self.file)?;
                let array = file.array("/", self.member())?;
                let (shape, rows) = (
                    array.shape.clone(),
                    array.shape.first().copied().unwrap_or(0),
                );
                Ok(Array {
                    shape,
                    values: array.rows(0, rows)?,
                })
            }
        }
    }

    fn member(&self) -> &str {
        self.member.as_deref().unwrap_or_default()
    }

    fn with_file<T>(
        &self,
        read: impl FnOnce(BufReader<File>, u64) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        let file = File::open(self.file).map_err(ImportError::io("open", self.file))?;
        let facts = file
            .metadata()
            .map_err(ImportError::io("open", self.file))?;
        files::require_file(self.file, &facts)?;
        detect_format::refuse_pickle(self.file)?;
        read(BufReader::new(file), facts.len())
    }

    fn with_member<T>(
        &self,
        read: impl FnOnce(
            &str,
            BufReader<zip::read::ZipFile<'_, BufReader<File>>>,
            u64,
        ) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        let mut archive = open_archive(self.file)?;
        let unreadable = |e| ImportError::unreadable(self.file, NPZ, e);
        let member = archive
            .by_name(&format!("{}.npy", self.member()))
            .map_err(unreadable)?;
        let (size, packed) = (member.size(), member.compressed_size());
        if size / MAX_RATIO > packed {
            let (expected, found) = (
                "a member that deflate can hold",
                format!("{size} bytes in {packed}"),
            );
            return Err(ImportError::table(
                self.file,
                format!("'{}'", self.member()),
                expected,
                found,
            ));
        }
        read(self.member(), BufReader::new(member), size)
    }
}

const NPZ: &str = "a ZIP archive of NumPy arrays (.npz)";

fn open_archive(file: &Path) -> Result<ZipArchive<BufReader<File>>, ImportError> {
    let opened = File::open(file).map_err(ImportError::io("open", file))?;
    ZipArchive::new(BufReader::new(opened)).map_err(|e| ImportError::unreadable(file, NPZ, e))
}

/// Names of the arrays in an archive, sorted.
fn npz_members(file: &Path) -> Result<Vec<String>, ImportError> {
    let archive = open_archive(file)?;
    let mut members = Vec::new();
    for name in archive.file_names() {
        let name = name.map_err(|e| ImportError::unreadable(file, NPZ, e))?;
        match name.strip_suffix(".npy") {
            Some(member) => members.push(member.to_string()),
            None => {
                return Err(ImportError::table(
                    file,
                    "",
                    NPZ,
                    format!("a member '{name}'"),
                ));
            }
        }
    }
    members.sort();
    Ok(members)
}
