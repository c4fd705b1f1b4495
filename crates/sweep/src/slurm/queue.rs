//! Queries of Slurm: `scontrol`, `squeue`, `sacct`.

use super::records::JobsRecord;
use crate::SweepError;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// Final states of a task. In every other state, known or unknown, a task counts as active.
const ENDED: [&str; 10] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
];

/// Whether a task in this state may have left a record that a network file system does not show
/// yet; otherwise it was killed or cancelled.
pub(crate) fn ended_by_itself(state: Option<&str>) -> bool {
    matches!(state, None | Some("COMPLETED" | "FAILED"))
}

/// The state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// In the queue, for this reason.
    Queued(String),
    /// Running on this node.
    Running(String),
    /// Ended in this state; `None` if Slurm no longer lists it.
    Ended(Option<String>),
}

impl TaskState {
    pub fn is_active(&self) -> bool {
        !matches!(self, TaskState::Ended(_))
    }
}

/// The states of the tasks of all jobs of a user, by job and task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueueSnapshot {
    tasks: BTreeMap<(String, u32), TaskState>,
}

impl QueueSnapshot {
    pub fn task_state(&self, job: &str, task: u32) -> TaskState {
        self.tasks
            .get(&(job.to_string(), task))
            .cloned()
            .unwrap_or(TaskState::Ended(None))
    }

    /// Jobs of the record that have an active task.
    pub fn active_jobs(&self, record: &JobsRecord) -> Vec<String> {
        let is_active = |id: &String| {
            self.tasks
                .iter()
                .any(|((job, _), state)| job == id && state.is_active())
        };
        record.ids().into_iter().filter(is_active).collect()
    }

    /// Parses the output of `squeue`, one task per line as `JOB|TASK|STATE|NODE|REASON`.
    fn parse(text: &str) -> Self {
        let mut tasks = BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.splitn(5, '|').map(str::trim).collect();
            let [job, task, state, node, reason] = fields[..] else {
                continue;
            };
            let task_state = match state {
                _ if ENDED.contains(&state) => TaskState::Ended(Some(state.to_string())),
                "PENDING" => TaskState::Queued(reason.to_string()),
                "RUNNING" | "COMPLETING" => TaskState::Running(node.to_string()),
                other => TaskState::Queued(other.to_string()),
            };
            if let Ok(task) = task.parse() {
                tasks.insert((job.to_string(), task), task_state);
            }
        }
        QueueSnapshot { tasks }
    }
}

impl JobsRecord {
    /// Numbers of the jobs with this name that Slurm lists, active or ended.
    pub fn jobs_named(&self, name: &str) -> Result<Vec<String>, SweepError> {
        self.check_cluster()?;
        let (user, name_flag) = (format!("--user={}", self.user), format!("--name={name}"));
        let format = "--format=%F|%j";
        let text = call(
            "squeue",
            [
                "--noheader",
                "--all",
                "--states=all",
                &user,
                &name_flag,
                format,
            ],
        )?;
        Ok(parse_job_names(&text, name))
    }

    fn check_cluster(&self) -> Result<(), SweepError> {
        let here = cluster()?.name;
        if here != self.cluster {
            return Err(SweepError::OtherCluster {
                here,
                there: self.cluster.clone(),
            });
        }
        Ok(())
    }

    /// Queries the states of the user's tasks.
    pub fn query_queue(&self) -> Result<QueueSnapshot, SweepError> {
        self.check_cluster()?;
        // All jobs of the user: `squeue` fails for a job that it no longer lists.
        let user = format!("--user={}", self.user);
        let format = "--format=%F|%K|%T|%N|%r";
        Ok(QueueSnapshot::parse(&call(
            "squeue",
            [
                "--noheader",
                "--array",
                "--all",
                "--states=all",
                &user,
                format,
            ],
        )?))
    }

    /// Final states of tasks that `squeue` no longer lists, if the cluster has accounting.
    pub fn query_accounting(&self) -> BTreeMap<(String, u32), String> {
        let jobs = format!("--jobs={}", self.ids().join(","));
        let text = call(
            "sacct",
            [
                "--allocations",
                "--noheader",
                "--parsable2",
                &jobs,
                "--format=JobID,State",
            ],
        );
        parse_sacct(&text.unwrap_or_default())
    }
}

/// The distinct numbers of the jobs named `name` in the output of `squeue`, one job per line as
/// `JOB|NAME`. Other lines are ignored.
fn parse_job_names(text: &str, name: &str) -> Vec<String> {
    let mut jobs: Vec<String> = Vec::new();
    for (job, job_name) in text.lines().filter_map(|line| line.trim().split_once('|')) {
        if job_name == name
            && job_number(job) == Some(job)
            && !jobs.iter().any(|known| known == job)
        {
            jobs.push(job.to_string());
        }
    }
    jobs
}

/// The job number in the output of `sbatch --parsable`, which is `NUMBER` or `NUMBER;CLUSTER`. It
/// is taken from the last line of that form, because the `sbatch` of some clusters prints a
/// greeting first.
pub(crate) fn job_number(output: &str) -> Option<&str> {
    output.lines().rev().find_map(|line| {
        let (number, cluster) = line.trim().split_once(';').unwrap_or((line.trim(), ""));
        let is_number = !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && !number.starts_with('0');
        (is_number && !cluster.contains(char::is_whitespace)).then_some(number)
    })
}

/// Parses the output of `sacct`, one task per line as `JOB_TASK|STATE` or `JOB_TASK|CANCELLED by
/// UID`.
fn parse_sacct(text: &str) -> BTreeMap<(String, u32), String> {
    let states = text.lines().filter_map(|line| {
        let (id, state) = line.split_once('|')?;
        let (job, task) = id.split_once('_')?;
        let state = state
            .split_whitespace()
            .next()
            .filter(|state| ENDED.contains(state))?;
        Some(((job.to_string(), task.parse().ok()?), state.to_string()))
    });
    states.collect()
}

/// The configuration of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub name: String,
    /// The most tasks that an array may have.
    pub max_array_size: usize,
}

/// Queries the cluster that this machine belongs to.
pub(crate) fn cluster() -> Result<Cluster, SweepError> {
    let text = call("scontrol", ["show", "config"])?;
    let value = |key: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs
            .find(|(k, _)| k.trim() == key)
            .map(|(_, v)| v.trim().to_string())
    };
    // Without a setting, Slurm's own default.
    let max_array_size = value("MaxArraySize")
        .and_then(|v| v.parse().ok())
        .unwrap_or(1001);
    Ok(Cluster {
        name: value("ClusterName").unwrap_or_default(),
        max_array_size,
    })
}

/// Whether jobs can be submitted from this machine.
///
/// # Errors
/// Missing Slurm commands; a controller that does not answer.
pub fn available() -> Result<(), SweepError> {
    call("sbatch", ["--version"])?;
    cluster().map(|_| ())
}

/// Runs one of Slurm's commands and returns its output.
pub(crate) fn call<A: AsRef<OsStr>>(
    tool: &'static str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String, SweepError> {
    let output = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| match source.kind() {
            ErrorKind::NotFound => SweepError::NoSlurm { tool },
            _ => SweepError::Slurm {
                tool,
                message: source.to_string(),
            },
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_string();
    let message = if message.is_empty() {
        output.status.to_string()
    } else {
        message
    };
    Err(SweepError::Slurm { tool, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeue_output_is_parsed_and_unknown_states_are_active() {
        let text = "5|0|PENDING||Dependency\n5|1|RUNNING|n1|None\n6|0|TIMEOUT|n2|TimeLimit\n6|1|REQUEUE_HOLD||held\n\
                    7|N/A|RUNNING|n1|None\nnoise\n8|0|COMPLETING|n3|None\n";
        let queue = QueueSnapshot::parse(text);
        assert_eq!(
            queue.task_state("5", 0),
            TaskState::Queued("Dependency".into())
        );
        assert_eq!(queue.task_state("5", 1), TaskState::Running("n1".into()));
        assert_eq!(
            queue.task_state("6", 0),
            TaskState::Ended(Some("TIMEOUT".into()))
        );
        assert_eq!(
            queue.task_state("6", 1),
            TaskState::Queued("REQUEUE_HOLD".into())
        );
        assert_eq!(queue.task_state("9", 0), TaskState::Ended(None));
        let job = |id: &str| super::super::records::JobRecord {
            id: id.into(),
            kind: String::new(),
            tasks: vec![],
        };
        let jobs = ["5", "6", "8", "9"].map(job).to_vec();
        let record = JobsRecord {
            cluster: String::new(),
            user: 0,
            submitted_unix_s: 0.0,
            jobs,
            pending: None,
        };
        assert_eq!(queue.active_jobs(&record), ["5", "6", "8"]);
    }

    #[test]
    fn the_last_line_that_is_a_number_is_the_job() {
        let cases = [
            ("17\n", Some("17")),
            ("17;alpha\n", Some("17")),
            (
                "------\n  Welcome to the Example Machine\n--> allocation ... OK\n101\n",
                Some("101"),
            ),
            ("101\n  goodbye\n\n", Some("101")),
            ("hours left:\n2000\n 101;alpha \r\n", Some("101")),
            ("Submitted batch job 17\n", None),
            ("17;two words\n", None),
            ("0\n", None),
            ("-5\n;\n", None),
            ("", None),
        ];
        for (output, number) in cases {
            assert_eq!(job_number(output), number, "{output:?}");
        }
    }

    #[test]
    fn jobs_are_found_by_their_whole_name() {
        let text = "7|a.cell.0-1\n7|a.cell.0-1\n8|a.cell.0-11\n9|0|PENDING||Priority\n x|a.cell.0-1\n12|a.cell.0-1\n";
        assert_eq!(parse_job_names(text, "a.cell.0-1"), ["7", "12"]);
    }

    #[test]
    fn sacct_output_holds_final_states() {
        let text =
            "5_0|COMPLETED\n5_1|CANCELLED by 1000\n5_[2-4]|PENDING\n5_7|OUT_OF_MEMORY\n6|FAILED\n";
        let accounts = parse_sacct(text);
        assert_eq!(accounts.len(), 3);
        assert_eq!(accounts[&("5".to_string(), 1)], "CANCELLED");
        assert_eq!(accounts[&("5".to_string(), 7)], "OUT_OF_MEMORY");
    }
}
