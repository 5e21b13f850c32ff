//! A watch that never ends: it goes on after whatever breaks it, ever more slowly while nothing works.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// Objects in a page of a listing.
const PAGE: u32 = 500;

/// The pause after the first failure. Doubled with each in a row.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Lists and watches the objects that `fields` selects, for ever. Paged lists and plain watches, because API servers
/// from before Kubernetes 1.34 refuse streaming lists.
///
/// An error is handed on once for each failure, and then the next attempt waits.
pub(super) fn watch<K>(
    api: Api<K>,
    fields: Option<&str>,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config =
        watcher::Config { field_selector: fields.map(str::to_owned), ..watcher::Config::default() };
    let start = move || watcher::watcher(api.clone(), config.clone().page_size(PAGE)).boxed();
    let state = Watch { events: start(), start, failures: 0, pause: None };
    stream::unfold(state, async |mut state| {
        let event = state.next().await;
        Some((event, state))
    })
}

/// A watch and how often it failed in a row.
struct Watch<K: Resource, F> {
    events: BoxStream<'static, Result<Event<K>, watcher::Error>>,
    start: F,
    failures: u32,
    /// How long to wait before the next attempt.
    pause: Option<Duration>,
}

impl<K, F> Watch<K, F>
where
    K: Resource,
    F: Fn() -> BoxStream<'static, Result<Event<K>, watcher::Error>>,
{
    async fn next(&mut self) -> Result<Event<K>, watcher::Error> {
        if let Some(pause) = self.pause.take() {
            tokio::time::sleep(pause).await;
        }
        loop {
            match self.events.next().await {
                // The start of a listing is no success yet.
                Some(Ok(Event::Init)) => return Ok(Event::Init),
                Some(Ok(event)) => {
                    self.failures = 0;
                    return Ok(event);
                }
                Some(Err(error)) => {
                    self.failures = self.failures.saturating_add(1);
                    self.pause = Some(pause(self.failures));
                    if is_too_old(&error) {
                        // The library would ask for the same version again, for ever.
                        self.events = (self.start)();
                    }
                    return Err(error);
                }
                None => self.events = (self.start)(),
            }
        }
    }
}

fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX)
}

/// Whether the watch cannot go on from where it was.
fn is_too_old(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<_> = (1..9).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
