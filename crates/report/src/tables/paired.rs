//! The paired differences in numbers.

use super::{Cell, Table, head};
use crate::aggregate::Spread;
use crate::numbers::{count, fixed, signed};
use crate::paired::{BASELINE, Paired, Reading, TREATED};
use crate::study::{Scope, Study};
use eval::Metric;

/// The paired differences of one metric; `None` where the study lacks one of the two starts or the metric.
pub(crate) fn paired_table(study: &Study<'_>, metric: Metric) -> Option<Table> {
    if !study.has(metric) {
        return None;
    }
    let row = |budget: usize| -> Option<Vec<Cell>> {
        let paired = Paired::of(study, budget, Scope::Macro, metric)?;
        let spread = paired.spread();
        let number = |of: fn(&Spread) -> Option<f64>, sign: bool| {
            let text = spread.as_ref().and_then(of).map(|x| if sign { signed(x, 4) } else { fixed(x, 4) });
            Cell::number(text.unwrap_or_else(|| "n/a".into()))
        };
        let pairs = Cell::number(count(paired.differences.len() as u64));
        let pairs = match paired.unpaired {
            0 => pairs,
            n => pairs.remark(format!("{} unpaired", count(n as u64))),
        };
        let ahead = Cell::number(format!("{} of {}", paired.ahead, paired.differences.len()));
        let ahead = if paired.level == 0 { ahead } else { ahead.remark(format!("{} equal", paired.level)) };
        Some(vec![
            Cell::head(study.budgets[budget].label(), 1),
            pairs,
            number(|s| Some(s.mean), true),
            number(|s| s.standard_error().map(|e| 2.0 * e), false),
            number(|s| s.sd, false),
            number(|s| Some(s.min), true),
            number(|s| Some(s.max), true),
            ahead,
            Cell::words(words(paired.reading())),
        ])
    };
    let rows: Vec<Vec<Cell>> = (0..study.budgets.len()).filter_map(row).collect();
    let better = if metric.higher_is_better() { "more is better" } else { "less is better" };
    let ahead = format!("{TREATED} better");
    let titles = ["Labels", "Pairs", "Mean", "2 std. errors", "Std. dev.", "Smallest", "Largest", &ahead];
    let mut head = head(1, titles);
    head.push(Cell::words("Reading"));
    (!rows.is_empty()).then(|| Table {
        caption: format!("{TREATED} \u{2212} {BASELINE}, macro {} in test ({better})", metric.title()),
        head,
        groups: vec![rows],
    })
}

fn words(reading: Reading) -> String {
    match reading {
        Reading::Ahead => format!("{TREATED} better"),
        Reading::Behind => format!("{BASELINE} better"),
        Reading::NoDifference => "no difference to speak of".into(),
        Reading::TooFew => "too few pairs".into(),
    }
}
