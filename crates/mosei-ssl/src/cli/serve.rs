/// Fork a process for each step that an engine asks for. `sweep` starts it.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Serves until the engine has gone; in a forked process, the arguments of its step.
///
/// A process costs a fifth of a second before it does anything, most of it spent in linking
/// libtorch; a fork has that behind it. Nothing here may ask libtorch for anything: its threads
/// would not be in the fork.
pub(crate) fn run(_: Arguments) -> anyhow::Result<Option<Vec<String>>> {
    match sweep::serve()? {
        sweep::Served::Ended => Ok(None),
        sweep::Served::Step(arguments) => Ok(Some(arguments)),
    }
}
