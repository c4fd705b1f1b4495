//! Properties of all masks.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use ssl_mask::{HiddenFrames, MaskConfig, MaskShape, Masker, Replacement, Treatment};

fn config() -> impl Strategy<Value = MaskConfig> {
    let shapes = prop::sample::select(vec![
        MaskShape::Independent,
        MaskShape::Span,
        MaskShape::Geometric,
    ]);
    let replacements = prop::sample::select(vec![
        Replacement::Zero,
        Replacement::Learned,
        Replacement::OtherFrame,
        Replacement::Mixed,
    ]);
    (0.01..0.99, shapes, 1usize..30, replacements).prop_map(
        |(ratio, shape, span_frames, replacement)| MaskConfig {
            ratio: if shape == MaskShape::Geometric {
                f64::min(ratio, 0.5)
            } else {
                ratio
            },
            shape,
            span_frames,
            replacement,
            ..MaskConfig::default()
        },
    )
}

fn draw(config: &MaskConfig, frames: usize, seed: u64) -> HiddenFrames {
    Masker::new(config)
        .unwrap()
        .draw(frames, &mut ChaCha12Rng::seed_from_u64(seed))
}

proptest! {
    #[test]
    fn some_but_not_all_frames_are_masked(config in config(), frames in 1usize..600, seed: u64) {
        let hidden = draw(&config, frames, seed);
        prop_assert!(!hidden.frames().is_empty());
        prop_assert!(frames == 1 || hidden.frames().len() < frames);
        prop_assert!(hidden.frames().windows(2).all(|w| w[0] < w[1]));
        prop_assert!(hidden.frames().iter().all(|&f| f < frames));
        for (&frame, &treatment) in hidden.frames().iter().zip(hidden.treatments()) {
            if let Treatment::Other(from) = treatment {
                prop_assert!(from < frames && from != frame);
            }
        }
    }

    #[test]
    fn the_generator_determines_the_mask(config in config(), frames in 1usize..600, seed: u64) {
        prop_assert_eq!(draw(&config, frames, seed), draw(&config, frames, seed));
    }

    #[test]
    fn independent_masks_have_the_exact_ratio(mut config in config(), frames in 2usize..600, seed: u64) {
        config.shape = MaskShape::Independent;
        let expected = ((config.ratio * frames as f64).round() as usize).clamp(1, frames - 1);
        prop_assert_eq!(draw(&config, frames, seed).frames().len(), expected);
    }

    #[test]
    fn fixed_spans_have_the_configured_length(mut config in config(), frames in 300usize..600, seed: u64) {
        config.shape = MaskShape::Span;
        config.ratio = config.ratio.max(0.1);
        let hidden = draw(&config, frames, seed);
        // Spans may touch, so the length of every masked run is a multiple of the span length.
        let mut run = 0;
        let mut last = None;
        for &frame in hidden.frames() {
            if last.is_some_and(|l| frame != l + 1) {
                prop_assert_eq!(run % config.span_frames, 0);
                run = 0;
            }
            run += 1;
            last = Some(frame);
        }
        prop_assert_eq!(run % config.span_frames, 0);
    }
}

#[test]
fn every_frame_is_masked_equally_often() {
    // A frame is masked in a fraction `ratio` of all draws; the middle frames of a long segment
    // show no edge effects.
    for shape in [
        MaskShape::Independent,
        MaskShape::Span,
        MaskShape::Geometric,
    ] {
        let masker = Masker::new(&MaskConfig {
            shape,
            ..MaskConfig::default()
        })
        .unwrap();
        let mut rng = ChaCha12Rng::seed_from_u64(5);
        let draws = 4000;
        let mut count = 0;
        for _ in 0..draws {
            count += masker
                .draw(140, &mut rng)
                .frames()
                .iter()
                .filter(|&&f| (50..90).contains(&f))
                .count();
        }
        let share = count as f64 / (draws * 40) as f64;
        assert!((share - 0.15).abs() < 0.008, "{shape:?}: {share}");
    }
}

#[test]
fn short_segments_have_about_the_same_ratio() {
    for shape in [
        MaskShape::Independent,
        MaskShape::Span,
        MaskShape::Geometric,
    ] {
        let masker = Masker::new(&MaskConfig {
            shape,
            ..MaskConfig::default()
        })
        .unwrap();
        let mut rng = ChaCha12Rng::seed_from_u64(5);
        for frames in [5, 10, 20, 40] {
            let hidden: usize = (0..4000)
                .map(|_| masker.draw(frames, &mut rng).frames().len())
                .sum();
            let share = hidden as f64 / (4000 * frames) as f64;
            // One frame of five is already 20 %; geometric spans deviate most.
            assert!(
                (0.12..0.27).contains(&share),
                "{shape:?}, {frames} frames: {share}"
            );
        }
    }
}

#[test]
fn geometric_runs_have_the_configured_mean_length() {
    let config = MaskConfig {
        shape: MaskShape::Geometric,
        span_frames: 5,
        ..MaskConfig::default()
    };
    let hidden = draw(&config, 200_000, 3);
    let runs = 1 + hidden
        .frames()
        .windows(2)
        .filter(|w| w[1] != w[0] + 1)
        .count();
    let mean = hidden.frames().len() as f64 / runs as f64;
    assert!((mean - 5.0).abs() < 0.25, "{mean}");
}

#[test]
fn the_mix_is_80_10_10() {
    let config = MaskConfig {
        replacement: Replacement::Mixed,
        ratio: 0.5,
        ..MaskConfig::default()
    };
    let hidden = draw(&config, 100_000, 3);
    let share = |of: fn(&Treatment) -> bool| {
        hidden.treatments().iter().filter(|t| of(t)).count() as f64
            / hidden.treatments().len() as f64
    };
    assert!((share(|t| matches!(t, Treatment::Zero)) - 0.8).abs() < 0.01);
    assert!((share(|t| matches!(t, Treatment::Other(_))) - 0.1).abs() < 0.01);
    assert!((share(|t| matches!(t, Treatment::Keep)) - 0.1).abs() < 0.01);
}

#[test]
fn invalid_settings_are_rejected_by_key() {
    for (config, key) in [
        (
            MaskConfig {
                ratio: 0.0,
                ..MaskConfig::default()
            },
            "ratio",
        ),
        (
            MaskConfig {
                ratio: 1.0,
                ..MaskConfig::default()
            },
            "ratio",
        ),
        (
            MaskConfig {
                ratio: f64::NAN,
                ..MaskConfig::default()
            },
            "ratio",
        ),
        (
            MaskConfig {
                ratio: 0.8,
                shape: MaskShape::Geometric,
                span_frames: 3,
                ..MaskConfig::default()
            },
            "ratio",
        ),
        (
            MaskConfig {
                span_frames: 0,
                ..MaskConfig::default()
            },
            "span_frames",
        ),
    ] {
        assert_eq!(Masker::new(&config).unwrap_err().key, key);
    }
    assert!(serde_json::from_str::<MaskConfig>(r#"{"ration": 0.2}"#).is_err());
}
