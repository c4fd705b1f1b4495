//! The rule of what pre-training saw.

use super::Verdict;
use super::evidence::{Evidence, option};
use crate::TrainError;
use crate::pretrain::SEEN_FILE;
use mosei_schema::{SegmentId, Split};
use run_record::Table;
use std::path::Path;

/// The row of speech outside all labelled segments of a video.
const OUTSIDE: i32 = -1;

pub(super) fn on_training_alone(e: &Evidence) -> Result<Verdict, TrainError> {
    let (mut problems, mut rows, mut encoders) = (Vec::new(), 0, 0);
    for step in e.finished_pretrainings() {
        let number = |name| option(step, name).and_then(|text| text.parse::<i32>().ok());
        let expected = number("--fold").zip(number("--seed"));
        let path = e.output(step, SEEN_FILE)?;
        let (count, found) = look(e, &path, expected)?;
        problems.extend(found.into_iter().map(|p| format!("{}: {p}", step.id)));
        (rows, encoders) = (rows + count, encoders + 1);
    }
    let together = e.run.join(SEEN_FILE);
    if together.exists() {
        problems.extend(look(e, &together, None)?.1.into_iter().map(|p| format!("{SEEN_FILE}: {p}")));
    }
    if encoders == 0 && problems.is_empty() {
        return Ok(Verdict::not_checked("no pre-training is finished"));
    }
    Ok(Verdict::of(&problems, format!("{rows} segments seen by {encoders} encoders")))
}

/// How many rows a table has, and what is wrong with them. `expected` is the fold and seed that all shall have.
fn look(e: &Evidence, path: &Path, expected: Option<(i32, i32)>) -> Result<(usize, Vec<String>), TrainError> {
    let table = Table::read(path)?;
    let (folds, seeds) = (table.i32(path, "fold")?, table.i32(path, "seed")?);
    let (videos, segments) = (table.text(path, "video")?, table.i32(path, "segment")?);
    let mut problems = Vec::new();
    for row in 0..table.rows() {
        let id = SegmentId { video: videos[row].clone(), segment: segments[row] };
        if let Some((fold, seed)) = expected.filter(|&own| own != (folds[row], seeds[row])) {
            let found = format!("found fold {}, seed {}", folds[row], seeds[row]);
            problems.push(format!("segment {id}: expected fold {fold}, seed {seed}, {found}"));
        } else if let Some(problem) = outside_of_training(e, folds[row], &id) {
            problems.push(problem);
        }
    }
    Ok((table.rows(), problems))
}

fn outside_of_training(e: &Evidence, fold: i32, id: &SegmentId) -> Option<String> {
    let Some(k) = e.fold(fold) else { return Some(format!("segment {id}: fold {fold} is none of the data's")) };
    let split = if id.segment == OUTSIDE {
        let manifest = e.manifest();
        let Some(video) = manifest.videos.iter().position(|v| *v == id.video) else {
            return Some(format!("segment {id} is not in the prepared data"));
        };
        manifest.folds[k].split[video]
    } else {
        let Some(i) = e.place(id) else { return Some(format!("segment {id} is not in the prepared data")) };
        e.split(k, i)
    };
    match split {
        Some(Split::Train) => None,
        Some(other) => Some(format!("segment {id} is in the {other} split of fold {k}")),
        None => Some(format!("segment {id} is in no split of fold {k}")),
    }
}
