//! Each crate can be packed and read by itself: a clean list of files, a front page with an example
//! that runs.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of the crates that are for others.
fn crates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut crates: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    crates.sort();
    assert!(crates.len() >= 10);
    crates
}

#[test]
fn a_package_holds_what_is_needed_and_nothing_else() {
    for folder in crates() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["package", "--list", "--allow-dirty", "--locked"])
            .current_dir(&folder);
        let output = command.output().unwrap();
        let (list, words) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let name = folder.display();
        assert!(
            output.status.success() && !words.contains("warning"),
            "{name}: {words}"
        );
        for needed in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(
                list.lines().any(|file| file == needed),
                "{name}: no {needed} in\n{list}"
            );
        }
        let known = ["src/", "tests/", "examples/", "templates/", "cpp/"];
        let single = [
            ".cargo_vcs_info.json",
            "Cargo.lock",
            "Cargo.toml",
            "Cargo.toml.orig",
            "README.md",
            "build.rs",
        ];
        let stray = list
            .lines()
            .find(|f| !single.contains(f) && !known.iter().any(|folder| f.starts_with(folder)));
        assert_eq!(stray, None, "{name}");
    }
}

#[test]
fn every_front_page_has_an_example_that_runs() {
    for folder in crates() {
        let text = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        let page: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        // An opening fence without a word behind it: neither `ignore` nor `no_run` nor `text`.
        assert!(
            page.iter().filter(|line| **line == "//! ```").count() >= 2,
            "{}",
            folder.display()
        );
        let scope = ["//! In this crate", "//! What lives here"];
        let states_scope = page
            .iter()
            .any(|line| scope.iter().any(|start| line.starts_with(start)));
        assert!(states_scope, "{}", folder.display());
    }
}

/// The lines of the first code block after a line `fence`, without those that the documentation
/// hides.
fn example(text: &str, fence: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        line.strip_prefix("//!")
            .map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest))
    });
    let block = lines
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```");
    block
        .filter(|line| !line.starts_with("# "))
        .map(str::to_string)
        .collect()
}

#[test]
fn a_readme_shows_the_tested_example_of_the_documentation() {
    for folder in crates()
        .into_iter()
        .filter(|folder| folder.join("README.md").is_file())
    {
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let (shown, tested) = (
            example(&read("README.md"), "```rust"),
            example(&read("src/lib.rs"), "```"),
        );
        assert!(!tested.is_empty());
        assert_eq!(shown, tested, "{}", folder.display());
    }
}
