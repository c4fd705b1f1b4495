//! The page as a whole: its content, what it leaves out, and what it never shows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use eval::Metric;
use report::{ReportError, ReportInput, exports, headline_cells, render};
use run_record::ResultRow;

/// Text of the page without its tags, an element a line.
fn words(html: &str) -> String {
    let (mut out, mut inside, mut hidden) = (String::new(), false, false);
    for part in html.split_inclusive(['<', '>']) {
        let text = part.trim_end_matches(['<', '>']);
        if inside {
            hidden = if text.starts_with("svg") || text.starts_with("style") {
                true
            } else {
                hidden && !(text.starts_with("/svg") || text.starts_with("/style"))
            };
        } else if !hidden && !text.trim().is_empty() {
            out.push_str(text.trim());
            out.push('\n');
        }
        inside = part.ends_with('<');
    }
    out
}

/// Two starts, two budgets, three pairs, one emotion.
fn small() -> ReportInput {
    let study = sample::study(true);
    let keep = |r: &ResultRow| {
        ["ssl", "scratch"].contains(&r.start.as_str())
            && ["fear", "macro"].contains(&r.emotion.as_str())
            && [24, 816].contains(&r.n_labels)
            && (r.draw == 0 || r.seed == 0)
    };
    let results = study.results.iter().filter(|r| keep(r)).cloned().collect();
    let mut pretraining = study.pretraining[..1].to_vec();
    pretraining[0].points.truncate(200);
    let trivial = study
        .trivial
        .iter()
        .filter(|r| ["fear", "macro"].contains(&r.emotion.as_str()))
        .cloned()
        .collect();
    let trainings = study
        .trainings
        .iter()
        .filter(|t| ["ssl", "scratch"].contains(&t.start.as_str()))
        .cloned()
        .collect();
    let primary_budget = Some("f0.05".into());
    let input = ReportInput {
        results,
        trivial,
        pretraining,
        trainings,
        primary_budget,
        ..study
    };
    ReportInput {
        statistics: Some(sample::statistics::of(&input)),
        ..input
    }
}

#[test]
fn the_words_of_a_small_report() {
    insta::assert_snapshot!("small_words", words(&render(&small()).unwrap()));
}

#[test]
fn the_figure_of_a_small_report() {
    let mut input = small();
    input.results.retain(|r| r.metric == "roc_auc");
    insta::assert_snapshot!("small_figure", file(&input, "figures/learning_curves.svg"));
}

/// One of the exported files, as text.
fn file(input: &ReportInput, name: &str) -> String {
    let found = exports(input).unwrap().into_iter().find(|(n, _)| n == name);
    String::from_utf8_lossy(&found.unwrap_or_else(|| panic!("no file {name}")).1).into_owned()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let input = sample::study(true);
    assert_eq!(render(&input).unwrap(), render(&input.clone()).unwrap());
    let mut turned = input.clone();
    turned.results.reverse();
    assert_eq!(
        render(&input).unwrap(),
        render(&turned).unwrap(),
        "the order of the rows shows"
    );
    assert_eq!(exports(&input).unwrap(), exports(&turned).unwrap());
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let html = render(&sample::study(true)).unwrap();
    for forbidden in ["<script", "src=", "@import", "url(", "<link", "onload"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let addresses = html
        .match_indices("http")
        .filter(|(at, _)| !html[*at..].starts_with("http://www.w3.org/2000/svg"));
    assert_eq!(addresses.count(), 0);
}

#[test]
fn figures_and_tables_can_be_read_aloud() {
    let html = render(&sample::study(true)).unwrap();
    let figures = html.matches("role=\"img\"").count();
    // Forests, macro, by emotion, scores, pre-training, reconstruction, fine-tuning.
    assert_eq!(figures, 2 + 5 + 4 * 6 + 3 * 6 + 1 + 4 + 2);
    assert_eq!(html.matches("<title id=").count(), figures);
    assert_eq!(html.matches("<desc id=").count(), figures);
    let tables = html.matches("<table").count();
    assert_eq!(html.matches("<caption>").count(), tables);
    assert_eq!(html.matches("<th>").count(), 0, "a header without a scope");
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id twice");
}

#[test]
fn markup_in_names_stays_text() {
    let evil = "<script>alert(\"1\")</script>&'";
    let mut input = small();
    for row in &mut input.results {
        if row.emotion == "fear" {
            row.emotion = evil.into();
        }
        if row.start == "scratch" {
            row.start = evil.into();
        }
        row.cell.push_str(evil);
    }
    for row in &mut input.trivial {
        row.start.push_str(evil);
    }
    let statistics = input.statistics.as_mut().unwrap();
    statistics.analysis.baseline = evil.into();
    for curve in statistics
        .curves
        .iter_mut()
        .filter(|c| c.start == "scratch")
    {
        curve.start = evil.into();
    }
    input.name = evil.into();
    input.config_toml = format!("name = '''{evil}</code></pre>'''");
    input.notes.push(evil.into());
    input.failures.push((evil.into(), evil.into()));
    input.facts[0].title = evil.into();
    input.facts[0].rows.push((evil.into(), evil.into()));
    input.pretraining[0].name = evil.into();
    for training in input.trainings.iter_mut().filter(|t| t.start == "scratch") {
        training.start = evil.into();
    }
    let shown = input.reconstruction.as_mut().unwrap();
    shown.name = evil.into();
    shown.columns[0].name = evil.into();
    for rows in input.scored.iter_mut().filter(|r| r.emotion == "fear") {
        rows.emotion = evil.into();
    }
    let is_page = |name: &str| name.ends_with(".svg") || name.ends_with(".md");
    let files = exports(&input)
        .unwrap()
        .into_iter()
        .filter(|(name, _)| is_page(name));
    for text in files
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .chain([render(&input).unwrap()])
    {
        assert!(!text.contains("<script") && !text.contains("</script"));
        assert!(text.contains("script"), "the name is gone");
    }
}

#[test]
fn an_objective_that_was_not_trained_is_mentioned_and_left_out() {
    let html = render(&sample::study(false)).unwrap();
    assert!(
        words(&html)
            .contains("No cell predicts intensities: the intensity objective was not trained")
    );
    assert!(!html.contains("fig-macro-mae") && !html.contains("4-class accuracy</th>"));
    let with = render(&sample::study(true)).unwrap();
    assert!(with.contains("fig-macro-mae") && !with.contains("was not trained"));
}

#[test]
fn a_value_that_is_undefined_is_never_shown_as_zero() {
    let mut input = small();
    for row in input
        .results
        .iter_mut()
        .filter(|r| r.emotion == "fear" && r.metric != "mae" && r.metric != "accuracy4")
    {
        (row.value, row.support) = (None, 0);
    }
    let html = words(&render(&input).unwrap());
    assert!(html.contains("n/a (0 positives)"), "{html}");
}

#[test]
fn what_rests_on_too_few_rows_is_nowhere_a_number() {
    let mut input = small();
    let is_presence = |metric: &str| !["mae", "accuracy4"].contains(&metric);
    // A value that no other number has.
    for row in input.results.iter_mut().chain(&mut input.trivial) {
        if row.emotion == "fear" && is_presence(&row.metric) {
            sample::too_few(row);
            row.value = Some(0.123456);
        }
    }
    let statistics = input.statistics.as_mut().unwrap();
    let is_ours = |emotion: &str, metric: Metric| emotion == "fear" && is_presence(metric.name());
    for curve in statistics
        .curves
        .iter_mut()
        .filter(|c| is_ours(&c.emotion, c.metric))
    {
        curve.estimate.value = 0.123456;
    }
    for contrast in statistics
        .contrasts
        .iter_mut()
        .filter(|c| is_ours(&c.emotion, c.metric))
    {
        contrast.difference.value = 0.123456;
        contrast.each = vec![0.123456];
    }
    for area in statistics
        .areas
        .iter_mut()
        .filter(|a| is_ours(&a.emotion, a.metric))
    {
        area.difference.value = 0.123456;
    }
    let html = render(&input).unwrap();
    assert!(
        html.contains("n/a (3 positives)") && !html.contains("0.123"),
        "{}",
        words(&html)
    );
    for (name, bytes) in exports(&input).unwrap() {
        assert!(!String::from_utf8_lossy(&bytes).contains("0.123"), "{name}");
    }
}

#[test]
fn without_statistics_no_difference_is_claimed() {
    let html = words(
        &render(&ReportInput {
            statistics: None,
            ..small()
        })
        .unwrap(),
    );
    assert!(
        html.contains("for which no confidence interval could be computed"),
        "{html}"
    );
    assert!(
        html.contains("No confidence intervals and no tests were computed for this report, so it claims no difference")
    );
    for claim in [
        "Pre-training helped",
        "Pre-training hurt",
        "ssl is better (",
        "scratch is better (",
        "% confidence interval",
    ] {
        assert!(!html.contains(claim), "{claim}: {html}");
    }
}

#[test]
fn tables_and_figures_are_files_as_well() {
    let small = small();
    let files = exports(&small).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let text = |name: &str| file(&small, name);
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "a name twice");
    assert!(
        text("figures/paired.svg").contains("scratch better")
            && names.contains(&"figures/emotions_mae.svg")
    );
    let all = [
        "learning_curves",
        "calibration",
        "roc",
        "precision_recall",
        "pretraining",
        "reconstruction",
        "finetuning",
    ];
    for figure in all {
        assert!(
            text(&format!("figures/{figure}.svg")).starts_with("<svg"),
            "{figure}"
        );
        let pdf = text(&format!("figures/{figure}.pdf"));
        assert!(
            pdf.starts_with("%PDF-") && pdf.trim_end().ends_with("%%EOF"),
            "{figure}"
        );
    }
    insta::assert_snapshot!("paired_csv", text("tables/paired.csv"));
    insta::assert_snapshot!(
        "paired_macro_roc_auc_md",
        text("tables/paired_macro_roc_auc.md")
    );
    insta::assert_snapshot!(
        "label_equivalence_tex",
        text("tables/label_equivalence_roc_auc.tex")
    );
}

#[test]
fn a_run_without_results_has_a_report() {
    let html = words(&render(&ReportInput::default()).unwrap());
    for sentence in [
        "It is undetermined whether pre-training helped",
        "There are no test results yet.",
        "No cell failed.",
    ] {
        assert!(html.contains(sentence), "{sentence}: {html}");
    }
    assert!(exports(&ReportInput::default()).unwrap().is_empty());
}

#[test]
fn results_that_cannot_be_shown_are_refused() {
    let mut input = small();
    input.results.push(input.results[0].clone());
    assert!(matches!(render(&input), Err(ReportError::TwoRows { .. })));
    let unknown = ReportInput {
        primary_metric: "auc".into(),
        ..small()
    };
    assert!(matches!(
        exports(&unknown),
        Err(ReportError::UnknownMetric { .. })
    ));
}

#[test]
fn the_headline_rests_on_the_cells_of_its_budget_in_every_start() {
    let cells = headline_cells(&ReportInput {
        primary_budget: Some("f0.01".into()),
        ..sample::study(true)
    })
    .unwrap();
    // One of the 32 has not finished.
    assert_eq!(cells.len(), 31);
    assert!(cells.iter().all(|cell| cell.contains("-163-")), "{cells:?}");
}
