//! The seeds of the fuzz targets, for the tests of the crates whose files they are: those whose
//! names begin with `good` are taken, and no others.

use std::path::{Path, PathBuf};

/// A target's name, and its function, which says whether it took the bytes.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// The folder of a target's seeds.
fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target)
}

/// Holds each seed against its name.
pub fn come_to_what_their_names_say(targets: &[Target]) {
    for (target, entry) in targets {
        let files: Vec<PathBuf> = std::fs::read_dir(folder(target))
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        assert!(
            files.len() >= 2,
            "{target}: a good seed, and one that is not"
        );
        for file in files {
            let good = file
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("good");
            assert_eq!(
                entry(&std::fs::read(&file).unwrap()),
                good,
                "{}",
                file.display()
            );
        }
    }
}

/// Writes a seed into the checkout.
pub fn put(target: &str, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder(target)).unwrap();
    std::fs::write(folder(target).join(name), bytes).unwrap();
}
