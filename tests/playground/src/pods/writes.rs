//! Writes that an API server that is away does not lose.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Writes that are under way at once.
const AT_ONCE: usize = 24;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first pause after a failure. Doubled with each in a row.
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// Writes to the API server, some at a time.
pub(super) struct Writes {
    pub(super) client: Client,
    turns: Semaphore,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The API server said no, or could not be asked.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// It said nothing. It may have done it.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
}

impl WriteError {
    /// The code of the refusal; `None` where there is no answer.
    pub(super) const fn code(&self) -> Option<u16> {
        match self {
            Self::Api(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }
}

impl fmt::Debug for Writes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A client has nothing to show.
        to.debug_struct("Writes").field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Writes {
    pub(super) const fn new(client: Client) -> Self {
        Self { client, turns: Semaphore::const_new(AT_ONCE) }
    }

    /// Tries once.
    pub(super) async fn once<T>(
        &self,
        attempt: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, WriteError> {
        let _turn = self.turns.acquire().await;
        Ok(timeout(PATIENCE, attempt).await.map_err(|_| WriteError::Silent)??)
    }

    /// Tries until it is done, or refused with one of the codes in `ends`.
    pub(super) async fn until_done<T, F>(
        &self,
        ends: &[u16],
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, u16>
    where
        F: Future<Output = kube::Result<T>>,
    {
        let mut longest = PAUSE_MIN;
        loop {
            let error = match self.once(attempt()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            match error.code() {
                Some(code) if ends.contains(&code) => return Err(code),
                _ => tracing::debug!(%error, "a write is tried again"),
            }
            // Not all at once, when the API server is back.
            sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            longest = (longest * 2).min(PAUSE_MAX);
        }
    }
}
