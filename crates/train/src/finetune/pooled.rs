//! The control without a deep model: regularised regressions on the mean and standard deviation of
//! a segment's columns.

use super::{Cell, Predicted, Trained};
use crate::event::{Beginning, Event, JOURNAL_FILE, Process, finite, hash_of_segments};
use crate::regression::select;
use crate::{Corpus, Summary, TrainError};
use ndarray::{Array1, Array2, Axis};
use run_record::{Journal, write_atomic};

/// Fits the control of a cell, and begins its journal.
pub(super) fn fit(cell: &Cell<'_>, corpus: &Corpus) -> Result<Trained, TrainError> {
    let (config, fold) = (cell.run.config, corpus.fold());
    let path = cell.run.output.folder.join(JOURNAL_FILE);
    write_atomic(&path, b"")?;
    let mut journal = Journal::append(&path)?;
    let hash = |segments: &[usize]| Some(hash_of_segments(&corpus.names(segments)));
    let beginning = Beginning {
        labels: hash(cell.labelled),
        validation: hash(corpus.selection()),
        heads: None,
    };
    let version = env!("CARGO_PKG_VERSION").into();
    Event::Start(Process {
        step: 0,
        version,
        made: crate::made::own(),
        beginning,
    })
    .write(&mut journal)?;
    let scale = Scale::of(&statistics(corpus, &fold.train));
    let features = |segments: &[usize]| scale.apply(statistics(corpus, segments));
    let fitted = select(
        corpus,
        config,
        cell.labelled,
        &features(cell.labelled),
        &features(corpus.selection()),
    )?;
    let strengths = fitted
        .strengths()
        .into_iter()
        .map(|(head, pair)| (head.to_string(), pair.map(finite)))
        .collect();
    Event::Regression {
        step: 0,
        strength_and_score: strengths,
    }
    .write(&mut journal)?;
    let predict = |segments: &[usize]| fitted.scores(&features(segments));
    let summary = Summary {
        steps: 0,
        best_score: fitted.score(),
        best_step: 0,
    };
    let predicted = Predicted {
        valid: predict(&fold.valid),
        test: predict(&fold.test),
    };
    let thresholds = predicted.thresholds(corpus, config.threshold, |s| Ok(predict(s)))?;
    Ok(Trained {
        summary,
        predicted,
        thresholds,
        model: None,
    })
}

/// Mean and population standard deviation over frames of each standardised column: [S, 2 C].
fn statistics(corpus: &Corpus, segments: &[usize]) -> Array2<f64> {
    let columns = corpus.input_dim();
    let mut out = Array2::zeros((segments.len(), 2 * columns));
    for (row, &segment) in segments.iter().enumerate() {
        let batch = corpus.gather(&[segment]);
        let frames = (batch.x_nc.len() / columns).max(1) as f64;
        for c in 0..columns {
            let values = || {
                batch
                    .x_nc
                    .iter()
                    .skip(c)
                    .step_by(columns)
                    .map(|&x| f64::from(x))
            };
            let mean = values().sum::<f64>() / frames;
            out[[row, c]] = mean;
            out[[row, columns + c]] =
                (values().map(|x| (x - mean).powi(2)).sum::<f64>() / frames).sqrt();
        }
    }
    out
}

/// How features are standardised, by the fold's training segments, labelled or not.
struct Scale {
    mean_p: Array1<f64>,
    std_p: Array1<f64>,
}

impl Scale {
    fn of(x_sp: &Array2<f64>) -> Self {
        let rows = x_sp.nrows().max(1) as f64;
        let mean_p = x_sp.sum_axis(Axis(0)) / rows;
        let squares = (x_sp - &mean_p).mapv(|x| x * x).sum_axis(Axis(0)) / rows;
        // A feature that is constant keeps its scale.
        let std_p = squares.mapv(|v| if v.sqrt() > 1e-6 { v.sqrt() } else { 1.0 });
        Scale { mean_p, std_p }
    }

    fn apply(&self, x_sp: Array2<f64>) -> Array2<f64> {
        (x_sp - &self.mean_p) / &self.std_p
    }
}
