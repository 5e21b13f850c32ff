//! Random calls, faults and time in the small standard world: the truth holds after each step, and a seed tells the whole run.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::request::Action;
use crate::script::standard;

/// What may be asked for of IPv4; much of it cannot be had.
fn wish() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..5_u8).prop_map(|count| format!("count={count}")),
        1 => (0..12_u8).prop_map(|count| format!("count={count}")),
        3 => (0..4_u8).prop_map(|count| format!("prefix-count={count}")),
        1 => ((0..40_u8), (0..40_u8)).prop_map(|(one, two)| format!("ips=10.0.2.{one},10.0.0.{two}")),
        2 => (0..40_u8).prop_map(|one| format!("ips=10.0.0.{one}")),
        2 => (0..16_u8).prop_map(|block| format!("prefixes=10.0.0.{}/28", u16::from(block) * 16)),
        2 => Just(String::new()),
    ]
}

/// The same of IPv6.
fn wish6() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8).prop_map(|count| format!("count={count}")),
        (0..4_u8).prop_map(|count| format!("prefix-count={count}")),
        (0..40_u8).prop_map(|one| format!("ips=2001:db8:0:1::{one:x}")),
        (0..4_u8).prop_map(|block| format!("prefixes=2001:db8:0:1:{block:x}::/80")),
    ]
}

/// A line of a script whose outcome does not matter. Names that nothing has yet are ids that nothing has.
fn line() -> impl Strategy<Value = String> {
    let interface = prop_oneof![
        12 => (0..4_u8).prop_map(|number| format!("n{number}")),
        1 => Just("i1-primary".to_owned()),
        1 => Just("xen-primary".to_owned()),
        1 => Just("m".to_owned()),
    ];
    let interface = || interface.clone();
    let instance =
        || prop::sample::select(vec!["i1", "i1", "i1", "multi", "multi", "off", "i2", "xen", "ib"]);
    let last = || 0..40_u8;
    let subnet = || prop::sample::select(vec!["a", "a", "a", "a", "a", "b", "tiny", "far"]);
    let calls = prop_oneof![
        6 => (subnet(), wish(), 0..4_u8, 0..6_u8).prop_map(|(subnet, wish, name, token)| {
            let token = if token == 0 { format!("token=t{name}") } else { String::new() };
            format!("create {subnet} {wish} name=n{name} {token}")
        }),
        4 => (interface(), wish(), any::<bool>()).prop_map(|(interface, wish, moves)| {
            format!("assign {interface} {wish} {}", if moves { "move" } else { "" })
        }),
        2 => (interface(), wish6()).prop_map(|(interface, wish)| format!("assign6 {interface} {wish}")),
        3 => (interface(), wish()).prop_map(|(interface, wish)| format!("unassign {interface} {wish}")),
        1 => (interface(), wish6()).prop_map(|(interface, wish)| format!("unassign6 {interface} {wish}")),
        2 => interface().prop_map(|interface| format!("unassign {interface} held")),
        2 => interface().prop_map(|interface| format!("unassign6 {interface} held")),
        5 => (interface(), instance(), prop::sample::select(vec![-1, 0, 1, 1, 2, 2, 3, 4]), prop::option::of(prop::sample::select(vec![-1, 0, 0, 0, 1, 2]))).prop_map(|(interface, instance, index, card)| {
            let card = card.map(|card| format!("card={card}")).unwrap_or_default();
            format!("attach {interface} {instance} {index} {card}")
        }),
        3 => (interface(), any::<bool>()).prop_map(|(interface, force)| {
            format!("detach {interface} {}", if force { "force" } else { "" })
        }),
        3 => interface().prop_map(|interface| format!("delete {interface}")),
        2 => interface().prop_map(|interface| format!("modify {interface} attachment={interface} delete-on-termination=true")),
        2 => (interface(), last(), 1..3_u8).prop_map(|(interface, ip, public)| {
            format!("associate p{public} interface={interface} ip=10.0.0.{ip}")
        }),
        1 => (interface(), 1..3_u8).prop_map(|(interface, public)| format!("associate p{public} interface={interface}")),
        1 => (0..16_u8).prop_map(|block| format!("reserve a 10.0.0.{}/28 prefix", u16::from(block) * 16)),
        1 => interface().prop_map(|interface| format!("tag on={interface} tags=a:1")),
    ];
    let others = prop_oneof![
        4 => (0..20_u8).prop_map(|seconds| format!("wait {seconds}")),
        1 => Just("wait 4000".to_owned()),
        1 => instance().prop_map(|instance| format!("try-stop {instance}")),
        1 => instance().prop_map(|instance| format!("try-start {instance}")),
        1 => prop::sample::select(vec!["i1", "i2"]).prop_map(|instance| format!("try-terminate {instance}")),
        1 => (interface(), any::<bool>()).prop_map(|(interface, deletes)| {
            format!("{} {interface}", if deletes { "try-remove" } else { "try-let-go" })
        }),
        1 => fault(),
    ];
    prop_oneof![4 => calls, 1 => others]
}

fn fault() -> impl Strategy<Value = String> {
    let acts = [
        r#"{"take-addresses": {"count": 5}}"#,
        r#"{"leave-addresses": {"left": 20}}"#,
        r#"{"leave-blocks": {"left": 3}}"#,
        r#"{"take-device-index": {"device_index": 1}}"#,
        r#"{"attach": {"instance": "i2", "device_index": 2}}"#,
        r#"{"detach": {}}"#,
        r#"{"delete": {}}"#,
        r#"{"unassign": {}}"#,
        r#"{"terminate": {}}"#,
        r#"{"stop": {}}"#,
        r#"{"clock-jump": {"seconds": -30}}"#,
    ];
    let foreign = prop::sample::select(acts.to_vec()).prop_flat_map(|act| {
        prop::sample::select(vec!["before", "after"]).prop_map(move |timing| {
            format!(r#"{{"foreign": {{"act": {act}, "timing": "{timing}"}}}}"#)
        })
    });
    let drops = prop::sample::select(vec![
        r#"{"commit-then-drop": "cut"}"#.to_owned(),
        r#"{"drop-before-commit": "internal-error"}"#.to_owned(),
        r#"{"stale-read": 3000}"#.to_owned(),
        r#""throttle-burst""#.to_owned(),
    ]);
    prop_oneof![3 => foreign, 1 => drops].prop_map(|effect| {
        format!(r#"fault {{"probability": 0.3, "times": 2, "effect": {effect}}}"#)
    })
}

/// What there is before the random steps, so that they have something to work on.
const START: [&str; 5] = [
    "managed m",
    "create a count=2 count6=2 name=n0",
    "attach n0 i1 1",
    "create a prefix-count=1 prefix-count6=1 name=n1",
    "attach n1 multi 1 card=1",
];

/// What a run leaves behind: every call and how it ended.
fn run(mode: &str, profile: &str, lines: &[String]) -> Result<String, TestCaseError> {
    let mut script = standard();
    script.attempt(&format!("staleness {mode}"));
    script.attempt(&format!("latency {profile}"));
    for line in START {
        script.attempt(line);
    }
    for line in lines {
        script.attempt(line);
        let findings: Vec<_> = script.ec2.audit().iter().map(ToString::to_string).collect();
        prop_assert!(findings.is_empty(), "after `{}`: {}", line, findings.join("; "));
    }
    script.attempt("wait 100000");
    let findings = script.ec2.audit();
    prop_assert!(findings.is_empty(), "at the end: {:?}", findings);
    Ok(script.ec2.journal().to_json().expect("JSON"))
}

/// The share of calls that change something: a property over refusals alone would prove little.
#[test]
fn the_random_calls_do_change_the_world() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut committed = BTreeMap::<_, (u32, u32)>::new();
    for _ in 0..60 {
        let lines = prop::collection::vec(line(), 40).new_tree(&mut runner).expect("lines");
        let mut script = standard();
        for line in START {
            script.attempt(line);
        }
        lines.current().iter().for_each(|line| script.attempt(line));
        for entry in script.ec2.journal().iter() {
            let counts = committed.entry(entry.action.map_or("", Action::name)).or_default();
            counts.0 += u32::from(entry.committed);
            counts.1 += 1;
        }
    }
    assert_eq!(committed.len(), 12, "{committed:?}");
    let seldom: Vec<_> = committed.iter().filter(|(_, (done, _))| *done < 2).collect();
    assert_eq!(seldom, [], "{committed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_truth_holds_and_a_seed_tells_all(
        mode in prop::sample::select(vec!["strong", "typical", "adversarial"]),
        profile in prop::sample::select(vec!["zero", "typical"]),
        lines in prop::collection::vec(line(), 1..60),
    ) {
        let first = run(mode, profile, &lines)?;
        let second = run(mode, profile, &lines)?;
        prop_assert_eq!(first, second);
    }
}
