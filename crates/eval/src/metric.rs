use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// The head of the model that a metric judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Probability that the emotion is present.
    Presence,
    /// Predicted intensity.
    Intensity,
}

/// Every metric of `results.csv`, in the order of its rows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Share of the predicted that are present.
    Precision,
    /// Share of the present that are predicted.
    Recall,
    /// Harmonic mean of precision and recall.
    F1,
    /// F1 of both classes, weighted by their rows.
    WeightedF1,
    /// Share of right answers.
    Accuracy,
    /// Mean of the recalls of both classes.
    BalancedAccuracy,
    /// Area under the receiver operating characteristic.
    RocAuc,
    /// Area under the precision-recall steps.
    AveragePrecision,
    /// Mean absolute error of the intensity.
    Mae,
    /// Share of right answers among the four intensity classes.
    Accuracy4,
}

impl Metric {
    /// All ten, in the order of the result rows.
    pub const ALL: [Metric; 10] = [
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::WeightedF1,
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::RocAuc,
        Metric::AveragePrecision,
        Metric::Mae,
        Metric::Accuracy4,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name used in figures and tables for people.
    pub const fn title(self) -> &'static str {
        match self {
            Metric::Precision => "Precision",
            Metric::Recall => "Recall",
            Metric::F1 => "F1",
            Metric::WeightedF1 => "Weighted F1",
            Metric::Accuracy => "Accuracy",
            Metric::BalancedAccuracy => "Balanced accuracy",
            Metric::RocAuc => "ROC AUC",
            Metric::AveragePrecision => "Average precision",
            Metric::Mae => "MAE",
            Metric::Accuracy4 => "4-class accuracy",
        }
    }

    /// The metric of that name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The head it judges.
    pub const fn head(self) -> Head {
        match self {
            Metric::Mae | Metric::Accuracy4 => Head::Intensity,
            _ => Head::Presence,
        }
    }

    /// Whether more is better; only an error is better when small.
    pub const fn higher_is_better(self) -> bool {
        !matches!(self, Metric::Mae)
    }
}

#[cfg(test)]
mod tests {
    use super::Metric;

    #[test]
    fn names_stand_in_the_order_of_the_contract() {
        let names = Metric::ALL.map(Metric::name).join(" ");
        let contract = "precision recall f1 weighted_f1 accuracy balanced_accuracy roc_auc average_precision mae accuracy4";
        assert_eq!(names, contract);
        assert!(
            Metric::ALL
                .into_iter()
                .all(|m| Metric::from_name(m.name()) == Some(m))
        );
        assert_eq!(Metric::from_name("auc"), None);
        // statistics.json has the same names.
        assert_eq!(
            serde_json::to_value(Metric::ALL).unwrap(),
            serde_json::json!(Metric::ALL.map(Metric::name))
        );
    }
}
