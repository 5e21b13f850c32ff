//! The sockets in front of the real keeper and its ledger on disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use berth_agent::clock::Clock;
use berth_agent::keeper::{Keeper, KeeperOptions, KeeperThread, NoObserver, Outputs};
use berth_agent::status::{Report, fetch};
use ipam_core::agent::{AgentSettings, ShownEni};
use ipam_core::pool::LedgerSettings;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::script::lease;
use crate::served::{Served, until};

/// A keeper that runs, with 128 addresses.
struct Node {
    keeper: Keeper,
    thread: KeeperThread,
    _outputs: Outputs,
}

impl Node {
    fn start(state_dir: &Path, prefixes: u8) -> Self {
        let minute = Duration::from_mins(1);
        let ledger = LedgerSettings::new(Duration::ZERO, minute, Duration::ZERO).unwrap();
        let (keeper, outputs, thread) = Keeper::start(KeeperOptions {
            settings: AgentSettings { ledger, ..AgentSettings::default() },
            state_dir: state_dir.to_owned(),
            instance: Some("i-1".parse().unwrap()),
            boot: "boot-1".to_owned(),
            clock: Clock::boot(),
            observer: Arc::new(NoObserver),
        })
        .unwrap();
        let prefix = |number: u8| format!("10.0.1.{}/28", number * 16).parse().unwrap();
        keeper.on_metadata(vec![ShownEni {
            facts: (*lease("10.0.0.4", 1, ipam_core::pool::Claim::NotNeeded).eni).clone(),
            network_card: 0,
            primary: Some([10, 0, 0, 4].into()),
            addresses: [[10, 0, 0, 4].into()].into(),
            prefixes: (0..prefixes).map(prefix).collect(),
        }]);
        Self { keeper, thread, _outputs: outputs }
    }

    async fn stop(self) {
        self.keeper.stop();
        self.thread.ended().await.unwrap();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn call(verb: &str, number: usize, rest: &str) -> String {
    let container = format!("{number:064x}");
    format!(
        "POST /v1/cni/{verb}\n\n{{\"attachment\":{{\"network\":\"pods\",\
         \"container-id\":\"{container}\",\"interface\":\"eth0\"}}{rest}}}"
    )
}

fn add(number: usize) -> String {
    let rest = format!(",\"pod\":{{\"namespace\":\"shop\",\"name\":\"cart-{number}\"}}");
    call("add", number, &rest)
}

async fn address_of(served: &Served, number: usize) -> String {
    let answer = served.ask(&add(number)).await;
    let (status, body) = answer.split_once(' ').unwrap();
    assert_eq!(status, "200", "{answer}");
    let reply: Value = serde_json::from_str(body).unwrap();
    assert_eq!(reply["addresses"].as_array().unwrap().len(), 1, "{answer}");
    reply["addresses"][0]["address"].as_str().unwrap().to_owned()
}

/// The status, once it is as expected.
async fn report(served: &Served, is_so: impl Fn(&Report) -> bool) -> Report {
    let looked = async {
        loop {
            let report = fetch(&served.path).await.unwrap();
            if is_so(&report) {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looked).await.unwrap()
}

#[tokio::test]
async fn a_node_full_of_pods_keeps_its_addresses_over_a_restart() {
    let state = folder();
    let node = Node::start(state.path(), 8);
    let served = Arc::new(Served::berth(node.keeper.clone()).await);
    let mut clients = JoinSet::new();
    for number in 0..110 {
        let served = Arc::clone(&served);
        clients.spawn(async move { address_of(&served, number).await });
    }
    let addresses: BTreeSet<String> = clients.join_all().await.into_iter().collect();
    assert_eq!(addresses.len(), 110);
    let before = report(&served, |report| report.addresses.len() == 110).await;
    assert_eq!((before.ready, before.attachments), (true, 110));
    node.stop().await;

    let node = Node::start(state.path(), 8);
    let served = Served::berth(node.keeper.clone()).await;
    let after = report(&served, |report| report.ready && report.enis.len() == 1).await;
    assert_eq!(after.addresses, before.addresses);
    let again = address_of(&served, 7).await;
    let found = after.addresses.iter().find(|one| one.owner == "shop/cart-7").unwrap();
    assert_eq!(found.address.to_string(), again);
    for number in 0..110 {
        assert_eq!(served.ask(&call("del", number, "")).await, "200 {}");
    }
    report(&served, |report| report.addresses.is_empty()).await;
    node.stop().await;
}

#[tokio::test]
async fn who_hangs_up_leaves_its_place_to_the_next() {
    let state = folder();
    let node = Node::start(state.path(), 1);
    let served = Arc::new(Served::berth(node.keeper.clone()).await);
    for number in 0..16 {
        address_of(&served, number).await;
    }
    let mut gone = served.connect().await;
    let request = add(100);
    let body = request.split_once("\n\n").unwrap().1;
    let head = "POST /v1/cni/add HTTP/1.1\r\nhost: x\r\ncontent-length:";
    gone.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    until(|| node.keeper.status().waiting == 1).await;
    drop(gone);
    until(|| node.keeper.status().waiting == 0).await;
    let next = Arc::clone(&served);
    let next = tokio::spawn(async move { address_of(&next, 101).await });
    until(|| node.keeper.status().waiting == 1).await;
    assert_eq!(served.ask(&call("del", 3, "")).await, "200 {}");
    next.await.unwrap();
    let report = report(&served, |report| report.attachments == 16).await;
    assert!(report.addresses.iter().all(|one| one.owner != "shop/cart-100"), "{report:?}");
    node.stop().await;
}

#[tokio::test]
async fn an_agent_that_stops_says_so_to_those_who_wait() {
    let state = folder();
    let node = Node::start(state.path(), 0);
    let served = Arc::new(Served::berth(node.keeper.clone()).await);
    let waits = Arc::clone(&served);
    let waits = tokio::spawn(async move { waits.ask(&add(1)).await });
    until(|| node.keeper.status().waiting == 1).await;
    node.stop().await;
    let answer = waits.await.unwrap();
    assert!(answer.starts_with("503 {\"code\":11,\"msg\":\"stopping\""), "{answer}");
    let late = served.ask(&add(2)).await;
    assert!(late.starts_with("503 {\"code\":11,\"msg\":\"stopping\""), "{late}");
}

#[tokio::test]
async fn allocations_of_cilium_are_claimed_and_given_back() {
    let state = folder();
    let node = Node::start(state.path(), 1);
    let berth = Served::berth(node.keeper.clone()).await;
    let of_pod = address_of(&berth, 1).await;
    let served = Served::cilium(node.keeper.clone()).await;
    let json = |answer: String| {
        let (status, body) = answer.split_once(' ').unwrap();
        assert_eq!(status, "201", "{answer}");
        serde_json::from_str::<Value>(body).unwrap()
    };
    let router = json(served.ask("POST /v1/ipam?owner=router").await);
    let router = router["ipv4"]["ip"].as_str().unwrap().to_owned();
    until(|| node.keeper.status().holdings.len() == 2).await;
    let asked = "POST /v1/ipam?owner=shop/cart-9&family=ipv4\nexpiration: true";
    let granted = json(served.ask(asked).await);
    assert_eq!(granted["host-addressing"]["ipv4"]["ip"], router.as_str());
    let address = granted["address"]["ipv4"].as_str().unwrap();
    let uuid = granted["address"]["ipv4-expiration-uuid"].as_str().unwrap();
    let claim = format!("POST /v1/ipam/{address}/claim?uuid={uuid}");
    assert_eq!(served.ask(&claim).await, "200");
    let again = served.ask(&claim).await;
    assert!(again.starts_with("409 "), "{again}");
    let taken = served.ask(&format!("POST /v1/ipam/{address}?owner=a/b&pool=default")).await;
    assert!(taken.starts_with("409 "), "{taken}");
    assert_eq!(served.ask(&format!("DELETE /v1/ipam/{address}?pool=default")).await, "200");
    let twice = served.ask(&format!("DELETE /v1/ipam/{address}?pool=default")).await;
    assert!(twice.starts_with("404 "), "{twice}");
    let stolen = served.ask(&format!("DELETE /v1/ipam/{of_pod}")).await;
    assert!(stolen.starts_with("500 \""), "{stolen}");
    node.stop().await;
}
