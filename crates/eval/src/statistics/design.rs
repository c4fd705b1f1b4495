//! The confidence interval that a design can be expected to have, before it is run.

use super::multiway::{SourceLevels, SourceVariance, multiway, with_partitions};
use super::study_statistics::{Contrast, StudyStatistics, VariedSource};

/// How many levels of each source a study has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Design {
    /// Test videos in all.
    pub videos: usize,
    /// Folds of a cross-validation; 1 for a single split.
    pub folds: usize,
    /// Partitions into folds.
    pub partitions: usize,
    /// Training seeds.
    pub seeds: usize,
    /// Label draws.
    pub draws: usize,
    /// Pre-trainings that training seeds are crossed with.
    pub pretrain_seeds: Option<usize>,
}

/// The variance between levels of each source; `None` where it is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// Between videos.
    pub videos: f64,
    /// Between folds, beside their videos.
    pub folds: f64,
    /// Between training seeds.
    pub seeds: Option<f64>,
    /// Between label draws.
    pub draws: Option<f64>,
    /// Between pre-trainings, where they are crossed.
    pub pretrain_seeds: Option<f64>,
}

impl Components {
    /// Those that a study of speech may have in a difference of macro ROC AUC: standard deviations
    /// of 0.05 between videos, 0.02 between folds, 0.01 between seeds and between draws, 0.02
    /// between pre-trainings.
    pub const ASSUMED: Components = Components {
        videos: 0.05 * 0.05,
        folds: 0.02 * 0.02,
        seeds: Some(0.01 * 0.01),
        draws: Some(0.01 * 0.01),
        pretrain_seeds: Some(0.02 * 0.02),
    };

    /// Those of a study that has run. The variance between folds is v / V + f / K with V videos and
    /// K folds, that between the values of the videos v / V + f / (P V) with P partitions.
    ///
    /// `None` where the contrast has no variance between videos.
    pub fn of(study: &StudyStatistics, contrast: &Contrast) -> Option<Self> {
        let videos = study.clusters as f64;
        let partitions = study.partitions.max(1) as f64;
        let between_videos = contrast.between_videos?;
        let share = |source| contrast.sources.iter().find(|share| share.source == source);
        let of_runs = |source| {
            let share = share(source)?;
            Some(share.variance? * share.levels as f64)
        };
        let folds = match share(VariedSource::Folds) {
            Some(found) => {
                let each = found.levels as f64 / partitions;
                // P times the mixture, less the part of the videos.
                let between = partitions * found.variance? - (partitions - 1.0) * between_videos;
                let scale = 1.0 / each - 1.0 / (partitions * videos);
                ((between - between_videos) / scale).max(0.0)
            }
            None => 0.0,
        };
        Some(Components {
            videos: (videos * between_videos - folds / partitions).max(0.0),
            folds,
            seeds: of_runs(VariedSource::TrainingSeed),
            draws: of_runs(VariedSource::LabelDraw),
            pretrain_seeds: of_runs(VariedSource::PretrainSeed),
        })
    }

    /// Half the width of the t interval that a design can be expected to have. A source with one
    /// level, or of unknown variance, has no part in it. `None` where nothing varies.
    ///
    /// What seeds and draws do within folds counts as what they do in all folds alike, so that more
    /// folds do not make it smaller: the width is rather too large for more partitions.
    pub fn half_width(&self, design: &Design, level: f64) -> Option<f64> {
        let [videos, folds, partitions] =
            [design.videos, design.folds, design.partitions].map(|n| n as f64);
        let between_videos = SourceVariance {
            variance: self.videos / videos + self.folds / (partitions * videos),
            freedom: videos - 1.0,
        };
        let data = if design.folds > 1 {
            let between_folds = SourceVariance {
                variance: self.videos / videos + self.folds / folds,
                freedom: folds - 1.0,
            };
            with_partitions(between_folds, between_videos, partitions)
        } else {
            between_videos
        };
        let of_runs = |variance: Option<f64>, levels: usize| {
            Some(SourceVariance {
                variance: variance? / levels as f64,
                freedom: levels as f64 - 1.0,
            })
            .filter(|_| levels > 1)
        };
        let all: Vec<SourceVariance> = [
            Some(data),
            of_runs(self.seeds, design.seeds),
            of_runs(self.draws, design.draws),
            design
                .pretrain_seeds
                .and_then(|n| of_runs(self.pretrain_seeds, n)),
        ]
        .into_iter()
        .flatten()
        .filter(|source| source.variance > 0.0)
        .collect();
        Some(multiway(0.0, &all, level)?.interval.high)
    }
}

/// The variance of the mean of the videos' values.
pub(super) fn between_videos(values: &[f64]) -> Option<f64> {
    let found = SourceLevels::alike(values.to_vec()).variance()?;
    Some(found.variance).filter(|variance| variance.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: Design = Design {
        videos: 24,
        folds: 6,
        partitions: 1,
        seeds: 3,
        draws: 5,
        pretrain_seeds: None,
    };

    fn width(design: Design) -> f64 {
        Components::ASSUMED.half_width(&design, 0.95).unwrap()
    }

    #[test]
    fn one_partition_is_a_t_interval_over_folds() {
        let alone = Components {
            folds: 0.0,
            seeds: None,
            draws: None,
            pretrain_seeds: None,
            ..Components::ASSUMED
        };
        // scipy.stats.t.ppf(0.975, 5) * 0.05 / 24 ** 0.5
        let got = alone.half_width(&DESIGN, 0.95).unwrap();
        assert!(
            (got - 2.570_581_835_636_305 * 0.05 / 24_f64.sqrt()).abs() < 1e-9,
            "{got}"
        );
        let nothing = Components {
            videos: 0.0,
            ..alone
        };
        assert_eq!(nothing.half_width(&DESIGN, 0.95), None);
    }

    #[test]
    fn more_of_anything_is_narrower_and_one_level_has_no_part() {
        let now = width(DESIGN);
        assert!(
            width(Design {
                partitions: 3,
                ..DESIGN
            }) < now
        );
        assert!(width(Design { seeds: 6, ..DESIGN }) < now);
        assert!(
            width(Design {
                draws: 10,
                ..DESIGN
            }) < now
        );
        assert!(
            width(Design {
                videos: 48,
                ..DESIGN
            }) < now
        );
        assert!(width(Design { draws: 1, ..DESIGN }) < width(Design { draws: 2, ..DESIGN }));
    }
}
