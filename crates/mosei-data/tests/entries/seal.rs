//! Hashes for a prepared folder as it is now, so that only what it says can be wrong with it.

use mosei_data::Manifest;
use std::path::Path;

/// Writes down the files of a folder in its manifest, and the manifest's hash; whether it has one.
pub fn seal(folder: &Path) -> bool {
    let path = folder.join("manifest.json");
    let Ok(Ok(mut manifest)) =
        std::fs::read(&path).map(|bytes| serde_json::from_slice::<Manifest>(&bytes))
    else {
        return false;
    };
    for (name, record) in &mut manifest.files {
        // Whatever it is called: a name out of the folder is looked for in it.
        let file = folder.join(name.replace(['/', '\0'], "_"));
        record.bytes = std::fs::metadata(&file).map_or(0, |facts| facts.len());
        record.blake3 = run_record::hash_file(&file).unwrap_or_default();
    }
    manifest.checksum = None;
    manifest.checksum = Some(run_record::hash_json(&manifest));
    std::fs::write(path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    true
}
