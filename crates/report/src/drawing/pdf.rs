//! Sheets as PDF: lines, areas and Helvetica, nothing embedded and no date, so that the same figure
//! is the same bytes.

use super::pdf_font;
use super::shape::{Anchor, Ink, SPAN_GAP, Shape, Span, Step, Stroke};
use super::sheet::Sheet;
use crate::style::Ground;
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;

/// Points, of which an inch has 72, to a pixel, of which it has 96.
const POINTS: f32 = 0.75;
/// How far the handles of a quarter of a circle reach, in radii.
const KAPPA: f64 = 0.552_284_75;
const REGULAR: Name<'static> = Name(b"F0");
const BOLD: Name<'static> = Name(b"F1");
/// Objects before those of the opacities.
const CATALOG: i32 = 1;
const PAGES: i32 = 2;
const PAGE: i32 = 3;
const CONTENT: i32 = 4;
const INFO: i32 = 5;
const FONTS: i32 = 6;
const STATES: i32 = 8;

/// A sheet as a file of one page.
pub(super) fn file(sheet: &Sheet) -> Vec<u8> {
    let mut page = Page {
        content: Content::new(),
        opacities: BTreeMap::new(),
    };
    // Pixels, y downwards, as everything here is drawn.
    let height = sheet.height as f32 * POINTS;
    page.content
        .transform([POINTS, 0.0, 0.0, -POINTS, 0.0, height]);
    for (x, y, shapes) in &sheet.parts {
        page.content.save_state();
        page.content
            .transform([1.0, 0.0, 0.0, 1.0, *x as f32, *y as f32]);
        for shape in shapes.iter().filter(|shape| !shape.is_empty()) {
            page.draw(shape);
        }
        page.content.restore_state();
    }
    let Page { content, opacities } = page;
    let mut pdf = Pdf::new();
    pdf.catalog(Ref::new(CATALOG)).pages(Ref::new(PAGES));
    pdf.pages(Ref::new(PAGES)).kids([Ref::new(PAGE)]).count(1);
    let mut leaf = pdf.page(Ref::new(PAGE));
    leaf.parent(Ref::new(PAGES));
    leaf.media_box(Rect::new(0.0, 0.0, sheet.width as f32 * POINTS, height));
    leaf.contents(Ref::new(CONTENT));
    let mut resources = leaf.resources();
    resources
        .fonts()
        .pair(REGULAR, Ref::new(FONTS))
        .pair(BOLD, Ref::new(FONTS + 1));
    let mut states = resources.ext_g_states();
    for (i, name) in opacities.values().enumerate() {
        states.pair(Name(name.as_bytes()), Ref::new(STATES + i as i32));
    }
    states.finish();
    resources.finish();
    leaf.finish();
    for (i, name) in [b"Helvetica".as_slice(), b"Helvetica-Bold"]
        .into_iter()
        .enumerate()
    {
        let mut font = pdf.type1_font(Ref::new(FONTS + i as i32));
        font.base_font(Name(name))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (i, thousandths) in opacities.keys().enumerate() {
        let share = *thousandths as f32 / 1000.0;
        pdf.ext_graphics(Ref::new(STATES + i as i32))
            .non_stroking_alpha(share)
            .stroking_alpha(share);
    }
    pdf.stream(Ref::new(CONTENT), &content.finish());
    pdf.document_info(Ref::new(INFO))
        .title(TextStr(&sheet.title))
        .subject(TextStr(&sheet.description));
    pdf.finish()
}

struct Page {
    content: Content,
    /// Names of the opacities in use, by their thousandths.
    opacities: BTreeMap<u32, String>,
}

impl Page {
    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Path {
                steps,
                fill,
                stroke,
            } => {
                // In two goes, since area and line may differ in their opacity.
                if let Some((ink, opacity)) = *fill {
                    self.opacity(opacity);
                    let [r, g, b] = rgb(ink);
                    self.content.set_fill_rgb(r, g, b);
                    self.path(steps);
                    self.content.fill_nonzero();
                }
                if let Some(stroke) = *stroke {
                    self.stroke(stroke);
                    self.path(steps);
                    self.content.stroke();
                }
            }
            Shape::Words {
                x,
                y,
                anchor,
                spans,
                halo,
            } => self.words((*x, *y), *anchor, spans, *halo),
        }
    }

    fn opacity(&mut self, share: f64) {
        let thousandths = (share * 1000.0).round() as u32;
        let name = self
            .opacities
            .entry(thousandths)
            .or_insert_with(|| format!("A{thousandths}"));
        self.content.set_parameters(Name(name.as_bytes()));
    }

    fn stroke(
        &mut self,
        Stroke {
            ink,
            width,
            dash,
            opacity,
            round,
        }: Stroke,
    ) {
        self.opacity(opacity);
        let [r, g, b] = rgb(ink);
        self.content
            .set_stroke_rgb(r, g, b)
            .set_line_width(width as f32);
        self.content.set_line_cap(if round {
            LineCapStyle::RoundCap
        } else {
            LineCapStyle::ButtCap
        });
        self.content.set_line_join(LineJoinStyle::RoundJoin);
        self.content.set_dash_pattern(
            dash.split(' ').filter_map(|length| length.parse().ok()),
            0.0,
        );
    }

    fn path(&mut self, steps: &[Step]) {
        let c = &mut self.content;
        for step in steps {
            match *step {
                Step::Move(x, y) => c.move_to(at(x), at(y)),
                Step::Line(x, y) => c.line_to(at(x), at(y)),
                Step::Close => c.close_path(),
                Step::Circle(x, y, r) => {
                    let k = KAPPA * r;
                    c.move_to(at(x - r), at(y));
                    let quarters = [
                        [(-r, -k), (-k, -r), (0.0, -r)],
                        [(k, -r), (r, -k), (r, 0.0)],
                        [(r, k), (k, r), (0.0, r)],
                        [(-k, r), (-r, k), (-r, 0.0)],
                    ];
                    for [a, b, to] in quarters {
                        c.cubic_to(
                            at(x + a.0),
                            at(y + a.1),
                            at(x + b.0),
                            at(y + b.1),
                            at(x + to.0),
                            at(y + to.1),
                        );
                    }
                    c.close_path()
                }
            };
        }
    }

    fn words(&mut self, (x, y): (f64, f64), anchor: Anchor, spans: &[Span], halo: bool) {
        let widths: Vec<f64> = spans
            .iter()
            .map(|s| pdf_font::width(&s.text, s.bold) * s.size)
            .collect();
        let whole = widths.iter().sum::<f64>() + SPAN_GAP * (spans.len() as f64 - 1.0);
        let mut left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - whole / 2.0,
            Anchor::End => x - whole,
        };
        self.opacity(1.0);
        if halo {
            let [r, g, b] = rgb(Ink::Surface);
            self.content.set_fill_rgb(r, g, b);
            self.content
                .rect(at(left - 2.0), at(y - 11.0), at(whole + 4.0), 14.0)
                .fill_nonzero();
        }
        for (span, width) in spans.iter().zip(widths) {
            let [r, g, b] = rgb(span.ink);
            self.content.set_fill_rgb(r, g, b).begin_text();
            self.content
                .set_font(if span.bold { BOLD } else { REGULAR }, span.size as f32);
            // The letters stand upright although y grows downwards.
            self.content
                .set_text_matrix([1.0, 0.0, 0.0, -1.0, at(left), at(y)]);
            self.content
                .show(Str(&pdf_font::codes(&span.text)))
                .end_text();
            left += width + SPAN_GAP;
        }
    }
}

/// A coordinate in hundredths, which rounds away what machines differ in.
fn at(x: f64) -> f32 {
    ((x * 100.0).round() / 100.0) as f32
}

/// The light colour of an ink, each part from 0 to 1.
fn rgb(ink: Ink) -> [f32; 3] {
    let hex = Ground::LIGHT.colour(ink);
    [1, 3, 5].map(|from| {
        let part = hex
            .get(from..from + 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(0);
        (f32::from(part) / 255.0 * 1000.0).round() / 1000.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Drawing;
    use crate::drawing::sheet::Legend;

    #[test]
    fn a_figure_is_the_same_bytes_each_time() {
        let shapes = vec![
            Shape::dots([(10.0, 10.0)], 1),
            Shape::area(vec![Step::Circle(5.0, 5.0, 2.0)], Ink::Slot(0), 0.13),
            Shape::small(1.0, 2.0, Anchor::End, "a (b\\"),
        ];
        let drawing = Drawing {
            id: "a".into(),
            title: "A".into(),
            description: "D".into(),
            height: 50.0,
            shapes,
        };
        let sheet = Sheet::new("T", vec![drawing], &Legend::default());
        let pdf = sheet.to_pdf();
        assert_eq!(pdf, sheet.to_pdf());
        let text = String::from_utf8_lossy(&pdf);
        for part in [
            "%PDF-",
            "/Helvetica-Bold",
            "/A130 gs",
            "/A380 gs",
            "(a \\(b\\\\) Tj",
            "%%EOF",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Date"), "{text}");
    }

    #[test]
    fn colours_are_read_from_their_names() {
        assert_eq!(rgb(Ink::Surface), [1.0; 3]);
        assert_eq!(rgb(Ink::Slot(0)), [0.0, 0.447, 0.698]);
    }
}
