//! The labels of releases as pickles.
//!
//! What lives here: which array holds them, and the names of its columns. What does not: the
//! meaning of values (`labels`).

use crate::ImportError;
use crate::labels::{LabelRow, Labels, check_names};
use crate::mapping::Mapping;
use crate::pickle::{Pickle, Scalar, Value};
use crate::released::SegmentId;
use crate::released_pickle::{SplitPart, splits};
use crate::scale::{Scale, require_a_label_beside_sentiment};
use mosei_schema::Emotion;
use std::path::Path;

/// Names of arrays of labels.
const LABELS: [&str; 6] = [
    "regression_labels",
    "labels",
    "label",
    "emotions",
    "tgt",
    "y",
];
/// The array of lists of words, as translation models have it: a word that begins, one for each
/// emotion that is present, and one that ends.
const WORDS: &str = "tgt";
/// Number of the first emotion among these words; those before mark beginnings and ends.
const FIRST_WORD: f64 = 4.0;

/// Reads the labels of all segments. `scratch` is a folder for temporary files.
///
/// # Errors
/// Where the pickle is refused, has no labels, their columns have no names, or a value is out of
/// range.
pub(crate) fn labels(
    path: &Path,
    mapping: &Mapping,
    scratch: &Path,
) -> Result<Labels, ImportError> {
    let pickle = Pickle::open(path, scratch)?;
    let mut labels = Labels {
        path: path.to_path_buf(),
        ..Labels::default()
    };
    let scale = Scale::of(&mapping.labels);
    let parts = splits(&pickle)?;
    labels.unnamed = parts.iter().all(|part| !part.has_ids());
    for part in parts {
        let chosen = mapping.labels.array.as_deref();
        let Some((key, array)) = part.one_of(chosen, &LABELS, "[labels] array")? else {
            let expected = format!(
                "labels of '{}' ('labels', or an [labels] array in a mapping file)",
                part.name
            );
            return Err(part.error(expected, part.listed()));
        };
        let (names, values) = match key {
            WORDS => of_words(array, mapping)?,
            key => of_array(key, array, mapping)?,
        };
        check_names(path, &names)?;
        if labels.names.is_empty() {
            labels.names = names;
        } else if labels.names != names {
            let expected = format!("the labels {}", labels.names.join(", "));
            return Err(array.error(expected, names.join(", ")));
        }
        add(&mut labels, &part, &values, mapping, &scale)?;
    }
    labels.clipped = scale.clipped();
    require_a_label_beside_sentiment(path, &labels.names)?;
    Ok(labels)
}

/// Adds the rows of a split.
fn add(
    labels: &mut Labels,
    part: &SplitPart<'_>,
    values: &[f64],
    mapping: &Mapping,
    scale: &Scale,
) -> Result<(), ImportError> {
    let width = labels.names.len();
    for (k, (row, id)) in values
        .chunks_exact(width)
        .zip(part.ids(values.len() / width)?)
        .enumerate()
    {
        let place = format!("segment {k} of '{}'", part.name);
        for (label, &x) in labels.names.iter().zip(row) {
            labels
                .values
                .push(scale.intensity(x, label).map_err(|[low, high]| {
                    let place = format!("{place}, column '{label}'");
                    let expected = format!("a label in [{low}, {high}]");
                    ImportError::table(&labels.path, place, expected, format!("{x}"))
                })?);
        }
        let (name, segment) = id.parts(mapping);
        let time = match &id {
            SegmentId::Timed(_, interval) => Some(*interval),
            SegmentId::Named(_) => None,
        };
        labels.rows.push(LabelRow {
            name,
            segment,
            time,
            speaker: None,
            split: Some(part.split),
            found_by_time: false,
            place,
        });
    }
    Ok(())
}

/// Names and values `[segments, names]` of an array of labels.
fn of_array(
    key: &str,
    array: Value<'_>,
    mapping: &Mapping,
) -> Result<(Vec<String>, Vec<f64>), ImportError> {
    let (shape, values) = array.scalars()?;
    let width = match shape.as_slice() {
        [_] => 1,
        [_, width] | [_, 1, width] if *width > 0 => *width as usize,
        _ => return Err(array.error("an array [segments, labels]", format!("shape {shape:?}"))),
    };
    let mosei = || {
        let emotions = Emotion::ALL.iter().map(|e| e.name());
        std::iter::once("sentiment")
            .chain(emotions)
            .map(String::from)
            .collect()
    };
    let names: Vec<String> = match (&mapping.labels.names, key, width) {
        (Some(names), ..) => names.clone(),
        // MMSA's name for sentiment.
        (None, "regression_labels", 1) => vec!["sentiment".into()],
        (None, _, 7) => mosei(),
        (None, ..) => Vec::new(),
    };
    if names.len() != width {
        let expected = format!(
            "{width} names of the columns of '{key}' ('names' under [labels] of a mapping file)"
        );
        return Err(array.error(expected, names.len().to_string()));
    }
    let number = |value: &Scalar| match value {
        Scalar::Number(x) => Ok(*x),
        Scalar::Text(text) => Err(array.error("numbers", format!("'{text}'"))),
    };
    Ok((names, values.iter().map(number).collect::<Result<_, _>>()?))
}

/// Names and values of lists of words.
fn of_words(array: Value<'_>, mapping: &Mapping) -> Result<(Vec<String>, Vec<f64>), ImportError> {
    let Some(names) = mapping.labels.names.clone() else {
        let expected = format!(
            "the names of the words from number {FIRST_WORD} on, in their order ('names' under [labels] of a mapping file)"
        );
        return Err(array.error(expected, format!("'{WORDS}', numbers of words")));
    };
    let Some(rows) = array.items()? else {
        return Err(array.error("a list of lists of words", array.kind()));
    };
    let mut values = vec![mapping.labels.range[0]; rows.len() * names.len()];
    for (row, out) in rows.iter().zip(values.chunks_exact_mut(names.len().max(1))) {
        let (_, words) = row.scalars()?;
        let [_, words @ .., _] = words.as_slice() else {
            return Err(row.error("a word that begins and one that ends", "fewer"));
        };
        for word in words {
            let place = match word {
                Scalar::Number(x) if x.fract() == 0.0 && *x >= FIRST_WORD => {
                    (*x - FIRST_WORD) as usize
                }
                _ => usize::MAX,
            };
            let Some(value) = out.get_mut(place) else {
                let expected = format!(
                    "words from {FIRST_WORD}, one for each of {} names",
                    names.len()
                );
                return Err(row.error(expected, format!("{word:?}")));
            };
            *value = mapping.labels.range[1];
        }
    }
    Ok((names, values))
}
