//! Restricts reading to the file itself: HDF5 would follow links and stored paths into other files.

use crate::DataError;
use hdf5::filters::Filter;
use hdf5::plist::dataset_create::Layout;
use hdf5::{Dataset, Group, LinkType, LocationType};
use std::collections::BTreeMap;
use std::path::Path;

/// The links of the group at `place` by name; none is followed.
///
/// # Errors
/// Where HDF5 cannot list them, or two have the same name, of which HDF5 would only open the first.
pub(super) fn links(
    path: &Path,
    place: &str,
    group: &Group,
) -> Result<BTreeMap<String, LinkType>, DataError> {
    let (mut found, mut twice) = (BTreeMap::new(), None);
    let listed = group.iter_visit_default(|name, link| {
        if found.insert(name.to_string(), link.link_type).is_some() {
            twice = Some(name.to_string());
        }
        Ok(())
    });
    listed.map_err(DataError::hdf5(path, place, "list"))?;
    match twice {
        None => Ok(found),
        Some(name) => Err(DataError::structure(
            path,
            place,
            "unique names",
            format!("{name:?} twice"),
        )),
    }
}

/// The kind of a link that is not followed.
pub(super) fn refused(link: LinkType) -> Option<&'static str> {
    match link {
        LinkType::Hard => None,
        LinkType::Soft => Some("a soft link"),
        LinkType::External => Some("a link into another file"),
    }
}

/// The kind of a member that HDF5 cannot determine.
pub(super) const DAMAGED: &str = "something damaged";

/// The kind of the member `name`.
pub(super) fn member(group: &Group, name: &str, link: Option<LinkType>) -> &'static str {
    let Some(link) = link else { return "nothing" };
    refused(link).unwrap_or_else(|| match group.loc_type_by_name(name) {
        Ok(LocationType::Group) => "a group",
        Ok(LocationType::Dataset) => "a dataset",
        Ok(_) => "a type",
        Err(_) => DAMAGED,
    })
}

/// Where the values of a dataset are, if not in this file.
pub(super) fn stored_elsewhere(dataset: &Dataset) -> hdf5::Result<Option<&'static str>> {
    let plist = dataset.dcpl()?;
    if plist.get_layout()? == Layout::Virtual {
        return Ok(Some("a virtual dataset"));
    }
    Ok((!plist.get_external()?.is_empty()).then_some("values in another file"))
}

/// A filter of a dataset that is not part of HDF5, by number and name, and the remedy. HDF5 would
/// search this machine for a plugin, load it and run it.
pub(super) fn foreign_filter(dataset: &Dataset) -> hdf5::Result<Option<String>> {
    let foreign = |filter: &Filter| match filter {
        Filter::Deflate(_)
        | Filter::Shuffle
        | Filter::Fletcher32
        | Filter::NBit
        | Filter::ScaleOffset(_) => None,
        other => Some(other.id()),
    };
    let found = dataset.dcpl()?.get_filters()?.iter().find_map(foreign);
    Ok(found.map(|number| {
        let name = filter_name(i64::from(number)).map_or(String::new(), |name| format!(" ({name})"));
        format!(
            "filter {number}{name}; rewrite the file without it: h5repack -f GZIP=4 OLD NEW, where the filter's plugin is \
             installed, or with h5py, see docs/your-data.md"
        )
    }))
}

/// The name of a filter in the register of The HDF Group.
fn filter_name(number: i64) -> Option<&'static str> {
    const NAMES: [(i64, &str); 12] = [
        (4, "SZIP"),
        (305, "LZO"),
        (307, "BZIP2"),
        (32000, "LZF"),
        (32001, "Blosc"),
        (32004, "LZ4"),
        (32008, "Bitshuffle"),
        (32013, "ZFP"),
        (32015, "Zstandard"),
        (32017, "SZ"),
        (32024, "SZ3"),
        (32026, "Blosc2"),
    ];
    NAMES
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, name)| *name)
}
