//! Metadata: strings of JSON, in whichever of HDF5's string types a writer chose.

use super::links::{links, refused, stored_elsewhere};
use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, Group};
use std::collections::BTreeMap;

/// Longest fixed-length string that is read; metadata is a few names and citations.
const FIXED: usize = 1 << 14;

/// What stands under `metadata` and is readable as JSON. Keys may be missing, and so may the group.
pub(super) fn read_metadata(root: &Group) -> BTreeMap<String, serde_json::Value> {
    let mut found = BTreeMap::new();
    let hard = |group: &Group| {
        let all = links(group).unwrap_or_default();
        all.into_iter().filter(|&(_, link)| refused(link).is_none()).map(|(name, _)| name).collect::<Vec<_>>()
    };
    if !hard(root).iter().any(|name| name == "metadata") {
        return found;
    }
    let Ok(group) = root.group("metadata") else { return found };
    for key in hard(&group) {
        let value = group.dataset(&key).ok().and_then(|d| read_text(&d)).and_then(|t| serde_json::from_str(&t).ok());
        if let Some(value) = value {
            found.insert(key, value);
        }
    }
    found
}

/// A string of shape `()` or `(1,)`.
fn read_text(dataset: &Dataset) -> Option<String> {
    if dataset.size() != 1 || !matches!(stored_elsewhere(dataset), Ok(None)) {
        return None;
    }
    macro_rules! first {
        ($type:ty) => {
            dataset.read_raw::<$type>().ok()?.first().and_then(|s| utf8(s.as_bytes()))
        };
    }
    match dataset.dtype().ok()?.to_descriptor().ok()? {
        TypeDescriptor::VarLenUnicode => first!(VarLenUnicode),
        TypeDescriptor::VarLenAscii => first!(VarLenAscii),
        TypeDescriptor::FixedUnicode(n) if n <= FIXED => first!(FixedUnicode<FIXED>),
        TypeDescriptor::FixedAscii(n) if n <= FIXED => first!(FixedAscii<FIXED>),
        _ => None,
    }
}

/// Files call ASCII what holds UTF-8 and the other way round; neither claim is trusted.
fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
