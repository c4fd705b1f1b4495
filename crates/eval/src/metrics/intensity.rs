use crate::sum::mean;
use mosei_schema::intensity_class;

fn comparable(intensity: &[f64], predicted: &[f64]) -> bool {
    intensity.len() == predicted.len() && intensity.iter().chain(predicted).all(|x| x.is_finite())
}

/// Mean absolute error of the intensity; `None` without rows.
pub fn mae(intensity: &[f64], predicted: &[f64]) -> Option<f64> {
    if !comparable(intensity, predicted) {
        return None;
    }
    // Finite numbers can still be further apart than the largest one.
    mean(intensity.iter().zip(predicted).map(|(a, b)| (a - b).abs()))
        .filter(|error| error.is_finite())
}

/// Share of the rows whose label and prediction fall in the same of four classes; `None` without
/// rows.
pub fn accuracy4(intensity: &[f64], predicted: &[f64]) -> Option<f64> {
    if !comparable(intensity, predicted) {
        return None;
    }
    mean(
        intensity
            .iter()
            .zip(predicted)
            .map(|(&a, &b)| f64::from(u8::from(intensity_class(a) == intensity_class(b)))),
    )
}

#[cfg(test)]
mod tests {
    use super::{accuracy4, mae};

    #[test]
    fn both_sides_are_rounded_half_up_and_clipped() {
        assert_eq!(
            accuracy4(&[0.5, 1.0, 3.0, 0.0], &[1.4, 0.49, 9.0, -2.0]),
            Some(0.75)
        );
    }

    #[test]
    fn errors_are_absolute() {
        assert_eq!(mae(&[1.0, 2.0], &[2.0, 1.0]), Some(1.0));
    }

    #[test]
    fn what_cannot_be_compared_has_no_value() {
        assert_eq!((mae(&[], &[]), accuracy4(&[], &[])), (None, None));
        assert_eq!((mae(&[1.0], &[]), accuracy4(&[1.0], &[])), (None, None));
        assert_eq!(mae(&[f64::MIN], &[f64::MAX]), None);
        assert_eq!(
            (
                mae(&[1.0], &[f64::NAN]),
                accuracy4(&[f64::INFINITY], &[1.0])
            ),
            (None, None)
        );
    }
}
