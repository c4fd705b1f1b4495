//! The engine's end of a server: a process of the program that has loaded all it needs, and forks itself for each step.
//!
//! What lives here: starting it, and what the two say to each other, a line of JSON at a time. What does not: the
//! program's end ([`crate::serve`]), and what a step's process is to the engine ([`crate::process`]).
//!
//! A step's process is in every way as one that was started anew, with a group, files and an end of its own; only that
//! what the program loads before it begins is loaded once.

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, ErrorKind, IoSlice, Read, Result, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long an answer may take, the first with its loading included.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the engine asks for; with it come the step's standard input and its log.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub arguments: Vec<String>,
    /// The step's folder, as the system's bytes: a path need not be UTF-8.
    pub folder: Vec<u8>,
}

/// What the server says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reply {
    Ready,
    Started {
        pid: u32,
    },
    Refused {
        error: String,
    },
    /// `status` as `wait` gives it.
    Ended {
        pid: u32,
        status: i32,
    },
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stream: UnixStream,
    /// What came and is no whole line yet.
    inbox: Vec<u8>,
    ended: BTreeMap<u32, ExitStatus>,
}

impl Server {
    /// Starts `program` with the arguments that make it a server, and waits until it is one.
    pub fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let mut command = Command::new(program);
        // Its words, where it cannot serve, are not a step's; the engine then does without it.
        command.args(arguments).stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.process_group(0).spawn()?;
        drop(command);
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut server = Server { child, stream, inbox: Vec::new(), ended: BTreeMap::new() };
        match server.next(true)? {
            Some(Reply::Ready) => Ok(server),
            other => Err(Error::other(format!("expected a server to be ready, found {other:?}"))),
        }
    }

    /// Starts a process with these arguments, the step's folder, standard input and log; its id.
    pub fn spawn(&mut self, arguments: &[String], folder: &OsStr, running: &File, log: &File) -> Result<u32> {
        let request = Request { arguments: arguments.to_vec(), folder: folder.as_bytes().to_vec() };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        let files = [running.as_fd(), log.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        self.stream.set_nonblocking(false)?;
        let sent = sendmsg(&self.stream, &[IoSlice::new(&line)], &mut control, SendFlags::NOSIGNAL)?;
        self.stream.write_all(&line[sent..])?;
        loop {
            match self.next(true)? {
                Some(Reply::Started { pid }) => return Ok(pid),
                Some(Reply::Refused { error }) => return Err(Error::other(error)),
                Some(Reply::Ended { pid, status }) => self.note(pid, status),
                other => return Err(Error::other(format!("expected a process, found {other:?}"))),
            }
        }
    }

    /// How the process of that id ended, if it has.
    pub fn try_wait(&mut self, pid: u32) -> Result<Option<ExitStatus>> {
        while let Some(reply) = self.next(false)? {
            if let Reply::Ended { pid, status } = reply {
                self.note(pid, status);
            }
        }
        Ok(self.ended.remove(&pid))
    }

    fn note(&mut self, pid: u32, status: i32) {
        self.ended.insert(pid, ExitStatus::from_raw(status));
    }

    /// The next thing it says; `None` where it says nothing now and is not to be waited for.
    fn next(&mut self, wait: bool) -> Result<Option<Reply>> {
        self.stream.set_nonblocking(!wait)?;
        loop {
            if let Some(end) = self.inbox.iter().position(|&b| b == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(Error::new(ErrorKind::UnexpectedEof, "the server of processes has gone")),
                Ok(n) => self.inbox.extend_from_slice(&bytes[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock && !wait => return Ok(None),
                Err(e) => return Err(e),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
