//! The engine's side of the fork server: a process of the program that has loaded all its libraries
//! and forks itself for each step.
//!
//! Here: starting the server, and the protocol, one JSON object per line. The program's side is in
//! [`crate::serve`]; the pool of step processes in [`crate::process`].
//!
//! A forked process behaves like a newly started one, with its own process group, files and exit
//! status, but the program's libraries are loaded only once.

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

/// Timeout for a reply. The first one includes loading the program.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// A request of the engine; the step's standard input and log file are sent with it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub arguments: Vec<String>,
    /// The step's folder as bytes: a path need not be UTF-8.
    pub folder: Vec<u8>,
}

/// A reply of the server.
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
    /// `status` as `wait` returns it.
    Ended {
        pid: u32,
        status: i32,
    },
}

/// A running fork server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stream: UnixStream,
    /// Received bytes that are not a complete line yet.
    inbox: Vec<u8>,
    ended: BTreeMap<u32, ExitStatus>,
}

impl Server {
    /// Starts `program` with the arguments of its server mode and waits until it is ready.
    pub fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        let (stream, server_end) = UnixStream::pair()?;
        let mut command = Command::new(program);
        // No output: it belongs to no step, and if the program cannot serve, the engine works
        // without the server.
        command
            .args(arguments)
            .stdin(OwnedFd::from(server_end))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.process_group(0).spawn()?;
        drop(command);
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let mut server = Server {
            child,
            stream,
            inbox: Vec::new(),
            ended: BTreeMap::new(),
        };
        match server.next(true)? {
            Some(Reply::Ready) => Ok(server),
            other => Err(Error::other(format!(
                "expected a server that is ready, found {other:?}"
            ))),
        }
    }

    /// Starts a process with these arguments, the step's folder, standard input and log. Returns
    /// its id.
    pub fn spawn(
        &mut self,
        arguments: &[String],
        folder: &OsStr,
        running: &File,
        log: &File,
    ) -> Result<u32> {
        let request = Request {
            arguments: arguments.to_vec(),
            folder: folder.as_bytes().to_vec(),
        };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        let files = [running.as_fd(), log.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        self.stream.set_nonblocking(false)?;
        let sent = sendmsg(
            &self.stream,
            &[IoSlice::new(&line)],
            &mut control,
            SendFlags::NOSIGNAL,
        )?;
        self.stream.write_all(&line[sent..])?;
        loop {
            match self.next(true)? {
                Some(Reply::Started { pid }) => return Ok(pid),
                Some(Reply::Refused { error }) => return Err(Error::other(error)),
                Some(Reply::Ended { pid, status }) => self.add_ended(pid, status),
                other => {
                    return Err(Error::other(format!(
                        "expected a started process, found {other:?}"
                    )));
                }
            }
        }
    }

    /// The exit status of the process with this id, if it has ended.
    pub fn try_wait(&mut self, pid: u32) -> Result<Option<ExitStatus>> {
        while let Some(reply) = self.next(false)? {
            if let Reply::Ended { pid, status } = reply {
                self.add_ended(pid, status);
            }
        }
        Ok(self.ended.remove(&pid))
    }

    fn add_ended(&mut self, pid: u32, status: i32) {
        self.ended.insert(pid, ExitStatus::from_raw(status));
    }

    /// The next reply. Without `wait`, `None` if none has arrived.
    fn next(&mut self, wait: bool) -> Result<Option<Reply>> {
        self.stream.set_nonblocking(!wait)?;
        loop {
            if let Some(end) = self.inbox.iter().position(|&b| b == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => {
                    return Err(Error::new(
                        ErrorKind::UnexpectedEof,
                        "the fork server has ended",
                    ));
                }
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
