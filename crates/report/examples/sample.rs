//! Writes the report of an invented study, to look at: `cargo run -p report --example sample -- FOLDER`.

#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).ok_or("usage: sample FOLDER")?);
    let input = sample::study(true);
    std::fs::write(folder.join("report.html"), report::render(&input)?)?;
    std::fs::write(folder.join("learning_curves.svg"), report::learning_curve_svg(&input)?)?;
    let presence_only = sample::study(false);
    std::fs::write(folder.join("presence_only.html"), report::render(&presence_only)?)?;
    Ok(())
}
