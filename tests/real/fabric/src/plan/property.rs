//! Whatever EC2 says and whoever interferes: one plan makes it true, and nothing is delivered meanwhile that should not be.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::model::{disturb, fresh, obey, text, vpc};
use super::plan;
use crate::vpc::{Cable, Present, Route, Vpc};

const DEVICES: [&str; 4] = ["f-a", "f-b", "f-c", "f-d"];

/// For each interface: the instance it is attached to, if it is, and whether sources are checked. For each address, whose it is.
type Region = (Vec<Option<(usize, bool)>>, Vec<Option<usize>>);

fn region() -> impl Strategy<Value = Region> {
    (vec(option::of((0..3_usize, any::<bool>())), 4), vec(option::of(0..4_usize), 8))
}

fn wanted((interfaces, holders): &Region) -> Vpc {
    let line = |(number, attached): (usize, &Option<(usize, bool)>)| {
        let (instance, check) = (*attached)?;
        let mut line =
            format!("{} i-{instance} eth{number} 10.0.0.{}", DEVICES[number], 10 + number);
        line.push_str(if number < 2 { "/24" } else { "" });
        line.push_str(if check { "" } else { " open" });
        let own = holders.iter().zip(2..).filter(|(holder, _)| **holder == Some(number));
        let own: Vec<_> = own.map(|(_, block)| format!(" 10.0.0.{}/28", 16 * block)).collect();
        line.push_str(&own.concat());
        Some(line)
    };
    let lines: Vec<String> = interfaces.iter().enumerate().filter_map(line).collect();
    vpc(&lines.join("\n"))
}

/// What somebody does, to the device or instance of a number.
fn disturbance() -> impl Strategy<Value = (usize, usize)> {
    (0..9_usize, 0..4_usize)
}

fn interfere(present: &mut Present, (what, number): (usize, usize)) {
    let (device, instance) = (DEVICES[number], format!("i-{}", number % 3));
    let subject = match what {
        0 => format!("unplug {device}"),
        1 => format!("down {device}"),
        2 => format!("let-all-through {device}"),
        3 => format!("route 10.0.0.{}/28 {device}", 16 * (number + 2)),
        4 => format!("forget-routes-to 10.0.0.{}/28", 16 * (number + 2)),
        5 => "forget-neighbours".to_owned(),
        6 => format!("other-namespace {instance}"),
        7 => format!("flush {instance}"),
        _ => "stranger f-z".to_owned(),
    };
    // Nobody does anything to a device that is not there, nor sends anything over one that is down.
    let end = present.ends.get(device);
    let possible = match what {
        0..3 => end.is_some(),
        3 => end.is_some_and(|end| end.up),
        _ => true,
    };
    if possible {
        disturb(present, &subject);
    }
}

/// All that is to be delivered.
fn right(wanted: &Vpc) -> BTreeSet<Route> {
    let routes = |(device, cable): (&String, &Cable)| {
        let route = |to, via| Route { to, via, device: device.clone() };
        let others = cable.others.iter().map(|to| route(*to, Some(cable.primary)));
        others.chain([route(cable.primary.into(), None)]).collect::<Vec<_>>()
    };
    wanted.cables.iter().flat_map(routes).collect()
}

/// Carries the plan out, looking at every moment.
fn settle(present: &mut Present, wanted: &Vpc) -> Result<(), TestCaseError> {
    let right = right(wanted);
    let wrong = |present: &Present| present.routes.difference(&right).cloned().collect();
    let mut stale: BTreeSet<Route> = wrong(present);
    for step in plan(wanted, present) {
        let delivered: BTreeSet<Route> = present.routes.intersection(&right).cloned().collect();
        obey(present, &step);
        let now: BTreeSet<Route> = wrong(present);
        prop_assert!(now.is_subset(&stale), "{} delivers what is not wanted", text(&step));
        stale = now;
        let deliveries = text(&step).contains("replace");
        prop_assert!(!deliveries || stale.is_empty(), "{} comes before {stale:?}", text(&step));
        // What goes over a device goes with it.
        let lost = delivered.difference(&present.routes);
        let lost = lost.clone().find(|route| present.ends.contains_key(&route.device));
        prop_assert_eq!(lost, None, "by {}", text(&step));
    }
    prop_assert_eq!(&present.routes, &right);
    let devices: Vec<&String> = present.ends.keys().collect();
    prop_assert_eq!(devices, wanted.cables.keys().collect::<Vec<_>>());
    prop_assert_eq!(plan(wanted, present), []);
    Ok(())
}

proptest! {
    #[test]
    fn one_plan_makes_it_true(
        changes in vec((region(), vec(disturbance(), 0..4)), 1..6)
    ) {
        let mut present = fresh(&["i-0", "i-1", "i-2"]);
        for (region, disturbances) in changes {
            settle(&mut present, &wanted(&region))?;
            for disturbance in disturbances {
                interfere(&mut present, disturbance);
            }
            settle(&mut present, &wanted(&region))?;
        }
    }
}
