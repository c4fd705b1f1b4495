//! Detects columns with extreme outliers: one value of 3e38 gives a standard deviation that makes
//! all other values equal.
//!
//! What lives here: finding such a column. What does not: the normaliser, which is unaffected.

use super::fold_record::Corpus;
use crate::DataError;
use crate::normalise::Moments;
use mosei_schema::Split;

/// A column has outliers where its standard deviation is this many times that without its most
/// extreme values.
const MAX_RATIO: f64 = 1000.0;
/// Share of the values considered extreme; at least one value.
const EXTREME_SHARE: f64 = 0.001;
/// With fewer values, outliers cannot be detected.
const MIN_VALUES: usize = 50;

impl Corpus<'_> {
    /// Checks that no training column has extreme outliers.
    ///
    /// # Errors
    /// The first column that has, with the segment and value.
    pub(super) fn check_outliers(
        &self,
        fold: usize,
        split: &[Option<Split>],
        training: &Moments,
    ) -> Result<(), DataError> {
        let trains = |video: usize| split[video] == Some(Split::Train);
        let videos: Vec<&Moments> = (0..split.len())
            .filter(|&v| trains(v))
            .map(|v| &self.moments[v])
            .collect();
        for (c, column) in self
            .columns
            .iter()
            .enumerate()
            .filter(|&(c, _)| is_suspicious(training, &videos, c))
        {
            let mut values: Vec<(f64, usize)> = Vec::new();
            for i in (0..self.segments.len()).filter(|&i| trains(self.segments.video[i] as usize)) {
                let rows = self.frames.rows(self.segments.frames(i));
                let of_column = rows.iter().skip(c).step_by(self.columns.len());
                values.extend(
                    of_column
                        .filter(|x| x.is_finite())
                        .map(|&x| (f64::from(x), i)),
                );
            }
            let Some((value, segment, typical)) = outlier(values, training.std(c)) else {
                continue;
            };
            let id = &self.videos[self.segments.video[segment] as usize];
            let place = format!("column '{column}'");
            let expected = format!("training values without extreme outliers (fold {fold})");
            let found = format!(
                "{:e} in segment '{id}[{}]', which gives a standard deviation of {:.3e}, where that of the others is {typical:.3e}: \
                 standardised, they would all be equal",
                value as f32,
                self.segments.segment[segment],
                training.std(c)
            );
            let hint =
                "set invalid measurements to NaN, which means missing, or leave the column out";
            return Err(DataError::content(self.features, place, expected, found)
                .with_hint(Some(hint.into())));
        }
        Ok(())
    }
}

/// Whether a column must be examined: its standard deviation is far above that within a typical
/// video, or most videos have none.
fn is_suspicious(training: &Moments, videos: &[&Moments], column: usize) -> bool {
    let all = training.std(column);
    let mut within: Vec<f64> = videos
        .iter()
        .map(|m| m.std(column))
        .filter(|d| *d > 0.0)
        .collect();
    within.sort_unstable_by(f64::total_cmp);
    // Without outliers, the standard deviation within most videos is at most twice that over all.
    all > 0.0
        && (within.len() * 2 < videos.len() || all > MAX_RATIO / 2.0 * within[within.len() / 4])
}

/// The most extreme value with its segment, and the standard deviation without the most extreme
/// values; `None` without outliers.
fn outlier(mut values: Vec<(f64, usize)>, std: f64) -> Option<(f64, usize, f64)> {
    if values.len() < MIN_VALUES {
        return None;
    }
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let middle = values[values.len() / 2].0;
    values.sort_by(|a, b| (a.0 - middle).abs().total_cmp(&(b.0 - middle).abs()));
    let extreme = ((values.len() as f64 * EXTREME_SHARE) as usize).max(1);
    let typical = &values[..values.len() - extreme];
    let mean = typical.iter().map(|(x, _)| x).sum::<f64>() / typical.len() as f64;
    let squares: f64 = typical.iter().map(|(x, _)| (x - mean) * (x - mean)).sum();
    let without = (squares / typical.len() as f64).sqrt();
    let &(value, segment) = values.last()?;
    (without > 0.0 && std > MAX_RATIO * without).then_some((value, segment, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn std_of(values: &[(f64, usize)]) -> f64 {
        let mut m = Moments::new(1);
        values.iter().for_each(|(x, _)| m.add(&[*x as f32]));
        m.std(0)
    }

    #[test]
    fn outliers_are_found() {
        let typical: Vec<(f64, usize)> = (0..2000)
            .map(|i| (f64::from(i % 17) - 8.0, i as usize))
            .collect();
        let with = |x: f64| typical.iter().copied().chain([(x, 7)]).collect::<Vec<_>>();
        let found = |v: Vec<(f64, usize)>| {
            outlier(v.clone(), std_of(&v)).map(|(x, segment, _)| (x as f32, segment))
        };
        assert_eq!(found(with(3e38)), Some((3e38, 7)));
        assert_eq!(found(with(-1e9)), Some((-1e9, 7)));
        // Far, but the others stay distinguishable; and a column that is nearly always 0.
        assert_eq!(found(with(1e5)), None);
        let rare: Vec<(f64, usize)> = (0..2000)
            .map(|i| (f64::from(u8::from(i % 100 == 0)), 0))
            .collect();
        assert_eq!(found(rare), None);
    }
}
