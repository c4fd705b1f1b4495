use std::path::PathBuf;

/// Why a model cannot be trained, read or applied.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// An argument that does not fit the rest.
    #[error("{what}: expected {expected}, found {found}")]
    Argument {
        /// Which.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Fewer threads than the study asks for.
    #[error(
        "key 'threads': expected {wanted} threads, found {found}; unset it, or set 'threads' to what there is: other numbers of threads \
         give other last bits"
    )]
    Threads {
        /// By the configuration.
        wanted: usize,
        /// What OpenMP gives, and by which variables.
        found: String,
    },
    /// A pre-trained encoder that the study cannot use.
    #[error("encoder {}: {key}: expected {expected} as the configuration says, found {found}", path.display())]
    EncoderMismatch {
        /// Its folder.
        path: PathBuf,
        /// What differs.
        key: &'static str,
        /// By the configuration.
        expected: String,
        /// In the folder.
        found: String,
    },
    /// Data that a trained model cannot be applied to.
    #[error("{}: {what}: expected {expected} as the model was trained on, found {found}", path.display())]
    DataMismatch {
        /// The data.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// By the model.
        expected: String,
        /// In the data.
        found: String,
    },
    /// A label budget that is not in the table of subsets.
    #[error("{}: expected the labels of fold {fold}, draw {draw}, budget {budget}, found no such rows", path.display())]
    NoSubset {
        /// The table of subsets.
        path: PathBuf,
        /// Cross-validation fold.
        fold: usize,
        /// Label draw.
        draw: usize,
        /// Budget as asked for.
        budget: String,
    },
    /// A segment that the prepared data do not hold.
    #[error("{}: segment {segment}: expected a training segment of the prepared data, found none such", path.display())]
    UnknownSegment {
        /// The table that names it.
        path: PathBuf,
        /// Which.
        segment: String,
    },
    /// A loss or gradient that is not a number.
    #[error(
        "step {step}: expected a finite loss and gradient, found loss {loss}, gradient norm {gradient_norm}; the batch was {segments}"
    )]
    Diverged {
        /// Which step, from 0.
        step: usize,
        /// The loss.
        loss: f64,
        /// Norm of all gradients.
        gradient_norm: f64,
        /// The batch's segments.
        segments: String,
    },
    /// A split without segments.
    #[error("fold {fold}: expected {split} segments with frames, found none")]
    EmptySplit {
        /// Cross-validation fold.
        fold: usize,
        /// Which split.
        split: &'static str,
    },
    /// Labels of the test split that were taken before; they are read once.
    #[error(
        "fold {fold}: expected the labels of the test split unread, found them taken: open the corpus again for each cell"
    )]
    TestLabelsTaken {
        /// Cross-validation fold.
        fold: usize,
    },
    /// A segment of the test split where labels are learned from or chosen by.
    #[error(
        "segment {segment}: expected a training or validation segment, found one whose labels are withheld"
    )]
    WithheldLabel {
        /// Which.
        segment: String,
    },
    /// A linear model that cannot be fitted.
    #[error("regression: {reason}")]
    Regression {
        /// The library's reason.
        reason: String,
    },
    /// A file or folder that is not what it must be.
    #[error("{}: {problem}", path.display())]
    Run {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A line of a journal that is none.
    #[error("{}: line {line}: not an event of a journal", path.display())]
    JournalLine {
        /// The journal.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A file of this crate's that cannot be read or written.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A JSON file that does not say what it should.
    #[error("{}: not the JSON expected here", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// The data refuse.
    #[error(transparent)]
    Data(#[from] mosei_data::DataError),
    /// The run folder refuses.
    #[error(transparent)]
    Record(#[from] run_record::RecordError),
    /// The encoder or the heads refuse.
    #[error(transparent)]
    Backbone(#[from] backbone::BackboneError),
    /// An invalid setting.
    #[error(transparent)]
    Setting(#[from] mosei_schema::SettingError),
    /// The metrics refuse.
    #[error(transparent)]
    Eval(#[from] eval::EvalError),
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] torch_ext::DeviceError),
    /// The shim refuses.
    #[error(transparent)]
    Shim(#[from] torch_ext::TorchError),
    /// libtorch refuses.
    #[error(transparent)]
    Tch(#[from] tch::TchError),
}

impl TrainError {
    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| TrainError::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn regression(reason: impl std::fmt::Display) -> Self {
        TrainError::Regression {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn json(path: &std::path::Path) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.to_path_buf();
        move |source| TrainError::Json { path, source }
    }
}
