//! Which change is sent next.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::clean_up::{Looking, Unclaimed};
use super::gate::GateKey;
use super::line::Place;
use super::reads::NodesReading;
use super::record::Slot;
use super::vpc::Part;
use super::{Event, Reconciler};
use crate::action::{Action, Ipv4Ask};
use crate::call::{Api, Call, CallId, Mutation, Read, Request};
use crate::ids::{InstanceType, SubnetId, VpcId};
use crate::time::Tick;

/// A call that is not answered yet.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) at: Tick,
    pub(super) api: Api,
    pub(super) what: What,
}

/// What a call is for.
#[derive(Debug)]
pub(super) enum What {
    /// A change for a node.
    Change(Change),
    /// One page of a reading of nodes or interfaces.
    Nodes(Box<NodesReading>),
    /// One page of a reading of a VPC.
    Part(VpcId, Part),
    /// One page of a look for interfaces that no node claims.
    Look(Box<Looking>),
    /// The deletion of one of them.
    CleanUp(Box<Unclaimed>),
    /// What instance types can hold.
    Types(BTreeSet<InstanceType>),
}

/// A change that was sent.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) slot: Slot,
    pub(super) action: Action,
    pub(super) subnet: Option<SubnetId>,
    pub(super) token: String,
    pub(super) first_sent: Tick,
}

impl Reconciler {
    pub(super) fn next_id(&mut self) -> CallId {
        self.last_call += 1;
        CallId(self.last_call)
    }

    /// The next change to send.
    pub(super) fn next_change(&mut self) -> Option<Call> {
        while let Some((api, slot)) = self.next_in_line() {
            let wishes = self.wishes(slot);
            if !wishes.wants(api) {
                self.settle(slot, wishes);
                continue;
            }
            if !self.budget.take(self.now, api) {
                return None;
            }
            let resent = if wishes.resend { self.resend(api, slot) } else { None };
            if resent.is_some() {
                return resent;
            }
            let action = wishes.actions.into_iter().find(|action| action.api() == api)?;
            return self.send(slot, action);
        }
        None
    }

    /// Who is next of all actions that have a token: the most urgent, then the oldest.
    fn next_in_line(&self) -> Option<(Api, Slot)> {
        let first = |api: &Api| {
            let (place, slot) = self.line.first(*api)?;
            self.budget.next_token(self.now, *api).is_none().then_some((place, slot, *api))
        };
        let (_, slot, api) = Api::ALL.iter().filter_map(first).min()?;
        Some((api, slot))
    }

    /// When the next token of an action that something waits for is there.
    pub(super) fn next_token(&self) -> Option<Tick> {
        let waits = |api: &&Api| {
            let in_line = !self.line.is_empty(**api) || self.waits_to_read(**api);
            in_line || **api == Api::DeleteNetworkInterface && self.clean_up.waits_to_delete()
        };
        let waiting = Api::ALL.iter().filter(waits);
        waiting.map(|api| self.budget.next_token(self.now, *api).unwrap_or(self.now)).min()
    }

    fn send(&mut self, slot: Slot, action: Action) -> Option<Call> {
        let (id, now) = (self.next_id(), self.now);
        let token = format!("{}-{}", self.settings.token_salt, id.0);
        self.network.reserve(core::slice::from_ref(&action));
        for key in gate_keys(&action) {
            if self.gates.ask(&key, id) {
                self.show_refusal(&key);
            }
        }
        if matches!(action, Action::CreateEni(_)) && self.settings.creations_per_hour.is_some() {
            self.creations.note(now, 1);
            self.expire_creations();
        }
        if let Some((subnet, _)) = action.asks_of_subnet() {
            self.note_demand(&subnet.clone());
        }
        self.unassign_sent(slot, &action);
        self.detach_sent(slot, &action);
        let record = self.nodes.get_mut(slot)?;
        record.view.as_mut()?.in_flight.push(action.clone());
        let call = self.hand_out(id, slot, action, token, now);
        self.touch(slot);
        call
    }

    /// Sends a creation without an answer again, the same to the letter.
    fn resend(&mut self, api: Api, slot: Slot) -> Option<Call> {
        let now = self.now;
        let record = self.nodes.get_mut(slot)?;
        let mut resends = record.resends.iter_mut();
        let due =
            resends.find(|it| !it.is_under_way && it.next <= now && it.action.api() == api)?;
        due.is_under_way = true;
        let (action, token, first_sent) = (due.action.clone(), due.token.clone(), due.first_sent);
        let id = self.next_id();
        let call = self.hand_out(id, slot, action, token, first_sent);
        #[cfg(feature = "planted")]
        let call = call.map(with_another_token);
        self.touch(slot);
        call
    }

    fn hand_out(
        &mut self,
        id: CallId,
        slot: Slot,
        action: Action,
        token: String,
        first_sent: Tick,
    ) -> Option<Call> {
        let (now, api) = (self.now, action.api());
        self.line.served(api);
        let subnet = self.subnet_of(slot, &action);
        let record = self.nodes.get_mut(slot)?;
        let place = record.queued.remove(&api);
        self.line.set(api, slot, place, None);
        let waited = place.map_or(now, |Place { since, .. }| since);
        let (node, instance) = (record.seen.name.clone(), record.instance()?.clone());
        self.out.say(Event::Sent {
            call: id,
            api,
            change: Some((node.clone(), action.clone())),
            waited: now.since(waited),
        });
        let change =
            Change { slot, action: action.clone(), subnet, token: token.clone(), first_sent };
        self.calls.insert(id, Sent { at: now, api, what: What::Change(change) });
        let mutation = Mutation { node: Some(node), instance, action, token, first_sent };
        Some(Call { id, request: Request::Mutate(mutation) })
    }

    /// The subnet that an action is about.
    fn subnet_of(&self, slot: Slot, action: &Action) -> Option<SubnetId> {
        if let Some((subnet, _)) = action.asks_of_subnet() {
            return Some(subnet.clone());
        }
        let view = self.nodes.get(slot)?.view.as_ref()?;
        let eni = view.enis.iter().find(|eni| Some(&eni.id) == action.eni())?;
        Some(eni.subnet.clone())
    }

    /// Hands out a reading.
    pub(super) fn read(&mut self, read: Read, what: What) -> Option<Call> {
        let (now, api) = (self.now, read.api());
        if !self.budget.take(now, api) {
            return None;
        }
        let id = self.next_id();
        let waited = core::time::Duration::ZERO;
        self.out.say(Event::Sent { call: id, api, change: None, waited });
        self.calls.insert(id, Sent { at: now, api, what });
        Some(Call { id, request: Request::Read(read) })
    }
}

/// What an action asks for that may be refused for all.
pub(super) fn gate_keys(action: &Action) -> alloc::vec::Vec<GateKey> {
    let mut keys = alloc::vec![GateKey::Permission(action.api())];
    match action {
        Action::AssignAddresses { subnet, .. } => keys.push(GateKey::Addresses(subnet.clone())),
        Action::AssignPrefixes { subnet, .. } => keys.push(GateKey::Prefixes(subnet.clone())),
        Action::CreateEni(create) => {
            keys.push(GateKey::Quota);
            // What is made now is the one that is attached to find out whether that is allowed again.
            keys.push(GateKey::Permission(Api::AttachNetworkInterface));
            keys.push(GateKey::Addresses(create.subnet.clone()));
            if matches!(create.ipv4, Ipv4Ask::Prefixes(1..)) {
                keys.push(GateKey::Prefixes(create.subnet.clone()));
            }
        }
        _ => {}
    }
    keys
}

/// [`DoubleCreate`](crate::planted::Bug::DoubleCreate).
#[cfg(feature = "planted")]
fn with_another_token(mut call: Call) -> Call {
    if crate::planted::is(crate::planted::Bug::DoubleCreate)
        && let Request::Mutate(mutation) = &mut call.request
    {
        mutation.token = format!("{}-{}", mutation.token, call.id.0);
    }
    call
}
