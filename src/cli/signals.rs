//! SIGINT, SIGTERM and SIGHUP ask the work to stop; a panic says that it is our bug.

use crate::error::CancelToken;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which signal came, 0 for none.
#[derive(Debug, Clone, Default)]
pub(super) struct Caught(Arc<AtomicUsize>);

impl Caught {
    /// The signal's number; SIGINT's where none was recorded.
    pub(super) fn signal(&self) -> i32 {
        match self.0.load(Ordering::Relaxed) {
            0 => SIGINT,
            signal => i32::try_from(signal).unwrap_or(SIGINT),
        }
    }
}

/// From now on these signals set `cancel`; a second one ends the process at once, as if none were handled.
pub(super) fn cancel_on_signals(cancel: &CancelToken) -> io::Result<Caught> {
    let caught = Caught::default();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, cancel.flag())?;
        signal_hook::flag::register_usize(signal, Arc::clone(&caught.0), signal as usize)?;
        signal_hook::flag::register(signal, cancel.flag())?;
    }
    Ok(caught)
}

/// Replaces the panic message by one that says whose fault it is, and where.
pub(super) fn say_that_a_panic_is_our_bug() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let line = format!(
            "bug: boldly {} met a condition it should have handled{place}: {message}\n",
            env!("CARGO_PKG_VERSION")
        );
        let _ = io::Write::write_all(&mut io::stderr(), line.as_bytes());
    }));
}
