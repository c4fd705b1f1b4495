//! The page: what stands where, and the template that writes it.

use crate::figures::{
    EMOTION_METRICS, MACRO_METRICS, READING, difference_chart, emotion_panels, macro_panels, pretraining_chart,
};
use crate::study::Study;
use crate::style::slots;
use crate::svg::chart::Chart;
use crate::svg::{css, legend};
use crate::tables::{self, Table};
use crate::verdict::{RULE, Verdict, verdict};
use crate::{ReportError, ReportInput};
use askama::Template;
use eval::{Head, Metric};

/// The report as one HTML file.
///
/// # Errors
/// A primary metric that does not exist, a value that is not finite, two results of the same run.
pub fn render(input: &ReportInput) -> Result<String, ReportError> {
    let study = Study::new(input)?;
    let svgs = |charts: Vec<Chart>| charts.iter().map(Chart::to_svg).collect::<Vec<String>>();
    let start_legend = slots(&study.starts).into_iter().zip(&study.starts);
    let pretraining = pretraining_chart(&input.pretraining);
    let page = Page {
        input,
        chart_css: css(),
        verdict: verdict(&study),
        rule: RULE,
        reading: READING.join(" "),
        legend: start_legend.map(|(slot, name)| (legend::sample_svg(slot, true), name.clone())).collect(),
        missing: missing(&study),
        difference: difference_chart(&study).map(|c| c.to_svg()),
        paired: tables::paired_table(&study, study.primary),
        paired_others: MACRO_METRICS
            .into_iter()
            .filter(|&m| m != study.primary)
            .filter_map(|m| tables::paired_table(&study, m))
            .collect(),
        macro_panels: svgs(macro_panels(&study)),
        main: (!study.budgets.is_empty()).then(|| tables::main_table(&study)),
        emotions: EMOTION_METRICS
            .into_iter()
            .map(|m| (m.title(), hint(m), svgs(emotion_panels(&study, m))))
            .filter(|(_, _, panels)| !panels.is_empty())
            .collect(),
        support: (!study.budgets.is_empty()).then(|| tables::support_table(&study)),
        emotion_tables: (0..study.budgets.len())
            .map(|b| (study.budgets[b].label(), tables::emotion_table(&study, b)))
            .collect(),
        loss_legend: [(0, "training"), (1, "validation")]
            .map(|(slot, name)| (legend::sample_svg(slot, false), name))
            .to_vec(),
        losses: pretraining.map(|c| c.to_svg()),
        loss_table: tables::pretraining_table(&input.pretraining),
        failures: tables::failure_table(&input.failures),
        facts: input.facts.iter().map(tables::fact_table).collect(),
    };
    Ok(page.render()?)
}

/// What helps to read the panels of a metric.
fn hint(metric: Metric) -> &'static str {
    match metric {
        Metric::RocAuc => " (dotted line: chance)",
        Metric::Mae => " (lower is better)",
        _ => "",
    }
}

/// What is left out because no cell has it.
fn missing(study: &Study<'_>) -> Vec<String> {
    if study.budgets.is_empty() {
        return vec!["There are no test results yet.".into()];
    }
    let heads = [(Head::Presence, "presence", "scores"), (Head::Intensity, "intensity", "intensities")];
    let absent = heads.into_iter().filter(|(head, _, _)| !study.has_head(*head));
    let sentence = |(head, name, what): (Head, &str, &str)| {
        let metrics: Vec<String> =
            Metric::ALL.into_iter().filter(|m| m.head() == head).map(|m| m.title().to_string()).collect();
        format!(
            "No cell predicts {what}: the {name} objective was not trained, so {} have no values and are left out.",
            crate::numbers::listed(&metrics)
        )
    };
    absent.map(sentence).collect()
}

/// Everything the template writes. Strings of SVG are safe as they are; all other text is escaped there.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    input: &'a ReportInput,
    chart_css: String,
    verdict: Verdict,
    rule: &'static str,
    reading: String,
    legend: Vec<(String, String)>,
    missing: Vec<String>,
    difference: Option<String>,
    paired: Option<Table>,
    paired_others: Vec<Table>,
    macro_panels: Vec<String>,
    main: Option<Table>,
    emotions: Vec<(&'static str, &'static str, Vec<String>)>,
    support: Option<Table>,
    emotion_tables: Vec<(String, Table)>,
    loss_legend: Vec<(String, &'static str)>,
    losses: Option<String>,
    loss_table: Table,
    failures: Table,
    facts: Vec<Table>,
}
