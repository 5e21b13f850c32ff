//! Where something is served.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

/// Where to listen: `HOST:PORT`, or `:PORT` for every address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeAddress {
    /// The host; `None` for every address of the machine.
    pub host: Option<String>,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl FromStr for ServeAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected HOST:PORT, or :PORT for all addresses".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { host: (!host.is_empty()).then(|| host.to_owned()), port })
    }
}

impl fmt::Display for ServeAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(out, "[{host}]:{}", self.port),
            Some(host) => write!(out, "{host}:{}", self.port),
            None => write!(out, ":{}", self.port),
        }
    }
}

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub struct BindError {
    /// Where.
    pub address: ServeAddress,
    /// The flag that says where, such as `--operator-prometheus-serve-addr`.
    pub flag: &'static str,
    /// Why.
    pub cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, flag, cause } = self;
        write!(out, "cannot listen on {address}: {cause}")?;
        if cause.kind() == io::ErrorKind::AddrInUse {
            out.write_str(
                ". Another process has the port, on the network of the host perhaps one of Cilium's",
            )?;
        }
        write!(out, "; {flag} sets another address")
    }
}

/// Takes the address that `flag` says.
///
/// # Errors
/// It is in use, or not of this machine.
pub async fn bind(address: &ServeAddress, flag: &'static str) -> Result<TcpListener, BindError> {
    let bound = match &address.host {
        Some(host) => TcpListener::bind((host.as_str(), address.port)).await,
        None => bind_everywhere(address.port).await,
    };
    bound.map_err(|cause| BindError { address: address.clone(), flag, cause })
}

/// IPv6 takes IPv4 along, where the machine has IPv6.
async fn bind_everywhere(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await
        }
        bound => bound,
    }
}
