//! Opening watches.

use std::collections::VecDeque;

use super::{Refusal, Store};
use crate::status::Status;
use crate::store::list::ListQuery;
use crate::watchers::{Delivery, Selection, WatchId, missed};

/// A request to watch.
#[derive(Debug, Clone)]
pub struct WatchQuery {
    /// Which objects.
    pub selection: Selection,
    /// The version after which events are wanted; `None` starts at the present.
    pub version: Option<u64>,
    /// Whether the objects that are there come first. `None` is yes where no version is asked for.
    pub initial_events: Option<bool>,
    /// Whether the client takes bookmarks. Without them a streaming list does not say where it ends.
    pub bookmarks: bool,
}

impl Store {
    /// Opens a watch. One that asks for a version that the history does not reach opens, and says that it cannot go
    /// on, as a real server's does.
    ///
    /// # Errors
    ///
    /// 404 for a resource that is not served, 504 for a version yet to come.
    pub fn watch(&mut self, query: WatchQuery) -> Result<WatchId, Refusal> {
        let WatchQuery { selection, version, initial_events, bookmarks } = query;
        self.collection(selection.resource)?;
        self.check_reached(version.unwrap_or_default())?;
        let queue = match (initial_events, version) {
            (Some(true), _) => self.streaming_list(&selection, bookmarks)?,
            (None, None) => self.present(&selection)?,
            (Some(false), None) => VecDeque::new(),
            (_, Some(version)) => match self.check_history(version) {
                Ok(()) => missed(&selection, self.history.after(version)),
                Err(status) => return Ok(self.failed_watch(selection, status)),
            },
        };
        Ok(self.watchers.open(selection, queue))
    }

    fn failed_watch(&mut self, selection: Selection, status: Box<Status>) -> WatchId {
        let id = self.watchers.open(selection, VecDeque::from([Delivery::Failed(status)]));
        self.watchers.end(id);
        id
    }

    fn present(&self, selection: &Selection) -> Result<VecDeque<Delivery>, Refusal> {
        let query = ListQuery {
            selection: selection.clone(),
            limit: None,
            continue_token: None,
            version: None,
            version_match: None,
        };
        Ok(self.list(&query)?.items.into_iter().map(Delivery::Added).collect())
    }

    fn streaming_list(
        &self,
        selection: &Selection,
        bookmarks: bool,
    ) -> Result<VecDeque<Delivery>, Refusal> {
        let mut queue = self.present(selection)?;
        if bookmarks {
            queue.push_back(Delivery::Bookmark { version: self.version, initial_end: true });
        }
        Ok(queue)
    }
}
