//! Writes the report of an invented study, with its tables and figures, to a folder: `cargo run -p
//! report --example sample -- DIR`.
#![allow(clippy::unwrap_used, reason = "an example that stops where it fails")]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .ok_or("expected a folder to write to")?,
    );
    let mut input = sample::study(true);
    input
        .results
        .iter_mut()
        .filter(|r| r.emotion == "fear")
        .for_each(sample::too_few);
    input.primary_budget = Some("f0.01".into());
    let page = [(
        "report.html".to_string(),
        report::render(&input)?.into_bytes(),
    )];
    let bare = report::ReportInput {
        statistics: None,
        ..input.clone()
    };
    let without = [(
        "without_statistics.html".to_string(),
        report::render(&bare)?.into_bytes(),
    )];
    for (name, content) in page
        .into_iter()
        .chain(without)
        .chain(report::exports(&input)?)
    {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().ok_or("expected a file in a folder")?)?;
        std::fs::write(path, content)?;
    }
    Ok(())
}
