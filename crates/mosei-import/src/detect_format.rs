//! Detects the format of a file or folder by its name and first bytes.
//!
//! What lives here: telling formats apart, and refusing pickles where an array or table is wanted.
//! What does not: reading.

use crate::ImportError;
use crate::arrays::ArrayFormat;
use crate::table::TableFormat;
use mosei_data::{Csd, Hdf5File, files};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use strum::{VariantArray, VariantNames};

/// Where features or labels are read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// One table.
    Table(PathBuf, TableFormat),
    /// A folder with one table per recording.
    Tables(PathBuf, Vec<PathBuf>, TableFormat),
    /// Files with arrays: one for each recording, or all in one file.
    Arrays(PathBuf, Vec<PathBuf>, ArrayFormat),
    /// One or several computational sequences in a file.
    Csd(PathBuf),
    /// A folder with a computational sequence in each file, as CMU's SDK writes it.
    CsdFolder(PathBuf, Vec<PathBuf>),
    /// Padded segments in HDF5, as some releases have them: one file with all splits, or a folder
    /// with one file per split.
    PaddedHdf5(PathBuf),
    /// A pickle, or an archive of `torch.save`.
    Pickle(PathBuf),
}

/// The format of a features file or folder. Its name, as `Display` writes it and `FromStr` reads
/// it, is in lower case.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum ImportFormat {
    /// Delimited text, or a folder of such files.
    Csv,
    /// Parquet, or a folder of such files.
    Parquet,
    /// ARFF, or a folder of such files.
    Arff,
    /// JSON Lines, or a folder of such files.
    Jsonl,
    /// A folder of .npy files.
    Npy,
    /// An archive of NumPy arrays, or a folder of such files.
    Npz,
    /// MATLAB's files of level 5.
    Mat,
    /// HDF5: a .csd file, padded segments, or an array for each recording.
    Hdf5,
    /// A pickle, or an archive of `torch.save`.
    Pickle,
}

impl ImportFormat {
    /// The names of all formats.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    fn from_extension(path: &Path) -> Option<Self> {
        Some(match extension(path).as_str() {
            "csv" | "tsv" | "txt" => ImportFormat::Csv,
            "parquet" | "pq" => ImportFormat::Parquet,
            "arff" => ImportFormat::Arff,
            "jsonl" | "ndjson" => ImportFormat::Jsonl,
            "npy" => ImportFormat::Npy,
            "npz" => ImportFormat::Npz,
            "mat" => ImportFormat::Mat,
            "h5" | "hdf5" | "hdf" | "csd" => ImportFormat::Hdf5,
            extension if PICKLES.contains(&extension) => ImportFormat::Pickle,
            _ => return None,
        })
    }

    const fn table(self) -> Option<TableFormat> {
        match self {
            ImportFormat::Csv => Some(TableFormat::Csv),
            ImportFormat::Parquet => Some(TableFormat::Parquet),
            ImportFormat::Arff => Some(TableFormat::Arff),
            ImportFormat::Jsonl => Some(TableFormat::Jsonl),
            _ => None,
        }
    }

    const fn array(self) -> Option<ArrayFormat> {
        match self {
            ImportFormat::Npy => Some(ArrayFormat::Npy),
            ImportFormat::Npz => Some(ArrayFormat::Npz),
            ImportFormat::Mat => Some(ArrayFormat::Mat),
            _ => None,
        }
    }
}

/// Extensions that Python programs give to pickles.
const PICKLES: [&str; 6] = ["pkl", "pickle", "p", "pt", "pth", "joblib"];

const KNOWN: &str = "a Parquet, CSV, TSV, JSONL, ARFF, HDF5, .npz, .mat or pickle file, or a folder of .npy, .npz, .mat, .csv, .jsonl, .arff or .parquet files";

/// Detects what is at `path`; `format` overrides detection.
///
/// # Errors
/// Where there is nothing, a pickle that is declared as something else, or an unknown format.
pub(crate) fn detect_format(
    path: &Path,
    format: Option<ImportFormat>,
) -> Result<Source, ImportError> {
    let metadata = std::fs::metadata(path).map_err(ImportError::io("open", path))?;
    let own = path.to_path_buf();
    if metadata.is_dir() {
        return detect_in_folder(own, format);
    }
    let start = first_bytes(path)?;
    if matches!(format, None | Some(ImportFormat::Pickle)) && pickle_kind(path, &start).is_some() {
        return Ok(Source::Pickle(own));
    }
    refuse_pickle(path)?;
    let detected = match format {
        Some(ImportFormat::Pickle) => return Ok(Source::Pickle(own)),
        Some(format) => Some(format),
        // Content takes precedence over the extension.
        None if start.starts_with(b"PAR1") => Some(ImportFormat::Parquet),
        None if start.starts_with(b"\x89HDF\r\n\x1a\n") => Some(ImportFormat::Hdf5),
        None if start.starts_with(b"\x93NUMPY") => Some(ImportFormat::Npy),
        None if start.starts_with(b"MATLAB ") => Some(ImportFormat::Mat),
        None => ImportFormat::from_extension(path),
    };
    let refused = |found: String| Err(ImportError::table(path, "", KNOWN, found));
    match detected {
        Some(ImportFormat::Hdf5) if is_csd(path)? => Ok(Source::Csd(own)),
        Some(ImportFormat::Hdf5) if holds_arrays(path)? => {
            Ok(Source::Arrays(own.clone(), vec![own], ArrayFormat::Hdf5))
        }
        Some(ImportFormat::Hdf5) => Ok(Source::PaddedHdf5(own)),
        Some(ImportFormat::Npy) => refused("one .npy file, not the folder with all of them".into()),
        Some(format) => match (format.table(), format.array()) {
            (Some(table), _) => Ok(Source::Table(own, table)),
            (_, Some(array)) => Ok(Source::Arrays(own.clone(), vec![own], array)),
            _ => refused("another file".into()),
        },
        None => refused(match start.starts_with(b"PK\x03\x04") {
            true => "a ZIP archive (.xlsx?): save .csv files from it".into(),
            false => match extension(path).as_str() {
                "" => "a file without an extension; give its format with --format".into(),
                extension => {
                    format!("a file with extension '.{extension}'; give its format with --format")
                }
            },
        }),
    }
}

/// Whether an HDF5 file holds computational sequences.
fn is_csd(path: &Path) -> Result<bool, ImportError> {
    Ok(!Csd::streams(path)?.is_empty())
}

/// Whether an HDF5 file has arrays at its root: those of recordings, named by them.
fn holds_arrays(path: &Path) -> Result<bool, ImportError> {
    let file = Hdf5File::open(path)?;
    Ok(file.groups("/")?.is_empty() && !file.datasets("/")?.is_empty())
}

fn detect_in_folder(path: PathBuf, format: Option<ImportFormat>) -> Result<Source, ImportError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(ImportError::io("list", &path))? {
        let file = entry.map_err(ImportError::io("list", &path))?.path();
        let hidden = file
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    let formats: Vec<Option<ImportFormat>> = files
        .iter()
        .map(|file| ImportFormat::from_extension(file).filter(|f| *f != ImportFormat::Pickle))
        .collect();
    let present: Vec<ImportFormat> = <ImportFormat as VariantArray>::VARIANTS
        .iter()
        .copied()
        .filter(|f| formats.contains(&Some(*f)))
        .collect();
    let format = match (format, present.as_slice()) {
        (Some(format), _) => format,
        (None, [one]) => *one,
        (None, []) => {
            // A folder of pickles is the usual reason.
            files.iter().try_for_each(|file| refuse_pickle(file))?;
            return Err(ImportError::table(
                &path,
                "",
                KNOWN,
                "a folder without such a file",
            ));
        }
        (None, several) => {
            let names: Vec<String> = several.iter().map(ImportFormat::to_string).collect();
            let found = format!("{} files; choose one with --format", names.join(" and "));
            return Err(ImportError::table(&path, "", "files of one format", found));
        }
    };
    let found: Vec<PathBuf> = files
        .into_iter()
        .zip(&formats)
        .filter(|(_, f)| **f == Some(format))
        .map(|(file, _)| file)
        .collect();
    if found.is_empty() {
        return Err(ImportError::table(
            &path,
            "",
            format!("{format} files"),
            "none",
        ));
    }
    Ok(match (format.table(), format.array()) {
        (Some(table), _) => Source::Tables(path, found, table),
        (_, Some(array)) => Source::Arrays(path, found, array),
        _ if found.iter().all(|file| extension(file) == "csd") => Source::CsdFolder(path, found),
        _ => Source::PaddedHdf5(path),
    })
}

/// Refuses a pickle where a table or an array is wanted, recognised by its extension or first bytes
/// alone.
pub(crate) fn refuse_pickle(path: &Path) -> Result<(), ImportError> {
    match pickle_kind(path, &first_bytes(path)?) {
        None => Ok(()),
        Some(found) => Err(ImportError::Pickle {
            path: path.to_path_buf(),
            found,
        }),
    }
}

/// What makes a file a pickle; `None` where it is none.
fn pickle_kind(path: &Path, start: &[u8]) -> Option<&'static str> {
    // The opcode of protocols 2 to 5, and the first member of an archive of torch.save.
    match start {
        [0x80, 2..=5, ..] => Some("a pickle by its first bytes"),
        [b'P', b'K', 3, 4, ..] if start.windows(8).any(|w| w == b"data.pkl") => {
            Some("a file of torch.save")
        }
        _ if PICKLES.contains(&extension(path).as_str()) => Some("a pickle by its extension"),
        _ => None,
    }
}

/// The name of a file, which must be UTF-8.
pub(crate) fn file_name(path: &Path) -> Result<String, ImportError> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .map(String::from);
    name.ok_or_else(|| ImportError::table(path, "", "a file name in UTF-8", "other bytes"))
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, ImportError> {
    let metadata = std::fs::metadata(path).map_err(ImportError::io("open", path))?;
    files::require_file(path, &metadata)?;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(ImportError::io("open", path))?;
    file.take(256)
        .read_to_end(&mut bytes)
        .map_err(ImportError::io("read", path))?;
    Ok(bytes)
}

/// The extension of a file in lower case; empty where there is none.
fn extension(path: &Path) -> String {
    path.extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}
