//! Interfaces come and go with what the pods need, and not by themselves.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::ids::NodeName;
use ipam_core::view::EniView;
use proptest::prelude::*;

use crate::door::take_step;
use crate::random::faults;
use crate::rig::Rig;
use crate::text::rig;

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// As much as an interface is worth is to spare, wherever the pods are: one interface ends empty, and not all of them half.
#[test]
fn what_is_to_spare_is_drained_from_one_interface() {
    for stay in 0..3_usize {
        let mut rig = rig(&format!("{SUBNET}node node-1 m5.xlarge pre 1\nagents node-1"));
        for step in ["start", "pods 41", "wait 1"] {
            take_step(&mut rig, step);
        }
        assert_eq!((rig.available(&node()), rig.interfaces(&node())), (42, 3));
        // The pods that stay are on one of the interfaces, whichever it is.
        let index = u16::try_from(stay).unwrap();
        let view = rig.machine.node(&node()).unwrap();
        let is_at = |eni: &&EniView| eni.attachment.as_ref().unwrap().device_index == index;
        let kept: Vec<Ipv4Addr> =
            view.enis.iter().find(is_at).unwrap().ipv4.addresses.iter().take(5).copied().collect();
        let agent = rig.agents.get_mut(&node()).unwrap();
        agent.pods.retain(|address| kept.contains(address));
        let left = u32::try_from(agent.pods.len()).unwrap();
        take_step(&mut rig, &format!("pods {left}, wait 400"));
        assert_eq!(rig.available(&node()), 6, "{}", rig.describe());
        let enis = &rig.machine.node(&node()).unwrap().enis;
        let held: Vec<usize> = enis.iter().map(|it| it.ipv4.addresses.len()).collect();
        let empty = held.iter().filter(|it| **it == 0).count();
        assert_eq!(empty, if index == 0 { 2 } else { 1 }, "pods at {index}: {held:?}");
        rig.run(Duration::from_hours(1));
        assert_eq!(rig.interfaces(&node()), 3 - empty);
        rig.check_quiet();
    }
}

fn world() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["m5.large", "c5.xlarge", "t3.medium", "m5.4xlarge"]);
    let node = (kind, 1..10_i32, 0..30_u32, 0..5_u32, any::<bool>(), any::<bool>());
    (node, 0..4_u32, 0..9_u32).prop_map(|((kind, pre, min, above, cidr, prefixes), lag, takes)| {
        let contract = if cidr { "cidr 8" } else { "used 0" };
        let operator = if prefixes { "operator prefixes" } else { "operator" };
        format!(
            "{operator}\ncloud lag {} detaching {takes}\n{SUBNET}\
             node node-1 {kind} pre {pre} min {min} above {above} {contract}\nagents node-1",
            lag * 4000
        )
    })
}

/// How often an interface was made after one was detached.
fn turns(rig: &Rig, since: usize) -> usize {
    let changes = rig.changes().skip(since).map(|(_, action)| action);
    let made_or_detached: Vec<bool> = changes
        .filter(|it| matches!(it, Action::CreateEni(_) | Action::DetachEni { .. }))
        .map(|it| matches!(it, Action::CreateEni(_)))
        .collect();
    made_or_detached.windows(2).filter(|pair| !pair[0] && pair[1]).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the pods do and whatever goes wrong: an interface is made after one was detached only if the pods have changed.
    #[test]
    fn interfaces_never_come_and_go_by_themselves(
        text in world(),
        seed in (any::<u64>(), 0..=20_u64),
        trace in prop::collection::vec((0..40_u32, 1..1500_u64), 1..12),
    ) {
        let mut rig = rig(&text);
        rig.is_stale = true;
        rig.grace = Duration::from_mins(40);
        rig.faults = faults(seed.0, seed.1);
        rig.start();
        for (pods, seconds) in trace {
            let since = rig.changes().count();
            rig.set_pods(&node(), pods);
            rig.run(Duration::from_secs(seconds));
            prop_assert_eq!(turns(&rig, since), 0, "{}", rig.describe());
        }
        rig.faults = Box::new(|_, _| None);
        let since = rig.changes().count();
        rig.run(Duration::from_hours(4));
        prop_assert_eq!(turns(&rig, since), 0, "{}", rig.describe());
        rig.is_stale = false;
        rig.check_quiet();
        let settled = rig.changes().count();
        rig.run(Duration::from_hours(6));
        prop_assert_eq!(rig.changes().count(), settled, "{}", rig.describe());
        let enis = &rig.machine.node(&node()).unwrap().enis;
        let empty = enis.iter().filter(|it| it.ipv4.addresses.is_empty() && it.ipv4.prefixes.is_empty());
        prop_assert!(empty.count() <= 1, "only the primary one may be empty\n{}", rig.describe());
    }
}
