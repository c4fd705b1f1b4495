//! Empty splits, and output paths that must not be overwritten.

use crate::check::{Case, prepared};
use crate::corpus::{edit, write};
use mosei_data::{DataConfig, SplitConfig};
use std::path::Path;

pub fn cases() -> Vec<Case> {
    let without_folds = |d: &Path| std::fs::remove_file(d.join("folds.json")).unwrap();
    let gone = |id: &'static str| {
        move |d: &Path, _: &mut DataConfig| {
            edit(&d.join("f.csd"), |f| {
                f.unlink(&format!("F/data/{id}")).unwrap()
            })
        }
    };
    let split = |k_folds, seed| SplitConfig {
        k_folds,
        seed,
        ..SplitConfig::default()
    };
    let unlabelled = |d: &Path| {
        edit(&d.join("l.csd"), |f| {
            ["c", "d", "e", "f"]
                .iter()
                .for_each(|id| f.unlink(&format!("L/data/{id}")).unwrap())
        })
    };
    vec![
        prepared(
            "more folds than videos",
            move |_, c| c.split = split(7, 0),
            "expected at least 7 videos with labelled frames to split, found 6",
        ),
        prepared(
            "two videos to split",
            move |d, _| {
                without_folds(d);
                unlabelled(d);
            },
            "expected at least 3 videos with labelled frames to split, found 2",
        ),
        prepared(
            "no features of valid",
            gone("d"),
            "fold 0 of folds.json: split 'valid': expected at least one segment with frames, found 0 kept of 2 labelled (without features 2, past the end 0, no frame 0, too short 0)",
        ),
        prepared(
            "no features of test",
            gone("e"),
            "fold 0 of folds.json: split 'test': expected at least one segment with frames, found 0 kept of 2 labelled (without features 2, past the end 0, no frame 0, too short 0)",
        ),
        prepared(
            "one column that stays the same",
            move |d, c| {
                without_folds(d);
                c.split = split(0, 5);
                write(
                    &d.join("f.csd"),
                    "F",
                    &["a", "b", "c", "d", "e"].map(|id| (id, 1, vec![0.5], vec![[0.0, 0.1]])),
                );
            },
            "fold 0 of the split by video drawn with data.split.seed = 5: expected at least one column that varies over the training frames, found none among 1; 0 of 6 values are not finite (NaN, infinite, or beyond float32); of the segments of 'train', 6 kept of 6 labelled (without features 0, past the end 0, no frame 0, too short 0)",
        ),
        prepared(
            "something else where the output goes",
            |d, _| {
                std::fs::create_dir(d.join("out")).unwrap();
                std::fs::write(d.join("out/thesis.tex"), "years").unwrap();
            },
            "out: '.': expected nothing, an empty folder, or an earlier output of this command, found 'thesis.tex' in it",
        ),
        prepared(
            "a file where the output goes",
            |d, _| std::fs::write(d.join("out"), "years").unwrap(),
            "out: '.': expected nothing, an empty folder, or an earlier output of this command, found a file",
        ),
    ]
}
