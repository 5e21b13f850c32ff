//! What holds of every plan, whatever the node, the network and the demand.

use std::fmt::Write;

use ipam_core::action::Action;
use ipam_core::view::{AttachmentState, Demand, EniView};
use proptest::prelude::*;

use crate::world::World;

/// Types with few and many interfaces, of one and several cards, on Nitro and Xen.
const TYPES: [&str; 7] =
    ["t3.medium", "m5.large", "m5.4xlarge", "m4.xlarge", "t2.xlarge", "p5.48xlarge", "m5.metal"];

prop_compose! {
    fn a_subnet()(free in 0_usize..400, scattered in any::<bool>(), ipv6 in any::<bool>(), tagged in any::<bool>()) -> String {
        let free = if scattered { free.min(200) } else { free };
        format!(
            "10.0.{{}}.0/23 free {free}{}{}{}",
            if scattered { " scattered" } else { "" },
            if ipv6 { " ipv6" } else { "" },
            if tagged { " tags pods=yes" } else { "" },
        )
    }
}

/// How an interface beside the primary one may stand; `loose` is attached to nothing.
const STANDINGS: [&str; 10] = [
    "",
    "",
    "",
    "special",
    "tags team=db",
    "tags node.k8s.amazonaws.com/no_manage=true",
    "attaching",
    "detaching",
    "card 1",
    "loose",
];

prop_compose! {
    fn an_eni()(
        addresses in 0_u16..8,
        prefixes in 0_u16..4,
        standing in proptest::sample::select(&STANDINGS[..]),
    ) -> (u16, u16, &'static str) {
        (addresses, prefixes, standing)
    }
}

prop_compose! {
    fn a_node()(
        kind in proptest::sample::select(&TYPES[..]),
        pre in -1_i32..40,
        min in 0_u32..60,
        max in prop_oneof![Just(0_u32), 1_u32..200],
        above in 0_u32..10,
        used in 0_u32..120,
        waiting in prop_oneof![Just(0_u32), 0_u32..150],
        flags in proptest::collection::vec(any::<bool>(), 5),
    ) -> String {
        let word = |flag: usize, word: &'static str| if flags[flag] { word } else { "" };
        let demand = if flags[0] { format!("requested {used} {}", used % 3) } else { format!("used {used}") };
        format!(
            "node {kind} pre {pre} min {min} max {max} above {above} {demand} waiting {waiting} in subnet-1{}{}{}{}",
            word(1, " first 1"),
            word(2, " primary"),
            word(3, " exclude team=db"),
            word(4, " subnet-tags pods=yes"),
        )
    }
}

prop_compose! {
    /// A world whose interfaces hold no more than their type and their subnet allow.
    fn a_world()(
        node in a_node(),
        prefixes in any::<bool>(),
        subnets in proptest::collection::vec(a_subnet(), 1..4),
        enis in proptest::collection::vec(an_eni(), 0..4),
        tables in any::<bool>(),
    ) -> World {
        let mut text = format!("{node}\n");
        if prefixes {
            text += "policy prefixes\n";
        }
        for (number, subnet) in subnets.iter().enumerate() {
            let subnet = subnet.replace("{}", &(2 * number).to_string());
            let _ = writeln!(text, "subnet subnet-{} {subnet}", number + 1);
        }
        let limits = limits::find(node.split_whitespace().nth(1).unwrap()).unwrap();
        text += "subnet subnet-9 10.9.0.0/24\n eni eni-0 at 0 in subnet-9\n";
        for (index, (addresses, prefixes, standing)) in enis.iter().enumerate() {
            let index = index + 1;
            let prefixes = if limits.supports_prefixes() { *prefixes } else { 0 };
            let addresses = (*addresses).min(limits.ipv4_per_eni - 1 - prefixes.min(4));
            let place = match *standing {
                "loose" => "own".to_string(),
                standing => format!("at {index} {standing}"),
            };
            if index < usize::from(limits.enis) {
                let _ = writeln!(
                    text,
                    "eni eni-{index} {place} in subnet-9 addresses {addresses} prefixes {prefixes}"
                );
            }
        }
        if tables {
            text += "table rtb-1 vpc-1 subnet-1,subnet-2\n";
        }
        World::new(&text)
    }
}

/// Whether the interface is on its way from the node.
fn leaves(eni: &EniView) -> bool {
    eni.attachment.as_ref().is_some_and(|at| at.state == AttachmentState::Detaching)
}

/// What the node has and keeps.
fn held(world: &World) -> Vec<String> {
    let stays = |eni: &&EniView| !leaves(eni);
    world
        .node
        .enis
        .iter()
        .filter(stays)
        .flat_map(|eni| {
            let singles = eni.ipv4.addresses.iter().map(ToString::to_string);
            let prefixes = eni.ipv4.prefixes.iter().map(ToString::to_string);
            singles.chain(prefixes).map(|it| format!("{it} on {}", eni.id)).collect::<Vec<_>>()
        })
        .collect()
}

/// What is planned once more while all that was planned is under way.
fn planned_again(world: &mut World) -> Vec<Action> {
    let plan = world.plan();
    world.network.reserve(&plan.actions);
    world.node.in_flight = plan.actions;
    world.plan().actions
}

/// The plan takes the last blocks of subnet-9, so that the slots on their way are worth an address each, in this plan as
/// in the next.
#[test]
fn slots_on_their_way_are_worth_what_the_plan_leaves() {
    let mut world = World::new(
        "node m5.large pre 0 min 0 max 0 above 0 used 58 waiting 128 in subnet-1
policy prefixes
subnet subnet-1 10.0.0.0/23 free 0
subnet subnet-9 10.9.0.0/24
 eni eni-0 at 0 in subnet-9
eni eni-1 at 1 attaching in subnet-9 addresses 1 prefixes 2
",
    );
    assert_eq!(planned_again(&mut world), vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_is_the_same_each_time(world in a_world()) {
        prop_assert_eq!(world.plan(), world.plan());
    }

    /// The model refuses what EC2 would, and audits limits and uniqueness after every action.
    #[test]
    fn a_plan_is_carried_out_without_refusal_and_settles(world in a_world()) {
        let mut world = world;
        let most = if world.node.enis.iter().any(leaves) { 5 } else { 4 };
        let rounds = world.settle().map_err(TestCaseError::fail)?;
        prop_assert!(
            rounds <= most,
            "create, attach, set the attribute, at most one round more, and one for a slot that comes free"
        );
    }

    #[test]
    fn no_plan_goes_beyond_the_maximum(world in a_world()) {
        let mut world = world;
        let before = world.available();
        world.settle().map_err(TestCaseError::fail)?;
        if let Some(most) = world.node.settings.watermarks.max_allocate() {
            prop_assert!(world.available() <= before.max(most));
        }
    }

    /// Planning takes nothing away: what was there, used or not, is there afterwards.
    #[test]
    fn nothing_that_was_there_is_touched(world in a_world()) {
        let mut world = world;
        let before = held(&world);
        world.settle().map_err(TestCaseError::fail)?;
        let after = held(&world);
        prop_assert!(before.iter().all(|it| after.contains(it)));
    }

    /// A settled node has what it needs, or says how many addresses it is short and why.
    #[test]
    fn a_settled_node_is_served_or_says_why(world in a_world()) {
        let mut world = world;
        world.settle().map_err(TestCaseError::fail)?;
        let short = world.short();
        let plan = world.plan();
        let said = plan.blocked.iter().map(|it| i64::from(it.short)).max().unwrap_or(0);
        prop_assert!(said <= short, "{:?}", plan.blocked);
        prop_assert_eq!(said > 0, short > 0, "short by {}, {:?}", short, plan.blocked);
    }

    /// While everything planned is under way, nothing more is planned.
    #[test]
    fn what_is_in_flight_is_not_asked_for_again(world in a_world()) {
        let mut world = world;
        prop_assert_eq!(planned_again(&mut world), vec![]);
    }

    /// Half a round: any part of the actions may have been lost. The rest is planned again, and the
    /// node settles all the same.
    #[test]
    fn lost_actions_are_made_good(world in a_world(), lost in any::<u64>()) {
        let mut world = world;
        let actions = world.plan().actions;
        let kept = actions.iter().enumerate().filter(|(at, _)| lost >> (at % 64) & 1 == 0);
        let kept: Vec<_> = kept.map(|(_, action)| action.clone()).collect();
        world.apply_all(&kept).map_err(TestCaseError::fail)?;
        world.settle().map_err(TestCaseError::fail)?;
    }

    /// An agent of either contract that needs the same gets the same.
    #[test]
    fn both_contracts_ask_alike(world in a_world(), used in 1_u32..100) {
        let mut world = world;
        world.node.demand = Demand::PerIp { used };
        let per_ip = world.plan();
        let pre = world.node.settings.watermarks.pre_allocate();
        let ipv4 = u32::try_from(i64::from(used) + i64::from(pre)).unwrap();
        world.node.demand = Demand::Cidr { ipv4, ipv6: 0 };
        prop_assert_eq!(world.plan(), per_ip);
    }
}

/// The interface that leaves takes the third slot at first. The new one holds a prefix and four addresses, and one address more needs
/// another interface, for which there is a slot only then.
#[test]
fn a_slot_that_comes_free_later_costs_a_round() {
    let mut world = World::new(
        "node t3.medium pre 2 max 21 used 19 in subnet-1 first 1
         policy prefixes
         subnet subnet-1 10.0.0.0/23 free 0
         subnet subnet-9 10.9.0.0/24
         eni eni-0 at 0 in subnet-9
         eni eni-1 at 1 detaching in subnet-9",
    );
    assert_eq!(world.settle(), Ok(5));
}
