//! Every test that `docs/reliability.md` names is there, so that no promise is left without one.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    // The heads and the line below them.
    assert!(table.len() > 20, "{} lines of a table", table.len());
    let mut missing = Vec::new();
    for line in &table {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert!(
            cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()),
            "{line}"
        );
        if cells[2] == "test" || cells[2].starts_with("---") {
            continue;
        }
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        if named.is_empty() && !cells[2].starts_with("the same") {
            missing.push(format!("no test for: {}", cells[0]));
        }
        for name in named {
            let Some((file, test)) = name.split_once("::") else {
                missing.push(format!("expected FILE::TEST, found {name}"));
                continue;
            };
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            if !text.contains(&format!("fn {test}(")) {
                missing.push(format!("{file}: no test {test}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
