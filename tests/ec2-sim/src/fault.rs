//! Faults: rules that say of which calls what goes wrong.
//!
//! A rule matches calls by action, by what they are about, and by caller; its trigger says which of the matching calls it fires at. All
//! chance comes from the seed that the rules were given, so that a run with faults is as repeatable as one without. The rules only
//! decide: what fires comes back as [`Fired`], and the machine carries it out, before the action or after it.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::request::Action;
use crate::time::Moment;

mod checked;
mod effect;
mod fired;
mod subjects;
#[cfg(test)]
mod tests;

pub use self::effect::{Code, Drop, Effect, ForeignAct, Timing};
pub use self::fired::Fired;
pub use self::subjects::Subjects;

/// Which calls it is about, at which of them it fires, and what happens then. What is not said restricts nothing.
///
/// As JSON: `{"action": "CreateNetworkInterface", "nth": 1, "effect": {"commit-then-drop": "cut"}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Calls of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Calls about this interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceId>,
    /// Calls about this subnet, or an interface in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// Calls about this instance, or an interface that is attached to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Calls with this access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// At the matching call of this number, from 1.
    #[serde(
        default,
        deserialize_with = "checked::from_one",
        skip_serializing_if = "Option::is_none"
    )]
    pub nth: Option<u64>,
    /// At each call whose number is a multiple of this.
    #[serde(
        default,
        deserialize_with = "checked::from_one",
        skip_serializing_if = "Option::is_none"
    )]
    pub every: Option<u64>,
    /// With this chance, from 0 to 1.
    #[serde(
        default,
        deserialize_with = "checked::probability",
        skip_serializing_if = "Option::is_none"
    )]
    pub probability: Option<f64>,
    /// Not before, in milliseconds since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Not at or after, in milliseconds since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// At most so many times; 1 for once.
    #[serde(
        default,
        deserialize_with = "checked::from_one",
        skip_serializing_if = "Option::is_none"
    )]
    pub times: Option<u64>,
    /// What happens.
    pub effect: Effect,
}

impl Rule {
    /// A rule that fires at every call.
    #[must_use]
    pub const fn always(effect: Effect) -> Self {
        Self {
            action: None,
            interface: None,
            subnet: None,
            instance: None,
            caller: None,
            nth: None,
            every: None,
            probability: None,
            from_ms: None,
            until_ms: None,
            times: None,
            effect,
        }
    }

    /// A rule that fires at the call of that number, from 1, of that action.
    #[must_use]
    pub fn nth(action: Action, nth: u64, effect: Effect) -> Self {
        let always = Self::always(effect);
        Self { action: Some(action), nth: Some(nth), ..always }
    }

    fn matches(&self, call: &Call<'_>) -> bool {
        let action = self.action.is_none_or(|action| call.action == Some(action));
        let caller = self.caller.as_ref().is_none_or(|caller| caller == call.access_key);
        action && caller && call.subjects.include(self)
    }

    fn is_due(&self, now: Moment, number: u64, fired: u64) -> bool {
        let milliseconds = now.as_micros() / 1_000;
        self.nth.is_none_or(|nth| nth == number)
            && self.every.is_none_or(|every| number.is_multiple_of(every))
            && self.from_ms.is_none_or(|from| from <= milliseconds)
            && self.until_ms.is_none_or(|until| milliseconds < until)
            && self.times.is_none_or(|times| fired < times)
    }
}

/// A call, as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is asked; none when it is unknown.
    pub action: Option<Action>,
    /// By whom.
    pub access_key: &'a str,
    /// What it is about.
    pub subjects: &'a Subjects,
}

/// A rule and how often it has matched and fired.
#[derive(Debug, Clone)]
struct Armed {
    number: u64,
    rule: Rule,
    rng: Rng,
    matched: u64,
    fired: u64,
}

/// All rules.
#[derive(Debug, Clone)]
pub struct Rules {
    armed: Vec<Armed>,
    rng: Rng,
    added: u64,
}

/// How a rule fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Under which number it was added.
    pub number: u64,
    /// The rule.
    pub rule: Rule,
    /// How many calls it has matched.
    pub matched: u64,
    /// At how many it has fired.
    pub fired: u64,
}

impl Rules {
    /// No rules, and the randomness of those that will be added. Each has its own: none shifts the draws of another.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self { armed: Vec::new(), rng, added: 0 }
    }

    /// Adds a rule. Returns the number by which it can be removed.
    pub fn add(&mut self, rule: Rule) -> u64 {
        let number = self.added;
        self.added += 1;
        self.armed.push(Armed { number, rule, rng: self.rng.fork(), matched: 0, fired: 0 });
        number
    }

    /// Removes the rule of that number. Returns whether there was one.
    pub fn remove(&mut self, number: u64) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.number != number);
        self.armed.len() < before
    }

    /// Removes all rules.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// Whether there are no rules: then nothing needs to be known of a call.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Every rule and how it fares, in the order they were added.
    pub fn standings(&self) -> impl Iterator<Item = Standing> {
        self.armed.iter().map(|armed| Standing {
            number: armed.number,
            rule: armed.rule.clone(),
            matched: armed.matched,
            fired: armed.fired,
        })
    }

    /// How far back readers may be shown the world: what is older than that need not be kept.
    #[must_use]
    pub fn longest_stale_read(&self) -> std::time::Duration {
        let lags = self.armed.iter().map(|armed| armed.rule.effect.stale_for());
        lags.max().unwrap_or_default()
    }

    /// Counts a call for every rule that matches it, and says what fires.
    pub fn fire(&mut self, now: Moment, call: &Call<'_>) -> Fired {
        let mut fired = Fired::default();
        for armed in &mut self.armed {
            if !armed.rule.matches(call) {
                continue;
            }
            armed.matched += 1;
            if !armed.rule.is_due(now, armed.matched, armed.fired) {
                continue;
            }
            if armed.rule.probability.is_some_and(|chance| armed.rng.f64() >= chance) {
                continue;
            }
            armed.fired += 1;
            fired.add(armed.rule.effect.clone());
        }
        fired
    }
}
