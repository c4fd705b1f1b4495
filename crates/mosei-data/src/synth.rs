//! A synthetic corpus: .csd files of CMU-MOSEI's schema, whose columns encode emotion in their
//! dynamics.
//!
//! What lives here: labels with MOSEI's statistics ([`script`]), features that follow them
//! ([`speech`]), and the files. What does not: reading them.
//!
//! Everything is a function of the seed, for any number of threads; a few videos are in memory at a
//! time.

mod config;
mod script;
mod speech;

pub use config::SynthConfig;

use crate::csd::{PackedVideo, SequenceInfo, sequence_metadata};
use crate::{CsdWriter, DataError, files, parallel};
use mosei_schema::{COVAREP_COLUMNS, Emotion, Split};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use run_record::seed::{Stream, rng, rng_named};
use run_record::{StagedDir, write_atomic};
use script::{Presence, Script};
use serde_json::Value;
use speech::Voice;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FEATURES_FILE: &str = "CMU_MOSEI_COVAREP.csd";
const LABELS_FILE: &str = "CMU_MOSEI_Labels.csd";
const FOLDS_FILE: &str = "folds.json";

/// Writes a corpus into `out`: features, labels and folds, all or none. `progress` is called with
/// the number of videos done and their total.
///
/// # Errors
/// Where a setting is invalid, `out` holds other files, or a file cannot be written.
pub fn synthesise(
    config: &SynthConfig,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), DataError> {
    synthesise_with(config, out, parallel::available_threads(), progress)
}

/// As [`synthesise`], with a given number of threads; the output does not depend on it.
///
/// # Errors
/// As those of [`synthesise`].
pub fn synthesise_with(
    config: &SynthConfig,
    out: &Path,
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), DataError> {
    config.check()?;
    files::require_replaceable(out, &[FEATURES_FILE, LABELS_FILE, FOLDS_FILE])?;
    let staged = StagedDir::create(out)?;
    let plan = Plan::new(config);
    let voice = Voice::new(config);
    let mut features = CsdWriter::create(
        &staged.path().join(FEATURES_FILE),
        "COVAREP",
        &info(config, "COVAREP", COVAREP_COLUMNS.into()),
        config.deflate,
    )?;
    let names = std::iter::once("sentiment")
        .chain(Emotion::ALL.iter().map(|e| e.name()))
        .collect();
    let mut labels = CsdWriter::create(
        &staged.path().join(LABELS_FILE),
        "All Labels",
        &info(config, "All Labels", names),
        config.deflate,
    )?;
    let speak = |i: usize| SpokenVideo::new(config, &voice, &plan.videos[i]);
    let mut done = 0;
    parallel::for_each_ordered(plan.videos.len(), threads, speak, |video| {
        let id = &plan.videos[done].id;
        if let Some(packed) = &video.labels {
            labels.write_packed(id, packed)?;
        }
        if let Some(packed) = &video.features {
            features.write_packed(id, packed)?;
        }
        done += 1;
        progress(done, plan.videos.len());
        Ok::<(), DataError>(())
    })?;
    features.finish()?;
    labels.finish()?;
    let path = staged.path().join(FOLDS_FILE);
    let text = serde_json::to_vec_pretty(&plan.folds).map_err(|source| DataError::Json {
        path: path.clone(),
        expected: "folds that can be written as JSON",
        source,
    })?;
    write_atomic(&path, &text)?;
    Ok(staged.commit_as_is()?)
}

/// A video of the corpus, compressed for the files that contain it.
struct SpokenVideo {
    labels: Option<PackedVideo>,
    features: Option<PackedVideo>,
}

impl SpokenVideo {
    fn new(config: &SynthConfig, voice: &Voice, video: &PlannedVideo) -> Self {
        let mut random = rng_named(config.seed, Stream::Synth, &video.id);
        let mut script = Script::draw(config, video.segments, &mut random);
        script.enforce(video.presence);
        // The lengths match by construction, so packing cannot fail.
        let pack = |width: usize, values: &[f32], intervals: &[[f64; 2]]| {
            PackedVideo::new(width, values, intervals, config.deflate).ok()
        };
        let labels = video.has_labels.then(|| script.label_rows());
        let features = video.has_features.then(|| {
            let mut frames = Vec::new();
            voice.speak(&script, &mut random, &mut frames);
            let hundredths = |k: usize| [k as f64 / 100.0, (k + 1) as f64 / 100.0];
            (
                frames,
                (0..script.frames).map(hundredths).collect::<Vec<_>>(),
            )
        });
        SpokenVideo {
            labels: labels
                .and_then(|(values, intervals)| pack(1 + Emotion::ALL.len(), &values, &intervals)),
            features: features
                .and_then(|(frames, intervals)| pack(COVAREP_COLUMNS.len(), &frames, &intervals)),
        }
    }
}

/// The videos, the files that contain them, and their splits.
struct Plan {
    videos: Vec<PlannedVideo>,
    folds: BTreeMap<Split, Vec<String>>,
}

struct PlannedVideo {
    id: String,
    segments: usize,
    has_labels: bool,
    has_features: bool,
    presence: [Presence; 6],
}

impl Plan {
    fn new(config: &SynthConfig) -> Self {
        let mut random = rng(config.seed, Stream::Synth, 0);
        let labelled = config.videos;
        let all = labelled + config.videos_without_labels;
        let ids = draw_ids(all, &mut random);
        // Each labelled video has one segment; the others are distributed by weight.
        let mut segments = vec![1; labelled];
        let mut cumulative = Vec::with_capacity(labelled);
        let mut total = 0.0;
        for _ in 0..labelled {
            total += f64::exp(
                config.segments_spread * random.sample::<f64, _>(rand_distr::StandardNormal),
            );
            cumulative.push(total);
        }
        for _ in labelled..config.segments {
            let at = random.random::<f64>() * total;
            segments[cumulative.partition_point(|&c| c <= at).min(labelled - 1)] += 1;
        }
        let mut order: Vec<usize> = (0..labelled).collect();
        order.shuffle(&mut random);
        let share = |of: f64| (of / 3293.0 * labelled as f64).round() as usize;
        let (valid, test, none) = (share(300.0).max(1), share(676.0).max(1), share(68.0));
        let mut folds: BTreeMap<Split, Vec<String>> =
            Split::ALL.into_iter().map(|s| (s, Vec::new())).collect();
        for (i, &video) in order.iter().enumerate() {
            let split = match i {
                i if i < valid => Split::Valid,
                i if i < valid + test => Split::Test,
                i if i < valid + test + none => continue,
                _ => Split::Train,
            };
            folds.entry(split).or_default().push(ids[video].clone());
        }
        // As in MOSEI, the test list also names videos without labels.
        folds
            .entry(Split::Test)
            .or_default()
            .extend(ids[labelled..].iter().cloned());
        // From the end of the order, so from the training split, the largest.
        let silent: BTreeSet<usize> = order
            .iter()
            .rev()
            .take(config.videos_without_features)
            .copied()
            .collect();
        let usable: Vec<usize> = (0..labelled).filter(|i| !silent.contains(i)).collect();
        let presence = presence(config, all, &usable);
        let videos = ids
            .into_iter()
            .zip(presence)
            .enumerate()
            .map(|(i, (id, presence))| PlannedVideo {
                id,
                presence,
                segments: segments.get(i).copied().unwrap_or(3),
                has_labels: i < labelled,
                has_features: !silent.contains(&i),
            });
        Plan {
            videos: videos.collect(),
            folds,
        }
    }
}

/// Which emotions each of `videos` has, where the configuration limits them to a few of the
/// `usable` ones.
///
/// Each emotion has its own random stream, so that nothing else changes.
fn presence(config: &SynthConfig, videos: usize, usable: &[usize]) -> Vec<[Presence; 6]> {
    let mut presence = vec![[Presence::Any; 6]; videos];
    for (&emotion, &n) in &config.videos_with {
        let mut random = rng_named(
            config.seed,
            Stream::Synth,
            &format!("videos with {}", emotion.name()),
        );
        let mut drawn = usable.to_vec();
        drawn.shuffle(&mut random);
        presence
            .iter_mut()
            .for_each(|video| video[emotion as usize] = Presence::Never);
        drawn
            .into_iter()
            .take(n)
            .for_each(|i| presence[i][emotion as usize] = Presence::Always);
    }
    presence
}

/// Ids like YouTube's and MOSEI's: eleven characters, some beginning with `-`, some all digits.
fn draw_ids(n: usize, random: &mut impl Rng) -> Vec<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut seen = BTreeSet::new();
    let mut ids = Vec::with_capacity(n);
    while ids.len() < n {
        // One of each kind among the first three, for small corpora.
        let id = match ids.len() {
            i if i == 1 || random.random_bool(459.0 / 3293.0) => {
                random.random_range(10_000..400_000u32).to_string()
            }
            i => {
                let mut id: String = (0..11)
                    .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
                    .collect();
                if i == 0 {
                    id.replace_range(0..1, "-");
                }
                id
            }
        };
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    ids
}

/// The metadata of a file of the corpus.
fn info(
    config: &SynthConfig,
    root: &'static str,
    columns: Vec<&str>,
) -> [(&'static str, Value); 13] {
    let uuid: String = format!(
        "{:032x}",
        rng_named(config.seed, Stream::Synth, root).random::<u128>()
    );
    let uuid = [
        &uuid[..8],
        &uuid[8..12],
        &uuid[12..16],
        &uuid[16..20],
        &uuid[20..],
    ]
    .join("-");
    let (description, dataset) = ("synthetic, shaped like CMU-MOSEI", "CMU-MOSEI (synthetic)");
    sequence_metadata(SequenceInfo {
        description,
        dataset,
        root,
        columns,
        uuid: Some(uuid),
    })
}
