//! Colour, marker and dash of each start: the same in every figure, distinguishable without colour
//! as well.
//!
//! The colours are those of Okabe and Ito, chosen for readers who see few colours; in the dark some
//! give way to lighter ones of the same set.

use crate::drawing::shape::Ink;
use mosei_schema::Start;

/// Distinct looks; further starts share the last.
pub(crate) const SLOTS: usize = LIGHT.len();

/// Colours on a light ground, by slot.
pub(crate) const LIGHT: [&str; 8] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#A87400", "#2E86B8", "#7A7A00", "#555555",
];
/// Colours on a dark ground, by slot.
pub(crate) const DARK: [&str; 8] = [
    "#56B4E9", "#F0772B", "#1FC295", "#DE9BC0", "#E69F00", "#9AD4F5", "#F0E442", "#BBBBBB",
];

/// The colours of everything that is no series, of one scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ground {
    pub ink: &'static str,
    pub soft: &'static str,
    pub grid: &'static str,
    pub surface: &'static str,
}

impl Ground {
    pub const LIGHT: Ground = Ground {
        ink: "#1b1f24",
        soft: "#57606a",
        grid: "#dde1e6",
        surface: "#ffffff",
    };
    pub const DARK: Ground = Ground {
        ink: "#e8eaed",
        soft: "#a5adb8",
        grid: "#2f363f",
        surface: "#161a1f",
    };

    /// The colour of an ink; for a series its colour on light ground.
    pub fn colour(&self, ink: Ink) -> &'static str {
        match ink {
            Ink::Strong => self.ink,
            Ink::Soft => self.soft,
            Ink::Grid => self.grid,
            Ink::Surface => self.surface,
            Ink::Slot(slot) => LIGHT[slot.min(SLOTS - 1)],
        }
    }
}

/// Dashes of the line, by slot; empty is solid.
pub(crate) const DASHES: [&str; 8] = ["", "7 3", "2 3", "9 3 2 3", "5 2", "12 3", "3 2", "1 3"];

/// The marker at a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Plus,
    Cross,
    Bar,
}

/// Markers, by slot.
pub(crate) const MARKERS: [Marker; 8] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::TriangleDown,
    Marker::Plus,
    Marker::Cross,
    Marker::Bar,
];

/// The starts whose looks are fixed, in the order of their slots.
const FIXED: [Start; 7] = [
    Start::Ssl,
    Start::Scratch,
    Start::Frozen,
    Start::RandomFrozen,
    Start::SslShuffled,
    Start::SslTransductive,
    Start::PooledLogistic,
];

/// The slot of each start: its own for those of the study, the following ones for others in their
/// order.
pub(crate) fn slots(starts: &[String]) -> Vec<usize> {
    let mut next = FIXED.len();
    let slot = |start: &String| {
        FIXED
            .iter()
            .position(|f| f.name() == start)
            .unwrap_or_else(|| {
                next += 1;
                (next - 1).min(SLOTS - 1)
            })
    };
    starts.iter().map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, slots};
    use mosei_schema::Start;

    #[test]
    fn the_usual_starts_keep_their_looks_whatever_the_order() {
        let starts = [
            "control",
            "frozen",
            "ssl",
            "other",
            "scratch",
            "random-frozen",
        ]
        .map(String::from);
        assert_eq!(slots(&starts), [7, 2, 0, 7, 1, 3]);
    }

    #[test]
    fn every_start_has_looks_of_its_own() {
        let starts: Vec<String> = Start::ALL.iter().map(Start::to_string).collect();
        let found: std::collections::BTreeSet<usize> = slots(&starts).into_iter().collect();
        assert_eq!(found, (0..Start::ALL.len()).collect());
    }

    #[test]
    fn more_starts_than_looks_share_the_last() {
        let starts: Vec<String> = (0..9).map(|i| format!("c{i}")).collect();
        assert_eq!(slots(&starts).last(), Some(&(SLOTS - 1)));
    }
}
