//! Two candidates and one lease.

use std::time::Duration;

use berth_operator::kubernetes::leader::{
    LeaderSettings, Leadership, LeaseTiming, Standing, campaign, identity,
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;
use kube_sim::{Effect, KubeSim, Rule, When};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// A candidate that runs.
struct Candidate {
    leadership: Leadership,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

fn candidate(sim: &KubeSim, name: &str) -> Candidate {
    let settings = LeaderSettings {
        namespace: "kube-system".into(),
        name: "berth-operator".into(),
        identity: name.into(),
        timing: LeaseTiming::default(),
    };
    let (leadership, campaign) = campaign(sim.client(name), settings);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(campaign.run(async {
        let _ = stopped.await;
    }));
    Candidate { leadership, stop: Some(stop), task }
}

impl Candidate {
    /// Ends it as SIGTERM does.
    async fn stop(&mut self) {
        self.stop.take().expect("runs").send(()).expect("runs");
        (&mut self.task).await.expect("ends");
    }

    /// How long it takes until it leads.
    async fn leads_after(&mut self) -> Duration {
        let start = Instant::now();
        let leads = async { while self.leadership.changed().await != Standing::Leading {} };
        timeout(Duration::from_mins(2), leads).await.expect("it leads");
        assert!(self.leadership.is_leading());
        start.elapsed()
    }
}

async fn lease(sim: &KubeSim) -> Lease {
    let leases = Api::<Lease>::namespaced(sim.client("kubectl"), "kube-system");
    leases.get("berth-operator").await.expect("a lease")
}

fn rule(client: &str, effect: Effect) -> Rule {
    Rule {
        client: Some(client.into()),
        verb: None,
        resource: None,
        name: None,
        when: When::Always,
        effect,
    }
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_keeps_leading() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    assert!(one.leads_after().await < Duration::from_secs(1));
    let two = candidate(&sim, "two");
    for _ in 0..300 {
        sleep(Duration::from_secs(1)).await;
        assert!(one.leadership.is_leading() && !two.leadership.is_leading());
    }
    let spec = lease(&sim).await.spec.expect("a spec");
    assert_eq!(spec.holder_identity.as_deref(), Some("one"));
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(0)));
    let holder = Some("one".into());
    assert_eq!(two.leadership.standing(), Standing::Following { holder, problem: None });
    let writes = sim.counters().count(|it| it.client == "one");
    assert!((145..160).contains(&writes), "{writes} requests in 300 seconds");
}

#[tokio::test(start_paused = true)]
async fn the_other_leads_soon_after_one_is_killed() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    one.leads_after().await;
    let mut two = candidate(&sim, "two");
    sleep(Duration::from_secs(31)).await;
    one.task.abort();
    assert!(two.leads_after().await < Duration::from_secs(20));
    assert_eq!(lease(&sim).await.spec.expect("a spec").lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_given_back_is_taken_at_the_next_look() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    one.leads_after().await;
    let mut two = candidate(&sim, "two");
    sleep(Duration::from_secs(5)).await;
    one.stop().await;
    assert!(!one.leadership.is_leading());
    assert!(two.leads_after().await <= Duration::from_secs(2));
}

/// Cut off in whatever way, a leader knows that it leads no more before another one leads.
#[tokio::test(start_paused = true)]
async fn whoever_is_cut_off_leads_no_more_before_the_other_does() {
    for effect in [Effect::Refuse, Effect::Partition, Effect::Unavailable, Effect::CommitThenDrop] {
        let sim = KubeSim::default();
        let mut one = candidate(&sim, "one");
        one.leads_after().await;
        let two = candidate(&sim, "two");
        sleep(Duration::from_secs(7)).await;
        sim.add_fault(rule("one", effect));
        let start = Instant::now();
        let lost = timeout(Duration::from_secs(15), one.leadership.changed()).await;
        if effect == Effect::CommitThenDrop {
            // Its renewals are done, and it does not hear of it: it stops, and nobody else leads.
            assert!(!one.leadership.is_leading(), "{effect:?}: {lost:?}");
            continue;
        }
        assert!(matches!(lost, Ok(Standing::Following { .. })), "{effect:?}: {lost:?}");
        assert!(start.elapsed() <= Duration::from_secs(10), "{effect:?}");
        assert!(!one.leadership.is_leading() && !two.leadership.is_leading(), "{effect:?}");
        while !two.leadership.is_leading() {
            assert!(!one.leadership.is_leading() && start.elapsed() < Duration::from_secs(20));
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_leads_again_when_the_api_server_is_back() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    one.leads_after().await;
    let away = sim.add_fault(rule("one", Effect::Partition));
    sleep(Duration::from_mins(10)).await;
    assert!(!one.leadership.is_leading());
    sim.remove_fault(away);
    assert!(one.leads_after().await < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn of_many_exactly_one_leads() {
    let sim = KubeSim::default();
    let names = ["a", "b", "c", "d", "e"];
    let candidates: Vec<Candidate> = names.iter().map(|name| candidate(&sim, name)).collect();
    for killed in 0..4 {
        let settled = Instant::now() + Duration::from_secs(20);
        while Instant::now() < settled {
            sleep(Duration::from_millis(250)).await;
            let leaders = candidates.iter().filter(|it| it.leadership.is_leading()).count();
            assert!(leaders <= 1, "{leaders} leaders");
        }
        let leader = candidates.iter().find(|it| it.leadership.is_leading());
        leader.unwrap_or_else(|| panic!("a leader after {killed}")).task.abort();
        sleep(Duration::from_secs(11)).await;
    }
}

#[test]
fn no_two_processes_have_one_name() {
    assert!(identity(Some("berth-operator-x")).starts_with("berth-operator-x_"));
    assert_ne!(identity(None), identity(None));
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_nobody_leads_and_the_reason_is_there() {
    let sim = KubeSim::default();
    let client = crate::bed::client_without(&sim, "one", |_, path| path.contains("/leases"));
    let settings = LeaderSettings {
        namespace: "kube-system".into(),
        name: "berth-operator".into(),
        identity: "one".into(),
        timing: LeaseTiming::default(),
    };
    let (mut leadership, campaign) = campaign(client, settings);
    let task = tokio::spawn(campaign.run(std::future::pending()));
    let Standing::Following { holder: None, problem: Some(problem) } = leadership.changed().await
    else {
        panic!("{:?}", leadership.standing());
    };
    assert!(problem.contains("forbidden"), "{problem}");
    task.abort();
}

/// The other one finds no lease and makes one. Who held it learns that with its next renewal, and stops there.
#[tokio::test(start_paused = true)]
async fn whoever_finds_its_lease_taken_leads_no_more() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    one.leads_after().await;
    sleep(Duration::from_secs(1)).await;
    let two = candidate(&sim, "two");
    sleep(Duration::from_millis(9_100)).await;
    let leases = Api::<Lease>::namespaced(sim.client("kubectl"), "kube-system");
    leases.delete("berth-operator", &DeleteParams::default()).await.expect("deleted");
    let mut both = 0;
    for _ in 0..200 {
        sleep(Duration::from_millis(50)).await;
        both += u32::from(one.leadership.is_leading() && two.leadership.is_leading());
    }
    assert!(two.leadership.is_leading(), "it was first");
    assert!(both <= 25, "both led for {both} times 50 ms");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_is_made_again_without_a_break() {
    let sim = KubeSim::default();
    let mut one = candidate(&sim, "one");
    one.leads_after().await;
    for _ in 0..10 {
        sleep(Duration::from_millis(4_300)).await;
        let leases = Api::<Lease>::namespaced(sim.client("kubectl"), "kube-system");
        leases.delete("berth-operator", &DeleteParams::default()).await.expect("deleted");
        for _ in 0..50 {
            sleep(Duration::from_millis(50)).await;
            assert!(one.leadership.is_leading());
        }
        assert_eq!(lease(&sim).await.spec.expect("a spec").holder_identity.as_deref(), Some("one"));
    }
}
