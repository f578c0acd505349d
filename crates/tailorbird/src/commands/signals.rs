//! Ctrl-C, and a polite end from the system.

/// Catches the signals that ask the program to end, from the moment it is made. Whoever says "Ctrl-C ends it" makes it
/// before: a signal that comes in between would otherwise end the process at once.
pub(crate) struct Signals {
    #[cfg(unix)]
    caught: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// Begins to catch them.
    #[cfg(unix)]
    pub(crate) fn catch() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            caught: signal(SignalKind::interrupt())
                .ok()
                .zip(signal(SignalKind::terminate()).ok()),
        }
    }

    /// Begins to catch them.
    #[cfg(not(unix))]
    pub(crate) fn catch() -> Self {
        Self {}
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some((interrupt, terminate)) = &mut self.caught {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        drop(tokio::signal::ctrl_c().await);
    }
}
