//! The program's side of the fork server: one process that has loaded all its libraries and forks
//! itself for each step.
//!
//! Here: the loop that forks, and what a fork does before it becomes a step's process. The engine's
//! side is in [`crate::server`].
#![allow(
    unsafe_code,
    reason = "fork, and the environment of a fork, for which there is no safe function"
)]

use crate::server::{Reply, Request};
use run_record::step_folder_variable;
use rustix::fd::OwnedFd;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Pid, WaitOptions, setpgid, wait};
use std::ffi::OsStr;
use std::io::{Error, ErrorKind, IoSliceMut, Result, Write};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Interval between polls of the child processes.
const POLL: Duration = Duration::from_millis(5);

/// Where [`serve`] returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// In the server, after the engine has ended.
    Ended,
    /// In a forked process, which is to run a step with these arguments; standard input, output and
    /// error are the step's.
    Step(Vec<String>),
}

/// Serves the engine at the other end of standard input, which must be a socket: for each requested
/// step the process forks, and `serve` returns in the fork. Call it before anything starts a
/// thread.
///
/// # Errors
/// Standard input that is not a socket; a process with more than one thread; an invalid request.
pub fn serve() -> Result<Served> {
    if let Ok(tasks) = std::fs::read_dir("/proc/self/task")
        && tasks.count() > 1
    {
        return Err(Error::other(
            "a process with several threads cannot be forked safely",
        ));
    }
    let mut engine = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?);
    engine.set_read_timeout(Some(POLL))?;
    reply(&mut engine, &Reply::Ready)?;
    let mut live = 0;
    loop {
        while live > 0
            && let Some((pid, status)) = wait(WaitOptions::NOHANG)?
        {
            live -= 1;
            reply(
                &mut engine,
                &Reply::Ended {
                    pid: pid.as_raw_nonzero().get().cast_unsigned(),
                    status: status.as_raw(),
                },
            )?;
        }
        let (request, [running, log]) = match receive(&engine) {
            Ok(Some(received)) => received,
            Ok(None) => return Ok(Served::Ended),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(e) => return Err(e),
        };
        // SAFETY: this process has one thread, so no lock is held and no operation is in progress
        // at this moment, and the fork may do anything that a process may.
        match unsafe { libc::fork() } {
            -1 => reply(
                &mut engine,
                &Reply::Refused {
                    error: Error::last_os_error().to_string(),
                },
            )?,
            0 => {
                setpgid(None, None)?;
                rustix::stdio::dup2_stdin(&running)?;
                rustix::stdio::dup2_stdout(&log)?;
                rustix::stdio::dup2_stderr(&log)?;
                let (variable, folder) =
                    step_folder_variable(Path::new(OsStr::from_bytes(&request.folder)));
                // SAFETY: the fork has one thread, so nothing else reads the environment.
                unsafe { std::env::set_var(variable, folder) };
                return Ok(Served::Step(request.arguments));
            }
            pid => {
                // In the parent too, so that the group exists before the reply; whichever call
                // comes second has no effect.
                let _ = setpgid(Pid::from_raw(pid), Pid::from_raw(pid));
                live += 1;
                reply(
                    &mut engine,
                    &Reply::Started {
                        pid: pid.cast_unsigned(),
                    },
                )?;
            }
        }
    }
}

fn reply(engine: &mut UnixStream, reply: &Reply) -> Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    engine.write_all(&line)
}

/// The next request with its two files; `None` once the engine has ended.
fn receive(engine: &UnixStream) -> Result<Option<(Request, [OwnedFd; 2])>> {
    let (mut line, mut files) = (Vec::new(), Vec::new());
    while line.last() != Some(&b'\n') {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let read = recvmsg(
            engine,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        let count = match read {
            Ok(message) => message.bytes,
            // The rest of the line has not arrived yet.
            Err(e) if !line.is_empty() && Error::from(e).kind() == ErrorKind::WouldBlock => {
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        if count == 0 {
            return Ok(None);
        }
        line.extend_from_slice(&bytes[..count]);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                files.extend(received);
            }
        }
    }
    let files = <[OwnedFd; 2]>::try_from(files)
        .map_err(|_| Error::other("expected a request with two files"))?;
    Ok(Some((serde_json::from_slice(&line)?, files)))
}
