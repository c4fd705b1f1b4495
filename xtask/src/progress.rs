//! Progress of long work: a bar on a terminal, a line now and then elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// Work over fewer bytes than this is over before a line about it is read.
const WORTH_LINES: u64 = 32 << 20;

/// Progress over bytes.
pub struct ByteProgress {
    what: String,
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
    reported: u64,
}

impl ByteProgress {
    /// Begins; `what` is shown before the numbers.
    pub fn new(what: &str, total: u64) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total).with_message(what.to_string());
            bar.set_style(style(
                "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
            ));
            bar
        });
        ByteProgress {
            what: what.to_string(),
            bar,
            done: 0,
            total,
            reported: 0,
        }
    }

    /// So many more bytes are through.
    pub fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if let Some(bar) = &self.bar {
            return bar.set_position(self.done);
        }
        if self.total < WORTH_LINES {
            return;
        }
        let percent = (self.done * 100).checked_div(self.total).unwrap_or(100);
        if percent >= self.reported + 20 {
            self.reported = percent;
            eprintln!("{}: {percent} %", self.what);
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar's look; a template that does not parse gives the plain look.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
