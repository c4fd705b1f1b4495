//! Tries HDF5 calls in a fork, which can crash or hang without harm, before they are made in this
//! process.
//!
//! What lives here: the fork, its limits, and the error where it fails. What does not: the calls.
//! HDF5 is written in C, and a damaged file can make it loop forever (seen with HDF5 2.2.0); no
//! check beforehand finds all such files.
#![allow(unsafe_code, reason = "forking, and setting limits of the fork")]

use crate::DataError;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Processor time for any file, seconds, and the file size that adds one second: a hundred times
/// what reading a file's structure takes.
const BASE_S: u64 = 1;
const BYTES_A_SECOND: u64 = 2 << 20;
/// A fork that waits is killed too, after this multiple of its processor time, as the machine may
/// be busy.
const WALL_FACTOR: u64 = 30;

const SUCCESS: i32 = 0;
const FAILURE: i32 = 1;
const PANIC: i32 = 2;

/// Limits of a fork.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Processor time, seconds.
    seconds: u64,
    /// Time by the clock, seconds.
    wall_s: u64,
    /// Memory beyond what this process has.
    bytes: u64,
}

impl Limits {
    /// The limits for a file of this size.
    pub fn of_file(file_bytes: u64) -> Self {
        let seconds = BASE_S + file_bytes / BYTES_A_SECOND;
        Limits {
            seconds,
            wall_s: seconds * WALL_FACTOR,
            bytes: super::limits::memory_bytes(file_bytes),
        }
    }
}

/// Runs `work` in a fork of this process and returns its result. The caller then does the same work
/// in this process, where it is now known to end.
///
/// # Errors
/// Where the fork crashed, or was killed for exceeding its limits.
pub(super) fn run_sandboxed(
    path: &Path,
    limits: Limits,
    work: impl FnOnce() -> bool,
) -> Result<bool, DataError> {
    // HDF5's lock is held, so that the fork gets HDF5 in a consistent state; the lock belongs to
    // this thread there too.
    let status = hdf5::sync::sync(|| {
        let most = address_space().map(|now| now.saturating_add(limits.bytes));
        // SAFETY: only this thread exists in the fork. It allocates, which the C library allows
        // after a fork, takes no lock but HDF5's, which it holds, and leaves by `_exit`, without
        // running exit handlers.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                set_limits(limits, most);
                let done = catch_unwind(AssertUnwindSafe(work));
                // SAFETY: always allowed.
                unsafe {
                    libc::_exit(
                        done.map_or(PANIC, |success| if success { SUCCESS } else { FAILURE }),
                    )
                }
            }
            child => wait(child),
        }
    });
    let status = status.map_err(DataError::io("start a process to read", path))?;
    let crashed = |why: String| {
        Err(DataError::Hdf5Crashed {
            path: path.to_path_buf(),
            why,
        })
    };
    match (
        libc::WIFEXITED(status),
        libc::WEXITSTATUS(status),
        libc::WTERMSIG(status),
    ) {
        (true, SUCCESS, _) => Ok(true),
        (true, FAILURE, _) => Ok(false),
        (true, ..) => crashed("a panic".into()),
        (_, _, libc::SIGXCPU) => crashed(format!(
            "no result after {} s of processor time",
            limits.seconds
        )),
        (_, _, libc::SIGALRM) => crashed(format!("no result after {} s", limits.wall_s)),
        (.., signal) => crashed(format!("signal {signal}")),
    }
}

/// Bytes of address space of this process, where the system reports them.
fn address_space() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    // SAFETY: always allowed.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * u64::try_from(page).ok()?)
}

/// Sets the limits of a fork, and silences its standard error.
fn set_limits(limits: Limits, most: Option<u64>) {
    let set = |what, value: u64| {
        let limit = libc::rlimit {
            rlim_cur: value,
            rlim_max: value.saturating_add(1),
        };
        // SAFETY: the struct is only read.
        unsafe { libc::setrlimit(what, &limit) }
    };
    set(libc::RLIMIT_CPU, limits.seconds);
    set(libc::RLIMIT_CORE, 0);
    if let Some(most) = most {
        set(libc::RLIMIT_AS, most);
    }
    let wall = u32::try_from(limits.wall_s).unwrap_or(u32::MAX);
    // SAFETY: 2 is standard error; the other calls take numbers. Signal handlers are reset, as they
    // belong to the parent.
    unsafe {
        for signal in [libc::SIGALRM, libc::SIGXCPU, libc::SIGSEGV, libc::SIGBUS] {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::alarm(wall);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        libc::dup2(null, 2);
    }
}

/// Waits for a fork to end; returns its status.
fn wait(child: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is a valid local variable.
    while unsafe { libc::waitpid(child, &mut status, 0) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(work: impl FnOnce() -> bool) -> String {
        error_within(30, work)
    }

    fn error_within(wall_s: u64, work: impl FnOnce() -> bool) -> String {
        run_sandboxed(
            Path::new("f"),
            Limits {
                seconds: 1,
                wall_s,
                bytes: 1 << 30,
            },
            work,
        )
        .unwrap_err()
        .to_string()
    }

    #[test]
    fn a_crash_in_the_fork_is_reported() {
        for success in [true, false] {
            assert_eq!(
                run_sandboxed(Path::new("f"), Limits::of_file(0), || success).unwrap(),
                success
            );
        }
        let words = |why| {
            format!(
                "f: expected a readable HDF5 file, found a damaged one: HDF5, run on it in a separate process, ended with {why}"
            )
        };
        // A panic is not tested: its message is printed under locks that other tests, which panic
        // on purpose, may hold at the fork; it would then time out.
        assert_eq!(error_of(|| std::process::abort()), words("signal 6"));
        #[expect(clippy::empty_loop, reason = "stands for a library that hangs")]
        let endless = || loop {};
        assert_eq!(
            error_of(endless),
            words("no result after 1 s of processor time")
        );
        // A call that waits forever.
        let asleep = || {
            std::thread::sleep(std::time::Duration::from_secs(600));
            true
        };
        assert_eq!(error_within(1, asleep), words("no result after 1 s"));
        // More memory than allowed, from C: Rust reports a failed allocation under such a lock too.
        // SAFETY: the memory is never accessed.
        let greedy = || {
            if std::hint::black_box(unsafe { libc::malloc(2 << 30) }).is_null() {
                std::process::abort()
            } else {
                true
            }
        };
        assert_eq!(error_of(greedy), words("signal 6"));
    }
}
