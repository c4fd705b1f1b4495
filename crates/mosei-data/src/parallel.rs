//! An ordered parallel map with bounded read-ahead.
//!
//! What lives here: the threads, and how far ahead of the consumer they may run. What does not: the
//! work.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Finished items that a thread may hold, besides the one it works on. Bounds the memory.
const READ_AHEAD: usize = 2;
/// With more threads than this, the consumer is the bottleneck.
const MAX_THREADS: usize = 32;

/// The number of threads to use on this machine.
pub fn available_threads() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS)
}

/// Produces the items `0..count` on `threads` threads and passes them to `consume` on the calling
/// thread, in order. Stops at the first error of `consume`.
///
/// Thread `t` produces the items `t`, `t + threads`, …, so the result does not depend on timing.
///
/// # Errors
/// The first error of `consume`.
pub fn for_each_ordered<T: Send, E>(
    count: usize,
    threads: usize,
    produce: impl Fn(usize) -> T + Sync,
    mut consume: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.min(count);
    if threads <= 1 {
        return (0..count).try_for_each(|i| consume(produce(i)));
    }
    let (senders, receivers): (Vec<SyncSender<T>>, Vec<Receiver<T>>) =
        (0..threads).map(|_| sync_channel(READ_AHEAD)).unzip();
    thread::scope(|scope| {
        for (first, sender) in senders.into_iter().enumerate() {
            let produce = &produce;
            scope.spawn(move || {
                // Sending fails once the consumer has stopped.
                (first..count)
                    .step_by(threads)
                    .try_for_each(|i| sender.send(produce(i)))
            });
        }
        // Moved into the scope, so that an error disconnects the channels before the scope joins
        // the threads.
        let receivers = receivers;
        for i in 0..count {
            // A disconnected channel means that its thread has panicked; the scope propagates the
            // panic.
            let Ok(item) = receivers[i % threads].recv() else {
                break;
            };
            consume(item)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn items_arrive_in_order_for_any_number_of_threads() {
        for threads in [0, 1, 2, 3, 7, 100] {
            let mut consumed = Vec::new();
            let sometimes_slow = |i: usize| {
                thread::sleep(std::time::Duration::from_micros(if i.is_multiple_of(5) {
                    500
                } else {
                    0
                }));
                i
            };
            let consume = |i| {
                consumed.push(i);
                Ok::<(), ()>(())
            };
            for_each_ordered(50, threads, sometimes_slow, consume).unwrap();
            assert_eq!(consumed, (0..50).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn read_ahead_is_bounded_and_stops_after_an_error() {
        let produced = AtomicUsize::new(0);
        let produce = |i: usize| {
            produced.fetch_add(1, Ordering::SeqCst);
            i
        };
        let most = AtomicUsize::new(0);
        let consume = |i: usize| {
            thread::sleep(std::time::Duration::from_millis(2));
            most.fetch_max(produced.load(Ordering::SeqCst) - i, Ordering::SeqCst);
            if i == 30 { Err(i) } else { Ok(()) }
        };
        assert_eq!(for_each_ordered(1000, 2, produce, consume), Err(30));
        assert!(most.into_inner() <= 2 * (READ_AHEAD + 1) + 1);
        assert!(produced.into_inner() <= 31 + 2 * (READ_AHEAD + 1));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_propagated() {
        for_each_ordered(
            10,
            2,
            |i| assert_ne!(i, 5, "an item"),
            |()| Ok::<(), ()>(()),
        )
        .unwrap();
    }
}
