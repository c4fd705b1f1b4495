//! The paired differences as forest plots.

use crate::difference::Difference;
use crate::drawing::forest::{Forest, Mark, Row};
use crate::numbers::{interval, signed};
use crate::reportable::{missing_class, not_reportable};
use crate::study::{Scope, Study};

/// The primary metric at the primary budget: the macro average, then each emotion.
pub(crate) fn by_emotion(study: &Study<'_>) -> Option<Forest> {
    let budget = study.primary_budget?;
    let scopes = [Scope::Macro]
        .into_iter()
        .chain((0..study.emotions.len()).map(Scope::Emotion));
    let rows = scopes
        .map(|scope| {
            (
                study.scope_name(scope).to_string(),
                scope == Scope::Macro,
                scope,
                budget,
            )
        })
        .collect();
    Some(forest(
        study,
        "fig-paired",
        &format!("With {} labels", study.label(budget)),
        rows,
    ))
}

/// The primary metric, macro, at each budget.
pub(crate) fn by_budget(study: &Study<'_>) -> Forest {
    let row = |b: usize| {
        (
            study.label(b),
            study.primary_budget == Some(b),
            Scope::Macro,
            b,
        )
    };
    forest(
        study,
        "fig-paired-labels",
        "Macro, by labels",
        (0..study.budgets.len()).map(row).collect(),
    )
}

/// Rows are label, whether it is the primary contrast, scope and budget.
fn forest(
    study: &Study<'_>,
    id: &str,
    title: &str,
    rows: Vec<(String, bool, Scope, usize)>,
) -> Forest {
    let metric = study.primary;
    let (treated, baseline) = (study.treated(), study.baseline());
    let mut descriptions = Vec::new();
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(label, strong, scope, budget)| {
            let difference = Difference::of(study, budget, scope, metric);
            let why = || match not_reportable(study, scope, metric)
                .or_else(|| missing_class(study, scope, metric))
            {
                Some(why) => format!("n/a ({why})"),
                None => "n/a (no pair)".into(),
            };
            descriptions.push(match &difference {
                Some(d) => {
                    let ends = d
                        .interval
                        .map_or(", no confidence interval".to_string(), |i| {
                            format!(" {}", interval(i, 3, true))
                        });
                    format!("{label}: {}{ends}.", signed(d.value, 3))
                }
                None => format!("{label}: {}.", why()),
            });
            let mark = |d: Difference| Mark {
                value: d.value,
                interval: d.interval.map(|i| (i.low, i.high)),
                singles: d.each,
            };
            Row {
                label,
                strong,
                mark: difference.map(mark).ok_or_else(why),
            }
        })
        .collect();
    let better = |name: &str| format!("{name} better");
    let sides = [better(baseline), better(treated)];
    let sides = if metric.higher_is_better() {
        sides
    } else {
        [sides[1].clone(), sides[0].clone()]
    };
    let aside = format!("{} difference", metric.title());
    let description = format!(
        "{treated} \u{2212} {baseline}, {}. {}",
        metric.title(),
        descriptions.join(" ")
    );
    Forest {
        id: id.into(),
        title: title.into(),
        aside,
        description,
        sides,
        rows,
    }
}
