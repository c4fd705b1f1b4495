//! Charts with two logarithmic axes, as SVG files: without script, readable in the light and in the dark.

use super::numbers::short;
use super::rounds::Rounds;
use super::statistics::{Spread, spread};
use super::table::{Line, Paper, Plot, Table};
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// Okabe and Ito's colours, on a light and on a dark ground; as in the study's report.
const COLOURS: [(&str, &str); 6] = [
    ("#0072B2", "#56B4E9"),
    ("#D55E00", "#F0772B"),
    ("#009E73", "#1FC295"),
    ("#CC79A7", "#DE9BC0"),
    ("#A87400", "#E69F00"),
    ("#555555", "#BBBBBB"),
];

/// A line as it was measured.
pub struct Drawn {
    /// Name in the legend.
    pub name: String,
    /// Points, by x.
    pub points: Vec<Point>,
    /// What it should be.
    pub paper: Option<Paper>,
}

/// A measured point.
pub struct Point {
    /// Where.
    pub x: f64,
    /// How much.
    pub y: Spread,
    /// What it should be.
    pub paper: Option<f64>,
}

/// The file's name in `docs/performance`.
pub fn file(table: &Table, plot: &Plot) -> String {
    format!("{}-{}.svg", table.name, plot.file)
}

/// The lines of a chart, with the points that were measured.
pub fn lines(plot: &Plot, rounds: &Rounds) -> Vec<Drawn> {
    plot.lines.iter().map(|line| drawn(line, plot, rounds)).collect()
}

fn drawn(line: &Line, plot: &Plot, rounds: &Rounds) -> Drawn {
    let mut points: Vec<Point> = Vec::new();
    // x and y of the first figure, which the paper is drawn through; where that was not measured there is no paper.
    let mut first = None;
    for (i, figure) in line.figures.iter().enumerate() {
        let said = || (0..rounds.count()).find_map(|r| rounds.figure(figure, r)?.more.get(&plot.x)?.as_f64());
        let x = line.at.as_ref().map(|at| at[i]).or_else(said);
        let (Some(x), Some(y)) = (x, spread(&rounds.values(figure))) else { continue };
        if x <= 0.0 || y.lowest <= 0.0 {
            continue;
        }
        if i == 0 {
            first = Some((x, y.median));
        }
        let paper = first.zip(line.paper.as_ref()).map(|((x0, y0), paper)| match paper {
            Paper::Power(power) => y0 * (x / x0).powf(*power),
            Paper::Times(times) => y0 * times[i] / times[0],
        });
        points.push(Point { x, y, paper });
    }
    Drawn { name: line.name.clone(), points, paper: line.paper.clone() }
}

/// One direction of the chart.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis over all values, with a little room.
    fn over(values: &[f64], from: f64, to: f64) -> Option<Self> {
        let s = spread(values)?;
        let room = (s.highest / s.lowest).ln().max(0.7) * 0.06;
        Some(Axis { low: s.lowest.ln() - room, high: s.highest.ln() + room, from, to })
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value.ln() - self.low) / (self.high - self.low)
    }

    /// Round values inside; the finest of three steps that is not crowded.
    fn ticks(&self) -> Vec<f64> {
        let decades = (self.low / 10f64.ln()).floor() as i32..=(self.high / 10f64.ln()).ceil() as i32;
        let marks = |steps: &[f64]| -> Vec<f64> {
            let all = decades.clone().flat_map(|d| steps.iter().map(move |s| s * 10f64.powi(d)));
            all.filter(|t| (self.low..=self.high).contains(&t.ln())).collect()
        };
        let fine = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let choices = [marks(&fine), marks(&[1.0, 2.0, 5.0]), marks(&[1.0, 3.0]), marks(&[1.0])];
        // More would stand upon each other where numbers are long.
        choices.into_iter().find(|ticks| ticks.len() <= 7).unwrap_or_default()
    }
}

/// The chart; nothing where nothing was measured.
pub fn svg(plot: &Plot, rounds: &Rounds) -> Option<String> {
    let lines = lines(plot, rounds);
    let all = || lines.iter().flat_map(|line| &line.points);
    let xs: Vec<f64> = all().map(|p| p.x).collect();
    let mut ys: Vec<f64> = all().flat_map(|p| [p.y.lowest, p.y.highest]).collect();
    ys.extend(lines.iter().flat_map(on_paper).map(|(_, y)| y));
    let (x, y) = (Axis::over(&xs, LEFT, RIGHT)?, Axis::over(&ys, BOTTOM, TOP)?);

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<title>{}</title>\n<style>{}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"ink\" x=\"{LEFT}\" y=\"22\" font-size=\"14\" font-weight=\"600\">{}</text>\n",
        escape(&plot.title),
        css(),
        escape(&plot.title)
    );
    for tick in x.ticks() {
        let (at, label) = (x.at(tick), tick_label(tick));
        let _ = writeln!(out, "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{BOTTOM}\"/>");
        let below = BOTTOM + 17.0;
        let _ = writeln!(out, "<text class=\"soft\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>");
    }
    for tick in y.ticks() {
        let (at, label) = (y.at(tick), tick_label(tick));
        let _ = writeln!(out, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\"/>");
        let (before, middle) = (LEFT - 7.0, at + 4.0);
        let _ =
            writeln!(out, "<text class=\"soft\" x=\"{before}\" y=\"{middle:.1}\" text-anchor=\"end\">{label}</text>");
    }
    let (centre, bottom, middle) = ((LEFT + RIGHT) / 2.0, HEIGHT - 14.0, (TOP + BOTTOM) / 2.0);
    let _ = writeln!(
        out,
        "<text class=\"ink\" x=\"{centre}\" y=\"{bottom}\" text-anchor=\"middle\">{}</text>",
        escape(&plot.x)
    );
    let _ = writeln!(
        out,
        "<text class=\"ink\" transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        escape(&plot.y)
    );
    for (i, line) in lines.iter().enumerate() {
        let class = format!("c{}", i % COLOURS.len());
        let path = |points: &[(f64, f64)]| -> String {
            let at = points.iter().map(|(px, py)| format!("{:.1},{:.1}", x.at(*px), y.at(*py)));
            at.collect::<Vec<_>>().join(" ")
        };
        let paper = on_paper(line);
        if !paper.is_empty() {
            let _ = writeln!(out, "<polyline class=\"{class} paper\" points=\"{}\"/>", path(&paper));
        }
        let medians: Vec<(f64, f64)> = line.points.iter().map(|p| (p.x, p.y.median)).collect();
        let _ = writeln!(out, "<polyline class=\"{class}\" points=\"{}\"/>", path(&medians));
        for p in &line.points {
            let (px, low, high, py) = (x.at(p.x), y.at(p.y.lowest), y.at(p.y.highest), y.at(p.y.median));
            let _ = writeln!(
                out,
                "<line class=\"{class}\" x1=\"{px:.1}\" y1=\"{low:.1}\" x2=\"{px:.1}\" y2=\"{high:.1}\"/>"
            );
            let _ = writeln!(out, "<circle class=\"{class} dot\" cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3.5\"/>");
        }
        let (lx, ly) = (LEFT + 12.0, TOP + 16.0 + 17.0 * i as f64);
        let (to, text, base) = (lx + 22.0, lx + 28.0, ly + 4.0);
        let _ = writeln!(out, "<line class=\"{class}\" x1=\"{lx}\" y1=\"{ly}\" x2=\"{to}\" y2=\"{ly}\"/>");
        let paper = if line.paper.is_some() { " (dashed: on paper)" } else { "" };
        let _ = writeln!(out, "<text class=\"ink\" x=\"{text}\" y=\"{base}\">{}{paper}</text>", escape(&line.name));
    }
    Some(out + "</svg>\n")
}

/// What the line should be.
fn on_paper(line: &Drawn) -> Vec<(f64, f64)> {
    line.points.iter().filter_map(|p| Some((p.x, p.paper?))).collect()
}

/// A number without digits that say nothing.
pub fn tick_label(tick: f64) -> String {
    let text = short(tick);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

fn css() -> String {
    let colours = |dark: bool| -> String {
        let pick = |(light, night): &(&'static str, &'static str)| if dark { *night } else { *light };
        let one = |(i, c)| format!(".c{i}{{stroke:{}}}.c{i}.dot{{fill:{}}}", pick(c), pick(c));
        COLOURS.iter().enumerate().map(one).collect()
    };
    format!(
        ".ground{{fill:#fff}}.ink{{fill:#1b1f24}}.soft{{fill:#57606a}}.grid{{stroke:#dde1e6}}{}\
         polyline{{fill:none;stroke-width:2}}.paper{{stroke-dasharray:5 4;stroke-width:1.2}}\
         @media (prefers-color-scheme:dark){{.ground{{fill:#161a1f}}.ink{{fill:#e8eaed}}.soft{{fill:#a5adb8}}\
         .grid{{stroke:#2f363f}}{}}}",
        colours(false),
        colours(true)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::machine::Circumstances;
    use super::super::rounds::{Outcome, parse};
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (low, high) in [(100.0, 1600.0), (0.003, 900.0), (40.0, 55.0), (1e3, 1e7), (111.0, 185.0)] {
            let axis = Axis::over(&[low, high], 0.0, 1.0).unwrap();
            let ticks = axis.ticks();
            assert!((2..=7).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
        }
    }

    /// A chart of the figures `p 0/time`, `p 1/time`, … that took so many seconds.
    fn chart(seconds: &[Option<f64>], paper: Paper) -> (Plot, Rounds) {
        let run = |(i, seconds): (usize, &Option<f64>)| {
            let text = match seconds {
                Some(s) => format!("{{\"name\":\"time\",\"value\":{s},\"unit\":\"s\",\"more\":{{\"n\":{}}}}}", 1 << i),
                None => "{\"name\":\"time\",\"skipped\":\"no\"}".to_string(),
            };
            Outcome { round: 0, program: format!("p {i}"), failed: None, figures: parse(&text).unwrap() }
        };
        let line = Line {
            name: "a < b".into(),
            figures: (0..seconds.len()).map(|i| format!("p {i}/time")).collect(),
            at: None,
            paper: Some(paper),
        };
        let plot = Plot { file: "f".into(), title: "T".into(), x: "n".into(), y: "s".into(), lines: vec![line] };
        let runs = seconds.iter().enumerate().map(run).collect();
        (plot, Rounds { circumstances: Circumstances::unknown(), runs })
    }

    #[test]
    fn paper_goes_through_the_first_point() {
        let paper = |seconds: &[Option<f64>], paper| {
            let (plot, rounds) = chart(seconds, paper);
            on_paper(&lines(&plot, &rounds)[0])
        };
        assert_eq!(paper(&[Some(3.0), Some(9.0)], Paper::Power(2.0)), [(1.0, 3.0), (2.0, 12.0)]);
        assert_eq!(paper(&[Some(3.0), None, Some(5.0)], Paper::Times(vec![2.0, 3.0, 4.0])), [(1.0, 3.0), (4.0, 6.0)]);
        assert_eq!(paper(&[None, Some(3.0)], Paper::Power(2.0)), []);
    }

    #[test]
    fn a_chart_is_drawn_of_what_was_measured_only() {
        let (plot, rounds) = chart(&[Some(3.0), None, Some(5.0)], Paper::Power(1.0));
        let svg = svg(&plot, &rounds).unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("a &lt; b (dashed: on paper)") && svg.ends_with("</svg>\n"), "{svg}");
        let (plot, rounds) = chart(&[None], Paper::Power(1.0));
        assert_eq!(super::svg(&plot, &rounds), None);
    }
}
