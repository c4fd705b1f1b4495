use anyhow::Result;
use std::path::PathBuf;

/// Print what .csd files hold: videos, rows, columns, rate, lengths, overlaps, non-finite values,
/// prevalence.
///
/// Example: mosei-ssl inspect CMU_MOSEI_COVAREP.csd CMU_MOSEI_Labels.csd --folds folds.json
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// .csd files: features, labels, or both.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A folds file, for prevalence by fold.
    #[arg(long, value_name = "FILE")]
    folds: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let inspection = mosei_data::inspect(&a.files, a.folds.as_deref())?;
    super::say(&if a.json {
        serde_json::to_string(&inspection)? + "\n"
    } else {
        inspection.to_text()
    })
}
