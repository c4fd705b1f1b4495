use std::fmt::Display;

/// An invalid setting: the one error of every `check` of a configuration.
///
/// ```
/// use mosei_schema::SettingError;
///
/// let error = SettingError::new("heads", "a divisor of model_dim 64", 5).within("encoder");
/// assert_eq!(error.to_string(), "key 'encoder.heads': expected a divisor of model_dim 64, found 5");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key '{key}': expected {expected}, found {found}")]
pub struct SettingError {
    /// The key, with the tables around it.
    pub key: String,
    /// What is allowed.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl SettingError {
    /// That `key` must be `expected`.
    pub fn new(key: impl Into<String>, expected: impl Into<String>, found: impl Display) -> Self {
        SettingError {
            key: key.into(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// The same for a setting inside a table.
    pub fn within(self, table: &str) -> Self {
        SettingError {
            key: format!("{table}.{}", self.key),
            ..self
        }
    }
}
