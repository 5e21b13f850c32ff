//! How often whom asked for what, and what the answer was.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::{Call, Verb};

/// The code of requests that got no answer.
pub const NO_ANSWER: u16 = 0;

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Counted {
    /// Name of the client.
    pub client: String,
    /// What was asked for.
    pub verb: Verb,
    /// Of what: `ciliumnodes`, `ciliumnodes/status`, or the path of a document.
    pub resource: String,
    /// HTTP status of the answer; [`NO_ANSWER`] where the connection broke before one was made.
    pub code: u16,
}

/// Requests by client, verb, resource and code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<Counted, u64>);

impl Counters {
    pub(crate) fn record(&mut self, client: &str, call: &Call, code: u16) {
        let counted = Counted {
            client: client.to_owned(),
            verb: call.verb,
            resource: call.resource.clone(),
            code,
        };
        *self.0.entry(counted).or_default() += 1;
    }

    /// How many requests `wanted` holds for.
    pub fn count(&self, wanted: impl Fn(&Counted) -> bool) -> u64 {
        self.0.iter().filter(|(counted, _)| wanted(counted)).map(|(_, times)| times).sum()
    }

    /// Successful writes to a resource by anybody, those to its subresources included.
    #[must_use]
    pub fn writes(&self, resource: &str) -> u64 {
        self.count(|counted| {
            let plural = counted.resource.split('/').next().unwrap_or_default();
            counted.verb.is_write() && plural == resource && (200..300).contains(&counted.code)
        })
    }

    /// Everything that was counted, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Counted, u64)> {
        self.0.iter().map(|(counted, &times)| (counted, times))
    }
}
