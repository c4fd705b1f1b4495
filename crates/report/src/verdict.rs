//! What the run says about pre-training, in sentences: first the primary contrast, then each label budget.

use crate::difference::{Difference, Finding};
use crate::equivalence;
use crate::numbers::{count, fixed, interval, many, p_value, signed};
use crate::study::{Scope, Study};
use crate::support::all_refused;

/// The headline and a sentence for each label budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub headline: String,
    pub budgets: Vec<String>,
    pub incomplete: Option<String>,
}

/// Reads the differences of the primary metric.
pub(crate) fn verdict(study: &Study<'_>) -> Verdict {
    Verdict {
        headline: headline(study),
        budgets: (0..study.budgets.len()).filter_map(|b| sentence(study, b)).collect(),
        incomplete: incomplete(study),
    }
}

/// What the primary contrast says.
fn headline(study: &Study<'_>) -> String {
    let Some(budget) = study.primary_budget else {
        let budget = study.input.primary_budget.as_ref().map(|name| format!(" of label budget {name}"));
        return format!(
            "Whether pre-training helped cannot be said: there is no result{}.",
            budget.unwrap_or_default()
        );
    };
    let labels = study.label(budget);
    let Some(difference) = Difference::of(study, budget, Scope::Macro, study.primary) else {
        return format!(
            "Whether pre-training helped cannot be said: with {labels} labels, {}.",
            why_no_difference(study, budget)
        );
    };
    let reached = reached(study, &difference).unwrap_or_else(|| format!("macro {}", study.primary.title()));
    let with = format!("with {labels} labels, {reached}: a difference of {}", amount(&difference));
    let labels_needed = equivalence::sentence(study, budget, study.primary).map(|s| format!("; {s}"));
    let labels_needed = labels_needed.unwrap_or_default() + &shallow(study, budget);
    match difference.finding(difference.p, alpha(study)) {
        Finding::Better => format!("Pre-training helped: {with}{labels_needed}."),
        Finding::Worse => format!("Pre-training did harm: {with}{labels_needed}."),
        Finding::NotFound => {
            format!("No difference was found: {with}{}{}.", room(study, &difference), shallow(study, budget))
        }
        Finding::Unclear => format!(
            "No clear difference was found: {with}; the interval and the test disagree on whether that could be chance, so none \
             is claimed{}.",
            shallow(study, budget)
        ),
        Finding::NoInterval => {
            format!("Whether pre-training helped cannot be said: {with}, for which no interval could be computed.")
        }
    }
}

/// Why the two starts are not compared at a budget: the first cause there is.
fn why_no_difference(study: &Study<'_>, budget: usize) -> String {
    let metric = study.primary;
    let arms = [study.treated(), study.baseline()];
    if let Some(name) = arms.iter().find(|name| study.start(name).is_none()) {
        return format!("the study has no result of {name}");
    }
    if let Some(why) = all_refused(study, metric) {
        return why;
    }
    let runs = |name: &str| study.start(name).map_or(0, |start| study.started(start, budget, Scope::Macro, metric));
    let whole =
        |name: &str| study.start(name).map_or(0, |start| study.values(start, budget, Scope::Macro, metric).len());
    match arms.iter().find(|name| whole(name) == 0) {
        Some(name) => format!(
            "none of {} of {name} has all folds and a value of macro {}",
            many(runs(name), "run"),
            metric.title()
        ),
        None => format!("no run of {} has the seed and label draw of one of {}", arms[0], arms[1]),
    }
}

/// How the treated start stands to the control that has no encoder; nothing where the study lacks it.
fn shallow(study: &Study<'_>, budget: usize) -> String {
    const CONTROL: &str = "pooled-logistic";
    let Some(difference) = Difference::of_other(study, CONTROL, budget, study.primary) else { return String::new() };
    let treated = study.treated();
    let found = match difference.finding(difference.p, alpha(study)) {
        Finding::Better => format!("{treated} beats {CONTROL}, which has no encoder at all"),
        Finding::Worse => format!("{treated} loses to {CONTROL}, which has no encoder at all"),
        _ => format!("{treated} is not told apart from {CONTROL}, which has no encoder at all"),
    };
    format!("; {found} ({})", amount(&difference))
}

/// "ssl reaches 0.612 and scratch 0.571 macro ROC AUC": means over the pairs, so that their difference is the one beside them.
fn reached(study: &Study<'_>, difference: &Difference) -> Option<String> {
    let (treated, baseline) = (study.treated(), study.baseline());
    let less = if study.primary.higher_is_better() { "" } else { " (less is better)" };
    let [ours, theirs] = difference.arms?.map(|value| fixed(value, 3));
    Some(format!("{treated} reaches {ours} and {baseline} {theirs} macro {}{less}", study.primary.title()))
}

/// "+0.041 [+0.020, +0.062], p = 0.003".
fn amount(difference: &Difference) -> String {
    let ends = difference.interval.map(|ends| format!(" {}", interval(ends, 3, true)));
    // Without an interval there was no test either that could be read alone.
    let p = difference.p.filter(|_| ends.is_some()).map(|p| format!(", p {}", p_value(p)));
    format!("{}{}{}", signed(difference.value, 3), ends.unwrap_or_default(), p.unwrap_or_default())
}

/// How large a difference the interval leaves room for, in both directions.
fn room(study: &Study<'_>, difference: &Difference) -> String {
    let Some(ends) = difference.interval else { return String::new() };
    let (gain, loss) = if study.primary.higher_is_better() { (ends.high, -ends.low) } else { (-ends.low, ends.high) };
    let part = |size: f64, what: &str| format!("{what} of {}", fixed(size.max(0.0), 3));
    format!("; the data leave room for anything from {} to {}", part(loss, "a loss"), part(gain, "a gain"))
}

fn sentence(study: &Study<'_>, budget: usize) -> Option<String> {
    let (treated, baseline) = (study.treated(), study.baseline());
    let mut labels = format!("{} labels", study.label(budget));
    if study.primary_budget == Some(budget) {
        let named = if study.named() { ", named before the run" } else { "" };
        labels.push_str(&format!(" (the primary contrast{named})"));
    }
    // A study without one of the two starts has nothing to say, budget by budget.
    let arms = [study.start(treated)?, study.start(baseline)?];
    let runs = |start: usize| !study.runs(start, budget, Scope::Macro, study.primary).is_empty();
    let Some(difference) = Difference::of(study, budget, Scope::Macro, study.primary) else {
        return arms.into_iter().any(runs).then(|| format!("{labels}: {}.", why_no_difference(study, budget)));
    };
    let found = match difference.finding(difference.p, alpha(study)) {
        Finding::Better => format!("{treated} is better"),
        Finding::Worse => format!("{baseline} is better"),
        Finding::NotFound => "no difference found".into(),
        Finding::Unclear => "interval and test disagree, no difference claimed".into(),
        Finding::NoInterval => "no interval could be computed, no difference claimed".into(),
    };
    let needed = equivalence::sentence(study, budget, study.primary).map(|s| format!("; {s}")).unwrap_or_default();
    Some(format!(
        "{labels}: {found} ({}); {treated} is ahead in {} of {} {}{needed}.",
        amount(&difference),
        difference.ahead(),
        difference.each.len(),
        if difference.each.len() == 1 { "pair" } else { "pairs" },
    ))
}

/// What a p must be below.
pub(crate) fn alpha(study: &Study<'_>) -> f64 {
    1.0 - study.answers.level()
}

fn incomplete(study: &Study<'_>) -> Option<String> {
    let (planned, finished) = (study.input.planned_cells, study.input.finished_cells);
    let missing = planned.saturating_sub(finished);
    (missing > 0).then(|| {
        format!(
            "{} of {} planned cells {} not finished: all of this may change.",
            count(missing as u64),
            count(planned as u64),
            if missing == 1 { "is" } else { "are" },
        )
    })
}

#[cfg(test)]
mod tests;
