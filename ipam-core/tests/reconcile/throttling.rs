//! EC2 allows less than is wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::budget::{BudgetSettings, Rate};
use ipam_core::call::{Api, Request};
use ipam_core::ids::NodeName;
use ipam_core::reconcile::ReconcileSettings;
use ipam_core::view::Demand;

use crate::door::take_step;
use crate::rig::Rig;
use crate::text::{rig, rig_with};

#[test]
fn with_a_tenth_of_the_buckets_all_nodes_get_there_and_few_calls_are_refused() {
    let mut rig = rig("cloud part 0.1
         subnet subnet-1 10.0.0.0/18
         nodes 400 m5.xlarge pre 8");
    rig.audit_every = 50;
    rig.grace = Duration::from_mins(30);
    rig.start();
    rig.run(Duration::from_mins(1));
    // What was full at the start is empty now; from here on only the refill counts.
    let (calls, refused) = (rig.cloud.buckets.all_calls(), rig.cloud.buckets.all_throttled());
    let took = rig.run_until_near(Rig::are_satisfied);
    let calls = rig.cloud.buckets.all_calls() - calls;
    let refused = rig.cloud.buckets.all_throttled() - refused;
    assert!(refused * 100 <= calls * 6, "{refused} of {calls} calls were throttled");
    // 390 calls at 0.5 per second.
    assert!(took < Duration::from_secs(780 * 3 / 2), "{took:?}");
    rig.check_quiet();
}

#[test]
fn throttling_of_every_action_delays_and_loses_nothing() {
    let mut rig = rig("cloud part 0.1
         subnet subnet-1 10.0.0.0/18
         nodes 40 m5.large pre 12");
    rig.audit_every = 20;
    rig.grace = Duration::from_mins(30);
    rig.start();
    rig.run_until_near(Rig::are_satisfied);
    rig.run(Duration::from_mins(10));
    assert_eq!(
        rig.count(Api::CreateNetworkInterface) - throttled(&rig, Api::CreateNetworkInterface),
        40
    );
    rig.check_quiet();
}

/// A process that leads again and again does not begin with full buckets each time.
#[test]
fn a_later_term_knows_how_much_ec2_takes() {
    let throttled = |again: fn(&mut Rig)| {
        let mut rig = rig("cloud part 0.02\nsubnet subnet-1 10.0.0.0/18\nnodes 40 m5.large pre 12");
        rig.is_stale = true;
        rig.start();
        for _ in 0..6 {
            rig.run(Duration::from_secs(20));
            again(&mut rig);
        }
        rig.cloud.buckets.all_throttled()
    };
    let (same, other) = (throttled(Rig::lead_again), throttled(Rig::restart));
    assert!(same * 2 < other, "{same} calls of the same process were throttled, {other} of others");
}

/// A Lease that comes and goes is no way around the cap of an hour.
#[test]
fn the_caps_of_an_hour_outlast_a_term() {
    let given_back = |begin: fn(&mut Rig)| {
        let mut rig = rig(
            "operator releases 4\nsubnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8\nagents node-1",
        );
        for step in ["start", "pods 7", "pods 0, wait 300"] {
            take_step(&mut rig, step);
        }
        assert_eq!(rig.available(&"node-1".parse().unwrap()), 11, "{}", rig.describe());
        begin(&mut rig);
        rig.run(Duration::from_mins(20));
        rig.available(&"node-1".parse().unwrap())
    };
    assert_eq!([given_back(Rig::lead_again), given_back(Rig::restart)], [11, 8]);
}

fn throttled(rig: &Rig, api: Api) -> usize {
    rig.cloud.buckets.throttled.get(&api).copied().unwrap_or(0)
}

/// One call at once and one each ten seconds.
fn slow(text: &str) -> Rig {
    let rate = Rate { capacity: 1.0, refill: 0.1 };
    let rates = [(Api::AssignPrivateIpAddresses, rate)].into();
    let budget = BudgetSettings::new(rates, 1.0, None).unwrap();
    rig_with(text, ReconcileSettings { budget, ..ReconcileSettings::default() })
}

fn served(rig: &Rig) -> Vec<&str> {
    let assigns = |action: &Action| action.api() == Api::AssignPrivateIpAddresses;
    rig.changes().filter(|(_, it)| assigns(it)).map(|(node, _)| node.as_str()).collect()
}

#[test]
fn the_node_in_greatest_need_comes_first() {
    let mut rig = slow(
        "subnet subnet-1 10.0.0.0/20
         nodes 6 m5.xlarge pre 8 addresses 8 used 4
         node node-7 m5.xlarge pre 8 addresses 8 used 7
         node node-8 m5.xlarge pre 8 addresses 8 used 8",
    );
    rig.waiting.insert("node-7".parse().unwrap(), 3);
    rig.start();
    rig.run(Duration::from_mins(2));
    assert_eq!(served(&rig)[..2], ["node-8", "node-7"]);
    assert_eq!(served(&rig).len(), 8);
    assert!(rig.are_satisfied(), "{}", rig.describe());
}

#[test]
fn a_need_that_grows_while_it_waits_goes_ahead() {
    let mut rig = slow("subnet subnet-1 10.0.0.0/20\nnodes 6 m5.24xlarge pre 8 addresses 8 used 4");
    rig.start();
    rig.run(Duration::from_secs(15));
    let last: NodeName = "node-0006".parse().unwrap();
    let before = served(&rig).len();
    rig.alter(&last, |it| it.demand = Demand::PerIp { used: 8 });
    rig.run(Duration::from_mins(1));
    assert_eq!(served(&rig)[before], "node-0006");
    let assigned = served(&rig).iter().filter(|it| **it == "node-0006").count();
    assert_eq!(assigned, 1, "what is sent is decided when there is a token");
    assert!(rig.is_satisfied(&last));
}

/// Some nodes are in need again and again; those that only want their watermark are served all the same.
#[test]
fn nobody_starves() {
    let mut rig = slow(
        "subnet subnet-1 10.0.0.0/18
         nodes 4 m5.24xlarge pre 1 addresses 2 used 1
         node node-9 m5.xlarge pre 8 addresses 8 used 4",
    );
    rig.start();
    for round in 2..40 {
        for number in 1..=4 {
            let name: NodeName = format!("node-{number:04}").parse().unwrap();
            let used = u32::try_from(rig.available(&name)).unwrap().max(round);
            rig.alter(&name, |it| it.demand = Demand::PerIp { used });
        }
        rig.run(Duration::from_secs(10));
    }
    assert!(rig.is_satisfied(&"node-9".parse().unwrap()), "{:?}", served(&rig));
}

#[test]
fn a_node_that_waits_for_a_token_says_so() {
    let mut rig = slow("subnet subnet-1 10.0.0.0/20\nnodes 4 m5.xlarge pre 8");
    rig.start();
    rig.run(Duration::from_secs(8));
    let waits = |name: &NodeName| crate::door::labels(&rig, name) == ["Throttled"];
    assert_eq!(rig.nodes.keys().filter(|name| waits(name)).count(), 3, "{}", rig.describe());
    let mutations = rig.sent.iter().filter(|(_, it)| matches!(it, Request::Mutate(_))).count();
    assert_eq!(mutations, 1);
}

/// All calls share one small bucket, and more changes wait than it lets through.
#[test]
fn readings_that_can_wait_are_not_put_off_for_ever() {
    let overall = Rate { capacity: 1.0, refill: 2.0 };
    let budget = BudgetSettings::new(BTreeMap::new(), 0.95, Some(overall)).unwrap();
    let settings = ReconcileSettings { budget, ..ReconcileSettings::default() };
    let mut rig =
        rig_with("subnet subnet-1 10.0.0.0/16\nnodes 400 m5.large pre 8 used 20", settings);
    rig.audit_every = 100_000;
    rig.start();
    rig.run(Duration::from_mins(5));
    let (subnets, enis) =
        (rig.count(Api::DescribeSubnets), rig.count(Api::DescribeNetworkInterfaces));
    rig.run(Duration::from_mins(20));
    assert!(rig.count(Api::DescribeSubnets) >= subnets + 8, "{}", rig.describe());
    assert!(rig.count(Api::DescribeNetworkInterfaces) > enis, "{}", rig.describe());
}
