//! The machine of this process, and all machines on which its outcome was computed.
//!
//! What lives here: asking libtorch and OpenMP, and keeping the answers until the process hands
//! them over. What does not: what the engine does with them (`sweep`), and whether a study mixes
//! machines (the audit).

use crate::TrainError;
use crate::event::Event;
use backbone::Precision;
use run_record::{Made, MadeByTorch, processor_model};
use std::sync::{Mutex, PoisonError};
use torch_ext::{GivenThreads, Processor};

/// Variables by which OpenMP gives fewer threads than are asked for.
const LIMITS: [&str; 3] = ["OMP_THREAD_LIMIT", "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS"];

/// The machine of this process, where it computes with libtorch, and those whose work it continues.
#[derive(Default)]
struct Known {
    own: Option<Made>,
    all: Vec<Made>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    own: None,
    all: Vec::new(),
});

fn known<T>(use_it: impl FnOnce(&mut Known) -> T) -> T {
    // What is in there is whole at any moment.
    use_it(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sets libtorch's threads, and notes the machine of this process. Call it before anything else
/// asks libtorch.
///
/// # Errors
/// Where OpenMP gives fewer threads than are asked for: other numbers of threads give other last
/// bits.
pub fn configure_process(
    threads: usize,
    device: &str,
    precision: Precision,
) -> Result<(), TrainError> {
    tch::set_num_interop_threads(1);
    let given = torch_ext::set_threads(threads);
    if let Some(given) = given {
        check_threads(threads, given, |name| std::env::var(name).ok())?;
    }
    let precision = serde_json::to_value(precision).ok();
    let torch = MadeByTorch {
        version: torch_ext::version(),
        device: device.to_string(),
        kernels: Processor::best().name().into(),
        aten: torch_ext::cpu_capability()?,
        precision: precision
            .and_then(|p| p.as_str().map(String::from))
            .unwrap_or_default(),
    };
    let own = Made {
        processor: processor_model(),
        threads: torch_ext::kernel_threads(),
        torch: Some(torch),
    };
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
    let set: Vec<String> = LIMITS
        .iter()
        .filter_map(|name| Some(format!("{name}={}", variable(name)?)))
        .collect();
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

/// The machine of this process, where it computes with libtorch.
pub(crate) fn own() -> Option<Made> {
    known(|k| k.own.clone())
}

/// Notes that this process continues from what other processes computed, by the lines of a
/// training's journal.
pub(crate) fn continue_from<'a>(events: impl Iterator<Item = &'a Event>) {
    let made = |event: &Event| match event {
        Event::Start(process) | Event::Resume(process) => process.made.clone(),
        _ => None,
    };
    let found: Vec<Made> = events.filter_map(made).collect();
    known(|k| {
        for made in found {
            if !k.all.contains(&made) {
                k.all.push(made);
            }
        }
    });
}

/// Hands over to the engine that started this process, where one did, on which machines its outcome
/// was computed.
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
        let one = GivenThreads {
            given: 1,
            vary: false,
        };
        assert_eq!(
            refused(one, &limit),
            format!("{start}1, by OMP_THREAD_LIMIT=1{end}")
        );
        assert_eq!(
            refused(one, &|_| None),
            format!("{start}1, no variable that begins with OMP_ says why{end}")
        );
        let varying = GivenThreads {
            given: 2,
            vary: true,
        };
        let words =
            "an OpenMP that may give fewer whenever the machine is busy, by OMP_DYNAMIC=true";
        assert_eq!(refused(varying, &dynamic), format!("{start}{words}{end}"));
        for (wanted, given) in [
            (1, varying),
            (
                2,
                GivenThreads {
                    given: 2,
                    vary: false,
                },
            ),
        ] {
            check_threads(wanted, given, dynamic).unwrap();
        }
    }
}
