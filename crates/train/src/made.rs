//! Where this process works, and on which machines its outcome was made.
//!
//! What lives here: asking libtorch and OpenMP, and keeping the answers until the engine is told. What does not: what the engine
//! does with them (`sweep`), and whether a study mixes machines ([`crate::audit()`]).

use crate::{Study, TrainError};
use run_record::{Made, MadeByTorch, processor_model};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use torch_ext::{GivenThreads, Processor};

/// In the first line that a process writes into a training's journal: where it works.
pub(crate) const MADE: &str = "made";

/// Variables by which OpenMP gives fewer threads than are asked for.
const LIMITS: [&str; 3] = ["OMP_THREAD_LIMIT", "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS"];

/// This process, where it computes with libtorch, and the machines whose work it went on with.
#[derive(Default)]
struct Known {
    own: Option<Made>,
    all: Vec<Made>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { own: None, all: Vec::new() });

fn known<T>(use_it: impl FnOnce(&mut Known) -> T) -> T {
    // What is in there is whole at any moment.
    use_it(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sets libtorch's threads to the study's, and notes where this process works. Call it before anything else asks libtorch.
///
/// # Errors
/// Where OpenMP gives fewer threads than the study asks for: other numbers of threads give other last bits.
pub fn work_as(study: &Study) -> Result<(), TrainError> {
    tch::set_num_interop_threads(1);
    let given = torch_ext::set_threads(study.threads);
    if let Some(given) = given {
        check_threads(study.threads, given, |name| std::env::var(name).ok())?;
    }
    let precision = serde_json::to_value(study.encoder.precision).ok();
    let torch = MadeByTorch {
        version: torch_ext::version(),
        device: study.device.clone(),
        kernels: Processor::best().name().into(),
        aten: torch_ext::cpu_capability()?,
        precision: precision.and_then(|p| p.as_str().map(String::from)).unwrap_or_default(),
    };
    let own = Made { processor: processor_model(), threads: torch_ext::kernel_threads(), torch: Some(torch) };
    known(|k| {
        k.own = Some(own.clone());
        k.all = vec![own];
    });
    Ok(())
}

fn check_threads(
    wanted: usize,
    given: GivenThreads,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), TrainError> {
    // One thread is one thread.
    if wanted == 1 || (given.given >= wanted && !given.vary) {
        return Ok(());
    }
    let set: Vec<String> = LIMITS.iter().filter_map(|name| Some(format!("{name}={}", variable(name)?))).collect();
    let by = match &set[..] {
        [] => "no variable that begins with OMP_ says why".to_string(),
        set => format!("by {}", set.join(" and ")),
    };
    let found = match given.vary {
        true => format!("an OpenMP that may give fewer whenever the machine is busy, {by}"),
        false => format!("{}, {by}", given.given),
    };
    Err(TrainError::Threads { wanted, found })
}

/// Where this process works, where it computes with libtorch.
pub(crate) fn own() -> Option<Made> {
    known(|k| k.own.clone())
}

/// Notes that this process goes on with what was made elsewhere: lines of a training's journal say where.
pub(crate) fn went_on_with<'a>(lines: impl Iterator<Item = &'a Value>) {
    let found: Vec<Made> = lines.filter_map(|line| serde_json::from_value(line.get(MADE)?.clone()).ok()).collect();
    known(|k| {
        for made in found {
            if !k.all.contains(&made) {
                k.all.push(made);
            }
        }
    });
}

/// Tells the engine that started this process, where one did, on which machines its outcome was made.
///
/// # Errors
/// Where that cannot be written.
pub fn hand_over() -> Result<(), TrainError> {
    let mut all = known(|k| k.all.clone());
    if all.is_empty() {
        all.push(Made::here());
    }
    Ok(Made::hand_over(&all)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_threads_than_asked_for_are_refused_by_the_variable() {
        let limit = |name: &str| (name == "OMP_THREAD_LIMIT").then(|| "1".to_string());
        let dynamic = |name: &str| (name == "OMP_DYNAMIC").then(|| "true".to_string());
        let refused = |given, variable: &dyn Fn(&str) -> Option<String>| {
            check_threads(2, given, variable).unwrap_err().to_string()
        };
        let start = "key 'threads': expected 2 threads, found ";
        let end = "; unset it, or set 'threads' to what there is: other numbers of threads give other last bits";
        let one = GivenThreads { given: 1, vary: false };
        assert_eq!(refused(one, &limit), format!("{start}1, by OMP_THREAD_LIMIT=1{end}"));
        assert_eq!(refused(one, &|_| None), format!("{start}1, no variable that begins with OMP_ says why{end}"));
        let varying = GivenThreads { given: 2, vary: true };
        let words = "an OpenMP that may give fewer whenever the machine is busy, by OMP_DYNAMIC=true";
        assert_eq!(refused(varying, &dynamic), format!("{start}{words}{end}"));
        for (wanted, given) in [(1, varying), (2, GivenThreads { given: 2, vary: false })] {
            check_threads(wanted, given, dynamic).unwrap();
        }
    }
}
