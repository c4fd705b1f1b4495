//! Metadata: strings of JSON, in whichever of HDF5's string types a writer chose.

use super::class::no_numbers;
use super::links::{DAMAGED, links, member, stored_elsewhere};
use crate::DataError;
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, Group};
use std::collections::BTreeMap;
use std::path::Path;

/// Longest fixed-length string that is read; metadata is a few names and citations.
const FIXED: usize = 1 << 14;

/// What stands under `metadata` and is text and JSON. Keys may be missing, and so may the group; links are not followed.
///
/// # Errors
/// What is there and cannot be read: it may have been the names of the columns.
pub(super) fn read_metadata(
    path: &Path,
    root: &str,
    group: &Group,
) -> Result<BTreeMap<String, serde_json::Value>, DataError> {
    let place = format!("{root}/metadata");
    let mut found = BTreeMap::new();
    let damaged = |place: &str| DataError::structure(path, place, "metadata", "something damaged");
    let group = match member(group, "metadata", links(path, root, group)?.get("metadata").copied()) {
        "a group" => group.group("metadata").map_err(DataError::hdf5(path, &place, "open"))?,
        DAMAGED => return Err(damaged(&place)),
        _ => return Ok(found),
    };
    for (key, link) in links(path, &place, &group)? {
        let place = format!("{place}/{key}");
        let dataset = match member(&group, &key, Some(link)) {
            "a dataset" => group.dataset(&key).map_err(DataError::hdf5(path, &place, "open"))?,
            DAMAGED => return Err(damaged(&place)),
            _ => continue,
        };
        let text = read_text(&dataset).map_err(DataError::hdf5(path, place, "read"))?;
        if let Some(value) = text.and_then(|t| serde_json::from_str(&t).ok()) {
            found.insert(key, value);
        }
    }
    Ok(found)
}

/// A string of shape `()` or `(1,)`; `None` where it is none.
fn read_text(dataset: &Dataset) -> hdf5::Result<Option<String>> {
    let dtype = dataset.dtype()?;
    if dataset.size() != 1 || stored_elsewhere(dataset)?.is_some() || no_numbers(&dtype) != Some("text") {
        return Ok(None);
    }
    macro_rules! first {
        ($type:ty) => {
            dataset.read_raw::<$type>()?.first().and_then(|s| utf8(s.as_bytes()))
        };
    }
    Ok(match dtype.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => first!(VarLenUnicode),
        TypeDescriptor::VarLenAscii => first!(VarLenAscii),
        TypeDescriptor::FixedUnicode(n) if n <= FIXED => first!(FixedUnicode<FIXED>),
        TypeDescriptor::FixedAscii(n) if n <= FIXED => first!(FixedAscii<FIXED>),
        _ => None,
    })
}

/// Files call ASCII what holds UTF-8 and the other way round; neither claim is trusted.
fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
