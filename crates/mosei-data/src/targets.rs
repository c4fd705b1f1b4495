//! What a label says, in the three forms a study asks for.

pub use mosei_schema::intensity_class;

/// Whether an emotion is present: its intensity lies above the threshold of the configuration.
pub fn present(intensity: f32, above: f64) -> bool {
    f64::from(intensity) > above
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn presence_is_strictly_above() {
        assert!(!present(0.0, 0.0) && present(0.333, 0.0));
        assert!(!present(1.0, 1.0) && present(1.001, 1.0));
    }
}
