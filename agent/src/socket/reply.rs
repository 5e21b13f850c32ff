//! How an answer is written for `berth-cni`.

use std::net::IpAddr;

use berth_cni::protocol::{ADD, AddReply, Address, Done, STATUS};
use ipam_core::agent::{Answer, EniFacts, Lease};
use serde::Serialize;

use super::rejection::Rejection;

/// The body of the answer to a request of `path`.
pub(super) fn encode(path: &str, answer: Answer) -> Result<Vec<u8>, Rejection> {
    match (path, answer) {
        (ADD, Answer::Granted(leases)) => {
            write(&AddReply { addresses: leases.into_iter().map(address).collect() })
        }
        (STATUS, Answer::Refused(refused)) => Err(Rejection::not_available(&refused)),
        (_, Answer::Refused(refused)) => Err(Rejection::from(&refused)),
        (ADD, Answer::Done) | (_, Answer::Granted(_)) => Err(Rejection::unexpected()),
        (_, Answer::Done) => write(&Done {}),
    }
}

pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>, Rejection> {
    serde_json::to_vec(value).map_err(|_| Rejection::unexpected())
}

fn address(lease: Lease) -> Address {
    let Lease { address, id: _, claim: _, cidr: _, eni } = lease;
    Address {
        address,
        gateway: gateway(address, &eni),
        eni: eni.id.as_str().to_owned(),
        mac: eni.mac.clone(),
        interface_number: eni.number,
        vpc_cidrs: eni.vpc.clone(),
    }
}

/// The router of the family of `address`.
pub(super) fn gateway(address: IpAddr, eni: &EniFacts) -> Option<IpAddr> {
    match address {
        IpAddr::V4(_) => eni.gateway_ipv4().map(IpAddr::V4),
        IpAddr::V6(_) => Some(IpAddr::V6(EniFacts::GATEWAY_IPV6)),
    }
}
