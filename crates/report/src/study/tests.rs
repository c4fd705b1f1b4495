use super::*;

/// A row of macro ROC AUC in test.
pub(crate) fn row(start: &str, n_labels: i32, fraction: f64, key: [i32; 3], value: Option<f64>) -> ResultRow {
    let [fold, seed, draw] = key;
    ResultRow {
        cell: format!("{start}-{n_labels}-{fold}-{seed}-{draw}"),
        fold,
        start: start.into(),
        fraction,
        n_labels,
        seed,
        draw,
        split: "test".into(),
        emotion: MACRO.into(),
        metric: Metric::RocAuc.name().into(),
        value,
        support: 9,
    }
}

fn input(results: Vec<ResultRow>) -> ReportInput {
    ReportInput { results, starts: vec!["ssl".into(), "scratch".into()], ..ReportInput::default() }
}

#[test]
fn runs_of_one_budget_are_put_together() {
    let input = input(vec![
        row("ssl", 10, 0.1, [1, 0, 0], Some(0.7)),
        row("ssl", 12, 0.1, [0, 0, 0], Some(0.5)),
        row("ssl", 10, 0.1, [1, 1, 0], None),
        row("ssl", 40, 0.4, [0, 0, 0], Some(0.9)),
    ]);
    let study = Study::new(&input).unwrap();
    assert_eq!(study.starts, ["ssl"]);
    let labels: Vec<String> = study.budgets.iter().map(Budget::label).collect();
    assert_eq!(labels, ["10\u{2013}12", "40"]);
    assert_eq!((study.budgets[0].labels, study.budgets[0].short_label()), (11.0, "11".into()));
    assert_eq!(study.values(0, 0, Scope::Macro, Metric::RocAuc), [0.5, 0.7]);
    assert_eq!(study.runs(0, 0, Scope::Macro, Metric::RocAuc).len(), 3);
    assert!((study.spread(0, 0, Scope::Macro, Metric::RocAuc).unwrap().mean - 0.6).abs() < 1e-15);
    assert_eq!(study.spread(0, 0, Scope::Micro, Metric::RocAuc), None);
}

#[test]
fn a_plan_of_counts_is_grouped_by_counts() {
    let rows = vec![row("ssl", 10, 0.1, [0, 0, 0], None), row("ssl", 10, 0.11, [1, 0, 0], None)];
    let input = input(rows);
    assert_eq!(Study::new(&input).unwrap().budgets.len(), 1);
}

#[test]
fn validation_rows_are_not_shown() {
    let input = input(vec![ResultRow { split: "valid".into(), ..row("ssl", 10, 0.1, [0, 0, 0], Some(0.5)) }]);
    let study = Study::new(&input).unwrap();
    assert!(study.budgets.is_empty() && !study.has(Metric::RocAuc) && !study.has_head(Head::Presence));
}

#[test]
fn starts_and_emotions_that_were_not_announced_are_shown_last() {
    let mut rows = vec![row("control", 10, 0.1, [0, 0, 0], None), row("ssl", 10, 0.1, [0, 0, 0], None)];
    rows[0].emotion = "joy".into();
    rows[1].emotion = "sad".into();
    let input = ReportInput { emotions: vec!["happy".into(), "sad".into()], ..input(rows) };
    let study = Study::new(&input).unwrap();
    assert_eq!(
        (study.starts, study.emotions),
        (vec!["ssl".into(), "control".into()], vec!["sad".into(), "joy".into()])
    );
}

#[test]
fn wrong_input_is_named() {
    let twice = input(vec![row("ssl", 10, 0.1, [0, 1, 2], Some(0.5)), row("ssl", 10, 0.1, [0, 1, 2], Some(0.6))]);
    let message = Study::new(&twice).err().unwrap().to_string();
    assert!(message.contains("macro roc_auc of ssl with 10 labels, fold 0, seed 1, draw 2"), "{message}");
    let broken = input(vec![row("ssl", 10, 0.1, [0, 1, 2], Some(f64::NAN))]);
    let message = Study::new(&broken).err().unwrap().to_string();
    assert!(message.contains("cell ssl-10-0-1-2, macro roc_auc: expected a finite value or none, found NaN"));
    let unknown = ReportInput { primary_metric: "auc".into(), ..ReportInput::default() };
    let message = Study::new(&unknown).err().unwrap().to_string();
    assert!(message.contains("found 'auc'") && message.contains("roc_auc"), "{message}");
}
