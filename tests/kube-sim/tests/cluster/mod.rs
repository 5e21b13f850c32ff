//! A simulator that serves nodes of Cilium, and a client of one of its faces.

use std::future::Future;
use std::time::Duration;

use cilium_node::CiliumNode;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube_sim::{KubeSim, Server};
use serde_json::json;

/// How a client reaches the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    InProcess,
    Http,
}

impl Face {
    pub(crate) const ALL: [Self; 2] = [Self::InProcess, Self::Http];
}

pub(crate) struct Cluster {
    pub(crate) sim: KubeSim,
    pub(crate) client: Client,
    server: Option<Server>,
}

/// How the client is called.
pub(crate) const NAME: &str = "berth";

impl Cluster {
    pub(crate) async fn start(face: Face) -> Self {
        let sim = KubeSim::default();
        let definition = serde_json::to_value(cilium_node::crd()).unwrap();
        sim.register(definition).unwrap();
        if face == Face::InProcess {
            let client = sim.client(NAME);
            return Self { sim, client, server: None };
        }
        let server = Server::start(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let client = connect(&server, NAME).await;
        Self { sim, client, server: Some(server) }
    }

    pub(crate) async fn stop(self) {
        drop(self.client);
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

/// A client over HTTP.
async fn connect(server: &Server, name: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig(name)).unwrap();
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

/// A CiliumNode that wants nothing yet.
pub(crate) fn node(name: &str) -> CiliumNode {
    serde_json::from_value(json!({
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": name},
        "spec": {"eni": {"instance-type": "m5.large"}, "ipam": {"pre-allocate": 8}},
    }))
    .unwrap()
}

/// What must come within a few seconds.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future)
        .await
        .expect("nothing came in ten seconds")
}
