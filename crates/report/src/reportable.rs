//! Which metrics have enough test rows to be reported.

use crate::study::{Scope, Study};
use eval::{Head, MIN_CLASS_ROWS, Metric, scarce_class};

/// Why a metric is not reported, such as "3 positives"; `None` where it is.
///
/// The macro average is reported if at least one emotion is.
pub(crate) fn not_reportable(study: &Study<'_>, scope: Scope, metric: Metric) -> Option<String> {
    if metric.head() == Head::Intensity {
        return None;
    }
    if scope == Scope::Macro {
        let reported = (0..study.emotions.len())
            .any(|e| not_reportable(study, Scope::Emotion(e), metric).is_none());
        return (!reported && !study.emotions.is_empty())
            .then(|| "no emotion with enough rows".into());
    }
    let total = |metric: Metric| {
        let folds = study.support(scope, metric);
        (!folds.is_empty()).then(|| folds.values().map(|&(_, most)| most).sum::<u64>())
    };
    let positives = total(metric)?;
    // The support of an error of intensity is every row, whether or not the error has a value.
    let negatives = total(Metric::Mae).map_or(u64::MAX, |rows| rows.saturating_sub(positives));
    scarce_class(positives, negatives).map(|class| class.to_string())
}

/// The class without test rows in some fold, which leaves a metric undefined there, such as "no
/// positive in fold 2".
pub(crate) fn missing_class(study: &Study<'_>, scope: Scope, metric: Metric) -> Option<String> {
    if metric.head() == Head::Intensity {
        return None;
    }
    let positives = study.support(scope, metric);
    let rows = study.support(scope, Metric::Mae);
    let in_fold = |(fold, &(_, positives)): (&i32, &(u64, u64))| {
        let rows = rows.get(fold).map(|&(_, rows)| rows);
        match (positives, rows) {
            (0, _) => Some(format!("no positive in fold {fold}")),
            (positives, Some(rows)) if rows == positives => {
                Some(format!("no negative in fold {fold}"))
            }
            _ => None,
        }
    };
    positives.iter().find_map(in_fold)
}

/// Why the macro average of a metric is not reported: each emotion with its scarce class.
pub(crate) fn no_reportable_emotion(study: &Study<'_>, metric: Metric) -> Option<String> {
    not_reportable(study, Scope::Macro, metric)?;
    let each = (0..study.emotions.len()).filter_map(|e| {
        let why = not_reportable(study, Scope::Emotion(e), metric)?;
        Some(format!("{} has {why}", study.emotions[e]))
    });
    Some(format!(
        "no emotion has the {MIN_CLASS_ROWS} positive and {MIN_CLASS_ROWS} negative test rows needed to report a metric ({})",
        each.collect::<Vec<_>>().join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportInput;
    use crate::study::tests::row;
    use run_record::ResultRow;

    fn refused(folds: &[(u64, u64)]) -> Option<String> {
        let each = |(fold, &(positives, rows)): (i32, &(u64, u64))| {
            [(Metric::RocAuc, positives), (Metric::Mae, rows)].map(|(metric, support)| ResultRow {
                emotion: "fear".into(),
                metric: metric.name().into(),
                support,
                ..row("ssl", 10, 0.1, [fold, 0, 0], Some(0.5))
            })
        };
        let results = (0..).zip(folds).flat_map(each).collect();
        let input = ReportInput {
            results,
            ..ReportInput::default()
        };
        let study = Study::new(&input).unwrap();
        assert_eq!(
            not_reportable(&study, Scope::Emotion(0), Metric::Mae),
            None,
            "an error needs no positives"
        );
        not_reportable(&study, Scope::Emotion(0), Metric::RocAuc)
    }

    #[test]
    fn both_classes_need_five_rows_over_all_folds() {
        assert_eq!(refused(&[(5, 10)]), None);
        assert_eq!(refused(&[(2, 50), (3, 50)]), None);
        assert_eq!(refused(&[(2, 50), (2, 50)]).unwrap(), "4 positives");
        assert_eq!(refused(&[(1, 50), (0, 50)]).unwrap(), "1 positive");
        assert_eq!(refused(&[(46, 50)]).unwrap(), "4 negatives");
    }

    #[test]
    fn the_average_needs_one_emotion_that_is_shown() {
        let few = ResultRow {
            emotion: "fear".into(),
            support: 3,
            ..row("ssl", 10, 0.1, [0, 0, 0], Some(0.5))
        };
        let averaged = row("ssl", 10, 0.1, [0, 0, 0], Some(0.5));
        let refused = |results: Vec<ResultRow>| {
            let input = ReportInput {
                results,
                ..ReportInput::default()
            };
            not_reportable(&Study::new(&input).unwrap(), Scope::Macro, Metric::RocAuc).is_some()
        };
        assert!(refused(vec![few.clone(), averaged.clone()]));
        assert!(!refused(vec![
            few.clone(),
            ResultRow {
                emotion: "sad".into(),
                support: 9,
                ..few
            },
            averaged.clone()
        ]));
        assert!(!refused(vec![averaged]), "there may be averages alone");
    }
}
