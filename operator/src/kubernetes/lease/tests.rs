//! The rules of the election, case by case.

use k8s_openapi::jiff::Timestamp;

use super::*;

/// One door: `holder seconds changed` of a lease as it was seen, or nothing, `changed` seconds ago; and what `me` does.
fn check(lease: &str, expected: &str) {
    let start = Instant::now();
    let mut words = lease.split_whitespace();
    let seen = words.next().map(|holder| {
        let holder = if holder == "-" { "" } else { holder };
        let mut number = || words.next().and_then(|text| text.parse::<i32>().ok());
        let duration = number();
        let ago = number().expect("seconds");
        let spec = LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: duration,
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        };
        let lease = Lease { spec: Some(spec), ..Lease::default() };
        (
            SeenLease::new(lease, None, start),
            Duration::from_secs(u64::try_from(ago).expect("not negative")),
        )
    });
    let now = seen.as_ref().map_or(start, |(_, ago)| start + *ago);
    let time = MicroTime(Timestamp::UNIX_EPOCH);
    let seen = seen.map(|(seen, _)| seen);
    let found = match decide(seen.as_ref(), "me", LeaseTiming::default(), now, &time) {
        Decision::Create(spec) => format!("create {}", written(&spec)),
        Decision::Take(spec) => format!("take {}", written(&spec)),
        Decision::Renew(spec) => format!("renew {}", written(&spec)),
        Decision::Wait => "wait".to_owned(),
    };
    assert_eq!(found, expected, "{lease}");
}

fn written(spec: &LeaseSpec) -> String {
    format!(
        "{} {}s transitions {}",
        spec.holder_identity.as_deref().unwrap_or_default(),
        spec.lease_duration_seconds.unwrap_or_default(),
        spec.lease_transitions.unwrap_or_default()
    )
}

#[test]
fn a_lease_is_made_renewed_or_waited_for() {
    check("", "create me 15s transitions 0");
    check("me 15 1", "renew me 15s transitions 4");
    check("other 15 0", "wait");
    check("other 15 14", "wait");
    check("other 15 15", "take me 15s transitions 5");
}

#[test]
fn a_lease_given_back_is_free_at_once() {
    check("- 1 0", "take me 15s transitions 5");
}

#[test]
fn the_holder_says_how_long_it_is_to_be_waited_for() {
    check("other 60 59", "wait");
    check("other 60 60", "take me 15s transitions 5");
    for nonsense in ["0", "-3", "?"] {
        check(&format!("other {nonsense} 14"), "wait");
        check(&format!("other {nonsense} 15"), "take me 15s transitions 5");
    }
}

/// One's own lease is renewed even when it ran out: nobody took it.
#[test]
fn a_lease_that_nobody_took_is_still_ones_own() {
    check("me 15 100", "renew me 15s transitions 4");
}

#[test]
fn a_lease_counts_from_when_it_was_seen_to_change() {
    let start = Instant::now();
    let lease = |holder: &str| Lease {
        spec: Some(LeaseSpec { holder_identity: Some(holder.to_owned()), ..LeaseSpec::default() }),
        ..Lease::default()
    };
    let first = SeenLease::new(lease("a"), None, start);
    let again = SeenLease::new(lease("a"), Some(&first), start + Duration::from_secs(9));
    assert_eq!(again.since, start);
    let other = SeenLease::new(lease("b"), Some(&again), start + Duration::from_secs(10));
    assert_eq!(other.since, start + Duration::from_secs(10));
}

#[test]
fn times_must_make_sense_together() {
    let new = |duration: u64, deadline: u64, retry: u64| {
        let millis = Duration::from_millis;
        LeaseTiming::new(millis(duration), millis(deadline), millis(retry))
    };
    assert_eq!(new(15_000, 10_000, 2_000), Ok(LeaseTiming::default()));
    for (duration, deadline, retry) in [
        (10_000, 10_000, 2_000),
        (15_000, 2_000, 2_000),
        (15_000, 10_000, 0),
        (15_500, 10_000, 2_000),
        (0, 0, 0),
    ] {
        let error = new(duration, deadline, retry).expect_err("no such timing").to_string();
        assert!(error.starts_with("leader-election-lease-duration"), "{error}");
    }
}

/// What a Go client writes and reads: six digits of a second (Kubernetes API reference, `MicroTime`).
#[test]
fn times_are_written_to_the_microsecond() {
    let time = MicroTime(Timestamp::from_nanosecond(1_767_225_600_123_456_789).expect("a time"));
    let text = serde_json::to_string(&time).expect("JSON");
    assert_eq!(text, r#""2026-01-01T00:00:00.123456Z""#);
}
