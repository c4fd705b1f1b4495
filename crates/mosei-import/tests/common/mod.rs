//! Imports of files that a test writes into a folder.

use mosei_data::{Csd, Sequence};
use mosei_import::{ImportOptions, ImportSummary, import};
use std::path::{Path, PathBuf};

/// A folder with files.
pub struct Folder(tempfile::TempDir);

#[allow(dead_code, reason = "each test file uses some of it")]
impl Folder {
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        files
            .iter()
            .for_each(|(name, bytes)| folder.write(name, bytes));
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Options for `features` and `labels` of the folder, with `m.toml`, `names.txt` where they are.
    pub fn options(&self, features: &str, labels: &str, rate_hz: Option<f64>) -> ImportOptions {
        let there = |name: &str| Some(self.at(name)).filter(|path| path.is_file());
        ImportOptions {
            features: self.at(features),
            labels: Some(self.at(labels)).filter(|_| !labels.is_empty()),
            mapping: there("m.toml"),
            columns: there("names.txt"),
            rate_hz,
            ..ImportOptions::default()
        }
    }

    /// Imports into `out`; an error without the folder's path.
    pub fn import(
        &self,
        features: &str,
        labels: &str,
        rate_hz: Option<f64>,
    ) -> Result<ImportSummary, String> {
        let options = self.options(features, labels, rate_hz);
        let imported = import(&options, &self.at("out"), &mut |_, _| ());
        imported.map_err(|e| {
            e.to_string()
                .replace(&format!("{}/", self.path().display()), "")
        })
    }

    /// The imported frames of a video.
    pub fn frames(&self, video: &str) -> Sequence {
        Csd::open(&self.at("out/features.csd"))
            .unwrap()
            .read(video)
            .unwrap()
    }

    /// The names of the imported columns.
    pub fn columns(&self) -> Vec<String> {
        Csd::open(&self.at("out/features.csd"))
            .unwrap()
            .dimension_names()
            .unwrap()
    }

    /// The imported labels of a video.
    pub fn labels(&self, video: &str) -> Sequence {
        Csd::open(&self.at("out/labels.csd"))
            .unwrap()
            .read(video)
            .unwrap()
    }
}

/// An array as numpy saves it.
#[allow(dead_code, reason = "each test file uses some of it")]
pub fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values);
    bytes
}

/// Values that neither grow nor repeat, as float32.
#[allow(dead_code, reason = "each test file uses some of it")]
pub fn values(n: usize) -> Vec<f32> {
    (0..n).map(|k| ((k * 7) % 11) as f32 - 3.0).collect()
}

#[allow(dead_code, reason = "each test file uses some of it")]
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}
