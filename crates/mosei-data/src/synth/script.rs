//! The segments of a video, their times and emotions: labels with the statistics of MOSEI's.

use super::SynthConfig;
use mosei_schema::Emotion;
use rand::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Exp1, StandardNormal};

/// Share of MOSEI's segments with each emotion, and of these the share that rounds to a class above
/// 0.
const PREVALENCE: [(f64, f64); 6] = [
    (0.536, 0.643),
    (0.258, 0.521),
    (0.215, 0.607),
    (0.0997, 0.304),
    (0.176, 0.535),
    (0.0822, 0.389),
];
/// Standard deviation of a video's tendency towards an emotion, and of a segment's valence, which
/// separates happy from the others, in logits.
const VIDEO_SPREAD: f64 = 1.0;
const VALENCE_SPREAD: f64 = 0.7;
const LONGEST_S: f64 = 109.4;
const SHORTEST_S: f64 = 0.12;

/// The script of one video.
pub(super) struct Script {
    /// Labelled segments in order of rows, which may differ from the order of time.
    segments: Vec<Segment>,
    /// Stretches of unlabelled speech, with emotions that are in no file.
    unlabelled: Vec<Segment>,
    /// Frames of the recording, at 100 Hz.
    pub frames: usize,
}

/// Whether an emotion is in a video.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Presence {
    /// As drawn.
    #[default]
    Any,
    /// Neither in nor between segments.
    Never,
    /// In at least one labelled segment.
    Always,
}

struct Segment {
    interval: [f64; 2],
    intensities: [f32; 6],
}

impl Script {
    pub fn draw(config: &SynthConfig, segments: usize, random: &mut impl Rng) -> Self {
        let tendency: [f64; 6] = std::array::from_fn(|_| VIDEO_SPREAD * normal(random));
        let spread = config.length_spread;
        let mut script = Script {
            segments: Vec::new(),
            unlabelled: Vec::new(),
            frames: 0,
        };
        // One video in fourteen starts before its recording.
        let mut start = if random.random_bool(0.073) {
            -random.random_range(0.001..0.3)
        } else {
            2.0 * config.mean_gap_s * random.sample::<f64, _>(Exp1)
        };
        for _ in 0..segments {
            let length = config.median_segment_s * (spread * normal(random)).exp();
            let interval = [start, start + length.clamp(SHORTEST_S, LONGEST_S)].map(to_millisecond);
            script.segments.push(Segment {
                interval,
                intensities: intensities(&tendency, random),
            });
            // Two thirds of neighbours overlap, by two thirds of a second in the median.
            start = if random.random_bool(0.68) {
                let overlap: f64 = 0.67 * (0.5 * normal(random)).exp();
                interval[1] - overlap.min(0.5 * (interval[1] - interval[0]))
            } else {
                interval[1] + config.mean_gap_s * random.sample::<f64, _>(Exp1)
            };
        }
        let mut ends: f64 = script
            .segments
            .iter()
            .map(|s| s.interval[1])
            .fold(0.0, f64::max);
        let mut clock = 0.0;
        for segment in &script.segments {
            if segment.interval[0] > clock {
                let interval = [clock, segment.interval[0]];
                script.unlabelled.push(Segment {
                    interval,
                    intensities: intensities(&tendency, random),
                });
            }
            clock = segment.interval[1].max(clock);
        }
        let tail = ends + config.mean_gap_s * random.sample::<f64, _>(Exp1);
        script.unlabelled.push(Segment {
            interval: [ends, tail],
            intensities: intensities(&tendency, random),
        });
        ends = tail;
        // One recording in a hundred ends before its last segment starts.
        if segments > 1 && random.random_bool(0.01) {
            ends = script.segments[segments - 1].interval[0];
        }
        script.frames = ((ends * 100.0).ceil() as usize).max(20);
        if random.random_bool(0.4) {
            script.segments.shuffle(random);
        }
        script
    }

    /// Removes the emotions that the video must not have, and adds those that it must have and
    /// lacks to its earliest segment.
    ///
    /// Nothing is drawn again, so that a corpus differs from one without such rules in these
    /// emotions alone.
    pub fn enforce(&mut self, presence: [Presence; 6]) {
        for (e, presence) in presence.into_iter().enumerate() {
            match presence {
                Presence::Any => {}
                Presence::Never => {
                    self.segments
                        .iter_mut()
                        .chain(&mut self.unlabelled)
                        .for_each(|s| s.intensities[e] = 0.0);
                }
                Presence::Always if self.segments.iter().any(|s| s.intensities[e] > 0.0) => {}
                Presence::Always => {
                    let earliest = self
                        .segments
                        .iter_mut()
                        .min_by(|a, b| a.interval[0].total_cmp(&b.interval[0]));
                    earliest.into_iter().for_each(|s| s.intensities[e] = 1.0);
                }
            }
        }
    }

    /// Values `[rows, 7]` (sentiment, then the emotions) and intervals `[rows]` of the labelled
    /// segments.
    pub fn label_rows(&self) -> (Vec<f32>, Vec<[f64; 2]>) {
        let values = self
            .segments
            .iter()
            .flat_map(|s| std::iter::once(sentiment(&s.intensities)).chain(s.intensities));
        (
            values.collect(),
            self.segments.iter().map(|s| s.interval).collect(),
        )
    }

    /// Intensities of every frame; where segments overlap, the stronger ones.
    pub fn intensities(&self) -> Vec<[f32; 6]> {
        let mut course = vec![[0f32; 6]; self.frames];
        for segment in self.segments.iter().chain(&self.unlabelled) {
            let [first, past] = segment
                .interval
                .map(|t| ((t * 100.0).max(0.0) as usize).min(self.frames));
            for frame in &mut course[first..past] {
                frame
                    .iter_mut()
                    .zip(segment.intensities)
                    .for_each(|(a, b)| *a = a.max(b));
            }
        }
        course
    }
}

fn intensities(tendency: &[f64; 6], random: &mut impl Rng) -> [f32; 6] {
    let valence = VALENCE_SPREAD * normal(random);
    let spread = VIDEO_SPREAD.powi(2) + VALENCE_SPREAD.powi(2);
    // The mean of a logistic of a normal is about a logistic of its scaled mean (MacKay 1992); the
    // scale is undone here, to obtain the intended shares.
    let scale = (1.0 + std::f64::consts::PI * spread / 8.0).sqrt();
    std::array::from_fn(|e| {
        let (share, strong) = PREVALENCE[e];
        let side = if Emotion::ALL[e] == Emotion::Happy {
            valence
        } else {
            -valence
        };
        let logit = scale * (share / (1.0 - share)).ln() + tendency[e] + side;
        if random.random::<f64>() >= 1.0 / (1.0 + (-logit).exp()) {
            return 0.0;
        }
        let sixths = if random.random::<f64>() >= strong {
            // Rounds to 0: one rater of three, or sometimes one of six.
            if random.random_bool(0.03) { 1 } else { 2 }
        } else {
            let mut sixths = 4;
            while sixths < 18 && random.random_bool(0.5) {
                sixths += 2;
            }
            if random.random_bool(0.03) {
                sixths - 1
            } else {
                sixths
            }
        };
        sixths as f32 / 6.0
    })
}

/// Sentiment in thirds, from the valence of the emotions.
fn sentiment(intensities: &[f32; 6]) -> f32 {
    let of = |e: Emotion| intensities[e as usize];
    let raw =
        of(Emotion::Happy) - 0.6 * (of(Emotion::Sad) + of(Emotion::Anger) + of(Emotion::Disgust));
    ((raw * 3.0).round() / 3.0).clamp(-3.0, 3.0)
}

fn normal(random: &mut impl Rng) -> f64 {
    random.sample(StandardNormal)
}

fn to_millisecond(t: f64) -> f64 {
    (t * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use run_record::seed::{Stream, rng};

    #[test]
    fn emotions_have_the_statistics_of_mosei() {
        let (mut present, mut above, mut any, mut n) = ([0.0; 6], [0.0; 6], 0.0, 0.0);
        for video in 0..3000 {
            let script = Script::draw(
                &SynthConfig::default(),
                7,
                &mut rng(1, Stream::Synth, video),
            );
            for segment in &script.segments {
                n += 1.0;
                any += f64::from(u8::from(segment.intensities.iter().any(|&x| x > 0.0)));
                for (e, &x) in segment.intensities.iter().enumerate() {
                    assert!((0.0..=3.0).contains(&x));
                    present[e] += f64::from(u8::from(x > 0.0));
                    above[e] += f64::from(mosei_schema::intensity_class(x.into()).min(1));
                }
            }
        }
        for (e, (share, strong)) in PREVALENCE.into_iter().enumerate() {
            let found = present[e] / n;
            assert!((found - share).abs() < 0.02, "{e}: {found} of {share}");
            assert!((above[e] / present[e] - strong).abs() < 0.03, "{e}");
        }
        assert!((any / n - 0.85).abs() < 0.03, "{}", any / n);
    }

    #[test]
    fn frame_intensities_follow_the_segments() {
        let loud = |start, end, x| Segment {
            interval: [start, end],
            intensities: [x, 0.0, 0.0, 0.0, 0.0, 0.0],
        };
        let script = Script {
            segments: vec![loud(0.1, 0.3, 1.0), loud(-0.5, 0.2, 2.0)],
            unlabelled: vec![],
            frames: 25,
        };
        let course: Vec<f32> = script.intensities().iter().map(|f| f[0]).collect();
        assert_eq!(course[..20], [2.0; 20]);
        assert_eq!(course[20..], [1.0; 5]);
    }
}
