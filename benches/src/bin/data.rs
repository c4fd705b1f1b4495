//! What data cost: making a corpus, reading it, preparing it, opening what was prepared, gathering
//! batches.
//!
//! Each command measures one of these once. The pages of the files it reads are brought into memory
//! beforehand, untimed, here as in the peers; what is written is waited for until it is on disk.

use clap::{Parser, Subcommand};
use mosei_data::align::Timeline;
use mosei_data::{
    Csd, DataConfig, LabelSet, Prepared, SynthConfig, UnknownIds, prepare_with, synthesise_with,
};
use serde_json::json;
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use study_benches::{emit, peak_memory_mib};

const FEATURES: &str = "CMU_MOSEI_COVAREP.csd";
const LABELS: &str = "CMU_MOSEI_Labels.csd";
const FOLDS: &str = "folds.json";

/// Measures what data cost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Threads; 0: one for each core.
    #[arg(long, global = true, default_value_t = 0)]
    threads: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a synthetic corpus; its videos are as many as MOSEI's would be. Prints `time`.
    Synth {
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Labelled segments; MOSEI has 23,259.
        #[arg(long, default_value_t = 23_259)]
        segments: usize,
        /// Seconds of the median segment.
        #[arg(long, default_value_t = 6.5)]
        median_s: f64,
        /// Deflate level.
        #[arg(long, default_value_t = 9)]
        deflate: u8,
    },
    /// Makes a features file of any width, with the labels and folds of a synthetic corpus. Prints
    /// `time`.
    Widen {
        /// A synthetic corpus.
        #[arg(long)]
        data: PathBuf,
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Columns of the new one: the old ones, over and over.
        #[arg(long)]
        columns: usize,
    },
    /// Prepares a corpus. Prints `time`, `rate`, `bytes rate`, `peak memory` and `frames` in
    /// segments.
    Prepare {
        /// The corpus.
        #[arg(long)]
        data: PathBuf,
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Frames averaged into one.
        #[arg(long, default_value_t = 5)]
        pool_frames: usize,
        /// Most frames of a segment.
        #[arg(long, default_value_t = 300)]
        max_frames: usize,
    },
    /// Reads every video once and drops it. Prints `rate`.
    Read {
        /// The corpus.
        #[arg(long)]
        data: PathBuf,
        /// Through HDF5 alone, and so one thread at a time.
        #[arg(long)]
        through_hdf5: bool,
    },
    /// Reads a corpus and copies out each segment's frames, all in memory, as the SDK's align.
    /// Prints `rate` and `frames`.
    Align {
        /// The corpus.
        #[arg(long)]
        data: PathBuf,
    },
    /// Opens a prepared folder. Prints `time`, the median of `repeat`.
    Open {
        /// The prepared folder.
        #[arg(long)]
        prepared: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 9)]
        repeat: usize,
    },
    /// Gathers batches of training segments, on one thread. Prints `time`, the mean over the
    /// batches.
    Gather {
        /// The prepared folder.
        #[arg(long)]
        prepared: PathBuf,
        /// Segments of a batch.
        #[arg(long, default_value_t = 32)]
        segments: usize,
        /// Batches.
        #[arg(long, default_value_t = 100)]
        batches: usize,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    let a = Arguments::parse();
    let threads = match a.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    match a.command {
        Command::Synth {
            out,
            segments,
            median_s,
            deflate,
        } => {
            let videos = ((segments as f64 * 3293.0 / 23_259.0).round() as usize).max(4);
            let config = SynthConfig {
                videos,
                segments,
                median_segment_s: median_s,
                deflate,
                ..SynthConfig::default()
            };
            let start = Instant::now();
            synthesise_with(&config, &out, threads, &mut |_, _| ())?;
            let more = json!({"segments": segments, "videos": videos, "threads": threads});
            emit("time", start.elapsed().as_secs_f64(), "s", more);
        }
        Command::Widen { data, out, columns } => widen(&data, &out, columns)?,
        Command::Prepare {
            data,
            out,
            pool_frames,
            max_frames,
        } => {
            let unknown_fold_ids = UnknownIds::Count;
            let config = DataConfig {
                pool_frames,
                max_frames,
                unknown_fold_ids,
                ..DataConfig::default()
            };
            measure_prepare(&config, &data, &out, threads)?;
        }
        Command::Read { data, through_hdf5 } => measure_read(&data, threads, through_hdf5)?,
        Command::Align { data } => measure_align(&data, threads)?,
        Command::Open { prepared, repeat } => measure_open(&prepared, repeat)?,
        Command::Gather {
            prepared,
            segments,
            batches,
        } => measure_gather(&prepared, segments, batches)?,
    }
    Ok(())
}

/// Reads files through once, so that the system has their pages in memory.
fn warm(paths: &[PathBuf]) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 22];
    for path in paths {
        let mut file = std::fs::File::open(path)?;
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(())
}

/// Bytes of features and intervals when they are unpacked.
fn unpacked_bytes(features: &Csd) -> usize {
    features.rows() * (features.width() * size_of::<f32>() + 2 * size_of::<f64>())
}

/// A corpus whose features are those of another, repeated or cut to a number of columns.
fn widen(data: &Path, out: &Path, columns: usize) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(out)?;
    for name in [LABELS, FOLDS] {
        std::fs::copy(data.join(name), out.join(name))?;
    }
    let start = Instant::now();
    let features = Csd::open(&data.join(FEATURES))?;
    let mut writer = mosei_data::CsdWriter::create(&out.join(FEATURES), features.root(), &[], 4)?;
    for video in features.videos() {
        let sequence = features.read(&video.id)?;
        let rows = sequence.features.chunks_exact(sequence.width);
        let wide: Vec<f32> = rows
            .flat_map(|row| row.iter().cycle().take(columns).copied())
            .collect();
        writer.write_video(&video.id, columns, &wide, &sequence.intervals)?;
    }
    writer.finish()?;
    emit(
        "time",
        start.elapsed().as_secs_f64(),
        "s",
        json!({"columns": columns}),
    );
    Ok(())
}

fn measure_prepare(
    config: &DataConfig,
    data: &Path,
    out: &Path,
    threads: usize,
) -> Result<(), Box<dyn Error>> {
    warm(&mosei_data::input_files(config, data)?)?;
    if out.exists() {
        std::fs::remove_dir_all(out)?;
    }
    let memory_before = peak_memory_mib();
    let start = Instant::now();
    let manifest = prepare_with(config, data, out, threads, &mut |_, _| ())?;
    let seconds = start.elapsed().as_secs_f64();
    // Before anything else is opened.
    let memory = peak_memory_mib();
    let features = Csd::open(&data.join(&config.features))?;
    let (segments, frames) = (
        manifest.counts.segments.kept,
        manifest.counts.frames.in_segments,
    );
    let more = json!({
        "segments": segments, "columns": features.width(), "frames in file": features.rows(),
        "frames stored": manifest.counts.frames.stored, "pool_frames": config.pool_frames, "threads": threads, "MiB before": memory_before,
    });
    emit("time", seconds, "s", more.clone());
    emit(
        "rate",
        segments as f64 / seconds,
        "segments/s",
        more.clone(),
    );
    emit(
        "bytes rate",
        unpacked_bytes(&features) as f64 / seconds / 1e6,
        "MB/s",
        more.clone(),
    );
    emit("frames", frames as f64, "frames in segments", more.clone());
    if let Some(memory) = memory {
        emit("peak memory", memory, "MiB", more);
    }
    Ok(())
}

fn measure_read(data: &Path, threads: usize, through_hdf5: bool) -> Result<(), Box<dyn Error>> {
    let path = data.join(FEATURES);
    warm(std::slice::from_ref(&path))?;
    let start = Instant::now();
    let features = Csd::open(&path)?;
    let opened = start.elapsed().as_secs_f64();
    let read = |id: &str| {
        if through_hdf5 {
            features.read_through_hdf5(id)
        } else {
            features.read(id)
        }
    };
    let videos = features.videos();
    each(videos.len(), threads, |i| read(&videos[i].id).map(drop))?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = unpacked_bytes(&features);
    let more =
        json!({"bytes": bytes, "seconds": seconds, "seconds to open": opened, "threads": threads});
    emit("rate", bytes as f64 / seconds / 1e6, "MB/s", more);
    Ok(())
}

fn measure_align(data: &Path, threads: usize) -> Result<(), Box<dyn Error>> {
    let paths = [data.join(FEATURES), data.join(LABELS)];
    warm(&paths)?;
    let start = Instant::now();
    let features = Csd::open(&paths[0])?;
    let labels = LabelSet::read(&[Csd::open(&paths[1])?])?;
    let videos: Vec<_> = labels
        .videos
        .iter()
        .filter(|(id, _)| features.find(id).is_some())
        .collect();
    let (segments, frames) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let aligned = each(videos.len(), threads, |i| {
        let (id, labels) = videos[i];
        let sequence = features.read(id)?;
        let timeline = Timeline::new(&sequence.intervals);
        let mut aligned: Vec<Vec<f32>> = Vec::new();
        for &interval in &labels.intervals {
            let Ok(rows) = timeline.frames_of(interval) else {
                continue;
            };
            segments.fetch_add(1, Ordering::Relaxed);
            frames.fetch_add(rows.len(), Ordering::Relaxed);
            aligned.push(
                rows.iter()
                    .flat_map(|&row| sequence.row(row))
                    .copied()
                    .collect(),
            );
        }
        Ok(aligned)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let more = json!({"seconds": seconds, "videos": aligned.len(), "threads": threads});
    emit(
        "rate",
        segments.into_inner() as f64 / seconds,
        "segments/s",
        more.clone(),
    );
    emit(
        "frames",
        frames.into_inner() as f64,
        "frames in segments",
        more,
    );
    Ok(())
}

/// Does `count` pieces of work with so many threads, each taking the next that is left.
fn each<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, mosei_data::DataError> + Sync,
) -> Result<Vec<T>, mosei_data::DataError> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let pieces = std::iter::from_fn(|| {
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < count)
        });
        pieces.map(&work).collect::<Result<Vec<T>, _>>()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut done = Vec::with_capacity(count);
        for worker in workers {
            done.extend(
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            );
        }
        Ok(done)
    })
}

fn measure_open(folder: &Path, repeat: usize) -> Result<(), Box<dyn Error>> {
    let mut seconds = Vec::with_capacity(repeat);
    for _ in 0..repeat.max(1) {
        let start = Instant::now();
        let prepared = Prepared::open(folder)?;
        seconds.push(start.elapsed().as_secs_f64());
        drop(prepared);
    }
    seconds.sort_unstable_by(f64::total_cmp);
    let prepared = Prepared::open(folder)?;
    let more = json!({"segments": prepared.len(), "first to last of the sorted": seconds});
    emit("time", 1e3 * seconds[seconds.len() / 2], "ms", more.clone());
    if let Some(memory) = peak_memory_mib() {
        emit("peak memory", memory, "MiB", more);
    }
    Ok(())
}

fn measure_gather(folder: &Path, segments: usize, batches: usize) -> Result<(), Box<dyn Error>> {
    let prepared = Prepared::open(folder)?;
    let fold = prepared.fold(0)?;
    let normaliser = fold.normaliser.bind(prepared.columns())?;
    // A stride that shares no factor with most numbers, so that segments do not lie one behind the
    // other.
    let order: Vec<usize> = (0..segments * batches)
        .map(|i| fold.train[i * 7919 % fold.train.len()])
        .collect();
    // Once to bring the frames into memory.
    let mut best = f64::INFINITY;
    let mut values = 0;
    for _ in 0..3 {
        values = 0;
        let start = Instant::now();
        for batch in order.chunks(segments) {
            values += std::hint::black_box(prepared.gather(&normaliser, batch))
                .x_nc
                .len();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let more = json!({
        "segments": segments, "batches": batches, "columns": normaliser.width(), "corpus segments": prepared.len(),
        "frames of a batch": values as f64 / (normaliser.width() * batches) as f64,
        "nanoseconds a value": best * 1e9 / values as f64,
    });
    emit("time", best * 1e6 / batches as f64, "us", more);
    Ok(())
}
