//! `AttachNetworkInterface`.

use super::usage;
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::id::{AttachmentId, InstanceId};
use crate::instance_types::InstanceType;
use crate::machine::region::Region;
use crate::model::{
    Attachment, AttachmentStatus, Instance, InstanceState, Interface, InterfaceStatus,
};
use crate::reply::Reply;
use crate::request::AttachNetworkInterface;

pub(super) fn perform(
    region: &mut Region,
    account: &str,
    request: &AttachNetworkInterface,
) -> Result<Reply, ApiError> {
    let interface = region.own_interface(&request.interface)?;
    let instance = region.instance(&request.instance)?;
    let invalid_index = |_| ApiError::index_invalid(request.device_index);
    let device_index = u32::try_from(request.device_index).map_err(invalid_index)?;
    check_pair(&interface, &instance)?;
    let kind = usage::type_of(&instance)?;
    let place = (request.network_card, device_index);
    let network_card = find_place(region, &request.instance, place, kind)?;
    check_holdings(region, &interface, kind)?;
    let attachment = Attachment {
        id: AttachmentId::from_number(region.number()),
        instance: Some(instance.id.clone()),
        instance_owner: account.to_owned(),
        device_index,
        network_card,
        status: AttachmentStatus::Attaching,
        delete_on_termination: false,
        attached_at: region.now,
    };
    let id = attachment.id.clone();
    let status = InterfaceStatus::Attaching;
    let next = Interface { attachment: Some(attachment), status, ..Interface::clone(&interface) };
    region.put_interface(next);
    region.begin_attachment(&interface.id, &id);
    Ok(Reply::AttachNetworkInterface { attachment: id, network_card })
}

/// Checks that the two can be put together at all.
fn check_pair(interface: &Interface, instance: &Instance) -> Result<(), ApiError> {
    if !matches!(interface.status, InterfaceStatus::Available | InterfaceStatus::Pending) {
        return Err(ApiError::attach_in_use(&interface.id));
    }
    if interface.vpc != instance.vpc {
        return Err(ApiError::other_vpc(&interface.id, &instance.id));
    }
    if interface.zone != instance.zone {
        return Err(ApiError::other_zone());
    }
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::instance_not_running(&instance.id));
    }
    Ok(())
}

/// The network card of `place` (0 if none was named), if the device index is free there and another interface fits.
///
/// # Errors
///
/// `InvalidParameterValue` for a card that the type does not have and for an index that is taken; `AttachmentLimitExceeded` where no
/// other interface fits.
pub(crate) fn find_place(
    region: &Region,
    instance: &InstanceId,
    place: (Option<i64>, u32),
    kind: &InstanceType,
) -> Result<u32, ApiError> {
    let (named, device_index) = place;
    let omitted_bug = region.settings.assumptions.is(Assumption::OmittedCardBug)
        && named.is_none()
        && 1 < kind.network_cards.len();
    let asked = named.unwrap_or(0);
    let card = u32::try_from(asked).ok();
    let on_card = card.and_then(|card| Some((card, kind.interfaces_on_card(card)? as usize)));
    let (card, card_limit) = on_card.ok_or_else(|| ApiError::card_invalid(asked, &kind.name))?;
    let attached = region.world.interfaces_of(instance);
    let places = attached.filter_map(|interface| interface.attachment.as_ref());
    let places: Vec<_> = places.map(|place| (place.network_card, place.device_index)).collect();
    let present_on_card = places.iter().filter(|(at, _)| *at == card).count();
    if card_limit <= present_on_card || kind.maximum_network_interfaces as usize <= places.len() {
        return Err(ApiError::attachment_limit(places.len() + 1, &kind.name));
    }
    let taken = |(at, index): &(u32, u32)| *index == device_index && (omitted_bug || *at == card);
    if places.iter().any(taken) {
        return Err(ApiError::index_taken(instance, i64::from(device_index)));
    }
    Ok(card)
}

/// Checks that the instance's type can hold what the interface holds: nobody could check it while it was attached to nothing.
///
/// # Errors
///
/// `InvalidInterface.IpAddressLimitExceeded`, and the refusal of prefixes on Xen.
pub(crate) fn check_holdings(
    region: &Region,
    interface: &Interface,
    kind: &InstanceType,
) -> Result<(), ApiError> {
    let prefixes = interface.ipv4_prefixes.len() + interface.ipv6_prefixes.len();
    if prefixes != 0 && !kind.takes_prefixes() {
        return Err(usage::prefixes_refused(region, kind));
    }
    let counts_prefixes = region.settings.assumptions.is(Assumption::PrefixCheckAtAttach);
    let uncounted = |prefixes: usize| if counts_prefixes { 0 } else { prefixes };
    let ipv4 = interface.ipv4_slots() - uncounted(interface.ipv4_prefixes.len());
    let ipv6 = interface.ipv6_slots() - uncounted(interface.ipv6_prefixes.len());
    let over = |slots: usize, limit: u32| (limit as usize) < slots;
    if over(ipv4, kind.ipv4_per_interface) {
        return Err(ApiError::attach_address_limit(ipv4, &interface.id, &kind.name));
    }
    if over(ipv6, kind.ipv6_per_interface) {
        return Err(ApiError::attach_address_limit(ipv6, &interface.id, &kind.name));
    }
    Ok(())
}
