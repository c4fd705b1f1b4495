//! What each figure of the report shows; how it is drawn is `svg`'s.

mod curves;
mod losses;
mod paired;

pub(crate) use curves::{EMOTION_METRICS, MACRO_METRICS, emotion_panels, hint, macro_panels, reading};
pub(crate) use losses::pretraining_chart;
pub(crate) use paired::{by_budget, by_emotion};

use crate::numbers::percent;
use crate::study::Study;
use crate::style::slots;
use crate::svg::chart::Chart;
use crate::svg::drawing::{Drawing, sheet};
use crate::{ReportError, ReportInput};

/// The macro learning curves as an SVG file of its own, with a legend, on a ground that follows the reader's scheme.
///
/// # Errors
/// As [`crate::render`].
pub fn learning_curve_svg(input: &ReportInput) -> Result<String, ReportError> {
    Ok(macro_sheet(&Study::new(input)?))
}

fn macro_sheet(study: &Study<'_>) -> String {
    let drawings: Vec<Drawing> = macro_panels(study).iter().map(Chart::drawing).collect();
    let mut remarks = vec!["Macro average over emotions, test segments.".to_string()];
    remarks.extend(reading(study));
    if drawings.is_empty() {
        remarks = vec!["No results yet.".into()];
    }
    sheet(&format!("{}: learning curves", study.input.name), &drawings, &entries(study), &remarks)
}

/// Which line is which.
fn entries(study: &Study<'_>) -> Vec<(usize, String)> {
    slots(&study.starts).into_iter().zip(study.starts.iter().cloned()).collect()
}

/// How to read the forests.
pub(crate) fn forest_reading(study: &Study<'_>) -> [String; 2] {
    let bar = if study.answers.statistics.is_some() {
        format!("Marker and bar: mean difference and its {} interval.", percent(study.answers.level()))
    } else {
        "Marker: mean difference; no intervals were computed.".into()
    };
    ["Diamond: the primary contrast. Dots: single pairs.".into(), bar]
}

/// Every figure as a file of its own: name and SVG.
pub(crate) fn files(study: &Study<'_>) -> Vec<(String, String)> {
    let name = &study.input.name;
    let mut out = vec![("learning_curves".to_string(), macro_sheet(study))];
    for metric in EMOTION_METRICS {
        let drawings: Vec<Drawing> = emotion_panels(study, metric).iter().map(Chart::drawing).collect();
        if !drawings.is_empty() {
            let title = format!("{name}: {} by emotion", metric.title());
            let mut remarks = vec![format!("{} by emotion{}.", metric.title(), hint(study, metric))];
            remarks.extend(reading(study));
            out.push((format!("emotions_{}", metric.name()), sheet(&title, &drawings, &entries(study), &remarks)));
        }
    }
    let forests = [by_emotion(study), Some(by_budget(study))].into_iter().flatten();
    let drawings: Vec<Drawing> = forests.filter_map(|f| f.drawing()).collect();
    if !drawings.is_empty() {
        let title = format!("{name}: {} \u{2212} {}", study.treated(), study.baseline());
        out.push(("paired".into(), sheet(&title, &drawings, &[], &forest_reading(study))));
    }
    if let Some(chart) = pretraining_chart(&study.input.pretraining) {
        let lines = [(0, "training".to_string()), (1, "validation".to_string())];
        out.push(("pretraining".into(), sheet(&format!("{name}: pre-training"), &[chart.drawing()], &lines, &[])));
    }
    out
}
