//! Impossible labels, times and frames.

use crate::check::{Case, prepared, read};
use crate::corpus::{Video, edit, video, write, write_labels};
use mosei_data::DataConfig;
use std::path::Path;

const NAN: f64 = f64::NAN;
const INFINITE: f64 = f64::INFINITY;

/// Labels: the third of six emotions.
#[rustfmt::skip]
const INTENSITIES: [(&str, f32, &str); 8] = [
    ("an intensity above the range", 3.5, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found 3.5"),
    ("an intensity just above the range", 3.000_000_2, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found 3.0000002"),
    ("an intensity below the range", -0.1, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found -0.1"),
    ("an intensity that is the least number below the range", -1e-45, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found -0.000000000000000000000000000000000000000000001"),
    ("an intensity that is NaN", f32::NAN, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found NaN"),
    ("an intensity that is infinite", f32::INFINITY, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found inf"),
    ("an intensity that is minus infinite", f32::NEG_INFINITY, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found -inf"),
    ("an intensity in thousands", 1e3, "l.csd: video 'a', row 0, column 'anger': expected a label in [0, 3], found 1000"),
];

/// Sentiment, the first of seven columns.
#[rustfmt::skip]
const SENTIMENTS: [(&str, f32, &str); 3] = [
    ("sentiment above the range", 3.1, "l.csd: video 'a', row 0, column 'sentiment': expected a label in [-3, 3], found 3.1"),
    ("sentiment below the range", -3.1, "l.csd: video 'a', row 0, column 'sentiment': expected a label in [-3, 3], found -3.1"),
    ("sentiment that is NaN", f32::NAN, "l.csd: video 'a', row 0, column 'sentiment': expected a label in [-3, 3], found NaN"),
];

/// Intervals of a label, and of the first frame of a features file.
#[rustfmt::skip]
const INTERVALS: [(&str, [f64; 2], &str, &str); 8] = [
    ("ends before its start", [0.2, 0.1], "l.csd: video 'a', row 0: expected finite start <= end, found [0.2, 0.1]", "f.csd: video 'a', row 1: expected finite start <= end, found [0.2, 0.1]"),
    ("ends at minus infinity", [0.2, -INFINITE], "l.csd: video 'a', row 0: expected finite start <= end, found [0.2, -inf]", "f.csd: video 'a', row 1: expected finite start <= end, found [0.2, -inf]"),
    ("ends at infinity", [0.2, INFINITE], "l.csd: video 'a', row 0: expected finite start <= end, found [0.2, inf]", "f.csd: video 'a', row 1: expected finite start <= end, found [0.2, inf]"),
    ("starts at minus infinity", [-INFINITE, 0.1], "l.csd: video 'a', row 0: expected finite start <= end, found [-inf, 0.1]", "f.csd: video 'a', row 1: expected finite start <= end, found [-inf, 0.1]"),
    ("starts at NaN", [NAN, 0.1], "l.csd: video 'a', row 0: expected finite start <= end, found [NaN, 0.1]", "f.csd: video 'a', row 1: expected finite start <= end, found [NaN, 0.1]"),
    ("ends at NaN", [0.1, NAN], "l.csd: video 'a', row 0: expected finite start <= end, found [0.1, NaN]", "f.csd: video 'a', row 1: expected finite start <= end, found [0.1, NaN]"),
    ("is NaN", [NAN, NAN], "l.csd: video 'a', row 0: expected finite start <= end, found [NaN, NaN]", "f.csd: video 'a', row 1: expected finite start <= end, found [NaN, NaN]"),
    ("is infinite", [INFINITE, INFINITE], "l.csd: video 'a', row 0: expected finite start <= end, found [inf, inf]", "f.csd: video 'a', row 1: expected finite start <= end, found [inf, inf]"),
];

/// Labels of one interval in all videos, so that the validation split comes out empty.
#[rustfmt::skip]
const WITHOUT_FRAMES: [(&str, [f64; 2], &str); 6] = [
    ("segments of no length", [0.05, 0.05], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 0, no frame 0, too short 1)"),
    ("segments of no length at zero", [0.0, 0.0], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 0, no frame 0, too short 1)"),
    ("segments of hardly any length", [0.05, 0.050_001], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 0, no frame 0, too short 1)"),
    ("segments at negative times", [-2.0, -1.0], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 0, no frame 1, too short 0)"),
    ("segments after the features", [5.0, 6.0], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 1, no frame 0, too short 0)"),
    ("segments at the end of time", [1e300, 1e308], "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 1 labelled (without features 0, past the end 1, no frame 0, too short 0)"),
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let row = |x: f32| vec![0., 0., x, 0., 0., 0.];
    let labels = |d: &Path, video: Video<'_>| write(&d.join("l.csd"), "L", &[video]);
    for (name, x, said) in INTENSITIES {
        cases.push(prepared(
            name,
            move |d, _| labels(d, ("a", 6, row(x), vec![[0.0, 0.1]])),
            said,
        ));
    }
    for (name, x, said) in SENTIMENTS {
        let values = vec![x, 0., 0., 0., 0., 0., 0.];
        cases.push(prepared(
            name,
            move |d, _| labels(d, ("a", 7, values.clone(), vec![[0.0, 0.1]])),
            said,
        ));
    }
    for (name, interval, label, frame) in INTERVALS {
        let of_label =
            move |d: &Path, _: &mut DataConfig| labels(d, ("a", 6, row(1.0), vec![interval]));
        cases.push(prepared(&format!("a label that {name}"), of_label, label));
        let of_frame = move |path: &Path| {
            write(
                path,
                "F",
                &[("a", 1, vec![0.0; 2], vec![[0.0, 0.1], interval])],
            )
        };
        cases.push(read(&format!("a frame that {name}"), of_frame, frame));
    }
    for (name, interval, said) in WITHOUT_FRAMES {
        let spoil = move |d: &Path, _: &mut DataConfig| {
            let usual = |id| (id, 6, row(1.0), vec![[0.0, 0.1]]);
            let videos = [
                usual("a"),
                usual("b"),
                usual("c"),
                ("d", 6, row(1.0), vec![interval]),
                usual("e"),
            ];
            write(&d.join("l.csd"), "L", &videos);
        };
        cases.push(prepared(name, spoil, said));
    }
    cases.extend(files_that_differ());
    cases.push(prepared("frames that never change", |d, _| frames(d, |_| 0.5), "fold 0 of folds.json: expected at least one column that varies over the training frames, found none among 2; 0 of 60 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', 6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)"));
    cases.push(prepared("frames without a finite value", |d, _| frames(d, |i| if i % 2 == 0 { NAN } else { INFINITE }), "fold 0 of folds.json: expected at least one column that varies over the training frames, found none among 2; 60 of 60 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', 6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)"));
    cases.push(prepared("frames beyond float32", |d, _| frames(d, |i| if i % 2 == 0 { 1e300 } else { 7.0 }), "fold 0 of folds.json: expected at least one column that varies over the training frames, found none among 2; 30 of 60 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', 6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)"));
    cases
}

/// Features of float64, frame by frame.
fn frames(dir: &Path, value: fn(usize) -> f64) {
    edit(&dir.join("f.csd"), |f| {
        for id in crate::corpus::IDS {
            let place = format!("F/data/{id}/features");
            f.unlink(&place).unwrap();
            let dataset = f
                .new_dataset::<f64>()
                .shape((10, 2))
                .create(place.as_str())
                .unwrap();
            dataset
                .write_raw(&(0..20).map(value).collect::<Vec<f64>>())
                .unwrap();
        }
    });
}

/// A second label file, of sentiment, that does not go with the first.
fn files_that_differ() -> Vec<Case> {
    let second =
        |name: &str, ids: &'static [&'static str], intervals: &'static [[f64; 2]], said: &str| {
            let spoil = move |d: &Path, c: &mut DataConfig| {
                let rows = |id: &str| match id {
                    "b" => intervals.to_vec(),
                    _ => vec![[0.0, 0.05], [0.05, 0.1]],
                };
                let videos: Vec<Video<'_>> = ids
                    .iter()
                    .map(|&id| (id, 1, vec![0.0; rows(id).len()], rows(id)))
                    .collect();
                write(&d.join("s.csd"), "S", &videos);
                c.labels.push("s.csd".into());
            };
            prepared(name, spoil, said)
        };
    let all: &[&str] = &["a", "b", "c", "d", "e", "f"];
    vec![
        second(
            "labels of fewer videos",
            &all[..5],
            &[[0.0, 0.05], [0.05, 0.1]],
            "s.csd: 'S/data/f': expected a group as in l.csd, found nothing",
        ),
        second(
            "labels of more videos",
            &["a", "b", "c", "d", "e", "f", "g"],
            &[[0.0, 0.05], [0.05, 0.1]],
            "l.csd: 'L/data/g': expected a group as in s.csd, found nothing",
        ),
        second(
            "labels of other times",
            all,
            &[[0.0, 0.04], [0.05, 0.1]],
            "s.csd: video 'b', row 0: expected the interval [0, 0.05] as in l.csd, found the interval [0, 0.04]",
        ),
        second(
            "labels in another order",
            all,
            &[[0.05, 0.1], [0.0, 0.05]],
            "s.csd: video 'b', row 0: expected the interval [0, 0.05] as in l.csd, found the interval [0.05, 0.1]",
        ),
        second(
            "labels of fewer segments",
            all,
            &[[0.0, 0.05]],
            "s.csd: video 'b', row 1: expected the interval [0.05, 0.1] as in l.csd, found no such row",
        ),
        second(
            "labels of more segments",
            all,
            &[[0.0, 0.05], [0.05, 0.1], [0.1, 0.2]],
            "s.csd: video 'b', row 2: expected no such row as in l.csd, found the interval [0.1, 0.2]",
        ),
        prepared(
            "one emotion in two files",
            |d, c| {
                write_labels(&d.join("m.csd"), all_ids());
                c.labels.push("m.csd".into());
            },
            "m.csd: 'L': expected columns that l.csd does not hold, found 'happy' in both",
        ),
        prepared(
            "features in place of labels",
            |d, c| {
                write(&d.join("s.csd"), "S", &["a"].map(video));
                c.labels = vec!["s.csd".into()];
            },
            "s.csd: 'S/data': expected 1, 6 or 7 label columns, or names in 'dimension names', found 2 columns without names",
        ),
    ]
}

fn all_ids() -> &'static [&'static str] {
    &crate::corpus::IDS
}
