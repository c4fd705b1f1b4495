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
    let mut bytes = Vec::new();
    clap_complete::generate(a.shell, &mut Program::command(), "mosei-ssl", &mut bytes);
    super::say(&String::from_utf8_lossy(&bytes))
}
