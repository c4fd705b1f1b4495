//! Tables as Markdown, with pipes.

use super::written;
use crate::tables::{Cell, Table};

/// The caption, the head and every row; a head of several rows is repeated in each.
pub(super) fn write(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = format!("**{}**\n\n", escaped(&table.caption));
    out.push_str(&line(
        table.head.iter().map(|cell| escaped(&cell.text)).collect(),
    ));
    let rule = |cell: &Cell| {
        if cell.words {
            ":--".to_string()
        } else {
            "--:".to_string()
        }
    };
    out.push_str(&line(table.head.iter().map(rule).collect()));
    out.extend(
        written(table, true, escaped)
            .into_iter()
            .flatten()
            .map(line),
    );
    out
}

/// Text that Markdown, and HTML in it, leaves alone.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::awkward;

    #[test]
    fn rows_are_whole_and_pipes_are_escaped() {
        let want = [
            "**50 % of \"A &amp; B\" \\| C**",
            "",
            "| Labels | Start\\_name | ROC AUC |",
            "| :-- | :-- | --: |",
            "| 24\u{2013}26 | ssl, \\#1 | 0.512 \\[\u{2212}0.013, not reached\\] |",
            "| 24\u{2013}26 | scratch\\|{x}\\\\ | n/a (3 positives) (no run) |",
            "",
        ];
        assert_eq!(write(&awkward()), want.join("\n"));
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(escaped("<b>\n`x`"), "&lt;b&gt; \\`x\\`");
    }
}
