//! From a trained cell's scores to the rows of its predictions.

use super::Threshold;
use crate::Corpus;
use crate::predict::{Scores, column};
use crate::test_labels::ReleasedLabels;
use mosei_data::targets::present;
use mosei_schema::Split;
use run_record::PredictionRow;

/// Thresholds by emotion; where they are tuned, from scores of the segments used for model
/// selection.
pub(super) fn thresholds(corpus: &Corpus, rule: Threshold, selection: &Scores) -> Vec<f64> {
    const FIXED: f64 = 0.5;
    let emotions = corpus.prepared.emotions().len();
    let tuned = |e| {
        let score = column(selection.score.as_ref()?, e, emotions);
        eval::threshold::best_f1(&corpus.present(corpus.selection(), e), &score)
    };
    let of = |e| match rule {
        Threshold::Fixed => FIXED,
        Threshold::TunedF1 => tuned(e).unwrap_or(FIXED),
    };
    (0..emotions).map(of).collect()
}

/// The rows of a split, its labels out of `labels` where they were withheld.
pub(super) fn rows(
    corpus: &Corpus,
    split: Split,
    scores: &Scores,
    thresholds: &[f64],
    labels: &ReleasedLabels,
) -> Vec<PredictionRow> {
    let prepared = &corpus.prepared;
    let segments = corpus.fold().segments(split);
    let (emotions, above) = (
        prepared.emotions(),
        prepared.manifest().config.presence_above,
    );
    let mut rows = Vec::with_capacity(segments.len() * emotions.len());
    for (row, &segment) in segments.iter().enumerate() {
        let (id, intensities) = (prepared.id(segment), labels.of_segment(corpus, segment));
        for (e, emotion) in emotions.iter().enumerate() {
            let of =
                |values: &Option<Vec<f64>>| values.as_ref().map(|v| v[row * emotions.len() + e]);
            rows.push(PredictionRow {
                split: split.name().into(),
                video: id.video.clone(),
                segment: id.segment,
                emotion: emotion.clone(),
                intensity: f64::from(intensities[e]),
                present: present(intensities[e], above),
                score: of(&scores.score),
                predicted_intensity: of(&scores.intensity),
                threshold: thresholds[e],
            });
        }
    }
    rows
}
