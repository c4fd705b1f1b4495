//! The class of a datatype, by a call that the Rust binding of HDF5 lacks.
#![allow(unsafe_code, reason = "calling HDF5")]

use hdf5::Datatype;
use hdf5_sys::h5t::{H5T_class_t, H5Tget_class};

/// The class of a datatype in words, where it is not numeric.
pub(super) fn non_numeric_kind(dtype: &Datatype) -> Option<&'static str> {
    // SAFETY: the identifier is valid while the datatype lives. HDF5's lock is held, as its
    // functions require.
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
