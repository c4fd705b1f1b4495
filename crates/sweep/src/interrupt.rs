//! SIGINT, SIGTERM and SIGHUP as a flag to poll.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process was asked to end. While this value lives, the signals only set the flag.
#[derive(Debug)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    handlers: Vec<signal_hook::SigId>,
}

impl Interrupt {
    /// Installs the signal handlers.
    pub fn listen() -> std::io::Result<Self> {
        let mut listener = Interrupt {
            flag: Arc::new(AtomicBool::new(false)),
            handlers: Vec::new(),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            listener
                .handlers
                .push(signal_hook::flag::register(signal, listener.flag.clone())?);
        }
        Ok(listener)
    }

    /// The flag itself.
    pub fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// Whether a signal was received.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}
