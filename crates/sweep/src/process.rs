//! The processes of steps: started with a log, polled, and terminated together with their children.
//!
//! A step's standard input is its locked `running.json`. The lock belongs to the open file, which
//! the process inherits, so the lock is released when the process ends, even if the engine has been
//! killed. This is how `status` sees that a step is running, and how a new sweep finds processes
//! that a killed one left running.

use crate::SweepError;
use crate::marks::{LOG_FILE, Marks, RUNNING_FILE, read_json, remove, unix_s};
use crate::server::Server;
use run_record::step_folder_variable;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// Interval between polls of the child processes.
pub(crate) const POLL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunningRecord {
    pub pid: u32,
    /// The machine it runs on.
    pub host: String,
    pub started_unix_s: f64,
}

/// The process of a step.
#[derive(Debug)]
enum Process {
    /// A child process of the engine.
    Child(Child),
    /// A process that the fork server started, by its id.
    Forked(u32),
}

impl Process {
    fn id(&self) -> u32 {
        match self {
            Process::Child(child) => child.id(),
            Process::Forked(pid) => *pid,
        }
    }

    fn try_wait(&mut self, server: &mut ServerState) -> std::io::Result<Option<ExitStatus>> {
        match self {
            Process::Child(child) => child.try_wait(),
            Process::Forked(pid) => {
                let status = match server {
                    ServerState::Running(server) => server.try_wait(*pid),
                    _ => Err(std::io::Error::other(
                        "the fork server that started it has ended",
                    )),
                };
                if status.is_err() {
                    // Its exit status is lost. It must not keep running next to a retry.
                    signal_group(*pid, Signal::KILL);
                    *server = ServerState::Unavailable;
                }
                status
            }
        }
    }
}

/// The fork server of a sweep.
#[derive(Debug, Default)]
enum ServerState {
    /// The program has none, or it failed: each step is a new process.
    #[default]
    Unavailable,
    /// Not started yet; the program serves with these arguments.
    Configured(Vec<String>),
    /// Started.
    Running(Server),
}

/// A running step.
#[derive(Debug)]
struct Worker {
    step: usize,
    process: Process,
    started: Instant,
    running_file: PathBuf,
}

/// The running processes of a sweep. Dropping the pool terminates them.
#[derive(Debug, Default)]
pub(crate) struct WorkerPool {
    workers: Vec<Worker>,
    server: ServerState,
}

impl WorkerPool {
    /// An empty pool; `server` holds the arguments that make the program a fork server, or nothing.
    pub fn new(server: &[String]) -> Self {
        let server = if server.is_empty() {
            ServerState::Unavailable
        } else {
            ServerState::Configured(server.to_vec())
        };
        WorkerPool {
            workers: Vec::new(),
            server,
        }
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    /// Starts `program` with `arguments` as the process of step number `step`, in its own process
    /// group so that its children can be terminated with it.
    pub fn start(
        &mut self,
        step: usize,
        program: &Path,
        arguments: &[String],
        folder: &Path,
    ) -> Result<(), SweepError> {
        fs::create_dir_all(folder).map_err(SweepError::io("create folder", folder))?;
        let running_file = folder.join(RUNNING_FILE);
        remove(&running_file)?;
        let running = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&running_file)
            .map_err(SweepError::io("create", &running_file))?;
        running
            .lock()
            .map_err(SweepError::io("lock", &running_file))?;
        let log_path = folder.join(LOG_FILE);
        let log = File::create(&log_path).map_err(SweepError::io("create", &log_path))?;
        // `spawn` drops the engine's handle of the locked file: from then on only the process holds
        // the lock.
        let process = self
            .spawn(program, arguments, folder, running, log)
            .map_err(SweepError::io("start", program))?;
        let record = RunningRecord {
            pid: process.id(),
            host: host(),
            started_unix_s: unix_s(),
        };
        self.workers.push(Worker {
            step,
            process,
            started: Instant::now(),
            running_file: running_file.clone(),
        });
        // Not an atomic write: the rename would replace the locked file by an unlocked one.
        let text = serde_json::to_vec(&record).map_err(|source| SweepError::Json {
            path: running_file.clone(),
            source,
        })?;
        fs::write(&running_file, text).map_err(SweepError::io("write", &running_file))
    }

    fn spawn(
        &mut self,
        program: &Path,
        arguments: &[String],
        folder: &Path,
        running: File,
        log: File,
    ) -> std::io::Result<Process> {
        let (variable, folder) = step_folder_variable(folder);
        if let ServerState::Configured(server_arguments) = &self.server {
            self.server = Server::start(program, server_arguments)
                .map_or(ServerState::Unavailable, ServerState::Running);
        }
        if let ServerState::Running(server) = &mut self.server {
            return match server.spawn(arguments, &folder, &running, &log) {
                Ok(pid) => Ok(Process::Forked(pid)),
                Err(e) => {
                    // No second attempt for this step, as its process may have started. Later steps
                    // start without the server.
                    self.server = ServerState::Unavailable;
                    Err(e)
                }
            };
        }
        let stderr = log.try_clone()?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env(variable, folder)
            .stdin(running)
            .stdout(log)
            .stderr(stderr)
            .process_group(0);
        command.spawn().map(Process::Child)
    }

    /// Terminates and removes the process of `step`, if one was started.
    pub fn kill(&mut self, step: usize) {
        if let Some(i) = self.workers.iter().position(|w| w.step == step) {
            terminate(vec![self.workers.remove(i)], &mut self.server);
        }
    }

    /// The steps whose processes have ended since the last call, with their status and the seconds
    /// they took.
    pub fn poll(&mut self) -> Vec<(usize, std::io::Result<ExitStatus>, f64)> {
        let mut ended = Vec::new();
        self.workers
            .retain_mut(|w| match w.process.try_wait(&mut self.server) {
                Ok(None) => true,
                Ok(Some(status)) => {
                    let _ = remove(&w.running_file);
                    ended.push((w.step, Ok(status), w.started.elapsed().as_secs_f64()));
                    false
                }
                Err(e) => {
                    ended.push((w.step, Err(e), w.started.elapsed().as_secs_f64()));
                    false
                }
            });
        ended
    }

    /// Sends SIGTERM to all processes, waits, and kills those that do not end.
    pub fn terminate_all(&mut self) {
        terminate(std::mem::take(&mut self.workers), &mut self.server);
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.terminate_all();
    }
}

fn terminate(mut workers: Vec<Worker>, server: &mut ServerState) {
    for w in &workers {
        signal_group(w.process.id(), Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while !workers.is_empty() {
        let overdue = Instant::now() > deadline;
        workers.retain_mut(|w| {
            if overdue {
                signal_group(w.process.id(), Signal::KILL);
            }
            if matches!(w.process.try_wait(server), Ok(None)) {
                return true;
            }
            // The process has ended; its children must not outlive it.
            signal_group(w.process.id(), Signal::KILL);
            let _ = remove(&w.running_file);
            false
        });
        sleep(POLL);
    }
}

/// The name of this machine.
pub(crate) fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It is fine if the group has ended already.
        let _ = kill_process_group(pid, signal);
    }
}

/// The record of a running step, whichever sweep started it; `Some(None)` if it is running but has
/// no record yet.
pub(crate) fn running(folder: &Path) -> Option<Option<RunningRecord>> {
    let path = folder.join(RUNNING_FILE);
    let file = File::open(&path).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| read_json(&path))
}

/// Terminates the processes that a killed sweep left running and returns their step ids. Call it
/// with the sweep lock held.
pub(crate) fn end_orphans(marks: &Marks) -> Result<Vec<String>, SweepError> {
    let mut ended = Vec::new();
    for file in running_files(&marks.steps()) {
        let Some(folder) = file.parent() else {
            continue;
        };
        let id = folder
            .strip_prefix(marks.steps())
            .unwrap_or(folder)
            .display()
            .to_string();
        if end_orphan(marks, &id)? {
            ended.push(id);
        }
    }
    Ok(ended)
}

/// Terminates the process that a killed engine left running for this step. Returns whether there
/// was one.
pub(crate) fn end_orphan(marks: &Marks, id: &str) -> Result<bool, SweepError> {
    let folder = marks.folder(id);
    let started = Instant::now();
    let mut asked = None;
    while let Some(record) = running(&folder) {
        // On another machine the process id would refer to an unrelated process.
        let elsewhere = record.as_ref().is_some_and(|r| r.host != host());
        // The lock shows that the process is alive, so its id cannot have been reused.
        let signal = if started.elapsed() < GRACE {
            Signal::TERM
        } else {
            Signal::KILL
        };
        if let Some(r) = &record
            && !elsewhere
            && asked != Some(signal)
        {
            signal_group(r.pid, signal);
            asked = Some(signal);
        }
        if elsewhere || started.elapsed() > 2 * GRACE {
            let pid = record.map_or("unknown".to_string(), |r| {
                format!("{} on {}", r.pid, r.host)
            });
            return Err(SweepError::Orphan {
                id: id.to_string(),
                pid,
            });
        }
        sleep(POLL);
    }
    remove(&folder.join(RUNNING_FILE))?;
    Ok(asked.is_some())
}

/// Every `running.json` below a folder, in no particular order.
fn running_files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(t) if t.is_dir() => open.push(entry.path()),
                Ok(t) if t.is_file() && entry.file_name() == RUNNING_FILE => {
                    found.push(entry.path())
                }
                _ => {}
            }
        }
    }
    found
}
