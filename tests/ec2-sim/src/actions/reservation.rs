//! `CreateSubnetCidrReservation`.

use std::sync::Arc;

use super::tags;
use crate::error::ApiError;
use crate::id::ReservationId;
use crate::machine::region::Region;
use crate::model::Reservation;
use crate::reply::Reply;
use crate::request::CreateSubnetCidrReservation;
use crate::space::Refusal;

pub(super) fn perform(
    region: &mut Region,
    request: &CreateSubnetCidrReservation,
) -> Result<Reply, ApiError> {
    let tags = tags::specified(&request.tag_specifications, "subnet-cidr-reservation")?;
    let subnet = region.subnet(&request.subnet)?;
    let cidr = request.cidr;
    if cidr.trunc() != cidr {
        return Err(ApiError::invalid_value("cidr", &cidr.to_string()));
    }
    let space = region.world.space_mut(&subnet.id);
    let space = space.ok_or_else(|| ApiError::subnet_not_found(&subnet.id))?;
    space.reserve(cidr, request.kind).map_err(|refusal| match refusal {
        Refusal::Overlap => ApiError::reservation_overlap(cidr),
        _ => ApiError::reservation_outside(cidr),
    })?;
    let reservation = Reservation {
        id: ReservationId::from_number(region.number()),
        subnet: subnet.id.clone(),
        cidr,
        kind: request.kind,
        description: request.description.clone(),
        tags,
    };
    region.put_reservation(reservation.clone());
    Ok(Reply::CreateSubnetCidrReservation(Arc::new(reservation)))
}
