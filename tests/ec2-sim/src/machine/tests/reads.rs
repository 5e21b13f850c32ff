//! How reads lag behind, as callers of the machine see it.

use std::time::Duration;

use crate::reply::Reply;
use crate::script::{Script, check, standard};

/// How many slots the next caller sees of the interface `e`.
fn seen(script: &mut Script) -> Option<usize> {
    match script.answer("describe e").outcome {
        Ok(Reply::DescribeNetworkInterfaces(listed)) => {
            listed.items.first().map(|view| view.interface.ipv4_slots())
        }
        _ => None,
    }
}

/// A world in which reads lag behind as `mode` has it, and nothing is throttled.
fn lagging(mode: &str) -> Script {
    let mut script = standard();
    script.ec2.build().buckets().settings.unlimited = true;
    script.run(&format!("create a\nwait 60\nstaleness {mode}"), "e: pending 10.0.0.9");
    script
}

#[test]
fn two_reads_may_go_backwards_in_adversarial_mode_alone() {
    let backwards = |mode: &str| {
        let mut script = lagging(mode);
        let mut found = 0;
        for _ in 0..20 {
            script.attempt("assign e count=1");
            let reads: Vec<_> = (0..10)
                .map(|_| {
                    script.ec2.advance(script.ec2.now() + Duration::from_millis(700));
                    seen(&mut script)
                })
                .collect();
            found += reads.windows(2).filter(|pair| pair[1] < pair[0]).count();
            script.attempt("wait 60");
        }
        found
    };
    assert_eq!(["strong", "typical"].map(backwards), [0, 0]);
    assert!(backwards("adversarial") > 5);
}

#[test]
fn a_describe_after_an_assign_may_be_stale_and_catches_up() {
    let stale = |mode: &str, later: Duration| {
        let mut script = lagging(mode);
        let read = |count: usize| {
            script.attempt("assign e count=1");
            script.ec2.advance(script.ec2.now() + later);
            let stale = seen(&mut script) != Some(1 + count);
            script.attempt("wait 60");
            usize::from(stale)
        };
        (1..=40).map(read).sum::<usize>()
    };
    let at_once = Duration::from_millis(1);
    assert_eq!(stale("strong", Duration::ZERO), 0);
    let often = stale("typical", at_once);
    assert!((10..30).contains(&often), "{often} of 40");
    assert_eq!(stale("typical", Duration::from_secs(10)), 0);
}

#[test]
fn an_id_may_not_be_found_and_then_is() {
    check(
        "staleness adversarial\ncreate a\ndescribe e\nwait 10\ndescribe e\nstaleness strong\ncreate a name=f\ndescribe f",
        "e: pending 10.0.0.9
        InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'e' does not exist
        available 10.0.0.9\nf: pending 10.0.0.10\navailable 10.0.0.10",
    );
}

#[test]
fn a_deleted_interface_may_still_be_seen() {
    let mut script = lagging("adversarial");
    script.run("delete e\ndescribe e\nwait 10\ndescribe e", "ok\navailable 10.0.0.9\nInvalidNetworkInterfaceID.NotFound: The networkInterface ID 'e' does not exist");
}

#[test]
fn instances_learn_late_that_an_address_has_moved() {
    let mut script = standard();
    script.run(
        "assign i1-primary count=1\nwait 60\nstaleness typical\nassign i2-primary ips=10.0.0.9 move",
        "10.0.0.9\n10.0.0.9",
    );
    let holders = |script: &Script| {
        let world = script.ec2.world();
        let seen = world.metadata(script.ec2.now());
        let has = |last: u8| {
            let mut all = seen.interfaces();
            let own = all.find(|interface| interface.primary_ip.octets() == [10, 0, 0, last]);
            own.is_some_and(|own| own.secondary_ips.contains(&[10, 0, 0, 9].into()))
        };
        [has(4), has(5)]
    };
    assert_eq!(holders(&script), [true, false]);
    script.run("wait 60", "");
    assert_eq!(holders(&script), [false, true]);
}

#[test]
fn nothing_but_the_objects_is_left_when_all_have_seen_them() {
    let mut script = standard();
    script.run(
        "staleness adversarial\ncreate a\nwait 10\nattach e i1 1\nassociate p1 interface=e\nstop i2\ntag on=v,a,g1,i1,e,p1 tags=a:1\nreserve a 10.0.0.64/28 prefix\ncreate a name=f\nwait 10\ndelete f",
        "e: pending 10.0.0.9\ncard 0\nok\nok\nok\nf: pending 10.0.0.10\nok",
    );
    assert!(script.ec2.world().unsettled() > 0);
    script.run("wait 60", "");
    assert_eq!((script.ec2.world().unsettled(), script.ec2.next_transition()), (0, None));
}

#[test]
fn throttled_calls_cost_little_and_nothing_without_latency() {
    let throttled = |profile: &str| {
        let mut script = standard();
        script.run(
            &format!("latency {profile}\nfault {{\"effect\": \"throttle-burst\"}}\ncreate a"),
            "RequestLimitExceeded: Request limit exceeded.",
        );
        script.ec2.journal().iter().last().expect("a call").latency
    };
    assert_eq!(throttled("zero"), Duration::ZERO);
    let typical = throttled("typical").as_millis();
    assert!((5..=20).contains(&typical), "{typical} ms");
}
