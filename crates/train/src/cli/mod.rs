//! The verbs, a file each: arguments, and the call of the library that does the work.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod encode;
pub(crate) mod evaluate;
pub(crate) mod finetune;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod prepare;
pub(crate) mod pretrain;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod serve;
pub(crate) mod statistics;
pub(crate) mod synth;

use anyhow::{Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use train::{Corpus, Start, Study, TrainError};

/// The configuration of a study.
#[derive(clap::Args)]
pub(crate) struct ConfigArgument {
    /// The study's configuration (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

impl ConfigArgument {
    pub(crate) fn load(&self) -> Result<Study> {
        Ok(Study::load(&self.config)?)
    }
}

/// What is trained or encoded: a study, a fold of its data, a seed.
#[derive(clap::Args)]
pub(crate) struct FoldArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// A prepared folder.
    #[arg(long, value_name = "DIR")]
    prepared: PathBuf,
    /// Cross-validation fold.
    #[arg(long, default_value_t = 0)]
    pub(crate) fold: usize,
    /// Training seed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(i32::MAX)))]
    pub(crate) seed: u32,
}

impl FoldArguments {
    /// Reads the study, sets threads and device, opens the fold. Must come before anything else asks libtorch.
    pub(crate) fn open(&self) -> Result<(Study, Corpus)> {
        let study = self.config.load()?;
        train::work_as(&study)?;
        let device = torch_ext::open_device(&study.device).map_err(TrainError::from)?;
        let corpus = Corpus::open(&self.prepared, self.fold, device)?;
        Ok((study, corpus))
    }
}

/// The start of that name.
pub(crate) fn start(name: &str) -> Result<Start, TrainError> {
    Start::from_name(name).ok_or_else(|| TrainError::Argument {
        what: "--start",
        expected: Start::ALL.map(Start::name).join(", "),
        found: mosei_schema::found_with_near_miss(name, Start::ALL.map(Start::name)),
    })
}

/// Writes to standard output. A reader that has gone away, as `head` does, is no failure.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("failed to write to standard output"),
    }
}

/// The files of a table: the one that is named, or, where no format is, one of each.
pub(crate) fn table_files(out: &Path) -> Vec<PathBuf> {
    let has = |wanted: &str| out.extension().is_some_and(|e| e.eq_ignore_ascii_case(wanted));
    if has("parquet") || has("csv") {
        return vec![out.to_path_buf()];
    }
    ["parquet", "csv"].map(|extension| PathBuf::from(format!("{}.{extension}", out.display()))).to_vec()
}

/// Files, for a sentence.
pub(crate) fn and(files: &[PathBuf]) -> String {
    files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(" and ")
}

/// An error with its causes, each said once: a cause whose words stand in the line already is left out.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = if text.is_empty() { words } else { format!("{text}: {words}") };
        }
    }
    text
}

/// Shows how many videos are done, on a terminal.
pub(crate) fn video_progress(label: &str) -> impl FnMut(usize, usize) + use<> {
    let bar = train::bar(label, 0);
    move |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }
}
