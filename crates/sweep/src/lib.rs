//! Runs a plan, a graph of commands with content keys, as local processes or as Slurm job arrays. A
//! step that is done for its current key is not run again.
//!
//! In this crate: the plan and its validation, the local engine with its locks, the Slurm engine
//! ([`slurm`]), the records of each step on disk, and queries of them ([`explain`] before a sweep,
//! [`status`] during and after it, [`cost`] for other machines). Not in this crate: the meaning of
//! any command; it knows no emotions, models or data.
//!
//! This crate writes these files into a run folder:
//!
//! | file | content |
//! |---|---|
//! | `plan.json` | the plan of the last sweep |
//! | `sweep.json` | its process, number of parallel jobs, start and end |
//! | `sweep.lock` | locked while a sweep runs |
//! | `steps/ID/step.json` | the step is done, for the key in it |
//! | `steps/ID/log.txt` | what the last attempt printed |
//! | `steps/ID/error.txt` | why the last attempt failed |
//! | `steps/ID/running.json` | locked by the step's process while it runs |
//! | `slurm/` | the jobs of the last sweep, if it ran on Slurm |
//!
//! ```
//! use std::path::Path;
//! use sweep::{Plan, Step, run};
//!
//! let folder = tempfile::tempdir()?;
//! let step = |id: &str, needs: &[&str]| Step {
//!     id: id.into(),
//!     key: format!("hash of everything that {id} depends on"),
//!     command: vec!["-c".into(), format!("echo {id} > {}/{id}.txt", folder.path().display())],
//!     outputs: vec![format!("{id}.txt")],
//!     needs: needs.iter().map(|need| need.to_string()).collect(),
//!     ..Step::default()
//! };
//! let plan = Plan { name: "two".into(), threads: 1, steps: vec![step("a", &[]), step("b", &["a"])], ..Plan::default() };
//! let sweep = || run(&plan, folder.path(), Path::new("/bin/sh"), 2, &mut |_event| ());
//! assert_eq!(sweep()?.done, ["a", "b"]);
//! assert_eq!(sweep()?.skipped, ["a", "b"]); // done already, for the same keys
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cost;
mod engine;
mod error;
mod explain;
mod forecast;
mod interrupt;
mod lock;
mod marks;
mod plan;
mod process;
mod schedule;
mod serve;
mod server;
pub mod slurm;
mod status;

pub use cost::{Cost, cost};
pub use engine::{Event, Outcome, run, run_until};
pub use error::{PlanError, SweepError};
pub use explain::{Explanation, Reason, explain};
pub use forecast::{Forecast, first_steps, forecast};
pub use interrupt::Interrupt;
pub use lock::check_free;
pub use plan::{Plan, Retries, Step};
pub use serve::{Served, serve};
pub use slurm::Slurm;
pub use status::{Failure, KindCounts, Running, SlurmStatus, Status, status};
