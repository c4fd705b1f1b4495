//! The control without a deep model: regularised regressions on the mean and deviation of a segment's columns.

use super::{Cell, Learned, Said, outcome};
use crate::made::MADE;
use crate::paired::{BEGINNING, LABELS, VALIDATION, hash_of_segments};
use crate::regression::{Choice, choose};
use crate::training::JOURNAL_FILE;
use crate::{Corpus, Summary, TrainError};
use ndarray::{Array1, Array2, Axis};
use run_record::{Journal, write_atomic};
use serde_json::json;

/// Fits the control of a cell, its journal begun anew.
pub(super) fn regress(cell: &Cell<'_>, corpus: &Corpus) -> Result<Learned, TrainError> {
    let (config, fold) = (&cell.study.finetune, corpus.fold());
    let path = cell.out.join(JOURNAL_FILE);
    write_atomic(&path, b"")?;
    let mut journal = Journal::append(&path)?;
    let names = |segments: &[usize]| hash_of_segments(&corpus.names(segments));
    journal.write(&json!({
        "event": "start", "step": 0, "version": env!("CARGO_PKG_VERSION"), MADE: crate::made::own(),
        BEGINNING: {LABELS: names(cell.labelled), VALIDATION: names(corpus.choosing())},
    }))?;
    let scale = Scale::of(&statistics(corpus, &fold.train));
    let features = |segments: &[usize]| scale.apply(statistics(corpus, segments));
    let choice = Choice { corpus, config, labelled: cell.labelled };
    let fitted = choose(choice, &features(cell.labelled), &features(corpus.choosing()))?;
    journal.write(&json!({"event": "regression", "step": 0, "strength_and_score": fitted.strengths()}))?;
    let said_of = |segments: &[usize]| fitted.scores(&features(segments));
    let thresholds = outcome::thresholds(corpus, config.threshold, |segments| Ok(said_of(segments)))?;
    let summary = Summary { steps: 0, best_score: fitted.score(), best_step: 0 };
    let said = Said { valid: said_of(&fold.valid), test: said_of(&fold.test) };
    Ok(Learned { summary, said, thresholds, model: None })
}

/// Mean and population deviation over frames of each standardised column: [S, 2 C].
fn statistics(corpus: &Corpus, segments: &[usize]) -> Array2<f64> {
    let columns = corpus.input_dim();
    let mut out = Array2::zeros((segments.len(), 2 * columns));
    for (row, &segment) in segments.iter().enumerate() {
        let batch = corpus.gather(&[segment]);
        let frames = (batch.x_nc.len() / columns).max(1) as f64;
        for c in 0..columns {
            let values = || batch.x_nc.iter().skip(c).step_by(columns).map(|&x| f64::from(x));
            let mean = values().sum::<f64>() / frames;
            out[[row, c]] = mean;
            out[[row, columns + c]] = (values().map(|x| (x - mean).powi(2)).sum::<f64>() / frames).sqrt();
        }
    }
    out
}

/// How features are standardised: by the fold's training segments, labelled or not.
struct Scale {
    mean_p: Array1<f64>,
    deviation_p: Array1<f64>,
}

impl Scale {
    fn of(x_sp: &Array2<f64>) -> Self {
        let rows = x_sp.nrows().max(1) as f64;
        let mean_p = x_sp.sum_axis(Axis(0)) / rows;
        let squares = (x_sp - &mean_p).mapv(|x| x * x).sum_axis(Axis(0)) / rows;
        // What never moves says nothing; it is left as wide as it is.
        let deviation_p = squares.mapv(|v| if v.sqrt() > 1e-6 { v.sqrt() } else { 1.0 });
        Scale { mean_p, deviation_p }
    }

    fn apply(&self, x_sp: Array2<f64>) -> Array2<f64> {
        (x_sp - &self.mean_p) / &self.deviation_p
    }
}
