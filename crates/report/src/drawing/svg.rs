//! Drawings as SVG: every element names the light colour, and has a class by which a style sheet
//! changes it in the dark.

use super::shape::{Anchor, Ink, SPAN_GAP, Shape, Span, Step, Stroke};
use super::sheet::Sheet;
use super::{Drawing, WIDTH};
use crate::style::{DARK, Ground, LIGHT, SLOTS};
use std::fmt::Write;

/// The type of all words in drawings.
const FONT: &str =
    "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\"";

/// Colours and type of the charts; part of the page and of every file that stands alone.
pub(crate) fn css() -> String {
    let variables = |colours: &[&str; 8], ground: &Ground| {
        let slots: Vec<String> = colours
            .iter()
            .enumerate()
            .map(|(i, c)| format!("--k{i}:{c}"))
            .collect();
        let Ground {
            ink,
            soft,
            grid,
            surface,
        } = ground;
        format!(
            "{};--ink:{ink};--soft:{soft};--grid:{grid};--surface:{surface}",
            slots.join(";")
        )
    };
    let (light, dark) = (
        variables(&LIGHT, &Ground::LIGHT),
        variables(&DARK, &Ground::DARK),
    );
    let slots: String = (0..SLOTS)
        .map(|i| format!(".k{i}{{color:var(--k{i})}}"))
        .collect();
    format!(
        ":root{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\
         @media print{{:root{{color-scheme:light;{light}}}}}{slots}\
         .ink{{fill:var(--ink)}}.soft{{fill:var(--soft)}}.grid{{stroke:var(--grid)}}.axis{{stroke:var(--soft)}}\
         .card{{fill:var(--surface)}}.shade{{fill:var(--grid)}}.mark{{stroke:var(--surface)}}"
    )
}

/// A drawing as an element of its own, sized by the page.
pub(crate) fn element(drawing: &Drawing) -> String {
    let id = escape(&drawing.id);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" {FONT} \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n{}</svg>",
        px(drawing.height),
        escape(&drawing.title),
        escape(&drawing.description),
        elements(&drawing.shapes),
    )
}

/// A sheet as a file.
pub(super) fn file(sheet: &Sheet) -> String {
    let (width, height) = (px(sheet.width), px(sheet.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"t d\" {FONT}>\n<title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n\
         <style>{}</style>\n<rect class=\"card\" fill=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        escape(&sheet.title),
        escape(&sheet.description),
        css(),
        Ground::LIGHT.surface,
    );
    for (x, y, shapes) in &sheet.parts {
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "<g transform=\"translate({} {})\">\n{}</g>\n",
            px(*x),
            px(*y),
            elements(shapes)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Shapes as elements, one a line.
pub(super) fn elements(shapes: &[Shape]) -> String {
    let mut out = String::new();
    for shape in shapes.iter().filter(|shape| !shape.is_empty()) {
        let _ = match shape {
            Shape::Path {
                steps,
                fill,
                stroke,
            } => {
                writeln!(
                    out,
                    "<path {} d=\"{}\"/>",
                    painted(*fill, *stroke),
                    path(steps)
                )
            }
            Shape::Words {
                x,
                y,
                anchor,
                spans,
                halo,
            } => writeln!(out, "{}", words((*x, *y), *anchor, spans, *halo)),
        };
    }
    out
}

/// Classes and attributes of a path.
fn painted(fill: Option<(Ink, f64)>, stroke: Option<Stroke>) -> String {
    let (mut classes, mut attributes) = (Vec::new(), String::new());
    let mut slot_colour = "";
    let mut paint = |ink: Ink, class: &'static str| match ink {
        Ink::Slot(slot) => {
            let slot = slot.min(SLOTS - 1);
            classes.push(format!("k{slot}"));
            slot_colour = LIGHT[slot];
            "currentColor"
        }
        ink => {
            classes.push(class.into());
            Ground::LIGHT.colour(ink)
        }
    };
    let share = |name: &str, opacity: f64| match opacity {
        1.0 => String::new(),
        opacity => format!(" {name}-opacity=\"{opacity}\""),
    };
    match fill {
        Some((ink, opacity)) => {
            let class = match ink {
                Ink::Soft => "soft",
                Ink::Surface => "card",
                Ink::Grid => "shade",
                _ => "ink",
            };
            attributes.push_str(&format!(
                " fill=\"{}\"{}",
                paint(ink, class),
                share("fill", opacity)
            ));
        }
        None => attributes.push_str(" fill=\"none\""),
    }
    if let Some(Stroke {
        ink,
        width,
        dash,
        opacity,
        round,
    }) = stroke
    {
        let class = match ink {
            Ink::Grid => "grid",
            Ink::Surface => "mark",
            _ => "axis",
        };
        attributes.push_str(&format!(
            " stroke=\"{}\" stroke-width=\"{width}\"",
            paint(ink, class)
        ));
        attributes.push_str(&share("stroke", opacity));
        if !dash.is_empty() {
            attributes.push_str(&format!(" stroke-dasharray=\"{dash}\""));
        }
        attributes.push_str(if round {
            " stroke-linecap=\"round\""
        } else {
            " stroke-linejoin=\"round\""
        });
    }
    classes.dedup();
    let colour = if slot_colour.is_empty() {
        String::new()
    } else {
        format!(" color=\"{slot_colour}\"")
    };
    format!("class=\"{}\"{colour}{attributes}", classes.join(" "))
}

/// The steps as path data: horizontal and vertical lines in their short form.
fn path(steps: &[Step]) -> String {
    let (mut out, mut at) = (String::new(), (String::new(), String::new()));
    for step in steps {
        match *step {
            Step::Move(x, y) => {
                at = (px(x), px(y));
                let _ = write!(out, "M{} {}", at.0, at.1);
            }
            Step::Line(x, y) => {
                let to = (px(x), px(y));
                let _ = match (to.0 == at.0, to.1 == at.1) {
                    (_, true) => write!(out, "H{}", to.0),
                    (true, false) => write!(out, "V{}", to.1),
                    (false, false) => write!(out, "L{} {}", to.0, to.1),
                };
                at = to;
            }
            Step::Circle(x, y, r) => {
                let (left, y, r2, d) = (px(x - r), px(y), px(r), px(2.0 * r));
                let _ = write!(
                    out,
                    "M{left} {y}a{r2} {r2} 0 1 0 {d} 0a{r2} {r2} 0 1 0 -{d} 0Z"
                );
            }
            Step::Close => out.push('Z'),
        }
    }
    out
}

fn words((x, y): (f64, f64), anchor: Anchor, spans: &[Span], halo: bool) -> String {
    let look = |span: &Span| {
        let (class, colour) = match span.ink {
            Ink::Soft => ("soft", Ground::LIGHT.soft),
            _ => ("ink", Ground::LIGHT.ink),
        };
        let class = if halo {
            format!("{class} mark")
        } else {
            class.to_string()
        };
        let weight = if span.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        format!(
            "class=\"{class}\" fill=\"{colour}\" font-size=\"{}\"{weight}",
            span.size
        )
    };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let around = if halo {
        format!(
            " stroke=\"{}\" stroke-width=\"4\" paint-order=\"stroke\"",
            Ground::LIGHT.surface
        )
    } else {
        String::new()
    };
    let place = format!("x=\"{}\" y=\"{}\"{anchor}{around}", px(x), px(y));
    if let [span] = spans {
        return format!("<text {place} {}>{}</text>", look(span), escape(&span.text));
    }
    let each: String = spans
        .iter()
        .enumerate()
        .map(|(i, span)| {
            let gap = if i == 0 {
                String::new()
            } else {
                format!(" dx=\"{SPAN_GAP}\"")
            };
            format!("<tspan {}{gap}>{}</tspan>", look(span), escape(&span.text))
        })
        .collect();
    format!("<text {place}>{each}</text>")
}

/// Text as it may stand in an element or in an attribute between double quotes.
fn escape(text: &str) -> String {
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

/// A coordinate: a tenth of a pixel is finer than any screen, and rounds away what machines differ
/// in.
fn px(x: f64) -> String {
    let text = format!("{x:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" {
        "0".to_string()
    } else {
        short.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{escape, px};

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(
            escape("<script>\"a\" & 'b'\u{1}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(
            [px(1.0), px(-0.01), px(2.25), px(-3.12)].join(" "),
            "1 0 2.2 -3.1"
        );
    }
}
