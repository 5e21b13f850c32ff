//! Any cluster, anything that happens, any call that goes wrong: it ends well, or says why not.

use std::time::Duration;

use ipam_core::ids::NodeName;
use ipam_core::view::Demand;
use proptest::prelude::*;

use crate::door::labels;
use crate::rig::{Fault, Faults, Rig};
use crate::text::rig;
use crate::unanswered::REFUSALS;

/// What happens, and how many seconds after what happened before.
#[derive(Debug, Clone)]
enum Deed {
    Used { node: usize, used: u32 },
    Waiting { node: usize, waiting: u32 },
    Ignored { node: usize, ignored: bool },
    OthersTake { left: u32 },
    OthersLeave,
    OtherAssigns { node: usize },
    OtherAttaches { node: usize },
    Gone { node: usize },
    Back { node: usize },
    Terminated { node: usize },
}

fn deed() -> impl Strategy<Value = (u64, Deed)> {
    let node = 0..4_usize;
    let deed = prop_oneof![
        8 => (node.clone(), 0..40_u32).prop_map(|(node, used)| Deed::Used { node, used }),
        2 => (node.clone(), 0..20_u32).prop_map(|(node, waiting)| Deed::Waiting { node, waiting }),
        1 => (node.clone(), any::<bool>())
            .prop_map(|(node, ignored)| Deed::Ignored { node, ignored }),
        1 => (0..60_u32).prop_map(|left| Deed::OthersTake { left }),
        1 => Just(Deed::OthersLeave),
        1 => node.clone().prop_map(|node| Deed::OtherAssigns { node }),
        1 => node.clone().prop_map(|node| Deed::OtherAttaches { node }),
        2 => node.clone().prop_map(|node| Deed::Gone { node }),
        3 => node.clone().prop_map(|node| Deed::Back { node }),
        1 => node.prop_map(|node| Deed::Terminated { node }),
    ];
    (0..40_u64, deed)
}

/// The text of a cluster of up to four nodes.
fn world() -> impl Strategy<Value = String> {
    let types = prop::sample::select(vec!["m5.large", "t3.medium", "m4.large", "c5.xlarge"]);
    let node = (types, 1..12_i32, 0..2_u16, any::<bool>());
    let nodes = prop::collection::vec(node, 1..=4);
    let operator = prop::sample::select(vec!["operator", "operator prefixes"]);
    let cloud = (0..8_u32, 1..4_usize);
    let subnet = prop::sample::select(vec!["10.0.0.0/24", "10.0.0.0/26", "10.0.0.0/22"]);
    (operator, cloud, subnet, nodes).prop_map(|(operator, (lag, pages), subnet, nodes)| {
        let text = format!(
            "{operator}\ncloud lag {} pages {pages}\nsubnet subnet-1 {subnet}\n\
             subnet subnet-2 10.0.8.0/24\ntable rtb-1 vpc-1 subnet-1,subnet-2\n",
            lag * 1000
        );
        let lines = nodes.into_iter().enumerate().map(|(number, (kind, pre, first, cidr))| {
            let demand = if cidr { "cidr 8" } else { "used 0" };
            format!("node node-{number} {kind} pre {pre} first {first} {demand}")
        });
        text + &lines.collect::<Vec<_>>().join("\n")
    })
}

/// Faults at so many calls of a hundred, the same for the same seed: half of them lost, half of them refused.
pub(crate) fn faults(mut seed: u64, percent: u64) -> Faults {
    Box::new(move |_, _| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (chance, kind) = (seed >> 33, usize::try_from(seed >> 40).unwrap());
        let lost = [
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::LostAndLate,
            Fault::NotSent,
            Fault::BringsLess,
            Fault::BringsNothing,
        ];
        match chance % 200 {
            it if it < percent => Some(lost[kind % lost.len()]),
            it if it < 2 * percent => Some(Fault::Refused(REFUSALS[kind % REFUSALS.len()])),
            _ => None,
        }
    })
}

fn happen(rig: &mut Rig, deed: &Deed) {
    let name = |node: &usize| -> NodeName { format!("node-{node}").parse().unwrap() };
    let node = match deed {
        Deed::Used { node, .. }
        | Deed::Waiting { node, .. }
        | Deed::Ignored { node, .. }
        | Deed::OtherAssigns { node }
        | Deed::OtherAttaches { node }
        | Deed::Gone { node }
        | Deed::Terminated { node } => Some(name(node)),
        Deed::Back { node } => return rig.bring_back(&name(node)),
        Deed::OthersTake { .. } | Deed::OthersLeave => None,
    };
    if node.as_ref().is_some_and(|node| !rig.nodes.contains_key(node)) {
        return;
    }
    match (deed, node) {
        (Deed::Used { used, .. }, Some(node)) => rig.alter(&node, |it| {
            it.demand = match it.demand {
                Demand::PerIp { .. } => Demand::PerIp { used: *used },
                Demand::Cidr { ipv6, .. } => Demand::Cidr { ipv4: *used, ipv6 },
            };
        }),
        (Deed::Waiting { waiting, .. }, Some(node)) => rig.set_waiting(&node, *waiting),
        (Deed::Ignored { ignored, .. }, Some(node)) => {
            rig.alter(&node, |it| it.ignored = *ignored);
        }
        (Deed::OtherAssigns { .. }, Some(node)) => rig.cloud.other_tries_to_assign(&node),
        (Deed::OtherAttaches { .. }, Some(node)) => rig.cloud.other_tries_to_attach(&node),
        (Deed::Gone { .. }, Some(node)) => rig.remove_node(&node),
        (Deed::Terminated { .. }, Some(node)) => rig.terminate(&node),
        (Deed::OthersTake { left }, _) => {
            let left = (*left).min(rig.cloud.free(&"subnet-1".parse().unwrap()));
            rig.cloud.others_take("subnet-1", left, false);
        }
        (_, _) => rig.cloud.others_leave("subnet-1", 8),
    }
}

fn live(text: &str, (seed, percent): (u64, u64), deeds: &[(u64, Deed)]) -> Rig {
    let mut rig = rig(text);
    rig.is_stale = true;
    rig.grace = Duration::from_mins(15);
    rig.faults = faults(seed, percent);
    rig.slow_readings = Duration::from_secs(seed % 7);
    rig.start();
    for (seconds, deed) in deeds {
        rig.run(Duration::from_secs(*seconds));
        happen(&mut rig, deed);
    }
    rig.faults = Box::new(|_, _| None);
    rig.run(Duration::from_hours(2));
    rig.is_stale = false;
    rig
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_cluster_ends_well_or_says_why_not(
        text in world(),
        seed in (any::<u64>(), 2..=40_u64),
        deeds in prop::collection::vec(deed(), 0..25),
    ) {
        let mut rig = live(&text, seed, &deeds);
        for name in rig.nodes.keys() {
            let silent = !rig.is_satisfied(name) && labels(&rig, name).is_empty();
            prop_assert!(!silent, "{name}\n{}", rig.describe());
        }
        rig.check_quiet();
    }

    #[test]
    fn the_same_happenings_lead_to_the_same_calls(
        text in world(),
        seed in (any::<u64>(), 2..=40_u64),
        deeds in prop::collection::vec(deed(), 0..10),
    ) {
        let (first, second) = (live(&text, seed, &deeds), live(&text, seed, &deeds));
        prop_assert_eq!(first.sent, second.sent);
        prop_assert_eq!(first.published, second.published);
    }
}
