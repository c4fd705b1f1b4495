//! The frame rate of a corpus, and whether its times are plausible.
//!
//! What lives here: the one rule for rates, used by preparation, import and prediction, and the
//! limits beyond which times are probably in another unit. What does not: which frame belongs to
//! which segment (`align`).

use crate::DataError;
use crate::align::{EPSILON_S, median};
use std::path::Path;

/// Relative difference up to which two rates are equal: they are medians of float times.
pub const RATE_TOLERANCE: f64 = 0.01;
/// Lowest regular rate; a lower one means times in another unit.
const MIN_RATE_HZ: f64 = 1.0;
/// Longest median step between frames of an irregular recording, seconds: no word or turn is as
/// long.
const MAX_STEP_S: f64 = 60.0;
/// Relative difference up to which a step is regular, that is equal to the median. Times may be
/// rounded to milliseconds.
const STEP_TOLERANCE: f64 = 0.1;
/// Share of the steps that must be regular for a corpus to have a rate.
const REGULAR_SHARE: f64 = 0.5;
/// A pause of this length, seconds, is a gap or separates two recordings of one video; the step
/// across it does not count.
pub(crate) const PAUSE_S: f64 = 1.0;
/// A label ends late where its end is this many times that of its recording, and more than
/// [`LATE_S`] after it.
const LATE_FACTOR: f64 = 2.0;
const LATE_S: f64 = 1.0;
/// Rates that an error message lists.
const MAX_LISTED: usize = 4;

/// The hint for times in another unit.
pub(crate) const UNIT_HINT: &str = "are the times in seconds? 'unit' under [features] or [labels] of a mapping file of `mosei-ssl import` sets another \
                                    unit (\"ms\", \"us\" or \"ns\")";

/// Whether two rates are equal, up to [`RATE_TOLERANCE`].
pub fn same_rate(one_hz: f64, other_hz: f64) -> bool {
    (one_hz / other_hz - 1.0).abs() <= RATE_TOLERANCE
}

/// Whether a label ends so long after its recording that their times are probably not in the same
/// unit, or not of the same recording.
pub fn ends_late(label_end_s: f64, recording_end_s: f64) -> bool {
    label_end_s > LATE_FACTOR * recording_end_s && label_end_s > recording_end_s + LATE_S
}

/// The frame rate of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FrameRate {
    /// There are no frames.
    Unknown,
    /// A rate in Hz, rounded to a thousandth, as it comes from float times.
    Regular(f64),
    /// The step between frames varies within recordings, as for words, turns or functionals.
    Irregular,
}

impl FrameRate {
    /// The rate in Hz, where there is one.
    pub fn hz(self) -> Option<f64> {
        if let FrameRate::Regular(hz) = self {
            Some(hz)
        } else {
            None
        }
    }
}

/// The steps between the frames of one recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameSpacing {
    /// Median step from the start of a frame to the next, seconds.
    step_s: f64,
    steps: usize,
    /// Of these, regular steps.
    regular: usize,
}

impl FrameSpacing {
    /// The spacing of frames, given start and end in order of time, seconds; `None` where no frame
    /// follows another.
    pub fn of(intervals: &[[f64; 2]]) -> Option<Self> {
        let pairs = intervals
            .windows(2)
            .filter(|w| w[1][0] - w[0][1] < PAUSE_S - EPSILON_S);
        let steps: Vec<f64> = pairs
            .map(|w| w[1][0] - w[0][0])
            .filter(|step| *step > EPSILON_S)
            .collect();
        let step_s = median(steps.clone())?;
        Some(FrameSpacing {
            step_s,
            steps: steps.len(),
            regular: steps.iter().filter(|&&s| is_regular(s, step_s)).count(),
        })
    }

    /// The rate in Hz, rounded to a thousandth.
    pub fn hz(&self) -> f64 {
        rounded_rate_hz(self.step_s)
    }
}

fn is_regular(step: f64, median: f64) -> bool {
    (step / median - 1.0).abs() <= STEP_TOLERANCE
}

fn rounded_rate_hz(step_s: f64) -> f64 {
    (1000.0 / step_s).round() / 1000.0
}

/// The spacing of frames in each recording of a corpus.
#[derive(Debug, Clone, Default)]
pub struct CorpusSpacing {
    known: Vec<(String, FrameSpacing)>,
    /// Recordings of fewer than two frames.
    unknown: usize,
}

impl CorpusSpacing {
    /// Adds a recording that has frames.
    pub fn add(&mut self, name: &str, spacing: Option<FrameSpacing>) {
        match spacing {
            Some(spacing) => self.known.push((name.to_string(), spacing)),
            None => self.unknown += 1,
        }
    }

    /// The rate of the corpus: that of its median recording.
    pub fn rate(&self) -> FrameRate {
        let steps: Vec<f64> = self
            .known
            .iter()
            .map(|(_, spacing)| spacing.step_s)
            .collect();
        let Some(step_s) = median(steps.clone()) else {
            return if self.unknown > 0 {
                FrameRate::Irregular
            } else {
                FrameRate::Unknown
            };
        };
        // The median itself is always regular; it does not count.
        let sum = |count: &dyn Fn(&FrameSpacing) -> usize| {
            self.known.iter().map(|(_, p)| count(p) - 1).sum::<usize>()
        };
        let (mut regular, mut all) = (sum(&|p| p.regular), sum(&|p| p.steps));
        if all == 0 {
            (regular, all) = (
                steps.iter().filter(|&&s| is_regular(s, step_s)).count() - 1,
                steps.len() - 1,
            );
        }
        let varies = (regular as f64) < REGULAR_SHARE * all as f64;
        if varies || self.unknown > self.known.len() {
            FrameRate::Irregular
        } else {
            FrameRate::Regular(rounded_rate_hz(step_s))
        }
    }

    /// The rate of the corpus, checked. `path` and `place` are for the message.
    ///
    /// # Errors
    /// Where recordings have different regular rates (each is listed with an example), or the steps
    /// are so long that their times are probably in another unit.
    pub fn check(&self, path: &Path, place: &str) -> Result<FrameRate, DataError> {
        let rate = self.rate();
        let fail = |expected: String, found: String, hint: &str| {
            Err(DataError::content(path, place, expected, found).with_hint(Some(hint.to_string())))
        };
        match rate {
            FrameRate::Regular(hz)
                if self
                    .known
                    .iter()
                    .any(|(_, spacing)| !same_rate(spacing.hz(), hz)) =>
            {
                fail(
                    format!(
                        "recordings with one frame rate (within {} %)",
                        RATE_TOLERANCE * 100.0
                    ),
                    self.by_rate(),
                    "extract the features of all recordings at one rate, or use separate studies",
                )
            }
            FrameRate::Regular(hz) if hz < MIN_RATE_HZ => {
                let first = self.known.first().map_or("", |(name, _)| name);
                let expected = format!("a frame rate of at least {MIN_RATE_HZ} Hz");
                fail(
                    expected,
                    format!("{hz} Hz ({} s between frames, as in '{first}')", 1.0 / hz),
                    UNIT_HINT,
                )
            }
            FrameRate::Irregular => match self
                .known
                .iter()
                .find(|(_, spacing)| spacing.step_s > MAX_STEP_S)
            {
                Some((name, spacing)) if self.median_step_s() > MAX_STEP_S => {
                    let found = format!("{} s in '{name}'", spacing.step_s);
                    fail(
                        format!("at most {MAX_STEP_S} s between frames"),
                        found,
                        UNIT_HINT,
                    )
                }
                _ => Ok(rate),
            },
            _ => Ok(rate),
        }
    }

    fn median_step_s(&self) -> f64 {
        median(
            self.known
                .iter()
                .map(|(_, spacing)| spacing.step_s)
                .collect(),
        )
        .unwrap_or(0.0)
    }

    /// The number of recordings with each rate, most frequent first, with an example of each.
    fn by_rate(&self) -> String {
        let mut ordered: Vec<(f64, &str)> = self
            .known
            .iter()
            .map(|(name, p)| (p.hz(), name.as_str()))
            .collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let mut groups: Vec<(usize, f64, &str)> = Vec::new();
        for (hz, name) in ordered {
            match groups.last_mut() {
                Some((n, first, _)) if same_rate(hz, *first) => *n += 1,
                _ => groups.push((1, hz, name)),
            }
        }
        groups.sort_by_key(|&(n, ..)| std::cmp::Reverse(n));
        let listed = groups
            .iter()
            .take(MAX_LISTED)
            .map(|(n, hz, name)| format!("{n} at {hz} Hz, such as '{name}'"));
        let more = groups.len().saturating_sub(MAX_LISTED);
        let more = if more > 0 {
            format!("; and {more} more rates")
        } else {
            String::new()
        };
        format!("{}{more}", listed.collect::<Vec<_>>().join("; "))
    }
}

/// Labels that end long after their recording ([`ends_late`]).
#[derive(Debug, Clone, Default)]
pub struct LateLabels {
    /// Number of labelled segments.
    pub count: usize,
    /// The first of them, in words.
    pub first: Option<String>,
    recordings: usize,
    of: usize,
}

impl LateLabels {
    /// Adds a recording that has labels: how many of them end late, and the first in words.
    pub fn add(&mut self, count: usize, first: Option<String>) {
        self.count += count;
        self.recordings += usize::from(count > 0);
        self.of += 1;
        self.first = self.first.take().or(first);
    }

    /// Checks that this is rare. `path` and `place` are for the message.
    ///
    /// # Errors
    /// Where more than half of the recordings have such labels.
    pub fn check(&self, path: &Path, place: &str) -> Result<(), DataError> {
        if self.recordings * 2 <= self.of {
            return Ok(());
        }
        let found = format!(
            "{} that end at {LATE_FACTOR} times their recording's end or later, in {} of {} recordings, such as {}",
            self.count,
            self.recordings,
            self.of,
            self.first.as_deref().unwrap_or_default()
        );
        let expected = "labelled segments within their recordings";
        Err(DataError::content(path, place, expected, found).with_hint(Some(UNIT_HINT.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(step_s: f64, n: usize) -> Option<FrameSpacing> {
        FrameSpacing::of(
            &(0..n)
                .map(|k| [k as f64 * step_s, (k + 1) as f64 * step_s])
                .collect::<Vec<_>>(),
        )
    }

    fn corpus(spacings: &[Option<FrameSpacing>]) -> CorpusSpacing {
        let mut all = CorpusSpacing::default();
        spacings
            .iter()
            .enumerate()
            .for_each(|(i, spacing)| all.add(&format!("v{i}"), *spacing));
        all
    }

    /// Words of 0.1 to 0.9 s.
    fn words(n: usize) -> Option<FrameSpacing> {
        let mut t = 0.0;
        let intervals = (0..n).map(|k| {
            let start = t;
            t += 0.1 + 0.8 * ((k * 7919) % 101) as f64 / 101.0;
            [start, t]
        });
        FrameSpacing::of(&intervals.collect::<Vec<_>>())
    }

    #[test]
    fn overlapping_windows_have_the_rate_of_their_starts() {
        let windows: Vec<[f64; 2]> = (0..9)
            .map(|k| [k as f64 * 0.5, k as f64 * 0.5 + 2.0])
            .collect();
        assert_eq!(
            corpus(&[FrameSpacing::of(&windows)]).rate(),
            FrameRate::Regular(2.0)
        );
    }

    #[test]
    fn gaps_and_rounded_times_keep_a_regular_rate() {
        // 87 frames a second, rounded to milliseconds, with a gap.
        let at = |k: usize| (k as f64 * 11.6).round() / 1000.0 + if k > 20 { 0.5 } else { 0.0 };
        let frames: Vec<[f64; 2]> = (0..60).map(|k| [at(k), at(k + 1)]).collect();
        assert!(matches!(
            corpus(&[FrameSpacing::of(&frames)]).rate(),
            FrameRate::Regular(_)
        ));
    }

    #[test]
    fn words_and_single_frames_are_irregular() {
        assert_eq!(corpus(&[words(40), words(30)]).rate(), FrameRate::Irregular);
        assert_eq!(
            corpus(&[every(3.0, 1), every(2.0, 1)]).rate(),
            FrameRate::Irregular
        );
        // Recordings of one frame each, concatenated a second apart in one video.
        let laid = [[0.0, 3.0], [4.0, 7.0], [8.0, 11.0]];
        assert_eq!(FrameSpacing::of(&laid), None);
        assert_eq!(corpus(&[]).rate(), FrameRate::Unknown);
        // Recordings of two words each.
        assert_eq!(
            corpus(&[0.2, 0.3, 0.5, 0.7].map(|s| every(s, 2))).rate(),
            FrameRate::Irregular
        );
        // Short recordings do not change the rate of the others.
        assert_eq!(
            corpus(&[every(0.01, 50), every(0.01, 1), every(0.01, 2)]).rate(),
            FrameRate::Regular(100.0)
        );
        assert!(
            corpus(&[words(40), words(50)])
                .check(Path::new("f"), "")
                .is_ok()
        );
    }

    #[test]
    fn different_rates_are_listed_with_examples() {
        let message = |spacings: &[Option<FrameSpacing>]| {
            corpus(spacings)
                .check(Path::new("f"), "p")
                .unwrap_err()
                .to_string()
        };
        let mixed = [every(0.01, 50), every(0.02, 50), every(0.01, 50)];
        let expected = "f: p: expected recordings with one frame rate (within 1 %), found 2 at 100 Hz, such as 'v0'; 1 at 50 Hz, such as 'v1'; \
                        extract the features of all recordings at one rate, or use separate studies";
        assert_eq!(message(&mixed), expected);
        assert!(
            corpus(&[every(0.01, 50), every(0.010_05, 50)])
                .check(Path::new("f"), "p")
                .is_ok()
        );
        let slow = message(&[every(10.0, 50)]);
        assert!(
            slow.contains(
                "a frame rate of at least 1 Hz, found 0.1 Hz (10 s between frames, as in 'v0')"
            ),
            "{slow}"
        );
        let words: Vec<[f64; 2]> = (0..30)
            .map(|k| (k * k) as f64 * 70.0)
            .collect::<Vec<_>>()
            .windows(2)
            .map(|w| [w[0], w[1]])
            .collect();
        assert!(
            message(&[FrameSpacing::of(&words)]).contains("at most 60 s between frames, found ")
        );
    }

    #[test]
    fn frequent_late_labels_are_refused() {
        assert!(ends_late(4000.0, 20.0) && !ends_late(21.0, 20.0) && !ends_late(0.8, 0.1));
        let mut late = LateLabels::default();
        late.add(1, Some("one".into()));
        late.add(0, None);
        assert!(late.check(Path::new("l"), "").is_ok());
        late.add(2, Some("other".into()));
        let message = late.check(Path::new("l"), "").unwrap_err().to_string();
        assert!(
            message.contains(
                "found 3 that end at 2 times their recording's end or later, in 2 of 3 recordings, such as one; are the"
            ),
            "{message}"
        );
    }
}
