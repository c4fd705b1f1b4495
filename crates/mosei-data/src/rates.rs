//! What rate frames have, and what times can be right together.
//!
//! What lives here: the one rule on rates, which preparing, importing and asking a model go by, and the limits beyond which times are in
//! another unit. What does not: which frame belongs to which segment (`align`).

use crate::DataError;
use crate::align::{EPSILON_S, median};
use std::path::Path;

/// Rates that differ by no more than this share are the same: they are medians of float times.
pub const RATE_TOLERANCE: f64 = 0.01;
/// Slowest rate of frames that follow each other regularly; what is slower is taken for times in another unit.
const LEAST_RATE_HZ: f64 = 1.0;
/// Longest time from frame to frame where it varies, median of a recording: no word or turn is as long.
const MOST_STEP_S: f64 = 60.0;
/// Steps that differ from the median by no more than this share are as usual. Times may be rounded to milliseconds.
const USUAL: f64 = 0.1;
/// Share of the steps that must be as usual where a corpus has a rate.
const REGULAR_SHARE: f64 = 0.5;
/// A pause of this length is a hole, or parts two recordings that were laid out in one video: the step over it says no rate.
const BREAK_S: f64 = 1.0;
/// A label ends far behind its recording where it ends this many times as late, and by more than [`FAR_S`].
const FAR: f64 = 2.0;
const FAR_S: f64 = 1.0;
/// Rates that a message lists.
const LISTED: usize = 4;

/// What to do about times in another unit.
pub(crate) const UNIT_HINT: &str = "are the times in seconds? 'unit' under [features] or [labels] of a mapping file of `mosei-ssl import` says another \
                                    unit (\"ms\", \"us\" or \"ns\")";

/// Whether two rates are the same.
pub fn same_rate(one_hz: f64, other_hz: f64) -> bool {
    (one_hz / other_hz - 1.0).abs() <= RATE_TOLERANCE
}

/// Whether a label ends so far behind its recording that their times are hardly in one unit, or of one recording.
pub(crate) fn is_far_behind(label_end_s: f64, recording_end_s: f64) -> bool {
    label_end_s > FAR * recording_end_s && label_end_s > recording_end_s + FAR_S
}

/// Whether frames follow each other at a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rate {
    /// There is no frame.
    Unknown,
    /// So many a second, rounded to a thousandth, for they come from float times.
    Regular(f64),
    /// The time from frame to frame varies within recordings: words, turns, functionals.
    Irregular,
}

impl Rate {
    /// Frames a second, where there is a rate.
    pub fn hz(self) -> Option<f64> {
        if let Rate::Regular(hz) = self { Some(hz) } else { None }
    }
}

/// How the frames of one recording follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Median time from the start of a frame to that of the next, seconds.
    step_s: f64,
    steps: usize,
    /// Of these, steps that are as usual.
    usual: usize,
}

impl Pace {
    /// That of frames in order of time; `None` where no frame follows another.
    pub fn of(intervals: &[[f64; 2]]) -> Option<Self> {
        let pairs = intervals.windows(2).filter(|w| w[1][0] - w[0][1] < BREAK_S - EPSILON_S);
        let steps: Vec<f64> = pairs.map(|w| w[1][0] - w[0][0]).filter(|step| *step > EPSILON_S).collect();
        let step_s = median(steps.clone())?;
        Some(Pace { step_s, steps: steps.len(), usual: steps.iter().filter(|&&s| is_usual(s, step_s)).count() })
    }

    /// Frames a second.
    pub fn hz(&self) -> f64 {
        in_thousandths(self.step_s)
    }
}

fn is_usual(step: f64, median: f64) -> bool {
    (step / median - 1.0).abs() <= USUAL
}

/// Frames a second, rounded to a thousandth.
fn in_thousandths(step_s: f64) -> f64 {
    (1000.0 / step_s).round() / 1000.0
}

/// How the frames of each recording of a corpus follow each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paces {
    known: Vec<(String, Pace)>,
    /// Recordings in which no frame follows another.
    unknown: usize,
}

impl Paces {
    /// Adds a recording that has frames.
    pub fn add(&mut self, name: &str, pace: Option<Pace>) {
        match pace {
            Some(pace) => self.known.push((name.to_string(), pace)),
            None => self.unknown += 1,
        }
    }

    /// Whether the corpus has a rate: that of its median recording.
    pub fn rate(&self) -> Rate {
        let steps: Vec<f64> = self.known.iter().map(|(_, pace)| pace.step_s).collect();
        let Some(step_s) = median(steps.clone()) else {
            return if self.unknown > 0 { Rate::Irregular } else { Rate::Unknown };
        };
        // The median itself is always as usual, and says nothing.
        let sum = |count: &dyn Fn(&Pace) -> usize| self.known.iter().map(|(_, p)| count(p) - 1).sum::<usize>();
        let (mut usual, mut all) = (sum(&|p| p.usual), sum(&|p| p.steps));
        if all == 0 {
            (usual, all) = (steps.iter().filter(|&&s| is_usual(s, step_s)).count() - 1, steps.len() - 1);
        }
        let varies = (usual as f64) < REGULAR_SHARE * all as f64;
        if varies || self.unknown > self.known.len() { Rate::Irregular } else { Rate::Regular(in_thousandths(step_s)) }
    }

    /// The rate, where it is one and can be right.
    ///
    /// # Errors
    /// Where recordings of regular frames have different rates, naming each with an example; where frames follow each other so slowly
    /// that their times are in another unit.
    pub fn check(&self, path: &Path, place: &str) -> Result<Rate, DataError> {
        let rate = self.rate();
        let fail = |expected: String, found: String, hint: &str| {
            Err(DataError::table(path, place, expected, found).with_hint(Some(hint.to_string())))
        };
        match rate {
            Rate::Regular(hz) if self.known.iter().any(|(_, pace)| !same_rate(pace.hz(), hz)) => fail(
                format!("recordings of one rate (within {} %)", RATE_TOLERANCE * 100.0),
                self.by_rate(),
                "take the features of all recordings at one rate, or study them apart",
            ),
            Rate::Regular(hz) if hz < LEAST_RATE_HZ => {
                let first = self.known.first().map_or("", |(name, _)| name);
                let expected = format!("at least {LEAST_RATE_HZ} frame a second");
                fail(expected, format!("{hz} ({} s from frame to frame, as in '{first}')", 1.0 / hz), UNIT_HINT)
            }
            Rate::Irregular => match self.known.iter().find(|(_, pace)| pace.step_s > MOST_STEP_S) {
                Some((name, pace)) if self.median_step_s() > MOST_STEP_S => {
                    let found = format!("{} s in '{name}'", pace.step_s);
                    fail(format!("at most {MOST_STEP_S} s from frame to frame"), found, UNIT_HINT)
                }
                _ => Ok(rate),
            },
            _ => Ok(rate),
        }
    }

    fn median_step_s(&self) -> f64 {
        median(self.known.iter().map(|(_, pace)| pace.step_s).collect()).unwrap_or(0.0)
    }

    /// How many recordings have which rate, most first, with an example of each.
    fn by_rate(&self) -> String {
        let mut ordered: Vec<(f64, &str)> = self.known.iter().map(|(name, p)| (p.hz(), name.as_str())).collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let mut groups: Vec<(usize, f64, &str)> = Vec::new();
        for (hz, name) in ordered {
            match groups.last_mut() {
                Some((n, first, _)) if same_rate(hz, *first) => *n += 1,
                _ => groups.push((1, hz, name)),
            }
        }
        groups.sort_by_key(|&(n, ..)| std::cmp::Reverse(n));
        let said = groups.iter().take(LISTED).map(|(n, hz, name)| format!("{n} at {hz} Hz, such as '{name}'"));
        let more = groups.len().saturating_sub(LISTED);
        let more = if more > 0 { format!("; and {more} more rates") } else { String::new() };
        format!("{}{more}", said.collect::<Vec<_>>().join("; "))
    }
}

/// Labels that end far behind their recording.
#[derive(Debug, Clone, Default)]
pub(crate) struct FarBehind {
    /// Labelled segments that do.
    pub count: usize,
    /// The first of them, in words.
    pub first: Option<String>,
    recordings: usize,
    of: usize,
}

impl FarBehind {
    /// Adds a recording that has labels: how many of them end far behind it, and the first in words.
    pub fn add(&mut self, count: usize, first: Option<String>) {
        self.count += count;
        self.recordings += usize::from(count > 0);
        self.of += 1;
        self.first = self.first.take().or(first);
    }

    /// # Errors
    /// Where labels of more than half of the recordings do.
    pub fn check(&self, path: &Path, place: &str) -> Result<(), DataError> {
        if self.recordings * 2 <= self.of {
            return Ok(());
        }
        let found = format!(
            "{} that end {FAR} times as late or later, in {} of {} recordings, such as {}",
            self.count,
            self.recordings,
            self.of,
            self.first.as_deref().unwrap_or_default()
        );
        let expected = "labelled segments that end with their recordings";
        Err(DataError::table(path, place, expected, found).with_hint(Some(UNIT_HINT.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(step_s: f64, n: usize) -> Option<Pace> {
        Pace::of(&(0..n).map(|k| [k as f64 * step_s, (k + 1) as f64 * step_s]).collect::<Vec<_>>())
    }

    fn corpus(paces: &[Option<Pace>]) -> Paces {
        let mut all = Paces::default();
        paces.iter().enumerate().for_each(|(i, pace)| all.add(&format!("v{i}"), *pace));
        all
    }

    /// Words of 0.1 to 0.9 s.
    fn words(n: usize) -> Option<Pace> {
        let mut t = 0.0;
        let intervals = (0..n).map(|k| {
            let start = t;
            t += 0.1 + 0.8 * ((k * 7919) % 101) as f64 / 101.0;
            [start, t]
        });
        Pace::of(&intervals.collect::<Vec<_>>())
    }

    #[test]
    fn windows_that_overlap_have_the_rate_of_their_starts() {
        let windows: Vec<[f64; 2]> = (0..9).map(|k| [k as f64 * 0.5, k as f64 * 0.5 + 2.0]).collect();
        assert_eq!(corpus(&[Pace::of(&windows)]).rate(), Rate::Regular(2.0));
    }

    #[test]
    fn holes_and_rounded_times_leave_a_rate() {
        // 87 frames a second, rounded to milliseconds, with a hole.
        let at = |k: usize| (k as f64 * 11.6).round() / 1000.0 + if k > 20 { 0.5 } else { 0.0 };
        let frames: Vec<[f64; 2]> = (0..60).map(|k| [at(k), at(k + 1)]).collect();
        assert!(matches!(corpus(&[Pace::of(&frames)]).rate(), Rate::Regular(_)));
    }

    #[test]
    fn words_and_recordings_of_one_frame_have_no_rate() {
        assert_eq!(corpus(&[words(40), words(30)]).rate(), Rate::Irregular);
        assert_eq!(corpus(&[every(3.0, 1), every(2.0, 1)]).rate(), Rate::Irregular);
        // Recordings of one frame each, laid out a second apart in one video.
        let laid = [[0.0, 3.0], [4.0, 7.0], [8.0, 11.0]];
        assert_eq!(Pace::of(&laid), None);
        assert_eq!(corpus(&[]).rate(), Rate::Unknown);
        // Words in recordings of two each.
        assert_eq!(corpus(&[0.2, 0.3, 0.5, 0.7].map(|s| every(s, 2))).rate(), Rate::Irregular);
        // A short recording beside others takes nothing from their rate.
        assert_eq!(corpus(&[every(0.01, 50), every(0.01, 1), every(0.01, 2)]).rate(), Rate::Regular(100.0));
        assert!(corpus(&[words(40), words(50)]).check(Path::new("f"), "").is_ok());
    }

    #[test]
    fn rates_that_differ_are_counted_with_an_example_each() {
        let said = |paces: &[Option<Pace>]| corpus(paces).check(Path::new("f"), "p").unwrap_err().to_string();
        let mixed = [every(0.01, 50), every(0.02, 50), every(0.01, 50)];
        let expected = "f: p: expected recordings of one rate (within 1 %), found 2 at 100 Hz, such as 'v0'; 1 at 50 Hz, such as 'v1'; \
                        take the features of all recordings at one rate, or study them apart";
        assert_eq!(said(&mixed), expected);
        assert!(corpus(&[every(0.01, 50), every(0.010_05, 50)]).check(Path::new("f"), "p").is_ok());
        let slow = said(&[every(10.0, 50)]);
        assert!(slow.contains("at least 1 frame a second, found 0.1 (10 s from frame to frame, as in 'v0')"), "{slow}");
        let words: Vec<[f64; 2]> =
            (0..30).map(|k| (k * k) as f64 * 70.0).collect::<Vec<_>>().windows(2).map(|w| [w[0], w[1]]).collect();
        assert!(said(&[Pace::of(&words)]).contains("at most 60 s from frame to frame, found "));
    }

    #[test]
    fn labels_behind_their_recordings_are_refused_where_most_are() {
        assert!(is_far_behind(4000.0, 20.0) && !is_far_behind(21.0, 20.0) && !is_far_behind(0.8, 0.1));
        let mut far = FarBehind::default();
        far.add(1, Some("one".into()));
        far.add(0, None);
        assert!(far.check(Path::new("l"), "").is_ok());
        far.add(2, Some("other".into()));
        let said = far.check(Path::new("l"), "").unwrap_err().to_string();
        assert!(
            said.contains("found 3 that end 2 times as late or later, in 2 of 3 recordings, such as one; are the"),
            "{said}"
        );
    }
}
