//! No size and no moment is too much.

use std::time::Duration;

use fastrand::Rng;

use super::script::Seen;
use super::{render, text};
use crate::moment::{Bucket, Calls, Node, NodeState, PodCounts, Waiting};
use crate::news;

/// Texts that a view may be handed.
const TEXTS: [&str; 8] = [
    "",
    "a",
    "default/web-1",
    "two\nlines\r\u{1b}[2J\u{7}",
    "日本語 👩‍👩‍👧 é",
    "SubnetsExhausted",
    "a very long text that goes on and on, past every column that any terminal may have, and then some more of it, and then again some more of it, to be sure",
    "\u{200b}\u{202e}\u{feff}",
];

fn text_of(random: &mut Rng) -> String {
    TEXTS[random.usize(..TEXTS.len())].to_owned()
}

fn number(random: &mut Rng) -> u32 {
    let most = [0, 3, 50, 5_000, u32::MAX][random.usize(..5)];
    random.u32(..=most)
}

fn long(random: &mut Rng) -> u64 {
    [0, 7, 1_000_000, u64::MAX >> 8][random.usize(..4)]
}

fn node(random: &mut Rng) -> Node {
    use NodeState::{Draining, Foreign, Joining, Ready, Silent};
    let blocked = (0..random.usize(..3)).map(|_| (text_of(random), text_of(random))).collect();
    Node {
        name: text_of(random),
        instance_type: text_of(random),
        zone: text_of(random),
        state: [Joining, Ready, Draining, Silent, Foreign][random.usize(..5)],
        free: number(random),
        used: number(random),
        cooling: number(random),
        promised: number(random),
        enis: number(random),
        prefixes: number(random),
        capacity: number(random),
        blocked,
    }
}

fn calls(random: &mut Rng) -> Calls {
    let refill_per_second = [0.0, 0.25, 1e9, f64::NAN, f64::INFINITY][random.usize(..5)];
    let bucket = Bucket { capacity: 1.0, refill_per_second };
    Calls {
        made: long(random),
        throttled: long(random),
        failed: long(random),
        bucket: random.bool().then_some(bucket),
    }
}

fn anything(random: &mut Rng) -> Seen {
    let mut seen = Seen::nothing();
    let many = [0, 1, 5, 80][random.usize(..4)];
    seen.facts.description = text_of(random);
    seen.facts.scenario = text_of(random);
    seen.facts.length = Duration::from_secs(random.u64(..100));
    seen.scroll = [0, 1, many, usize::MAX][random.usize(..4)];
    let moment = &mut seen.moment;
    moment.at = Duration::from_secs(long(random));
    moment.operator = text_of(random);
    moment.nodes = (0..many).map(|_| node(random)).collect();
    moment.findings = (0..random.usize(..=many.min(9))).map(|_| text_of(random)).collect();
    moment.pods =
        PodCounts { running: long(random), waiting: long(random), ..PodCounts::default() };
    let waits = (0..random.usize(..=many)).map(|_| Waiting {
        pod: text_of(random),
        node: random.bool().then(|| text_of(random)),
        since: Duration::from_millis(long(random)),
        why: text_of(random),
    });
    moment.waiting = waits.collect();
    for action in ["CreateNetworkInterface", "DescribeSubnets", "日本語", "", "E", "F"] {
        if random.bool() {
            moment.calls.insert(action, calls(random));
            seen.rates.insert(action, [0.0, 0.3, 1e12, f64::NAN][random.usize(..4)]);
        }
    }
    let told = (0..random.usize(..=many)).map(|_| news::Line {
        at: Duration::from_secs(long(random)),
        text: text_of(random),
        is_trouble: random.bool(),
    });
    seen.news = told.collect();
    seen
}

#[test]
fn any_moment_is_drawn_in_any_size() {
    for seed in 0..300 {
        let mut random = Rng::with_seed(seed);
        let seen = anything(&mut random);
        let size = (random.u16(..=200), random.u16(..=60));
        let (buffer, window) = render(&seen, size);
        let drawn = text(&buffer);
        assert!(
            !drawn.contains(|one: char| one.is_control() && one != '\n'),
            "seed {seed}: {drawn}"
        );
        if let Some(window) = window {
            let all = window.above + window.shown + window.below;
            assert_eq!(all, seen.moment.nodes.len(), "seed {seed}");
        }
        let _ = crate::view::lines::status(&seen.moment);
    }
}

#[test]
fn the_view_is_there_from_the_least_size_on() {
    let seen = anything(&mut Rng::with_seed(3));
    for width in [0, 1, 2, 9, 58, 59, 60, 61, 80, 200] {
        for height in [0, 1, 2, 5, 13, 14, 15, 16, 24, 60] {
            let (_, window) = render(&seen, (width, height));
            assert_eq!(window.is_some(), width >= 60 && height >= 15, "{width} by {height}");
        }
    }
}
