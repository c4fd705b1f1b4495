//! Progress on a terminal: rate and time left; silent elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar on standard error, or nothing where that is no terminal.
pub fn bar(label: &str, length: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) =
        ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left {msg}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(label.to_string());
    bar
}
