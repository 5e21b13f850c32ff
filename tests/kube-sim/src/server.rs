//! The simulator behind a socket: HTTP/1.1 without TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::service::Service;
use crate::sim::KubeSim;

/// How long open requests get to end when the server stops. Watches never do of themselves.
const GRACE: Duration = Duration::from_millis(500);

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `sim` at `listen`. Port 0 takes any free port.
    ///
    /// # Errors
    ///
    /// The address cannot be listened at.
    pub async fn start(sim: KubeSim, listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Service::shared(sim), stopped));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig for a client of this name: faults and counters know the client by it.
    #[must_use]
    pub fn kubeconfig(&self, client: &str) -> String {
        let Self { address, .. } = self;
        format!(
            "apiVersion: v1
kind: Config
clusters:
- name: kube-sim
  cluster:
    server: http://{address}
users:
- name: {client}
  user:
    token: {client}
contexts:
- name: kube-sim
  context:
    cluster: kube-sim
    user: {client}
    namespace: default
current-context: kube-sim
"
        )
    }

    /// Takes no more connections, gives open requests half a second, and ends.
    pub async fn stop(self) {
        // It has ended by itself where nobody receives this.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Serves connections until told to stop, or until nobody can tell any more.
async fn serve(listener: TcpListener, service: Service, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    // Dropped at the end, and with it what is still open then.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // One connection that fails while it is taken is its client's concern.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, service.clone(), &graceful));
                }
            }
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// One connection until its end, which is the client's leaving, a planned fault, or the server's stop.
fn connection(
    stream: TcpStream,
    service: Service,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Small answers must not wait for large ones.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(service);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        let _ = connection.await;
    }
}
