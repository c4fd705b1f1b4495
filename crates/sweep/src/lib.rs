//! Runs a plan over local processes, or over a cluster's: a graph of commands, each with a content key, done once and not
//! again.
//!
//! What lives here: the plan and its check, the engine with its locks, the engine over Slurm ([`slurm`]), the marks of a step
//! on disk, and the ways to look at them (`explain` before a sweep, `status` during and after, `cost` for other machines).
//! What does not: what any command means; this crate knows no emotions, models or data.
//!
//! A run folder holds, of this crate's making:
//!
//! | file | content |
//! |---|---|
//! | `plan.json` | the plan of the last sweep |
//! | `sweep.json` | its process, jobs, begin and end |
//! | `sweep.lock` | locked while a sweep runs |
//! | `steps/ID/step.json` | the step is done, for this key |
//! | `steps/ID/log.txt` | what the last attempt printed |
//! | `steps/ID/error.txt` | why the last attempt failed |
//! | `steps/ID/running.json` | locked by the step's process while it lives |
//! | `slurm/` | the jobs of the last sweep, where it was one of a cluster |
//!
//! ```
//! use std::path::Path;
//! use sweep::{Plan, Step, run};
//!
//! let folder = tempfile::tempdir()?;
//! let step = |id: &str, needs: &[&str]| Step {
//!     id: id.into(),
//!     key: format!("all that {id} depends on, hashed"),
//!     command: vec!["-c".into(), format!("echo {id} > {}/{id}.txt", folder.path().display())],
//!     outputs: vec![format!("{id}.txt")],
//!     needs: needs.iter().map(|need| need.to_string()).collect(),
//!     ..Step::default()
//! };
//! let plan = Plan { name: "two".into(), threads: 1, steps: vec![step("a", &[]), step("b", &["a"])], ..Plan::default() };
//! let sweep = || run(&plan, folder.path(), Path::new("/bin/sh"), 2, &mut |_event| ());
//! assert_eq!(sweep()?.done, ["a", "b"]);
//! assert_eq!(sweep()?.skipped, ["a", "b"]); // done before, for the same keys
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
pub use slurm::{Slurm, SlurmSettingError};
pub use status::{Failure, KindCounts, Running, SlurmStatus, Status, status};
