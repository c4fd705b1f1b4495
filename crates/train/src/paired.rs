//! What every start of a cell must share, as hashes for its journal: which labels, which first weights of the heads,
//! which batches, which dropout.
//!
//! What lives here: the hashes, and the names under which they stand in journals. What does not: the comparison
//! (`audit/pairing.rs`).

use crate::TrainError;
use run_record::hash_bytes;
use tch::{Device, Kind, Tensor};

/// Key of what a training begins with, in the journal's first line.
pub(crate) const BEGINNING: &str = "beginning";
/// In it: the labelled segments.
pub(crate) const LABELS: &str = "labels";
/// In it: the validation segments that choose.
pub(crate) const VALIDATION: &str = "validation";
/// In it: the heads before the first step.
pub(crate) const HEADS: &str = "heads";
/// Key of a step's segments, in its line.
pub(crate) const BATCH: &str = "batch";
/// Key of what libtorch's generators are set to before a step, in its line.
pub(crate) const DROPOUT: &str = "dropout";

/// Hash of segments in their order; `names` are ids divided by spaces.
pub(crate) fn hash_of_segments(names: &str) -> String {
    // 64 bits tell any two batches of a study apart.
    hash_bytes(names.as_bytes())[..16].to_string()
}

/// Hash of named tensors of single precision: names, shapes and every bit.
pub(crate) fn hash_of_tensors(entries: &[(String, Tensor)]) -> Result<String, TrainError> {
    let mut bytes = Vec::new();
    for (name, tensor) in entries {
        bytes.extend(format!("{name} {:?}\n", tensor.size()).into_bytes());
        let flat = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_reshape([-1])?;
        bytes.extend(Vec::<f32>::try_from(&flat)?.into_iter().flat_map(f32::to_le_bytes));
    }
    Ok(hash_bytes(&bytes)[..16].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_makes_another_hash() {
        let named = |values: &[f32]| vec![("presence.weight".to_string(), Tensor::from_slice(values))];
        let hash = |entries: &[(String, Tensor)]| hash_of_tensors(entries).unwrap();
        assert_eq!(hash(&named(&[1.0, 2.0])), hash(&named(&[1.0, 2.0])));
        assert_ne!(hash(&named(&[1.0, 2.0])), hash(&named(&[1.0, 2.000_000_2])));
        assert_ne!(hash(&named(&[0.0])), hash(&named(&[-0.0])));
        let other = vec![("intensity.weight".to_string(), Tensor::from_slice(&[1.0f32, 2.0]))];
        assert_ne!(hash(&named(&[1.0, 2.0])), hash(&other));
        assert_ne!(hash_of_segments("a[0] a[1]"), hash_of_segments("a[1] a[0]"));
    }
}
