//! Rules of what pre-training saw, and of where its encoders went.

use super::Verdict;
use super::evidence::{Cell, Evidence};
use crate::StudyError;
use crate::run_folder::names;
use crate::step::{Pretraining, StudyStep};
use mosei_data::align::EPSILON_S;
use mosei_schema::{PretrainKind, SegmentId, Split};
use run_record::Table;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The row of speech outside all labelled segments of a video.
const OUTSIDE: i32 = -1;

/// Which pre-training, as a row of its table names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    fold: i64,
    seed: i64,
    kind: String,
}

impl Identity {
    fn of(Pretraining { fold, seed, kind }: Pretraining) -> Self {
        Identity {
            fold: fold as i64,
            seed: i64::from(seed),
            kind: kind.to_string(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "fold {}, seed {}, kind {}",
            self.fold, self.seed, self.kind
        )
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

pub(super) fn on_training_alone(e: &Evidence) -> Result<Verdict, StudyError> {
    let (mut all, mut encoders, mut ablations) = (Seen::default(), 0, 0);
    for (step, pretraining) in e.finished_pretrainings()? {
        let own = Identity::of(pretraining);
        let seen = check(e, &e.run.seen(step), std::slice::from_ref(&own))?;
        all.problems.extend(
            seen.problems
                .into_iter()
                .map(|p| format!("{}: {p}", step.id)),
        );
        all.rows += seen.rows;
        all.stretches += seen.stretches;
        all.judged += seen.judged;
        encoders += 1;
        ablations += usize::from(own.kind == PretrainKind::Transductive.name());
    }
    let together = e.run.pretraining();
    if together.exists() {
        let planned: Vec<Identity> = e
            .pretrainings()?
            .into_iter()
            .map(|(_, p)| Identity::of(p))
            .collect();
        let problems = check(e, &together, &planned)?.problems;
        all.problems.extend(
            problems
                .into_iter()
                .map(|p| format!("{}: {p}", names::PRETRAINING)),
        );
    }
    if encoders == 0 && all.problems.is_empty() {
        return Ok(Verdict::not_checked("no pre-training is finished"));
    }
    let mut checked = format!(
        "{} segments seen by {encoders} encoders",
        all.rows - all.stretches
    );
    if all.stretches > 0 {
        checked += &format!(", and {} stretches outside segments", all.stretches);
    }
    if ablations > 0 {
        checked += &format!(
            "; by the transductive ablation alone, {} segments and stretches of validation and test videos (encoders: {ablations})",
            all.judged
        );
    }
    Ok(Verdict::of(&all.problems, checked))
}

/// Checks a table of what was seen, whose rows must be of one of the `planned` pre-trainings.
fn check(e: &Evidence, path: &Path, planned: &[Identity]) -> Result<Seen, StudyError> {
    let table = Table::read(path)?;
    let (folds, seeds) = (table.i32(path, "fold")?, table.i32(path, "seed")?);
    let (videos, segments) = (table.text(path, "video")?, table.i32(path, "segment")?);
    let kinds = table.text(path, "kind")?;
    let mut seen = Seen {
        rows: table.rows(),
        ..Seen::default()
    };
    let mut of_video: BTreeMap<(Identity, &str), usize> = BTreeMap::new();
    for row in 0..table.rows() {
        let id = SegmentId {
            video: videos[row].clone(),
            segment: segments[row],
        };
        let own = Identity {
            fold: folds[row].into(),
            seed: seeds[row].into(),
            kind: kinds[row].clone(),
        };
        if !planned.contains(&own) {
            let expected = match planned {
                [one] => one.to_string(),
                _ => "a pre-training of the plan".into(),
            };
            seen.problems
                .push(format!("segment {id}: expected {expected}, found {own}"));
            continue;
        }
        match split_of(e, folds[row], &id) {
            Err(problem) => seen.problems.push(problem),
            Ok(Split::Train) => {}
            Ok(_) if own.kind == PretrainKind::Transductive.name() => seen.judged += 1,
            Ok(other) => {
                seen.problems.push(format!(
                    "segment {id} is in the {other} split of fold {}",
                    folds[row]
                ));
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
            seen.problems.push(format!(
                "{own}: stretches of video {video}: expected {expected}, found {found}"
            ));
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
    let k = e
        .fold(fold)
        .ok_or_else(|| format!("segment {id}: fold {fold} is none of the data's"))?;
    let unknown = || format!("segment {id} is not in the prepared data");
    let split = if id.segment == OUTSIDE {
        let manifest = e.manifest();
        match manifest.videos.iter().position(|v| *v == id.video) {
            Some(video) => manifest.folds[k].split[video],
            // Videos without labels are kept where the folds file lists them for training.
            None if manifest
                .unlabelled
                .as_ref()
                .is_some_and(|u| u.videos.contains(&id.video)) =>
            {
                Some(Split::Train)
            }
            None => return Err(unknown()),
        }
    } else {
        e.split(k, e.place(id).ok_or_else(unknown)?)
    };
    split.ok_or_else(|| format!("segment {id} is in no split of fold {k}"))
}

pub(super) fn stretches_outside_segments(e: &Evidence) -> Result<Verdict, StudyError> {
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
        if let Some(&segment) = segments
            .get(&id.video)
            .and_then(|of_video| of_video.iter().find(overlaps))
        {
            let with = e.prepared.id(segment);
            problems.push(format!(
                "stretch {id} ({start:.2} to {end:.2} s) overlaps labelled segment {with}"
            ));
        }
    }
    Ok(Verdict::of(
        &problems,
        format!("{} stretches", stretches.len()),
    ))
}

pub(super) fn of_its_kind(e: &Evidence, cell: &Cell<'_>) -> Result<Vec<String>, StudyError> {
    let start = cell.planned.start;
    let wanted = start.pretraining();
    let encoder = cell.planned.encoder.as_ref();
    let step = encoder.and_then(|id| e.plan.steps.iter().find(|step| step.id == *id));
    let found = match step.map(StudyStep::of).transpose()? {
        Some(StudyStep::Pretrain(pretraining)) => Some(pretraining.kind),
        _ => None,
    };
    if wanted == found {
        return Ok(Vec::new());
    }
    let text = |kind: Option<PretrainKind>| {
        kind.map_or("no pre-trained encoder".into(), |kind| {
            format!("an encoder of kind {kind}")
        })
    };
    Ok(vec![format!(
        "start {start}: expected {}, found {}",
        text(wanted),
        text(found)
    )])
}
