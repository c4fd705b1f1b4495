//! What the axes of arrays without names are.
//!
//! What lives here: the decision, from the shapes of all recordings, the names of columns and the
//! mapping file. Shapes with two readings are refused. What does not: reading arrays.

use crate::ImportError;
use crate::mapping::Axes;
use std::path::Path;

/// Decides what the axes of arrays of these `shapes` are: of two dimensions each, or of one. The
/// axis that differs between recordings is that of frames. `names` is the number of columns that
/// have names, `hop_s` the step between frames in seconds, for the message.
///
/// # Errors
/// Where the arrays differ in the number of dimensions, or there are two readings and neither the
/// mapping file nor the names tell which.
pub(crate) fn decide(
    path: &Path,
    shapes: &[(String, Vec<usize>)],
    told: Option<Axes>,
    names: Option<usize>,
    hop_s: f64,
) -> Result<Axes, ImportError> {
    let Some((first, shape)) = shapes.first() else {
        return Ok(Axes::FramesColumns);
    };
    if let Some((other, found)) = shapes.iter().find(|(_, s)| s.len() != shape.len()) {
        let expected = format!("{} dimensions, as '{first}' has", shape.len());
        let found = format!("shape {found:?}");
        return Err(ImportError::table(
            path,
            format!("'{other}'"),
            expected,
            found,
        ));
    }
    let (readings, names_of_axes) = match shape.len() {
        1 => (
            [Axes::Frames, Axes::Columns],
            [&["frames"][..], &["columns"]],
        ),
        _ => (
            [Axes::FramesColumns, Axes::ColumnsFrames],
            [&["frames", "columns"][..], &["columns", "frames"]],
        ),
    };
    if let Some(told) = told {
        if readings.contains(&told) {
            return Ok(told);
        }
        let expected = format!(
            "axes = {:?} or {:?} under [features]",
            names_of_axes[0], names_of_axes[1]
        );
        let found = format!("another 'axes', and '{first}' of shape {shape:?}");
        return Err(ImportError::table(path, "shape", expected, found));
    }
    let possible = |axes: &Axes| {
        let width = |shape: &[usize]| columns_of(shape, *axes);
        let one_width = shapes.iter().all(|(_, s)| width(s) == width(shape));
        one_width && names.is_none_or(|names| names == width(shape))
    };
    let possible: Vec<Axes> = readings.into_iter().filter(possible).collect();
    match possible.as_slice() {
        // A value for each frame, and as many frames as there happen to be.
        [one] => Ok(*one),
        // Different widths: the first recording that has another one is refused where it is read.
        [] => Ok(readings[0]),
        _ => {
            let reading = |axes| {
                let (frames, columns) = (frames_of(shape, axes), columns_of(shape, axes));
                format!(
                    "{frames} frames ({} s) of {columns} columns",
                    frames as f64 * hop_s
                )
            };
            let found = format!(
                "{} of shape {shape:?}, such as '{first}': {}, or {}",
                if shapes.len() == 1 {
                    "one array".into()
                } else {
                    format!("{} arrays", shapes.len())
                },
                reading(readings[0]),
                reading(readings[1])
            );
            let hint = format!(
                "say which by axes = {:?} or axes = {:?} under [features] of a mapping file, or by the names of the columns (--columns)",
                names_of_axes[0], names_of_axes[1]
            );
            let expected = "arrays whose shapes tell which axis holds the frames";
            Err(ImportError::table(path, "shape", expected, found).with_hint(Some(hint)))
        }
    }
}

/// Frames of an array of this shape.
pub(crate) fn frames_of(shape: &[usize], axes: Axes) -> usize {
    match (axes, shape) {
        (Axes::FramesColumns | Axes::Frames, [n, ..]) => *n,
        (Axes::ColumnsFrames, [_, n, ..]) => *n,
        _ => 1,
    }
}

/// Columns of an array of this shape.
pub(crate) fn columns_of(shape: &[usize], axes: Axes) -> usize {
    match (axes, shape) {
        (Axes::FramesColumns, [_, n, ..]) => *n,
        (Axes::ColumnsFrames | Axes::Columns, [n, ..]) => *n,
        _ => 1,
    }
}

/// The values of an array as `[frames, columns]`, row-major.
pub(crate) fn by_frame(values: Vec<f32>, shape: &[usize], axes: Axes) -> Vec<f32> {
    match (axes, shape) {
        (Axes::ColumnsFrames, [columns, frames]) => transposed(&values, *frames, *columns),
        _ => values,
    }
}

/// Values `[columns, rows]` as `[rows, columns]`, both row-major.
pub(crate) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows)
        .flat_map(|r| (0..columns).map(move |c| values[c * rows + r]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shapes: &[&[usize]], told: Option<Axes>, names: Option<usize>) -> Result<Axes, String> {
        let shapes: Vec<(String, Vec<usize>)> =
            shapes.iter().map(|s| ("a".into(), s.to_vec())).collect();
        decide(Path::new("d"), &shapes, told, names, 0.01).map_err(|e| e.to_string())
    }

    #[test]
    fn the_axis_that_differs_is_that_of_frames() {
        assert_eq!(
            of(&[&[300, 25], &[200, 25]], None, None),
            Ok(Axes::FramesColumns)
        );
        assert_eq!(
            of(&[&[25, 300], &[25, 200]], None, None),
            Ok(Axes::ColumnsFrames)
        );
        assert_eq!(of(&[&[300], &[200]], None, None), Ok(Axes::Frames));
    }

    #[test]
    fn two_readings_are_refused_unless_told() {
        let both = &[&[300, 25][..], &[300, 25]];
        let message = of(both, None, None).unwrap_err();
        let words = "found 2 arrays of shape [300, 25], such as 'a': 300 frames (3 s) of 25 columns, or 25 frames (0.25 s) of 300 columns; say which by axes = [\"frames\", \"columns\"]";
        assert!(message.contains(words), "{message}");
        assert_eq!(
            of(both, Some(Axes::ColumnsFrames), None),
            Ok(Axes::ColumnsFrames)
        );
        assert_eq!(of(both, None, Some(25)), Ok(Axes::FramesColumns));
        assert_eq!(of(both, None, Some(300)), Ok(Axes::ColumnsFrames));
        let vectors = &[&[768][..], &[768]];
        assert!(of(vectors, None, None).is_err());
        assert_eq!(of(vectors, None, Some(768)), Ok(Axes::Columns));
        assert!(
            of(vectors, Some(Axes::FramesColumns), None)
                .unwrap_err()
                .contains("another 'axes'")
        );
        assert!(
            of(&[&[3][..], &[3, 4]], None, None)
                .unwrap_err()
                .contains("1 dimensions")
        );
    }

    #[test]
    fn values_are_turned_to_frames() {
        let values: Vec<f32> = [0, 1, 2, 3, 4, 5].map(|x| x as f32).to_vec();
        assert_eq!(
            by_frame(values.clone(), &[2, 3], Axes::FramesColumns),
            values
        );
        assert_eq!(
            by_frame(values, &[2, 3], Axes::ColumnsFrames),
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
        );
    }
}
