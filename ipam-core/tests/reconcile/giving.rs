//! Any pods, any operators, any failures: no pod loses its address, and in the end nothing goes back and forth.

use std::fmt::Write;
use std::time::Duration;

use ipam_core::call::{Call, CallId, Read, Request};
use ipam_core::ids::NodeName;
use ipam_core::prefix::ADDRESSES_PER_PREFIX;
use proptest::prelude::*;

use crate::random::faults;
use crate::rig::Rig;
use crate::text::rig;

/// What happens, and how many seconds after what happened before.
#[derive(Debug, Clone)]
enum Deed {
    Pods { node: usize, wants: u32 },
    Away { node: usize, is_away: bool },
    Restart,
}

fn deed() -> impl Strategy<Value = (u64, Deed)> {
    let node = 0..2_usize;
    let deed = prop_oneof![
        6 => (node.clone(), 0..26_u32).prop_map(|(node, wants)| Deed::Pods { node, wants }),
        1 => (node, any::<bool>()).prop_map(|(node, is_away)| Deed::Away { node, is_away }),
        1 => Just(Deed::Restart),
    ];
    (0..260_u64, deed)
}

fn world() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["m5.large", "c5.xlarge", "m5.4xlarge"]);
    let contract = prop::sample::select(vec!["used 0", "cidr 8"]);
    let node = (kind, 1..10_i32, 0..20_u32, 0..5_u32, contract);
    let operator = prop::sample::select(vec!["operator", "operator prefixes"]);
    (operator, 0..10_u32, [node.clone(), node]).prop_map(|(operator, lag, nodes)| {
        let mut text =
            format!("{operator}\ncloud lag {}\nsubnet subnet-1 10.0.0.0/22\n", lag * 1000);
        for (number, (kind, pre, min, above, contract)) in nodes.into_iter().enumerate() {
            let pods = format!("pre {pre} min {min} above {above} {contract}");
            writeln!(text, "node node-{number} {kind} {pods}").unwrap();
        }
        text + "agents node-0,node-1"
    })
}

fn happen(rig: &mut Rig, deed: &Deed) {
    let name = |node: &usize| -> NodeName { format!("node-{node}").parse().unwrap() };
    match deed {
        Deed::Pods { node, wants } => rig.set_pods(&name(node), *wants),
        Deed::Away { node, is_away } => {
            rig.agents.get_mut(&name(node)).unwrap().is_away = *is_away;
            rig.wake_agent(&name(node));
        }
        Deed::Restart => rig.restart(),
    }
}

fn live(text: &str, (seed, percent): (u64, u64), deeds: &[(u64, Deed)]) -> Rig {
    let mut rig = rig(text);
    rig.is_stale = true;
    rig.grace = Duration::from_mins(20);
    rig.faults = faults(seed, percent);
    let mut writes = faults(seed ^ 1, percent);
    let request = Request::Read(Read::Vpc { vpc: "vpc-1".parse().unwrap() });
    let call = Call { id: CallId(0), request };
    rig.writes_fail = Box::new(move |_| writes(&call, 0).is_some());
    rig.start();
    for (seconds, deed) in deeds {
        rig.run(Duration::from_secs(*seconds));
        happen(&mut rig, deed);
    }
    rig.faults = Box::new(|_, _| None);
    rig.writes_fail = Box::new(|_| false);
    for number in 0..2 {
        happen(&mut rig, &Deed::Away { node: number, is_away: false });
    }
    rig.run(Duration::from_hours(2));
    rig.is_stale = false;
    rig
}

/// How many addresses of a node are more than it keeps, reckoned apart from the machine.
fn excess(rig: &Rig, name: &NodeName) -> u32 {
    let watermarks = rig.nodes[name].settings.as_ref().unwrap().watermarks;
    let pre = u32::try_from(watermarks.pre_allocate()).unwrap();
    let used = rig.agents[name].running();
    let floor = watermarks.min_allocate() + watermarks.max_above_watermark();
    let kept =
        if used + pre <= floor { floor } else { used + pre + watermarks.max_above_watermark() };
    u32::try_from(rig.available(name)).unwrap().saturating_sub(kept)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_pod_loses_its_address_and_it_all_comes_to_rest(
        text in world(),
        seed in (any::<u64>(), 0..=25_u64),
        deeds in prop::collection::vec(deed(), 0..20),
    ) {
        let mut rig = live(&text, seed, &deeds);
        let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
        for name in &names {
            let agent = &rig.agents[name];
            prop_assert_eq!(agent.running(), agent.wants, "{}\n{:?}\n{}", name, agent, rig.describe());
            prop_assert!(agent.object.entries.is_empty(), "{}\n{:?}\n{}", name, agent, rig.describe());
            let most = if text.contains("prefixes") { ADDRESSES_PER_PREFIX } else { 1 };
            prop_assert!(excess(&rig, name) < most, "{}\n{:?}\n{}", name, agent, rig.describe());
        }
        rig.check_quiet();
        let changes = rig.changes().count();
        rig.run(Duration::from_hours(6));
        prop_assert_eq!(rig.changes().count(), changes, "it goes back and forth\n{}", rig.describe());
    }
}
