//! Which line is which.

use super::{escape, mark, px};
use crate::style::{DASHES, LIGHT, MARKERS};

/// A line, with its marker where the figure has markers: 44 by 14 pixels, its left upper corner at (x, y).
fn sample(slot: usize, marked: bool, x: f64, y: f64) -> String {
    let dash = match DASHES[slot] {
        "" => String::new(),
        dash => format!(" stroke-dasharray=\"{dash}\""),
    };
    let middle = y + 7.0;
    let marker = if marked {
        let shape = mark::path(MARKERS[slot], x + 22.0, middle, 4.5);
        format!("<path class=\"mark\" d=\"{shape}\" fill=\"currentColor\" stroke=\"#ffffff\" stroke-width=\"1\"/>")
    } else {
        String::new()
    };
    format!(
        "<g class=\"k{slot}\" color=\"{}\"><path d=\"M{} {}h42\" stroke=\"currentColor\" stroke-width=\"2\" fill=\"none\"{dash}/>\
         {marker}</g>",
        LIGHT[slot],
        px(x + 1.0),
        px(middle),
    )
}

/// A sample as an element of its own, for the page; the name beside it says what it is.
pub(crate) fn sample_svg(slot: usize, marked: bool) -> String {
    format!(
        "<svg viewBox=\"0 0 44 14\" width=\"44\" height=\"14\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">{}</svg>",
        sample(slot, marked, 0.0, 0.0)
    )
}

/// Samples with their names below each other, with lines of text under them.
pub(crate) fn block(entries: &[(usize, String)], remarks: &[String], x: f64, y: f64) -> String {
    let mut out = String::new();
    let mut at = y;
    for (slot, name) in entries {
        out.push_str(&sample(*slot, true, x, at));
        out.push_str(&format!(
            "<text class=\"ink\" fill=\"#1b1f24\" font-size=\"14\" x=\"{}\" y=\"{}\">{}</text>\n",
            px(x + 54.0),
            px(at + 12.0),
            escape(name)
        ));
        at += 24.0;
    }
    at += 8.0;
    for remark in remarks {
        out.push_str(&format!(
            "<text class=\"soft\" fill=\"#57606a\" font-size=\"11.5\" x=\"{}\" y=\"{}\">{}</text>\n",
            px(x),
            px(at + 10.0),
            escape(remark)
        ));
        at += 17.0;
    }
    out
}
