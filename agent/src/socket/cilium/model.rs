//! The models of the answers.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ipam_core::agent::{Lease, Status};
use ipam_core::pool::{Claim, Family, Owner};
use ipnet::IpNet;
use serde::Serialize;

use super::POOL;
use super::uuid::uuid_of;
use crate::socket::reply::gateway;

/// `IPAMResponse`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct IpamResponse {
    host_addressing: NodeAddressing,
    address: AddressPair,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<IpamAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<IpamAddress>,
}

/// `NodeAddressing`: a family is there if it is enabled.
#[derive(Debug, Default, Serialize)]
struct NodeAddressing {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<HostAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<HostAddress>,
}

/// `NodeAddressingElement`.
#[derive(Debug, Serialize)]
struct HostAddress {
    enabled: bool,
    /// The router's address, if one is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
}

/// `AddressPair`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct AddressPair {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_pool_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_expiration_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_pool_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_expiration_uuid: Option<String>,
}

/// `IPAMAddressResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct IpamAddress {
    ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    cidrs: Vec<IpNet>,
    master_mac: String,
    interface_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_uuid: Option<String>,
}

impl IpamResponse {
    /// What was granted on a node that stands like this.
    pub(super) fn new(leases: &[Lease], status: &Status) -> Self {
        let mut response = Self { host_addressing: hosts(status), ..Self::default() };
        let pair = &mut response.address;
        for lease in leases {
            let uuid = (lease.claim == Claim::Expected).then(|| uuid_of(lease.id));
            let (ip, pool) = (Some(lease.address), Some(POOL));
            let address = Some(address(lease, uuid.clone()));
            match Family::of(lease.address) {
                Family::Ipv4 => {
                    (pair.ipv4, pair.ipv4_pool_name, pair.ipv4_expiration_uuid) = (ip, pool, uuid);
                    response.ipv4 = address;
                }
                Family::Ipv6 => {
                    (pair.ipv6, pair.ipv6_pool_name, pair.ipv6_expiration_uuid) = (ip, pool, uuid);
                    response.ipv6 = address;
                }
            }
        }
        response
    }
}

fn hosts(status: &Status) -> NodeAddressing {
    let host = |family| {
        let router = status
            .holdings
            .iter()
            .find(|held| held.owner == Owner::Router && Family::of(held.address) == family);
        let ip = router.map(|held| held.address);
        let enabled = status.families.iter().any(|(one, _)| *one == family);
        enabled.then_some(HostAddress { enabled: true, ip })
    };
    NodeAddressing { ipv4: host(Family::Ipv4), ipv6: host(Family::Ipv6) }
}

fn address(lease: &Lease, expiration_uuid: Option<String>) -> IpamAddress {
    let Lease { address, id: _, claim: _, cidr: _, eni } = lease;
    IpamAddress {
        ip: *address,
        gateway: gateway(*address, eni),
        cidrs: eni.vpc.clone(),
        master_mac: eni.mac.clone(),
        interface_number: eni.number.to_string(),
        expiration_uuid,
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(value) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
