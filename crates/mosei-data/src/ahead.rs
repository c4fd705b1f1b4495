//! Work done ahead by several threads, handed on in order.
//!
//! What lives here: the threads and how far ahead they may be. What does not: the work.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Finished pieces that a thread may hold, besides the one it works at. Bounds the memory.
const AHEAD: usize = 2;
/// More threads than this wait for the one that takes.
const MOST_THREADS: usize = 32;

/// Threads for such work on this machine.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

/// Makes the pieces `0..count` with so many threads, and hands them to `take` on this one: in order, whatever the
/// threads. Stops at the first error of `take`.
///
/// Thread `t` makes the pieces `t`, `t + threads`, …: nothing depends on which of them is the quicker.
pub(crate) fn in_order<T: Send, E>(
    count: usize,
    threads: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.min(count);
    if threads <= 1 {
        return (0..count).try_for_each(|i| take(make(i)));
    }
    let (senders, receivers): (Vec<SyncSender<T>>, Vec<Receiver<T>>) =
        (0..threads).map(|_| sync_channel(AHEAD)).unzip();
    thread::scope(|scope| {
        for (first, sender) in senders.into_iter().enumerate() {
            let make = &make;
            scope.spawn(move || {
                // Sending fails where nobody takes any more.
                (first..count).step_by(threads).try_for_each(|i| sender.send(make(i)))
            });
        }
        // Moved in, so that an error hangs up on the threads before the scope waits for them.
        let receivers = receivers;
        for i in 0..count {
            // A thread that has nothing to send has panicked, and the scope passes that on.
            let Ok(piece) = receivers[i % threads].recv() else { break };
            take(piece)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn pieces_come_in_order_whatever_the_threads() {
        for threads in [0, 1, 2, 3, 7, 100] {
            let mut taken = Vec::new();
            let slow_at_times = |i: usize| {
                thread::sleep(std::time::Duration::from_micros(if i.is_multiple_of(5) { 500 } else { 0 }));
                i
            };
            let take = |i| {
                taken.push(i);
                Ok::<(), ()>(())
            };
            in_order(50, threads, slow_at_times, take).unwrap();
            assert_eq!(taken, (0..50).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn nothing_is_made_far_ahead_or_after_an_error() {
        let made = AtomicUsize::new(0);
        let make = |i: usize| {
            made.fetch_add(1, Ordering::SeqCst);
            i
        };
        let most = AtomicUsize::new(0);
        let take = |i: usize| {
            thread::sleep(std::time::Duration::from_millis(2));
            most.fetch_max(made.load(Ordering::SeqCst) - i, Ordering::SeqCst);
            if i == 30 { Err(i) } else { Ok(()) }
        };
        assert_eq!(in_order(1000, 2, make, take), Err(30));
        assert!(most.into_inner() <= 2 * (AHEAD + 1) + 1);
        assert!(made.into_inner() <= 31 + 2 * (AHEAD + 1));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_passed_on() {
        in_order(10, 2, |i| assert_ne!(i, 5, "a piece"), |()| Ok::<(), ()>(())).unwrap();
    }
}
