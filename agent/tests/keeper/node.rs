//! A node with an agent's keeper on it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use berth_agent::clock::Clock;
use berth_agent::journal::storage::{Folder, Storage};
use berth_agent::keeper::{Keeper, KeeperOptions, KeeperThread, NoObserver, Outputs, StartError};
use ipam_core::agent::{AgentSettings, Answer, Attachment, Call, EniFacts, ShownEni, Status};
use ipam_core::pool::LedgerSettings;

/// The boot of the machine, unless a test says another one.
pub(crate) const BOOT: &str = "6b5c0f8e-7c07-4f0a-9a41-000000000001";

/// A keeper that runs.
pub(crate) struct Node {
    pub(crate) keeper: Keeper,
    /// Kept, so that they have a taker.
    _outputs: Outputs,
    pub(crate) thread: KeeperThread,
}

pub(crate) fn options() -> KeeperOptions {
    let minute = Duration::from_mins(1);
    let ledger = LedgerSettings::new(Duration::ZERO, minute, Duration::ZERO).unwrap();
    KeeperOptions {
        settings: AgentSettings { ledger, wait_max: Duration::ZERO, ..AgentSettings::default() },
        state_dir: "nowhere".into(),
        instance: Some("i-1".parse().unwrap()),
        boot: BOOT.to_owned(),
        clock: Clock::boot(),
        observer: Arc::new(NoObserver),
    }
}

impl Node {
    /// One whose interface has this many /28 prefixes, which it knows already.
    pub(crate) fn start(storage: impl Storage, prefixes: u8) -> Self {
        let node = Self::try_start(storage, options()).unwrap();
        node.keeper.on_metadata(vec![shown(prefixes)]);
        node
    }

    pub(crate) fn try_start(
        storage: impl Storage,
        options: KeeperOptions,
    ) -> Result<Self, StartError> {
        let (keeper, outputs, thread) = Keeper::start_on(storage, options)?;
        Ok(Self { keeper, _outputs: outputs, thread })
    }

    pub(crate) fn start_in(folder: &Path, prefixes: u8) -> Self {
        Self::start(Folder::open(folder).unwrap(), prefixes)
    }

    pub(crate) async fn add(&self, number: usize) -> Answer {
        self.keeper.call(add(number)).await
    }

    pub(crate) async fn del(&self, number: usize) -> Answer {
        self.keeper.call(Call::Del { attachment: attachment(number) }).await
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(self) {
        self.keeper.stop();
        self.thread.ended().await.unwrap();
    }

    /// Which interface of a sandbox holds what, as the status has it from now on.
    pub(crate) async fn held(&self) -> BTreeMap<Attachment, Vec<IpAddr>> {
        let status = self.settled().await;
        held(&status)
    }

    /// A status that is renewed after what has been called so far.
    pub(crate) async fn settled(&self) -> Arc<Status> {
        let before = self.keeper.status();
        loop {
            // A call that changes nothing.
            self.keeper.call(Call::Status).await;
            let now = self.keeper.status();
            if !Arc::ptr_eq(&before, &now) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Checks on the way that no address is held twice.
pub(crate) fn held(status: &Status) -> BTreeMap<Attachment, Vec<IpAddr>> {
    let mut all: BTreeMap<Attachment, Vec<IpAddr>> = BTreeMap::new();
    let mut addresses = BTreeSet::new();
    for held in &status.holdings {
        assert!(addresses.insert(held.address), "{} is held twice", held.address);
        if let Some(attachment) = held.attachment.clone() {
            all.entry(attachment).or_default().push(held.address);
        }
    }
    all
}

pub(crate) fn shown(prefixes: u8) -> ShownEni {
    let facts = EniFacts {
        id: "eni-1".parse().unwrap(),
        mac: "02:00:00:00:00:01".to_owned(),
        number: 0,
        subnet: Some("10.0.0.0/16".parse().unwrap()),
        vpc: vec!["10.0.0.0/16".parse().unwrap()],
    };
    let prefix = |number: u8| format!("10.0.{}.{}/28", 1 + number / 16, number % 16 * 16);
    ShownEni {
        facts,
        network_card: 0,
        primary: Some([10, 0, 0, 4].into()),
        addresses: [IpAddr::from([10, 0, 0, 4])].into(),
        prefixes: (0..prefixes).map(|number| prefix(number).parse().unwrap()).collect(),
    }
}

pub(crate) fn attachment(number: usize) -> Attachment {
    Attachment {
        network: "berth".to_owned(),
        container: format!("{number:064x}"),
        interface: "eth0".to_owned(),
    }
}

pub(crate) fn add(number: usize) -> Call {
    Call::Add {
        attachment: attachment(number),
        pod: format!("shop/cart-{number}").parse().unwrap(),
        uid: Some(format!("{number:08x}-0000-4000-8000-000000000000")),
        wait: None,
    }
}

/// The addresses that were granted.
#[track_caller]
pub(crate) fn granted(answer: Answer) -> Vec<IpAddr> {
    match answer {
        Answer::Granted(leases) => leases.into_iter().map(|lease| lease.address).collect(),
        other => panic!("not granted: {other:?}"),
    }
}
