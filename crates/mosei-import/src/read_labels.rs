//! Reads labels of any format.

use crate::detect_format::{Source, detect_format};
use crate::labels::Labels;
use crate::mapping::Mapping;
use crate::table::Table;
use crate::{ImportError, csd_source, csd_streams, labels, padded_hdf5, released_labels};
use std::path::Path;

/// Reads the labels at `path`. `scratch` is a folder for temporary files.
///
/// # Errors
/// Where they are of no known format, or invalid.
pub(crate) fn read_labels(
    path: &Path,
    mapping: &Mapping,
    scratch: &Path,
) -> Result<Labels, ImportError> {
    match detect_format(path, None)? {
        Source::Table(path, format) => {
            let table = Table::open(&path, format, None)?;
            labels::read(table.with_missing(&mapping.labels.missing), mapping)
        }
        Source::Csd(path) => {
            csd_source::labels(&csd_streams::labels(&path, &[], mapping)?, mapping)
        }
        Source::CsdFolder(path, files) => {
            csd_source::labels(&csd_streams::labels(&path, &files, mapping)?, mapping)
        }
        Source::PaddedHdf5(path) => padded_hdf5::labels(&path, mapping),
        Source::Pickle(path) => released_labels::labels(&path, mapping, scratch),
        Source::Tables(..) | Source::Arrays(..) => {
            let found = if path.is_dir() { "a folder" } else { "arrays" };
            let expected = "a table with one row per labelled segment";
            Err(ImportError::table(path, "", expected, found))
        }
    }
}
