//! What others do to the world, and what happens to it.

use std::net::Ipv4Addr;
use std::str::FromStr;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{BODY, answer, finish, refuse, refuse_body, refuse_change};
use crate::build::{BuildError, Builder};
use crate::face::imds::Services;
use crate::id::{InstanceId, InterfaceId, InvalidId, SubnetId, VpcId};
use crate::spec::{self, Problem, Said};

/// Does something to the thing of that id, as the body says; an empty body says nothing.
fn change<Id: FromStr<Err = InvalidId>, Body: DeserializeOwned>(
    services: &Services,
    id: &str,
    body: &str,
    act: impl FnOnce(&mut Builder<'_>, &Id, Body) -> Result<Value, BuildError>,
) -> Response {
    let id: Id = match id.parse() {
        Ok(id) => id,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let body = if body.trim().is_empty() { "{}" } else { body };
    let body = match spec::one(BODY, body, Ok) {
        Ok(body) => body,
        Err(error) => return refuse_body(&error),
    };
    match services.shared().with(|ec2, _| act(&mut ec2.build(), &id, body)) {
        Ok(done) => answer(StatusCode::OK, &done),
        Err(error) => refuse_change(&error),
    }
}

/// Nothing needs to be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Starts, stops or terminates an instance.
pub(in super::super) async fn instance(
    State(services): State<Services>,
    Path((instance, act)): Path<(String, String)>,
    body: String,
) -> Response {
    if !["start", "stop", "terminate"].contains(&act.as_str()) {
        return refuse(StatusCode::NOT_FOUND, "an instance can start, stop and terminate");
    }
    change(&services, &instance, &body, |builder, id: &InstanceId, _: Nothing| {
        match act.as_str() {
            "start" => builder.start_instance(id)?,
            "stop" => builder.stop_instance(id)?,
            _ => builder.terminate_instance(id)?,
        }
        Ok(json!({"ids": [id]}))
    })
}

/// How many addresses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    addresses: usize,
}

/// Lets a foreign interface take addresses of a subnet.
pub(in super::super) async fn take(
    State(services): State<Services>,
    Path(subnet): Path<String>,
    body: String,
) -> Response {
    change(&services, &subnet, &body, |builder, id: &SubnetId, count: Count| {
        Ok(json!({"ids": [builder.take_addresses(id, count.addresses)?]}))
    })
}

/// How much of a subnet is left free: of single addresses, of whole /28 blocks, or of both.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Left {
    addresses: Option<usize>,
    blocks: Option<usize>,
}

/// Lets a foreign interface take what is free in a subnet, but for what is to be left.
pub(in super::super) async fn leave(
    State(services): State<Services>,
    Path(subnet): Path<String>,
    body: String,
) -> Response {
    change(&services, &subnet, &body, |builder, id: &SubnetId, left: Left| {
        let mut ids = Vec::new();
        if let Some(left) = left.blocks {
            ids.extend(builder.leave_blocks(id, left)?);
        }
        if let Some(left) = left.addresses {
            ids.extend(builder.leave_addresses(id, left)?);
        }
        Ok(json!({"ids": ids}))
    })
}

/// What is taken from an interface.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Unassigned {
    addresses: Vec<Ipv4Addr>,
    prefixes: Vec<Said<Ipv4Net>>,
}

/// Takes addresses and prefixes from an interface behind its owner's back.
pub(in super::super) async fn unassign(
    State(services): State<Services>,
    Path(interface): Path<String>,
    body: String,
) -> Response {
    change(&services, &interface, &body, |builder, id: &InterfaceId, what: Unassigned| {
        let prefixes: Vec<Ipv4Net> = what.prefixes.iter().map(|prefix| prefix.0).collect();
        builder.unassign(id, &what.addresses, &prefixes)?;
        Ok(json!({"ids": [id]}))
    })
}

/// Lets an interface go from its instance.
pub(in super::super) async fn detach(
    State(services): State<Services>,
    Path(interface): Path<String>,
    body: String,
) -> Response {
    change(&services, &interface, &body, |builder, id: &InterfaceId, _: Nothing| {
        builder.detach(id)?;
        Ok(json!({"ids": [id]}))
    })
}

/// Deletes an interface, whatever it is attached to.
pub(in super::super) async fn delete_interface(
    State(services): State<Services>,
    Path(interface): Path<String>,
    body: String,
) -> Response {
    change(&services, &interface, &body, |builder, id: &InterfaceId, _: Nothing| {
        builder.delete_interface(id)?;
        Ok(json!({"ids": [id]}))
    })
}

/// A block of either family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    cidr: Said<IpNet>,
}

/// Gives a VPC a further CIDR.
pub(in super::super) async fn vpc_cidr(
    State(services): State<Services>,
    Path(vpc): Path<String>,
    body: String,
) -> Response {
    change(&services, &vpc, &body, |builder, id: &VpcId, block: Block| {
        match block.cidr.0 {
            IpNet::V4(cidr) => builder.vpc_cidr(id, cidr)?,
            IpNet::V6(cidr) => builder.vpc_ipv6_cidr(id, cidr)?,
        }
        Ok(json!({"ids": [id]}))
    })
}

/// Whether a zone is out of service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outage {
    down: bool,
}

/// Takes a zone out of service, or brings it back.
pub(in super::super) async fn zone(
    State(services): State<Services>,
    Path(zone): Path<String>,
    body: String,
) -> Response {
    let known = services.shared().with(|ec2, _| {
        let mut subnets = ec2.world().truth().subnets();
        subnets.any(|subnet| subnet.zone == zone)
    });
    if !known {
        return refuse(StatusCode::NOT_FOUND, &format!("no subnet is in the zone `{zone}`"));
    }
    let set = |outage: Outage| {
        services.shared().with(|ec2, _| ec2.build().zone_outage(&zone, outage.down));
        Ok(())
    };
    finish(StatusCode::OK, spec::one(BODY, &body, set).map(|()| json!({})))
}

/// By how much the wall clock jumps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jump {
    seconds: i64,
}

/// Lets the wall clock jump.
pub(in super::super) async fn jump(State(services): State<Services>, body: String) -> Response {
    let jump = |Jump { seconds }: Jump| {
        services.shared().with(|ec2, now| {
            let wall_clock = (ec2.wall_clock(now) / 1_000_000).saturating_add(seconds);
            if jiff::Timestamp::from_second(wall_clock).is_err() {
                let message = format!("`{seconds}`: expected a jump that stays in the calendar");
                return Err(Problem::of("seconds", message));
            }
            ec2.build().jump_clock(seconds);
            Ok(())
        })
    };
    finish(StatusCode::OK, spec::one(BODY, &body, jump).map(|()| json!({})))
}
