use mosei_schema::SettingError;
use std::path::PathBuf;

/// Why an encoder or a head cannot be created, read, written or run.
#[derive(Debug, thiserror::Error)]
pub enum BackboneError {
    /// An invalid setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A missing tensor.
    #[error("tensor '{name}': expected shape {expected:?}, found no such tensor")]
    MissingTensor {
        /// Its name.
        name: String,
        /// Its shape.
        expected: Vec<i64>,
    },
    /// A tensor whose shape does not match the configuration.
    #[error("tensor '{name}': expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape according to the configuration.
        expected: Vec<i64>,
        /// Its shape.
        found: Vec<i64>,
    },
    /// A tensor that is not part of the configuration.
    #[error("tensor '{name}': not a tensor of this configuration")]
    UnknownTensor {
        /// Its name.
        name: String,
    },
    /// A tensor of another type than 32-bit float.
    #[error("tensor '{name}': expected 32-bit floats, found {found}")]
    Kind {
        /// Its name.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor with a NaN or an infinite value.
    #[error("tensor '{name}': expected finite numbers, found {found} at {place}")]
    NotFinite {
        /// Its name.
        name: String,
        /// The value.
        found: f32,
        /// The index of the value, from 0.
        place: usize,
    },
    /// Invalid segment offsets.
    #[error("segment offsets: expected {expected}, found {found}")]
    Offsets {
        /// What is allowed.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A segment with more frames than the encoder has positions.
    #[error("segment of {found} frames: the encoder has positions for {max_frames}")]
    TooLong {
        /// Frames of the segment.
        found: i64,
        /// Positions of the encoder.
        max_frames: usize,
    },
    /// A file cannot be read or written.
    #[error("{}: {action}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An invalid JSON file.
    #[error("{}: not the configuration of an encoder", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// An invalid tensor file.
    #[error("{}: not a safetensors file", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// The library's reason.
        source: safetensors::SafeTensorError,
    },
    /// An error in a file; `source` describes it.
    #[error("{}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<BackboneError>,
    },
    /// An error of libtorch.
    #[error(transparent)]
    Tch(#[from] tch::TchError),
    /// An error of `torch-ext`.
    #[error(transparent)]
    Shim(#[from] torch_ext::TorchError),
}
