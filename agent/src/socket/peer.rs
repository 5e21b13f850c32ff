//! Who may ask: root, and the agent's own user.

use std::io;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

use super::prepare::{Prepared, SocketFile};
use super::rejection::Rejection;

/// Between two attempts when no connection can be taken.
const PAUSE: Duration = Duration::from_millis(200);

/// The users that may ask. The mode of the file says the same; this holds where somebody changes it.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    pub(super) allowed: [u32; 2],
}

impl Default for Peers {
    fn default() -> Self {
        Self { allowed: [0, rustix::process::geteuid().as_raw()] }
    }
}

impl Peers {
    /// Whether the process at the other end may ask, by what the kernel says of it.
    fn allow(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| self.allowed.contains(&peer.uid()))
    }
}

/// Takes connections of those who may ask, and tells the others that they may not.
pub(super) struct Guarded {
    listener: UnixListener,
    peers: Peers,
    _file: SocketFile,
}

impl From<Prepared> for Guarded {
    fn from(prepared: Prepared) -> Self {
        let Prepared { listener, peers, file } = prepared;
        Self { listener, peers, _file: file }
    }
}

impl Listener for Guarded {
    type Io = UnixStream;
    type Addr = ();

    async fn accept(&mut self) -> (UnixStream, ()) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if self.peers.allow(&stream) => return (stream, ()),
                Ok((stream, _)) => turn_away(&stream),
                Err(problem) => {
                    tracing::warn!(%problem, "a connection cannot be taken");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Says why, without reading anything nor waiting for anybody.
fn turn_away(stream: &UnixStream) {
    tracing::warn!(peer = ?stream.peer_cred().ok(), "a user that may not ask was turned away");
    let said = Rejection::not_permitted().on_the_wire();
    // A fresh connection has room for it; if not, hanging up says enough.
    let _said = stream.try_write(&said);
}
