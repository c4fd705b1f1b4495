//! Targets derived from labels.

pub use mosei_schema::intensity_class;

/// Whether an emotion is present: its intensity is above the configured threshold.
pub fn present(intensity: f32, above: f64) -> bool {
    f64::from(intensity) > above
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn presence_is_strictly_above_the_threshold() {
        assert!(!present(0.0, 0.0) && present(0.333, 0.0));
        assert!(!present(1.0, 1.0) && present(1.001, 1.0));
    }
}
