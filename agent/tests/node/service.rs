//! A metadata service on loopback that says what a test wants, and nothing else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use berth_agent::imds::{Endpoint, Imds};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is said, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The text of each path below `latest/meta-data/`.
    pub(crate) texts: BTreeMap<String, String>,
    /// The statuses of the next answers to paths that are read, instead of what stands there; then of those to tokens.
    pub(crate) gets: Vec<u16>,
    pub(crate) puts: Vec<u16>,
    /// Whether nothing is answered at all.
    pub(crate) hangs: bool,
    /// The token that counts is this number; an earlier one is refused.
    pub(crate) token: usize,
    /// What was asked for: `PUT` and paths.
    pub(crate) asked: Vec<String>,
}

/// The service. It ends when this is dropped.
pub(crate) struct Service {
    said: Arc<Mutex<Said>>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// A service of an instance with one interface, `eni-1` with the hardware address `02:00:00:00:00:01`.
    pub(crate) async fn start() -> Self {
        let said = Said { texts: texts(), token: 1, ..Said::default() };
        let said = Arc::new(Mutex::new(said));
        let router = Router::new().fallback(answer).with_state(said.clone());
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(any).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let task =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { said, addr, task }
    }

    pub(crate) fn imds(&self) -> Imds {
        let endpoint: Endpoint = format!("http://{}", self.addr).parse().expect("an endpoint");
        Imds::new(endpoint)
    }

    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no panic")
    }

    /// Says `text` at `path`, in which `^` stands for the directory of the interface; nothing for `None`.
    pub(crate) fn say(&self, path: &str, text: Option<&str>) {
        let path = path.replace('^', INTERFACE);
        let mut said = self.said();
        match text {
            Some(text) => said.texts.insert(path, text.to_owned()),
            None => said.texts.remove(&path),
        };
    }

    /// How often a path was read, or `PUT`.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let path = path.replace('^', INTERFACE);
        self.said().asked.iter().filter(|asked| **asked == path).count()
    }
}

const INTERFACE: &str = "network/interfaces/macs/02:00:00:00:00:01/";

fn texts() -> BTreeMap<String, String> {
    let lines = "
        instance-id i-1
        instance-type m5.large
        mac 02:00:00:00:00:01
        placement/availability-zone eu-west-1a
        placement/region eu-west-1
        network/interfaces/macs/ 02:00:00:00:00:01/
        ^interface-id eni-1
        ^device-number 0
        ^vpc-id vpc-1
        ^subnet-id subnet-1
        ^local-ipv4s 10.0.0.5
        ^ipv4-prefix 10.0.0.16/28
        ^subnet-ipv4-cidr-block 10.0.0.0/24
        ^vpc-ipv4-cidr-block 10.0.0.0/16
        ^vpc-ipv4-cidr-blocks 10.0.0.0/16";
    let lines = lines.lines().filter_map(|line| line.trim().split_once(' '));
    lines.map(|(path, text)| (path.replace('^', INTERFACE), text.to_owned())).collect()
}

async fn answer(
    State(said): State<Arc<Mutex<Said>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> (StatusCode, String) {
    if said.lock().expect("no panic").hangs {
        std::future::pending::<()>().await;
    }
    let (status, text) = found(&mut said.lock().expect("no panic"), &method, uri.path(), &headers);
    (StatusCode::from_u16(status).expect("a status"), text)
}

fn found(said: &mut Said, method: &Method, path: &str, headers: &HeaderMap) -> (u16, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let next = |list: &mut Vec<u16>| if list.is_empty() { None } else { Some(list.remove(0)) };
    if method == Method::PUT {
        said.asked.push("PUT".to_owned());
        let lifetime = header("x-aws-ec2-metadata-token-ttl-seconds");
        assert_eq!((path, lifetime), ("/latest/api/token", Some("21600")));
        return (next(&mut said.puts).unwrap_or(200), said.token.to_string());
    }
    let path = path.strip_prefix("/latest/meta-data/").expect("a path of metadata").to_owned();
    said.asked.push(path.clone());
    if header("x-aws-ec2-metadata-token") != Some(said.token.to_string().as_str()) {
        return (401, String::new());
    }
    if let Some(status) = next(&mut said.gets) {
        return (status, String::new());
    }
    said.texts.get(&path).map_or((404, String::new()), |text| (200, text.clone()))
}
