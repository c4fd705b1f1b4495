//! The page: its parts, and the template that writes it.

use crate::drawing::chart::{Chart, LineStyle};
use crate::drawing::{legend, svg};
use crate::figures::{
    EMOTION_METRICS, LINES, LOSSES, MACRO_METRICS, arms, by_budget, by_emotion, emotion_panels,
    entries, finetuning_charts, forest_reading, hint, macro_panels, named, pretraining_chart,
    reading, reconstruction_charts, reconstruction_reading, score_figures,
};
use crate::interpretation::interpretation;
use crate::reportable::not_reportable;
use crate::start_roles::role_notes;
use crate::study::{Scope, Study};
use crate::tables::{self, Table};
use crate::verdict::{Verdict, verdict};
use crate::{ReportError, ReportInput};
use askama::Template;
use eval::{Head, Metric};

/// The claim of the study in a sentence or two of plain text: the report's headline, and how many
/// cells are missing.
///
/// # Errors
/// As those of [`render`].
pub fn claim(input: &ReportInput) -> Result<String, ReportError> {
    let Verdict {
        headline,
        incomplete,
        ..
    } = verdict(&Study::new(input)?);
    Ok([Some(headline), incomplete]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "))
}

/// The report as one HTML file.
///
/// # Errors
/// A primary metric that does not exist, a value that is not finite, two results of the same run,
/// statistics of a label budget that no result has.
pub fn render(input: &ReportInput) -> Result<String, ReportError> {
    let study = Study::new(input)?;
    let svgs = |charts: Vec<Chart>| {
        charts
            .iter()
            .map(|chart| svg::element(&chart.drawing()))
            .collect::<Vec<String>>()
    };
    let samples = |lines: Vec<legend::Entry>| -> Vec<(String, String)> {
        lines
            .into_iter()
            .map(|entry| (legend::sample_svg(&entry), entry.name))
            .collect()
    };
    let forests = [by_emotion(&study), Some(by_budget(&study))]
        .into_iter()
        .flatten();
    let others = || MACRO_METRICS.into_iter().filter(|&m| m != study.primary);
    let page = Page {
        input,
        title: format!("{}: report", input.name),
        chart_css: svg::css(),
        verdict: verdict(&study),
        interpretation: [interpretation(&study), role_notes(&study)].concat(),
        reading: reading(&study).join(" "),
        legend: samples(entries(&study, LineStyle::Marked)),
        line_legend: samples(entries(&study, LineStyle::Line)),
        arms: samples(arms(&study, LineStyle::Marked)),
        headline_labels: study
            .primary_budget
            .map(|b| study.label(b))
            .unwrap_or_default(),
        scores: score_figures(&study)
            .into_iter()
            .map(|f| (f.title, f.reading, svgs(f.panels)))
            .collect(),
        missing: missing(&study),
        forests: forests
            .filter_map(|forest| Some(svg::element(&forest.drawing()?)))
            .collect(),
        forest_reading: forest_reading(&study).join(" "),
        paired_by_emotion: tables::paired_by_emotion(&study),
        paired: tables::paired_table(&study, study.primary),
        against_others: tables::others_table(&study),
        paired_others: others()
            .filter_map(|m| tables::paired_table(&study, m))
            .collect(),
        equivalence: tables::equivalence_table(&study, study.primary),
        equivalence_others: others()
            .filter_map(|m| tables::equivalence_table(&study, m))
            .collect(),
        area: tables::area_table(&study),
        sources: tables::sources_table(&study),
        spread: tables::spread_table(&study),
        aggregates: tables::aggregate_table(&study),
        macro_panels: svgs(macro_panels(&study)),
        main: (!study.budgets.is_empty()).then(|| tables::main_table(&study)),
        emotions: EMOTION_METRICS
            .into_iter()
            .map(|m| (m.title(), hint(&study, m), svgs(emotion_panels(&study, m))))
            .filter(|(_, _, panels)| !panels.is_empty())
            .collect(),
        support: (!study.budgets.is_empty()).then(|| tables::support_table(&study)),
        emotion_tables: (0..study.budgets.len())
            .map(|b| (study.label(b), tables::emotion_table(&study, b)))
            .collect(),
        loss_legend: samples(named(&LOSSES)),
        losses: svgs(pretraining_chart(&input.pretraining).into_iter().collect()),
        loss_table: tables::pretraining_table(&input.pretraining),
        reconstruction: input
            .reconstruction
            .iter()
            .map(|of| {
                (
                    reconstruction_reading(&of.name),
                    svgs(reconstruction_charts(of)),
                )
            })
            .find(|(_, panels)| !panels.is_empty()),
        reconstruction_legend: samples(named(&LINES)),
        finetuning: svgs(finetuning_charts(&study)),
        best_steps: tables::best_step_table(&study),
        search: tables::search_table(&study),
        failures: tables::failure_table(&input.failures),
        facts: input.facts.iter().map(tables::fact_table).collect(),
    };
    Ok(page.render()?)
}

/// Metrics and emotions that are left out, and why.
fn missing(study: &Study<'_>) -> Vec<String> {
    if study.budgets.is_empty() {
        return vec!["There are no test results yet.".into()];
    }
    let heads = [
        (Head::Presence, "presence", "scores"),
        (Head::Intensity, "intensity", "intensities"),
    ];
    let absent = heads
        .into_iter()
        .filter(|(head, _, _)| !study.has_head(*head));
    let sentence = |(head, name, what): (Head, &str, &str)| {
        let metrics: Vec<String> = Metric::ALL
            .into_iter()
            .filter(|m| m.head() == head)
            .map(|m| m.title().to_string())
            .collect();
        format!(
            "No cell predicts {what}: the {name} objective was not trained, so {} have no values and are left out.",
            crate::numbers::listed(&metrics)
        )
    };
    let mut out: Vec<String> = absent.map(sentence).collect();
    for emotion in 0..study.emotions.len() {
        if let Some(why) = not_reportable(study, Scope::Emotion(emotion), Metric::RocAuc) {
            out.push(format!(
                "{} has {why} in the test segments, fewer than the {} needed to report a metric of presence; it counts in the macro average.",
                study.emotions[emotion],
                eval::MIN_CLASS_ROWS
            ));
        }
    }
    out
}

/// Everything the template writes. Strings of SVG are safe as they are; all other text is escaped
/// there.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    input: &'a ReportInput,
    title: String,
    chart_css: String,
    verdict: Verdict,
    interpretation: Vec<String>,
    reading: String,
    legend: Vec<(String, String)>,
    line_legend: Vec<(String, String)>,
    arms: Vec<(String, String)>,
    headline_labels: String,
    scores: Vec<(&'static str, String, Vec<String>)>,
    missing: Vec<String>,
    forests: Vec<String>,
    forest_reading: String,
    paired_by_emotion: Option<Table>,
    paired: Option<Table>,
    against_others: Option<Table>,
    paired_others: Vec<Table>,
    equivalence: Option<Table>,
    equivalence_others: Vec<Table>,
    area: Option<Table>,
    sources: Option<Table>,
    spread: Option<Table>,
    aggregates: Option<Table>,
    macro_panels: Vec<String>,
    main: Option<Table>,
    emotions: Vec<(&'static str, String, Vec<String>)>,
    support: Option<Table>,
    emotion_tables: Vec<(String, Table)>,
    loss_legend: Vec<(String, String)>,
    losses: Vec<String>,
    loss_table: Table,
    reconstruction: Option<(String, Vec<String>)>,
    reconstruction_legend: Vec<(String, String)>,
    finetuning: Vec<String>,
    best_steps: Option<Table>,
    search: Option<Table>,
    failures: Table,
    facts: Vec<Table>,
}
