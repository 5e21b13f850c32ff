//! What is on its way: calls to EC2 and writes to Kubernetes, and what comes of them.

use std::collections::HashMap;
use std::sync::Arc;

use ipam_core::call::{Call, CallId, Reply, Request};
use ipam_core::failure::Failure;
use kube::Client;
use tokio::task::{Id, JoinError, JoinSet};

use crate::cloud::Cloud;
use crate::kubernetes::leader::Leadership;
use crate::kubernetes::publish::{Write, WriteResult, carry_out};

#[cfg(test)]
mod tests;

/// What came of something.
#[derive(Debug)]
pub(super) enum Done {
    /// A call was answered.
    Call(CallId, Box<Result<Reply, Failure>>),
    /// A `CiliumNode` was written, or not.
    Write(Arc<Write>, WriteResult),
}

/// What a task carries out.
enum Job {
    Call { id: CallId, change: Option<String> },
    Write(Arc<Write>),
}

/// What is on its way. Dropped, all of it is broken off.
pub(super) struct Work<C> {
    cloud: Arc<C>,
    client: Client,
    leadership: Leadership,
    tasks: JoinSet<Done>,
    jobs: HashMap<Id, Job>,
    calls: usize,
    mutations: usize,
}

impl<C: Cloud> Work<C> {
    pub(super) fn new(cloud: Arc<C>, client: Client, leadership: Leadership) -> Self {
        let tasks = JoinSet::new();
        Self { cloud, client, leadership, tasks, jobs: HashMap::new(), calls: 0, mutations: 0 }
    }

    /// Calls on their way.
    pub(super) const fn calls(&self) -> usize {
        self.calls
    }

    /// Calls on their way that change something.
    pub(super) const fn mutations(&self) -> usize {
        self.mutations
    }

    /// The changes on their way.
    pub(super) fn changes(&self) -> impl Iterator<Item = &str> {
        self.jobs.values().filter_map(|job| match job {
            Job::Call { change, .. } => change.as_deref(),
            Job::Write(_) => None,
        })
    }

    /// Writes on their way.
    pub(super) fn writes(&self) -> usize {
        self.jobs.len() - self.calls
    }

    /// Sends a call. One that changes something is sent only by who leads at that very moment.
    pub(super) fn call(&mut self, call: Call) {
        let id = call.id;
        let change = match &call.request {
            Request::Mutate(mutation) => Some(mutation.to_string()),
            Request::Read(_) => None,
        };
        let is_mutation = change.is_some();
        let (cloud, leadership) = (Arc::clone(&self.cloud), self.leadership.clone());
        let task = self.tasks.spawn(async move {
            if is_mutation && !leadership.is_leading() {
                let cause = "the Lease is lost".to_owned();
                return Done::Call(id, Box::new(Err(Failure::NotSent { cause })));
            }
            Done::Call(id, Box::new(cloud.call(call).await))
        });
        self.jobs.insert(task.id(), Job::Call { id, change });
        self.calls += 1;
        self.mutations += usize::from(is_mutation);
    }

    /// Sends a write, if this process leads.
    pub(super) fn write(&mut self, write: Write) {
        let (client, leadership) = (self.client.clone(), self.leadership.clone());
        let write = Arc::new(write);
        let sent = Arc::clone(&write);
        let task = self.tasks.spawn(async move {
            let result = if leadership.is_leading() {
                carry_out(&client, &sent).await
            } else {
                WriteResult::Failed { problem: "the Lease is lost".into() }
            };
            Done::Write(sent, result)
        });
        self.jobs.insert(task.id(), Job::Write(write));
    }

    /// The next thing that comes of something; waits for ever when nothing is on its way.
    pub(super) async fn next(&mut self) -> Done {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, done))) => {
                self.forget(id);
                done
            }
            Some(Err(error)) => match self.broken(&error) {
                Some(done) => done,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// What has come already.
    pub(super) fn next_now(&mut self) -> Option<Done> {
        match self.tasks.try_join_next_with_id()? {
            Ok((id, done)) => {
                self.forget(id);
                Some(done)
            }
            Err(error) => self.broken(&error),
        }
    }

    /// A task that panicked still has its answer: nobody knows what came of it.
    fn broken(&mut self, error: &JoinError) -> Option<Done> {
        let cause = error.to_string();
        Some(match self.forget(error.id())? {
            Job::Call { id, .. } => Done::Call(id, Box::new(Err(Failure::NoAnswer { cause }))),
            Job::Write(write) => Done::Write(write, WriteResult::Failed { problem: cause }),
        })
    }

    fn forget(&mut self, id: Id) -> Option<Job> {
        let job = self.jobs.remove(&id)?;
        if let Job::Call { change, .. } = &job {
            self.calls -= 1;
            self.mutations -= usize::from(change.is_some());
        }
        Some(job)
    }
}
