//! Masked reconstruction of one segment: the input, the masked frames, and the reconstruction.

use crate::drawing::axis::Axis;
use crate::drawing::chart::{Chart, LineStyle, Point, Series};
use crate::numbers::fixed;
use crate::{RebuiltColumn, Reconstruction};

/// Columns to show, where they exist: pitch, voicing, voice quality, the level of the spectrum;
/// another of voice quality.
const WANTED: [&str; 5] = ["F0", "VUV", "peakSlope", "MCEP_0", "NAQ"];
/// How many columns are shown.
const SHOWN: usize = 4;
/// The lines of the figure.
pub(crate) const LINES: [(usize, &str, LineStyle); 2] = [
    (0, "input", LineStyle::Line),
    (1, "reconstruction of masked frames", LineStyle::Marks),
];

/// A panel for each of a few columns.
pub(crate) fn reconstruction_charts(of: &Reconstruction) -> Vec<Chart> {
    let wanted = WANTED
        .iter()
        .filter_map(|name| of.columns.iter().find(|c| c.name == *name));
    let others = of
        .columns
        .iter()
        .filter(|c| !WANTED.contains(&c.name.as_str()));
    wanted
        .chain(others)
        .take(SHOWN)
        .enumerate()
        .filter_map(|(i, column)| chart(i, of, column))
        .collect()
}

fn chart(i: usize, of: &Reconstruction, column: &RebuiltColumn) -> Option<Chart> {
    let step = of.frame_s.unwrap_or(1.0);
    let points = |values: &mut dyn Iterator<Item = (usize, f64)>| -> Vec<Point> {
        values
            .filter(|(_, y)| y.is_finite())
            .map(|(frame, y)| Point::at(frame as f64 * step, y))
            .collect()
    };
    let input = points(&mut column.input.iter().copied().enumerate());
    let guess = points(
        &mut column
            .guess
            .iter()
            .enumerate()
            .filter_map(|(frame, y)| Some((frame, (*y)?))),
    );
    let error = |guess: fn(f64) -> f64| {
        let pairs = column.input.iter().zip(&column.guess);
        eval::mean(pairs.filter_map(|(x, y)| Some((guess((*y)?) - x).abs())))
    };
    let (ours, of_mean) = (error(|y| y)?, error(|_| 0.0)?);
    let aside = format!(
        "error {}; of the mean {}",
        fixed(ours, 2),
        fixed(of_mean, 2)
    );
    let values = || input.iter().chain(&guess).map(|p| p.mean);
    // Each masked frame is shaded half way to its neighbours.
    let half = 0.5 * step;
    let shaded = spans(&of.hidden)
        .map(|(from, to)| (from as f64 * step - half, to as f64 * step - half))
        .collect();
    let x = Axis::linear(
        [-half, of.hidden.len() as f64 * step - half]
            .into_iter()
            .map(|x| x.max(0.0)),
        5,
    )?;
    let mut chart = Chart {
        id: format!("fig-reconstruction-{i}"),
        title: column.name.clone(),
        description: format!(
            "{} of {} frames were masked. Mean absolute error of the reconstruction of {} there: {} standard deviations; of \
             predicting the column's mean: {}.",
            of.hidden.iter().filter(|h| **h).count(),
            of.hidden.len(),
            column.name,
            fixed(ours, 3),
            fixed(of_mean, 3),
        ),
        aside,
        x_title: if of.frame_s.is_some() {
            "seconds"
        } else {
            "frames"
        }
        .into(),
        y: Axis::linear(values(), 5)?,
        x,
        reference: None,
        shaded,
        series: LINES
            .into_iter()
            .zip([input.clone(), guess.clone()])
            .map(|((slot, label, style), points)| Series {
                slot,
                label: label.into(),
                points,
                style,
            })
            .collect(),
    };
    let (low, high) = (chart.x.low, chart.x.high);
    chart
        .shaded
        .iter_mut()
        .for_each(|(from, to)| (*from, *to) = (from.max(low), to.min(high)));
    Some(chart)
}

/// First frame of each run of masked frames, and the one after its last.
fn spans(hidden: &[bool]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let begins = (0..hidden.len()).filter(|&i| hidden[i] && (i == 0 || !hidden[i - 1]));
    begins.map(|i| (i, i + hidden[i..].iter().take_while(|h| **h).count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> RebuiltColumn {
        RebuiltColumn {
            name: name.into(),
            input: vec![1.0, -1.0, 3.0],
            guess: vec![None, Some(-0.5), Some(1.5)],
        }
    }

    #[test]
    fn named_columns_come_first() {
        let names = ["X", "MCEP_0", "Y", "F0", "Z", "W"];
        let of = Reconstruction {
            hidden: vec![false, true, true],
            columns: names.map(column).into(),
            ..Default::default()
        };
        let titles: Vec<String> = reconstruction_charts(&of)
            .into_iter()
            .map(|c| c.title)
            .collect();
        assert_eq!(titles, ["F0", "MCEP_0", "X", "Y"]);
    }

    #[test]
    fn the_guess_is_compared_with_the_mean() {
        let of = Reconstruction {
            hidden: vec![false, true, true],
            columns: vec![column("F0")],
            ..Default::default()
        };
        let chart = &reconstruction_charts(&of)[0];
        assert_eq!(chart.aside, "error 1.00; of the mean 2.00");
        assert_eq!(chart.shaded, [(0.5, 2.5)]);
        assert_eq!(
            chart.series[1]
                .points
                .iter()
                .map(|p| p.x)
                .collect::<Vec<_>>(),
            [1.0, 2.0]
        );
    }

    #[test]
    fn a_column_without_guesses_has_no_panel() {
        let blank = RebuiltColumn {
            guess: vec![None; 3],
            ..column("F0")
        };
        let of = Reconstruction {
            hidden: vec![false; 3],
            columns: vec![blank],
            ..Default::default()
        };
        assert!(reconstruction_charts(&of).is_empty());
    }
}
