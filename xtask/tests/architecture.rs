//! Which crate may use which, and which may link HDF5 or libtorch: a literal table, compared for
//! equality with what cargo says and with what `docs/architecture.md` shows.
//!
//! To change an arrow, change the crate's `Cargo.toml`, this table, and the page, in one commit.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A crate, the crates of this workspace that it uses, and the two large libraries that a program
/// with it is linked to.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Lowest first: an arrow may only point to an earlier row. Dependencies of tests alone are no
/// arrows.
const ROWS: [Row; 15] = [
    ("mosei-schema", &[], &[]),
    ("run-record", &[], &[]),
    ("mosei-data", &["mosei-schema", "run-record"], &["HDF5"]),
    (
        "mosei-import",
        &["mosei-schema", "run-record", "mosei-data"],
        &["HDF5"],
    ),
    ("torch-ext", &[], &["libtorch"]),
    ("ssl-mask", &["mosei-schema"], &["libtorch"]),
    ("backbone", &["mosei-schema", "torch-ext"], &["libtorch"]),
    ("eval", &["mosei-schema", "run-record"], &[]),
    ("report", &["mosei-schema", "run-record", "eval"], &[]),
    ("sweep", &["mosei-schema", "run-record"], &[]),
    (
        "train",
        &[
            "mosei-schema",
            "run-record",
            "mosei-data",
            "torch-ext",
            "ssl-mask",
            "backbone",
            "eval",
        ],
        &["HDF5", "libtorch"],
    ),
    (
        "mosei-ssl",
        &[
            "mosei-schema",
            "run-record",
            "mosei-data",
            "mosei-import",
            "torch-ext",
            "ssl-mask",
            "backbone",
            "eval",
            "report",
            "sweep",
            "train",
        ],
        &["HDF5", "libtorch"],
    ),
    (
        "study-benches",
        &[
            "run-record",
            "mosei-data",
            "torch-ext",
            "ssl-mask",
            "backbone",
            "eval",
            "report",
            "sweep",
            "train",
        ],
        &["HDF5", "libtorch"],
    ),
    ("xtask", &[], &[]),
    ("study-tests", &[], &[]),
];

/// A library, the package that links it, the package by which one asks for it, and the crates that
/// may ask.
const LIBRARIES: [(&str, &str, &str, &[&str]); 2] = [
    ("HDF5", "hdf5-metno-sys", "hdf5-metno", &["mosei-data"]),
    (
        "libtorch",
        "torch-sys",
        "tch",
        &[
            "torch-ext",
            "ssl-mask",
            "backbone",
            "train",
            "study-benches",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec!["--locked".to_string()])
        .exec()
        .unwrap()
}

/// The names that a crate of the workspace asks for, other than for its tests.
fn asked_for(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let names = package
                .dependencies
                .iter()
                .filter(|d| d.kind != DependencyKind::Development);
            (
                package.name.to_string(),
                names.map(|d| d.name.clone()).collect(),
            )
        })
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| n.to_string()).collect()
}

#[test]
fn the_table_is_what_cargo_says() {
    let asked = asked_for(&metadata());
    let members: BTreeSet<String> = asked.keys().cloned().collect();
    let found: BTreeMap<&str, BTreeSet<String>> = asked
        .iter()
        .map(|(name, all)| (name.as_str(), all.intersection(&members).cloned().collect()))
        .collect();
    let table: BTreeMap<&str, BTreeSet<String>> = ROWS
        .iter()
        .map(|(name, uses, _)| (*name, set(uses)))
        .collect();
    assert_eq!(
        table, found,
        "left: the table in this file; right: the Cargo.toml files"
    );
}

#[test]
fn arrows_point_to_earlier_rows() {
    for (i, (name, uses, _)) in ROWS.iter().enumerate() {
        for used in *uses {
            let place = ROWS.iter().position(|(other, ..)| other == used);
            assert!(
                place.is_some_and(|p| p < i),
                "{name} uses {used}, which is no earlier row of the table"
            );
        }
    }
}

#[test]
fn hdf5_and_libtorch_stay_where_they_belong() {
    let metadata = metadata();
    let asked = asked_for(&metadata);
    for (library, links, by, may_ask) in LIBRARIES {
        for (name, names) in &asked {
            let asks = names.contains(by) || names.contains(links);
            assert!(
                !asks || may_ask.contains(&name.as_str()),
                "{name} asks for {by}; only {may_ask:?} may"
            );
        }
        for (name, _, libraries) in ROWS {
            let reached = reached_from(&metadata, name);
            assert_eq!(
                reached.contains(links),
                libraries.contains(&library),
                "{name}: linked to {library} (left: by cargo; right: by the table)"
            );
        }
    }
}

/// Names of all packages that a crate's program is made of, those of its tests left out.
fn reached_from(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&PackageId, _> = metadata
        .resolve
        .as_ref()
        .unwrap()
        .nodes
        .iter()
        .map(|node| (&node.id, node))
        .collect();
    let start = &metadata
        .workspace_packages()
        .into_iter()
        .find(|p| p.name.as_str() == name)
        .unwrap()
        .id;
    let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
    while let Some(id) = open.pop() {
        for dependency in &nodes[id].deps {
            let counts = dependency
                .dep_kinds
                .iter()
                .any(|k| k.kind != DependencyKind::Development);
            if counts && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.into_iter()
        .map(|id| metadata[id].name.to_string())
        .collect()
}

#[test]
fn the_page_shows_the_table() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let list = |cell: &str| -> Vec<String> {
        cell.split(',')
            .map(|n| n.trim().trim_matches('`').to_string())
            .filter(|n| !n.is_empty() && n != "–")
            .collect()
    };
    let shown: Vec<(String, Vec<String>, Vec<String>)> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 4, "a row of the table has four cells: {line}");
            (
                cells[0].trim_matches('`').to_string(),
                list(cells[2]),
                list(cells[3]),
            )
        })
        .collect();
    let own = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let table: Vec<_> = ROWS
        .iter()
        .map(|(name, uses, links)| (name.to_string(), own(uses), own(links)))
        .collect();
    assert_eq!(
        table, shown,
        "left: the table in this file; right: docs/architecture.md"
    );
}

#[test]
fn files_that_the_page_names_exist() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let named: Vec<&str> = page
        .split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)))
        .filter(|word| word.ends_with(".rs") && word.contains('/'))
        .collect();
    assert!(named.len() > 10, "the page names the file of each step");
    for file in named {
        let top = ["xtask/", "tests/"]
            .iter()
            .any(|folder| file.starts_with(folder));
        let place = if top {
            root().join(file)
        } else {
            root().join("crates").join(file)
        };
        assert!(
            place.is_file(),
            "docs/architecture.md names {file}, which does not exist"
        );
    }
}
