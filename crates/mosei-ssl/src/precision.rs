//! Whether a study's precision suits this processor. The precision is part of a study's identity:
//! it is advised on, never changed.

use crate::forecast::seconds_with;
use crate::run_folder::RunFolder;
use crate::{Study, StudyError};
use backbone::{EncoderConfig, Precision};
use torch_ext::Processor;

/// A precision that takes less than this share of the other's time is worth a word; what is closer
/// is noise.
const CLEARLY_FASTER: f64 = 0.87;

/// What to say of the study's precision, after timing a few training steps with it and with the
/// other one; nothing where it is the faster one, or where the study trains on another device.
/// `timed`: seconds for a segment with its own, where they were measured already.
///
/// # Errors
/// An encoder that cannot be built.
pub fn precision_advice(
    study: &Study,
    run: &RunFolder,
    timed: Option<f64>,
) -> Result<Option<String>, StudyError> {
    let own = study.encoder.precision;
    // Without products of bfloat16 it is known which is faster.
    if own == Precision::Fp32 && !Processor::best().has_bf16_products() {
        return Ok(None);
    }
    let seconds = |precision| {
        let encoder = EncoderConfig {
            precision,
            ..study.encoder.clone()
        };
        seconds_with(&encoder, study, run)
    };
    let other = match own {
        Precision::Fp32 => Precision::Bf16,
        Precision::Bf16 => Precision::Fp32,
    };
    let own_s = match timed {
        Some(own_s) => Some(own_s),
        None => seconds(own)?,
    };
    let (Some(own_s), Some(other_s)) = (own_s, seconds(other)?) else {
        return Ok(None);
    };
    Ok((other_s < CLEARLY_FASTER * own_s).then(|| words(own, own_s / other_s)))
}

/// What to say, untimed, of a study whose precision is the slower one on this processor.
pub(crate) fn slow_precision(study: &Study) -> Option<String> {
    (study.encoder.precision == Precision::Bf16 && study.device == "cpu" && !Processor::best().has_bf16_products())
        .then(|| {
            format!(
                "encoder.precision is \"bf16\", and this processor ({}) has no products of bfloat16: \"fp32\" is faster here",
                Processor::best().name()
            )
        })
}

/// `ratio`: how many times as long a step takes in `own` as in the other.
fn words(own: Precision, ratio: f64) -> String {
    let (own, other) = match own {
        Precision::Bf16 => ("bf16", "fp32"),
        Precision::Fp32 => ("fp32", "bf16"),
    };
    format!(
        "a training step in {own} takes {ratio:.1} times as long as in {other} on this processor ({}; both timed just now): to change it, set precision = \"{other}\" under [encoder]; steps that are done already are computed again then",
        Processor::best().name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn bf16_without_its_products_is_answered_with_fp32() {
        let study = |precision: &str, device: &str| {
            let text = format!(
                "device = \"{device}\"\n[synth]\n[encoder]\nmodel_dim = 32\nheads = 2\nlayers = 1\nprecision = \"{precision}\"\n"
            );
            Study::parse(Path::new("s.toml"), &text).unwrap()
        };
        let advice =
            |study: &Study| precision_advice(study, &RunFolder::new("nowhere"), None).unwrap();
        assert_eq!(slow_precision(&study("fp32", "cpu")), None);
        assert_eq!(slow_precision(&study("bf16", "cuda")), None);
        assert_eq!(advice(&study("bf16", "cuda")), None);
        let slow = slow_precision(&study("bf16", "cpu"));
        assert_eq!(slow.is_some(), !Processor::best().has_bf16_products());
        if !Processor::best().has_bf16_products() {
            assert_eq!(advice(&study("fp32", "cpu")), None);
            let said = advice(&study("bf16", "cpu")).unwrap();
            assert!(
                said.contains("set precision = \"fp32\" under [encoder]"),
                "{said}"
            );
        }
        assert!(words(Precision::Bf16, 2.34).starts_with(
            "a training step in bf16 takes 2.3 times as long as in fp32 on this processor ("
        ));
    }
}
