//! A study that is run to its end.

use study_tests::{Bench, program};
use sweep::Plan;

/// Plans the study of a bench and runs all of it in the folder `run`.
pub fn sweep_all(bench: &Bench) {
    let plan: Plan = serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let outcome = sweep::run(&plan, &bench.path("run"), program(), 2, &mut |_| ()).unwrap();
    assert!(
        outcome.failed.is_empty() && outcome.blocked.is_empty(),
        "{:?}",
        outcome.failed
    );
}
