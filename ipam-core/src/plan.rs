//! All the steps a node can take now, and why it takes no more.
//!
//! Same input, same output. The steps of one plan are independent of each other except where EC2 runs
//! out of addresses meanwhile, so several may be under way at once. What a step's answer makes possible
//! (attaching the interface that was created) is planned from the view that holds the answer.
//!
//! The order in which a demand is met: interfaces that were made and not attached; whole prefixes on
//! attached interfaces, by ascending device index; whole prefixes on new interfaces, in whichever
//! eligible subnet has free /28 blocks; only then single addresses, again on attached interfaces first.

mod draft;
mod grow;
mod site;
mod stock;

use alloc::vec::Vec;

use limits::Limits;

use crate::action::Action;
use crate::capacity::on_card_0;
use crate::policy::Policy;
use crate::reason::{Blocked, Reason};
use crate::view::{NodeView, View};
use draft::Draft;
pub(crate) use draft::wants_ipv6;
use grow::Form;

/// What to do for one node, and what was held back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps, each one call to EC2.
    pub actions: Vec<Action>,
    /// What the node wants and does not get by these steps. A full node is a fact, not an error.
    pub blocked: Vec<Blocked>,
}

/// Plans the steps that bring a node to its watermarks.
#[must_use]
pub fn plan(view: View<'_>, policy: &Policy) -> Plan {
    let limits = match known(view.node) {
        Ok(limits) => limits,
        Err(reason) => {
            return Plan {
                actions: Vec::new(),
                blocked: alloc::vec![Blocked { reason, short: 0 }],
            };
        }
    };
    let mut draft = Draft::new(view, policy, limits);
    draft.delete_doomed();
    draft.attach_made();
    draft.assign_ipv6();
    draft.fill_attached(Form::Prefixes);
    draft.create(Form::Prefixes);
    draft.fill_attached(Form::Addresses);
    draft.create(Form::Addresses);
    draft.create_for_ipv6();
    draft.repair_attributes();
    draft.finish()
}

/// What must be known of a node before anything is done for it. An error is never read as "empty":
/// every instance has a primary interface, so a listing without it was not a listing of this instance.
fn known(node: &NodeView) -> Result<Limits, Reason> {
    let identity = &node.identity;
    if !on_card_0(node).any(|(_, index)| index == 0) {
        return Err(Reason::InstanceNotObserved { instance: identity.instance.clone() });
    }
    let unknown = || Reason::LimitsUnknown { instance_type: identity.instance_type.clone() };
    node.limits.ok_or_else(unknown)
}
