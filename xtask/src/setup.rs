//! `cargo xtask setup`: libtorch and, where missing, cmake, into a cache that all checkouts of the
//! user share.
//!
//! What lives here: the order of the steps. What each does stands beside it in `setup/`. Nothing
//! that was written half-way is ever taken for whole: things are made in the cache's `tmp` folder
//! and renamed into place, under a lock.

pub mod cache;
mod checks;
mod cmake;
mod libtorch;
mod link;
mod wheel;

use crate::workspace;
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

/// Gets libtorch 2.11.0 and, where missing, cmake; may be repeated and interrupted at will.
///
/// Both come from the Python package index by way of `python3 -m pip`, into
/// $XDG_CACHE_HOME/mosei-ssl (else ~/.cache/mosei-ssl, ~/Library/Caches/mosei-ssl on macOS), about
/// 500 MB. An exported LIBTORCH or CMAKE is used instead. The checkout gets two links, .libtorch
/// and .tools/cmake; remove one, and the next set-up makes it again.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask setup\n  LIBTORCH=/opt/libtorch cargo xtask setup"
)]
pub struct Setup {}

impl Setup {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let root = workspace::root()?;
        ensure(&root, true)?;
        for note in checks::rustflags_notes() {
            say!("setup: note: {note}");
        }
        say!("setup: done; next: cargo xtask sweep");
        Ok(ExitCode::SUCCESS)
    }
}

/// Does what is not done yet; where that is nothing, says so only if `verbose`.
pub fn ensure(root: &Path, verbose: bool) -> Result<()> {
    checks::compilers()?;
    libtorch::ensure(root, verbose)?;
    cmake::ensure(root, verbose)
}

/// One line of what the set-up does.
fn say(line: &str) {
    say!("setup: {line}");
}
