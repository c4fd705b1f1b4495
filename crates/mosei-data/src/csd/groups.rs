//! The groups of a file above its videos.

use super::links::{links, member, refused};
use crate::DataError;
use hdf5::{File, Group, LinkType};
use std::path::Path;

/// The one root group with a member `data`.
pub(super) fn find_root(path: &Path, file: &File) -> Result<(String, Group), DataError> {
    let names = links(path, "/", file)?;
    let mut roots: Vec<(String, Group)> = Vec::new();
    for (name, &link) in &names {
        // Members that are not groups, or have no data, are ignored.
        if refused(link).is_none()
            && let Ok(group) = file.group(name)
            && group.link_exists("data")
        {
            roots.push((name.clone(), group));
        }
    }
    match <[_; 1]>::try_from(roots) {
        Ok([root]) => Ok(root),
        Err(several) => {
            let expected = "exactly one root group with a 'data' member";
            let found = match several.len() {
                0 if names.is_empty() => "an empty file".to_string(),
                0 => {
                    let name = |(name, &link): (&String, &LinkType)| match refused(link) {
                        None => format!("'{name}'"),
                        Some(kind) => format!("'{name}' ({kind})"),
                    };
                    format!(
                        "none among {}",
                        names.iter().map(name).collect::<Vec<_>>().join(", ")
                    )
                }
                n => format!(
                    "{n}: {:?}",
                    several.iter().map(|(name, _)| name).collect::<Vec<_>>()
                ),
            };
            Err(DataError::structure(path, "/", expected, found))
        }
    }
}

/// The root group of this name.
pub(super) fn named_root(
    path: &Path,
    file: &File,
    name: &str,
) -> Result<(String, Group), DataError> {
    let link = links(path, "/", file)?.get(name).copied();
    match member(file, name, link) {
        "a group" => {
            let group = file
                .group(name)
                .map_err(DataError::hdf5(path, name, "open"))?;
            Ok((name.to_string(), group))
        }
        found => Err(DataError::structure(path, name, "a group", found)),
    }
}

/// Opens the group `name`.
pub(super) fn open_group(
    path: &Path,
    parent: &Group,
    name: &str,
    link: Option<LinkType>,
    place: &str,
) -> Result<Group, DataError> {
    match member(parent, name, link) {
        "a group" => parent
            .group(name)
            .map_err(DataError::hdf5(path, place, "open")),
        found => Err(DataError::structure(path, place, "a group", found)),
    }
}
