//! `GET /v1/healthz`: the members of Cilium's `StatusResponse` that are about IPAM.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam_core::agent::Status;
use ipam_core::pool::Family;
use serde::Serialize;

use crate::status::allocated;

/// `StatusResponse`, as far as IPAM goes.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    cilium: Component,
    ipam: Ipam,
}

/// `Status` of a component.
#[derive(Debug, Serialize)]
struct Component {
    state: &'static str,
    msg: String,
}

/// `IPAMStatus`.
#[derive(Debug, Serialize)]
struct Ipam {
    status: String,
    ipv4: Vec<IpAddr>,
    ipv6: Vec<IpAddr>,
    allocations: BTreeMap<IpAddr, String>,
}

/// How an agent is.
pub(super) fn report(status: &Status) -> Health {
    let (state, msg) = match status.ready {
        Ok(()) => ("Ok", "ready".to_owned()),
        Err(missing) => ("Failure", format!("waiting for {missing}")),
    };
    let of = |family| {
        let addresses = status.holdings.iter().map(|held| held.address);
        addresses.filter(|address| Family::of(*address) == family).collect()
    };
    let owners = status.holdings.iter().map(|held| (held.address, held.owner.to_string()));
    Health {
        cilium: Component { state, msg },
        ipam: Ipam {
            status: allocated(&status.families),
            ipv4: of(Family::Ipv4),
            ipv6: of(Family::Ipv6),
            allocations: owners.collect(),
        },
    }
}
