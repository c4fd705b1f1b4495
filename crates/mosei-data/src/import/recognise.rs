//! What a file or folder of features is, by its name and its first bytes.
//!
//! What lives here: telling formats apart, and refusing pickles before anything in them is looked at. What does not: reading.

use super::table::TableFormat;
use crate::DataError;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What features or labels stand in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// One table.
    Table(PathBuf, TableFormat),
    /// A folder with a table for each recording.
    Tables(PathBuf, Vec<PathBuf>, TableFormat),
    /// A folder with an array for each recording.
    Arrays(PathBuf, Vec<PathBuf>),
    /// A computational sequence.
    Csd(PathBuf),
    /// HDF5 files of the releases whose segments are cut and padded: one with all splits, or a folder with one a split.
    Released(PathBuf),
}

/// A format that `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// Text with a row a line, or a folder of such.
    Csv,
    /// Parquet, or a folder of such.
    Parquet,
    /// ARFF, or a folder of such.
    Arff,
    /// A folder of .npy files.
    Npy,
    /// HDF5: a .csd file, or segments that are cut and padded.
    Hdf5,
}

impl ImportFormat {
    /// All of them.
    pub const ALL: [ImportFormat; 5] =
        [ImportFormat::Csv, ImportFormat::Parquet, ImportFormat::Arff, ImportFormat::Npy, ImportFormat::Hdf5];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            ImportFormat::Csv => "csv",
            ImportFormat::Parquet => "parquet",
            ImportFormat::Arff => "arff",
            ImportFormat::Npy => "npy",
            ImportFormat::Hdf5 => "hdf5",
        }
    }

    /// The format of that name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// By the ending of a file's name.
    fn from_ending(path: &Path) -> Option<Self> {
        Some(match ending(path).as_str() {
            "csv" | "tsv" | "txt" => ImportFormat::Csv,
            "parquet" | "pq" => ImportFormat::Parquet,
            "arff" => ImportFormat::Arff,
            "npy" => ImportFormat::Npy,
            "h5" | "hdf5" | "hdf" | "csd" => ImportFormat::Hdf5,
            _ => return None,
        })
    }

    const fn table(self) -> Option<TableFormat> {
        match self {
            ImportFormat::Csv => Some(TableFormat::Csv),
            ImportFormat::Parquet => Some(TableFormat::Parquet),
            ImportFormat::Arff => Some(TableFormat::Arff),
            ImportFormat::Npy | ImportFormat::Hdf5 => None,
        }
    }
}

/// Endings that Python gives to pickles.
const PICKLES: [&str; 6] = ["pkl", "pickle", "p", "pt", "pth", "joblib"];

const KNOWN: &str = "a Parquet, CSV, TSV, ARFF or HDF5 file, or a folder of .npy, .csv, .arff or .parquet files";

/// What there is at a place; `format` where it is stated.
///
/// # Errors
/// Where there is nothing, a pickle, or something else that is not read here.
pub(super) fn recognise(path: &Path, format: Option<ImportFormat>) -> Result<Source, DataError> {
    let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
    let own = path.to_path_buf();
    if facts.is_dir() {
        return folder(own, format);
    }
    refuse_pickle(path)?;
    let begin = beginning(path)?;
    let found = match format {
        Some(format) => Some(format),
        // What a file is, counts for more than how it is called.
        None if begin.starts_with(b"PAR1") => Some(ImportFormat::Parquet),
        None if begin.starts_with(b"\x89HDF\r\n\x1a\n") => Some(ImportFormat::Hdf5),
        None if begin.starts_with(b"\x93NUMPY") => Some(ImportFormat::Npy),
        None => ImportFormat::from_ending(path),
    };
    let refused = |found: String| Err(DataError::table(path, "", KNOWN, found));
    match found {
        Some(ImportFormat::Hdf5) if super::released::is_csd(path)? => Ok(Source::Csd(own)),
        Some(ImportFormat::Hdf5) => Ok(Source::Released(own)),
        Some(ImportFormat::Npy) => refused("one .npy file, not the folder with all of them".into()),
        Some(format) => match format.table() {
            Some(table) => Ok(Source::Table(own, table)),
            None => refused("another file".into()),
        },
        None => refused(match begin.starts_with(b"PK\x03\x04") {
            true => "a ZIP archive (.npz or .xlsx?): save .npy or .csv files from it".into(),
            false => match ending(path).as_str() {
                "" => "a file whose name has no ending; --format says what it is".into(),
                ending => format!("a file that ends in '.{ending}'; --format says what it is"),
            },
        }),
    }
}

fn folder(path: PathBuf, format: Option<ImportFormat>) -> Result<Source, DataError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(DataError::io("list", &path))? {
        let file = entry.map_err(DataError::io("list", &path))?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    let kinds: Vec<Option<ImportFormat>> = files.iter().map(|file| ImportFormat::from_ending(file)).collect();
    let of = |format: ImportFormat| -> Vec<PathBuf> {
        files.iter().zip(&kinds).filter(|(_, kind)| **kind == Some(format)).map(|(file, _)| file.clone()).collect()
    };
    let there: Vec<ImportFormat> = ImportFormat::ALL.into_iter().filter(|f| kinds.contains(&Some(*f))).collect();
    let format = match (format, there.as_slice()) {
        (Some(format), _) => format,
        (None, [one]) => *one,
        (None, []) => {
            // A folder of pickles is the usual reason.
            files.iter().try_for_each(|file| refuse_pickle(file))?;
            return Err(DataError::table(&path, "", KNOWN, "a folder with no such file"));
        }
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|f| f.name()).collect();
            let found = format!("{} files side by side; --format says which", names.join(" and "));
            return Err(DataError::table(&path, "", "files of one format", found));
        }
    };
    let found = of(format);
    if found.is_empty() {
        return Err(DataError::table(&path, "", format!("{} files", format.name()), "none"));
    }
    Ok(match (format, format.table()) {
        (_, Some(table)) => Source::Tables(path, found, table),
        (ImportFormat::Npy, _) => Source::Arrays(path, found),
        _ => Source::Released(path),
    })
}

/// Refuses what opens by running it, by its name or its first bytes alone.
pub(super) fn refuse_pickle(path: &Path) -> Result<(), DataError> {
    let pickle = |found| Err(DataError::Pickle { path: path.to_path_buf(), found });
    if PICKLES.contains(&ending(path).as_str()) {
        return pickle("a pickle by its name");
    }
    let begin = beginning(path)?;
    // The opcode of protocols 2 to 5, and what torch.save puts first into its archives.
    match begin.as_slice() {
        [0x80, 2..=5, ..] => pickle("a pickle by its first bytes"),
        [b'P', b'K', 3, 4, ..] if begin.windows(8).any(|w| w == b"data.pkl") => pickle("a file of torch.save"),
        _ => Ok(()),
    }
}

fn beginning(path: &Path) -> Result<Vec<u8>, DataError> {
    let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
    crate::whole::require_file(path, &facts)?;
    let mut begin = Vec::new();
    let file = File::open(path).map_err(DataError::io("open", path))?;
    file.take(256).read_to_end(&mut begin).map_err(DataError::io("read", path))?;
    Ok(begin)
}

/// The ending of a file's name in small letters.
fn ending(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}
