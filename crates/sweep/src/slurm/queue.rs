//! What Slurm says of itself and of our jobs: `scontrol`, `squeue`, `sacct`.

use super::records::JobsRecord;
use crate::SweepError;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// States after which a task does nothing any more. Every other one, known or not, is one of a task that lives.
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

/// Whether a task in this state may have left a mark that a network's file system does not show yet; otherwise it was killed
/// or taken back.
pub(crate) fn ended_by_itself(state: Option<&str>) -> bool {
    matches!(state, None | Some("COMPLETED" | "FAILED"))
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It waits, for this reason.
    Queued(String),
    /// It runs on this node.
    Running(String),
    /// It ended in this state; none where Slurm remembers it no more.
    Ended(Option<String>),
}

impl Stand {
    pub fn is_live(&self) -> bool {
        !matches!(self, Stand::Ended(_))
    }
}

/// Where the tasks of all jobs of a user stand, by job and task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look {
    tasks: BTreeMap<(String, u32), Stand>,
}

impl Look {
    pub fn stand(&self, job: &str, task: u32) -> Stand {
        self.tasks.get(&(job.to_string(), task)).cloned().unwrap_or(Stand::Ended(None))
    }

    /// Jobs of the record of which some task lives.
    pub fn live_jobs(&self, record: &JobsRecord) -> Vec<String> {
        let lives = |id: &String| self.tasks.iter().any(|((job, _), stand)| job == id && stand.is_live());
        record.ids().into_iter().filter(lives).collect()
    }

    /// What `squeue` printed, a task a line as `JOB|TASK|STATE|NODE|REASON`.
    fn parse(text: &str) -> Self {
        let mut tasks = BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.splitn(5, '|').map(str::trim).collect();
            let [job, task, state, node, reason] = fields[..] else { continue };
            let stand = match state {
                _ if ENDED.contains(&state) => Stand::Ended(Some(state.to_string())),
                "PENDING" => Stand::Queued(reason.to_string()),
                "RUNNING" | "COMPLETING" => Stand::Running(node.to_string()),
                other => Stand::Queued(other.to_string()),
            };
            if let Ok(task) = task.parse() {
                tasks.insert((job.to_string(), task), stand);
            }
        }
        Look { tasks }
    }
}

impl JobsRecord {
    /// Numbers of the jobs of that name which Slurm remembers, ended or not.
    pub fn of_name(&self, name: &str) -> Result<Vec<String>, SweepError> {
        self.check_cluster()?;
        let (user, name_flag) = (format!("--user={}", self.user), format!("--name={name}"));
        let format = "--format=%F|%j";
        let text = call("squeue", ["--noheader", "--all", "--states=all", &user, &name_flag, format])?;
        Ok(parse_names(&text, name))
    }

    fn check_cluster(&self) -> Result<(), SweepError> {
        let here = cluster()?.name;
        if here != self.cluster {
            return Err(SweepError::OtherCluster { here, there: self.cluster.clone() });
        }
        Ok(())
    }

    /// Asks Slurm where the jobs stand.
    pub fn look(&self) -> Result<Look, SweepError> {
        self.check_cluster()?;
        // All of the user's, as it is an error to ask for a job that Slurm remembers no more.
        let user = format!("--user={}", self.user);
        let format = "--format=%F|%K|%T|%N|%r";
        Ok(Look::parse(&call("squeue", ["--noheader", "--array", "--all", "--states=all", &user, format])?))
    }

    /// The states in which tasks ended that `squeue` remembers no more, where the cluster keeps accounts.
    pub fn accounted(&self) -> BTreeMap<(String, u32), String> {
        let jobs = format!("--jobs={}", self.ids().join(","));
        let text = call("sacct", ["--allocations", "--noheader", "--parsable2", &jobs, "--format=JobID,State"]);
        parse_accounts(&text.unwrap_or_default())
    }
}

/// Numbers of the jobs of that name, each once, in what `squeue` printed as `JOB|NAME`. What it was not asked for does not count.
fn parse_names(text: &str, name: &str) -> Vec<String> {
    let mut jobs: Vec<String> = Vec::new();
    for (job, of_name) in text.lines().filter_map(|line| line.trim().split_once('|')) {
        if of_name == name && job_number(job) == Some(job) && !jobs.iter().any(|known| known == job) {
            jobs.push(job.to_string());
        }
    }
    jobs
}

/// The job's number in what `sbatch --parsable` printed, `NUMBER` or `NUMBER;CLUSTER`: the last line that is one, as some
/// clusters' own `sbatch` greets before it.
pub(crate) fn job_number(said: &str) -> Option<&str> {
    said.lines().rev().find_map(|line| {
        let (number, cluster) = line.trim().split_once(';').unwrap_or((line.trim(), ""));
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        (is_number && !cluster.contains(char::is_whitespace)).then_some(number)
    })
}

/// What `sacct` printed, a task a line as `JOB_TASK|STATE by somebody`.
fn parse_accounts(text: &str) -> BTreeMap<(String, u32), String> {
    let states = text.lines().filter_map(|line| {
        let (id, state) = line.split_once('|')?;
        let (job, task) = id.split_once('_')?;
        let state = state.split_whitespace().next().filter(|state| ENDED.contains(state))?;
        Some(((job.to_string(), task.parse().ok()?), state.to_string()))
    });
    states.collect()
}

/// What this cluster says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub name: String,
    /// Tasks that an array may have.
    pub most_tasks: usize,
}

/// Asks the cluster that this machine belongs to.
pub(crate) fn cluster() -> Result<Cluster, SweepError> {
    let text = call("scontrol", ["show", "config"])?;
    let value = |key: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(k, _)| k.trim() == key).map(|(_, v)| v.trim().to_string())
    };
    // Where a cluster does not say so, Slurm's own default.
    let most_tasks = value("MaxArraySize").and_then(|v| v.parse().ok()).unwrap_or(1001);
    Ok(Cluster { name: value("ClusterName").unwrap_or_default(), most_tasks })
}

/// Whether jobs can be submitted from this machine.
///
/// # Errors
/// Where Slurm's commands are missing or no Slurm answers.
pub fn available() -> Result<(), SweepError> {
    call("sbatch", ["--version"])?;
    cluster().map(|_| ())
}

/// Runs one of Slurm's commands; what it printed.
pub(crate) fn call<A: AsRef<OsStr>>(
    tool: &'static str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String, SweepError> {
    let output =
        Command::new(tool).args(arguments).stdin(Stdio::null()).output().map_err(|source| match source.kind() {
            ErrorKind::NotFound => SweepError::NoSlurm { tool },
            _ => SweepError::Slurm { tool, words: source.to_string() },
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_string();
    let words = if words.is_empty() { output.status.to_string() } else { words };
    Err(SweepError::Slurm { tool, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_squeue_says_is_understood_and_what_is_unknown_lives() {
        let text = "5|0|PENDING||Dependency\n5|1|RUNNING|n1|None\n6|0|TIMEOUT|n2|TimeLimit\n6|1|REQUEUE_HOLD||held\n\
                    7|N/A|RUNNING|n1|None\nnoise\n8|0|COMPLETING|n3|None\n";
        let look = Look::parse(text);
        assert_eq!(look.stand("5", 0), Stand::Queued("Dependency".into()));
        assert_eq!(look.stand("5", 1), Stand::Running("n1".into()));
        assert_eq!(look.stand("6", 0), Stand::Ended(Some("TIMEOUT".into())));
        assert_eq!(look.stand("6", 1), Stand::Queued("REQUEUE_HOLD".into()));
        assert_eq!(look.stand("9", 0), Stand::Ended(None));
        let job = |id: &str| super::super::records::JobRecord { id: id.into(), kind: String::new(), tasks: vec![] };
        let jobs = ["5", "6", "8", "9"].map(job).to_vec();
        let record = JobsRecord { cluster: String::new(), user: 0, submitted_unix_s: 0.0, jobs, asked: None };
        assert_eq!(look.live_jobs(&record), ["5", "6", "8"]);
    }

    #[test]
    fn the_last_line_that_is_a_number_is_the_job() {
        let cases = [
            ("17\n", Some("17")),
            ("17;alpha\n", Some("17")),
            ("------\n  Welcome to the Example Machine\n--> allocation ... OK\n101\n", Some("101")),
            ("101\n  goodbye\n\n", Some("101")),
            ("hours left:\n2000\n 101;alpha \r\n", Some("101")),
            ("Submitted batch job 17\n", None),
            ("17;two words\n", None),
            ("0\n", None),
            ("-5\n;\n", None),
            ("", None),
        ];
        for (said, number) in cases {
            assert_eq!(job_number(said), number, "{said:?}");
        }
    }

    #[test]
    fn jobs_are_found_by_their_whole_name() {
        let text = "7|a.cell.0-1\n7|a.cell.0-1\n8|a.cell.0-11\n9|0|PENDING||Priority\n x|a.cell.0-1\n12|a.cell.0-1\n";
        assert_eq!(parse_names(text, "a.cell.0-1"), ["7", "12"]);
    }

    #[test]
    fn accounts_say_how_tasks_ended() {
        let text = "5_0|COMPLETED\n5_1|CANCELLED by 1000\n5_[2-4]|PENDING\n5_7|OUT_OF_MEMORY\n6|FAILED\n";
        let accounts = parse_accounts(text);
        assert_eq!(accounts.len(), 3);
        assert_eq!(accounts[&("5".to_string(), 1)], "CANCELLED");
        assert_eq!(accounts[&("5".to_string(), 7)], "OUT_OF_MEMORY");
    }
}
