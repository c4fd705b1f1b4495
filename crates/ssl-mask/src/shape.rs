//! The choice of masked time steps.

use crate::MaskShape;
use rand::{Rng, RngExt};

/// The masked frames of a segment, ascending: at least one, and of two or more never all.
pub(crate) fn draw(
    shape: MaskShape,
    ratio: f64,
    span: usize,
    frames: usize,
    rng: &mut impl Rng,
) -> Vec<usize> {
    match frames {
        0 => Vec::new(),
        1 => vec![0],
        _ => match shape {
            MaskShape::Independent => distinct(frames, target(ratio, frames), rng),
            MaskShape::Span => spans(ratio, span, frames, rng),
            MaskShape::Geometric => geometric(ratio, span, frames, rng),
        },
    }
}

fn target(ratio: f64, frames: usize) -> usize {
    ((ratio * frames as f64).round() as usize).clamp(1, frames - 1)
}

/// `k` of `0..n`, ascending, each subset equally likely (Floyd's algorithm).
fn distinct(n: usize, k: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut chosen = std::collections::BTreeSet::new();
    for j in n - k..n {
        let i = rng.random_range(0..=j);
        if !chosen.insert(i) {
            chosen.insert(j);
        }
    }
    chosen.into_iter().collect()
}

/// Spans that do not overlap, each placement equally likely. In a segment too short for a whole
/// span at this ratio, the span is shortened.
fn spans(ratio: f64, span: usize, frames: usize, rng: &mut impl Rng) -> Vec<usize> {
    let length = span.min(target(ratio, frames)).min(frames / 2);
    let max_count = (frames - 1) / length;
    let count = ((ratio * frames as f64 / length as f64).round() as usize).clamp(1, max_count);
    // Shrinking each span to one frame is a bijection between placements and subsets of `count`
    // remaining frames.
    let starts = distinct(frames - count * (length - 1), count, rng);
    starts
        .iter()
        .enumerate()
        .flat_map(|(i, start)| (0..length).map(move |k| start + i * (length - 1) + k))
        .collect()
}

/// Alternating masked and visible runs of geometric length, with means `span` and `span (1 - ratio)
/// / ratio`.
fn geometric(ratio: f64, span: usize, frames: usize, rng: &mut impl Rng) -> Vec<usize> {
    let end_hidden = 1.0 / span as f64;
    let end_open = (end_hidden * ratio / (1.0 - ratio)).min(1.0);
    let mut hidden = rng.random_bool(ratio);
    let mut chosen = Vec::new();
    for frame in 0..frames {
        if hidden {
            chosen.push(frame);
        }
        if rng.random_bool(if hidden { end_hidden } else { end_open }) {
            hidden = !hidden;
        }
    }
    if chosen.is_empty() || chosen.len() == frames {
        chosen = spans(ratio, span, frames, rng);
    }
    chosen
}
