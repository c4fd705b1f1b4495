//! Standardising by mean and standard deviation of each column over the training frames alone.
//!
//! What lives here: mergeable moments, fitting a normaliser, applying it to a batch. What does not:
//! which frames are training frames.

use crate::DataError;
use mosei_schema::nearest;
use serde::{Deserialize, Serialize};

/// Count, mean and sum of squared deviations from the mean of each column, over finite values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    /// Number of frames, with or without finite values.
    pub frames: u64,
    // Structure of arrays, for vectorisation. Counts are whole numbers below 2^53.
    count: Vec<f64>,
    mean: Vec<f64>,
    m2: Vec<f64>,
}

impl Moments {
    pub fn new(width: usize) -> Self {
        Moments {
            frames: 0,
            count: vec![0.0; width],
            mean: vec![0.0; width],
            m2: vec![0.0; width],
        }
    }

    /// Adds frames `[frames, width]`, by Welford's recurrence.
    pub fn add(&mut self, frames: &[f32]) {
        for row in frames.chunks_exact(self.count.len()) {
            self.frames += 1;
            let columns = self
                .count
                .iter_mut()
                .zip(&mut self.mean)
                .zip(&mut self.m2)
                .zip(row);
            for (((count, mean), m2), &x) in columns {
                let finite = x.is_finite();
                // Computed for every value, kept for finite ones: no branch, same bits.
                let (x, n) = (f64::from(x), *count + 1.0);
                let delta = x - *mean;
                let moved = *mean + delta / n;
                let added = *m2 + delta * (x - moved);
                *count = if finite { n } else { *count };
                *mean = if finite { moved } else { *mean };
                *m2 = if finite { added } else { *m2 };
            }
        }
    }

    /// Standard deviation of a column over its finite values; 0 without any.
    pub fn std(&self, column: usize) -> f64 {
        let n = self.count[column];
        if n == 0.0 {
            0.0
        } else {
            (self.m2[column] / n).sqrt()
        }
    }

    /// Merges other moments (Chan, Golub and LeVeque 1979). The order of merging determines the
    /// last bits.
    pub fn merge(&mut self, other: &Moments) {
        self.frames += other.frames;
        for c in 0..self.count.len() {
            let (na, nb) = (self.count[c], other.count[c]);
            if na == 0.0 || nb == 0.0 {
                // A copied mean keeps all its bits, so that a constant column stays constant.
                if na == 0.0 {
                    (self.count[c], self.mean[c], self.m2[c]) = (nb, other.mean[c], other.m2[c]);
                }
                continue;
            }
            let delta = other.mean[c] - self.mean[c];
            self.mean[c] += delta * nb / (na + nb);
            self.m2[c] += other.m2[c] + delta * delta * na * nb / (na + nb);
            self.count[c] += nb;
        }
    }
}

/// Mean and standard deviation of each column that varies, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normaliser {
    /// Names of the columns, in the data's order.
    pub columns: Vec<String>,
    /// Means over the training frames, in the columns' units.
    pub mean: Vec<f64>,
    /// Standard deviations (of the population) over the training frames, above 0.
    pub std: Vec<f64>,
    /// Standardised values are clipped to `[-clip, clip]`.
    pub clip: f64,
}

/// A normaliser with the columns it leaves out.
pub(crate) struct Fitted {
    pub normaliser: Normaliser,
    pub dropped: Vec<String>,
    /// Non-finite values by column of the data, in its order.
    pub missing: Vec<u64>,
}

/// Fits a normaliser on moments of training frames; columns without variance are left out.
pub(crate) fn fit(moments: &Moments, columns: &[String], clip: f64) -> Fitted {
    let mut fitted = Fitted {
        normaliser: Normaliser {
            columns: Vec::new(),
            mean: Vec::new(),
            std: Vec::new(),
            clip,
        },
        dropped: Vec::new(),
        missing: moments
            .count
            .iter()
            .map(|&n| moments.frames - n as u64)
            .collect(),
    };
    for (c, name) in columns.iter().enumerate() {
        let std = moments.std(c);
        if std > 0.0 {
            fitted.normaliser.columns.push(name.clone());
            fitted.normaliser.mean.push(moments.mean[c]);
            fitted.normaliser.std.push(std);
        } else {
            fitted.dropped.push(name.clone());
        }
    }
    fitted
}

/// A normaliser bound to the columns of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundNormaliser {
    data_width: usize,
    width: usize,
    /// The output columns, in order.
    runs: Vec<Run>,
    clip: f64,
}

/// Output columns that are adjacent in the data too.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    /// Index of the first in the data.
    first: usize,
    /// Mean of each.
    mean: Vec<f64>,
    /// Standard deviation of each.
    std: Vec<f64>,
}

impl Normaliser {
    /// Finds this normaliser's columns by name among the data's, which may have another order or
    /// more columns.
    ///
    /// # Errors
    /// Where the data lacks a column, lengths differ, or a standard deviation is not above 0.
    pub fn bind(&self, data_columns: &[String]) -> Result<BoundNormaliser, DataError> {
        let lengths = [self.mean.len(), self.std.len()];
        crate::config::require(
            lengths == [self.columns.len(); 2],
            "mean, std",
            format!("{} values, as many as columns", self.columns.len()),
            format!("{lengths:?}"),
        )?;
        crate::config::require(
            crate::config::is_clip(self.clip),
            "clip",
            "a number above 0",
            self.clip,
        )?;
        let mut runs: Vec<Run> = Vec::new();
        for (name, (&mean, &std)) in self.columns.iter().zip(self.mean.iter().zip(&self.std)) {
            let place = data_columns.iter().position(|c| c == name).ok_or_else(|| {
                let nearest =
                    nearest(name, data_columns.iter().map(String::as_str)).map(String::from);
                DataError::MissingColumn {
                    column: name.clone(),
                    columns: data_columns.len(),
                    nearest,
                }
            })?;
            let holds = std > 0.0 && std.is_finite() && mean.is_finite();
            crate::config::require(holds, format!("std of '{name}'"), "a number above 0", std)?;
            match runs.last_mut() {
                Some(run) if run.first + run.mean.len() == place => {
                    run.mean.push(mean);
                    run.std.push(std);
                }
                _ => runs.push(Run {
                    first: place,
                    mean: vec![mean],
                    std: vec![std],
                }),
            }
        }
        Ok(BoundNormaliser {
            data_width: data_columns.len(),
            width: self.columns.len(),
            runs,
            clip: self.clip,
        })
    }
}

impl BoundNormaliser {
    /// Number of columns after standardising.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Appends the standardised frames of `raw` (`[frames, data columns]`) to `out` (`[frames,
    /// width]`).
    ///
    /// Missing (non-finite) values become 0, the training mean; others are clipped.
    pub fn apply(&self, raw: &[f32], out: &mut Vec<f32>) {
        // Without columns there is no output.
        if self.width == 0 || self.data_width == 0 {
            return;
        }
        let start = out.len();
        out.resize(start + raw.len() / self.data_width * self.width, 0.0);
        let rows = out[start..]
            .chunks_exact_mut(self.width)
            .zip(raw.chunks_exact(self.data_width));
        for (mut out, row) in rows {
            for run in &self.runs {
                let (now, later) = out.split_at_mut(run.mean.len());
                run.standardise(&row[run.first..run.first + now.len()], self.clip, now);
                out = later;
            }
        }
    }
}

impl Run {
    /// Standardises the values of its columns, without branches, for vectorisation.
    fn standardise(&self, values: &[f32], clip: f64, out: &mut [f32]) {
        let columns = self.mean.iter().zip(&self.std);
        for ((out, &x), (mean, std)) in out.iter_mut().zip(values).zip(columns) {
            let z = ((f64::from(x) - mean) / std).clamp(-clip, clip) as f32;
            *out = if x.is_finite() { z } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    #[test]
    fn columns_without_variance_are_dropped_by_name() {
        let mut m = Moments::new(4);
        m.add(&[1.0, 0.1, f32::NAN, 5.0]);
        m.add(&[3.0, 0.1, f32::INFINITY, f32::NAN]);
        let fitted = fit(&m, &names(4), 8.0);
        assert_eq!(fitted.normaliser.columns, ["c0"]);
        assert_eq!(
            (fitted.normaliser.mean[0], fitted.normaliser.std[0]),
            (2.0, 1.0)
        );
        assert_eq!(fitted.dropped, ["c1", "c2", "c3"]);
        assert_eq!(fitted.missing, [0, 0, 2, 1]);
    }

    #[test]
    fn merged_parts_equal_the_whole() {
        let values: Vec<f32> = (0..40)
            .map(|i| (i as f32 * 0.37).sin() * 100.0 + 1e4)
            .collect();
        let (mut whole, mut parts) = (Moments::new(2), Moments::new(2));
        whole.add(&values);
        for part in values.chunks(10) {
            let mut m = Moments::new(2);
            m.add(part);
            parts.merge(&m);
        }
        let (a, b) = (
            fit(&whole, &names(2), 8.0).normaliser,
            fit(&parts, &names(2), 8.0).normaliser,
        );
        for i in 0..2 {
            assert!((a.mean[i] - b.mean[i]).abs() < 1e-9 && (a.std[i] - b.std[i]).abs() < 1e-9);
        }
    }

    #[test]
    fn a_constant_column_stays_constant_through_merging() {
        let mut m = Moments::new(1);
        for n in 1..20 {
            let mut part = Moments::new(1);
            part.add(&vec![0.1; n]);
            m.merge(&part);
        }
        assert_eq!(fit(&m, &names(1), 8.0).dropped, ["c0"]);
    }

    #[test]
    fn a_batch_is_standardised_filled_and_clipped() {
        let n = Normaliser {
            columns: vec!["c2".into(), "c0".into()],
            mean: vec![1.0, 10.0],
            std: vec![2.0, 1.0],
            clip: 3.0,
        };
        let mut out = Vec::new();
        n.bind(&names(3))
            .unwrap()
            .apply(&[12.0, 9.0, f32::NAN, 1e9, 9.0, 0.0], &mut out);
        assert_eq!(out, [0.0, 2.0, -0.5, 3.0]);
        let message = n.bind(&names(2)).unwrap_err().to_string();
        assert_eq!(
            message,
            "column 'c2': expected among the data's columns, found 2 columns without it, the nearest is 'c0'"
        );
    }
}
