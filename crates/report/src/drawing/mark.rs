//! The marker shapes, as paths.

use super::shape::{Ink, Shape, Step, Stroke, polyline};
use crate::style::Marker;
use std::f64::consts::FRAC_1_SQRT_2;

/// Markers of about `r` pixels around each place, with a rim in the colour of the ground.
pub(crate) fn marks(
    marker: Marker,
    at: impl IntoIterator<Item = (f64, f64)>,
    r: f64,
    slot: usize,
) -> Shape {
    Shape::Path {
        steps: at
            .into_iter()
            .flat_map(|(x, y)| outline(marker, x, y, r))
            .collect(),
        fill: Some((Ink::Slot(slot), 1.0)),
        stroke: Some(Stroke::solid(Ink::Surface, 1.0)),
    }
}

fn outline(marker: Marker, x: f64, y: f64, r: f64) -> Vec<Step> {
    let points = |points: &[(f64, f64)]| {
        let mut steps = polyline(points.iter().map(|(dx, dy)| (x + dx * r, y + dy * r)));
        steps.push(Step::Close);
        steps
    };
    // Arms of a third of the width: thick enough to be seen at the size of a legend.
    let arm = 0.36;
    let plus = [
        (-arm, -1.1),
        (arm, -1.1),
        (arm, -arm),
        (1.1, -arm),
        (1.1, arm),
        (arm, arm),
        (arm, 1.1),
        (-arm, 1.1),
        (-arm, arm),
        (-1.1, arm),
        (-1.1, -arm),
        (-arm, -arm),
    ];
    match marker {
        Marker::Circle => vec![Step::Circle(x, y, r)],
        Marker::Square => points(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Marker::Triangle => points(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        Marker::TriangleDown => points(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
        Marker::Diamond => points(&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]),
        Marker::Plus => points(&plus),
        Marker::Cross => {
            points(&plus.map(|(dx, dy)| ((dx - dy) * FRAC_1_SQRT_2, (dx + dy) * FRAC_1_SQRT_2)))
        }
        Marker::Bar => points(&[(-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::MARKERS;

    #[test]
    fn every_marker_has_its_own_shape() {
        let shapes: Vec<Vec<Step>> = MARKERS
            .iter()
            .map(|&m| outline(m, 10.0, 10.0, 4.0))
            .collect();
        for (i, shape) in shapes.iter().enumerate() {
            assert!(!shapes[..i].contains(shape), "{:?}", MARKERS[i]);
        }
    }
}
