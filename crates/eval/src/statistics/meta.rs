//! Several studies of one contrast: their difference, and their pooled estimate.

use super::multiway::{Multiway, SourceVariance, multiway};

/// The result of one study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudyEstimate {
    /// The estimate.
    pub value: f64,
    /// What training segments and test videos give to its variance.
    pub data: SourceVariance,
    /// What all other sources give: seeds and label draws.
    pub runs: SourceVariance,
}

impl StudyEstimate {
    fn variance(&self) -> f64 {
        self.data.variance + self.runs.variance
    }

    fn parts(&self) -> [SourceVariance; 2] {
        [self.data, self.runs]
    }
}

/// The pooled estimate of several studies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// The mean, weighted by the inverse of variance and heterogeneity.
    pub value: f64,
    /// Its confidence interval and test; `None` where nothing varies.
    pub test: Option<Multiway>,
    /// The variance between the true differences of studies, tau² of DerSimonian and Laird (1986).
    pub heterogeneity: f64,
    /// Cochran's Q.
    pub q: f64,
    /// The share of the variance between the estimates that is heterogeneity, I² (Higgins and
    /// Thompson 2002), from 0 to 1.
    pub share: f64,
}

/// The difference of two studies, the second minus the first, as of independent studies. Where they
/// have videos in common, its interval is rather too wide.
pub fn study_difference(
    first: &StudyEstimate,
    second: &StudyEstimate,
    level: f64,
) -> (f64, Option<Multiway>) {
    let value = second.value - first.value;
    let all = [first.parts(), second.parts()].concat();
    (value, multiway(value, &varied(&all), level))
}

/// The random-effects estimate of studies, by the method of DerSimonian and Laird (1986).
///
/// `same_videos`: studies of the same videos share what these give to the variance. How much of it
/// is unknown (folds differ), so all of it is taken as shared: the interval is rather too wide.
/// `None` for fewer than two studies, and where one has no variance.
pub fn pool(studies: &[StudyEstimate], same_videos: bool, level: f64) -> Option<Pooled> {
    if studies.len() < 2 || studies.iter().any(|s| s.variance() <= 0.0) {
        return None;
    }
    let sum = |of: &dyn Fn(&StudyEstimate) -> f64| crate::sum(studies.iter().map(of));
    let weight = |s: &StudyEstimate| 1.0 / s.variance();
    let total = sum(&weight);
    let fixed = sum(&|s| weight(s) * s.value) / total;
    let q = sum(&|s| weight(s) * (s.value - fixed).powi(2));
    let expected = (studies.len() - 1) as f64;
    let scale = total - sum(&|s| weight(s).powi(2)) / total;
    let heterogeneity = ((q - expected) / scale).max(0.0);
    let random = |s: &StudyEstimate| 1.0 / (s.variance() + heterogeneity);
    let total = sum(&random);
    let share = |s: &StudyEstimate| random(s) / total;
    let value = sum(&|s| share(s) * s.value);
    let mut parts: Vec<SourceVariance> = studies
        .iter()
        .map(|s| s.runs.times(share(s).powi(2)))
        .collect();
    if same_videos {
        // The errors of the same videos add up.
        let error = sum(&|s| share(s) * s.data.variance.sqrt());
        let freedom = studies.iter().map(|s| s.data.freedom);
        parts.push(SourceVariance {
            variance: error.powi(2),
            freedom: freedom.fold(f64::INFINITY, f64::min),
        });
    } else {
        parts.extend(studies.iter().map(|s| s.data.times(share(s).powi(2))));
    }
    if heterogeneity > 0.0 {
        parts.push(SourceVariance {
            variance: heterogeneity * sum(&|s| share(s).powi(2)),
            freedom: expected,
        });
    }
    Some(Pooled {
        value,
        test: multiway(value, &varied(&parts), level),
        heterogeneity,
        q,
        share: if q > expected {
            (q - expected) / q
        } else {
            0.0
        },
    })
}

/// Without the parts that vary not at all, of which the degrees of freedom may be unknown.
fn varied(parts: &[SourceVariance]) -> Vec<SourceVariance> {
    parts.iter().copied().filter(|p| p.variance > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(value: f64, data: f64, runs: f64) -> StudyEstimate {
        let part = |variance| SourceVariance {
            variance,
            freedom: f64::INFINITY,
        };
        StudyEstimate {
            value,
            data: part(data),
            runs: part(runs),
        }
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn independent_studies_are_pooled_as_by_statsmodels() {
        let studies = [
            study(0.028, 1e-4, 2e-5),
            study(-0.011, 5e-5, 4e-5),
            study(0.019, 2e-4, 1e-5),
        ];
        let got = pool(&studies, false, 0.95).unwrap();
        near(got.heterogeneity, STATSMODELS[0]);
        near(got.q, STATSMODELS[1]);
        near(got.share, STATSMODELS[2]);
        near(got.value, STATSMODELS[3]);
        let error = STATSMODELS[4];
        let interval = got.test.unwrap().interval;
        // tau² is known with 2 degrees of freedom, which statsmodels takes as known exactly.
        assert!(interval.high - got.value > 1.96 * error, "{got:?}");
        // The same without heterogeneity, where both use the normal distribution.
        let alike = [study(0.02, 1e-4, 0.0), study(0.018, 1e-4, 0.0)];
        let got = pool(&alike, false, 0.95).unwrap();
        assert_eq!((got.heterogeneity, got.share), (0.0, 0.0));
        let half = got.test.unwrap().interval.high - got.value;
        assert!((half - 1.959_963_984_540_054 * 5e-5_f64.sqrt()).abs() < 1e-6);
    }
    /// `combine_effects` of statsmodels 0.15.0, `method_re="dl"`: tau², Q, I², mean, its error.
    const STATSMODELS: [f64; 5] = [
        0.000_386_785_714_285_714_2,
        7.918_032_786_885_245,
        0.747_412_008_281_573_4,
        0.011_140_539_559_524_584,
        0.013_191_920_853_544_098,
    ];

    #[test]
    fn the_same_videos_do_not_count_twice() {
        let studies = [study(0.02, 1e-4, 0.0), study(0.02, 1e-4, 0.0)];
        let width = |same| {
            let interval = pool(&studies, same, 0.95).unwrap().test.unwrap().interval;
            interval.high - interval.low
        };
        near(width(true) / width(false), 2_f64.sqrt());
    }

    #[test]
    fn a_difference_has_the_variance_of_both() {
        let (value, test) =
            study_difference(&study(0.028, 1e-4, 2e-5), &study(0.011, 5e-5, 4e-5), 0.95);
        near(value, -0.017);
        let half = (test.unwrap().interval.high - value).abs();
        assert!(
            (half - 1.959_963_984_540_054 * 2.1e-4_f64.sqrt()).abs() < 1e-6,
            "{half}"
        );
        assert_eq!(pool(&[study(0.1, 1.0, 1.0)], false, 0.95), None);
        assert_eq!(pool(&[study(0.1, 0.0, 0.0); 2], false, 0.95), None);
    }
}
