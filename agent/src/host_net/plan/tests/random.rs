//! Random worlds: one round makes them right, and no step takes from a used address what it has.

use std::collections::BTreeMap;

use ipam_core::ids::EniId;
use ipnet::IpNet;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::kernel::apply;
use super::world::{World, lines};
use super::{check_settled, plan};
use crate::host_net::words::{Kernel, Numbers, Plan, Route, Rule, Selector, Wanted};

const ENIS: [&str; 4] = ["eni-0", "eni-1", "eni-2", "eni-9"];
const MACS: [&str; 4] = ["m0", "m1", "m2", "m3"];
const CIDRS: [&str; 7] = [
    "10.0.1.0/28",
    "10.0.1.5/32",
    "10.0.1.6/32",
    "10.0.2.16/28",
    "10.0.2.20/32",
    "fd00:1::/80",
    "fd00:1::7/128",
];

/// A line, or none: with `{}` replaced by one of the values.
fn maybe(line: String) -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(line)]
}

fn device(index: usize) -> impl Strategy<Value = String> {
    let flags = subsequence(vec!["up", "enslaved", "mtu 9001", "rp_filter 0"], 0..=4);
    let strict = maybe("rp_filter 1".to_owned());
    (select(&MACS), flags, strict).prop_flat_map(move |(mac, mut flags, strict)| {
        if !strict.is_empty() {
            flags.retain(|flag| !flag.starts_with("rp_filter"));
        }
        maybe(format!("device {index} d{index} {mac} {} {strict}", flags.join(" ")))
    })
}

fn eni(at: usize) -> impl Strategy<Value = String> {
    let number = if at == 0 { 0..1 } else { 1..4_u32 };
    let facts = ["primary 10.0.1.4", "subnet 10.0.1.0/24", "vpc 10.0.0.0/16", "vpc fd00:1::/56"];
    (number, subsequence(facts.to_vec(), 0..=4)).prop_flat_map(move |(number, facts)| {
        maybe(format!("eni {} {number} {} {}", ENIS[at], MACS[at], facts.join(" ")))
    })
}

fn rule() -> impl Strategy<Value = String> {
    let cidr = || select(&CIDRS);
    prop_oneof![
        (cidr(), 10..14).prop_map(|(cidr, table)| format!("rule 111: from {cidr} table {table}")),
        cidr().prop_map(|cidr| format!("rule 20: to {cidr} table 254")),
        cidr().prop_map(|cidr| format!("rule 7: to {cidr} table 254")),
        Just("rule 110: IPv4 mark 0x100 table 254".to_owned()),
        Just("rule 20: IPv4 iif lo table 254".to_owned()),
        Just("rule 5: IPv4 iif lo table 254".to_owned()),
    ]
}

fn route() -> impl Strategy<Value = String> {
    let to = select(vec![
        "10.0.1.1/32",
        "default via 10.0.1.1",
        "default via 10.0.9.1",
        "default6 via fe80:ec2::1",
    ]);
    let whose = select(vec!["", "", "", "protocol 4", "protocol 4 metric 100"]);
    (to, 11..14, 2..5, whose).prop_map(|(to, table, device, whose)| {
        format!("route {to} table {table} device {device} {whose}")
    })
}

fn wanted() -> impl Strategy<Value = String> {
    let used = (subsequence(CIDRS.to_vec(), 0..=7), prop::collection::vec(select(&ENIS), 7));
    let used = used.prop_map(|(cidrs, enis)| {
        let used = cidrs.iter().zip(enis).map(|(cidr, eni)| format!("used {cidr} on {eni}\n"));
        used.collect::<String>()
    });
    let options = subsequence(vec!["mtu 8000", "masquerade"], 0..=2);
    ((eni(0), eni(1), eni(2)), used, options).prop_map(|((a, b, c), used, options)| {
        format!("{a}\n{b}\n{c}\n{used}{}", options.join("\n"))
    })
}

fn kernel() -> impl Strategy<Value = String> {
    let objects = (
        prop::collection::vec(rule(), 0..8),
        prop::collection::vec(route(), 0..6),
        prop::collection::vec(select(vec!["address 2 10.0.1.4/24", "address 3 10.0.1.4/32"]), 0..2),
    );
    let more = ["all rp_filter 1", "masqueraded 10.0.1.5/32 except 10.0.0.0/16", "masqueraded"];
    let more = subsequence(more.to_vec(), 0..=2);
    ((device(2), device(3), device(4)), objects, more).prop_map(
        |((a, b, c), (rules, routes, addresses), more)| {
            let lines = [vec![a, b, c], rules, routes].concat();
            format!("{}\n{}\n{}\n", lines.join("\n"), addresses.join("\n"), more.join("\n"))
        },
    )
}

/// The kernel never has two routes with one key, nor a route over a device that is down or not there.
fn possible(mut kernel: Kernel) -> Kernel {
    let mut routes = BTreeMap::new();
    for route in kernel.routes {
        if kernel.links.get(&route.device).is_some_and(|link| link.up) {
            routes.insert((route.table, route.destination, route.metric), route);
        }
    }
    kernel.routes = routes.into_values().collect();
    kernel
}

/// Whether what goes to a used CIDR and comes from it is led as it has to be; none where it has all that it needs without.
fn led(kernel: &Kernel, wanted: &Wanted, cidr: &IpNet, id: &EniId) -> [bool; 3] {
    let numbers = Numbers::default();
    let number = wanted.enis.get(id).map(|eni| eni.number);
    let from = |rule: &Rule| match (&rule.selector, number) {
        (Selector::From(found), Some(number)) => {
            number > 0 && found.contains(cidr) && rule.table == numbers.table(number)
        }
        (Selector::From(found), None) => found.contains(cidr),
        _ => false,
    };
    let to = |rule: &Rule| matches!(rule.selector, Selector::To(found) if found.contains(cidr));
    let device = wanted.enis.get(id).and_then(|eni| {
        let mut links =
            kernel.links.iter().filter(|(_, link)| link.mac == eni.mac && !link.enslaved);
        links.next().map(|(index, _)| *index)
    });
    let default = |route: &Route| {
        number.is_some_and(|number| numbers.table(number) == route.table)
            && Some(route.device) == device
            && route.destination.prefix_len() == 0
            && route.destination.contains(&cidr.addr())
    };
    [kernel.rules.iter().any(to), kernel.rules.iter().any(from), kernel.routes.iter().any(default)]
}

/// Takes the steps of a plan and looks after each of them.
fn walk(world: &mut World, Plan { steps, .. }: &Plan) {
    let numbers = Numbers::default();
    let World { kernel, wanted } = world;
    for step in steps {
        let before = kernel.clone();
        apply(kernel, step, &numbers);
        for (cidr, id) in &wanted.used {
            let (had, has) = (led(&before, wanted, cidr, id), led(kernel, wanted, cidr, id));
            let less = had.iter().zip(has).any(|(had, has)| *had && !has);
            // Two interfaces that share a table: one of them has to do without.
            let shared = wanted.enis.get(id).is_some_and(|eni| {
                wanted.enis.values().filter(|other| other.number == eni.number).count() > 1
            });
            assert!(!less || shared, "{step}: {cidr} had {had:?}, has {has:?}");
        }
    }
}

/// What nobody but its owner may change.
fn foreign(kernel: &Kernel) -> (Vec<Route>, Vec<Rule>) {
    let numbers = Numbers::default();
    let routes = kernel.routes.iter().filter(|route| route.protocol != numbers.protocol);
    let rules = kernel
        .rules
        .iter()
        .filter(|rule| matches!(rule.selector, Selector::Other { .. }) && rule.priority == 5);
    (routes.cloned().collect(), rules.cloned().collect())
}

fn round(world: &mut World) {
    let numbers = Numbers::default();
    let others = foreign(&world.kernel);
    let planned = plan(&world.kernel, &world.wanted, &numbers);
    walk(world, &planned);
    check_settled(world, &planned);
    assert_eq!(foreign(&world.kernel), others, "{:?}", lines(&planned));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn one_round_settles_any_world(there in kernel(), first in wanted(), then in wanted(), drift in kernel()) {
        let mut world = World::parse(&format!("{there}{first}"));
        world.kernel = possible(world.kernel);
        round(&mut world);
        // Something else is wanted.
        world.wanted = World::parse(&then).wanted;
        round(&mut world);
        // Somebody was here: what Berth made is partly gone, and there is more of others.
        let Kernel { links, rules, routes, masquerade, .. } = World::parse(&drift).kernel;
        world.kernel.links = links;
        world.kernel.rules.retain(|rule| !rules.contains(rule));
        world.kernel.rules.extend(rules.into_iter().step_by(2));
        world.kernel.routes.extend(routes);
        world.kernel.masquerade = masquerade;
        world.kernel = possible(world.kernel);
        round(&mut world);
    }
}
