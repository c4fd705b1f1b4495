//! Columns that a few values flatten: one value of 3e38 makes a deviation beside which all others are nothing.
//!
//! What lives here: finding such a column. What does not: the normaliser, which stays as it is for all others.

use super::record::Corpus;
use crate::DataError;
use crate::normalise::Moments;
use mosei_schema::Split;

/// A column is flat where its deviation is this many times the one without its [`FEW`] most extreme values.
const FLAT: f64 = 1000.0;
/// Share of the values that are left out, at least one.
const FEW: f64 = 0.001;
/// Fewer values say nothing of what is usual.
const LEAST_VALUES: usize = 50;

impl Corpus<'_> {
    /// Wants columns whose training values are of one magnitude.
    ///
    /// # Errors
    /// The first column that is not so, with the segment and the value that make it.
    pub(super) fn check_flat(&self, fold: usize, split: &[Option<Split>], training: &Moments) -> Result<(), DataError> {
        let trains = |video: usize| split[video] == Some(Split::Train);
        let videos: Vec<&Moments> = (0..split.len()).filter(|&v| trains(v)).map(|v| &self.moments[v]).collect();
        for (c, column) in self.columns.iter().enumerate().filter(|&(c, _)| is_suspicious(training, &videos, c)) {
            let mut values: Vec<(f64, usize)> = Vec::new();
            for i in (0..self.segments.len()).filter(|&i| trains(self.segments.video[i] as usize)) {
                let rows = self.frames.rows(self.segments.frames(i));
                let of_column = rows.iter().skip(c).step_by(self.columns.len());
                values.extend(of_column.filter(|x| x.is_finite()).map(|&x| (f64::from(x), i)));
            }
            let Some((value, segment, usual)) = flat(values, training.deviation(c)) else { continue };
            let id = &self.videos[self.segments.video[segment] as usize];
            let place = format!("column '{column}'");
            let expected = format!("training values of one magnitude (fold {fold})");
            let found = format!(
                "{:e} in segment '{id}[{}]', which makes a deviation of {:.3e}, where that of the others is {usual:.3e}: \
                 standardised, they would all be the same",
                value as f32,
                self.segments.segment[segment],
                training.deviation(c)
            );
            let hint = "give what is no measurement as NaN, which counts as missing, or leave the column out";
            return Err(DataError::table(self.features, place, expected, found).with_hint(Some(hint.into())));
        }
        Ok(())
    }
}

/// Whether the values of a column have to be looked at: its deviation is far above that within a usual video, or there is no such.
fn is_suspicious(training: &Moments, videos: &[&Moments], column: usize) -> bool {
    let all = training.deviation(column);
    let mut within: Vec<f64> = videos.iter().map(|m| m.deviation(column)).filter(|d| *d > 0.0).collect();
    within.sort_unstable_by(f64::total_cmp);
    // Of the videos without extreme values most deviate by no more than twice what all of them do together.
    all > 0.0 && (within.len() * 2 < videos.len() || all > FLAT / 2.0 * within[within.len() / 4])
}

/// The most extreme of these values with its segment, and the deviation without the few most extreme ones, where it is flat.
fn flat(mut values: Vec<(f64, usize)>, deviation: f64) -> Option<(f64, usize, f64)> {
    if values.len() < LEAST_VALUES {
        return None;
    }
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let middle = values[values.len() / 2].0;
    values.sort_by(|a, b| (a.0 - middle).abs().total_cmp(&(b.0 - middle).abs()));
    let few = ((values.len() as f64 * FEW) as usize).max(1);
    let usual = &values[..values.len() - few];
    let mean = usual.iter().map(|(x, _)| x).sum::<f64>() / usual.len() as f64;
    let squares: f64 = usual.iter().map(|(x, _)| (x - mean) * (x - mean)).sum();
    let without = (squares / usual.len() as f64).sqrt();
    let &(value, segment) = values.last()?;
    (without > 0.0 && deviation > FLAT * without).then_some((value, segment, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation(values: &[(f64, usize)]) -> f64 {
        let mut m = Moments::new(1);
        values.iter().for_each(|(x, _)| m.add(&[*x as f32]));
        m.deviation(0)
    }

    #[test]
    fn few_values_may_not_flatten_the_others() {
        let usual: Vec<(f64, usize)> = (0..2000).map(|i| (f64::from(i % 17) - 8.0, i as usize)).collect();
        let with = |x: f64| usual.iter().copied().chain([(x, 7)]).collect::<Vec<_>>();
        let found = |v: Vec<(f64, usize)>| flat(v.clone(), deviation(&v)).map(|(x, segment, _)| (x as f32, segment));
        assert_eq!(found(with(3e38)), Some((3e38, 7)));
        assert_eq!(found(with(-1e9)), Some((-1e9, 7)));
        // Far, but the others are still told from each other; and a column that is nearly always 0.
        assert_eq!(found(with(1e5)), None);
        let rare: Vec<(f64, usize)> = (0..2000).map(|i| (f64::from(u8::from(i % 100 == 0)), 0)).collect();
        assert_eq!(found(rare), None);
    }
}
