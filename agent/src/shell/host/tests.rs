//! What becomes of addresses that the host's network does not carry.

use std::net::IpAddr;

use ipam_core::agent::{AgentSettings, EniFacts, ShownEni};
use ipam_core::pool::{Claim, Family, Owner};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::*;
use crate::clock::Clock;
use crate::keeper::{KeeperOptions, NoObserver, Outputs};
use crate::socket;

/// A desk in front of a host's network that nobody looks after.
struct Bed {
    desk: HostDesk,
    settings: AgentSettings,
    _outputs: Outputs,
    _folder: TempDir,
}

impl Bed {
    fn start() -> Self {
        let settings = AgentSettings { wait_max: Duration::ZERO, ..AgentSettings::default() };
        let folder = tempfile::tempdir().unwrap();
        let options = KeeperOptions {
            settings: settings.clone(),
            state_dir: folder.path().to_owned(),
            instance: Some("i-1".parse().unwrap()),
            boot: "boot".to_owned(),
            clock: Clock::boot(),
            observer: Arc::new(NoObserver),
        };
        let (keeper, outputs, _thread) = Keeper::start(options).unwrap();
        keeper.on_metadata(vec![shown()]);
        let listener = Arc::new(Listener { keeper: keeper.clone(), metrics: Metrics::new() });
        let (host, _never) = host_net::start(Options::default(), keeper.watch(), listener);
        let desk = HostDesk { keeper, host: Some(host) };
        Self { desk, settings, _outputs: outputs, _folder: folder }
    }

    /// Asks, and is refused in time for the reason to be answered.
    async fn refused(&self, call: Call) {
        let began = Instant::now();
        let answer = self.desk.call(call).await;
        assert!(matches!(answer, Answer::Refused(Refused::HostNetwork { .. })), "{answer:?}");
        assert!(began.elapsed() < socket::Options::new(&self.settings).answer_within);
    }

    /// Whether an address is held. It is not any more afterwards.
    async fn held(&self, address: IpAddr) -> bool {
        matches!(self.desk.keeper.call(Call::Release { address }).await, Answer::Done)
    }
}

fn shown() -> ShownEni {
    let facts = EniFacts {
        id: "eni-1".parse().unwrap(),
        mac: "02:00:00:00:00:01".to_owned(),
        number: 0,
        subnet: Some("10.0.0.0/24".parse().unwrap()),
        vpc: vec!["10.0.0.0/16".parse().unwrap()],
    };
    ShownEni {
        facts,
        network_card: 0,
        primary: Some([10, 0, 0, 4].into()),
        addresses: [[10, 0, 0, 4].into(), address()].into(),
        prefixes: [].into(),
    }
}

fn address() -> IpAddr {
    [10, 0, 0, 5].into()
}

fn exact() -> Call {
    Call::AllocateExact { address: address(), owner: Owner::Router }
}

#[tokio::test(start_paused = true)]
async fn what_was_granted_and_cannot_be_answered_is_given_back() {
    let bed = Bed::start();
    let owner = Owner::Router;
    let next = Call::Allocate { families: vec![Family::Ipv4], owner, claim: Claim::NotNeeded };
    for call in [next, exact()] {
        bed.refused(call).await;
        assert!(!bed.held(address()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_held_before_stays_held() {
    let bed = Bed::start();
    let before = bed.desk.keeper.call(exact()).await;
    assert!(matches!(before, Answer::Granted(_)), "{before:?}");
    // The status is renewed a little later.
    while bed.desk.status().holdings.is_empty() {
        sleep(Duration::from_millis(1)).await;
        std::thread::yield_now();
    }
    bed.refused(exact()).await;
    assert!(bed.held(address()).await);
}
