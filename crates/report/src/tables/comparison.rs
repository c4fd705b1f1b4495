//! Several studies of one contrast, side by side.

use super::{Cell, Table, head};
use crate::comparison::{Compared, Comparison};
use crate::numbers::percent;
use eval::Metric;

/// The contrasts of a metric in every study.
pub(crate) fn comparison_table(all: &Comparison, metric: Metric) -> Table {
    let row = |row: &Compared| {
        let labels = Cell::head(row.labels_text(), 1).value(row.labels);
        let remark = match row.is_primary {
            true => format!("{}; primary contrast", row.budget),
            false => row.budget.clone(),
        };
        let each = row.each.iter();
        let mut cells = vec![labels.remark(remark)];
        cells.extend(each.map(|f| Cell::signed(f.value, 3).within(f.interval, 3, true)));
        if all.names.len() == 2 {
            cells.push(row.difference.as_ref().map_or_else(
                || Cell::none("n/a"),
                |(value, test)| Cell::signed(*value, 3).within(test.map(|t| t.interval), 3, true),
            ));
        }
        match &row.pooled {
            None => cells.extend([Cell::none("n/a"), Cell::none("n/a"), Cell::none("n/a")]),
            Some(pooled) => cells.extend([
                Cell::signed(pooled.value, 3).within(pooled.test.map(|t| t.interval), 3, true),
                Cell::p(pooled.test.map(|t| t.p)),
                Cell::number(pooled.share, 2),
            ]),
        }
        cells
    };
    let mut titles: Vec<&str> = vec!["Labels"];
    titles.extend(all.names.iter().map(String::as_str));
    if all.names.len() == 2 {
        titles.push("Second − first");
    }
    titles.extend(["Together", "p", "I²"]);
    Table {
        caption: format!(
            "{} − {}, macro {}, with {} confidence intervals. Together: random effects (DerSimonian and Laird); I² is the share of \
                 the variance between studies that their uncertainty does not explain",
            all.arms[0],
            all.arms[1],
            metric.title(),
            percent(all.level)
        ),
        head: head(1, titles),
        groups: vec![
            all.rows
                .iter()
                .filter(|r| r.metric == metric)
                .map(row)
                .collect(),
        ],
    }
}
