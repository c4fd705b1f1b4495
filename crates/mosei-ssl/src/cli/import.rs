use crate::StudyError;
use anyhow::Result;
use mosei_import::{ImportError, ImportFormat, ImportOptions};
use std::path::PathBuf;

/// Make a .csd pair of features and labels in other formats: Parquet, CSV, .npy folders,
/// openSMILE's output, processed MOSEI releases (HDF5, pickles, .pt).
///
/// Example: mosei-ssl import --features features.parquet --labels labels.csv --mapping mapping.toml
/// --out data
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A table with one row a frame, a folder with one file a recording, HDF5 or a pickle.
    #[arg(long, value_name = "PATH")]
    features: PathBuf,
    /// A table with one row a labelled segment: CSV or Parquet. Left out for recordings without labels,
    /// which stay apart.
    #[arg(long, value_name = "PATH")]
    labels: Option<PathBuf>,
    /// Which recordings or speakers train, validate and test (JSON).
    #[arg(long, value_name = "FILE")]
    folds: Option<PathBuf>,
    /// What columns, words and names mean (TOML; docs/your-data.md).
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Names of the feature columns, one a line, where the features have none; of all columns of a text
    /// file without a header.
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// What the features are, where it cannot be detected.
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    format: Option<ImportFormat>,
    /// Frames a second, where the features have no times.
    #[arg(long, value_name = "HZ", conflicts_with = "hop_s")]
    rate: Option<f64>,
    /// Seconds from frame to frame, instead of a rate.
    #[arg(long, value_name = "SECONDS")]
    hop_s: Option<f64>,
    /// Print what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// When the clips of the transcript are said, where ids count clips (VIDEO$_$3): the folder
    /// Transcript/Segmented/Combined, or a table with video, clip, start and end.
    #[arg(long, value_name = "PATH")]
    clips: Option<PathBuf>,
    /// The folder to write.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let rate_hz = a.rate.or(a.hop_s.map(f64::recip));
    let Arguments {
        features,
        labels,
        folds,
        mapping,
        columns,
        format,
        dry_run,
        clips,
        out,
        ..
    } = a;
    let options = ImportOptions {
        features,
        labels,
        folds,
        mapping,
        columns,
        format,
        rate_hz,
        clips,
    };
    // With --dry-run the folder may be left out, and is not looked at.
    let out = out.filter(|_| !dry_run);
    let summary = match &out {
        Some(out) => {
            mosei_import::import(&options, out, &mut super::video_progress("writing videos"))
        }
        None => mosei_import::preview(&options, &mut super::video_progress("joining videos")),
    };
    let summary = summary.map_err(|error| match error {
        ImportError::Mapping { path, key, reason } => {
            StudyError::Config { path, key, reason }.into()
        }
        ImportError::Rate { max, found } => {
            let expected = format!("a number above 0, at most {max}");
            StudyError::Argument {
                what: "--rate",
                expected,
                found: found.to_string(),
            }
            .into()
        }
        error => anyhow::Error::from(error),
    })?;
    let written = match (&out, summary.labelled) {
        (None, _) => "dry run: nothing written\n".to_string(),
        (Some(out), true) => format!(
            "written: {}, {} in {}\n",
            mosei_import::FEATURES_FILE,
            mosei_import::LABELS_FILE,
            out.display()
        ),
        (Some(out), false) => {
            format!(
                "written: {} in {}\n",
                mosei_import::FEATURES_FILE,
                out.display()
            )
        }
    };
    super::say(&format!("{summary}{written}"))
}

fn format() -> impl clap::builder::TypedValueParser<Value = ImportFormat> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(ImportFormat::NAMES).try_map(|name| name.parse::<ImportFormat>())
}
