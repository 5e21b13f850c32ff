//! The metadata service of an instance (IMDSv2), as a function of what it sees of the world: EC2 user guide, "Instance metadata
//! categories" and "Use IMDSv2".
//!
//! It lags behind the API, as the world's metadata reader does, and where reads may be stale the keys of a new interface can be missing
//! for a moment while its directory is there already. Requests without a token (`IMDSv1`) are refused.

mod leaves;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::assumption::Assumption;
use crate::id::InstanceId;
use crate::machine::Ec2;
use crate::model::InstanceState;
use crate::staleness::Mode;
use crate::time::Moment;

/// The longest life of a token, in seconds: six hours.
const TTL_MAX: u64 = 21_600;

/// How many characters a token has.
const TOKEN_LENGTH: usize = 56;

/// A request to the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// Whether the method is PUT, by which tokens are asked for; GET otherwise.
    pub put: bool,
    /// The path, such as `/latest/meta-data/instance-id`.
    pub path: &'a str,
    /// The header `X-aws-ec2-metadata-token-ttl-seconds`.
    pub ttl: Option<&'a str>,
    /// The header `X-aws-ec2-metadata-token`.
    pub token: Option<&'a str>,
    /// Whether there is a header `X-Forwarded-For`: no proxy gets a token.
    pub forwarded: bool,
}

/// What the service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The HTTP status.
    pub status: u16,
    /// The body: text, but for refusals.
    pub body: String,
    /// How many seconds the token of the body is good for.
    pub ttl: Option<u64>,
}

impl Found {
    const fn text(body: String) -> Self {
        Self { status: 200, body, ttl: None }
    }

    /// A refusal, as a page for people.
    fn refused(status: u16, name: &str) -> Self {
        let body = format!(
            "<html><head><title>{status} - {name}</title></head><body><h1>{status} - {name}</h1></body></html>\n"
        );
        Self { status, body, ttl: None }
    }

    fn nothing() -> Self {
        Self::refused(404, "Not Found")
    }
}

/// The services of all instances: what they must remember between requests.
#[derive(Debug)]
pub struct Services {
    rng: fastrand::Rng,
    tokens: BTreeMap<String, (InstanceId, Moment)>,
    /// When the directory of an interface was first seen, by hardware address; none when it had been there before.
    appeared: BTreeMap<InstanceId, BTreeMap<String, Option<Moment>>>,
}

impl Services {
    /// Services that have given out no tokens. `seed` is what tokens come from.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            tokens: BTreeMap::new(),
            appeared: BTreeMap::new(),
        }
    }

    /// Answers what a program on `instance` asks.
    pub fn answer(
        &mut self,
        ec2: &Ec2,
        now: Moment,
        instance: &InstanceId,
        query: Query<'_>,
    ) -> Found {
        let path = query.path.trim_start_matches('/');
        match (query.put, path) {
            (true, "latest/api/token") => self.token(now, instance, query),
            (true, _) => Found::refused(405, "Method Not Allowed"),
            (false, _) if !self.admits(now, instance, query.token) => {
                Found::refused(401, "Unauthorized")
            }
            (false, _) => {
                self.get(ec2, now, instance, path).map_or_else(Found::nothing, Found::text)
            }
        }
    }

    fn token(&mut self, now: Moment, instance: &InstanceId, query: Query<'_>) -> Found {
        if query.forwarded {
            return Found::refused(403, "Forbidden");
        }
        let digits = query.ttl.filter(|ttl| ttl.bytes().all(|byte| byte.is_ascii_digit()));
        let seconds = digits.and_then(|ttl| ttl.parse::<u64>().ok());
        let Some(seconds) = seconds.filter(|seconds| (1..=TTL_MAX).contains(seconds)) else {
            return Found::refused(400, "Bad Request");
        };
        self.tokens.retain(|_, (_, until)| now < *until);
        let token: String = (0..TOKEN_LENGTH - 2).map(|_| self.rng.alphanumeric()).collect();
        let token = token + "==";
        self.tokens.insert(token.clone(), (instance.clone(), now + Duration::from_secs(seconds)));
        Found { status: 200, body: token, ttl: Some(seconds) }
    }

    fn admits(&self, now: Moment, instance: &InstanceId, token: Option<&str>) -> bool {
        let known = token.and_then(|token| self.tokens.get(token));
        known.is_some_and(|(owner, until)| owner == instance && now < *until)
    }

    /// The leaf at `path`, or what the directory there holds.
    fn get(&mut self, ec2: &Ec2, now: Moment, instance: &InstanceId, path: &str) -> Option<String> {
        let view = ec2.world().metadata(now);
        let machine = view.instance(instance)?;
        if matches!(machine.state, InstanceState::Stopped | InstanceState::Terminated) {
            return None;
        }
        let leaves = leaves::of(ec2, view, machine);
        let hidden = self.hidden(ec2, now, instance, &leaves);
        // A slash behind a key does no harm: botocore asks for `placement/availability-zone/`.
        let key = path.trim_end_matches('/');
        if let Some(value) = leaves.get(key) {
            return (!hidden.contains(key)).then(|| value.clone());
        }
        list(leaves.keys(), path)
    }

    /// The keys of interfaces that have just appeared, and are not there yet.
    fn hidden(
        &mut self,
        ec2: &Ec2,
        now: Moment,
        instance: &InstanceId,
        leaves: &BTreeMap<String, String>,
    ) -> BTreeSet<String> {
        let settings = ec2.settings();
        let window = settings.assumptions.duration(Assumption::MetadataLeafWindow);
        if settings.staleness == Mode::Strong || window.is_zero() {
            return BTreeSet::new();
        }
        // What is there when an instance asks first has been there before.
        let known = self.appeared.entry(instance.clone()).or_default();
        let since = if known.is_empty() { None } else { Some(now) };
        let mut hidden = BTreeSet::new();
        for key in leaves.keys() {
            let Some((mac, leaf)) = leaves::of_interface(key) else { continue };
            let appeared = *known.entry(mac.to_owned()).or_insert(since);
            let delay = leaves::delay(mac, leaf, window);
            if appeared.is_some_and(|appeared| now.since(appeared) < delay) {
                hidden.insert(key.clone());
            }
        }
        hidden
    }
}

/// What stands in the directory `path`, a name a line, directories with a slash behind them; none when there is no such directory.
fn list<'a>(leaves: impl Iterator<Item = &'a String>, path: &str) -> Option<String> {
    let directory = path.trim_end_matches('/');
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let inside = leaves.filter_map(|leaf| leaf.strip_prefix(&prefix));
    let names: BTreeSet<String> = inside
        .map(|rest| match rest.split_once('/') {
            Some((directory, _)) => format!("{directory}/"),
            None => rest.to_owned(),
        })
        .collect();
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join("\n"))
}
