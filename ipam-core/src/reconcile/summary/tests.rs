//! What is said of a node.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Blocked, Contract, Obstacle, Reason, Summary, Tick};
use crate::call::Api;

fn reason(word: &str) -> Reason {
    let api = Api::AssignPrivateIpAddresses;
    match word {
        "full" => Reason::InstanceFull { instance_type: "m5.large".parse().unwrap() },
        "most" => Reason::MaxAllocateReached { max_allocate: 8 },
        "empty" => Reason::SubnetsExhausted { subnets: Vec::from(["subnet-1".parse().unwrap()]) },
        "unknown" => Reason::LimitsUnknown { instance_type: "zz9.plural".parse().unwrap() },
        "blocks" => Reason::NoFreePrefix { subnet: "subnet-1".parse().unwrap() },
        "turn" => Reason::Throttled { api },
        "silent" => Reason::NoAnswer { api },
        other => panic!("no reason is called {other}"),
    }
}

/// One door: `AVAILABLE/USED needed N waiting N`, then `REASON:SHORT` each or `asked`, and what is said.
#[track_caller]
fn check(text: &str, expected: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.parse::<u32>().unwrap();
    let (available, used) = words[0].split_once('/').unwrap();
    let (asked, reasons): (Vec<&str>, Vec<&str>) =
        words[5..].iter().partition(|word| **word == "asked");
    let blocked = reasons.iter().map(|word| {
        let (name, short) = word.split_once(':').unwrap();
        Blocked { reason: reason(name), short: number(short) }
    });
    let summary = Summary {
        name: "node-1".parse().unwrap(),
        instance: None,
        instance_type: None,
        contract: Contract::PerIp,
        prefixes: false,
        enis: 1,
        available: number(available),
        used: number(used),
        needed: number(words[2]),
        capacity: None,
        remaining_interfaces: 0,
        candidates: 0,
        empty_slots: 0,
        leaving: 0,
        to_spare: 0,
        kept: None,
        idle_enis: 0,
        leaving_enis: 0,
        waiting_pods: number(words[4]),
        in_flight: asked.len().try_into().unwrap(),
        blocked: blocked.collect(),
        ignored: false,
        since: Tick::default(),
        observed: None,
    };
    let found = match summary.obstacle() {
        Obstacle::None => String::from("nothing"),
        Obstacle::Passing => String::from("passing"),
        Obstacle::Lasting(reason) => reason.to_string(),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_lasts_is_said_while_the_node_lacks_something() {
    check("8/0 needed 0 waiting 0", "nothing");
    check("4/0 needed 4 waiting 0 empty:4", "nothing is left in subnet-1");
    check("8/0 needed 0 waiting 0 empty:0", "nothing");
    check(
        "0/0 needed 8 waiting 0 unknown:0",
        "the limits of zz9.plural are unknown: give them as an override, or allow DescribeInstanceTypes",
    );
}

#[test]
fn a_full_node_says_so_when_pods_wait_in_vain() {
    let full = "every slot for pods of this m5.large is taken";
    check("15/10 needed 0 waiting 0 full:3", "nothing");
    check("15/15 needed 0 waiting 0 full:8", "nothing");
    check("15/13 needed 0 waiting 2 full:8", "nothing");
    check("15/14 needed 0 waiting 2 full:8", full);
    check("15/15 needed 0 waiting 1 full:8", full);
    check("8/8 needed 0 waiting 1 most:8", "max-allocate 8 is reached");
    // More in use than there is: addresses are on their way back.
    check("7/8 needed 0 waiting 0 most:8", "nothing");
}

#[test]
fn what_passes_by_itself_is_not_said() {
    check("4/4 needed 8 waiting 3 turn:8", "passing");
    check("8/0 needed 0 waiting 0 turn:0", "nothing");
    check("4/4 needed 8 waiting 3 turn:8 empty:2", "nothing is left in subnet-1");
    check("4/4 needed 8 waiting 3 asked", "passing");
    check("4/4 needed 8 waiting 3 empty:2 asked", "nothing is left in subnet-1");
    check("8/0 needed 0 waiting 0 asked", "nothing");
}

#[test]
fn the_reason_that_costs_most_is_said() {
    check(
        "4/4 needed 8 waiting 0 empty:2 silent:6",
        "EC2 does not answer to AssignPrivateIpAddresses",
    );
    check("4/4 needed 8 waiting 0 empty:6 silent:6", "nothing is left in subnet-1");
}

#[test]
fn what_costs_no_address_is_not_said() {
    check("4/4 needed 8 waiting 3 blocks:0", "nothing");
}
