//! The metadata of a .csd file.

use serde_json::{Value, json};

/// Name of the root group of imported label files, by which [`crate::inspect`] recognises them.
pub const LABELS_ROOT: &str = "Labels";

/// What [`sequence_metadata`] says of one file.
#[derive(Debug, Clone)]
pub struct SequenceInfo<'a> {
    /// A short description.
    pub description: &'static str,
    /// Name of the corpus.
    pub dataset: &'static str,
    /// Name of the root group.
    pub root: &'static str,
    /// Names of the columns.
    pub columns: Vec<&'a str>,
    /// Its UUID, where it has one.
    pub uuid: Option<String>,
}

/// The 13 metadata keys of CMU's files, for a file written here: the argument of
/// [`crate::CsdWriter::create`].
pub fn sequence_metadata(info: SequenceInfo<'_>) -> [(&'static str, Value); 13] {
    [
        ("alignment compatible", json!(true)),
        (
            "computational sequence description",
            json!(info.description),
        ),
        ("computational sequence version", json!(1.0)),
        ("contact", json!("none")),
        ("creator", json!("mosei-data")),
        ("dataset bib citation", json!("none")),
        ("dataset name", json!(info.dataset)),
        ("dataset version", json!(1.0)),
        ("dimension names", json!(info.columns)),
        ("featureset bib citation", json!("none")),
        ("md5", Value::Null),
        ("root name", json!(info.root)),
        ("uuid", json!(info.uuid)),
    ]
}
