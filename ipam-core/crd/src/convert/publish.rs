//! The way back: what the operator writes, member for member as Cilium's operators do, because the
//! agents compare it with what they see on the node.

use std::collections::BTreeMap;

use ipam_core::agent::Release;
use ipam_core::prefix::addresses_of;
use ipam_core::view::{Attachment, AttachmentState, EniView, Ipv4Held, NetworkView};

use crate::{Allocation, Allocations, Eni, EniStatus, EniSubnet, EniVpc, ReleaseState, Unknown};

/// `status.eni` for the ENIs of a node: `{}` when there are none.
///
/// Every attached ENI is listed, also those that are left alone: agents configure them all. With
/// `use_primary_address`, a primary address stands first among the addresses for pods. Members that
/// would be empty are omitted, and so is the device index 0.
#[must_use]
pub fn eni_status<'a>(
    enis: impl IntoIterator<Item = &'a EniView>,
    network: &NetworkView,
    use_primary_address: bool,
) -> EniStatus {
    let attached = enis.into_iter().filter_map(|eni| Some((eni, attachment(eni)?)));
    let enis: BTreeMap<_, _> = attached
        .map(|(eni, at)| (eni.id.to_string(), wire_eni(eni, at, network, use_primary_address)))
        .collect();
    EniStatus { enis: (!enis.is_empty()).then_some(enis), unknown: Unknown::new() }
}

/// `spec.ipam.pool` for the ENIs whose addresses are for pods; which ones that are, and which
/// addresses are on their way back, is for the caller to say. `None`, the member omitted, when
/// there is no address.
#[must_use]
pub fn pool<'a>(
    enis: impl IntoIterator<Item = &'a EniView>,
    use_primary_address: bool,
) -> Option<Allocations> {
    let attached = enis.into_iter().filter(|eni| attachment(eni).is_some());
    let mut pool = Allocations::new();
    for eni in attached {
        for address in addresses(&eni.ipv4, use_primary_address) {
            let resource = Some(eni.id.to_string());
            pool.insert(address, Allocation { resource, ..Allocation::default() });
        }
    }
    (!pool.is_empty()).then_some(pool)
}

/// What stands in `status.ipam.release-ips` for how far a release is.
#[must_use]
pub const fn release_state(release: Release) -> ReleaseState {
    match release {
        Release::Marked => ReleaseState::MarkedForRelease,
        Release::Ready => ReleaseState::ReadyForRelease,
        Release::Refused => ReleaseState::DoNotRelease,
        Release::Released => ReleaseState::Released,
    }
}

/// How an ENI is attached, if it stays so.
fn attachment(eni: &EniView) -> Option<&Attachment> {
    eni.attachment.as_ref().filter(|at| at.state != AttachmentState::Detaching)
}

fn wire_eni(eni: &EniView, at: &Attachment, network: &NetworkView, use_primary: bool) -> Eni {
    Eni {
        addresses: unless_empty(addresses(&eni.ipv4, use_primary)),
        availability_zone: None,
        description: Some(eni.description.clone()).filter(|text| !text.is_empty()),
        id: Some(eni.id.to_string()),
        ip: Some(eni.ipv4.primary.to_string()),
        ipv6_prefixes: unless_empty(texts(&eni.ipv6.prefixes)),
        mac: eni.mac.map(|mac| mac.to_string()),
        number: (at.device_index != 0).then(|| at.device_index.into()),
        prefixes: unless_empty(texts(&eni.ipv4.prefixes)),
        public_ip: eni.public_ip.map(|address| address.to_string()),
        security_groups: unless_empty(texts(&eni.security_groups)),
        subnet: Some(wire_subnet(eni, network)),
        tags: Some(eni.tags.clone()).filter(|tags| !tags.is_empty()),
        vpc: Some(wire_vpc(eni, network)),
        unknown: Unknown::new(),
    }
}

fn wire_subnet(eni: &EniView, network: &NetworkView) -> EniSubnet {
    let known = network.subnets.get(&eni.subnet);
    EniSubnet {
        cidr: known.map(|subnet| subnet.cidr.to_string()),
        id: Some(eni.subnet.to_string()),
        unknown: Unknown::new(),
    }
}

fn wire_vpc(eni: &EniView, network: &NetworkView) -> EniVpc {
    let known = network.vpcs.get(&eni.vpc);
    EniVpc {
        cidrs: known.and_then(|vpc| unless_empty(texts(&vpc.cidrs))),
        id: Some(eni.vpc.to_string()),
        primary_cidr: known.map(|vpc| vpc.primary_cidr.to_string()),
        unknown: Unknown::new(),
    }
}

/// The addresses for pods, in the order in which EC2 lists them: the primary one if it is for pods
/// too, single ones, then those of the prefixes.
fn addresses(held: &Ipv4Held, use_primary: bool) -> Vec<String> {
    let primary = use_primary.then_some(held.primary);
    let expanded = held.prefixes.iter().flat_map(|prefix| addresses_of(*prefix));
    let all = primary.into_iter().chain(held.addresses.iter().copied()).chain(expanded);
    all.map(|address| address.to_string()).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn unless_empty(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}
