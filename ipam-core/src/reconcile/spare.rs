//! What a node has to spare, and what keeps it there, for whoever wonders why it does not go back.

use core::fmt;

use super::gate::GateKey;
use super::record::Record;
use super::{Mode, Reconciler};
use crate::call::Api;
use crate::demand::excess;
use crate::release::{Releases, State, Usage, size};
use crate::view::{Contract, NodeView};

/// Why addresses that a node has to spare are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The mode is [`Mode::Observe`].
    OnlyObserved,
    /// Nothing is given back: by the mode [`Mode::NoRelease`], or because release is off.
    SwitchedOff,
    /// Somebody else does the operator's work.
    RivalOperator,
    /// EC2 does not allow to unassign addresses.
    MissingPermission,
    /// Not all is known for certain by which something could be taken from the node.
    Uncertain,
    /// The agent has not said yet what it keeps, or nothing since it was shown more.
    AgentSilent,
    /// As much as the cap allows was given back within the last hour.
    CapReached {
        /// The cap, in addresses of all nodes together.
        per_hour: u32,
    },
    /// The agent has refused some of them.
    AgentRefused,
    /// The agent is asked and has not answered.
    AgentAsked,
    /// They have not been one too many for long enough.
    Delay,
    /// Nothing but the time that an agreement has to stand, and EC2's answer.
    Leaving,
    /// No prefix can go as a whole, and no single address is free.
    InUse,
}

impl Kept {
    /// A short fixed name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OnlyObserved => "OnlyObserved",
            Self::SwitchedOff => "SwitchedOff",
            Self::RivalOperator => "RivalOperator",
            Self::MissingPermission => "MissingPermission",
            Self::Uncertain => "Uncertain",
            Self::AgentSilent => "AgentSilent",
            Self::CapReached { .. } => "CapReached",
            Self::AgentRefused => "AgentRefused",
            Self::AgentAsked => "AgentAsked",
            Self::Delay => "Delay",
            Self::Leaving => "Leaving",
            Self::InUse => "InUse",
        }
    }
}

/// A sentence with what to do, where something can be done.
impl fmt::Display for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::OnlyObserved => "they would go back in the mode normal",
            Self::SwitchedOff => {
                "nothing is given back with --aws-release-excess-ips=false or --mode=no-release"
            }
            Self::RivalOperator => "somebody else does the operator's work: nothing is changed until they stop",
            Self::MissingPermission => {
                "UnassignPrivateIpAddresses is not allowed: `berth-operator check` says what to grant"
            }
            Self::Uncertain => {
                "what its agent says cannot be read in full, or EC2 has not shown all of it lately"
            }
            Self::AgentSilent => {
                "its agent has not said yet which CIDRs it keeps, or nothing since it was shown more: see its log if that lasts"
            }
            Self::CapReached { per_hour } => {
                return write!(
                    out,
                    "{per_hour} addresses were given back within an hour, and no more may be: --max-address-releases-per-hour"
                );
            }
            Self::AgentRefused => {
                "its agent has refused (do-not-release): it is asked again ten minutes later"
            }
            Self::AgentAsked => "its agent is asked and has not answered: see its log if that lasts",
            Self::Delay => "they are not to spare for long enough yet: --excess-ip-release-delay",
            Self::Leaving => "they are on their way to EC2",
            Self::InUse => "something is used of each prefix that they are in, or its agent keeps it",
        })
    }
}

impl Reconciler {
    /// How many addresses a node has to spare and may give up.
    pub(super) fn spare(&self, view: &NodeView, usage: &Usage) -> u32 {
        if !self.may_release() || !has_spoken(view, usage) {
            return 0;
        }
        let spare = self.to_spare(view);
        #[cfg(feature = "planted")]
        let spare = spare
            + if crate::planted::is(crate::planted::Bug::FloorForgotten) {
                view.settings.watermarks.pre_allocate().unsigned_abs()
            } else {
                0
            };
        spare
    }

    /// How many addresses a node has to spare, whether or not it may give them up.
    fn to_spare(&self, view: &NodeView) -> u32 {
        let soon = self.supply_when_served(view);
        if self.short(view) > 0 { 0 } else { excess(soon, &view.settings.watermarks) }
    }

    /// Whether addresses may be taken off nodes at all.
    pub(super) fn may_release(&self) -> bool {
        self.gives_back() && !self.is_unassigning_forbidden()
    }

    fn gives_back(&self) -> bool {
        self.settings.mode == Mode::Normal && self.settings.release.is_on
    }

    fn is_unassigning_forbidden(&self) -> bool {
        self.gates.is_closed(&GateKey::Permission(Api::UnassignPrivateIpAddresses), self.now)
    }

    /// What of a node is to spare, and why it is still there; nothing of one that is left alone.
    pub(super) fn kept(&self, record: &Record, view: &NodeView) -> (u32, Option<Kept>) {
        let spare = if record.is_served() { self.to_spare(view) } else { 0 };
        (spare, (spare > 0).then(|| self.why_kept(record, view, spare)))
    }

    fn why_kept(&self, record: &Record, view: &NodeView, spare: u32) -> Kept {
        if self.settings.mode == Mode::Observe {
            Kept::OnlyObserved
        } else if !self.gives_back() {
            Kept::SwitchedOff
        } else if self.rival_of(record).is_some() {
            Kept::RivalOperator
        } else if self.is_unassigning_forbidden() {
            Kept::MissingPermission
        } else if !self.is_certain(record) {
            Kept::Uncertain
        } else if !has_spoken(view, &record.seen.usage) {
            Kept::AgentSilent
        } else {
            self.how_far(&record.releases, spare)
        }
    }

    /// How far addresses are that nothing forbids to give back.
    fn how_far(&self, releases: &Releases, spare: u32) -> Kept {
        let least_due =
            releases.due(self.now, &self.settings.release).map(|(_, net)| size(net)).min();
        let is_capped =
            |cap: &u32| least_due.is_some_and(|least| self.released.left_of(*cap) < least);
        let leaving = releases.addresses_in(&State::LEAVING);
        let is_some = |state: State| releases.addresses_in(&[state]) > 0;
        match self.settings.release.per_hour.filter(is_capped) {
            Some(per_hour) => Kept::CapReached { per_hour },
            None if leaving >= spare => Kept::Leaving,
            None if is_some(State::Cancelled) => Kept::AgentRefused,
            None if is_some(State::Asked) => Kept::AgentAsked,
            None if is_some(State::Waiting) => Kept::Delay,
            None if leaving > 0 => Kept::Leaving,
            None if releases.awaits_word(self.now) => Kept::AgentSilent,
            None => Kept::InUse,
        }
    }
}

/// Whether the agent has said what it keeps. One of the CIDR contract that names nothing has not yet.
fn has_spoken(view: &NodeView, usage: &Usage) -> bool {
    view.demand.contract() == Contract::PerIp || !usage.allocated.is_empty()
}
