use super::outcome::duration;
use anyhow::Result;
use std::path::PathBuf;
use sweep::Event;

/// Run the steps of one task of a job array; Slurm starts it on a node.
///
/// Exit code 3 where a step that must come before is not done.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// The list of the array's tasks, as a submission has written it.
    list: PathBuf,
    /// Which task.
    #[arg(long, env = "SLURM_ARRAY_TASK_ID")]
    task: usize,
}

pub(crate) fn run(a: &Arguments) -> Result<u8> {
    let outcome = sweep::slurm::run_task(&a.run, &a.list, a.task, &mut |event| match event {
        Event::OrphanEnded { id } => {
            say!("ended {id}, left running by an earlier start of this task")
        }
        Event::Skipped { step } => say!("{} was done before", step.id),
        Event::Started { step } => say!("running {}", step.id),
        Event::Done { step, seconds } => say!("done {} in {}", step.id, duration(seconds)),
        Event::Retrying { step, error, .. } => say!("again {}: {error}", step.id),
        Event::Failed { step, error } => say!("FAILED {}: {error}", step.id),
        Event::Blocked { by, steps } => {
            let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
            say!(
                "cannot run {}: {}, which must come before, is not done",
                ids.join(", "),
                by.id
            );
        }
        Event::Stopping => say!("asked to end: waiting for the step to end"),
        Event::Submitted { .. } | Event::FoundByName { .. } => {}
    })?;
    Ok(match &outcome {
        o if o.interrupted => 130,
        o if !o.failed.is_empty() => 1,
        o if !o.blocked.is_empty() => 3,
        _ => 0,
    })
}
