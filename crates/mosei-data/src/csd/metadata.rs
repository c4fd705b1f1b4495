//! What a file says of itself.

use serde_json::{Value, json};

/// What differs from file to file.
pub(crate) struct About<'a> {
    /// Of what it is, in a few words.
    pub description: &'static str,
    /// The corpus.
    pub dataset: &'static str,
    /// The root group.
    pub root: &'static str,
    /// Names of the columns.
    pub columns: Vec<&'a str>,
    /// Its number, where it has one.
    pub uuid: Option<String>,
}

/// The thirteen keys of the real files, with what is known of one of ours.
pub(crate) fn metadata(about: About<'_>) -> [(&'static str, Value); 13] {
    [
        ("alignment compatible", json!(true)),
        ("computational sequence description", json!(about.description)),
        ("computational sequence version", json!(1.0)),
        ("contact", json!("none")),
        ("creator", json!("mosei-data")),
        ("dataset bib citation", json!("none")),
        ("dataset name", json!(about.dataset)),
        ("dataset version", json!(1.0)),
        ("dimension names", json!(about.columns)),
        ("featureset bib citation", json!("none")),
        ("md5", Value::Null),
        ("root name", json!(about.root)),
        ("uuid", json!(about.uuid)),
    ]
}
