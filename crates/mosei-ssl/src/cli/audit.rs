use crate::RunFolder;
use anyhow::Result;
use std::path::PathBuf;

/// Check from what a run has left on disk that it kept its rules: no leak, nothing unpaired,
/// nothing altered.
///
/// One line a rule: ok, broken with the id that breaks it, not checked and why, or noted: against
/// no promise, but to be known. Exit code 1 where a rule is broken.
///
/// Example: mosei-ssl audit runs/demo
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder, finished or not.
    run: PathBuf,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let audit = crate::audit(&RunFolder::new(&a.run))?;
    super::say(&if a.json {
        serde_json::to_string(&audit)? + "\n"
    } else {
        audit.to_text()
    })?;
    let broken: Vec<_> = audit.broken().collect();
    let Some(first) = broken.first() else {
        return Ok(());
    };
    anyhow::bail!(
        "{}: {} of its rules are broken; {}: {}",
        a.run.display(),
        broken.len(),
        first.rule,
        first.detail
    )
}
