//! Pools a segment's frames over time, and crops them to the maximum length.
//!
//! What lives here: leaving out non-finite values, pooling windows, cropping. What does not:
//! standardising.

use crate::Crop;

/// Averages every `k` frames of `rows` into one row of `out` (`[windows, width]`, appended).
///
/// Non-finite values are left out, as one -inf would make the mean -inf. A last window of fewer
/// than `k` frames is averaged over its frames. A window without a finite value is NaN, which means
/// missing.
pub fn pool<'a>(rows: impl Iterator<Item = &'a [f32]>, k: usize, out: &mut Vec<f32>) {
    // Two vectors, and no branch in the loops over columns, so that the compiler vectorises them.
    let (mut sums, mut counts): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut held = 0;
    let mut flush = |sums: &mut Vec<f64>, counts: &mut Vec<f64>| {
        // Not 0 / 0, whose sign depends on the machine.
        out.extend(
            sums.iter()
                .zip(&*counts)
                .map(|(sum, &n)| if n == 0.0 { f32::NAN } else { (sum / n) as f32 }),
        );
        sums.fill(0.0);
        counts.fill(0.0);
    };
    for row in rows {
        sums.resize(row.len(), 0.0);
        counts.resize(row.len(), 0.0);
        for ((sum, n), &x) in sums.iter_mut().zip(&mut counts).zip(row) {
            let finite = x.is_finite();
            *sum += if finite { f64::from(x) } else { 0.0 };
            *n += if finite { 1.0 } else { 0.0 };
        }
        held += 1;
        if held == k {
            flush(&mut sums, &mut counts);
            held = 0;
        }
    }
    if held > 0 {
        flush(&mut sums, &mut counts);
    }
}

/// The range of `frames` frames that remains after cropping to `max`.
pub fn kept(frames: usize, max: usize, crop: Crop) -> std::ops::Range<usize> {
    let surplus = frames.saturating_sub(max);
    let start = match crop {
        Crop::Start => 0,
        Crop::Centre => surplus / 2,
        Crop::End => surplus,
    };
    start..start + (frames - surplus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(rows: &[[f32; 2]], k: usize) -> Vec<f32> {
        let mut out = Vec::new();
        pool(rows.iter().map(|r| r.as_slice()), k, &mut out);
        out
    }

    #[test]
    fn non_finite_values_are_left_out_of_the_mean() {
        let rows = [[1.0, f32::NEG_INFINITY], [3.0, 4.0], [5.0, f32::NAN]];
        let out = pooled(&rows, 2);
        assert_eq!(out[..3], [2.0, 4.0, 5.0]);
        assert!(out[3].is_nan());
        assert_eq!(out.len(), 4);
    }

    #[test]
    fn windows_of_one_keep_finite_values() {
        let out = pooled(&[[0.1, f32::INFINITY], [0.3, -0.7]], 1);
        assert_eq!((out[0], out[2], out[3]), (0.1, 0.3, -0.7));
        assert!(out[1].is_nan());
        assert!(pooled(&[], 3).is_empty());
    }

    #[test]
    fn each_crop_keeps_its_part() {
        assert_eq!(kept(5, 9, Crop::End), 0..5);
        assert_eq!(kept(10, 3, Crop::Start), 0..3);
        assert_eq!(kept(10, 3, Crop::End), 7..10);
        assert_eq!(kept(10, 3, Crop::Centre), 3..6);
    }
}
