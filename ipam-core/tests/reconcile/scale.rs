//! Many nodes at once, and many nodes at rest.

use std::time::Duration;

use ipam_core::call::{Api, EniScope, Read, Request};
use ipam_core::ids::NodeName;

use crate::random::faults;
use crate::rig::Rig;
use crate::text::{Words, rig};

#[test]
fn a_thousand_nodes_at_once_take_as_long_as_their_calls() {
    let mut rig = rig("operator prefixes
         subnet subnet-1 10.0.0.0/16
         nodes 1000 m5.xlarge pre 8");
    rig.audit_every = 400;
    rig.start();
    rig.run(Duration::from_secs(150));
    let took = Duration::from_secs(150) + rig.run_until_near(Rig::are_satisfied);
    // 1,000 calls of AssignPrivateIpAddresses from a bucket of 100 that gets 5 per second: 180 seconds.
    let bound = Duration::from_mins(3);
    assert!(took <= bound * 115 / 100, "{took:?}");
    rig.run(Duration::from_mins(1));
    assert_eq!(rig.changes().count(), 1000, "one change a node");
    assert_eq!(rig.cloud.buckets.all_throttled(), 0, "never more than EC2 allows");
    let listings = rig.sent.iter().filter(|(_, it)| matches!(it, Request::Read(Read::Enis { .. })));
    assert!(listings.count() <= 10, "listings are batched");
    rig.check_quiet();
}

/// Days of nodes that come and go, with calls that go wrong: what is kept is what is kept of the nodes that are there.
#[test]
fn ten_thousand_nodes_that_came_and_went_leave_nothing_behind() {
    const WAVES: usize = 200;
    const WAVE: usize = 50;
    let mut rig = rig("operator prefixes cap 100000
         subnet subnet-1 10.0.0.0/18
         node node-0 m5.large pre 8");
    rig.audit_every = 1_000_000;
    rig.start();
    rig.run(Duration::from_mins(20));
    let before = format!("{:?}", rig.machine).len();
    for wave in 0..WAVES {
        rig.faults = faults(wave as u64, 10);
        let names = (0..WAVE).map(|number| format!("node-{wave}x{number}").parse().unwrap());
        let names: Vec<NodeName> = names.collect();
        for (number, name) in (0..).zip(&names) {
            let grows = u32::from(number % 5 == 0) * 150;
            let line = format!("m5.large pre 8 used {grows} prefixes 1");
            let node = crate::text::node(&mut rig.cloud, name.clone(), Words::new(&line));
            rig.nodes.insert(name.clone(), node);
            rig.alter(name, |_| {});
        }
        rig.run(Duration::from_secs(10));
        rig.events.clear();
        for name in &names {
            rig.terminate(name);
        }
        rig.run(Duration::from_secs(5));
    }
    rig.faults = Box::new(|_, _| None);
    rig.run(Duration::from_hours(2));
    assert!(rig.count(Api::CreateNetworkInterface) > WAVES, "{}", rig.describe());
    let after = format!("{:?}", rig.machine);
    assert!(after.len() <= before * 11 / 10, "{before} before, {} after: {after}", after.len());
    rig.check_quiet();
}

#[test]
fn five_thousand_nodes_at_rest_cost_few_calls() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/16
         nodes 5000 m5.large pre 8 addresses 8");
    rig.audit_every = 100_000;
    rig.start();
    rig.run(Duration::from_mins(1));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    let before = rig.sent.len();
    rig.run(Duration::from_hours(1));
    let calls = rig.sent.len() - before;
    assert!(calls <= 100, "{calls} calls in an hour");
    let observed = |request: &Request| match request {
        Request::Read(Read::Enis { scope: EniScope::Instances(ids), .. }) => ids.len(),
        _ => 0,
    };
    let observed: usize = rig.sent[before..].iter().map(|(_, it)| observed(it)).sum();
    let whole = |request: &Request| {
        matches!(request, Request::Read(Read::Enis { scope: EniScope::Vpc(_), page: None }))
    };
    let wholes = rig.sent[before..].iter().filter(|(_, it)| whole(it)).count();
    assert!(observed + wholes * 5000 >= 4 * 5000, "every node is observed each 15 minutes");
    assert_eq!(rig.count(Api::AssignPrivateIpAddresses), 0);
    rig.audit();
}
