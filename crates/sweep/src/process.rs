//! The process of a step: started with its log, watched, and ended with all that it started.
//!
//! A step's standard input is its locked `running.json`. The lock belongs to the open file, which the process inherits,
//! so it falls when the process is gone, whatever became of the engine: that is how others see that a step runs, and
//! how a new sweep finds what a killed one left running.

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

/// How long a process that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How often children are looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunningRecord {
    pub pid: u32,
    /// The machine it runs on.
    #[serde(default)]
    pub host: String,
    pub started_unix_s: f64,
}

/// The process of a step.
#[derive(Debug)]
enum Process {
    /// A child of ours.
    Own(Child),
    /// A child of the server's, by its id.
    Served(u32),
}

impl Process {
    fn id(&self) -> u32 {
        match self {
            Process::Own(child) => child.id(),
            Process::Served(pid) => *pid,
        }
    }

    fn try_wait(&mut self, server: &mut Offer) -> std::io::Result<Option<ExitStatus>> {
        match self {
            Process::Own(child) => child.try_wait(),
            Process::Served(pid) => {
                let status = match server {
                    Offer::Running(server) => server.try_wait(*pid),
                    _ => Err(std::io::Error::other("the server that started it has gone")),
                };
                if status.is_err() {
                    // Nobody can say any more how it ends: it must not go on beside its next attempt.
                    signal_group(*pid, Signal::KILL);
                    *server = Offer::None;
                }
                status
            }
        }
    }
}

/// Whether the program offers to be a server of processes.
#[derive(Debug, Default)]
enum Offer {
    /// It does not, or it has failed at it: each process is started anew.
    #[default]
    None,
    /// It does, with these arguments.
    Made(Vec<String>),
    /// It is one.
    Running(Server),
}

/// A step that runs.
#[derive(Debug)]
struct Worker {
    step: usize,
    process: Process,
    started: Instant,
    running_file: PathBuf,
}

/// The processes of a sweep; those left when it is dropped are ended.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    workers: Vec<Worker>,
    server: Offer,
}

impl Crew {
    /// A crew whose program becomes a server of processes by these arguments; by none it does not.
    pub fn new(server: &[String]) -> Self {
        let server = if server.is_empty() { Offer::None } else { Offer::Made(server.to_vec()) };
        Crew { workers: Vec::new(), server }
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    /// Starts `program` with `arguments` as the process of step number `step`, in a group of its own so that what it
    /// starts can be ended with it.
    pub fn start(
        &mut self,
        step: usize,
        program: &Path,
        arguments: &[String],
        folder: &Path,
    ) -> Result<(), SweepError> {
        fs::create_dir_all(folder).map_err(SweepError::io("make folder", folder))?;
        let running_file = folder.join(RUNNING_FILE);
        remove(&running_file)?;
        let running = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&running_file)
            .map_err(SweepError::io("make", &running_file))?;
        running.lock().map_err(SweepError::io("lock", &running_file))?;
        let log_path = folder.join(LOG_FILE);
        let log = File::create(&log_path).map_err(SweepError::io("make", &log_path))?;
        // Our copy of the locked file goes here: from then on only the process's counts.
        let process = self.spawn(program, arguments, folder, running, log).map_err(SweepError::io("start", program))?;
        let record = RunningRecord { pid: process.id(), host: host(), started_unix_s: unix_s() };
        self.workers.push(Worker { step, process, started: Instant::now(), running_file: running_file.clone() });
        // Not an atomic write: a rename would put an unlocked file in the place of the locked one.
        let text =
            serde_json::to_vec(&record).map_err(|source| SweepError::Json { path: running_file.clone(), source })?;
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
        if let Offer::Made(serving) = &self.server {
            self.server = Server::start(program, serving).map_or(Offer::None, Offer::Running);
        }
        if let Offer::Running(server) = &mut self.server {
            return match server.spawn(arguments, &folder, &running, &log) {
                Ok(pid) => Ok(Process::Served(pid)),
                Err(e) => {
                    // Not tried another way: a process may have begun. The next ones are.
                    self.server = Offer::None;
                    Err(e)
                }
            };
        }
        let log_too = log.try_clone()?;
        let mut command = Command::new(program);
        command.args(arguments).env(variable, folder).stdin(running).stdout(log).stderr(log_too).process_group(0);
        command.spawn().map(Process::Own)
    }

    /// Forgets and ends the process of `step`, where one was started.
    pub fn abandon(&mut self, step: usize) {
        if let Some(i) = self.workers.iter().position(|w| w.step == step) {
            end(vec![self.workers.remove(i)], &mut self.server);
        }
    }

    /// The steps whose processes have ended since the last call, with the seconds they took.
    pub fn ended(&mut self) -> Vec<(usize, std::io::Result<ExitStatus>, f64)> {
        let mut ended = Vec::new();
        self.workers.retain_mut(|w| match w.process.try_wait(&mut self.server) {
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

    /// Asks all processes to end, waits, and kills those that do not.
    pub fn end_all(&mut self) {
        end(std::mem::take(&mut self.workers), &mut self.server);
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.end_all();
    }
}

fn end(mut workers: Vec<Worker>, server: &mut Offer) {
    for w in &workers {
        signal_group(w.process.id(), Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while !workers.is_empty() {
        let late = Instant::now() > deadline;
        workers.retain_mut(|w| {
            if late {
                signal_group(w.process.id(), Signal::KILL);
            }
            if matches!(w.process.try_wait(server), Ok(None)) {
                return true;
            }
            // The process is gone; what it started must not outlive it.
            signal_group(w.process.id(), Signal::KILL);
            let _ = remove(&w.running_file);
            false
        });
        sleep(POLL);
    }
}

/// The name of this machine.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A group that is gone already is what we want.
        let _ = kill_process_group(pid, signal);
    }
}

/// The record of a step that runs now, by whomever it was started; `Some(None)` where it runs but left no record yet.
pub(crate) fn running(folder: &Path) -> Option<Option<RunningRecord>> {
    let path = folder.join(RUNNING_FILE);
    let file = File::open(&path).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| read_json(&path))
}

/// Ends the processes that a killed sweep left running; call it with the sweep's lock held. Returns their ids.
pub(crate) fn end_orphans(marks: &Marks) -> Result<Vec<String>, SweepError> {
    let mut ended = Vec::new();
    for file in running_files(&marks.steps()) {
        let Some(folder) = file.parent() else { continue };
        let id = folder.strip_prefix(marks.steps()).unwrap_or(folder).display().to_string();
        if end_orphan(marks, &id)? {
            ended.push(id);
        }
    }
    Ok(ended)
}

/// Ends the process that a killed engine left running for this step; whether there was one.
pub(crate) fn end_orphan(marks: &Marks, id: &str) -> Result<bool, SweepError> {
    let folder = marks.folder(id);
    let started = Instant::now();
    let mut asked = None;
    while let Some(record) = running(&folder) {
        // The number of a process says nothing on another machine, where it may be anybody's.
        let elsewhere = record.as_ref().is_some_and(|r| !r.host.is_empty() && r.host != host());
        // The locked file says that the group lives, so its number cannot have passed to another process.
        let signal = if started.elapsed() < GRACE { Signal::TERM } else { Signal::KILL };
        if let Some(r) = &record
            && !elsewhere
            && asked != Some(signal)
        {
            signal_group(r.pid, signal);
            asked = Some(signal);
        }
        if elsewhere || started.elapsed() > 2 * GRACE {
            let pid = record.map_or("unknown".to_string(), |r| format!("{} on {}", r.pid, r.host));
            return Err(SweepError::Orphan { id: id.to_string(), pid });
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
                Ok(t) if t.is_file() && entry.file_name() == RUNNING_FILE => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}
