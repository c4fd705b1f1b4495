//! What drawings are made of: paths and lines of words, in pixels, y downwards.

/// What something is painted with; what colour that is, the reader's scheme decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words to be read first.
    Strong,
    /// Words and lines to be read second.
    Soft,
    /// Lines that only guide the eye.
    Grid,
    /// The ground.
    Surface,
    /// The colour of a series, by its slot.
    Slot(usize),
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Move(f64, f64),
    Line(f64, f64),
    /// A whole circle of its own: centre and radius.
    Circle(f64, f64, f64),
    Close,
}

/// A line along a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub ink: Ink,
    pub width: f64,
    /// Lengths of dashes and gaps, with spaces between; empty is solid.
    pub dash: &'static str,
    pub opacity: f64,
    /// Whether ends are round: a line of no length is then a dot.
    pub round: bool,
}

/// Where along a line of words its x is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Words of one look.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub text: String,
    pub size: f64,
    pub bold: bool,
    pub ink: Ink,
}

/// One thing drawn; later ones lie over earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// An outline, filled (ink and opacity), or stroked, or both.
    Path {
        steps: Vec<Step>,
        fill: Option<(Ink, f64)>,
        stroke: Option<Stroke>,
    },
    /// Spans one after the other on a line, with a little room between them.
    Words {
        x: f64,
        y: f64,
        anchor: Anchor,
        spans: Vec<Span>,
        halo: bool,
    },
}

/// Room between two spans of a line.
pub(crate) const SPAN_GAP: f64 = 8.0;
/// The size of most words.
pub(crate) const SMALL: f64 = 11.5;

impl Stroke {
    /// A solid line.
    pub fn solid(ink: Ink, width: f64) -> Self {
        Stroke {
            ink,
            width,
            dash: "",
            opacity: 1.0,
            round: false,
        }
    }
}

impl Shape {
    /// A line along a path.
    pub fn line(steps: Vec<Step>, stroke: Stroke) -> Self {
        Shape::Path {
            steps,
            fill: None,
            stroke: Some(stroke),
        }
    }

    /// A filled outline.
    pub fn area(steps: Vec<Step>, ink: Ink, opacity: f64) -> Self {
        Shape::Path {
            steps,
            fill: Some((ink, opacity)),
            stroke: None,
        }
    }

    /// Faint dots.
    pub fn dots(at: impl IntoIterator<Item = (f64, f64)>, slot: usize) -> Self {
        let steps = at
            .into_iter()
            .flat_map(|(x, y)| [Step::Move(x, y), Step::Line(x, y)])
            .collect();
        Shape::line(
            steps,
            Stroke {
                opacity: 0.38,
                round: true,
                ..Stroke::solid(Ink::Slot(slot), 4.0)
            },
        )
    }

    /// Words in the size and ink of what is read second.
    pub fn small(x: f64, y: f64, anchor: Anchor, text: &str) -> Self {
        Shape::Words {
            x,
            y,
            anchor,
            spans: vec![Span::small(text)],
            halo: false,
        }
    }

    /// The title of a drawing with what stands behind it.
    pub fn title(title: &str, aside: &str) -> Self {
        let mut spans = vec![Span {
            text: title.into(),
            size: 14.0,
            bold: true,
            ink: Ink::Strong,
        }];
        if !aside.is_empty() {
            spans.push(Span::small(aside));
        }
        Shape::Words {
            x: 4.0,
            y: 18.0,
            anchor: Anchor::Start,
            spans,
            halo: false,
        }
    }

    /// Whether nothing would be seen.
    pub fn is_empty(&self) -> bool {
        match self {
            Shape::Path { steps, .. } => steps.is_empty(),
            Shape::Words { spans, .. } => spans.iter().all(|span| span.text.is_empty()),
        }
    }
}

impl Span {
    fn small(text: &str) -> Self {
        Span {
            text: text.into(),
            size: SMALL,
            bold: false,
            ink: Ink::Soft,
        }
    }
}

/// Straight lines through all points.
pub(crate) fn polyline(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Step> {
    let step = |(i, (x, y))| {
        if i == 0 {
            Step::Move(x, y)
        } else {
            Step::Line(x, y)
        }
    };
    points.into_iter().enumerate().map(step).collect()
}
