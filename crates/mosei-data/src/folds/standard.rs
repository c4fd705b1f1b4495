//! The standard folds of CMU-MOSEI, by name.
//!
//! `cmu-mosei.json` beside this file holds the ids of `standard_train_fold`, `standard_valid_fold`
//! and `standard_test_fold` in their order: 2,249, 300 and 678 videos. Source: CMU-MultimodalSDK
//! (MIT licence), `mmsdk/mmdatasdk/dataset/standard_datasets/CMU_MOSEI/cmu_mosei_std_folds.py`,
//! commit 4f2eadcd7e7b9e20e83b868cdad385b41830285c.

use std::path::Path;

/// The name that the standard folds of CMU-MOSEI have wherever a folds file can be named.
pub const MOSEI_STANDARD_FOLDS: &str = "mosei-standard";

/// The lists, as a folds file.
const MOSEI: &[u8] = include_bytes!("cmu-mosei.json");

/// The folds that this path names instead of a file.
pub(crate) fn standard(path: &Path) -> Option<&'static [u8]> {
    (path == Path::new(MOSEI_STANDARD_FOLDS)).then_some(MOSEI)
}
