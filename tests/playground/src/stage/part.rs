//! A part of Berth that runs in this process: it can be ended in good order, or be killed, and never ends by itself.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_shell::problem::chain;
use berth_shell::signals::Stop;
use futures::FutureExt;
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::news::News;

/// What went wrong with the stage itself, and not by what is played on it. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Troubles {
    news: News,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Troubles {
    pub(super) fn new(news: News) -> Self {
        Self { news, lines: Arc::default() }
    }

    /// Says that something broke.
    pub(super) fn add(&self, text: String) {
        self.news.warn(text.clone());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Everything that broke so far.
    pub(super) fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A part that runs. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Part {
    stop: Stop,
    task: JoinHandle<()>,
}

impl Part {
    /// Runs `work`, which ends when `stop` is asked for and not before. That it does otherwise is said to `troubles`.
    pub(super) fn start<E: Error + Send + 'static>(
        name: String,
        stop: Stop,
        troubles: Troubles,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        let asked = stop.clone();
        let task = tokio::spawn(async move {
            let problem = match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) if asked.asked().now_or_never().is_some() => return,
                Ok(Ok(())) => "nobody asked it to".to_owned(),
                Ok(Err(error)) => chain(&error),
                Err(panic) => format!("it panicked: {}", said(&*panic)),
            };
            troubles.add(format!("{name} ended by itself: {problem}"));
        });
        Self { stop, task }
    }

    /// Ends it at once, like a process that is killed.
    pub(super) async fn kill(mut self) {
        self.task.abort();
        // It was cancelled, or had ended before.
        let _ended = (&mut self.task).await;
    }

    /// Ends it in good order. Answers whether it did within that time.
    pub(super) async fn end(mut self, within: Duration) -> bool {
        self.stop.ask();
        timeout(within, &mut self.task).await.is_ok()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// A place for a part, which may be kept away from it by several at once. Whoever starts or ends the part has the place to himself.
#[derive(Debug, Default)]
pub(super) struct Slot(Turn<Place>);

#[derive(Debug, Default)]
struct Place {
    running: Option<Part>,
    away: u32,
    is_over: bool,
}

impl Slot {
    /// Starts the part by `run`, unless it runs, is kept away, or is over.
    pub(super) async fn start<E>(
        &self,
        run: impl Future<Output = Result<Part, E>>,
    ) -> Result<(), E> {
        self.0.lock().await.start(run).await
    }

    /// Kills the part, and keeps it away. `before` happens when nobody can start it any more.
    pub(super) async fn keep_away(&self, before: impl FnOnce()) {
        let mut place = self.0.lock().await;
        before();
        place.away += 1;
        if let Some(part) = place.running.take() {
            part.kill().await;
        }
    }

    /// The part may come back: it is started by `run`, unless somebody else keeps it away.
    pub(super) async fn back<E>(
        &self,
        run: impl Future<Output = Result<Part, E>>,
    ) -> Result<(), E> {
        let mut place = self.0.lock().await;
        place.away = place.away.saturating_sub(1);
        place.start(run).await
    }

    /// Ends the part for good. Answers whether it ended in good order.
    pub(super) async fn end(&self, within: Duration) -> bool {
        let mut place = self.0.lock().await;
        place.is_over = true;
        match place.running.take() {
            Some(part) => part.end(within).await,
            None => true,
        }
    }
}

impl Place {
    async fn start<E>(&mut self, run: impl Future<Output = Result<Part, E>>) -> Result<(), E> {
        if self.away == 0 && self.running.is_none() && !self.is_over {
            self.running = Some(run.await?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    /// What is said when a part does this.
    async fn check(
        work: impl Future<Output = std::io::Result<()>> + Send + 'static,
        expected: &str,
    ) {
        let troubles = Troubles::new(News::default());
        let part = Part::start("it".to_owned(), Stop::unasked(), troubles.clone(), work);
        while !part.task.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!(troubles.all().join("\n"), expected);
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_told_of() {
        check(async { Ok(()) }, "it ended by itself: nobody asked it to").await;
        check(async { Err(std::io::Error::other("disk")) }, "it ended by itself: disk").await;
        check(async { panic!("by design") }, "it ended by itself: it panicked: by design").await;
    }

    #[tokio::test]
    async fn one_that_is_ended_or_killed_is_not() {
        let troubles = Troubles::new(News::default());
        let stop = Stop::unasked();
        let asked = stop.asked();
        let work = async {
            asked.await;
            Ok::<_, std::io::Error>(())
        };
        let part = Part::start("it".to_owned(), stop, troubles.clone(), work);
        assert!(part.end(Duration::from_mins(1)).await);
        let work = std::future::pending::<std::io::Result<()>>();
        let part = Part::start("it".to_owned(), Stop::unasked(), troubles.clone(), work);
        part.kill().await;
        assert_eq!(troubles.all(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn who_is_kept_away_twice_returns_once() {
        let (slot, started) = (Slot::default(), Cell::new(0));
        let run = async || {
            started.set(started.get() + 1);
            let (stop, troubles) = (Stop::unasked(), Troubles::new(News::default()));
            let asked = stop.asked();
            let work = async {
                asked.await;
                Ok::<_, Infallible>(())
            };
            Ok::<_, Infallible>(Part::start("it".to_owned(), stop, troubles, work))
        };
        let Ok(()) = slot.start(run()).await;
        let Ok(()) = slot.start(run()).await;
        assert_eq!(started.get(), 1, "it runs already");
        slot.keep_away(|| ()).await;
        slot.keep_away(|| ()).await;
        let Ok(()) = slot.back(run()).await;
        assert_eq!(started.get(), 1, "somebody else keeps it away");
        let Ok(()) = slot.back(run()).await;
        assert_eq!(started.get(), 2);
        assert!(slot.end(Duration::from_mins(1)).await);
        let Ok(()) = slot.start(run()).await;
        assert_eq!(started.get(), 2, "what is over stays so");
    }
}
