//! Prepares a folder from .csd files, video by video.
//!
//! What lives here: the single pass over the features, and its counts. What does not: the
//! preparation of one video (`video`), its rules (`align`, `pool`, `folds`, `normalise`), and
//! threads (`parallel`).

mod assign;
mod fold_record;
mod outliers;
mod shared_ids;
mod unlabelled;
mod video;

use crate::align::{Dropped, median};
use crate::manifest::{
    Counts, FORMAT, InputFile, LEAST_MEDIAN_FRAMES, Manifest, Oddities, Oddity, SegmentCounts,
};
use crate::normalise::Moments;
use crate::prepared::{
    FRAMES_FILE, FramesWriter, MANIFEST_FILE, MappedFrames, SEGMENTS_FILE, Segments,
    UNLABELLED_FILE, UNLABELLED_FRAMES_FILE, add_checksums,
};
use crate::rates::{CorpusSpacing, FrameRate, LateLabels};
use crate::{
    Csd, DataConfig, DataError, LabelSet, Unlabelled, VideoLabels, feature_columns, files, folds,
    parallel,
};
use assign::Assignment;
use fold_record::Corpus;
use run_record::{StagedDir, hash_file, write_atomic};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use unlabelled::UnlabelledPass;
use video::PreparedVideo;

/// Name of the folds file used where the configuration names none.
const FOLDS_FILE: &str = "folds.json";

/// The files that [`prepare`] would read: features, labels and, where they are used, folds.
///
/// # Errors
/// Where a setting is invalid, or a file is missing; the message names the key.
pub fn input_files(config: &DataConfig, dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(inputs(config, dir)?
        .into_iter()
        .map(|(_, _, path)| path)
        .collect())
}

/// Key, name and path of each input.
fn inputs(
    config: &DataConfig,
    dir: &Path,
) -> Result<Vec<(&'static str, String, PathBuf)>, DataError> {
    config.check()?;
    let mut wanted = vec![("features", config.features.clone())];
    wanted.extend(config.labels.iter().map(|name| ("labels", name.clone())));
    match &config.folds {
        // These lists need no file.
        Some(name) if folds::standard(Path::new(name)).is_some() => {}
        Some(name) => wanted.push(("folds", name.clone())),
        None if config.split.k_folds == 0 && dir.join(FOLDS_FILE).is_file() => {
            wanted.push(("folds", FOLDS_FILE.to_string()));
        }
        None => {}
    }
    wanted
        .into_iter()
        .map(|(key, name)| {
            let path = dir.join(&name);
            match std::fs::metadata(&path) {
                Ok(facts) => files::require_file(&path, &facts).map(|()| (key, name, path)),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    Err(DataError::MissingInput { path, key })
                }
                Err(e) => Err(DataError::io("open", &path)(e)),
            }
        })
        .collect()
}

/// Reads the files of `dir` and writes a prepared folder to `out`, completely or not at all.
///
/// `progress` is called with the number of videos done and their total. Videos are read and
/// prepared by as many threads as there are cores; memory is that of a few videos per thread, the
/// labels and the folds.
///
/// # Errors
/// Where a file is missing, damaged or invalid, `out` holds other files, or a split is empty.
pub fn prepare(
    config: &DataConfig,
    dir: &Path,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, DataError> {
    prepare_with(config, dir, out, parallel::available_threads(), progress)
}

/// As [`prepare`], for a study with pre-training, which masks frames in time: a masked segment of
/// one frame has no context to reconstruct it from.
///
/// # Errors
/// As those of [`prepare`]; where the median segment has fewer than [`LEAST_MEDIAN_FRAMES`] frames
/// after pooling.
pub fn prepare_for_pretraining(
    config: &DataConfig,
    dir: &Path,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, DataError> {
    let accept = |manifest: &Manifest| manifest.require_time(&dir.join(&config.features));
    prepare_where(
        config,
        dir,
        out,
        parallel::available_threads(),
        &accept,
        progress,
    )
}

/// As [`prepare`], with a given number of threads; the output does not depend on it.
///
/// # Errors
/// As those of [`prepare`].
pub fn prepare_with(
    config: &DataConfig,
    dir: &Path,
    out: &Path,
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, DataError> {
    prepare_where(config, dir, out, threads, &|_| Ok(()), progress)
}

/// As [`prepare_with`]; `accept` checks the manifest before the folder is committed.
fn prepare_where(
    config: &DataConfig,
    dir: &Path,
    out: &Path,
    threads: usize,
    accept: &dyn Fn(&Manifest) -> Result<(), DataError>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, DataError> {
    let inputs = inputs(config, dir)?;
    files::require_replaceable(
        out,
        &[
            MANIFEST_FILE,
            FRAMES_FILE,
            SEGMENTS_FILE,
            UNLABELLED_FRAMES_FILE,
            UNLABELLED_FILE,
        ],
    )?;
    let of = |key: &'static str| {
        inputs
            .iter()
            .filter(move |(k, ..)| *k == key)
            .map(|(.., path)| path.as_path())
    };
    let labels = read_labels(of("labels"))?;
    let features = Csd::open(of("features").next().unwrap_or(dir))?;
    let assignment = Assignment::new(config, of("folds").next(), &labels, &features)?;
    let hash = || {
        inputs
            .iter()
            .map(|(key, name, path)| hash_input(key, name, path))
            .collect::<Result<Vec<_>, _>>()
    };

    let staged = StagedDir::create(out)?;
    let mut pass = Pass::new(&features, staged.path())?;
    let mut videos: Vec<(&String, &VideoLabels)> = labels.videos.iter().collect();
    let without_labels = match config.unlabelled {
        Unlabelled::Outside => assignment.training_without_labels(&labels, &features),
        Unlabelled::None => Vec::new(),
    };
    if config.unlabelled == Unlabelled::Outside {
        pass.unlabelled = Some(UnlabelledPass::new(
            staged.path(),
            features.width(),
            without_labels.clone(),
        )?);
    }
    let no_labels = VideoLabels::default();
    videos.extend(without_labels.iter().map(|id| (id, &no_labels)));
    let hashed = thread::scope(|scope| {
        let hashed = scope.spawn(hash);
        let read = |i: usize| {
            PreparedVideo::new(config, &features, videos[i].0, videos[i].1, labels.path())
        };
        let mut done = 0;
        parallel::for_each_ordered(videos.len(), threads, read, |video| {
            let video = video?;
            if let Some(unlabelled) = &mut pass.unlabelled {
                unlabelled.add(done, &video.unlabelled)?;
            }
            if video.has_frames() {
                pass.spacings.add(videos[done].0, video.spacing);
            }
            // Videos without labels only contribute unlabelled speech.
            if done < labels.videos.len() {
                pass.add(video, videos[done].0, videos[done].1, labels.has_sentiment)?;
            }
            done += 1;
            progress(done, videos.len());
            Ok::<(), DataError>(())
        })?;
        hashed
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let rate = pass
        .spacings
        .check(features.path(), &format!("{}/data", features.root()))?;
    pass.late.check(labels.path(), "intervals")?;
    // Reported after the folds, whose error about a training split without values is more specific.
    let oddities = pass.oddities(features.path());
    let videos: Vec<String> = labels.videos.keys().cloned().collect();
    let (segments, moments, dropped, mut counts) =
        (pass.segments, pass.moments, pass.dropped, pass.counts);
    pass.frames.finish()?;
    segments.write(&staged.path().join(SEGMENTS_FILE), labels.emotions.len())?;
    count_files(&mut counts, &labels, &features);

    let columns = feature_columns(&features);
    let usable: Vec<bool> = moments.iter().map(|m| m.frames > 0).collect();
    let unlabelled = pass.unlabelled;
    let corpus = Corpus {
        origin: assignment.origin(),
        columns: &columns,
        segments: &segments,
        frames: MappedFrames::open(&staged.path().join(FRAMES_FILE), columns.len())?,
        videos: &videos,
        features: features.path(),
        moments,
        dropped,
        unlabelled: unlabelled.as_ref(),
    };
    let mut folds = Vec::new();
    for (index, fold) in assignment.folds(&videos, &usable)?.into_iter().enumerate() {
        folds.push(corpus.fold_record(index, fold, config)?);
    }
    drop(corpus);
    let oddities = oddities?;
    let mut manifest = Manifest {
        format: FORMAT,
        inputs: hashed,
        config: config.clone(),
        nonfinite: by_column(&columns, &pass.nonfinite),
        columns,
        emotions: labels.emotions.clone(),
        has_sentiment: labels.has_sentiment,
        videos,
        frame_rate_hz: rate.hz(),
        irregular: rate == FrameRate::Irregular,
        oddities,
        counts,
        fold_source: assignment.source(),
        folds,
        unlabelled: unlabelled.map(|u| u.finish(staged.path())).transpose()?,
        files: BTreeMap::new(),
        checksum: None,
    };
    accept(&manifest)?;
    add_checksums(&mut manifest, staged.path())?;
    let path = staged.path().join(MANIFEST_FILE);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|source| DataError::Json {
        path: path.clone(),
        expected: "a manifest that can be written as JSON",
        source,
    })?;
    write_atomic(&path, &json)?;
    staged.commit_as_is()?;
    Ok(manifest)
}

fn read_labels<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<LabelSet, DataError> {
    let labels = LabelSet::read(&paths.map(Csd::open).collect::<Result<Vec<_>, _>>()?)?;
    if labels.emotions.is_empty() {
        return Err(DataError::structure(
            labels.path(),
            "/",
            "at least one emotion column",
            "sentiment alone",
        ));
    }
    labels.check()?;
    Ok(labels)
}

fn hash_input(key: &str, name: &str, path: &Path) -> Result<InputFile, DataError> {
    let bytes = std::fs::metadata(path)
        .map_err(DataError::io("read", path))?
        .len();
    Ok(InputFile {
        key: key.to_string(),
        name: name.to_string(),
        bytes,
        blake3: hash_file(path)?,
    })
}

fn by_column(columns: &[String], counts: &[u64]) -> BTreeMap<String, u64> {
    columns
        .iter()
        .cloned()
        .zip(counts.iter().copied())
        .filter(|&(_, n)| n > 0)
        .collect()
}

fn count_files(counts: &mut Counts, labels: &LabelSet, features: &Csd) {
    let unlabelled = features
        .by_video()
        .iter()
        .filter(|(id, _)| !labels.videos.contains_key(*id));
    counts.videos.labelled = labels.videos.len();
    counts.segments.labelled = labels.segments();
    counts.frames.in_file = features.rows() as u64;
    for (_, held) in unlabelled {
        counts.videos.without_labels += 1;
        counts.frames.in_videos_without_labels += features.rows_of(held) as u64;
    }
}

/// The pass over the videos: its output and counts.
struct Pass {
    frames: FramesWriter,
    segments: Segments,
    /// Moments of the stored frames of each labelled video.
    moments: Vec<Moments>,
    /// Why each segment was dropped `[S]`; `None` for a kept one.
    dropped: Vec<Option<Dropped>>,
    counts: Counts,
    /// Non-finite values by column, over the frames of labelled videos.
    nonfinite: Vec<u64>,
    /// The spacing of the frames of each video.
    spacings: CorpusSpacing,
    late: LateLabels,
    nothing_finite: Oddity,
    /// Stored frames of each segment with frames.
    lengths: Vec<f64>,
    /// Speech outside all segments, where configured.
    unlabelled: Option<UnlabelledPass>,
}

impl Pass {
    fn new(features: &Csd, folder: &Path) -> Result<Self, DataError> {
        Ok(Pass {
            frames: FramesWriter::create(&folder.join(FRAMES_FILE), features.width())?,
            segments: Segments {
                offsets: vec![0],
                ..Segments::default()
            },
            moments: Vec::new(),
            dropped: Vec::new(),
            counts: Counts::default(),
            nonfinite: vec![0; features.width()],
            spacings: CorpusSpacing::default(),
            late: LateLabels::default(),
            nothing_finite: Oddity::default(),
            lengths: Vec::new(),
            unlabelled: None,
        })
    }

    /// Adds the next labelled video.
    fn add(
        &mut self,
        video: PreparedVideo,
        id: &str,
        labels: &VideoLabels,
        has_sentiment: bool,
    ) -> Result<(), DataError> {
        let index = self.moments.len() as i32;
        let mut end = self.frames.frames();
        self.frames.append(&video.frames)?;
        self.counts.videos.without_features += usize::from(!video.has_features);
        for ((&number, &interval), segment) in labels
            .numbers
            .iter()
            .zip(&labels.intervals)
            .zip(&video.segments)
        {
            match segment {
                Ok(kept) => {
                    let (counts, frames) = (&mut self.counts.segments, &mut self.counts.frames);
                    counts.kept += 1;
                    counts.cut_by_the_end += usize::from(kept.cut_by_the_end);
                    counts.negative_start += usize::from(interval[0] < 0.0);
                    counts.cropped += usize::from(kept.stored < kept.pooled);
                    frames.in_segments += kept.in_file as u64;
                    frames.pooled += kept.pooled as u64;
                    frames.cropped += (kept.pooled - kept.stored) as u64;
                    frames.stored += kept.stored as u64;
                    end += kept.stored;
                    self.lengths.push(kept.stored as f64);
                    if !kept.finite {
                        self.nothing_finite.add(|| format!("'{id}[{number}]'"));
                    }
                }
                Err(why) => self.counts.segments.drop(*why),
            }
            self.dropped.push(segment.as_ref().err().copied());
            self.segments.offsets.push(end as i64);
            self.segments.intervals.push(interval);
            self.segments.video.push(index);
            self.segments.segment.push(number);
        }
        self.segments.intensities.extend(&labels.intensities);
        if has_sentiment {
            self.segments.sentiment.extend(&labels.sentiment);
        }
        self.nonfinite
            .iter_mut()
            .zip(&video.nonfinite)
            .for_each(|(n, more)| *n += more);
        if video.has_frames() && !labels.intervals.is_empty() {
            let late = video.late_segments(&labels.intervals);
            let words = |&row: &usize| {
                let ([start, end], number) = (labels.intervals[row], labels.numbers[row]);
                format!(
                    "'{id}[{number}]' from {start} to {end} s of a recording that ends at {} s",
                    video.end_s
                )
            };
            self.late.add(late.len(), late.first().map(words));
        }
        self.counts.frames.outside_segments += video.outside_segments;
        self.moments.push(video.moments);
        Ok(())
    }
}

impl Pass {
    /// Implausible properties of the data.
    ///
    /// # Errors
    /// Where most segments have no finite value.
    fn oddities(&self, features: &Path) -> Result<Oddities, DataError> {
        let nothing = &self.nothing_finite;
        if nothing.segments * 2 > self.lengths.len() {
            let found = format!(
                "{} of {} without one, such as {}",
                nothing.segments,
                self.lengths.len(),
                nothing.first.as_deref().unwrap_or_default()
            );
            return Err(DataError::content(
                features,
                "features",
                "segments with finite values",
                found,
            ));
        }
        let late = &self.late;
        Ok(Oddities {
            far_behind: Oddity {
                segments: late.count,
                first: late.first.clone(),
            },
            nothing_finite: nothing.clone(),
            median_frames: median(self.lengths.clone()).map_or(0, |n| n as usize),
        })
    }
}

impl Oddity {
    fn add(&mut self, words: impl FnOnce() -> String) {
        self.segments += 1;
        self.first.get_or_insert_with(words);
    }
}

impl Manifest {
    /// Checks that segments are long enough to mask frames in time. `path` is for the message.
    ///
    /// # Errors
    /// Where the median segment has fewer than [`LEAST_MEDIAN_FRAMES`] frames after pooling.
    pub fn require_time(&self, path: &Path) -> Result<(), DataError> {
        let (found, pool) = (self.oddities.median_frames, self.config.pool_frames);
        if found >= LEAST_MEDIAN_FRAMES {
            return Ok(());
        }
        let expected = format!(
            "at least {LEAST_MEDIAN_FRAMES} frames in the median segment, as pre-training masks frames in time"
        );
        let found = format!("{found} (pool_frames = {pool})");
        let hint = match pool {
            1 => "use starts without pre-training, or features with several frames per segment",
            _ => "lower pool_frames, or use starts without pre-training",
        };
        Err(DataError::content(path, "features", expected, found).with_hint(Some(hint.into())))
    }
}

impl SegmentCounts {
    fn drop(&mut self, why: Dropped) {
        *match why {
            Dropped::TooShort => &mut self.too_short,
            Dropped::PastTheEnd => &mut self.past_the_end,
            Dropped::NoFrame => &mut self.no_frame,
            Dropped::NoFeatures => &mut self.video_without_features,
        } += 1;
    }
}
