//! What goes wrong, for whom and when: rules that are held against every request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Call, Verb};
use crate::status::Status;

/// One rule. A member that is left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// Name of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Of what: `ciliumnodes` or `ciliumnodes/status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Name of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which of the requests that match.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub effect: Effect,
}

/// Which of the requests that match a rule it affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// The n-th alone, counted from 1.
    Nth(u64),
    /// The n-th, 2n-th, 3n-th and so on.
    Every(u64),
    /// The first n.
    First(u64),
    /// Those within a span of time, in milliseconds since the rule was made.
    #[serde(rename_all = "camelCase")]
    Between {
        /// When it begins to hold.
        from_millis: u64,
        /// When it ends to hold.
        until_millis: u64,
    },
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Updates, patches and deletes get 409, as if somebody else had been faster.
    Conflict,
    /// The watch breaks off after so many events.
    CutWatch {
        /// Events that still come through.
        after_events: u64,
    },
    /// Gets and lists see the state as of so many writes ago, or as far back as the history reaches.
    Stale {
        /// Writes, of any resource.
        writes_behind: u64,
    },
    /// Gets and lists see the state as of a version, or as far back as the history reaches.
    AsOf {
        /// The version.
        resource_version: u64,
    },
    /// The request waits before it is looked at.
    Latency {
        /// How long.
        millis: u64,
    },
    /// 429.
    TooManyRequests {
        /// What the header `Retry-After` says.
        retry_after_seconds: u32,
    },
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
    /// The request is done, and the connection breaks before the answer.
    CommitThenDrop,
    /// The connection breaks before the request is done.
    DropBeforeCommit,
    /// Every request of the client breaks off, and its open watches are silent as long as the rule holds.
    Refuse,
    /// Every request of the client hangs as long as the rule holds and then breaks off, and its open watches are
    /// silent that long.
    Partition,
}

impl Effect {
    /// Whether the effect makes sense for the verb. A rule does not count requests for which it makes none.
    const fn concerns(self, verb: Verb) -> bool {
        match self {
            Self::Conflict => matches!(verb, Verb::Update | Verb::Patch | Verb::Delete),
            Self::CutWatch { .. } => matches!(verb, Verb::Watch),
            Self::Stale { .. } | Self::AsOf { .. } => matches!(verb, Verb::Get | Verb::List),
            _ => true,
        }
    }

    const fn separates(self) -> bool {
        matches!(self, Self::Refuse | Self::Partition)
    }
}

/// The number of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleId(pub u64);

/// What the rules make of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Verdict {
    /// How long it waits first: the sum of all rules.
    pub(crate) latency: Duration,
    /// What then happens, by the first rule that says anything.
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Fate {
    /// It is answered.
    #[default]
    Answered,
    /// It is answered from the past.
    AsOf(Past),
    /// A watch is answered with so many events.
    Cut(u64),
    /// It gets this instead.
    Told(Box<Status>),
    /// The connection breaks before it is done.
    Dropped,
    /// It is done, and the connection breaks.
    Unanswered,
    /// It hangs until nothing separates the client any more.
    Hangs,
}

/// Which past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    Behind(u64),
    Version(u64),
}

#[derive(Debug, Clone)]
struct Active {
    id: RuleId,
    rule: Rule,
    /// Since the simulator started.
    made: Duration,
    matched: u64,
}

impl Active {
    fn holds_at(&self, now: Duration) -> bool {
        let When::Between { from_millis, until_millis } = self.rule.when else { return true };
        let age = now.saturating_sub(self.made).as_millis();
        u128::from(from_millis) <= age && age < u128::from(until_millis)
    }

    fn matches(&self, client: &str, call: &Call) -> bool {
        let Rule { client: only, verb, resource, name, effect, .. } = &self.rule;
        only.as_ref().is_none_or(|only| only == client)
            && verb.is_none_or(|verb| verb == call.verb)
            && resource.as_ref().is_none_or(|resource| *resource == call.resource)
            && name.as_ref().is_none_or(|name| call.name.as_ref() == Some(name))
            && effect.concerns(call.verb)
    }

    /// Counts a request that matches, and says whether it is affected.
    fn affects(&mut self, now: Duration) -> bool {
        self.matched += 1;
        match self.rule.when {
            When::Always => true,
            When::Nth(n) => self.matched == n,
            When::Every(n) => self.matched.checked_rem(n) == Some(0),
            When::First(n) => self.matched <= n,
            When::Between { .. } => self.holds_at(now),
        }
    }
}

/// The rules that are in force, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    made: u64,
    rules: Vec<Active>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule, now: Duration) -> RuleId {
        self.made += 1;
        let id = RuleId(self.made);
        self.rules.push(Active { id, rule, made: now, matched: 0 });
        id
    }

    /// Whether there was such a rule.
    pub(crate) fn remove(&mut self, id: RuleId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|active| active.id != id);
        self.rules.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.rules.iter().map(|active| (active.id, &active.rule))
    }

    /// Holds the rules against a request.
    pub(crate) fn judge(&mut self, client: &str, call: &Call, now: Duration) -> Verdict {
        let mut verdict = Verdict::default();
        for active in &mut self.rules {
            if !active.matches(client, call) || !active.affects(now) {
                continue;
            }
            if let Effect::Latency { millis } = active.rule.effect {
                verdict.latency += Duration::from_millis(millis);
            } else if verdict.fate == Fate::Answered {
                verdict.fate = fate(active.rule.effect, call);
            }
        }
        verdict
    }

    /// Whether a client hears nothing of its open watches.
    pub(crate) fn separates(&self, client: &str, now: Duration) -> bool {
        self.rules.iter().any(|active| {
            active.rule.effect.separates()
                && active.rule.client.as_ref().is_none_or(|only| only == client)
                && active.holds_at(now)
        })
    }
}

fn fate(effect: Effect, call: &Call) -> Fate {
    match effect {
        Effect::Conflict => {
            let name = call.name.as_deref().unwrap_or_default();
            Fate::Told(Status::conflict(&call.resource, name).into())
        }
        Effect::CutWatch { after_events } => Fate::Cut(after_events),
        Effect::Stale { writes_behind } => Fate::AsOf(Past::Behind(writes_behind)),
        Effect::AsOf { resource_version } => Fate::AsOf(Past::Version(resource_version)),
        Effect::Latency { .. } => Fate::Answered,
        Effect::TooManyRequests { retry_after_seconds } => {
            Fate::Told(Status::too_many_requests(retry_after_seconds).into())
        }
        Effect::InternalError => Fate::Told(Status::internal_error("a planned fault").into()),
        Effect::Unavailable => Fate::Told(Status::service_unavailable("a planned fault").into()),
        Effect::CommitThenDrop => Fate::Unanswered,
        Effect::DropBeforeCommit | Effect::Refuse => Fate::Dropped,
        Effect::Partition => Fate::Hangs,
    }
}
