//! Trying in a process of its own, which may die alone, what HDF5 is about to do here.
//!
//! What lives here: the process, its limits, and what is said of its end. What does not: what is tried. HDF5 is written in C, and
//! a damaged file can make it loop for ever (seen with HDF5 2.2.0); no check of ours finds all such files.
#![allow(unsafe_code, reason = "forking, and setting limits of the fork")]

use crate::DataError;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Seconds of processor time that any file may take, and bytes of a file that may take one second more: a hundred times what
/// reading takes that stands in a file besides its values.
const BASE_S: u64 = 1;
const BYTES_A_SECOND: u64 = 2 << 20;
/// Processes that wait for something are ended too, though so many times later: the machine may be busy.
const WALL_TIMES: u64 = 30;

const WELL: i32 = 0;
const NOT_WELL: i32 = 1;
const PANICKED: i32 = 2;

/// What a trial may take.
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
    /// Those of a file of so many bytes.
    pub fn of_file(file_bytes: u64) -> Self {
        let seconds = BASE_S + file_bytes / BYTES_A_SECOND;
        Limits { seconds, wall_s: seconds * WALL_TIMES, bytes: super::limits::memory_bytes(file_bytes) }
    }
}

/// Does `work` in a fork of this process, and waits for it; whether it went well. Whatever else comes of it is forgotten: it is
/// done again here, where it is known to end.
///
/// # Errors
/// Where the fork was killed, by HDF5 or for going beyond its limits.
pub(super) fn survive(path: &Path, limits: Limits, work: impl FnOnce() -> bool) -> Result<bool, DataError> {
    // With HDF5's lock held, so that the fork finds HDF5 at rest; it is this thread's, there too.
    let status = hdf5::sync::sync(|| {
        let most = address_space().map(|now| now.saturating_add(limits.bytes));
        // SAFETY: the fork has this thread alone. It allocates, which the C library allows after a fork, takes no lock but HDF5's,
        // which it holds, and leaves by `_exit`, past everything that this process wants done at its end.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                limit(limits, most);
                let done = catch_unwind(AssertUnwindSafe(work));
                // SAFETY: always allowed.
                unsafe { libc::_exit(done.map_or(PANICKED, |well| if well { WELL } else { NOT_WELL })) }
            }
            child => wait(child),
        }
    });
    let status = status.map_err(DataError::io("start a process to try", path))?;
    let died = |why: String| Err(DataError::Died { path: path.to_path_buf(), why });
    match (libc::WIFEXITED(status), libc::WEXITSTATUS(status), libc::WTERMSIG(status)) {
        (true, WELL, _) => Ok(true),
        (true, NOT_WELL, _) => Ok(false),
        (true, ..) => died("a panic".into()),
        (_, _, libc::SIGXCPU) => died(format!("no end after {} s of processor time", limits.seconds)),
        (_, _, libc::SIGALRM) => died(format!("no end after {} s", limits.wall_s)),
        (.., signal) => died(format!("signal {signal}")),
    }
}

/// Bytes of address space that this process has, where the system says so.
fn address_space() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    // SAFETY: always allowed.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * u64::try_from(page).ok()?)
}

/// Sets the limits of a fork, and takes its words: what it has to say would only confuse.
fn limit(limits: Limits, most: Option<u64>) {
    let set = |what, value: u64| {
        let limit = libc::rlimit { rlim_cur: value, rlim_max: value.saturating_add(1) };
        // SAFETY: the struct is read, and no more.
        unsafe { libc::setrlimit(what, &limit) }
    };
    set(libc::RLIMIT_CPU, limits.seconds);
    set(libc::RLIMIT_CORE, 0);
    if let Some(most) = most {
        set(libc::RLIMIT_AS, most);
    }
    let wall = u32::try_from(limits.wall_s).unwrap_or(u32::MAX);
    // SAFETY: 2 is the number of standard error; the others take numbers alone. Handlers are this process's and not the fork's.
    unsafe {
        for signal in [libc::SIGALRM, libc::SIGXCPU, libc::SIGSEGV, libc::SIGBUS] {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::alarm(wall);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        libc::dup2(null, 2);
    }
}

/// Waits for a fork to end; how it did.
fn wait(child: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is written to, and lives here.
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

    fn died(work: impl FnOnce() -> bool) -> String {
        died_within(30, work)
    }

    fn died_within(wall_s: u64, work: impl FnOnce() -> bool) -> String {
        survive(Path::new("f"), Limits { seconds: 1, wall_s, bytes: 1 << 30 }, work).unwrap_err().to_string()
    }

    #[test]
    fn what_dies_dies_alone_and_is_told() {
        for well in [true, false] {
            assert_eq!(survive(Path::new("f"), Limits::of_file(0), || well).unwrap(), well);
        }
        let words = |why| {
            format!(
                "f: expected an HDF5 file that can be read, found a damaged one: HDF5, tried on it in a process of its own, came to {why}"
            )
        };
        // Not tried: a panic, whose words are printed under locks that other tests, which panic on purpose, may hold when the fork is
        // made. It would then end by the clock.
        assert_eq!(died(|| std::process::abort()), words("signal 6"));
        #[expect(clippy::empty_loop, reason = "a stand-in for a library that does not come back")]
        let endless = || loop {};
        assert_eq!(died(endless), words("no end after 1 s of processor time"));
        // One that waits for what does not come.
        let asleep = || {
            std::thread::sleep(std::time::Duration::from_secs(600));
            true
        };
        assert_eq!(died_within(1, asleep), words("no end after 1 s"));
        // More than there may be. Asked for past Rust, which reports a refusal under such a lock too.
        // SAFETY: the memory, if there is any, is not touched.
        let greedy = || {
            if std::hint::black_box(unsafe { libc::malloc(2 << 30) }).is_null() { std::process::abort() } else { true }
        };
        assert_eq!(died(greedy), words("signal 6"));
    }
}
