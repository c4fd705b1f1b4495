//! What a file holds itself. HDF5 follows links and stored paths into other files; we read those that were named.

use crate::DataError;
use hdf5::filters::Filter;
use hdf5::plist::dataset_create::Layout;
use hdf5::{Dataset, Group, LinkType, LocationType};
use std::collections::BTreeMap;
use std::path::Path;

/// The links of the group at `place`, by name. None is followed.
///
/// # Errors
/// Where HDF5 cannot list them, or two have one name, of which HDF5 would only ever open the first.
pub(super) fn links(path: &Path, place: &str, group: &Group) -> Result<BTreeMap<String, LinkType>, DataError> {
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
        Some(name) => Err(DataError::structure(path, place, "every name once", format!("{name:?} twice"))),
    }
}

/// What a link is called where it is none that we follow.
pub(super) fn refused(link: LinkType) -> Option<&'static str> {
    match link {
        LinkType::Hard => None,
        LinkType::Soft => Some("a soft link"),
        LinkType::External => Some("a link into another file"),
    }
}

/// What stands under a name where HDF5 cannot say.
pub(super) const DAMAGED: &str = "something damaged";

/// What stands under a name.
pub(super) fn member(group: &Group, name: &str, link: Option<LinkType>) -> &'static str {
    let Some(link) = link else { return "nothing" };
    refused(link).unwrap_or_else(|| match group.loc_type_by_name(name) {
        Ok(LocationType::Group) => "a group",
        Ok(LocationType::Dataset) => "a dataset",
        Ok(_) => "a type",
        Err(_) => DAMAGED,
    })
}

/// Where the values of a dataset are, if not in its file.
pub(super) fn stored_elsewhere(dataset: &Dataset) -> hdf5::Result<Option<&'static str>> {
    let plist = dataset.dcpl()?;
    if plist.get_layout()? == Layout::Virtual {
        return Ok(Some("a virtual dataset"));
    }
    Ok((!plist.get_external()?.is_empty()).then_some("values in another file"))
}

/// A filter of a dataset that HDF5 does not have itself. It would look for one on this machine, and load and run it.
pub(super) fn foreign_filter(dataset: &Dataset) -> hdf5::Result<Option<String>> {
    let foreign = |filter: &Filter| match filter {
        Filter::Deflate(_) | Filter::Shuffle | Filter::Fletcher32 | Filter::NBit | Filter::ScaleOffset(_) => None,
        other => Some(format!("filter {}", other.id())),
    };
    Ok(dataset.dcpl()?.get_filters()?.iter().find_map(foreign))
}
