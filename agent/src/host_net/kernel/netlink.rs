//! Questions and orders to the kernel, and its answers.

use std::io;
use std::time::Duration;

use futures::{Stream, StreamExt};
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::AsyncSocket;
use rtnetlink::{Handle, new_connection_with_strict_check};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::KernelError;

/// How long an answer may take. The kernel answers at once unless it is in distress; an answer that was lost never comes.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often something is read that changes meanwhile.
const ATTEMPTS: usize = 8;

/// A socket for questions and orders.
pub(super) struct Requests {
    handle: Handle,
    port: u32,
    /// Reads the socket for as long as this is there.
    _reader: JoinSet<()>,
}

impl Requests {
    /// Opens it. The kernel is told to take every filter of a question at its word, or to refuse the question.
    pub(super) fn open() -> io::Result<Self> {
        let (mut connection, handle, _) = new_connection_with_strict_check()?;
        // Only so can the end of an answer be told from the end of the socket.
        connection.set_forward_done(true);
        connection.set_forward_ack(true);
        let port = connection.socket_mut().socket_mut().bind_auto()?.port_number();
        let mut reader = JoinSet::new();
        reader.spawn(connection);
        Ok(Self { handle, port, _reader: reader })
    }

    /// Who the kernel says has made changes that came from here.
    pub(super) const fn port(&self) -> u32 {
        self.port
    }

    fn send(
        &self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<impl Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + use<>, KernelError> {
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        self.handle.clone().request(message).map_err(|_| KernelError::Closed)
    }

    /// All that the kernel answers to a question, and that `pick` wants of it.
    pub(super) async fn dump<T>(
        &self,
        question: &RouteNetlinkMessage,
        pick: impl Fn(RouteNetlinkMessage) -> Option<T>,
    ) -> Result<Vec<T>, KernelError> {
        for _ in 0..ATTEMPTS {
            let answer = timeout(PATIENCE, self.dump_once(question.clone(), &pick)).await;
            if let Some(whole) = answer.map_err(|_| KernelError::Slow(PATIENCE))?? {
                return Ok(whole);
            }
        }
        Err(KernelError::Restless)
    }

    /// None when it changed while it was read: something may be missing.
    async fn dump_once<T>(
        &self,
        question: RouteNetlinkMessage,
        pick: &impl Fn(RouteNetlinkMessage) -> Option<T>,
    ) -> Result<Option<Vec<T>>, KernelError> {
        let mut answers = self.send(question, NLM_F_DUMP)?;
        let (mut found, mut is_whole) = (Vec::new(), true);
        while let Some(answer) = answers.next().await {
            is_whole &= answer.header.flags & NLM_F_DUMP_INTR == 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(message) => found.extend(pick(message)),
                NetlinkPayload::Done(done) if done.code == 0 => {
                    return Ok(is_whole.then_some(found));
                }
                NetlinkPayload::Done(done) => {
                    let error = io::Error::from_raw_os_error(done.code.saturating_abs());
                    return Err(KernelError::Refused(error));
                }
                NetlinkPayload::Error(error) => return Err(KernelError::Refused(error.to_io())),
                _ => is_whole = false,
            }
        }
        Err(KernelError::Closed)
    }

    /// Has the kernel change something, and waits until it has.
    pub(super) async fn order(
        &self,
        order: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), KernelError> {
        let done = async {
            let mut answers = self.send(order, NLM_F_ACK | flags)?;
            while let Some(answer) = answers.next().await {
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(()),
                    NetlinkPayload::Error(error) => {
                        return Err(KernelError::Refused(error.to_io()));
                    }
                    _ => {}
                }
            }
            Err(KernelError::Closed)
        };
        timeout(PATIENCE, done).await.map_err(|_| KernelError::Slow(PATIENCE))?
    }
}
