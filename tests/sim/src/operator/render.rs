//! What is to be published of a node: `operator/src/kubernetes/publish/render.rs` and `cilium_node::convert::{eni_status, pool}`, in the words of the core.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipam_core::agent::{EniFacts, WordEni};
use ipam_core::ids::EniId;
use ipam_core::managed::left_alone;
use ipam_core::policy::Policy;
use ipam_core::prefix::addresses_of;
use ipam_core::reconcile::{GivingBack, Obstacle};
use ipam_core::view::{AttachmentState, Contract, EniView, NetworkView, NodeView};
use ipnet::{IpNet, Ipv4Net};

use crate::api::Entries;

/// What the object of a node should hold of what the operator owns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// `status.eni.enis`.
    pub(crate) enis: Vec<WordEni>,
    /// `spec.ipam.pool`; `None` where the agent does not read it.
    pub(crate) pool: Option<BTreeMap<Ipv4Addr, EniId>>,
    /// `status.ipam.operator-status.error`.
    pub(crate) error: WantedError,
    /// What should be different in `status.ipam.release-ips`.
    pub(crate) releases: Entries,
}

/// What the agent should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WantedError {
    /// Nothing.
    Absent,
    /// What is there already, or nothing.
    AsItIs,
    /// This text.
    Text(String),
}

/// What is to be published of a node.
pub(crate) fn render(
    node: &NodeView,
    network: &NetworkView,
    policy: &Policy,
    obstacle: Obstacle<'_>,
    giving_back: GivingBack,
) -> Wanted {
    let GivingBack { entries, withheld, hidden } = giving_back;
    let is_shown = |eni: &&EniView| is_attached(eni) && !hidden.contains(&eni.id);
    let attached: Vec<&EniView> = node.enis.iter().filter(is_shown).collect();
    let given: Vec<EniView> = attached.iter().map(|eni| without(eni, &withheld)).collect();
    let managed = given.iter().filter(|eni| left_alone(eni, &node.settings, policy).is_none());
    let contract = node.demand.contract();
    let pool = managed.flat_map(|eni| {
        addresses(eni).into_iter().map(|address| (address, eni.id.clone())).collect::<Vec<_>>()
    });
    Wanted {
        pool: (contract == Contract::PerIp).then(|| pool.collect()),
        enis: given.iter().map(|eni| word_eni(eni, network)).collect(),
        error: match obstacle {
            Obstacle::None => WantedError::Absent,
            Obstacle::Passing => WantedError::AsItIs,
            Obstacle::Lasting(reason) => WantedError::Text(reason.to_string()),
        },
        releases: entries,
    }
}

/// An interface without what its agent is not to have for now.
fn without(eni: &EniView, withheld: &[Ipv4Net]) -> EniView {
    let is_given = |net: Ipv4Net| !withheld.iter().any(|it| it.contains(&net) || net.contains(it));
    let mut given = eni.clone();
    given.ipv4.addresses.retain(|address| is_given(Ipv4Net::from(*address)));
    given.ipv4.prefixes.retain(|prefix| is_given(*prefix));
    given
}

fn is_attached(eni: &EniView) -> bool {
    eni.attachment.as_ref().is_some_and(|at| at.state != AttachmentState::Detaching)
}

fn addresses(eni: &EniView) -> Vec<Ipv4Addr> {
    let expanded = eni.ipv4.prefixes.iter().flat_map(|prefix| addresses_of(*prefix));
    eni.ipv4.addresses.iter().copied().chain(expanded).collect()
}

fn word_eni(eni: &EniView, network: &NetworkView) -> WordEni {
    let vpc = network.vpcs.get(&eni.vpc).into_iter();
    let cidrs = vpc.flat_map(|vpc| std::iter::once(&vpc.primary_cidr).chain(&vpc.cidrs));
    let prefixes: BTreeSet<IpNet> = eni.ipv4.prefixes.iter().copied().map(IpNet::V4).collect();
    WordEni {
        facts: EniFacts {
            id: eni.id.clone(),
            mac: eni.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            number: eni.attachment.as_ref().map_or(0, |at| at.device_index.into()),
            subnet: network.subnets.get(&eni.subnet).map(|subnet| subnet.cidr),
            vpc: cidrs.map(|cidr| IpNet::V4(*cidr)).collect(),
        },
        primary: Some(eni.ipv4.primary),
        addresses: addresses(eni).into_iter().map(IpAddr::V4).collect(),
        prefixes,
    }
}
