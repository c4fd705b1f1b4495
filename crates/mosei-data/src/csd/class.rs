//! What kind of values a type is of: a call that HDF5's Rust binding lacks.
#![allow(unsafe_code, reason = "calling HDF5")]

use hdf5::Datatype;
use hdf5_sys::h5t::{H5T_class_t, H5Tget_class};

/// What the values of a type are called where they are no numbers.
pub(super) fn no_numbers(dtype: &Datatype) -> Option<&'static str> {
    // SAFETY: the identifier lives as long as the type. HDF5's lock is held, as its calls ask for.
    let class = hdf5::sync::sync(|| unsafe { H5Tget_class(dtype.id()) });
    match class {
        H5T_class_t::H5T_INTEGER | H5T_class_t::H5T_FLOAT => None,
        H5T_class_t::H5T_STRING => Some("text"),
        H5T_class_t::H5T_BITFIELD => Some("bit fields"),
        H5T_class_t::H5T_OPAQUE => Some("opaque bytes"),
        H5T_class_t::H5T_COMPOUND => Some("compounds"),
        H5T_class_t::H5T_REFERENCE => Some("references"),
        H5T_class_t::H5T_ENUM => Some("enumerated values"),
        H5T_class_t::H5T_VLEN => Some("lists"),
        H5T_class_t::H5T_ARRAY => Some("arrays"),
        _ => Some("values of another type"),
    }
}
