//! The study's conclusion on pre-training in sentences: first the primary contrast, then each label
//! budget.

use crate::difference::{Difference, Finding};
use crate::equivalence;
use crate::numbers::{count, fixed, interval, many, p_value, signed};
use crate::reportable::no_reportable_emotion;
use crate::study::{Scope, Study};

/// The headline and a sentence for each label budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub headline: String,
    pub budgets: Vec<String>,
    pub incomplete: Option<String>,
}

/// Interprets the differences of the primary metric.
pub(crate) fn verdict(study: &Study<'_>) -> Verdict {
    Verdict {
        headline: headline(study),
        budgets: (0..study.budgets.len())
            .filter_map(|b| sentence(study, b))
            .collect(),
        incomplete: incomplete(study),
    }
}

/// The conclusion from the primary contrast, and the sources of variation that it knows nothing of.
fn headline(study: &Study<'_>) -> String {
    let conditional = study
        .conditional_on()
        .filter(|_| study.primary_budget.is_some())
        .map(|one| format!(" This is conditional on {one}: others may differ by more."));
    conclusion(study) + &conditional.unwrap_or_default()
}

/// The conclusion from the primary contrast.
fn conclusion(study: &Study<'_>) -> String {
    let Some(budget) = study.primary_budget else {
        let budget = study
            .input
            .primary_budget
            .as_ref()
            .map(|name| format!(" of label budget {name}"));
        return format!(
            "It is undetermined whether pre-training helped: there is no result{}.",
            budget.unwrap_or_default()
        );
    };
    let labels = study.label(budget);
    let Some(difference) = Difference::of(study, budget, Scope::Macro, study.primary) else {
        return format!(
            "It is undetermined whether pre-training helped: with {labels} labels, {}.",
            why_not_compared(study, budget)
        );
    };
    let reached =
        reached(study, &difference).unwrap_or_else(|| format!("macro {}", study.primary.title()));
    let with = format!(
        "with {labels} labels, {reached}: a difference of {}",
        effect(&difference)
    );
    let labels_needed =
        equivalence::sentence(study, budget, study.primary).map(|s| format!("; {s}"));
    let labels_needed = labels_needed.unwrap_or_default() + &against_control(study, budget);
    match difference.finding(difference.p, alpha(study)) {
        Finding::Better => format!("Pre-training helped: {with}{labels_needed}."),
        Finding::Worse => format!("Pre-training hurt: {with}{labels_needed}."),
        Finding::NotFound => {
            format!(
                "No difference was found: {with}{}{}.",
                compatible_range(study, &difference),
                against_control(study, budget)
            )
        }
        Finding::Unclear => format!(
            "No clear difference was found: {with}; the confidence interval and the test disagree on whether it differs from 0, so \
             no difference is claimed{}.",
            against_control(study, budget)
        ),
        Finding::NoInterval => {
            format!(
                "It is undetermined whether pre-training helped: {with}, for which no confidence interval could be computed."
            )
        }
    }
}

/// Why the two starts are not compared at a budget: the first cause there is.
fn why_not_compared(study: &Study<'_>, budget: usize) -> String {
    let metric = study.primary;
    let arms = [study.treated(), study.baseline()];
    if let Some(name) = arms.iter().find(|name| study.start(name).is_none()) {
        return format!("the study has no results of {name}");
    }
    if let Some(why) = no_reportable_emotion(study, metric) {
        return why;
    }
    let runs = |name: &str| {
        study.start(name).map_or(0, |start| {
            study.started(start, budget, Scope::Macro, metric)
        })
    };
    let whole = |name: &str| {
        study.start(name).map_or(0, |start| {
            study.values(start, budget, Scope::Macro, metric).len()
        })
    };
    match arms.iter().find(|name| whole(name) == 0) {
        Some(name) => format!(
            "none of the {} of {name} has all folds and a value of macro {}",
            many(runs(name), "run"),
            metric.title()
        ),
        None => format!(
            "no run of {} has the same seed and label draw as a run of {}",
            arms[0], arms[1]
        ),
    }
}

/// The treated start against the control without an encoder; empty where the study lacks it.
fn against_control(study: &Study<'_>, budget: usize) -> String {
    const CONTROL: &str = "pooled-logistic";
    let Some(difference) = Difference::of_other(study, CONTROL, budget, study.primary) else {
        return String::new();
    };
    let treated = study.treated();
    let found = match difference.finding(difference.p, alpha(study)) {
        Finding::Better => {
            format!("{treated} is better than {CONTROL}, the control without an encoder")
        }
        Finding::Worse => {
            format!("{treated} is worse than {CONTROL}, the control without an encoder")
        }
        _ => format!(
            "no difference was found between {treated} and {CONTROL}, the control without an encoder"
        ),
    };
    format!("; {found} ({})", effect(&difference))
}

/// "ssl reaches 0.612 and scratch 0.571 macro ROC AUC": means over the pairs, so that they subtract
/// to the difference shown.
fn reached(study: &Study<'_>, difference: &Difference) -> Option<String> {
    let (treated, baseline) = (study.treated(), study.baseline());
    let less = if study.primary.higher_is_better() {
        ""
    } else {
        " (lower is better)"
    };
    let [ours, theirs] = difference.arms?.map(|value| fixed(value, 3));
    Some(format!(
        "{treated} reaches {ours} and {baseline} {theirs} macro {}{less}",
        study.primary.title()
    ))
}

/// "+0.041 [+0.020, +0.062], p = 0.003".
fn effect(difference: &Difference) -> String {
    let ends = difference
        .interval
        .map(|ends| format!(" {}", interval(ends, 3, true)));
    // Without a confidence interval the test is not shown either.
    let p = difference
        .p
        .filter(|_| ends.is_some())
        .map(|p| format!(", p {}", p_value(p)));
    format!(
        "{}{}{}",
        signed(difference.value, 3),
        ends.unwrap_or_default(),
        p.unwrap_or_default()
    )
}

/// The range of differences that the confidence interval allows.
fn compatible_range(study: &Study<'_>, difference: &Difference) -> String {
    let Some(ends) = difference.interval else {
        return String::new();
    };
    let (gain, loss) = if study.primary.higher_is_better() {
        (ends.high, -ends.low)
    } else {
        (-ends.low, ends.high)
    };
    let part = |size: f64, what: &str| format!("{what} of {}", fixed(size.max(0.0), 3));
    format!(
        "; the data are compatible with anything from {} to {}",
        part(loss, "a loss"),
        part(gain, "a gain")
    )
}

fn sentence(study: &Study<'_>, budget: usize) -> Option<String> {
    let (treated, baseline) = (study.treated(), study.baseline());
    let mut labels = format!("{} labels", study.label(budget));
    if study.primary_budget == Some(budget) {
        let named = if study.has_configured_budget() {
            ", chosen before the run"
        } else {
            ""
        };
        labels.push_str(&format!(" (the primary contrast{named})"));
    }
    // A study without one of the two starts has no sentence per budget.
    let arms = [study.start(treated)?, study.start(baseline)?];
    let runs = |start: usize| {
        !study
            .runs(start, budget, Scope::Macro, study.primary)
            .is_empty()
    };
    let Some(difference) = Difference::of(study, budget, Scope::Macro, study.primary) else {
        return arms
            .into_iter()
            .any(runs)
            .then(|| format!("{labels}: {}.", why_not_compared(study, budget)));
    };
    let found = match difference.finding(difference.p, alpha(study)) {
        Finding::Better => format!("{treated} is better"),
        Finding::Worse => format!("{baseline} is better"),
        Finding::NotFound => "no difference found".into(),
        Finding::Unclear => "confidence interval and test disagree, no difference claimed".into(),
        Finding::NoInterval => {
            "no confidence interval could be computed, no difference claimed".into()
        }
    };
    let needed = equivalence::sentence(study, budget, study.primary)
        .map(|s| format!("; {s}"))
        .unwrap_or_default();
    Some(format!(
        "{labels}: {found} ({}); {treated} is better in {} of {} {}{needed}.",
        effect(&difference),
        difference.wins(),
        difference.each.len(),
        if difference.each.len() == 1 {
            "pair"
        } else {
            "pairs"
        },
    ))
}

/// The significance level: a p must be below it.
pub(crate) fn alpha(study: &Study<'_>) -> f64 {
    1.0 - study.statistics.confidence_level()
}

fn incomplete(study: &Study<'_>) -> Option<String> {
    let (planned, finished) = (study.input.planned_cells, study.input.finished_cells);
    let missing = planned.saturating_sub(finished);
    (missing > 0).then(|| {
        format!(
            "{} of {} planned cells {} not finished: the results may change.",
            count(missing as u64),
            count(planned as u64),
            if missing == 1 { "is" } else { "are" },
        )
    })
}

#[cfg(test)]
mod tests;
