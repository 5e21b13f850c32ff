use std::collections::BTreeSet;

use super::*;

#[track_caller]
fn check(name: &str, value: &str, expected: &str) {
    let mut assumptions = Assumptions::default();
    let set = assumptions.set(name, value);
    let found = match set {
        Ok(()) => assumptions.list().find(|(row, _)| row.name == name).unwrap().1,
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected);
}

#[test]
fn every_row_is_well_formed() {
    for (position, row) in Assumptions::table().iter().enumerate() {
        assert_eq!(row.assumption as usize, position, "{}", row.name);
        assert!(row.kind.parse(row.default).is_some(), "{}: {}", row.name, row.default);
        let says = row.says.trim_end_matches('.');
        assert!(says.len() + 1 == row.says.len() && !row.used_by.is_empty(), "{}", row.name);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(row.name.bytes().all(plain), "{}", row.name);
    }
    let names: BTreeSet<_> = Assumptions::table().iter().map(|row| row.name).collect();
    assert_eq!(names.len(), Assumptions::table().len());
}

#[test]
fn values_of_each_kind_are_taken() {
    check("throttle-before-validation", "false", "false");
    check("unpaginated-limit", "12", "12");
    check("slow-factor", "2.5", "2.5");
    check("client-token-lifetime", "90s", "90s");
    check("latency-per-item", "250us", "250µs");
    check("pick-policy", "next-fit", "next-fit");
}

#[test]
fn anything_else_is_refused_with_what_was_expected() {
    check("pick", "x", "no assumption is called `pick`");
    check("unpaginated-limit", "-1", "assumption unpaginated-limit: `-1`: expected a whole number");
    check("slow-factor", "NaN", "assumption slow-factor: `NaN`: expected a number, 0 or more");
    check(
        "throttle-before-validation",
        "1",
        "assumption throttle-before-validation: `1`: expected true or false",
    );
    check(
        "pick-policy",
        "first",
        "assumption pick-policy: `first`: expected one of random, next-fit, lowest-first",
    );
    for value in ["5", "ms", "1.5s", "5d", "99999999999999999999h"] {
        let expected = "expected a duration, such as 500us, 300ms, 60s, 5m or 24h";
        check(
            "latency-create",
            value,
            &format!("assumption latency-create: `{value}`: {expected}"),
        );
    }
}

#[test]
fn defaults_are_those_of_the_table() {
    let assumptions = Assumptions::default();
    assert_eq!(assumptions.count(Assumption::UnpaginatedLimit), 10_000);
    assert_eq!(assumptions.choice(Assumption::PickPolicy), "random");
    assert_eq!(assumptions.duration(Assumption::LatencyPerItem), Duration::from_micros(500));
    assert!(
        assumptions.is(Assumption::ThrottleFirst) && !assumptions.is(Assumption::OmittedCardBug)
    );
}
