//! The agent inside this process.

use std::time::{Duration, Instant};

use berth_agent::clock::Clock;
use berth_agent::journal::storage::FolderError;
use berth_agent::keeper::StartError;
use berth_agent::settings::Settings;
use berth_agent::shell::{self, RunError};
use berth_agent::status::{Report, fetch};
use berth_cni::protocol;
use berth_cni::queue::{Enqueued, Queue, QueueError};
use berth_shell::signals::Stop;
use kube::Client;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::bed::{
    Bed, END, PATIENCE, TAINT, add, add_at_last, ask, attachment, becomes, del, eventually, gc,
};

/// An agent that runs.
pub(crate) struct Running {
    stop: Stop,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    pub(crate) fn start(bed: &Bed, more: &[&str]) -> Self {
        Self::start_within(Duration::ZERO, bed, more)
    }

    /// The next one, behind one that has ended: where the disk is slow, that one may still write its ledger anew, and holds the folder meanwhile.
    pub(crate) fn start_again(bed: &Bed, more: &[&str]) -> Self {
        Self::start_within(PATIENCE, bed, more)
    }

    fn start_within(held: Duration, bed: &Bed, more: &[&str]) -> Self {
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        let given: Vec<String> = more.iter().map(|flag| name(flag)).collect();
        let mut flags = bed.flags();
        flags.retain(|flag| !given.contains(&name(flag)));
        let flags = flags.iter().map(String::as_str).chain(more.iter().copied());
        let settings = Settings::from_arguments(flags).unwrap();
        let stop = Stop::on_signals().unwrap();
        let run = run(settings, bed.kube.client("agent"), stop.clone(), held);
        Self { stop, task: tokio::spawn(run) }
    }

    /// Asks it to end, which it does in good order and in time.
    pub(crate) async fn ends(self) {
        self.stop.ask();
        timeout(END, self.task).await.unwrap().unwrap().unwrap();
    }

    /// It ends by itself, with this error.
    async fn fails(self) -> String {
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap_err().to_string()
    }
}

/// Is the agent, and tries to be it for so long while another one holds its folder.
async fn run(
    settings: Settings,
    client: Client,
    stop: Stop,
    held: Duration,
) -> Result<(), RunError> {
    let start = Instant::now();
    loop {
        let run = shell::run(settings.clone(), Clock::boot(), client.clone(), stop.clone());
        match Box::pin(run).await {
            Err(RunError::Keeper(StartError::Folder(FolderError::Locked { .. })))
                if start.elapsed() < held =>
            {
                sleep(Duration::from_millis(20)).await;
            }
            ended => return ended,
        }
    }
}

/// The report of the agent, once it is as expected: it lags a little.
pub(crate) async fn reported(bed: &Bed, expected: impl Fn(&Report) -> bool) -> Report {
    let start = Instant::now();
    loop {
        let report = fetch(&bed.socket()).await.unwrap();
        if expected(&report) {
            return report;
        }
        assert!(start.elapsed() < PATIENCE, "{report:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_restores_every_owner() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &[]);
    let first = add_at_last(&bed, 1).await;
    let second = add_at_last(&bed, 2).await;
    assert_ne!(first, second);
    agent.ends().await;
    assert!(!bed.socket().exists(), "the socket goes with its agent");

    let agent = Running::start_again(&bed, &[]);
    assert_eq!(add_at_last(&bed, 1).await, first, "asked again, the answer is the same");
    let owners = |report: &Report| {
        let owners = report.addresses.iter().map(|held| held.owner.clone());
        owners.collect::<Vec<_>>()
    };
    reported(&bed, |report| owners(report) == ["shop/cart-1", "shop/cart-2"]).await;
    gc(&bed, &[2]).await;
    assert_eq!(add(&bed, 2).await.unwrap(), second);
    reported(&bed, |report| owners(report) == ["shop/cart-2"]).await;
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_is_given_back_before_anything_is_handed_out() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &[]);
    let address = add_at_last(&bed, 1).await;
    agent.ends().await;

    let request = protocol::DelRequest { attachment: attachment(1) };
    let queue = Queue::new(bed.path("queue"));
    let away = || Ok::<_, QueueError>(Enqueued::Written);
    queue.enqueue(&request, Instant::now() + PATIENCE, away).unwrap();

    let agent = Running::start_again(&bed, &["--address-cool-down=0s"]);
    let again = add_at_last(&bed, 2).await;
    reported(&bed, |report| report.addresses.len() == 1).await;
    assert_eq!(again, address, "the first address, free again");
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_taint_goes_when_pods_can_be_served() {
    let bed = Bed::new("i-00000002").await;
    let agent = Running::start(&bed, &[]);
    becomes(&bed, "/spec/instance-id", &json!("i-00000002")).await;
    let refused = add(&bed, 1).await.unwrap_err();
    assert_eq!(refused.code, 11, "{refused:?}");
    assert_eq!(bed.taints(), [TAINT, "other"], "there is no address, and no reason");

    bed.operator_writes(&json!({
        "status": {"ipam": {"operator-status": {"error": "subnet-0000000a has no free address"}}},
    }))
    .await;
    eventually("taint removed", || match bed.taints().as_slice() {
        [other] if other == "other" => Ok(()),
        taints => Err(format!("{taints:?}")),
    })
    .await;
    let refused = add(&bed, 1).await.unwrap_err();
    assert_eq!(refused.code, 11);
    let said = format!("{} {}", refused.msg, refused.details);
    assert!(said.contains("subnet-0000000a has no free address"), "{said}");
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taint_can_be_kept() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &["--keep-taint"]);
    add_at_last(&bed, 1).await;
    becomes(&bed, "/status/ipam/used/10.0.1.0/owner", &json!("shop/cart-1")).await;
    assert_eq!(bed.taints(), [TAINT, "other"]);
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_last_is_published_at_the_end() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &["--ipam-cilium-node-update-rate=5m"]);
    add_at_last(&bed, 1).await;
    becomes(&bed, "/status/ipam/used/10.0.1.0/owner", &json!("shop/cart-1")).await;
    del(&bed, 1).await;
    agent.ends().await;
    assert_eq!(bed.cilium_node()["status"]["ipam"]["used"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_cni_configuration_are_waited_for() {
    let bed = Bed::new("i-00000001").await;
    let path = bed.path("05-cilium.conflist");
    let flag = format!("--read-cni-conf={}", path.display());
    let agent = Running::start(&bed, &[&flag, "--eni-subnet-ids=subnet-1"]);
    sleep(Duration::from_millis(300)).await;
    assert!(!bed.socket().exists(), "without its settings it hands out nothing");
    let conf = json!({"plugins": [{"type": "cilium-cni", "eni": {
        "subnet-ids": ["subnet-0a"], "first-interface-index": 1, "vpc-id": "vpc-1",
    }}]});
    // Whoever looks at it just then finds it whole.
    let aside = bed.path("conflist.new");
    std::fs::write(&aside, conf.to_string()).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    becomes(&bed, "/spec/eni/first-interface-index", &json!(1)).await;
    assert_eq!(bed.cilium_node()["spec"]["eni"]["subnet-ids"], json!(["subnet-0a"]));
    assert_eq!(bed.cilium_node()["spec"]["eni"]["vpc-id"], json!("vpc-0000000a"));
    let refused = add(&bed, 1).await.unwrap_err();
    assert_eq!(refused.code, 11, "the first interface carries no pods: {refused:?}");
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_it_from_starting_is_named() {
    let bed = Bed::new("i-00000001").await;
    let path = bed.path("conf");
    std::fs::write(&path, "{\n\"plugins\": 7}").unwrap();
    let flag = format!("--read-cni-conf={}", path.display());
    let failed = Running::start(&bed, &[&flag]).fails().await;
    assert!(failed.contains("conf, line 2: invalid type: integer `7`"), "{failed}");

    std::fs::create_dir_all(bed.path("run")).unwrap();
    std::fs::write(bed.socket(), "not a socket").unwrap();
    let failed = Running::start(&bed, &[]).fails().await;
    assert!(failed.contains("a file that is no socket is there"), "{failed}");
    std::fs::remove_file(bed.socket()).unwrap();

    let agent = Running::start(&bed, &[]);
    add_at_last(&bed, 1).await;
    let failed = Running::start(&bed, &[]).fails().await;
    assert!(failed.contains("state"), "one agent at a time: {failed}");
    let status = ask(&bed, protocol::STATUS, json!({})).await;
    assert_eq!(status, Ok(json!({})), "the first goes on");
    agent.ends().await;
}
