//! Tables as LaTeX, for the package `booktabs`.

use super::written;
use crate::tables::{Cell, Table};
use std::fmt::Write;

/// A floating table; `name` becomes its label.
pub(super) fn write(table: &Table, name: &str) -> String {
    let columns: String = table
        .head
        .iter()
        .map(|cell| if cell.words { 'l' } else { 'r' })
        .collect();
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "% Needs \\usepackage{{booktabs}}.\n\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\label{{tab:{}}}\n\
         \\begin{{tabular}}{{{columns}}}\n\\toprule",
        escaped(&table.caption),
        name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
    );
    let title = |cell: &Cell| escaped(&cell.text);
    let _ = writeln!(
        out,
        "{} \\\\",
        table.head.iter().map(title).collect::<Vec<_>>().join(" & ")
    );
    for group in written(table, false, escaped) {
        out.push_str("\\midrule\n");
        for row in group {
            // A row that begins with a bracket would be read as an option of the line break before
            // it.
            let line = row.join(" & ");
            let _ = writeln!(
                out,
                "{}{line} \\\\",
                if line.starts_with('[') { "{}" } else { "" }
            );
        }
    }
    out.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
    out
}

/// Text that LaTeX prints as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '\u{2212}' => out.push_str("$-$"),
            '\u{2013}' => out.push_str("--"),
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
    fn a_table_that_compiles() {
        let want = [
            "% Needs \\usepackage{booktabs}.",
            "\\begin{table}",
            "\\centering",
            "\\caption{50 \\% of \\textquotedbl{}A \\& B\\textquotedbl{} \\textbar{} C}",
            "\\label{tab:a-b}",
            "\\begin{tabular}{llr}",
            "\\toprule",
            "Labels & Start\\_name & ROC AUC \\\\",
            "\\midrule",
            "24--26 & ssl, \\#1 & 0.512 [$-$0.013, not reached] \\\\",
            " & scratch\\textbar{}\\{x\\}\\textbackslash{} & n/a (3 positives) (no run) \\\\",
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
            "",
        ];
        assert_eq!(write(&awkward(), "a_b"), want.join("\n"));
    }

    #[test]
    fn what_latex_would_read_is_escaped() {
        assert_eq!(
            escaped("a~b^c\\x{y}<z>"),
            "a\\textasciitilde{}b\\textasciicircum{}c\\textbackslash{}x\\{y\\}\\textless{}z\\textgreater{}"
        );
    }
}
