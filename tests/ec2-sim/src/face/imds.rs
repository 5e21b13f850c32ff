//! The metadata services over HTTP: all of them under a path each, one on a port of its own, or one for all that knows its callers by their
//! addresses, as EC2's does.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::connection::Peer;
use super::http::Server;
use super::shared::{Shared, content_type};
use crate::id::InstanceId;
use crate::imds::{self, Query};
use crate::machine::Ec2;
use crate::model::{InstanceState, Interface};

const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What tokens come from. They are no secret here, and nothing else depends on them.
const TOKEN_SEED: u64 = 0x1d05;

/// The machine, and the metadata services of its instances.
#[derive(Debug, Clone)]
pub(super) struct Services {
    shared: Shared,
    services: Arc<Mutex<imds::Services>>,
}

impl Services {
    /// Services in front of `shared`.
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared, services: Arc::new(Mutex::new(imds::Services::new(TOKEN_SEED))) }
    }

    /// The machine.
    pub(super) const fn shared(&self) -> &Shared {
        &self.shared
    }

    fn answer(&self, instance: &InstanceId, query: Query<'_>) -> Response {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.shared.with(|ec2, now| services.answer(ec2, now, instance, query));
        let kind = if found.status == 200 { "text/plain" } else { content_type(&found.body) };
        let status = StatusCode::from_u16(found.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let ttl = found.ttl.map(|seconds| [(TTL, seconds.to_string())]);
        (status, [(CONTENT_TYPE, kind)], ttl, found.body).into_response()
    }
}

/// A metadata service on a port of its own: that of one instance, or of whoever asks.
#[derive(Debug)]
pub struct ImdsServer {
    /// The server.
    pub server: Server,
}

impl ImdsServer {
    /// Serves the metadata of `instance` at `addr`; port 0 lets the kernel pick one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(addr: SocketAddr, shared: Shared, instance: InstanceId) -> io::Result<Self> {
        let state = (Services::new(shared), instance);
        let router = Router::new().fallback(of_port).with_state(state);
        Ok(Self { server: Server::serve::<Peer>(addr, router).await? })
    }

    /// Serves at `addr` to each caller the metadata of the instance that it is: the running one with an interface that holds the
    /// address it calls from, as its own or in a prefix. To all others nothing is there.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn by_address(addr: SocketAddr, shared: Shared) -> io::Result<Self> {
        let router = Router::new().fallback(of_address).with_state(Services::new(shared));
        Ok(Self { server: Server::serve::<Peer>(addr, router).await? })
    }

    /// Ends it in good order.
    ///
    /// # Errors
    ///
    /// When the server had failed before.
    pub async fn stop(self) -> io::Result<()> {
        self.server.stop().await
    }
}

/// What stands in the headers.
fn query<'a>(method: &Method, path: &'a str, headers: &'a HeaderMap) -> Query<'a> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Query {
        put: method == Method::PUT,
        path,
        ttl: header(TTL),
        token: header(TOKEN),
        forwarded: headers.contains_key(FORWARDED),
    }
}

/// Everything else than reading and asking for tokens.
fn is_other(method: &Method) -> bool {
    ![Method::GET, Method::HEAD, Method::PUT].contains(method)
}

/// `/_imds/INSTANCE/…` of the main server.
pub(super) async fn of_path(
    State(services): State<Services>,
    Path((instance, path)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Ok(instance) = instance.parse::<InstanceId>() else {
        return (StatusCode::NOT_FOUND, "The path is /_imds/INSTANCE/latest/…\n").into_response();
    };
    if is_other(&method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    services.answer(&instance, query(&method, &path, &headers))
}

async fn of_port(
    State((services, instance)): State<(Services, InstanceId)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if is_other(&method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    services.answer(&instance, query(&method, uri.path(), &headers))
}

async fn of_address(
    State(services): State<Services>,
    ConnectInfo(Peer(address)): ConnectInfo<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(instance) = services.shared.with(|ec2, _| caller(ec2, address)) else {
        let refusal = format!("No running instance has the address {address}.\n");
        return (StatusCode::NOT_FOUND, refusal).into_response();
    };
    of_port(State((services, instance)), method, uri, headers).await
}

/// The running instance with an interface that holds `address`, in truth: packets from elsewhere do not arrive.
fn caller(ec2: &Ec2, address: IpAddr) -> Option<InstanceId> {
    let truth = ec2.world().truth();
    let running = |id: &&InstanceId| {
        truth.instance(id).is_some_and(|instance| instance.state == InstanceState::Running)
    };
    let mut holders = truth.interfaces().filter(|interface| holds(interface, address));
    holders.find_map(|interface| interface.instance().filter(running).cloned())
}

/// Whether `address` is one of the interface's own, or in one of its prefixes.
fn holds(interface: &Interface, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            interface.primary_ip == address
                || interface.secondary_ips.contains(&address)
                || interface.ipv4_prefixes.iter().any(|prefix| prefix.contains(&address))
        }
        IpAddr::V6(address) => {
            interface.ipv6_addresses.contains(&address)
                || interface.ipv6_prefixes.iter().any(|prefix| prefix.contains(&address))
        }
    }
}
