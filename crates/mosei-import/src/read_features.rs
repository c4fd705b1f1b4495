//! Reads features of any format into the frame store.
//!
//! What lives here: the formats' entry points, and whose recordings the tables of a folder hold.
//! What does not: the formats themselves.

use crate::arrays::{self, ArraysRead};
use crate::detect_format::{Source, file_name};
use crate::feature_columns::{FeatureColumns, LeftOutColumn};
use crate::frame_store::{FrameWriter, TimesOf};
use crate::frames::{self, FrameTable};
use crate::mapping::Mapping;
use crate::table::{Table, TableFormat};
use crate::{ImportError, csd_source, csd_streams, list_frames, padded_hdf5, released_pickle};
use mosei_data::Csd;
use std::path::{Path, PathBuf};

/// What openSMILE writes where it was told no name of a recording.
const UNKNOWN: &str = "unknown";

/// What was read beside the frames.
#[derive(Debug, Default)]
pub(crate) struct FeaturesRead {
    /// Names of the columns, where there are any.
    pub names: Option<Vec<String>>,
    /// Whether the columns have no names, but numbers.
    pub unnamed: bool,
    /// Indices of columns that are left out where no row has a value.
    pub droppable: Vec<usize>,
    /// Columns that are no features.
    pub left_out: Vec<LeftOutColumn>,
    /// The column with the times.
    pub times_column: Option<String>,
    /// What the times are.
    pub times: TimesOf,
    /// Whether they are those of the centres of frames.
    pub centred: bool,
    /// Whether the names of all columns were given, as the file has none.
    pub headerless: bool,
    /// Segments that were all padding.
    pub padding: usize,
    /// The step between frames of a release that is known, where none was given, seconds.
    pub hop_s: Option<f64>,
    /// What else a person should check.
    pub notes: Vec<String>,
}

/// Reads all frames. `given` are the names of columns of a file without any, `scratch` is a folder for
/// temporary files.
///
/// # Errors
/// Where a file is invalid, or what it holds is not clear.
pub(crate) fn read_features(
    source: &Source,
    mapping: &Mapping,
    given: Option<&[String]>,
    hop_s: Option<f64>,
    scratch: &Path,
    writer: &mut FrameWriter,
) -> Result<FeaturesRead, ImportError> {
    match source {
        Source::Table(path, format) => {
            let files = std::slice::from_ref(path);
            let lists = list_frames::find(
                path,
                files,
                *format,
                mapping,
                given.map(<[String]>::len),
                hop_s,
            )?;
            let table = open(path, *format, given, mapping)?;
            Ok(frames::read(table, mapping, None, lists, hop_s, writer)?.describe(hop_s))
        }
        Source::Tables(folder, files, format) => {
            read_tables(folder, files, *format, mapping, given, hop_s, writer)
        }
        Source::Arrays(path, files, format) => {
            let names = given.map(<[String]>::len);
            let read = arrays::features(path, files, *format, names, mapping, hop_s, writer)?;
            let (times, notes) = (TimesOf::Frames, vec![axes_in_words(&read, hop_s)]);
            Ok(FeaturesRead {
                times,
                notes,
                ..FeaturesRead::default()
            })
        }
        Source::Csd(path) => of_csd(&csd_streams::features(path, &[], mapping)?, mapping, writer),
        Source::CsdFolder(path, files) => of_csd(
            &csd_streams::features(path, files, mapping)?,
            mapping,
            writer,
        ),
        Source::Pickle(path) => {
            let (padding, hop_s) =
                released_pickle::features(path, mapping, hop_s, scratch, writer)?;
            Ok(FeaturesRead {
                padding,
                hop_s,
                times: TimesOf::Frames,
                ..FeaturesRead::default()
            })
        }
        Source::PaddedHdf5(path) => {
            let (padding, times) = (
                padded_hdf5::features(path, mapping, hop_s, writer)?,
                TimesOf::Frames,
            );
            Ok(FeaturesRead {
                padding,
                times,
                ..FeaturesRead::default()
            })
        }
    }
}

fn of_csd(
    csd: &Csd,
    mapping: &Mapping,
    writer: &mut FrameWriter,
) -> Result<FeaturesRead, ImportError> {
    Ok(FeaturesRead {
        names: Some(csd_source::features(csd, mapping, writer)?),
        times: TimesOf::Videos,
        ..FeaturesRead::default()
    })
}

fn open(
    path: &Path,
    format: TableFormat,
    given: Option<&[String]>,
    mapping: &Mapping,
) -> Result<Table, ImportError> {
    Ok(Table::open(path, format, given)?.with_missing(&mapping.features.missing))
}

/// Reads the tables of a folder: one recording each, named by its file, or parts of one table.
fn read_tables(
    folder: &Path,
    files: &[PathBuf],
    format: TableFormat,
    mapping: &Mapping,
    given: Option<&[String]>,
    hop_s: Option<f64>,
    writer: &mut FrameWriter,
) -> Result<FeaturesRead, ImportError> {
    let shards = are_shards(folder, files, format, mapping, given)?;
    let lists = list_frames::find(
        folder,
        files,
        format,
        mapping,
        given.map(<[String]>::len),
        hop_s,
    )?;
    let mut first: Option<(FrameTable, &PathBuf)> = None;
    for file in files {
        let name = file_name(file)?;
        let table = open(file, format, given, mapping)?;
        let own = (!shards).then_some(name.as_str());
        let read = frames::read(table, mapping, own, lists, hop_s, writer)?;
        let (expected, other) = first.get_or_insert((read.clone(), file));
        let mut columns = expected
            .names
            .iter()
            .flatten()
            .zip(read.names.iter().flatten());
        if let Some((expected, found)) = columns.find(|(a, b)| a != b) {
            let expected = format!("column '{expected}', as in {}", other.display());
            return Err(ImportError::table(
                file,
                "header",
                expected,
                format!("'{found}'"),
            ));
        }
    }
    let mut read = first
        .map(|(read, _)| read.describe(hop_s))
        .unwrap_or_default();
    read.notes.push(match shards {
        true => "a table in parts: recordings are named by its column".into(),
        false => "recordings are named by their files".into(),
    });
    Ok(read)
}

/// Whether the tables of a folder name their recordings in a column, and are not named by them.
///
/// # Errors
/// Where each file has one recording, and its name is another one than that of the file.
fn are_shards(
    folder: &Path,
    files: &[PathBuf],
    format: TableFormat,
    mapping: &Mapping,
    given: Option<&[String]>,
) -> Result<bool, ImportError> {
    if mapping.features.video.is_some() {
        return Ok(true);
    }
    let mut names: Vec<(String, String)> = Vec::new();
    for file in files {
        let mut table = open(file, format, given, mapping)?;
        let Some(column) = FeatureColumns::of(&table, mapping, true)?.video else {
            return Ok(false);
        };
        if !table.advance()? {
            continue;
        }
        let own = table.cell(column).text().unwrap_or_default().into_owned();
        let file = mapping.ids.id(&file_name(file)?);
        // A file with several recordings is refused while it is read as one recording's.
        if own != UNKNOWN && mapping.ids.id(&own) != file {
            while table.advance()? {
                if table.cell(column).text().is_some_and(|name| name != own) {
                    return Ok(true);
                }
            }
        }
        names.push((file, own));
    }
    let named_by_file = names.iter().all(|(file, own)| *file == mapping.ids.id(own));
    let one_name = names.iter().all(|(_, own)| *own == names[0].1);
    if named_by_file || (one_name && (names.len() > 1 || names.is_empty() || names[0].1 == UNKNOWN))
    {
        return Ok(false);
    }
    let different = names
        .iter()
        .find(|(file, own)| *file != mapping.ids.id(own));
    let (file, own) = different.cloned().unwrap_or_default();
    let found = format!("'{own}' in the file of '{file}'");
    let hint = "name the column as video in [features] of a mapping file where it counts, or under 'ignore' where the file does";
    let error = ImportError::table(folder, "", "one name for each recording", found);
    Err(error.with_hint(Some(hint.into())))
}

/// What the axes were taken to be.
fn axes_in_words(read: &ArraysRead, hop_s: Option<f64>) -> String {
    let (name, shape) = &read.first;
    let frames = crate::axes::frames_of(shape, read.axes);
    let seconds = frames as f64 * hop_s.unwrap_or(0.0);
    format!(
        "arrays are {}: '{name}' of shape {shape:?} has {frames} frames ({seconds} s)",
        read.axes.words()
    )
}

impl FrameTable {
    fn describe(self, hop_s: Option<f64>) -> FeaturesRead {
        let mut notes = self.notes;
        if let (Some(column), Some(_)) = (&self.times, hop_s) {
            notes.push(format!(
                "times come from the column '{column}', and --rate is not used for them"
            ));
        }
        if let (Some(column), true) = (&self.times, self.centred) {
            notes.push(format!(
                "'{column}' is the time of a frame's centre, as Praat writes it: a frame begins half a step earlier"
            ));
        }
        FeaturesRead {
            names: self.names,
            droppable: self.droppable,
            left_out: self.left_out,
            times_column: self.times,
            centred: self.centred,
            headerless: self.headerless,
            notes,
            ..FeaturesRead::default()
        }
    }
}
