//! Rules of the means and standard deviations: computed again from the stored frames.

use super::Verdict;
use super::evidence::Evidence;
use crate::StudyError;
use crate::step::Pretraining;
use backbone::EncoderFolder;
use mosei_data::{Normaliser, StoredMoments};
use mosei_schema::Split;

/// The same frames in the same order give the same bits; another compiler may round otherwise.
const TOLERANCE: f64 = 1e-9;

pub(super) fn of_training_alone(e: &Evidence) -> Result<Verdict, StudyError> {
    let moments = StoredMoments::of(&e.prepared);
    let all = moments.fit(|_| true).normaliser;
    let (mut problems, mut least) = (Vec::new(), f64::INFINITY);
    for (k, fold) in e.manifest().folds.iter().enumerate() {
        let training = moments.fit(|video| fold.split[video] == Some(Split::Train));
        let (recorded, refit) = (&fold.normaliser, &training.normaliser);
        if training.frames != fold.training_frames {
            let (recorded, found) = (fold.training_frames, training.frames);
            problems.push(format!(
                "fold {k}: recorded {recorded} training frames, found {found}"
            ));
        }
        if let Some(column) = recorded
            .columns
            .iter()
            .find(|column| !refit.columns.contains(column))
        {
            problems.push(format!(
                "fold {k}: column {column} does not vary over the training frames"
            ));
        }
        if let Some((column, expected, found)) = difference(refit, recorded) {
            let all_say = match difference(&all, recorded) {
                None => ", which is that of all frames",
                Some(_) => "",
            };
            problems.push(format!(
                "fold {k}: column {column}: expected {} of the training frames, found {}{all_say}",
                say(expected),
                say(found)
            ));
        }
        least = least.min(shift(&all, recorded));
    }
    let checked = format!(
        "{} folds; with all frames some mean would be {least:.2} standard deviations off, or more",
        e.folds()
    );
    Ok(Verdict::of(&problems, checked))
}

pub(super) fn of_encoders(e: &Evidence) -> Result<Verdict, StudyError> {
    let (mut problems, mut checked) = (Vec::new(), 0);
    for (step, Pretraining { fold, .. }) in e.finished_pretrainings()? {
        if fold >= e.folds() {
            problems.push(format!("{}: is of no fold of the data", step.id));
            continue;
        }
        checked += 1;
        let n = EncoderFolder::read(&e.run.encoder(step))?.normalisation;
        let carried = Normaliser {
            columns: n.columns,
            mean: n.mean,
            std: n.std,
            clip: n.clip,
        };
        let recorded = &e.manifest().folds[fold].normaliser;
        if carried.columns != recorded.columns || carried.clip != recorded.clip {
            problems.push(format!(
                "{}: takes other columns, or cuts them elsewhere, than fold {fold}",
                step.id
            ));
        } else if let Some((column, expected, found)) = difference(recorded, &carried) {
            problems.push(format!(
                "{}: column {column}: expected {}, found {}",
                step.id,
                say(expected),
                say(found)
            ));
        }
    }
    if checked == 0 && problems.is_empty() {
        return Ok(Verdict::not_checked("no pre-training is finished"));
    }
    Ok(Verdict::of(&problems, format!("{checked} encoders")))
}

/// Mean and standard deviation.
type Pair = [f64; 2];

fn say([mean, std]: Pair) -> String {
    format!("mean {mean} and standard deviation {std}")
}

/// Mean and standard deviation of a column.
fn of(n: &Normaliser, column: &str) -> Option<Pair> {
    let i = n.columns.iter().position(|c| c == column)?;
    Some([*n.mean.get(i)?, *n.std.get(i)?])
}

/// The first column whose numbers differ, with those expected and those found.
fn difference(expected: &Normaliser, found: &Normaliser) -> Option<(String, Pair, Pair)> {
    expected.columns.iter().find_map(|column| {
        let wanted = of(expected, column)?;
        let got = of(found, column).unwrap_or([f64::NAN; 2]);
        let same = (0..2).all(|i| (wanted[i] - got[i]).abs() <= TOLERANCE * wanted[1].abs());
        (!same).then(|| (column.clone(), wanted, got))
    })
}

/// The largest distance between the means of a column, in its standard deviations.
fn shift(all: &Normaliser, training: &Normaliser) -> f64 {
    let columns = training.columns.iter();
    let distances = columns
        .filter_map(|c| Some((of(all, c)?[0] - of(training, c)?[0]).abs() / of(training, c)?[1]));
    distances.fold(0.0, f64::max)
}
