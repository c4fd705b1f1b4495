//! Where a run was made: on machines whose results have the same bits, or not.

use super::Verdict;
use super::evidence::Evidence;
use crate::StudyError;
use crate::step::StepKind;
use run_record::{Made, MadeByTorch, StepRecord};
use std::collections::{BTreeMap, BTreeSet};

/// Steps that compute with libtorch.
const KINDS: [StepKind; 3] = [StepKind::Pretrain, StepKind::Encode, StepKind::Cell];

/// What is compared, how it is called, and what it means that it differs.
type Trait = (&'static str, fn(&Made, &MadeByTorch) -> String, Means);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// No plan has two of them.
    Broken,
    /// Results have other last bits.
    OtherBits,
    /// Nothing is known to come of it.
    Nothing,
}

static TRAITS: [Trait; 7] = [
    ("threads", |made, _| made.threads.to_string(), Means::Broken),
    (
        "precision",
        |_, torch| torch.precision.clone(),
        Means::Broken,
    ),
    ("device", |_, torch| torch.device.clone(), Means::Broken),
    (
        "kernels",
        |_, torch| torch.kernels.clone(),
        Means::OtherBits,
    ),
    (
        "libtorch",
        |_, torch| torch.version.clone(),
        Means::OtherBits,
    ),
    (
        "libtorch's own kernels",
        |_, torch| torch.aten.clone(),
        Means::Nothing,
    ),
    (
        "processors",
        |made, _| made.processor.clone(),
        Means::Nothing,
    ),
];

/// Whether all trainings and cells had one number of threads, precision, device, instruction set
/// and libtorch.
pub(super) fn made_alike(evidence: &Evidence) -> Result<Verdict, StudyError> {
    let (mut made, mut steps, mut silent) = (BTreeMap::new(), 0, 0);
    for step in KINDS.into_iter().flat_map(|kind| evidence.of_kind(kind)) {
        let Some(record) = StepRecord::read(&evidence.run.records(step)) else {
            continue;
        };
        if record.key != step.key {
            continue;
        }
        steps += 1;
        silent += usize::from(record.made.is_empty());
        for one in record.made {
            made.entry(one)
                .or_insert_with(Vec::new)
                .push(step.id.as_str());
        }
    }
    if made.is_empty() {
        let why = if steps == 0 {
            "no training is finished yet"
        } else {
            "no record says where its step was made"
        };
        return Ok(Verdict::not_checked(why));
    }
    let differ = |means| {
        TRAITS
            .iter()
            .filter(move |t| t.2 == means)
            .filter_map(|t| difference(t, &made))
    };
    let broken: Vec<String> = differ(Means::Broken).collect();
    if !broken.is_empty() {
        return Ok(Verdict::of(&broken, ""));
    }
    let silent = if silent == 0 {
        String::new()
    } else {
        format!("; {silent} of {steps} records do not say")
    };
    let other: Vec<String> = differ(Means::OtherBits).collect();
    if !other.is_empty() {
        let bits = "steps that were made elsewhere have other last bits (docs/cluster.md)";
        return Ok(Verdict::noted(format!(
            "{}: {bits}{silent}",
            other.join("; ")
        )));
    }
    let harmless: Vec<String> = differ(Means::Nothing).collect();
    Ok(Verdict::ok(match (&harmless[..], made.keys().next()) {
        ([], Some(only)) => format!("{steps} trainings on {}{silent}", only.to_text()),
        _ => format!("{steps} trainings; {}{silent}", harmless.join("; ")),
    }))
}

/// How a trait differs: each value, with how many steps have it and the first of them.
fn difference((name, of, _): &Trait, made: &BTreeMap<Made, Vec<&str>>) -> Option<String> {
    let mut values: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (one, steps) in made {
        if let Some(torch) = &one.torch {
            values.entry(of(one, torch)).or_default().extend(steps);
        }
    }
    let texts = values.iter().filter_map(|(value, steps)| {
        let more = if steps.len() > 1 {
            format!(" and {} more", steps.len() - 1)
        } else {
            String::new()
        };
        Some(format!("{value} ({}{more})", steps.first()?))
    });
    (values.len() > 1).then(|| format!("{name}: {}", texts.collect::<Vec<_>>().join(", ")))
}
