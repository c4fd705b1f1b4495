//! From values to pixels, and the ticks of an axis.

use crate::numbers::fixed;

/// One axis: its range in data and its ticks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Value and label of each tick.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis over all `values`, from a tick to a tick. `None` where there is no value.
    pub fn linear(values: impl IntoIterator<Item = f64>, target_ticks: usize) -> Option<Self> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|v| v.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return None;
        }
        // A single value gets room around it, in proportion to its size.
        let room = if high - low > 1e-9 * low.abs().max(high.abs()) {
            0.0
        } else {
            (0.05 * low.abs()).max(0.01)
        };
        let step = nice_step((high - low + 2.0 * room) / target_ticks.max(1) as f64);
        // Slack for values that miss their tick by rounding alone.
        let first = ((low - room) / step + 1e-9).floor();
        let last = ((high + room) / step - 1e-9).ceil();
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let decimals = decimals + usize::from(has_another_digit(step, decimals));
        let count = (last - first).clamp(1.0, 100.0) as usize;
        let ticks = (0..=count)
            .map(|i| (first + i as f64) * step)
            .map(|v| (v, fixed(v, decimals)))
            .collect();
        Some(Axis {
            low: first * step,
            high: (first + count as f64) * step,
            log: false,
            ticks,
        })
    }

    /// A logarithmic axis with a tick at each of `at`, and a little room at both ends. `None`
    /// without ticks.
    pub fn log(at: &[(f64, String)]) -> Option<Self> {
        let ticks: Vec<(f64, String)> = at
            .iter()
            .map(|(v, label)| (positive(*v), label.clone()))
            .collect();
        let low = ticks.iter().map(|t| t.0).fold(f64::INFINITY, f64::min);
        let high = ticks.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return None;
        }
        let room = (high / low).powf(0.06).max(1.25);
        Some(Axis {
            low: low / room,
            high: high * room,
            log: true,
            ticks,
        })
    }

    /// A logarithmic axis over all `values`, which are above 0, with round ticks as `label` writes
    /// them and a little room at both ends. `None` without values or where one is not above 0.
    pub fn log_over(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64) -> String,
    ) -> Option<Self> {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values {
            if !value.is_finite() || value <= 0.0 {
                return None;
            }
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return None;
        }
        let room = (high / low).max(2.0).powf(0.06);
        let (low, high) = (low / room, high * room);
        let ticks = round_values(low, high)
            .into_iter()
            .map(|tick| (tick, label(tick)))
            .collect();
        Some(Axis {
            low,
            high,
            log: true,
            ticks,
        })
    }

    /// The pixel of `value` between the pixels `from` (the low end) and `to`.
    pub fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        let share = if self.log {
            (positive(value) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        from + share * (to - from)
    }

    /// The ticks whose labels fit beside each other between `from` and `to` where a character takes
    /// `char_px`: the last one always, then from the first those that touch no label taken before.
    pub fn labelled(&self, from: f64, to: f64, char_px: f64) -> Vec<&(f64, String)> {
        let half = |label: &str| label.chars().count() as f64 * char_px / 2.0 + char_px / 2.0;
        let Some((last, rest)) = self.ticks.split_last() else {
            return Vec::new();
        };
        let limit = self.place(last.0, from, to) - half(&last.1);
        let (mut taken, mut end) = (Vec::new(), f64::NEG_INFINITY);
        for tick in rest {
            let (at, half) = (self.place(tick.0, from, to), half(&tick.1));
            if at - half >= end && at + half <= limit {
                taken.push(tick);
                end = at + half;
            }
        }
        taken.push(last);
        taken
    }
}

/// A value with a logarithm: a budget without labels stands at the left end.
fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 0.5 }
}

/// Round values between `low` and `high` on a logarithmic axis: the finest of a few steps that
/// gives at most seven.
fn round_values(low: f64, high: f64) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let marks = |steps: &[f64]| -> Vec<f64> {
        let all = decades
            .clone()
            .flat_map(|d| steps.iter().map(move |s| s * 10f64.powi(d)));
        all.filter(|value| (low..=high).contains(value)).collect()
    };
    let fine = [
        1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0,
    ];
    let choices = [
        marks(&fine),
        marks(&[1.0, 2.0, 5.0]),
        marks(&[1.0, 3.0]),
        marks(&[1.0]),
    ];
    choices
        .into_iter()
        .find(|ticks| ticks.len() <= 7)
        .unwrap_or_default()
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|f| f * power >= step * (1.0 - 1e-9))
        .unwrap_or(10.0);
    factor * power
}

/// Whether `step` needs one decimal more than its first digit, as 0.25 does.
fn has_another_digit(step: f64, decimals: usize) -> bool {
    let scaled = step * 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    (scaled - scaled.round()).abs() > 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, n: usize) -> String {
        let axis = Axis::linear([low, high], n).unwrap();
        axis.ticks
            .iter()
            .map(|t| t.1.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn ticks_are_round_numbers_that_enclose_the_values() {
        assert_eq!(labels(0.583, 0.757, 5), "0.55 0.60 0.65 0.70 0.75 0.80");
        assert_eq!(labels(0.0, 1.0, 4), "0.00 0.25 0.50 0.75 1.00");
        assert_eq!(
            labels(-0.03, 0.04, 4),
            "\u{2212}0.04 \u{2212}0.02 0.00 0.02 0.04"
        );
        assert_eq!(labels(0.0, 4000.0, 4), "0 1000 2000 3000 4000");
        assert_eq!(labels(0.1, 0.7, 3), "0.0 0.2 0.4 0.6 0.8");
    }

    #[test]
    fn a_single_value_stands_inside() {
        for value in [0.0, 0.5, -3.0, 1e6] {
            let axis = Axis::linear([value], 4).unwrap();
            assert!(axis.low < value && value < axis.high, "{axis:?}");
        }
        assert_eq!(Axis::linear([], 4), None);
        assert_eq!(Axis::linear([f64::NAN], 4), None);
    }

    #[test]
    fn equal_ratios_take_equal_room() {
        let axis = Axis::log(&[10.0, 100.0, 1000.0].map(|x| (x, format!("{x}")))).unwrap();
        let place = |x| axis.place(x, 0.0, 300.0);
        assert!((place(100.0) - 150.0).abs() < 1e-9);
        assert!(place(10.0) > 5.0 && place(1000.0) < 295.0);
        assert!(axis.place(0.0, 0.0, 300.0).is_finite());
    }

    #[test]
    fn ticks_of_a_logarithmic_axis_are_round_and_few() {
        for (low, high) in [
            (100.0, 1600.0),
            (0.003, 900.0),
            (40.0, 55.0),
            (1e3, 1e7),
            (111.0, 185.0),
        ] {
            let axis = Axis::log_over([low, high], |tick| tick.to_string()).unwrap();
            assert!(
                (2..=7).contains(&axis.ticks.len()),
                "{low} to {high}: {:?}",
                axis.ticks
            );
            // Near the ends, also below 1.
            let [first, last] = [low, high].map(|value| axis.place(value, 0.0, 100.0));
            assert!(
                (1.0..12.0).contains(&first) && (88.0..99.0).contains(&last),
                "{low} to {high}"
            );
        }
        assert_eq!(Axis::log_over([], |tick| tick.to_string()), None);
        assert_eq!(Axis::log_over([0.0, 1.0], |tick| tick.to_string()), None);
    }

    #[test]
    fn a_single_budget_stands_in_the_middle() {
        let axis = Axis::log(&[(24.0, "24".into())]).unwrap();
        assert!((axis.place(24.0, 0.0, 100.0) - 50.0).abs() < 1e-9);
        assert_eq!(Axis::log(&[]), None);
    }

    #[test]
    fn labels_that_would_overlap_are_left_out_but_never_the_last() {
        let at = [10.0, 11.0, 12.0, 100.0, 990.0, 1000.0].map(|x| (x, format!("{x}")));
        let axis = Axis::log(&at).unwrap();
        let taken: Vec<&str> = axis
            .labelled(0.0, 300.0, 6.0)
            .iter()
            .map(|t| t.1.as_str())
            .collect();
        assert_eq!(taken, ["10", "100", "1000"]);
    }
}
