//! When the process is to end.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::info;

/// Whether the process is to end. All clones are one.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Asked for by SIGTERM or SIGINT from now on. To be called in a runtime.
    ///
    /// # Errors
    /// The system refuses to tell of signals.
    pub fn on_signals() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let stop = Self::unasked();
        tokio::spawn(stop.clone().wait(terminate, interrupt));
        Ok(stop)
    }

    /// Asked for by whoever holds a clone, and by no signal: for a part of a process that decides about signals itself.
    #[must_use]
    pub fn unasked() -> Self {
        Self(watch::Sender::new(false))
    }

    async fn wait(self, mut terminate: Signal, mut interrupt: Signal) {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = interrupt.recv() => info!("SIGINT: stopping"),
        }
        self.ask();
    }

    /// Asks for the end. Asking again changes nothing.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Until the end is asked for.
    pub fn asked(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut asked = self.0.subscribe();
        // As long as this is waited for, so is a sender.
        let sender = self.0.clone();
        async move {
            let _asked = asked.wait_for(|asked| *asked).await;
            drop(sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_and_whoever_comes_late_too() {
        let stop = Stop::on_signals().expect("signals");
        let asked = stop.asked();
        let day = Duration::from_hours(24);
        assert!(timeout(day, stop.asked()).await.is_err(), "nobody asked");
        stop.clone().ask();
        stop.ask();
        assert!(timeout(day, asked).await.is_ok(), "who waited before");
        assert!(timeout(day, stop.asked()).await.is_ok(), "who came late");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_nobody_asked_waits_for_its_clones() {
        let stop = Stop::unasked();
        let day = Duration::from_hours(24);
        assert!(timeout(day, stop.asked()).await.is_err(), "nobody asked");
        stop.clone().ask();
        assert!(timeout(day, stop.asked()).await.is_ok(), "a clone asked");
    }
}
