//! Hysteresis: without a change in demand, growth and release never alternate.

use std::fmt::Write;
use std::time::Duration;

use ipam_core::action::{Action, Ipv4Ask};
use ipam_core::ids::NodeName;
use proptest::prelude::*;

use crate::rig::Rig;
use crate::text::rig;

/// How long the demand stays as it is.
const STEADY: Duration = Duration::from_mins(30);

/// Nodes of both contracts, with prefixes and without, and any watermarks.
fn world() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["m5.large", "c5.xlarge", "m5.4xlarge"]);
    let contract = prop::sample::select(vec!["used 0", "cidr 8", "single used 0", "single cidr 8"]);
    let watermarks = (1..20_i32, 0..50_u32, prop_oneof![Just(0), 8..60_u32], 0..20_u32);
    let node = (kind, watermarks, contract);
    let operator = prop::sample::select(vec!["operator", "operator prefixes"]);
    (operator, 0..10_u32, [node.clone(), node]).prop_map(|(operator, lag, nodes)| {
        let mut text =
            format!("{operator}\ncloud lag {}\nsubnet subnet-1 10.0.0.0/22\n", lag * 1000);
        for (number, (kind, (pre, min, max, above), contract)) in nodes.into_iter().enumerate() {
            let pods = format!("pre {pre} min {min} max {max} above {above} {contract}");
            writeln!(text, "node node-{number} {kind} {pods}").unwrap();
        }
        text + "agents node-0,node-1"
    })
}

fn name(number: usize) -> NodeName {
    format!("node-{number}").parse().unwrap()
}

/// Whether addresses come or go, and whether as prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    is_more: bool,
    are_prefixes: bool,
}

fn turn(action: &Action) -> Option<Turn> {
    let (is_more, are_prefixes) = match action {
        Action::UnassignAddresses { .. } => (false, false),
        Action::UnassignPrefixes { .. } => (false, true),
        Action::AssignAddresses { .. } => (true, false),
        Action::AssignPrefixes { .. } => (true, true),
        Action::CreateEni(create) => (true, matches!(create.ipv4, Ipv4Ask::Prefixes(_))),
        _ => return None,
    };
    Some(Turn { is_more, are_prefixes })
}

/// What is done to the addresses of a node.
fn turns(rig: &Rig, name: &NodeName, from: usize) -> Vec<Turn> {
    let of_node = rig.changes().skip(from).filter(|(node, _)| *node == name);
    let mut turns: Vec<Turn> = of_node.filter_map(|(_, action)| turn(action)).collect();
    turns.dedup();
    turns
}

/// Whether addresses come only or go only, or single ones go since a prefix came: it brings sixteen, and a node that has a few single
/// addresses beside its prefixes has these to spare then. What goes never comes again.
fn is_steady(turns: &[Turn]) -> bool {
    let go_one_way = turns.is_sorted_by_key(|turn| !turn.is_more);
    let is_mixed = turns.iter().any(|it| it.is_more) && turns.iter().any(|it| !it.is_more);
    let is_exchange = turns.iter().all(|it| it.is_more == it.are_prefixes);
    go_one_way && (!is_mixed || is_exchange)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn growth_and_release_never_alternate_without_a_change_in_demand(
        text in world(),
        pods in prop::collection::vec([0..40_u32, 0..40_u32], 1..6),
    ) {
        let mut rig = rig(&text);
        rig.is_stale = true;
        rig.start();
        rig.run(STEADY);
        for wants in pods {
            let from = rig.changes().count();
            for (number, wants) in wants.into_iter().enumerate() {
                rig.set_pods(&name(number), wants);
            }
            rig.run(STEADY);
            for number in 0..2 {
                let turns = turns(&rig, &name(number), from);
                prop_assert!(is_steady(&turns), "{turns:?}\n{text}\n{}", rig.describe());
            }
            let settled = rig.changes().count();
            rig.run(STEADY);
            prop_assert_eq!(rig.changes().count(), settled, "not at rest\n{}\n{}", text, rig.describe());
        }
    }
}
