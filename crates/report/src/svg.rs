//! Our own SVG: deterministic, without script, readable in the light, in the dark and in grey.
//!
//! What lives here: axes, marks, a chart of lines over a few x values, a forest of differences, and files that stand alone.
//! What does not: what they are about.

pub(crate) mod axis;
pub(crate) mod chart;
pub(crate) mod drawing;
pub(crate) mod forest;
pub(crate) mod legend;
pub(crate) mod mark;

/// Colours and type of the charts; part of the page and of every file that stands alone.
pub(crate) fn css() -> String {
    let variables = |colours: &[&str; 8], ink: &str, soft: &str, grid: &str, surface: &str| {
        let slots: Vec<String> = colours.iter().enumerate().map(|(i, c)| format!("--k{i}:{c}")).collect();
        format!("{};--ink:{ink};--soft:{soft};--grid:{grid};--surface:{surface}", slots.join(";"))
    };
    let light = variables(&crate::style::LIGHT, "#1b1f24", "#57606a", "#dde1e6", "#ffffff");
    let dark = variables(&crate::style::DARK, "#e8eaed", "#a5adb8", "#2f363f", "#161a1f");
    let slots: String = (0..crate::style::SLOTS).map(|i| format!(".k{i}{{color:var(--k{i})}}")).collect();
    format!(
        ":root{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}{slots}\
         .ink{{fill:var(--ink)}}.soft{{fill:var(--soft)}}.grid{{stroke:var(--grid)}}.axis{{stroke:var(--soft)}}\
         .card{{fill:var(--surface)}}.mark{{stroke:var(--surface)}}"
    )
}

/// Text as it may stand in an element or in an attribute between double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No XML file may hold these, not even escaped.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate: a tenth of a pixel is finer than any screen, and rounds away what machines differ in.
pub(crate) fn px(x: f64) -> String {
    let text = format!("{x:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".to_string() } else { short.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{escape, px};

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(escape("<script>\"a\" & 'b'\u{1}"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([px(1.0), px(-0.01), px(2.25), px(-3.12)].join(" "), "1 0 2.2 -3.1");
    }
}
