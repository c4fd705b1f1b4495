//! What breaks a run by hand.

use run_record::{Column, Table};
use serde_json::Value;
use std::path::Path;

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Changes a JSON file.
pub fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

/// Changes the columns of a table, by name.
pub fn edit_table(path: &Path, mut change: impl FnMut(&str, &mut Column)) {
    let mut edited = Table::new();
    for (name, column) in Table::read(path).unwrap().columns() {
        let mut column = column.clone();
        change(name, &mut column);
        edited = edited.with(name, column);
    }
    edited.write(path).unwrap();
}

/// What an audit, as `audit --json` prints it, found of a rule.
pub fn finding<'a>(audit: &'a Value, rule: &str) -> &'a Value {
    let findings = audit["findings"].as_array().unwrap();
    findings.iter().find(|f| f["rule"] == rule).unwrap()
}
