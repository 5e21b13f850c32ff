//! What the kernel tells of changes by others, and which of them matter: a node makes and removes a device, addresses and routes with
//! every pod, and none of these are Berth's.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::SocketAddr;
use rtnetlink::{MulticastGroup, new_multicast_connection};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::decode::{mac, route_table, rule_protocol};
use crate::host_net::words::{Numbers, Wanted};

const GROUPS: [MulticastGroup; 7] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
    MulticastGroup::Ipv4Rule,
    MulticastGroup::Ipv6Rule,
];

type Notice = NetlinkMessage<RouteNetlinkMessage>;

/// Which changes matter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Interest {
    protocol: u8,
    tables: BTreeSet<u32>,
    macs: BTreeSet<String>,
    devices: BTreeSet<u32>,
}

impl Interest {
    /// Those of the devices of the interfaces, of these devices, of the interfaces' tables, and of Berth's rules and routes.
    pub(super) fn of<'a>(
        numbers: &Numbers,
        wanted: &Wanted,
        devices: impl Iterator<Item = &'a u32>,
    ) -> Self {
        let numbers_of_enis = wanted.enis.values().map(|eni| eni.number);
        let tables = numbers_of_enis.map(|number| numbers.table(number));
        Self {
            protocol: numbers.protocol,
            tables: tables.collect(),
            macs: wanted.enis.values().map(|eni| eni.mac.clone()).collect(),
            devices: devices.copied().collect(),
        }
    }

    /// Whether a change by another than `own` matters. A message that was lost may have been about anything.
    pub(super) fn matters(&self, notice: &Notice, own: u32) -> bool {
        use RouteNetlinkMessage::{
            DelAddress, DelLink, DelRoute, DelRule, NewAddress, NewLink, NewRoute, NewRule,
        };
        if matches!(notice.payload, NetlinkPayload::Overrun(_)) {
            return true;
        }
        let NetlinkPayload::InnerMessage(message) = &notice.payload else { return false };
        let is_own = notice.header.port_number == own;
        match message {
            NewLink(link) | DelLink(link) => {
                let has_our_mac = mac(link).is_some_and(|mac| self.macs.contains(&mac));
                !is_own && (has_our_mac || self.devices.contains(&link.header.index))
            }
            NewAddress(address) | DelAddress(address) => {
                !is_own && self.devices.contains(&address.header.index)
            }
            NewRule(rule) | DelRule(rule) => !is_own && rule_protocol(rule) == Some(self.protocol),
            NewRoute(route) | DelRoute(route) => {
                let is_ours = u8::from(route.header.protocol) == self.protocol;
                !is_own && (is_ours || self.tables.contains(&route_table(route)))
            }
            _ => false,
        }
    }
}

/// A socket for what the kernel tells by itself.
pub(super) struct Notices {
    interest: Arc<Mutex<Interest>>,
    changed: Arc<Notify>,
    /// Read the socket for as long as this is there.
    _readers: JoinSet<()>,
}

impl Notices {
    /// Opens it. Changes that came from the port `own` are known already.
    pub(super) fn open(own: u32) -> io::Result<Self> {
        let (connection, _, notices) = new_multicast_connection(&GROUPS)?;
        let interest = Arc::new(Mutex::new(Interest::default()));
        let changed = Arc::new(Notify::new());
        let mut readers = JoinSet::new();
        readers.spawn(connection);
        readers.spawn(read(notices, own, Arc::clone(&interest), Arc::clone(&changed)));
        Ok(Self { interest, changed, _readers: readers })
    }

    pub(super) fn set_interest(&self, interest: Interest) {
        *self.interest.lock().unwrap_or_else(PoisonError::into_inner) = interest;
    }

    /// Whether nothing is told any more.
    pub(super) fn have_ended(&self) -> bool {
        // The reader holds the other one.
        Arc::strong_count(&self.changed) < 2
    }

    /// Until something has changed that matters.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Takes what is told at once, so that nothing piles up, and wakes whoever waits if it matters.
async fn read(
    mut notices: UnboundedReceiver<(Notice, SocketAddr)>,
    own: u32,
    interest: Arc<Mutex<Interest>>,
    changed: Arc<Notify>,
) {
    while let Some((notice, _)) = notices.next().await {
        let interest = interest.lock().unwrap_or_else(PoisonError::into_inner);
        if interest.matters(&notice, own) {
            changed.notify_one();
        }
    }
    // The next look finds the socket closed.
    changed.notify_one();
}
