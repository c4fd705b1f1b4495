//! Charts with two logarithmic axes, drawn by `report`.

use super::numbers::short;
use super::rounds::Rounds;
use super::statistics::{Spread, spread};
use super::table::{Growth, Line, Plot, Table};
use report::drawing::{Axis, Chart, Entry, Legend, LineStyle, Point, Series, Sheet};

/// A line as it was measured.
pub struct Measured {
    /// Name in the legend.
    pub name: String,
    /// Points, by x.
    pub points: Vec<MeasuredPoint>,
}

/// A measured point.
pub struct MeasuredPoint {
    /// Where.
    pub x: f64,
    /// How much.
    pub y: Spread,
    /// What was expected, if anything.
    pub expected: Option<f64>,
}

/// The file's name in `docs/performance`.
pub fn file(table: &Table, plot: &Plot) -> String {
    format!("{}-{}.svg", table.name, plot.file)
}

/// The lines of a chart, with the points that were measured.
pub fn lines(plot: &Plot, rounds: &Rounds) -> Vec<Measured> {
    plot.lines
        .iter()
        .map(|line| measured(line, plot, rounds))
        .collect()
}

fn measured(line: &Line, plot: &Plot, rounds: &Rounds) -> Measured {
    let mut points: Vec<MeasuredPoint> = Vec::new();
    // The expected line goes through the first figure; where that was not measured there is none.
    let mut first = None;
    for (i, figure) in line.figures.iter().enumerate() {
        let reported = || {
            (0..rounds.count()).find_map(|r| rounds.figure(figure, r)?.more.get(&plot.x)?.as_f64())
        };
        let x = line.at.as_ref().map(|at| at[i]).or_else(reported);
        let (Some(x), Some(y)) = (x, spread(&rounds.values(figure))) else {
            continue;
        };
        if x <= 0.0 || y.lowest <= 0.0 {
            continue;
        }
        if i == 0 {
            first = Some((x, y.median));
        }
        let expected = first
            .zip(line.expected.as_ref())
            .map(|((x0, y0), growth)| match growth {
                Growth::Power(power) => y0 * (x / x0).powf(*power),
                Growth::Times(times) => y0 * times[i] / times[0],
            });
        points.push(MeasuredPoint { x, y, expected });
    }
    Measured {
        name: line.name.clone(),
        points,
    }
}

/// The chart; `None` where nothing was measured.
pub fn svg(plot: &Plot, rounds: &Rounds) -> Option<String> {
    let lines = lines(plot, rounds);
    let all = || lines.iter().flat_map(|line| &line.points);
    let ys = all()
        .flat_map(|p| [Some(p.y.lowest), Some(p.y.highest), p.expected])
        .flatten();
    // Expected lines lie below all measured ones.
    let series: Vec<Series> = lines.iter().enumerate().filter_map(expected).collect();
    let series: Vec<Series> = series
        .into_iter()
        .chain(lines.iter().enumerate().map(series_of))
        .collect();
    let entries = lines
        .iter()
        .enumerate()
        .flat_map(|line| [Some(series_of(line)), expected(line)])
        .flatten();
    let entries = entries
        .map(|series| Entry {
            slot: series.slot,
            name: series.label,
            style: series.style,
        })
        .collect();
    let chart = Chart {
        title: plot.y.clone(),
        description: description(&lines),
        x: Axis::log_over(all().map(|p| p.x), tick_label)?,
        x_title: plot.x.clone(),
        y: Axis::log_over(ys, tick_label)?,
        series,
        ..Chart::default()
    };
    let remark =
        "Markers: median over rounds; bands: lowest to highest. Both axes are logarithmic.";
    let legend = Legend {
        entries,
        remarks: vec![format!("{}.", plot.title), remark.into()],
    };
    Some(Sheet::new(&plot.title, vec![chart.drawing()], &legend).to_svg())
}

fn series_of((slot, line): (usize, &Measured)) -> Series {
    let point = |p: &MeasuredPoint| Point {
        spread: (p.y.count > 1).then_some((p.y.lowest, p.y.highest)),
        ..Point::at(p.x, p.y.median)
    };
    let points = line.points.iter().map(point).collect();
    Series {
        slot,
        label: line.name.clone(),
        points,
        style: LineStyle::Marked,
    }
}

fn expected((slot, line): (usize, &Measured)) -> Option<Series> {
    let points: Vec<Point> = line
        .points
        .iter()
        .filter_map(|p| Some(Point::at(p.x, p.expected?)))
        .collect();
    let label = format!("{}, expected", line.name);
    (!points.is_empty()).then_some(Series {
        slot,
        label,
        points,
        style: LineStyle::Thin,
    })
}

fn description(lines: &[Measured]) -> String {
    let one = |line: &Measured| {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|p| format!("{} at {}", short(p.y.median), tick_label(p.x)))
            .collect();
        format!("{}: {}.", line.name, points.join(", "))
    };
    lines.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A number without trailing zeros.
pub fn tick_label(tick: f64) -> String {
    let text = short(tick);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::Circumstances;
    use super::super::rounds::{Outcome, parse};
    use super::*;

    /// A chart of the figures `p 0/time`, `p 1/time`, … that took so many seconds.
    fn chart(seconds: &[Option<f64>], growth: Growth) -> (Plot, Rounds) {
        let run = |(i, seconds): (usize, &Option<f64>)| {
            let text = match seconds {
                Some(s) => format!(
                    "{{\"name\":\"time\",\"value\":{s},\"unit\":\"s\",\"more\":{{\"n\":{}}}}}",
                    1 << i
                ),
                None => "{\"name\":\"time\",\"skipped\":\"no\"}".to_string(),
            };
            Outcome {
                round: 0,
                program: format!("p {i}"),
                failed: None,
                figures: parse(&text).unwrap(),
            }
        };
        let line = Line {
            name: "a < b".into(),
            figures: (0..seconds.len()).map(|i| format!("p {i}/time")).collect(),
            at: None,
            expected: Some(growth),
        };
        let plot = Plot {
            file: "f".into(),
            title: "T".into(),
            x: "n".into(),
            y: "s".into(),
            lines: vec![line],
        };
        let runs = seconds.iter().enumerate().map(run).collect();
        (
            plot,
            Rounds {
                circumstances: Circumstances::unknown(),
                runs,
            },
        )
    }

    #[test]
    fn the_expected_line_goes_through_the_first_point() {
        let expected = |seconds: &[Option<f64>], growth| -> Vec<(f64, f64)> {
            let (plot, rounds) = chart(seconds, growth);
            let line = &lines(&plot, &rounds)[0];
            line.points
                .iter()
                .filter_map(|p| Some((p.x, p.expected?)))
                .collect()
        };
        assert_eq!(
            expected(&[Some(3.0), Some(9.0)], Growth::Power(2.0)),
            [(1.0, 3.0), (2.0, 12.0)]
        );
        assert_eq!(
            expected(
                &[Some(3.0), None, Some(5.0)],
                Growth::Times(vec![2.0, 3.0, 4.0])
            ),
            [(1.0, 3.0), (4.0, 6.0)]
        );
        assert_eq!(expected(&[None, Some(3.0)], Growth::Power(2.0)), []);
    }

    #[test]
    fn a_chart_is_drawn_of_what_was_measured_only() {
        let (plot, rounds) = chart(&[Some(3.0), None, Some(5.0)], Growth::Power(1.0));
        let svg = svg(&plot, &rounds).unwrap();
        assert!(svg.contains("a &lt; b: 3.00 at 1, 5.00 at 4."), "{svg}");
        assert!(
            svg.contains(">a &lt; b, expected</text>") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
        let (plot, rounds) = chart(&[None], Growth::Power(1.0));
        assert_eq!(super::svg(&plot, &rounds), None);
    }
}
