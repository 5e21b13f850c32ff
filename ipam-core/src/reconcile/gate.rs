//! What EC2 refused for now: a subnet, a quota, a permission. Nobody asks until the time is up; then one
//! asks while the others still wait.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::call::{Api, CallId};
use crate::ids::SubnetId;
use crate::time::Tick;

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GateKey {
    /// An action that is not allowed.
    Permission(Api),
    /// The quota of interfaces.
    Quota,
    /// Single addresses of a subnet.
    Addresses(SubnetId),
    /// Prefixes of a subnet.
    Prefixes(SubnetId),
}

#[derive(Debug, Clone)]
struct Gate {
    closed: Tick,
    until: Tick,
    step: Duration,
    probe: Option<CallId>,
}

/// All that is refused at present.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: BTreeMap<GateKey, Gate>,
}

impl Gates {
    /// Whether it must not be asked for now.
    pub(super) fn is_closed(&self, key: &GateKey, now: Tick) -> bool {
        self.gates.get(key).is_some_and(|gate| gate.probe.is_some() || now < gate.until)
    }

    /// Whether it was refused and was not granted since.
    pub(super) fn exists(&self, key: &GateKey) -> bool {
        self.gates.contains_key(key)
    }

    /// It was refused to a call that was sent at `sent`. Answers with the time until which it stays closed. Calls
    /// that were under way together count as one refusal.
    pub(super) fn refuse(
        &mut self,
        key: &GateKey,
        now: Tick,
        sent: Tick,
        (first, most): (Duration, Duration),
    ) -> Tick {
        let gate = self.gates.entry(key.clone()).or_insert(Gate {
            closed: now,
            until: now + first,
            step: first,
            probe: None,
        });
        if sent > gate.closed {
            gate.step = (gate.step * 2).min(most);
            gate.closed = now;
            gate.until = now + gate.step;
            gate.probe = None;
        }
        gate.until
    }

    /// A call asks for it. If it was refused before, the call is the probe.
    pub(super) fn ask(&mut self, key: &GateKey, call: CallId) -> bool {
        match self.gates.get_mut(key) {
            Some(gate) if gate.probe.is_none() => {
                gate.probe = Some(call);
                true
            }
            _ => false,
        }
    }

    /// It was granted to a call that was sent at `sent`. Answers whether it had been refused before.
    pub(super) fn grant(&mut self, key: &GateKey, sent: Tick) -> bool {
        let granted = self.gates.get(key).is_some_and(|gate| sent > gate.closed);
        if granted {
            self.gates.remove(key);
        }
        granted
    }

    /// The call told neither. Answers whether it was the probe, and another may ask now.
    pub(super) fn let_go(&mut self, key: &GateKey, call: CallId) -> bool {
        match self.gates.get_mut(key) {
            Some(gate) if gate.probe == Some(call) => {
                gate.probe = None;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(seconds: u64) -> Tick {
        Tick::from_millis(seconds * 1000)
    }

    const STEPS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(30));

    #[test]
    fn one_probe_then_twice_as_long() {
        let (mut gates, key) = (Gates::default(), GateKey::Quota);
        assert_eq!(gates.refuse(&key, tick(0), tick(0), STEPS), tick(10));
        assert_eq!(gates.refuse(&key, tick(1), tick(0), STEPS), tick(10));
        assert!(gates.is_closed(&key, tick(9)) && !gates.is_closed(&key, tick(10)));
        assert!(gates.ask(&key, CallId(7)) && gates.is_closed(&key, tick(12)));
        assert!(gates.let_go(&key, CallId(7)) && !gates.is_closed(&key, tick(12)));
        assert!(gates.ask(&key, CallId(8)));
        assert_eq!(gates.refuse(&key, tick(13), tick(12), STEPS), tick(33), "doubled");
        assert_eq!(
            gates.refuse(&key, tick(40), tick(40), STEPS),
            tick(70),
            "and no more than that"
        );
        assert!(!gates.grant(&key, tick(39)) && gates.grant(&key, tick(41)));
        assert!(!gates.is_closed(&key, tick(41)));
    }
}
