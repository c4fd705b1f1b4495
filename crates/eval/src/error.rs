use mosei_schema::SegmentId;

/// Why a cell's predictions cannot be measured.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum EvalError {
    /// A number that is not finite where only finite ones can be compared.
    #[error(
        "cell {cell}, {split}, {segment} {emotion}: {column}: expected {expected}, found {found}"
    )]
    NotFinite {
        /// The cell's key.
        cell: String,
        /// `valid` or `test`.
        split: String,
        /// Which segment. Boxed, so that the error stays small beside what functions return.
        segment: Box<SegmentId>,
        /// Which emotion.
        emotion: String,
        /// Which column of the predictions.
        column: &'static str,
        /// What the column must hold.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
    /// A split that is not evaluated.
    #[error("cell {cell}: split: expected valid or test, found '{found}'")]
    UnknownSplit {
        /// The cell's key.
        cell: String,
        /// The value found.
        found: String,
    },
    /// An emotion whose name the result table keeps for an average.
    #[error("cell {cell}: emotion: expected a name other than macro and micro, found '{found}'")]
    ReservedEmotion {
        /// The cell's key.
        cell: String,
        /// The value found.
        found: String,
    },
    /// A test row of a video that the study's folds do not test there.
    #[error("cell {cell}: video {video}: expected one that its fold tests, found {}", match fold {
        Some(fold) => format!("one of fold {fold}"),
        None => "one of no fold".to_string(),
    })]
    UnknownVideo {
        /// The cell's key.
        cell: String,
        /// The video.
        video: String,
        /// The fold that tests it, if there is one.
        fold: Option<i32>,
    },
    /// Two cells of one fold with different test rows.
    #[error(
        "cell {cell}: expected the test rows and labels of cell {first} of the same fold, found another {row}"
    )]
    OtherRows {
        /// The cell's key.
        cell: String,
        /// The first cell of the fold.
        first: String,
        /// The first row that differs.
        row: String,
    },
    /// Two cells of the same fold, start, labels, seed and draw.
    #[error(
        "cells {first} and {second}: expected one of each fold, start, number of labels, seed and draw, found two"
    )]
    TwoCells {
        /// A cell's key.
        first: String,
        /// The other's.
        second: String,
    },
}
