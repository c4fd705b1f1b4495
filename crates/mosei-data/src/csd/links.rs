//! What a file holds itself. HDF5 follows links and stored paths into other files; we read those that were named.

use hdf5::plist::dataset_create::Layout;
use hdf5::{Dataset, Group, LinkType, LocationType};
use std::collections::BTreeMap;

/// The links of a group, by name. None is followed.
pub(super) fn links(group: &Group) -> hdf5::Result<BTreeMap<String, LinkType>> {
    let mut found = BTreeMap::new();
    group.iter_visit_default(|name, link| {
        found.insert(name.to_string(), link.link_type);
        Ok(())
    })?;
    Ok(found)
}

/// What a link is called where it is none that we follow.
pub(super) fn refused(link: LinkType) -> Option<&'static str> {
    match link {
        LinkType::Hard => None,
        LinkType::Soft => Some("a soft link"),
        LinkType::External => Some("a link into another file"),
    }
}

/// What stands under a name.
pub(super) fn member(group: &Group, name: &str, link: Option<LinkType>) -> &'static str {
    let Some(link) = link else { return "nothing" };
    refused(link).unwrap_or_else(|| match group.loc_type_by_name(name) {
        Ok(LocationType::Group) => "a group",
        Ok(LocationType::Dataset) => "a dataset",
        Ok(_) => "a type",
        Err(_) => "something damaged",
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
