//! Metadata: JSON texts, in any of HDF5's string types.

use super::links::{DAMAGED, links, member, stored_elsewhere};
use super::type_class::non_numeric_kind;
use crate::DataError;
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, Group};
use std::collections::BTreeMap;
use std::path::Path;

/// Longest fixed-length string that is read, bytes; metadata is a few names and citations.
const MAX_FIXED: usize = 1 << 14;

/// Reads what is JSON text under `metadata`. Keys and the group itself are optional; links are not
/// followed.
///
/// # Errors
/// Where a member exists but cannot be read, as it could hold the column names.
pub(super) fn read_metadata(
    path: &Path,
    root: &str,
    group: &Group,
) -> Result<BTreeMap<String, serde_json::Value>, DataError> {
    let place = format!("{root}/metadata");
    let mut found = BTreeMap::new();
    let damaged = |place: &str| DataError::structure(path, place, "metadata", "something damaged");
    let group = match member(
        group,
        "metadata",
        links(path, root, group)?.get("metadata").copied(),
    ) {
        "a group" => group
            .group("metadata")
            .map_err(DataError::hdf5(path, &place, "open"))?,
        DAMAGED => return Err(damaged(&place)),
        _ => return Ok(found),
    };
    for (key, link) in links(path, &place, &group)? {
        let place = format!("{place}/{key}");
        let dataset = match member(&group, &key, Some(link)) {
            "a dataset" => group
                .dataset(&key)
                .map_err(DataError::hdf5(path, &place, "open"))?,
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

/// A string of shape `()` or `(1,)`; `None` for anything else.
fn read_text(dataset: &Dataset) -> hdf5::Result<Option<String>> {
    let dtype = dataset.dtype()?;
    if dataset.size() != 1
        || stored_elsewhere(dataset)?.is_some()
        || non_numeric_kind(&dtype) != Some("text")
    {
        return Ok(None);
    }
    macro_rules! first {
        ($type:ty) => {
            dataset
                .read_raw::<$type>()?
                .first()
                .and_then(|s| utf8(s.as_bytes()))
        };
    }
    Ok(match dtype.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => first!(VarLenUnicode),
        TypeDescriptor::VarLenAscii => first!(VarLenAscii),
        TypeDescriptor::FixedUnicode(n) if n <= MAX_FIXED => first!(FixedUnicode<MAX_FIXED>),
        TypeDescriptor::FixedAscii(n) if n <= MAX_FIXED => first!(FixedAscii<MAX_FIXED>),
        _ => None,
    })
}

/// Some files declare UTF-8 as ASCII and the other way round, so the declaration is not used.
fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
