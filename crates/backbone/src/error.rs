use std::path::PathBuf;

/// Why an encoder or a head cannot be made, read, written or run.
#[derive(Debug, thiserror::Error)]
pub enum BackboneError {
    /// A setting that makes no sense.
    #[error("{key}: expected {expected}, found {found}")]
    Config {
        /// Which key.
        key: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A tensor is not there.
    #[error("tensor '{name}': expected shape {expected:?}, found no such tensor")]
    MissingTensor {
        /// Its name.
        name: String,
        /// Its shape.
        expected: Vec<i64>,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor '{name}': expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape by the configuration.
        expected: Vec<i64>,
        /// Its shape.
        found: Vec<i64>,
    },
    /// A tensor that the configuration knows nothing of.
    #[error("tensor '{name}': not a tensor of this configuration")]
    UnknownTensor {
        /// Its name.
        name: String,
    },
    /// A tensor holds something else than 32-bit floats.
    #[error("tensor '{name}': expected 32-bit floats, found {found}")]
    Kind {
        /// Its name.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor holds something that is no number.
    #[error("tensor '{name}': expected finite numbers, found {found} at {place}")]
    NotFinite {
        /// Its name.
        name: String,
        /// What is there.
        found: f32,
        /// Where: the number of the value, from 0.
        place: usize,
    },
    /// Offsets that do not cut a batch into segments.
    #[error("segment offsets: expected {expected}, found {found}")]
    Offsets {
        /// What they must be.
        expected: &'static str,
        /// What they are.
        found: String,
    },
    /// A segment longer than the encoder has positions for.
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
        /// Which.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A JSON file does not say what it should.
    #[error("{}: not the configuration of an encoder", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A tensor file is broken.
    #[error("{}: not a safetensors file", path.display())]
    Tensors {
        /// Which.
        path: PathBuf,
        /// The library's reason.
        source: safetensors::SafeTensorError,
    },
    /// Something in a file does not fit; `source` says what.
    #[error("{}", path.display())]
    InFile {
        /// Which.
        path: PathBuf,
        /// What does not fit.
        source: Box<BackboneError>,
    },
    /// libtorch refused.
    #[error(transparent)]
    Tch(#[from] tch::TchError),
    /// The shim refused.
    #[error(transparent)]
    Shim(#[from] torch_ext::TorchError),
}
