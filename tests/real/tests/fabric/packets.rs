//! What goes over the wire, and what `ip` says of the devices.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::Value;

use crate::region::{Inside, SOON};
use real::Namespace;

const PORT: u16 = 4000;

/// Hears what is said to a host, at whichever of its addresses.
pub(crate) struct Ear(UdpSocket);

impl Ear {
    pub(crate) fn of(host: &Namespace) -> Self {
        let socket = host.inside(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))).unwrap();
        Self(socket)
    }

    /// What is heard next, and from whom.
    #[track_caller]
    pub(crate) fn next(&self) -> (String, Ipv4Addr) {
        self.within(SOON).expect("nothing is heard")
    }

    fn within(&self, time: Duration) -> Option<(String, Ipv4Addr)> {
        self.0.set_read_timeout(Some(time)).unwrap();
        let mut text = [0; 256];
        match self.0.recv_from(&mut text) {
            Ok((length, SocketAddr::V4(from))) => {
                Some((String::from_utf8_lossy(&text[..length]).into_owned(), *from.ip()))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until something is heard that is said again and again, and that nothing of it is left to be heard.
    #[track_caller]
    pub(crate) fn await_heard(&self, say: impl Fn()) {
        let deadline = Instant::now() + SOON;
        loop {
            say();
            if self.within(Duration::from_millis(100)).is_some() {
                break;
            }
            assert!(Instant::now() < deadline, "nothing is heard");
        }
        // Those before may have waited for an answer to ARP.
        while self.within(Duration::from_millis(300)).is_some() {}
    }
}

/// Says something once, from a host's address if it is said from which.
pub(crate) fn say(host: &Namespace, from: Option<Ipv4Addr>, to: Ipv4Addr, text: &str) {
    host.inside(|| {
        let from = from.unwrap_or(Ipv4Addr::UNSPECIFIED);
        // A host that is damaged says nothing.
        let socket = UdpSocket::bind((from, 0)).unwrap();
        let _ = socket.send_to(text.as_bytes(), (to, PORT));
    });
}

/// A device of a host.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) mac: String,
    pub(crate) up: bool,
    /// Its IPv4 addresses, with their lengths.
    pub(crate) addresses: BTreeSet<String>,
}

pub(crate) fn devices(host: &Namespace) -> Vec<Shown> {
    let found: Value = serde_json::from_str(&host.ip("-json address show")).unwrap();
    found.as_array().unwrap().iter().map(device).collect()
}

fn device(found: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let addresses = found["addr_info"].as_array().unwrap().iter();
    let addresses = addresses.filter(|info| info["family"] == "inet");
    Shown {
        name: text(&found["ifname"]),
        mac: text(&found["address"]),
        up: found["flags"].as_array().unwrap().contains(&Value::from("UP")),
        addresses: addresses
            .map(|info| format!("{}/{}", text(&info["local"]), info["prefixlen"]))
            .collect(),
    }
}

/// How many packets have come in over each device.
pub(crate) fn received(host: &Namespace) -> BTreeMap<String, u64> {
    let text = host.inside(|| fs::read_to_string("/proc/thread-self/net/dev")).unwrap();
    let row = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        Some((name.trim().to_owned(), numbers.split_whitespace().nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

/// Status and body of the answer to a request that ends its connection.
pub(crate) fn exchange(
    host: &Namespace,
    (from, to): (Option<Ipv4Addr>, (Ipv4Addr, u16)),
    request: &str,
) -> Result<(u16, String), std::io::Error> {
    let answer = host.inside(|| -> std::io::Result<String> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddr::from((from.unwrap_or(Ipv4Addr::UNSPECIFIED), 0)))?;
        connect(&socket, &SocketAddr::from(to))?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(SOON))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(ErrorKind::InvalidData)?, body.to_owned()))
}

/// Status and body of a key of the instance's metadata, asked for with a token; those of the token where there is none.
pub(crate) fn metadata(host: &Namespace, from: Option<Ipv4Addr>, key: &str) -> String {
    let asked = |method: &str, path: &str, header: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: metadata\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n\r\n"
        );
        let there = (Ipv4Addr::new(169, 254, 169, 254), 80);
        exchange(host, (from, there), &request).unwrap()
    };
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let (status, token) = asked("PUT", "/latest/api/token", ttl);
    if status != 200 {
        return format!("{status} {token}");
    }
    let (status, body) = asked("GET", key, &format!("X-aws-ec2-metadata-token: {token}"));
    format!("{status} {body}")
}

/// Who a host on the internet says that this one is.
pub(crate) fn caller_of_the_internet(host: &Namespace, from: Option<Ipv4Addr>) -> String {
    let there = (Ipv4Addr::new(198, 51, 100, 1), 80);
    let request = "GET / HTTP/1.1\r\nHost: internet\r\nConnection: close\r\n\r\n";
    let (status, body) = exchange(host, (from, there), request).unwrap();
    assert_eq!(status, 200, "{body}");
    let caller: IpAddr = body.trim().parse().unwrap();
    caller.to_string()
}
