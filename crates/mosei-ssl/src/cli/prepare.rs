use super::ConfigArgument;
use anyhow::Result;
use std::path::PathBuf;

/// Align, check and pool a .csd pair into a prepared folder.
///
/// Example: mosei-ssl prepare --config configs/mosei.toml --data DIR --out prepared
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The folder with the features file, the labels file(s) and, where there are, the folds.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(a: Arguments) -> Result<()> {
    let study = a.config.load()?;
    let mut progress = super::video_progress("preparing videos");
    let manifest = match study.grid.starts.iter().any(|start| start.is_pretrained()) {
        true => mosei_data::prepare_for_pretraining(&study.data, &a.data, &a.out, &mut progress)?,
        false => mosei_data::prepare(&study.data, &a.data, &a.out, &mut progress)?,
    };
    let (s, f) = (&manifest.counts.segments, &manifest.counts.frames);
    tracing::info!(
        "{} of {} segments kept ({} without features, {} past the end, {} without a frame, {} too short); {} frames in {}",
        s.kept,
        s.labelled,
        s.video_without_features,
        s.past_the_end,
        s.no_frame,
        s.too_short,
        f.stored,
        a.out.display()
    );
    if manifest.irregular {
        tracing::info!("the frames are irregular (words, turns, functionals): they have no rate");
    }
    for (title, text) in manifest.remarks() {
        tracing::warn!("{title}: {text}");
    }
    if let Some(u) = &manifest.unlabelled {
        tracing::info!(
            "{} stretches outside segments kept ({} too short); {} frames",
            u.stretches,
            u.too_short,
            u.frames
        );
    }
    Ok(())
}
