//! A test of whether paired differences lie around zero.

use rand::RngExt;
use run_record::seed::{Stream, rng};

/// The result of [`sign_flip`].
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SignFlip {
    /// Mean of the differences.
    pub mean: f64,
    /// The two-sided p: how often random signs give a mean at least as far from zero.
    pub p: f64,
    /// Whether all signs were tried rather than drawn.
    pub exact: bool,
}

/// The sign-flip permutation test: under the null hypothesis each difference could as well have had
/// the other sign.
///
/// `differences` has one value per cluster. All 2^n signs are tried if there are at most `draws` of
/// them; otherwise `draws` are drawn, and the data count as one of them (Phipson and Smyth 2010),
/// so that p is never 0.
///
/// The mean also varies with sources other than the clusters: `others` holds, for each such source
/// (training seeds, label draws), the mean difference of each of its levels. The differences of the
/// levels from their mean get independent random signs, are scaled by √(n / (n - 1)) to an unbiased
/// variance, and are added.
///
/// `None` without differences or where one is not finite.
pub fn sign_flip(
    differences: &[f64],
    others: &[Vec<f64>],
    draws: usize,
    seed: u64,
) -> Option<SignFlip> {
    if differences.is_empty()
        || differences
            .iter()
            .chain(others.iter().flatten())
            .any(|d| !d.is_finite())
    {
        return None;
    }
    let mean = crate::mean(differences.iter().copied())?;
    let mut sources = vec![differences.to_vec()];
    sources.extend(
        others
            .iter()
            .filter(|levels| levels.len() > 1)
            .map(|levels| {
                let (n, middle) = (
                    levels.len() as f64,
                    crate::mean(levels.iter().copied()).unwrap_or_default(),
                );
                levels
                    .iter()
                    .map(|level| (level - middle) * (n / (n - 1.0)).sqrt())
                    .collect()
            }),
    );
    let size = crate::mean(differences.iter().map(|d| d.abs()))?;
    // Rounding errors do not count as a difference.
    let least = mean.abs() - 1e-12 * size;
    let as_far = |mean: &f64| mean.abs() >= least;
    let n: usize = sources.iter().map(Vec::len).sum();
    let all = u32::try_from(n)
        .ok()
        .and_then(|n| 1_usize.checked_shl(n))
        .filter(|&all| all <= draws);
    let p = match all {
        Some(all) => {
            // The bits of a number are the signs.
            let turned = |mut signs: usize| {
                flipped(&sources, || {
                    let negative = signs & 1 == 1;
                    signs >>= 1;
                    negative
                })
            };
            (0..all).map(turned).filter(as_far).count() as f64 / all as f64
        }
        None => {
            let mut rng = rng(seed, Stream::Permutation, 0);
            let far = (0..draws)
                .map(|_| flipped(&sources, || rng.random()))
                .filter(as_far)
                .count();
            (far + 1) as f64 / (draws + 1) as f64
        }
    };
    Some(SignFlip {
        mean,
        p,
        exact: all.is_some(),
    })
}

/// The sum of the sources' means, each value with the other sign where `negative`, called once per
/// value, returns true.
fn flipped(sources: &[Vec<f64>], mut negative: impl FnMut() -> bool) -> f64 {
    let mut mean = |source: &Vec<f64>| {
        source
            .iter()
            .map(|d| if negative() { -d } else { *d })
            .sum::<f64>()
            / source.len() as f64
    };
    sources.iter().map(&mut mean).sum()
}

#[cfg(test)]
mod tests {
    use super::sign_flip;

    #[test]
    fn few_differences_are_tried_in_all_signs() {
        // Only all signs as they are, and all turned, are as far: 2 of 2^4.
        let got = sign_flip(&[1.0, 2.0, 3.0, 4.0], &[], 1000, 0).unwrap();
        assert_eq!((got.p, got.exact, got.mean), (0.125, true, 2.5));
        assert_eq!(sign_flip(&[1.0, -1.0], &[], 1000, 0).unwrap().p, 1.0);
    }

    #[test]
    fn drawn_signs_come_near_the_exact_answer() {
        let differences: Vec<f64> = (0..12).map(|i| f64::from(i % 5) - 1.2).collect();
        let (exact, drawn) = (
            sign_flip(&differences, &[], 4096, 1).unwrap(),
            sign_flip(&differences, &[], 4000, 1).unwrap(),
        );
        assert!(exact.exact && !drawn.exact);
        assert!((exact.p - drawn.p).abs() < 0.03, "{exact:?} {drawn:?}");
    }

    #[test]
    fn variation_between_seeds_is_not_a_difference() {
        // Every cluster agrees, but so it does within a seed, and the seeds do not.
        let clusters = [0.1; 20];
        let surely = sign_flip(&clusters, &[], 2000, 1).unwrap().p;
        let hardly = sign_flip(&clusters, &[vec![1.1, -0.9, 1.1, -0.9]], 2000, 1)
            .unwrap()
            .p;
        assert!(surely < 0.01 && hardly > 0.3, "{surely} {hardly}");
        assert_eq!(
            sign_flip(&clusters, &[vec![0.1]], 2000, 1).unwrap().p,
            surely,
            "one seed carries no information"
        );
    }

    #[test]
    fn p_is_never_zero_and_values_that_are_not_finite_have_none() {
        assert!(sign_flip(&[1.0; 40], &[], 99, 0).unwrap().p >= 0.01);
        assert_eq!(sign_flip(&[], &[], 10, 0), None);
        assert_eq!(sign_flip(&[f64::NAN], &[], 10, 0), None);
    }
}
