//! How long an ADD waits for the rules of its address.

use std::time::{Duration, Instant};

use crate::bed::{Agent, Host};

/// Each with an address that nobody has used before.
const ADDS: usize = 1000;
/// As many pods as kubelet takes on a node by default.
const PODS: usize = 110;

/// A node that is full, on which pods come and go: 1,000 addresses, one after the other.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for, beside the rules")]
fn a_thousand_addresses_one_after_the_other() {
    let host = Host::new();
    host.device("eth1", 1);
    let agent = Agent::start(&host, "eni 0 4\neni 1 5");
    agent.ensure(1, &["10.0.1.16/28"]);
    let cidrs: Vec<String> =
        (0..ADDS).map(|number| format!("10.0.{}.{}/32", 16 + number / 250, number % 250)).collect();
    let (mut fresh, mut again) = (Vec::new(), Vec::new());
    for number in 0..ADDS {
        fresh.push(timed(|| agent.ensure(1, &[&cidrs[number]])));
        again.push(timed(|| agent.ensure(1, &[&cidrs[number]])));
        let live = &cidrs[number.saturating_sub(PODS - 1)..=number];
        let used: Vec<String> = live.iter().map(|cidr| format!("1 {cidr}")).collect();
        agent.show(&format!("eni 0 4\neni 1 5\n{}", used.join("\n")));
    }
    println!("ensure, fresh address: {}", quantiles(fresh));
    println!("ensure, rules there:   {}", quantiles(again));
    agent.show("eni 0 4\neni 1 5");
    assert_eq!(agent.changes("drift"), 0);
}

fn timed(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

fn quantiles(mut took: Vec<Duration>) -> String {
    took.sort();
    let [half, most] = [took[took.len() / 2], took[took.len() * 99 / 100]];
    format!("p50 {half:?}, p99 {most:?}, longest {:?} of {}", took[took.len() - 1], took.len())
}
