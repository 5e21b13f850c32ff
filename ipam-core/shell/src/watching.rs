//! A watch that never ends: it goes on after whatever breaks it, ever more slowly while nothing works.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};

/// Objects in a page of a listing.
const PAGE: u32 = 500;

/// The pause after the first failure. Doubled with each in a row.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// After this time without a failure, the next one counts as the first.
const CALM: Duration = Duration::from_mins(1);

/// How long the next page of a listing is waited for. An API server gives up after a minute by itself.
const PAGE_PATIENCE: Duration = Duration::from_secs(65);

/// Lists and watches the objects that `fields` selects, for ever. Paged lists and plain watches, because API servers
/// from before Kubernetes 1.34 refuse streaming lists.
///
/// An error is handed on once for each failure, and then the next attempt waits.
pub fn watch<K>(
    api: Api<K>,
    fields: Option<&str>,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let field_selector = fields.map(str::to_owned);
    follow(api, watcher::Config { field_selector, ..watcher::Config::default() })
}

/// The same of all objects, with each watch asked for anew after so many seconds, so that one whose connection the network forgot goes
/// unnoticed for hardly longer.
pub fn watch_anew_after<K>(
    api: Api<K>,
    seconds: u32,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    follow(api, watcher::Config::default().timeout(seconds))
}

fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let start = move || watcher::watcher(api.clone(), config.clone().page_size(PAGE)).boxed();
    let state =
        Watch { events: start(), start, lists: true, failures: 0, failed: None, pause: None };
    stream::unfold(state, async |mut state| {
        let event = state.next().await;
        Some((event, state))
    })
}

/// A watch and how often it failed in a row.
struct Watch<K: Resource, F> {
    events: BoxStream<'static, Result<Event<K>, watcher::Error>>,
    start: F,
    /// Whether objects are being listed. After that, nothing may happen for long.
    lists: bool,
    failures: u32,
    /// When the last failure was.
    failed: Option<Instant>,
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
            sleep(pause).await;
        }
        loop {
            match self.poll().await {
                Some(Ok(event)) => {
                    match event {
                        Event::Init => self.lists = true,
                        // As long as a listing goes on, it is no success.
                        Event::InitApply(_) => {}
                        Event::InitDone => self.lists = false,
                        Event::Apply(_) | Event::Delete(_) => self.failures = 0,
                    }
                    return Ok(event);
                }
                Some(Err(error)) => {
                    self.fail();
                    if is_too_old(&error) {
                        // The library would ask for the same version again, for ever.
                        self.restart();
                    }
                    return Err(error);
                }
                None => self.restart(),
            }
        }
    }

    /// The next event, or an error in the place of a page that does not come.
    async fn poll(&mut self) -> Option<Result<Event<K>, watcher::Error>> {
        if !self.lists {
            return self.events.next().await;
        }
        let Ok(event) = timeout(PAGE_PATIENCE, self.events.next()).await else {
            self.restart();
            let problem = format!("no answer within {PAGE_PATIENCE:?}");
            let error = kube::Error::Service(problem.into());
            return Some(Err(watcher::Error::InitialListFailed(error)));
        };
        event
    }

    fn restart(&mut self) {
        self.events = (self.start)();
        self.lists = true;
    }

    fn fail(&mut self) {
        let now = Instant::now();
        let before = self.failed.replace(now);
        let in_a_row = before.is_some_and(|before| now < before + CALM);
        self.failures = if in_a_row { self.failures.saturating_add(1) } else { 1 };
        self.pause = Some(pause(self.failures));
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
