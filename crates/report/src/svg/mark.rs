//! The marker shapes, as paths.

use super::px;
use crate::style::Marker;
use std::f64::consts::FRAC_1_SQRT_2;

/// A marker of about `r` pixels around (x, y), to be filled.
pub(crate) fn path(marker: Marker, x: f64, y: f64, r: f64) -> String {
    let points = |points: &[(f64, f64)]| {
        let each: Vec<String> =
            points.iter().map(|(dx, dy)| format!("{} {}", px(x + dx * r), px(y + dy * r))).collect();
        format!("M{}Z", each.join("L"))
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
        Marker::Circle => {
            let (left, r2, d) = (px(x - r), px(r), px(2.0 * r));
            format!("M{left} {}a{r2} {r2} 0 1 0 {d} 0a{r2} {r2} 0 1 0 -{d} 0Z", px(y))
        }
        Marker::Square => points(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Marker::Triangle => points(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        Marker::TriangleDown => points(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
        Marker::Diamond => points(&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]),
        Marker::Plus => points(&plus),
        Marker::Cross => points(&plus.map(|(dx, dy)| ((dx - dy) * FRAC_1_SQRT_2, (dx + dy) * FRAC_1_SQRT_2))),
        Marker::Bar => points(&[(-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::MARKERS;

    #[test]
    fn every_marker_has_its_own_shape() {
        let mut shapes: Vec<String> = MARKERS.iter().map(|&m| path(m, 10.0, 10.0, 4.0)).collect();
        shapes.sort();
        shapes.dedup();
        assert_eq!(shapes.len(), MARKERS.len());
        assert_eq!(path(Marker::Square, 10.0, 10.0, 10.0), "M1 1L19 1L19 19L1 19Z");
    }
}
