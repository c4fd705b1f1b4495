//! Rules of what pre-training saw, and of where its encoders went.

use super::Verdict;
use super::evidence::{Cell, Evidence, option};
use crate::pretrain::{SEEN_FILE, with_kind};
use crate::{PretrainKind, Start, TrainError};
use mosei_data::align::EPSILON_S;
use mosei_schema::{SegmentId, Split};
use run_record::Table;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use sweep::Step;

/// The row of speech outside all labelled segments of a video.
const OUTSIDE: i32 = -1;

/// Which pre-training, as its step's command or a row of its table says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    fold: String,
    seed: String,
    kind: String,
}

impl Identity {
    fn of(step: &Step) -> Self {
        let said = |name| option(step, name).unwrap_or_default().to_string();
        let kind = option(step, "--kind").unwrap_or(PretrainKind::Ordinary.name()).to_string();
        Identity { fold: said("--fold"), seed: said("--seed"), kind }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fold {}, seed {}, kind {}", self.fold, self.seed, self.kind)
    }
}

/// What was found in tables of what pre-training saw.
#[derive(Default)]
struct Seen {
    rows: usize,
    stretches: usize,
    /// Rows of validation and test videos, which a transductive pre-training alone may have.
    judged: usize,
    problems: Vec<String>,
}

pub(super) fn on_training_alone(e: &Evidence) -> Result<Verdict, TrainError> {
    let (mut all, mut encoders, mut ablations) = (Seen::default(), 0, 0);
    for step in e.finished_pretrainings() {
        let own = Identity::of(step);
        let seen = look(e, &e.output(step, SEEN_FILE)?, std::slice::from_ref(&own))?;
        all.problems.extend(seen.problems.into_iter().map(|p| format!("{}: {p}", step.id)));
        all.rows += seen.rows;
        all.stretches += seen.stretches;
        all.judged += seen.judged;
        encoders += 1;
        ablations += usize::from(own.kind == PretrainKind::Transductive.name());
    }
    let together = e.run.join(SEEN_FILE);
    if together.exists() {
        let planned: Vec<Identity> = e.pretrainings().map(Identity::of).collect();
        let problems = look(e, &together, &planned)?.problems;
        all.problems.extend(problems.into_iter().map(|p| format!("{SEEN_FILE}: {p}")));
    }
    if encoders == 0 && all.problems.is_empty() {
        return Ok(Verdict::not_checked("no pre-training is finished"));
    }
    let mut looked_at = format!("{} segments seen by {encoders} encoders", all.rows - all.stretches);
    if all.stretches > 0 {
        looked_at += &format!(", and {} stretches outside segments", all.stretches);
    }
    if ablations > 0 {
        looked_at += &format!(
            "; by the transductive ablation alone, {} segments and stretches of validation and test videos (encoders: {ablations})",
            all.judged
        );
    }
    Ok(Verdict::of(&all.problems, looked_at))
}

/// Looks at a table of what was seen, whose rows shall be of one of the `planned` pre-trainings.
fn look(e: &Evidence, path: &Path, planned: &[Identity]) -> Result<Seen, TrainError> {
    let table = with_kind(Table::read(path)?);
    let (folds, seeds) = (table.i32(path, "fold")?, table.i32(path, "seed")?);
    let (videos, segments) = (table.text(path, "video")?, table.i32(path, "segment")?);
    let kinds = table.text(path, "kind")?;
    let mut seen = Seen { rows: table.rows(), ..Seen::default() };
    let mut of_video: BTreeMap<(Identity, &str), usize> = BTreeMap::new();
    for row in 0..table.rows() {
        let id = SegmentId { video: videos[row].clone(), segment: segments[row] };
        let own = Identity { fold: folds[row].to_string(), seed: seeds[row].to_string(), kind: kinds[row].clone() };
        if !planned.contains(&own) {
            let expected = match planned {
                [one] => one.to_string(),
                _ => "a pre-training of the plan".into(),
            };
            seen.problems.push(format!("segment {id}: expected {expected}, found {own}"));
            continue;
        }
        match split_of(e, folds[row], &id) {
            Err(problem) => seen.problems.push(problem),
            Ok(Split::Train) => {}
            Ok(_) if own.kind == PretrainKind::Transductive.name() => seen.judged += 1,
            Ok(other) => {
                seen.problems.push(format!("segment {id} is in the {other} split of fold {}", folds[row]));
            }
        }
        if id.segment == OUTSIDE {
            seen.stretches += 1;
            *of_video.entry((own, &videos[row])).or_default() += 1;
        }
    }
    let stored = stretches_by_video(e);
    for ((own, video), found) in of_video {
        let most = stored.get(video).copied().unwrap_or(0);
        if found > most {
            let expected = format!("at most the {most} that are stored");
            seen.problems.push(format!("{own}: stretches of video {video}: expected {expected}, found {found}"));
        }
    }
    Ok(seen)
}

fn stretches_by_video(e: &Evidence) -> BTreeMap<String, usize> {
    let mut stored = BTreeMap::new();
    for i in e.prepared.stretches() {
        *stored.entry(e.prepared.id(i).video).or_default() += 1;
    }
    stored
}

/// The split of what was seen; or what is wrong with it.
fn split_of(e: &Evidence, fold: i32, id: &SegmentId) -> Result<Split, String> {
    let k = e.fold(fold).ok_or_else(|| format!("segment {id}: fold {fold} is none of the data's"))?;
    let unknown = || format!("segment {id} is not in the prepared data");
    let split = if id.segment == OUTSIDE {
        let manifest = e.manifest();
        match manifest.videos.iter().position(|v| *v == id.video) {
            Some(video) => manifest.folds[k].split[video],
            // Videos without labels are kept where the folds file lists them for training.
            None if manifest.unlabelled.as_ref().is_some_and(|u| u.videos.contains(&id.video)) => Some(Split::Train),
            None => return Err(unknown()),
        }
    } else {
        e.split(k, e.place(id).ok_or_else(unknown)?)
    };
    split.ok_or_else(|| format!("segment {id} is in no split of fold {k}"))
}

pub(super) fn stretches_outside_segments(e: &Evidence) -> Result<Verdict, TrainError> {
    let stretches = e.prepared.stretches();
    if stretches.is_empty() {
        return Ok(Verdict::not_checked("no speech outside segments is kept"));
    }
    // By name, as a list may hold a name twice.
    let mut segments: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for i in 0..e.prepared.len() {
        segments.entry(e.prepared.id(i).video).or_default().push(i);
    }
    let mut problems = Vec::new();
    for i in stretches.clone() {
        let [start, end] = e.prepared.interval(i);
        let id = e.prepared.id(i);
        let overlaps = |&&s: &&usize| {
            let [from, to] = e.prepared.interval(s);
            to - from >= EPSILON_S && to.min(end) - from.max(start) > EPSILON_S
        };
        if let Some(&segment) = segments.get(&id.video).and_then(|of_video| of_video.iter().find(overlaps)) {
            let with = e.prepared.id(segment);
            problems.push(format!("stretch {id} ({start:.2} to {end:.2} s) overlaps labelled segment {with}"));
        }
    }
    Ok(Verdict::of(&problems, format!("{} stretches", stretches.len())))
}

pub(super) fn of_its_kind(e: &Evidence, cell: &Cell<'_>) -> Result<Vec<String>, TrainError> {
    let start = &cell.predictions.id.start;
    let wanted = Start::from_name(start).and_then(Start::pretraining).map(PretrainKind::name);
    let encoder = option(cell.step, "--encoder").map(Path::new);
    let step = encoder.and_then(|path| e.pretrainings().find(|s| path.ends_with(format!("{}/encoder", s.id))));
    let found = step.map(|s| Identity::of(s).kind);
    if wanted == found.as_deref() {
        return Ok(Vec::new());
    }
    let say = |kind: Option<&str>| kind.map_or("no pre-trained encoder".into(), |k| format!("an encoder of kind {k}"));
    Ok(vec![format!("start {start}: expected {}, found {}", say(wanted), say(found.as_deref()))])
}
