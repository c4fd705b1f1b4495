//! From .csd files to a prepared folder, one video at a time.
//!
//! What lives here: the one pass over the features, and what it counts. What does not: the rules it applies, which
//! stand in `align`, `pool`, `folds` and `normalise`.

mod assign;
mod record;

use crate::align::{Dropped, EPSILON_S, Timeline, rate_hz};
use crate::manifest::{Counts, FORMAT, InputFile, Manifest};
use crate::normalise::Moments;
use crate::prepared::{FRAMES_FILE, FramesWriter, MANIFEST_FILE, SEGMENTS_FILE, Segments};
use crate::{Csd, DataConfig, DataError, LabelSet, feature_columns, place, pool};
use assign::Assignment;
use record::Corpus;
use run_record::{StagedDir, hash_file, write_atomic};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the folds file that is used where the configuration names none.
const FOLDS_FILE: &str = "folds.json";

/// The files that [`prepare`] would read: features, labels and, where they are used, folds.
///
/// # Errors
/// Where the settings cannot be carried out, or a file is missing; the message names the key.
pub fn input_files(config: &DataConfig, dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(inputs(config, dir)?.into_iter().map(|(_, _, path)| path).collect())
}

/// Key, name and path of each input.
fn inputs(config: &DataConfig, dir: &Path) -> Result<Vec<(&'static str, String, PathBuf)>, DataError> {
    config.check()?;
    let mut wanted = vec![("features", config.features.clone())];
    wanted.extend(config.labels.iter().map(|name| ("labels", name.clone())));
    match &config.folds {
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
            match path.is_file() {
                true => Ok((key, name, path)),
                false if path.is_dir() => Err(DataError::NotAFile { path, expected: "a file", found: "a folder" }),
                false => Err(DataError::MissingInput { path, key }),
            }
        })
        .collect()
}

/// Reads the files of `dir`, and writes a prepared folder at `out`, whole or not at all.
///
/// `progress` hears how many videos of how many are done. Memory is that of one video, the labels and the folds.
///
/// # Errors
/// Where a file is missing, damaged or says what cannot be; where `out` holds something else; where a split comes
/// out empty.
pub fn prepare(
    config: &DataConfig,
    dir: &Path,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Manifest, DataError> {
    let inputs = inputs(config, dir)?;
    place::require_ours(out, &[MANIFEST_FILE, FRAMES_FILE, SEGMENTS_FILE])?;
    let of = |key: &'static str| inputs.iter().filter(move |(k, ..)| *k == key).map(|(.., path)| path.as_path());
    let labels = read_labels(of("labels"))?;
    let features = Csd::open(of("features").next().unwrap_or(dir))?;
    let assignment = Assignment::new(config, of("folds").next(), &labels, &features)?;
    let hashed = inputs.iter().map(|(key, name, path)| hash_input(key, name, path)).collect::<Result<Vec<_>, _>>()?;

    let staged = StagedDir::create(out)?;
    let mut pass = Pass::new(config, &features, staged.path())?;
    for (done, (id, video)) in labels.videos.iter().enumerate() {
        pass.video(&features, &labels, id, video)?;
        progress(done + 1, labels.videos.len());
    }
    let videos: Vec<String> = labels.videos.keys().cloned().collect();
    let (segments, moments, dropped, mut counts) = (pass.segments, pass.moments, pass.dropped, pass.counts);
    pass.frames.finish()?;
    segments.write(&staged.path().join(SEGMENTS_FILE), labels.emotions.len())?;
    count_the_rest(&mut counts, &labels, &features);

    let columns = feature_columns(&features);
    let usable: Vec<bool> = moments.iter().map(|m| m.frames > 0).collect();
    let corpus = Corpus { origin: assignment.origin(), columns: &columns, segments: &segments, moments, dropped };
    let mut folds = Vec::new();
    for (index, fold) in assignment.folds(&videos, &usable)?.into_iter().enumerate() {
        folds.push(corpus.fold_record(index, fold, config)?);
    }
    let manifest = Manifest {
        format: FORMAT,
        inputs: hashed,
        config: config.clone(),
        nonfinite: by_column(&columns, &pass.nonfinite),
        columns,
        emotions: labels.emotions.clone(),
        has_sentiment: labels.has_sentiment,
        videos,
        frame_rate_hz: rate_hz(pass.frame_s),
        counts,
        fold_source: assignment.source(),
        folds,
    };
    let path = staged.path().join(MANIFEST_FILE);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|source| DataError::Json {
        path: path.clone(),
        expected: "a manifest that can be written as JSON",
        source,
    })?;
    write_atomic(&path, &json)?;
    staged.commit()?;
    Ok(manifest)
}

fn read_labels<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<LabelSet, DataError> {
    let labels = LabelSet::read(&paths.map(Csd::open).collect::<Result<Vec<_>, _>>()?)?;
    if labels.emotions.is_empty() {
        return Err(DataError::structure(labels.path(), "/", "at least one emotion column", "sentiment alone"));
    }
    labels.check()?;
    Ok(labels)
}

fn hash_input(key: &str, name: &str, path: &Path) -> Result<InputFile, DataError> {
    let bytes = std::fs::metadata(path).map_err(DataError::io("read", path))?.len();
    Ok(InputFile { key: key.to_string(), name: name.to_string(), bytes, blake3: hash_file(path)? })
}

fn by_column(columns: &[String], counts: &[u64]) -> BTreeMap<String, u64> {
    columns.iter().cloned().zip(counts.iter().copied()).filter(|&(_, n)| n > 0).collect()
}

fn count_the_rest(counts: &mut Counts, labels: &LabelSet, features: &Csd) {
    let unlabelled = features.videos().iter().filter(|v| !labels.videos.contains_key(&v.id));
    counts.videos.labelled = labels.videos.len();
    counts.segments.labelled = labels.segments();
    counts.frames.in_file = features.rows() as u64;
    for video in unlabelled {
        counts.videos.without_labels += 1;
        counts.frames.in_videos_without_labels += video.rows as u64;
    }
}

/// The pass over the videos: what it writes and what it counts.
struct Pass<'a> {
    config: &'a DataConfig,
    frames: FramesWriter,
    segments: Segments,
    /// Of the stored frames of each labelled video.
    moments: Vec<Moments>,
    /// Why a segment has no frame; `None` where it has some `[S]`.
    dropped: Vec<Option<Dropped>>,
    counts: Counts,
    /// By column, over the frames of labelled videos.
    nonfinite: Vec<u64>,
    /// Median frame length of each video, seconds.
    frame_s: Vec<f64>,
    pooled: Vec<f32>,
}

impl<'a> Pass<'a> {
    fn new(config: &'a DataConfig, features: &Csd, folder: &Path) -> Result<Self, DataError> {
        Ok(Pass {
            config,
            frames: FramesWriter::create(&folder.join(FRAMES_FILE), features.width())?,
            segments: Segments { offsets: vec![0], ..Segments::default() },
            moments: Vec::new(),
            dropped: Vec::new(),
            counts: Counts::default(),
            nonfinite: vec![0; features.width()],
            frame_s: Vec::new(),
            pooled: Vec::new(),
        })
    }

    fn video(
        &mut self,
        features: &Csd,
        labels: &LabelSet,
        id: &str,
        video: &crate::VideoLabels,
    ) -> Result<(), DataError> {
        let width = features.width();
        let index = self.moments.len() as i32;
        let mut moments = Moments::new(width);
        let sequence = features.find(id).map(|_| features.read(id)).transpose()?;
        let timeline = sequence.as_ref().map(|s| Timeline::new(&s.intervals));
        let mut in_segment = vec![false; sequence.as_ref().map_or(0, |s| s.intervals.len())];
        if sequence.is_none() {
            self.counts.videos.without_features += 1;
        }
        for (row, &interval) in video.intervals.iter().enumerate() {
            if let (Some(sequence), Some(timeline)) = (&sequence, &timeline) {
                match timeline.frames_of(interval) {
                    Ok(rows) => {
                        rows.iter().for_each(|&r| in_segment[r] = true);
                        self.counts.segments.cut_by_the_end += usize::from(interval[1] > timeline.end_s() + EPSILON_S);
                        self.counts.segments.negative_start += usize::from(interval[0] < 0.0);
                        self.keep(rows.iter().map(|&r| sequence.row(r)), rows.len(), width, &mut moments)?;
                        self.dropped.push(None);
                    }
                    Err(why) => self.drop(why),
                }
            } else {
                self.drop(Dropped::NoFeatures);
            }
            self.segments.offsets.push(self.frames.frames() as i64);
            self.segments.intervals.push(interval);
            self.segments.video.push(index);
            self.segments.segment.push(row as i32);
        }
        self.segments.intensities.extend(&video.intensities);
        if labels.has_sentiment {
            self.segments.sentiment.extend(&video.sentiment);
        }
        if let Some(sequence) = &sequence {
            for row in sequence.features.chunks_exact(width) {
                self.nonfinite.iter_mut().zip(row).for_each(|(n, x)| *n += u64::from(!x.is_finite()));
            }
        }
        self.frame_s.extend(timeline.and_then(|t| t.frame_s()));
        self.counts.frames.outside_segments += in_segment.iter().filter(|&&inside| !inside).count() as u64;
        self.moments.push(moments);
        Ok(())
    }

    /// Pools, crops and stores the frames of one segment.
    fn keep<'s>(
        &mut self,
        rows: impl Iterator<Item = &'s [f32]>,
        frames: usize,
        width: usize,
        moments: &mut Moments,
    ) -> Result<(), DataError> {
        self.pooled.clear();
        pool::pool(rows, self.config.pool_frames, &mut self.pooled);
        let pooled = self.pooled.len() / width;
        let kept = pool::kept(pooled, self.config.max_frames, self.config.crop);
        let stored = &self.pooled[kept.start * width..kept.end * width];
        moments.add(stored);
        self.frames.append(stored)?;
        let counts = &mut self.counts;
        counts.segments.kept += 1;
        counts.segments.cropped += usize::from(kept.len() < pooled);
        counts.frames.in_segments += frames as u64;
        counts.frames.pooled += pooled as u64;
        counts.frames.cropped += (pooled - kept.len()) as u64;
        counts.frames.stored += kept.len() as u64;
        Ok(())
    }

    fn drop(&mut self, why: Dropped) {
        let counts = &mut self.counts.segments;
        match why {
            Dropped::TooShort => counts.too_short += 1,
            Dropped::PastTheEnd => counts.past_the_end += 1,
            Dropped::NoFrame => counts.no_frame += 1,
            Dropped::NoFeatures => counts.video_without_features += 1,
        }
        self.dropped.push(Some(why));
    }
}
