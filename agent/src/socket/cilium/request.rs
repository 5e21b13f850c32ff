//! What Cilium's clients ask for.

use std::net::IpAddr;

use berth_cni::protocol::TEXT_MAX;
use ipam_core::agent::Call;
use ipam_core::pool::{Claim, Family, Owner};
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use super::{POOL, uuid};

const IPAM: &str = "/v1/ipam";
const HEALTH: &str = "/v1/healthz";
/// What agents add to the owners of addresses that they found on disk.
const RESTORED: &str = " [restored]";
/// Bytes of an owner: a namespace and a pod, and the mark of a restored one.
const OWNER_MAX: usize = 2 * TEXT_MAX;

/// The head of a request; it has no body.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, escaped as it came.
    pub path: &'a str,
    /// The query, escaped as it came.
    pub query: Option<&'a str>,
    /// The header `expiration`.
    pub expiration: Option<&'a str>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Something that the keeper answers.
    Call(Kind, Call),
    /// How the agent is.
    Health,
}

/// Which operation a call is of: it decides which codes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `POST /ipam`.
    Next,
    /// `POST /ipam/{ip}`.
    Exact,
    /// `DELETE /ipam/{ip}`.
    Release,
    /// `POST /ipam/{ip}/claim`.
    Claim,
}

/// Reads a request. Never panics, whatever it is given. `enabled` are the families that are meant where none is named.
///
/// # Errors
/// It makes no sense, and the failure says what was expected.
pub fn decode(head: Head<'_>, enabled: &[Family]) -> Result<Request, Failure> {
    if head.path == HEALTH {
        expect(head.method, "GET")?;
        return Ok(Request::Health);
    }
    let rest = head.path.strip_prefix(IPAM).ok_or_else(nothing_there)?;
    let parameters = Parameters::of(head.query.unwrap_or_default())?;
    if matches!(rest, "" | "/") {
        expect(head.method, "POST")?;
        return next(&parameters, head.expiration, enabled);
    }
    let rest = rest.strip_prefix('/').ok_or_else(nothing_there)?;
    match rest.split_once('/') {
        None => of_address(head.method, address(rest)?, &parameters),
        Some((ip, "claim")) => {
            expect(head.method, "POST")?;
            claim(address(ip)?, &parameters)
        }
        Some(_) => Err(nothing_there()),
    }
}

fn nothing_there() -> Failure {
    Failure::not_found(
        "there is nothing at this path: expected one of /v1/ipam, /v1/ipam/{ip}, \
         /v1/ipam/{ip}/claim and /v1/healthz",
    )
}

fn expect(method: &str, expected: &'static str) -> Result<(), Failure> {
    if method == expected { Ok(()) } else { Err(Failure::wrong_method(expected)) }
}

/// The parameters of the query that mean something. Others are ignored, as Cilium's server does.
#[derive(Default)]
struct Parameters {
    family: Option<String>,
    owner: Option<String>,
    pool: Option<String>,
    uuid: Option<String>,
}

impl Parameters {
    fn of(query: &str) -> Result<Self, Failure> {
        let mut found = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "family" => &mut found.family,
                "owner" => &mut found.owner,
                "pool" => &mut found.pool,
                "uuid" => &mut found.uuid,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Failure::invalid(format!("{name} is given twice")));
            }
        }
        Ok(found)
    }

    fn check_pool(&self, kind: Kind) -> Result<(), Failure> {
        match self.pool.as_deref() {
            None | Some("" | POOL) => Ok(()),
            Some(pool) => {
                let shown: String = pool.chars().take(TEXT_MAX).collect();
                Err(Failure::no_such_pool(kind, &shown))
            }
        }
    }

    fn owner(&self) -> Result<Owner, Failure> {
        let text = self.owner.as_deref().unwrap_or_default();
        let text = text.strip_suffix(RESTORED).unwrap_or(text);
        if text.len() > OWNER_MAX {
            return Err(Failure::invalid(format!("owner: expected {OWNER_MAX} bytes at most")));
        }
        text.parse().map_err(|error| Failure::invalid(format!("owner: {error}")))
    }

    fn families(&self, enabled: &[Family]) -> Result<Vec<Family>, Failure> {
        match self.family.as_deref() {
            None | Some("") => Ok(enabled.to_vec()),
            Some("ipv4") => Ok(vec![Family::Ipv4]),
            Some("ipv6") => Ok(vec![Family::Ipv6]),
            Some(_) => Err(Failure::invalid("family: expected ipv4, ipv6 or nothing")),
        }
    }
}

fn next(
    parameters: &Parameters,
    expiration: Option<&str>,
    enabled: &[Family],
) -> Result<Request, Failure> {
    let claim = match expiration.map(str::trim) {
        Some("true" | "True" | "TRUE" | "t" | "1") => Claim::Expected,
        None | Some("" | "false" | "False" | "FALSE" | "f" | "0") => Claim::NotNeeded,
        Some(_) => return Err(Failure::invalid("header expiration: expected true or false")),
    };
    let (families, owner) = (parameters.families(enabled)?, parameters.owner()?);
    parameters.check_pool(Kind::Next)?;
    Ok(Request::Call(Kind::Next, Call::Allocate { families, owner, claim }))
}

fn of_address(method: &str, address: IpAddr, parameters: &Parameters) -> Result<Request, Failure> {
    let (kind, call) = match method {
        "POST" => (Kind::Exact, Call::AllocateExact { address, owner: parameters.owner()? }),
        "DELETE" => (Kind::Release, Call::Release { address }),
        _ => return Err(Failure::wrong_method("POST, DELETE")),
    };
    parameters.check_pool(kind)?;
    Ok(Request::Call(kind, call))
}

fn claim(address: IpAddr, parameters: &Parameters) -> Result<Request, Failure> {
    let id = uuid::grant_of(parameters.uuid.as_deref().unwrap_or_default())
        .map_err(|error| Failure::invalid(format!("uuid: {error}")))?;
    parameters.check_pool(Kind::Claim)?;
    Ok(Request::Call(Kind::Claim, Call::Claim { address, id }))
}

fn address(segment: &str) -> Result<IpAddr, Failure> {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    let address = text.parse::<IpAddr>();
    let address = address.map_err(|_| Failure::invalid("ip: expected an IPv4 or IPv6 address"));
    address.map(|address| address.to_canonical())
}
