//! Features that follow the script.
//!
//! Each emotion has an oscillator: a damped, noisy rotation about the origin. The emotion's
//! intensity increases its frequency and couples it to a slow factor that other columns show.
//! Neither changes any variance, and means shift only slightly: the emotion must be inferred from
//! the dynamics, which a model learns by reconstructing masked frames.

use super::SynthConfig;
use super::script::Script;
use mosei_schema::COVAREP_COLUMNS;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use run_record::seed::{Stream, rng_named};

const EMOTIONS: usize = 6;
const SLOW: usize = 4;
/// Two coordinates per oscillator, and the slow factors.
const FACTORS: usize = 2 * EMOTIONS + SLOW;
const COLUMNS: usize = COVAREP_COLUMNS.len();
/// Frequencies of the six oscillators at rest, Hz.
const REST_HZ: [f32; EMOTIONS] = [0.5, 0.7, 0.9, 1.1, 1.3, 1.6];
/// Time constants of an oscillator and of a slow factor, seconds.
const OSCILLATOR_S: f32 = 1.5;
const SLOW_S: f32 = 0.8;
/// Frames at both ends of a recording that COVAREP leaves 0.
const EDGE_FRAMES: usize = 5;

/// What all videos of a corpus share: the mixing of factors into columns.
pub(super) struct Voice {
    config: SynthConfig,
    /// `[COLUMNS][FACTORS]`, rows of length 1.
    mixing: Vec<[f32; FACTORS]>,
    /// Shift of a column's mean per unit of each emotion, in standard deviations.
    levels: Vec<[f32; EMOTIONS]>,
}

impl Voice {
    pub fn new(config: &SynthConfig) -> Self {
        let mut random = rng_named(config.seed, Stream::Synth, "voice");
        let unit = |random: &mut dyn Rng| -> [f32; FACTORS] {
            let row: [f32; FACTORS] = std::array::from_fn(|_| random.sample(StandardNormal));
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.map(|x| x / length)
        };
        let mixing = (0..COLUMNS).map(|_| unit(&mut random)).collect();
        let level = config.level as f32;
        let levels = (0..COLUMNS)
            .map(|_| {
                std::array::from_fn(|_| {
                    if random.random::<bool>() {
                        level
                    } else {
                        -level
                    }
                })
            })
            .collect();
        Voice {
            config: config.clone(),
            mixing,
            levels,
        }
    }

    /// Writes the frames `[script.frames, 74]` of one video to `out`.
    pub fn speak(&self, script: &Script, random: &mut impl Rng, out: &mut Vec<f32>) {
        let offsets: [f32; COLUMNS] = std::array::from_fn(|_| {
            self.config.speaker as f32 * random.sample::<f32, _>(StandardNormal)
        });
        let noise = self.config.noise as f32;
        let mut factors = Factors::new(self.config.signal as f32, random);
        out.clear();
        out.reserve(script.frames * COLUMNS);
        for (k, intensities) in script.intensities().iter().enumerate() {
            let shown = factors.step(intensities, random);
            if k < EDGE_FRAMES || k + EDGE_FRAMES >= script.frames {
                out.extend([0.0; COLUMNS]);
                continue;
            }
            let mut row: [f32; COLUMNS] = std::array::from_fn(|c| {
                let moved: f32 = self.mixing[c].iter().zip(&shown).map(|(w, f)| w * f).sum();
                let level: f32 = self.levels[c]
                    .iter()
                    .zip(intensities)
                    .map(|(w, a)| w * a)
                    .sum();
                offsets[c] + moved + level + noise * random.sample::<f32, _>(StandardNormal)
            });
            to_covarep(&mut row, random);
            out.extend(row.map(round_mantissa));
        }
    }
}

/// The latent state, in steps of 10 ms; every factor has variance 1.
struct Factors {
    signal: f32,
    oscillators: [[f32; 2]; EMOTIONS],
    slow: [f32; SLOW],
}

impl Factors {
    fn new(signal: f32, random: &mut impl Rng) -> Self {
        let oscillators =
            std::array::from_fn(|_| std::array::from_fn(|_| random.sample(StandardNormal)));
        Factors {
            signal,
            oscillators,
            slow: std::array::from_fn(|_| random.sample(StandardNormal)),
        }
    }

    fn step(&mut self, intensities: &[f32; EMOTIONS], random: &mut impl Rng) -> [f32; FACTORS] {
        let keep = (-0.01 / SLOW_S).exp();
        for s in &mut self.slow {
            *s = keep * *s + (1.0 - keep * keep).sqrt() * random.sample::<f32, _>(StandardNormal);
        }
        let keep = (-0.01 / OSCILLATOR_S).exp();
        let push = (1.0 - keep * keep).sqrt();
        let mut shown = [0.0; FACTORS];
        for (e, point) in self.oscillators.iter_mut().enumerate() {
            let strength = self.signal * intensities[e];
            let turn = std::f32::consts::TAU * 0.01 * REST_HZ[e] * (1.0 + 0.6 * strength);
            let (sin, cos) = turn.sin_cos();
            let [x, y] = *point;
            *point = [
                keep * (cos * x - sin * y) + push * random.sample::<f32, _>(StandardNormal),
                keep * (sin * x + cos * y) + push * random.sample::<f32, _>(StandardNormal),
            ];
            let tie = (0.25 * strength).min(0.7);
            shown[2 * e] = (1.0 - tie * tie).sqrt() * point[0] + tie * self.slow[e % SLOW];
            shown[2 * e + 1] = point[1];
        }
        shown[2 * EMOTIONS..].copy_from_slice(&self.slow);
        shown
    }
}

/// Converts standard units to the units and peculiarities of COVAREP's columns.
fn to_covarep(row: &mut [f32; COLUMNS], random: &mut impl Rng) {
    const BEGIN: [(f32, f32); 11] = [
        (150.0, 40.0), // F0, Hz
        (0.0, 1.0),    // VUV, decided below
        (0.1, 0.03),   // NAQ
        (0.3, 0.1),    // QOQ
        (3.0, 5.0),    // H1H2, dB
        (0.3, 0.1),    // PSP
        (0.1, 0.03),   // MDQ
        (-0.3, 0.08),  // peakSlope
        (1.2, 0.3),    // Rd
        (0.6, 0.1),    // Rd_conf
        (0.1, 0.05),   // creak
    ];
    let voiced = row[1] > -0.4;
    for (c, x) in row.iter_mut().enumerate() {
        let (mean, std) = match c {
            c if c < 11 => BEGIN[c],
            11 => (-2.0, 2.0),
            c if c < 36 => (0.0, 1.0 / ((c - 10) as f32).sqrt()),
            36 | 37 => (0.0, 0.0), // HMPDM_0 and HMPDM_1 are always 0
            c if c < 61 => (1.0, 0.4),
            _ => (0.3, 0.15),
        };
        *x = mean + std * *x;
    }
    row[0] = row[0].max(50.0);
    row[1] = f32::from(u8::from(voiced));
    row[10] = row[10].clamp(0.0, 1.0);
    if random.random_bool(if voiced { 0.0005 } else { 0.01 }) {
        row[7] = f32::NEG_INFINITY;
    }
}

/// Rounds to 11 bits of mantissa, which compress better; infinities stay.
fn round_mantissa(x: f32) -> f32 {
    if !x.is_finite() {
        return x;
    }
    f32::from_bits((x.to_bits() + 0x800) & !0xfff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variance and lagged correlation of the first oscillator, and its correlation with its slow
    /// factor.
    fn movement(happy: f32) -> [f64; 3] {
        let mut random = rng_named(5, Stream::Synth, "movement");
        let mut factors = Factors::new(1.0, &mut random);
        let mut intensities = [0.0; EMOTIONS];
        intensities[0] = happy;
        let course: Vec<[f32; FACTORS]> = (0..400_000)
            .map(|_| factors.step(&intensities, &mut random))
            .collect();
        let mean = |f: &dyn Fn(usize) -> f32| {
            let n = course.len() - 20;
            (0..n).map(|k| f64::from(f(k))).sum::<f64>() / n as f64
        };
        [
            mean(&|k| course[k][0] * course[k][0]),
            mean(&|k| course[k][0] * course[k + 20][0]),
            mean(&|k| course[k][0] * course[k][2 * EMOTIONS]),
        ]
    }

    #[test]
    fn emotion_changes_the_dynamics_but_not_the_variance() {
        let ([still, still_lag, still_tie], [moved, moved_lag, moved_tie]) =
            (movement(0.0), movement(3.0));
        assert!(
            (still - 1.0).abs() < 0.1 && (moved - 1.0).abs() < 0.1,
            "{still} {moved}"
        );
        assert!(still_lag - moved_lag > 0.3, "{still_lag} {moved_lag}");
        assert!(moved_tie - still_tie > 0.5, "{still_tie} {moved_tie}");
    }

    #[test]
    fn rounding_keeps_eleven_bits_and_infinities() {
        assert_eq!(round_mantissa(f32::NEG_INFINITY), f32::NEG_INFINITY);
        for x in [1.234_567_8, -987.654_3, 1e-7, 0.0] {
            assert!((round_mantissa(x) - x).abs() <= x.abs() / 4096.0);
            assert_eq!(round_mantissa(x).to_bits() & 0xfff, 0);
        }
    }
}
