//! `berth-agent status` and what it is answered.

use std::path::Path;

use berth_agent::settings::{Output, StatusSettings};
use berth_agent::status::{self, Outcome, Report};
use ipam_core::agent::{Held, LastWord};
use ipam_core::pool::{Claim, GrantId};

use crate::script::{Script, by_name};
use crate::served::Served;

async fn ask(path: &Path, output: Output) -> Outcome {
    let settings = StatusSettings { socket_path: path.to_owned(), output, all: true };
    let mut outcome = status::ask(&settings).await;
    outcome.complaint =
        outcome.complaint.map(|text| text.replace(&path.display().to_string(), "PATH"));
    outcome
}

fn away(complaint: &str) -> Outcome {
    let complaint = Some(complaint.to_owned());
    Outcome { text: String::new(), complaint, exit_status: status::AWAY }
}

#[tokio::test]
async fn a_ready_agent() {
    let served = Served::berth(Script::new(by_name)).await;
    let outcome = ask(&served.path, Output::Table).await;
    assert_eq!((outcome.exit_status, &outcome.complaint), (status::READY, &None));
    assert!(outcome.text.starts_with("IPAM: IPv4 10/15 allocated\nReady: yes\n"), "{outcome:?}");
    assert!(outcome.text.contains("\n10.0.0.16  router"), "{outcome:?}");
}

#[tokio::test]
async fn an_agent_that_waits() {
    let script = Script::new(by_name).with(|status| {
        status.ready = Err("the metadata");
        let age = std::time::Duration::from_millis(3_999);
        status.word = Some(LastWord { age, blocked: Some("subnet-1 is full".to_owned()) });
        status.holdings.push(Held {
            address: "10.0.0.17".parse().unwrap(),
            owner: "shop/cart-0".parse().unwrap(),
            eni: "eni-1".parse().unwrap(),
            id: GrantId::from_u64(2),
            claim: Claim::Expected,
            attachment: None,
        });
    });
    let served = Served::berth(script).await;
    let outcome = ask(&served.path, Output::Json).await;
    assert_eq!((outcome.exit_status, &outcome.complaint), (status::NOT_READY, &None));
    let report: Report = serde_json::from_str(&outcome.text).unwrap();
    assert_eq!(report.missing.as_deref(), Some("the metadata"));
    let operator = report.operator.unwrap();
    assert_eq!((operator.age_seconds, operator.blocked.as_deref()), (3, Some("subnet-1 is full")));
    let [router, pod] = report.addresses.as_slice() else {
        panic!("{:?}", report.addresses);
    };
    assert!(!router.unclaimed && pod.unclaimed);
    assert_eq!((pod.owner.as_str(), pod.grant), ("shop/cart-0", 2));
}

#[tokio::test]
async fn a_large_node() {
    let script = Script::new(by_name).with(|status| {
        let one = status.holdings[0].clone();
        status.holdings = vec![one; 20_000];
    });
    let served = Served::berth(script).await;
    let report = status::fetch(&served.path).await.unwrap();
    assert_eq!(report.addresses.len(), 20_000);
}

#[tokio::test]
async fn no_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let expected = away(
        "no agent listens on PATH: start it (berth-agent run), or name its socket with --socket-path",
    );
    assert_eq!(ask(&path, Output::Table).await, expected);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert_eq!(ask(&path, Output::Table).await, expected);
}

#[tokio::test]
async fn something_else_listens() {
    let served = Served::cilium(Script::new(by_name)).await;
    let expected =
        away("what listens on PATH answered 404 Not Found: is it an agent of this version?");
    assert_eq!(ask(&served.path, Output::Table).await, expected);
}
