//! The content of each figure of the report; `drawing` draws it.

mod curves;
mod losses;
mod paired;
mod reconstruction;
mod scores;

pub(crate) use curves::{
    EMOTION_METRICS, MACRO_METRICS, emotion_panels, hint, macro_panels, reading,
};
pub(crate) use losses::{finetuning_charts, pretraining_chart};
pub(crate) use paired::{by_budget, by_emotion};
pub(crate) use reconstruction::{LINES, reconstruction_charts};
pub(crate) use scores::{arms, score_figures};

use crate::drawing::Drawing;
use crate::drawing::chart::{Chart, LineStyle};
use crate::drawing::legend::Entry;
use crate::drawing::sheet::{Legend, Sheet};
use crate::numbers::percent;
use crate::start_roles::name_with_role;
use crate::study::Study;
use crate::style::slots;

/// The lines of the pre-training figure.
pub(crate) const LOSSES: [(usize, &str, LineStyle); 2] = [
    (0, "training", LineStyle::Line),
    (1, "validation", LineStyle::Line),
];

/// The legend: a line for each start.
pub(crate) fn entries(study: &Study<'_>, style: LineStyle) -> Vec<Entry> {
    slots(&study.starts)
        .into_iter()
        .zip(&study.starts)
        .map(|(slot, name)| Entry {
            slot,
            name: name_with_role(name),
            style,
        })
        .collect()
}

/// The legend of lines that do not depend on the study.
pub(crate) fn named(lines: &[(usize, &str, LineStyle)]) -> Vec<Entry> {
    lines
        .iter()
        .map(|(slot, name, style)| Entry {
            slot: *slot,
            name: (*name).to_string(),
            style: *style,
        })
        .collect()
}

/// How to read the forests.
pub(crate) fn forest_reading(study: &Study<'_>) -> [String; 2] {
    let bar = if study.statistics.all.is_some() {
        format!(
            "Marker and bar: mean difference and its {} confidence interval.",
            percent(study.statistics.confidence_level())
        )
    } else {
        "Marker: mean difference; no confidence intervals were computed.".into()
    };
    [
        "Diamond: the primary contrast. Dots: single pairs.".into(),
        bar,
    ]
}

/// How to read the masked reconstruction.
pub(crate) fn reconstruction_reading(name: &str) -> String {
    format!(
        "{name}. Shaded: masked frames. Values are standardised with the training mean and standard deviation of the column. The \
         error is the mean absolute error at masked frames, beside that of predicting the mean."
    )
}

/// Every figure as a file of its own: name and sheet.
pub(crate) fn files(study: &Study<'_>) -> Vec<(String, Sheet)> {
    let name = &study.input.name;
    let mut out = Vec::new();
    let mut add = |file: String, title: &str, drawings: Vec<Drawing>, legend: Legend| {
        if !drawings.is_empty() {
            out.push((
                file,
                Sheet::new(&format!("{name}: {title}"), drawings, &legend),
            ));
        }
    };
    let drawn = |charts: Vec<Chart>| charts.iter().map(Chart::drawing).collect::<Vec<Drawing>>();
    let marked = |first: String| {
        let remarks = std::iter::once(first).chain(reading(study)).collect();
        Legend {
            entries: entries(study, LineStyle::Marked),
            remarks,
        }
    };

    let macro_legend = marked("Macro average over emotions, held-out test set.".into());
    add(
        "learning_curves".into(),
        "learning curves",
        drawn(macro_panels(study)),
        macro_legend,
    );
    for metric in EMOTION_METRICS {
        let title = format!("{} by emotion", metric.title());
        let legend = marked(format!("{title}{}.", hint(study, metric)));
        add(
            format!("emotions_{}", metric.name()),
            &title,
            drawn(emotion_panels(study, metric)),
            legend,
        );
    }
    let forests = [by_emotion(study), Some(by_budget(study))]
        .into_iter()
        .flatten();
    let title = format!("{} \u{2212} {}", study.treated(), study.baseline());
    let legend = Legend {
        entries: Vec::new(),
        remarks: forest_reading(study).into(),
    };
    add(
        "paired".into(),
        &title,
        forests.filter_map(|f| f.drawing()).collect(),
        legend,
    );
    for figure in score_figures(study) {
        let labels = study
            .primary_budget
            .map(|b| format!("With {} labels.", study.label(b)));
        let remarks = labels.into_iter().chain([figure.reading]).collect();
        let legend = Legend {
            entries: arms(study, figure.style),
            remarks,
        };
        add(
            figure.name.into(),
            figure.title,
            drawn(figure.panels),
            legend,
        );
    }
    let pretraining = pretraining_chart(&study.input.pretraining)
        .into_iter()
        .collect();
    add(
        "pretraining".into(),
        "pre-training",
        drawn(pretraining),
        Legend {
            entries: named(&LOSSES),
            remarks: Vec::new(),
        },
    );
    if let Some(of) = &study.input.reconstruction {
        let legend = Legend {
            entries: named(&LINES),
            remarks: vec![reconstruction_reading(&of.name)],
        };
        add(
            "reconstruction".into(),
            "masked reconstruction",
            drawn(reconstruction_charts(of)),
            legend,
        );
    }
    let legend = Legend {
        entries: entries(study, LineStyle::Line),
        remarks: vec!["Mean over runs.".into()],
    };
    add(
        "finetuning".into(),
        "fine-tuning",
        drawn(finetuning_charts(study)),
        legend,
    );
    out
}
