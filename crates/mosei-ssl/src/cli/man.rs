use anyhow::{Context, Result};
use clap::CommandFactory;
use std::path::PathBuf;

/// Write the manual pages, one a verb.
///
/// Example: mosei-ssl man ~/.local/share/man/man1 && man mosei-ssl-sample
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to write them into; it is made where it is missing.
    folder: PathBuf,
}

pub(crate) fn run<Program: CommandFactory>(a: &Arguments) -> Result<()> {
    std::fs::create_dir_all(&a.folder)
        .with_context(|| format!("failed to make folder {}", a.folder.display()))?;
    let mut whole = Program::command();
    // So that each verb knows the name of the program around it.
    whole.build();
    let verbs = whole
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
        .cloned();
    let pages = verbs
        .map(|verb| (format!("mosei-ssl-{}.1", verb.get_name()), verb))
        .collect::<Vec<_>>();
    for (name, command) in pages
        .into_iter()
        .chain([("mosei-ssl.1".to_string(), whole)])
    {
        let mut page = Vec::new();
        let title = name.trim_end_matches(".1").to_string();
        clap_mangen::Man::new(command)
            .title(title)
            .render(&mut page)?;
        run_record::write_atomic(&a.folder.join(&name), &page)?;
    }
    tracing::info!("manual pages in {}", a.folder.display());
    Ok(())
}
