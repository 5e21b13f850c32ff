//! The kernel's side: what is there, and one change at a time.

mod changes;
mod decode;
mod encode;
mod interest;
mod netlink;
mod sysctl;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use ipam_core::pool::Family;
use ipnet::IpNet;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::rule::RuleMessage;
use rustix::io::Errno;
use tracing::debug;

use self::interest::{Interest, Notices};
use self::netlink::Requests;
use self::sysctl::Sysctl;
use super::masquerade::{Nft, NftError};
use super::words::{Kernel, Link, Masquerade, Numbers, Route, Rule, Step, Wanted};

/// Why the kernel could not be asked, or did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum KernelError {
    /// There is no socket.
    #[error("no netlink socket: {0}")]
    Socket(io::Error),
    /// Nobody reads the socket any more.
    #[error("the netlink socket is closed")]
    Closed,
    /// No answer came.
    #[error("the kernel did not answer within {0:?}")]
    Slow(Duration),
    /// What was read changed meanwhile, each time.
    #[error("the host's network changed whenever it was read")]
    Restless,
    /// It said no.
    #[error("{0}{hint}", hint = hint(.0))]
    Refused(io::Error),
    /// A setting cannot be written.
    #[error(
        "{path} cannot be written ({error}): run `sysctl -w {key}={value}` on the host, or give the agent a writable folder with --host-proc-sys"
    )]
    Sysctl {
        /// Which, as a path.
        path: String,
        /// Which, as sysctl names it.
        key: String,
        /// What is to be written.
        value: u8,
        /// Why not.
        error: io::Error,
    },
    /// A device that is gone.
    #[error("there is no device {0} any more")]
    NoDevice(u32),
    /// A rule that was not seen.
    #[error("there is no such rule any more")]
    NoRule,
    /// The packet filter.
    #[error(transparent)]
    Masquerade(#[from] NftError),
}

impl KernelError {
    /// Whether the socket is to be opened anew.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(self, Self::Socket(_) | Self::Closed | Self::Slow(_))
    }

    fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(error) => Errno::from_io_error(error),
            _ => None,
        }
    }
}

/// What a person can do about a refusal.
fn hint(refusal: &io::Error) -> &'static str {
    match Errno::from_io_error(refusal) {
        Some(Errno::PERM) => {
            ": the agent needs the capability NET_ADMIN, unless --host-networking=off"
        }
        _ => "",
    }
}

/// What the loop needs of a kernel.
pub(super) trait Network: Send + Sync + 'static {
    /// What is there, as far as it matters to what is wanted: the devices with the MACs of its interfaces, the routes in their tables, and
    /// all that has Berth's protocol number.
    fn observe(
        &mut self,
        numbers: &Numbers,
        wanted: &Wanted,
        thoroughness: Thoroughness,
    ) -> impl Future<Output = Result<Kernel, KernelError>> + Send;

    /// Carries one step out. What is there already, or gone already, is no error.
    fn apply(
        &mut self,
        numbers: &Numbers,
        step: &Step,
    ) -> impl Future<Output = Result<(), KernelError>> + Send;

    /// Until somebody else has changed something of what was observed, or may have.
    fn changed(&self) -> impl Future<Output = ()> + Send;
}

/// What is read, and what is taken from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thoroughness {
    /// All is read.
    Full,
    /// What costs a process is not read again: nobody is told when it changes, so that a look now and then has to do.
    Quick,
}

/// The real kernel, by netlink and procfs, in the network namespace of the thread that opens it.
pub(super) struct Netlink {
    requests: Requests,
    notices: Notices,
    sysctl: Sysctl,
    nft: Nft,
    /// The names of the devices that were observed.
    names: BTreeMap<u32, String>,
    /// Rules that are Berth's by their number alone, as the kernel showed them: only so can they be named to it.
    strange: BTreeMap<Rule, RuleMessage>,
    /// What is masqueraded, as it was read last.
    masquerade: Option<Masquerade>,
    knows_masquerade: bool,
}

impl Netlink {
    /// Opens the sockets. `proc_sys` is where the kernel's settings are.
    ///
    /// # Errors
    /// [`KernelError::Socket`]. Opening needs no privileges; changes need `CAP_NET_ADMIN`.
    pub(super) fn open(proc_sys: &Path) -> Result<Self, KernelError> {
        let requests = Requests::open().map_err(KernelError::Socket)?;
        let notices = Notices::open(requests.port()).map_err(KernelError::Socket)?;
        Ok(Self {
            requests,
            notices,
            sysctl: Sysctl::under(proc_sys),
            nft: Nft::default(),
            names: BTreeMap::new(),
            strange: BTreeMap::new(),
            masquerade: None,
            knows_masquerade: false,
        })
    }

    async fn observe_all(
        &mut self,
        numbers: &Numbers,
        wanted: &Wanted,
        thoroughness: Thoroughness,
    ) -> Result<Kernel, KernelError> {
        if self.notices.have_ended() {
            return Err(KernelError::Closed);
        }
        // Before the first look, so that nothing is missed between it and the last.
        self.notices.set_interest(Interest::of(numbers, wanted, self.names.keys()));
        let links = self.links(wanted).await?;
        self.names = links.iter().map(|(index, link)| (*index, link.name.clone())).collect();
        self.notices.set_interest(Interest::of(numbers, wanted, self.names.keys()));
        let mut addresses = BTreeSet::new();
        for device in links.keys() {
            addresses.extend(self.addresses(*device).await?);
        }
        Ok(Kernel {
            addresses,
            rules: self.rules(numbers.protocol).await?,
            routes: self.routes(numbers, wanted).await?,
            reverse_path_of_all: self.sysctl.reverse_path("all").unwrap_or_default(),
            masquerade: self.masquerade(numbers, wanted, thoroughness).await,
            links,
        })
    }

    async fn links(&self, wanted: &Wanted) -> Result<BTreeMap<u32, Link>, KernelError> {
        let links = self.requests.dump(&encode::links(), decode::link).await?;
        let macs: BTreeSet<&str> = wanted.enis.values().map(|eni| eni.mac.as_str()).collect();
        let ours = links.into_iter().filter(|(_, link)| macs.contains(link.mac.as_str()));
        Ok(ours
            .map(|(index, link)| {
                let reverse_path = self.sysctl.reverse_path(&link.name);
                (index, Link { reverse_path, ..link })
            })
            .collect())
    }

    async fn addresses(&self, device: u32) -> Result<Vec<(u32, IpNet)>, KernelError> {
        let found = self.requests.dump(&encode::addresses(device), decode::address).await;
        let found = or_nothing(found, &[Errno::NODEV])?;
        Ok(found.into_iter().filter(|(index, _)| *index == device).collect())
    }

    async fn rules(&mut self, protocol: u8) -> Result<BTreeSet<Rule>, KernelError> {
        let mut all = BTreeSet::new();
        self.strange.clear();
        for family in Family::ALL {
            let pick = |message| decode::rule(message, family, protocol);
            let found = self.requests.dump(&encode::rules(family), pick).await;
            for (rule, message) in if_enabled(family, found)? {
                if encode::rule(&rule, protocol).is_none() {
                    self.strange.insert(rule.clone(), message);
                }
                all.insert(rule);
            }
        }
        Ok(all)
    }

    async fn routes(
        &self,
        numbers: &Numbers,
        wanted: &Wanted,
    ) -> Result<BTreeSet<Route>, KernelError> {
        let secondary = wanted.enis.values().filter(|eni| eni.number > 0);
        let tables: BTreeSet<u32> = secondary.map(|eni| numbers.table(eni.number)).collect();
        let mut all = BTreeSet::new();
        for family in Family::ALL {
            let own = encode::routes_of(family, numbers.protocol);
            let in_tables = tables.iter().map(|table| encode::routes_in(family, *table));
            for question in std::iter::once(own).chain(in_tables) {
                let pick = |message| decode::route(message, family);
                let found = self.requests.dump(&question, pick).await;
                // A table comes to be with its first route.
                all.extend(if_enabled(family, or_nothing(found, &[Errno::NOENT]))?);
            }
        }
        Ok(all)
    }

    /// What cannot be read is taken for nothing: if something is wanted there it is written then, and what is in the way of that is said.
    async fn masquerade(
        &mut self,
        numbers: &Numbers,
        wanted: &Wanted,
        thoroughness: Thoroughness,
    ) -> Option<Masquerade> {
        let is_of_use = wanted.masquerade || self.masquerade.is_some();
        if !self.knows_masquerade || is_of_use && thoroughness == Thoroughness::Full {
            let read = self.nft.read(numbers).await;
            self.masquerade = read.unwrap_or_else(|problem| {
                debug!("what is masqueraded cannot be read: {problem}");
                None
            });
            self.knows_masquerade = true;
        }
        self.masquerade.clone()
    }
}

impl Network for Netlink {
    async fn observe(
        &mut self,
        numbers: &Numbers,
        wanted: &Wanted,
        thoroughness: Thoroughness,
    ) -> Result<Kernel, KernelError> {
        self.observe_all(numbers, wanted, thoroughness).await
    }

    async fn apply(&mut self, numbers: &Numbers, step: &Step) -> Result<(), KernelError> {
        self.carry_out(numbers, step).await
    }

    async fn changed(&self) {
        self.notices.changed().await;
    }
}

/// Some errors say that there is nothing.
fn or_nothing<T>(
    found: Result<Vec<T>, KernelError>,
    nothing: &[Errno],
) -> Result<Vec<T>, KernelError> {
    match found {
        Err(error) if error.errno().is_some_and(|errno| nothing.contains(&errno)) => Ok(Vec::new()),
        found => found,
    }
}

/// A kernel without IPv6 has no rules and no routes of it.
fn if_enabled<T>(
    family: Family,
    found: Result<Vec<T>, KernelError>,
) -> Result<Vec<T>, KernelError> {
    match family {
        Family::Ipv4 => found,
        Family::Ipv6 => or_nothing(found, &[Errno::AFNOSUPPORT, Errno::OPNOTSUPP]),
    }
}

/// The kernel's number of a family.
const fn number_of(family: Family) -> AddressFamily {
    match family {
        Family::Ipv4 => AddressFamily::Inet,
        Family::Ipv6 => AddressFamily::Inet6,
    }
}
