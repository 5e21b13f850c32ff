//! What is sent, and what is held back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ipam_core::action::Action;
use ipam_core::call::{Call, CallId, Mutation, Read, Reply, Request};
use ipam_core::failure::Failure;
use ipam_core::time::Tick;
use kube_sim::KubeSim;
use tokio::sync::oneshot;

use super::{Done, Work};
use crate::cloud::Cloud;
use crate::kubernetes::leader::{LeaderSettings, LeaseTiming, Standing, campaign};

/// Counts calls, and panics when it is asked for VPCs.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Cloud for Counting {
    async fn call(&self, call: Call) -> Result<Reply, Failure> {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert!(!matches!(call.request, Request::Read(Read::Vpc { .. })), "asked for a VPC");
        Ok(Reply::Done)
    }
}

fn mutation(id: u64) -> Call {
    let eni = "eni-1".parse().unwrap();
    let request = Request::Mutate(Mutation {
        node: Some("node-1".parse().unwrap()),
        instance: "i-1".parse().unwrap(),
        action: Action::DeleteEni { eni },
        token: "token".into(),
        first_sent: Tick::default(),
    });
    Call { id: CallId(id), request }
}

fn reading(id: u64, read: Read) -> Call {
    Call { id: CallId(id), request: Request::Read(read) }
}

fn settings() -> LeaderSettings {
    LeaderSettings {
        namespace: "default".into(),
        name: "berth-operator".into(),
        identity: "me".into(),
        timing: LeaseTiming::default(),
    }
}

/// What came of the next thing: the number of the call and the label of its failure.
async fn answer(work: &mut Work<Counting>) -> (u64, &'static str) {
    match work.next().await {
        Done::Call(CallId(id), answer) => {
            (id, answer.as_ref().as_ref().map_or_else(Failure::label, |_| "Done"))
        }
        Done::Write(write, _) => panic!("{write:?} was never sent"),
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_sent_only_by_who_leads_at_that_moment() {
    let client = KubeSim::default().client("me");
    let (mut leadership, election) = campaign(client.clone(), settings());
    let cloud = Arc::new(Counting::default());
    let mut work = Work::new(Arc::clone(&cloud), client, leadership.clone());

    work.call(mutation(1));
    assert_eq!((work.calls(), work.mutations()), (1, 1));
    let changes: Vec<_> = work.changes().collect();
    assert_eq!(changes, ["node-1: delete eni-1, which is attached to nothing"]);
    assert_eq!(answer(&mut work).await, (1, "NotSent"));
    assert_eq!(work.changes().count(), 0);
    let types = vec!["m5.large".parse().unwrap()];
    work.call(reading(2, Read::InstanceTypes { types }));
    assert_eq!((work.calls(), work.mutations()), (1, 0));
    assert_eq!(answer(&mut work).await, (2, "Done"));

    let (stop, stopped) = oneshot::channel::<()>();
    let election = tokio::spawn(election.run(async { drop(stopped.await) }));
    while leadership.changed().await != Standing::Leading {}
    work.call(mutation(3));
    assert_eq!(answer(&mut work).await, (3, "Done"));

    drop(stop);
    election.await.unwrap();
    work.call(mutation(4));
    assert_eq!(answer(&mut work).await, (4, "NotSent"));
    assert_eq!(cloud.0.load(Ordering::Relaxed), 2, "one reading and one change");
    assert_eq!((work.calls(), work.mutations(), work.writes()), (0, 0, 0));
}

#[tokio::test]
async fn a_call_that_panics_still_has_an_answer() {
    let client = KubeSim::default().client("me");
    let (leadership, _election) = campaign(client.clone(), settings());
    let mut work = Work::new(Arc::new(Counting::default()), client, leadership);
    work.call(reading(1, Read::Vpc { vpc: "vpc-1".parse().unwrap() }));
    assert_eq!(answer(&mut work).await, (1, "NoAnswer"));
    assert_eq!(work.calls(), 0);
}
