use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment::{Calls, Moment, Node, NodeState};
use crate::watch::tell::Teller;

fn node(text: &str) -> Node {
    let (name, rest) = text.split_once(' ').unwrap();
    let (state, blocked) = rest.split_once(' ').unwrap_or((rest, ""));
    let state = match state {
        "joining" => NodeState::Joining,
        "ready" => NodeState::Ready,
        "draining" => NodeState::Draining,
        "silent" => NodeState::Silent,
        "foreign" => NodeState::Foreign,
        other => panic!("no state: {other}"),
    };
    let blocked = blocked.split_whitespace().map(|label| (label.to_owned(), "why".to_owned()));
    Node { name: name.to_owned(), state, blocked: blocked.collect(), ..Node::default() }
}

/// `12: n1 ready NoSubnet, n2 silent, throttled 3`: what is seen after so many seconds. One such moment a line.
fn moment(line: &str) -> Moment {
    let (at, rest) = line.split_once(':').unwrap();
    let mut moment = Moment { at: Duration::from_secs(at.parse().unwrap()), ..Moment::default() };
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if let Some(count) = part.strip_prefix("throttled ") {
            let calls = Calls { throttled: count.parse().unwrap(), ..Calls::default() };
            moment.calls = BTreeMap::from([("DescribeSubnets", calls)]);
        } else {
            moment.nodes.push(node(part));
        }
    }
    moment
}

/// Moments in; what is told of them out, each behind its second, trouble behind `!`.
#[track_caller]
fn check(moments: &str, expected: &str) {
    let mut teller = Teller::default();
    let mut told = Vec::new();
    for line in moments.lines().map(str::trim) {
        let moment = moment(line);
        for one in teller.look(&moment) {
            let trouble = if one.is_trouble { "! " } else { "" };
            told.push(format!("{}: {trouble}{}", moment.at.as_secs(), one.text));
        }
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(told.join("\n"), expected.join("\n"));
}

#[test]
fn nodes_are_told_when_they_can_serve_pods() {
    check(
        "0: n1 joining, n2 foreign
         1: n1 ready, n2 foreign, n3 joining
         2: n1 ready, n2 foreign, n3 ready, n4 ready, n5 ready, n6 ready, n7 ready
         3: n1 draining, n3 ready, n4 ready, n5 ready, n6 ready, n7 ready",
        "1: n1: ready for pods
         2: n3, n4, n5 and 2 more: ready for pods",
    );
}

#[test]
fn an_agent_that_is_away_and_back_is_told_once_each() {
    check(
        "1: n1 ready
         2: n1 silent
         3: n1 silent
         4: n1 joining
         5: n1 ready
         6: n1 silent",
        "1: n1: ready for pods
         2: ! n1: the agent does not answer
         5: n1: the agent answers again
         6: ! n1: the agent does not answer",
    );
}

#[test]
fn a_reason_is_told_when_it_is_new() {
    check(
        "1: n1 draining NoSubnet NoSubnet
         2: n1 draining NoSubnet, n2 draining NoSubnet Throttled
         20: n1 draining NoSubnet InstanceFull
         49: n1 draining NoSubnet
         60: n2 draining NoSubnet",
        "1: ! n1: NoSubnet: why
         2: ! n2: NoSubnet: why
         2: n2: Throttled: why
         20: n1: InstanceFull: why
         60: ! n2: NoSubnet: why",
    );
}

#[test]
fn throttling_is_told_when_it_begins() {
    check(
        "1: throttled 0
         2: throttled 3
         3: throttled 9
         30: throttled 9
         32: throttled 10
         62: throttled 11",
        "2: ! EC2 throttles DescribeSubnets
         62: ! EC2 throttles DescribeSubnets",
    );
}
