//! Tests of the budget.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const ASSIGN: Api = Api::AssignPrivateIpAddresses;
const CREATE: Api = Api::CreateNetworkInterface;

fn at(milliseconds: u64) -> Tick {
    Tick::from_millis(milliseconds)
}

fn settings(capacity: f64, refill: f64, share: f64) -> BudgetSettings {
    BudgetSettings::new([(ASSIGN, Rate { capacity, refill })].into(), share, None).unwrap()
}

fn budget(capacity: f64, refill: f64) -> Budget {
    Budget::new(settings(capacity, refill, 1.0), at(0))
}

/// How many calls go through at one moment.
fn burst(budget: &mut Budget, now: Tick, api: Api) -> u32 {
    (0..1_000_000).take_while(|_| budget.take(now, api)).count().try_into().unwrap()
}

/// How many calls go through in a window for somebody who takes each token as soon as it is there.
fn drain(budget: &mut Budget, from: u64, to: u64, api: Api) -> u32 {
    let mut count = burst(budget, at(from), api);
    while let Some(next) = budget.next_token(at(from), api).filter(|it| *it <= at(to)) {
        assert!(budget.take(next, api), "a token at {next:?}");
        count += 1;
    }
    count
}

#[test]
fn buckets_start_full_with_the_published_defaults_and_leave_a_share_idle() {
    let check = |api: Api, at_once: u32, in_ten_seconds: u32| {
        let mut budget = Budget::new(BudgetSettings::default(), at(0));
        assert_eq!(burst(&mut budget, at(0), api), at_once, "{api}");
        assert_eq!(drain(&mut budget, 0, 10_000, api), in_ten_seconds, "{api}");
    };
    check(Api::AssignPrivateIpAddresses, 95, 47);
    check(Api::AssignIpv6Addresses, 95, 47);
    check(Api::CreateNetworkInterface, 95, 47);
    check(Api::DeleteNetworkInterface, 95, 47);
    check(Api::ModifyNetworkInterfaceAttribute, 95, 47);
    check(Api::AttachNetworkInterface, 47, 48);
    for api in Api::ALL.iter().filter(|api| !api.is_mutation()) {
        check(*api, 95, 190);
    }
}

#[test]
fn a_fractional_refill_adds_up_without_drift() {
    let mut slow = budget(1.0, 0.1);
    assert_eq!(drain(&mut slow, 0, 100_000_000, ASSIGN), 1 + 10_000);
    assert_eq!(budget_after_one(0.3).next_token(at(0), ASSIGN), Some(at(3334)));
    assert_eq!(budget_after_one(3.0).next_token(at(0), ASSIGN), Some(at(334)));
    assert_eq!(budget_after_one(1000.0).next_token(at(0), ASSIGN), Some(at(1)));
}

fn budget_after_one(refill: f64) -> Budget {
    let mut budget = budget(1.0, refill);
    assert!(budget.take(at(0), ASSIGN));
    budget
}

#[test]
fn a_small_bucket_still_lets_one_call_through() {
    let mut small = Budget::new(settings(1.0, 1.0, 0.5), at(0));
    assert_eq!(burst(&mut small, at(0), ASSIGN), 1);
    assert_eq!(small.next_token(at(0), ASSIGN), Some(at(2000)));
}

#[test]
fn throttling_empties_the_bucket_halves_the_refill_and_is_forgotten_linearly() {
    let mut throttled = budget(100.0, 5.0);
    throttled.on_throttled(at(1000), ASSIGN);
    let check = |budget: &Budget, now: u64, factor: f64| {
        let difference = budget.factor(at(now), ASSIGN) - factor;
        assert!(difference.abs() < 1e-9, "{now}: {difference}");
    };
    assert!(throttled.level(at(1000), ASSIGN).abs() < 1e-9);
    check(&throttled, 1000, 0.5);
    check(&throttled, 31_000, 0.75);
    check(&throttled, 61_000, 1.0);
    check(&throttled, 500_000, 1.0);
    // 2.5 per second at first, 5 at the end of 60 seconds.
    assert_eq!(drain(&mut throttled, 1000, 61_000, ASSIGN), 225);
    assert_eq!(drain(&mut throttled, 61_000, 71_000, ASSIGN), 50);
}

#[test]
fn the_refill_grows_slowly_to_where_it_was_throttled_and_faster_beyond() {
    let mut throttled = budget(100.0, 5.0);
    for now in [0, 2000, 4000] {
        throttled.on_throttled(at(now), ASSIGN);
    }
    let check = |now: u64, from: f64, to: f64| {
        let factor = throttled.factor(at(now), ASSIGN);
        assert!((from..=to).contains(&factor), "{now}: {factor}");
    };
    check(4000, 0.12, 0.14);
    check(64_000, 0.25, 0.28);
    check(79_000, 0.50, 0.53);
    check(94_000, 0.75, 0.78);
    check(124_000, 1.0, 1.0);
}

#[test]
fn throttled_answers_to_calls_of_one_second_count_once() {
    let mut throttled = budget(100.0, 5.0);
    for now in [0, 1, 500, 999] {
        throttled.on_throttled(at(now), ASSIGN);
    }
    assert!(throttled.factor(at(999), ASSIGN) > 0.5);
    throttled.on_throttled(at(1000), ASSIGN);
    assert!(throttled.factor(at(1000), ASSIGN) < 0.27);
}

#[test]
fn a_refill_never_stops() {
    let mut throttled = budget(100.0, 6.4);
    for second in 0..60 {
        throttled.on_throttled(at(second * 1000), ASSIGN);
    }
    let now = at(59_000);
    assert!((0.015..0.035).contains(&throttled.factor(now, ASSIGN)));
    assert!(throttled.next_token(now, ASSIGN).is_some_and(|next| next < at(70_000)));
    let recovered = now + Budget::RECOVERY;
    assert!(throttled.factor(recovered, ASSIGN) > 0.999);
}

#[test]
fn every_call_takes_from_the_overall_bucket_as_well() {
    let overall = Some(Rate { capacity: 10.0, refill: 2.0 });
    let settings = BudgetSettings::new(BTreeMap::new(), 0.95, overall).unwrap();
    let mut budget = Budget::new(settings, at(0));
    assert_eq!(burst(&mut budget, at(0), ASSIGN), 10, "the share is not taken off twice");
    assert!(!budget.take(at(0), CREATE));
    assert_eq!(budget.next_token(at(0), CREATE), Some(at(500)));
    assert!(budget.take(at(500), CREATE));
    assert_eq!(budget.next_token(at(500), ASSIGN), Some(at(1000)));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let check = |api: Option<(f64, f64)>, share: f64, overall: Option<(f64, f64)>, says: &str| {
        let rate = |(capacity, refill): (f64, f64)| Rate { capacity, refill };
        let rates = api.map(|it| (CREATE, rate(it))).into_iter().collect();
        let error = BudgetSettings::new(rates, share, overall.map(rate)).unwrap_err();
        assert_eq!(error.to_string(), says);
    };
    let share = "expected more than 0 and at most 1";
    check(None, 0.0, None, &alloc::format!("share is 0: {share}"));
    check(None, -0.1, None, &alloc::format!("share is -0.1: {share}"));
    check(None, 1.01, None, &alloc::format!("share is 1.01: {share}"));
    check(None, f64::NAN, None, &alloc::format!("share is NaN: {share}"));
    let calls = "expected 1 to 1000000 calls";
    let create = "capacity of CreateNetworkInterface";
    check(Some((0.9, 1.0)), 1.0, None, &alloc::format!("{create} is 0.9: {calls}"));
    check(Some((f64::INFINITY, 1.0)), 1.0, None, &alloc::format!("{create} is inf: {calls}"));
    check(None, 1.0, Some((f64::NAN, 1.0)), &alloc::format!("capacity of overall is NaN: {calls}"));
    let refill = "expected more than 0 and at most 1000000 calls per second";
    let create = "refill of CreateNetworkInterface";
    check(Some((1.0, 0.0)), 1.0, None, &alloc::format!("{create} is 0: {refill}"));
    check(None, 1.0, Some((1.0, -1.0)), &alloc::format!("refill of overall is -1: {refill}"));
    check(None, 1.0, Some((1.0, f64::NAN)), &alloc::format!("refill of overall is NaN: {refill}"));
}

/// What somebody does with a budget: wait that long, then call or hear that EC2 throttles.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call(u64),
    Throttled(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (0..400u64).prop_map(Step::Call),
        1 => (0..3000u64).prop_map(Step::Throttled),
    ]
}

proptest! {
    #[test]
    fn no_window_lets_more_through_than_its_bucket_and_its_refill(
        capacity in 1.0..30.0f64,
        refill in 0.1..20.0f64,
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut budget = budget(capacity, refill);
        let (mut now, mut calls): (u64, Vec<u64>) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Call(wait) => {
                    now += wait;
                    calls.extend(core::iter::from_fn(|| budget.take(at(now), ASSIGN).then_some(now)));
                }
                Step::Throttled(wait) => {
                    now += wait;
                    budget.on_throttled(at(now), ASSIGN);
                }
            }
        }
        for (first, from) in calls.iter().enumerate() {
            for (last, to) in calls.iter().enumerate().skip(first) {
                let count = u32::try_from(last - first + 1).unwrap();
                let seconds = f64::from(u32::try_from(to - from).unwrap()) / 1000.0;
                prop_assert!(f64::from(count) <= capacity + refill * seconds + 1e-6);
            }
        }
    }

    #[test]
    fn the_next_token_is_there_when_it_was_said_and_not_before(
        refill in 0.01..200.0f64,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut budget = budget(3.0, refill);
        let mut now = 0;
        for step in steps {
            match step {
                Step::Call(wait) => now += wait,
                Step::Throttled(wait) => {
                    now += wait;
                    budget.on_throttled(at(now), ASSIGN);
                }
            }
            match budget.next_token(at(now), ASSIGN) {
                None => prop_assert!(budget.take(at(now), ASSIGN)),
                Some(next) => {
                    prop_assert!(!budget.take(at(next.as_millis() - 1), ASSIGN));
                    prop_assert!(budget.clone().take(next, ASSIGN));
                }
            }
        }
    }

    #[test]
    fn a_bucket_does_not_notice_what_happens_to_another(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut budget = Budget::new(BudgetSettings::default(), at(0));
        let untouched = budget.clone();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Call(wait) => {
                    now += wait;
                    burst(&mut budget, at(now), ASSIGN);
                }
                Step::Throttled(wait) => {
                    now += wait;
                    budget.on_throttled(at(now), ASSIGN);
                }
            }
            prop_assert!(budget.factor(at(now), CREATE).total_cmp(&1.0).is_eq());
            let (level, expected) = (budget.level(at(now), CREATE), untouched.level(at(now), CREATE));
            prop_assert!(level.total_cmp(&expected).is_eq());
        }
    }
}
