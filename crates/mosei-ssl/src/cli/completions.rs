use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print the completions of a shell.
///
/// Example: mosei-ssl completions bash > ~/.local/share/bash-completion/completions/mosei-ssl
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run<Program: CommandFactory>(a: &Arguments) -> Result<()> {
    // Hidden verbs would be offered too.
    let verbs = Program::command();
    let verbs = verbs
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .cloned();
    let mut shown = clap::Command::new("mosei-ssl")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommands(verbs);
    let mut bytes = Vec::new();
    clap_complete::generate(a.shell, &mut shown, "mosei-ssl", &mut bytes);
    super::say(&String::from_utf8_lossy(&bytes))
}
