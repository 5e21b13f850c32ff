//! The metadata service at its worst.

use std::sync::mpsc;
use std::time::Duration;

use berth_agent::imds::{Endpoint, Imds, facts_at_last, follow};
use tokio::sync::{mpsc as channel, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::service::Service;

/// Why the facts are not known.
async fn refusal(service: &Service) -> String {
    service.imds().facts().await.expect_err("no facts").to_string()
}

#[tokio::test]
async fn an_empty_answer_is_no_fact() {
    let service = Service::start().await;
    assert_eq!(service.imds().facts().await.expect("facts").instance.as_str(), "i-1");
    service.say("instance-id", Some(""));
    assert_eq!(refusal(&service).await, r#"instance-id: "" is not an instance id"#);
    service.say("instance-id", Some("<html>500</html>"));
    assert_eq!(refusal(&service).await, r#"instance-id: "<html>500</html>" is not an instance id"#);
    service.say("instance-id", None);
    assert_eq!(refusal(&service).await, "instance-id: missing: expected an instance id");
}

#[tokio::test]
async fn failures_are_tried_again() {
    let service = Service::start().await;
    service.said().gets = vec![503, 429, 500];
    assert!(service.imds().facts().await.is_ok());
    assert_eq!(service.asked("instance-id"), 4);
    service.said().puts = vec![500];
    assert!(service.imds().facts().await.is_ok(), "for tokens, too");
    service.said().gets = vec![500; 4];
    let refused = "meta-data/instance-id: the instance metadata service answers 500";
    assert_eq!(refusal(&service).await, refused);
}

#[tokio::test]
async fn what_is_forbidden_is_not_tried_again() {
    let service = Service::start().await;
    service.said().puts = vec![403];
    assert_eq!(refusal(&service).await, "api/token: the instance metadata service answers 403");
    assert_eq!(service.asked("PUT"), 1);
}

#[tokio::test]
async fn a_token_is_used_until_it_ends() {
    let service = Service::start().await;
    let imds = service.imds();
    for _ in 0..3 {
        imds.facts().await.expect("facts");
    }
    assert_eq!(service.asked("PUT"), 1);
    service.said().token = 2;
    imds.facts().await.expect("facts with a new token");
    assert_eq!(service.asked("PUT"), 2);
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let service = Service::start().await;
    service.say("instance-id", Some(&"i".repeat((1 << 20) + 1)));
    assert_eq!(refusal(&service).await, "meta-data/instance-id: more than 1048576 bytes");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_given_up() {
    let service = Service::start().await;
    service.said().hangs = true;
    let problem = refusal(&service).await;
    assert!(problem.starts_with("api/token: no answer"), "{problem}");
    let nobody: Endpoint = "http://127.0.0.1:1".parse().expect("an endpoint");
    let problem = Imds::new(nobody).facts().await.expect_err("no service").to_string();
    assert!(problem.starts_with("api/token: no answer"), "{problem}");
}

#[tokio::test]
async fn facts_come_at_last() {
    let service = Service::start().await;
    service.said().gets = vec![500; 4];
    let facts = timeout(Duration::from_mins(1), facts_at_last(&service.imds())).await;
    assert_eq!(facts.expect("facts in time").instance.as_str(), "i-1");
    assert_eq!(service.asked("instance-id"), 5);
}

#[tokio::test]
async fn an_interface_that_comes_or_goes_is_left_out_alone() {
    let service = Service::start().await;
    let macs = "network/interfaces/macs/";
    service.say(macs, Some("02:00:00:00:00:01/\n02:00:00:00:00:02/"));
    let found = service.imds().interfaces().await.expect("interfaces");
    let ids: Vec<_> = found.shown.iter().map(|eni| eni.facts.id.as_str()).collect();
    assert_eq!(ids, ["eni-1"]);
    let left_out: Vec<_> = found.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        [
            "interface 02:00:00:00:00:02 is left out: network/interfaces/macs/02:00:00:00:00:02/interface-id: missing: expected an ENI id"
        ]
    );
    service.say("^ipv4-prefix", Some(""));
    let found = service.imds().interfaces().await.expect("interfaces");
    assert_eq!(
        (found.shown.len(), found.left_out.len()),
        (0, 2),
        "an empty leaf costs its interface"
    );
    service.say(macs, Some("eth0/"));
    let problem = service.imds().interfaces().await.expect_err("no list").to_string();
    assert_eq!(problem, r#"network/interfaces/macs/: "eth0/" is not a list of MAC addresses"#);
}

/// Time that passes only when a test says so, also while sockets are waited for.
struct StoppedClock(
    #[expect(dead_code, reason = "ends the thread when it is dropped")] mpsc::Sender<()>,
);

impl StoppedClock {
    fn new() -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        // The paused clock does not jump ahead while a blocking task runs.
        tokio::task::spawn_blocking(move || stopped.recv());
        Self(stop)
    }
}

/// What [`follow`] tells: the prefixes of each interface.
struct Followed {
    told: channel::UnboundedReceiver<String>,
    heard: watch::Sender<bool>,
    task: JoinHandle<()>,
    _clock: StoppedClock,
}

impl Followed {
    fn start(service: &Service) -> Self {
        let clock = StoppedClock::new();
        let (tell, told) = channel::unbounded_channel();
        let (heard, spoken) = watch::channel(false);
        let tell = move |shown: Vec<ipam_core::agent::ShownEni>| {
            let enis = shown.iter().map(|eni| format!("{} {:?}", eni.facts.id, eni.prefixes));
            tell.send(enis.collect::<Vec<_>>().join(" ")).expect("the test listens");
        };
        let task = tokio::spawn(follow(service.imds(), tell, spoken));
        Self { told, heard, task, _clock: clock }
    }

    async fn next(&mut self) -> String {
        self.told.recv().await.expect("it never ends")
    }

    /// Waits until the interfaces have been listed `count` times, and what came of it was dealt with.
    async fn listed(&self, service: &Service, count: usize) {
        while service.asked("^vpc-ipv6-cidr-blocks") < count {
            tokio::task::yield_now().await;
        }
        // The answer to the last request is on its way.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_and_nothing_twice() {
    let service = Service::start().await;
    let mut followed = Followed::start(&service);
    assert_eq!(followed.next().await, "eni-1 {10.0.0.16/28}");
    for count in 1..4 {
        followed.listed(&service, count).await;
        tokio::time::advance(Duration::from_secs(61)).await;
    }
    followed.listed(&service, 4).await;
    assert!(followed.told.is_empty(), "nothing is different");
    service.say("^ipv4-prefix", Some("10.0.0.32/28"));
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(followed.next().await, "eni-1 {10.0.0.32/28}");
}

#[tokio::test(start_paused = true)]
async fn it_is_read_less_often_when_the_operator_has_spoken() {
    let service = Service::start().await;
    let mut followed = Followed::start(&service);
    followed.heard.send_replace(true);
    followed.next().await;
    followed.listed(&service, 1).await;
    service.say("^ipv4-prefix", Some("10.0.0.32/28"));
    tokio::time::advance(Duration::from_secs(290)).await;
    followed.listed(&service, 1).await;
    assert_eq!(service.asked("^vpc-ipv6-cidr-blocks"), 1);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(followed.next().await, "eni-1 {10.0.0.32/28}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_asked_for_soon() {
    let service = Service::start().await;
    service.say("^subnet-ipv4-cidr-block", None);
    let mut followed = Followed::start(&service);
    assert_eq!(followed.next().await, "");
    followed.listed(&service, 1).await;
    service.say("^subnet-ipv4-cidr-block", Some("10.0.0.0/24"));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(followed.next().await, "eni-1 {10.0.0.16/28}");
}
