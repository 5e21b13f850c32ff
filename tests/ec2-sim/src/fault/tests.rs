use std::fmt::Write;

use super::*;
use crate::id::SubnetId;

/// Fires one rule, given as JSON, at calls: `action[@milliseconds][/subject]`, and says at which it fired.
#[track_caller]
fn check(rule: &str, calls: &str, expected: &str) {
    let mut rules = Rules::new(Rng::with_seed(9));
    rules.add(serde_json::from_str(rule).unwrap());
    let mut fired = String::new();
    for (number, call) in calls.split_whitespace().enumerate() {
        let (call, subject) = call.split_once('/').unwrap_or((call, ""));
        let (action, at) = call.split_once('@').unwrap_or((call, "0"));
        let now = Moment::from_micros(at.parse::<u64>().unwrap() * 1_000);
        let subjects = about(subject);
        let call = Call { action: Action::find(action), access_key: "AKIA", subjects: &subjects };
        if !rules.fire(now, &call).is_empty() {
            write!(fired, "{} ", number + 1).unwrap();
        }
    }
    assert_eq!(fired.trim_end(), expected);
}

fn about(subject: &str) -> Subjects {
    Subjects {
        interfaces: subject.parse().into_iter().collect(),
        subnets: subject.parse().into_iter().collect(),
        instances: subject.parse().into_iter().collect(),
    }
}

const DELAY: &str = r#""effect": {"delay": 5}}"#;

#[test]
fn rules_without_conditions_fire_always() {
    check(&format!("{{{DELAY}"), "CreateTags Unknown DescribeVpcs", "1 2 3");
}

#[test]
fn rules_match_actions_subjects_and_callers() {
    check(
        &format!(r#"{{"action": "CreateTags", {DELAY}"#),
        "CreateTags DescribeVpcs CreateTags",
        "1 3",
    );
    check(
        &format!(r#"{{"instance": "i-0a1b2c3d", {DELAY}"#),
        "CreateTags/i-0a1b2c3d CreateTags/i-0a1b2c3e CreateTags",
        "1",
    );
    check(&format!(r#"{{"subnet": "subnet-0a1b2c3d", {DELAY}"#), "CreateTags/subnet-0a1b2c3d", "1");
    check(&format!(r#"{{"interface": "eni-0a1b2c3d", {DELAY}"#), "CreateTags/eni-0a1b2c3d", "1");
    check(&format!(r#"{{"caller": "AKIA", {DELAY}"#), "CreateTags", "1");
    check(&format!(r#"{{"caller": "AKIB", {DELAY}"#), "CreateTags", "");
}

#[test]
fn triggers_count_the_calls_that_match() {
    let calls = "CreateTags DescribeVpcs CreateTags CreateTags CreateTags";
    check(&format!(r#"{{"action": "CreateTags", "nth": 2, {DELAY}"#), calls, "3");
    check(&format!(r#"{{"every": 2, {DELAY}"#), calls, "2 4");
    check(&format!(r#"{{"times": 1, {DELAY}"#), calls, "1");
    check(&format!(r#"{{"every": 2, "times": 1, {DELAY}"#), calls, "2");
    check(
        &format!(r#"{{"from_ms": 10, "until_ms": 20, {DELAY}"#),
        "CreateTags@9 CreateTags@10 CreateTags@19 CreateTags@20",
        "2 3",
    );
}

#[test]
fn chance_is_seeded_and_each_rule_has_its_own() {
    let chance = Rule { probability: Some(0.5), ..Rule::always(Effect::Delay(1)) };
    let fires = |others: u64| {
        let mut rules = Rules::new(Rng::with_seed(4));
        rules.add(chance.clone());
        (0..others).for_each(|_| _ = rules.add(chance.clone()));
        let subjects = Subjects::default();
        let call = Call { action: None, access_key: "", subjects: &subjects };
        (0..1_000).for_each(|_| _ = rules.fire(Moment::START, &call));
        rules.standings().next().unwrap().fired
    };
    assert!((400..600).contains(&fires(0)));
    assert_eq!(fires(0), fires(3));
}

#[test]
fn rules_can_be_removed() {
    let mut rules = Rules::new(Rng::with_seed(1));
    let numbers =
        [Effect::ThrottleBurst, Effect::RepeatedPage].map(|effect| rules.add(Rule::always(effect)));
    assert!(rules.remove(numbers[0]) && !rules.remove(numbers[0]));
    assert_eq!(rules.standings().map(|standing| standing.number).collect::<Vec<_>>(), [numbers[1]]);
    rules.clear();
    assert!(rules.is_empty());
}

/// What is done about an effect, given as JSON.
#[track_caller]
fn check_effect(effect: &str, expected: &str) {
    let effect: Effect = serde_json::from_str(effect).unwrap();
    let again: Effect = serde_json::from_str(&serde_json::to_string(&effect).unwrap()).unwrap();
    assert_eq!(again, effect);
    let mut rules = Rules::new(Rng::with_seed(1));
    rules.add(Rule::always(effect));
    let subjects = Subjects::default();
    let fired =
        rules.fire(Moment::START, &Call { action: None, access_key: "", subjects: &subjects });
    assert_eq!(told(&fired), expected);
}

fn told(fired: &Fired) -> String {
    let mut told = String::new();
    if let Some((error, delivery)) = fired.instead() {
        write!(told, "instead {} {error} {delivery:?}", error.status).unwrap();
    }
    if let Some((error, delivery)) = fired.afterwards() {
        let code = error.map_or("as it is", |error| error.code);
        let delivery = format!("{delivery:?}");
        write!(told, "afterwards {code} {}", delivery.split(", body").next().unwrap()).unwrap();
    }
    for (name, timing) in [("before", Timing::Before), ("after", Timing::After)] {
        fired.foreign(timing).for_each(|act| write!(told, "{name} {act:?}").unwrap());
    }
    let (delay, stale) = (fired.delay().as_millis(), fired.stale_for().as_millis());
    let page = fired.page_cut();
    let flags = [fired.repeats_page(), fired.expires_token(), fired.empties_bucket()];
    if told.is_empty() {
        write!(told, "{delay} {stale} {page:?} {flags:?}").unwrap();
    }
    told
}

#[test]
fn calls_fail_before_or_after_their_effect() {
    check_effect(
        r#"{"error": {"code": "InsufficientCidrBlocks", "message": "none"}}"#,
        "instead 400 InsufficientCidrBlocks: none Whole",
    );
    check_effect(
        r#"{"error": {"code": "Unavailable", "status": 502}}"#,
        "instead 502 Unavailable: The service is unavailable. Please try again shortly. Whole",
    );
    check_effect(
        r#"{"drop-before-commit": "cut"}"#,
        "instead 500 InternalError: An internal error has occurred Cut",
    );
    check_effect(r#"{"commit-then-drop": "cut"}"#, "afterwards as it is Cut");
    check_effect(r#"{"commit-then-drop": "internal-error"}"#, "afterwards InternalError Whole");
    check_effect(r#"{"commit-then-drop": "unavailable"}"#, "afterwards Unavailable Whole");
    check_effect(r#"{"malformed-xml": 40}"#, "afterwards as it is Truncated { bytes: 40 }");
    check_effect(r#"{"html": 500}"#, "afterwards as it is Replaced { status: 500");
}

#[test]
fn reads_and_rates_are_disturbed() {
    check_effect(r#"{"delay": 250}"#, "250 0 None [false, false, false]");
    check_effect(r#"{"stale-read": 3000}"#, "0 3000 None [false, false, false]");
    check_effect(r#"{"truncated-page": 7}"#, "0 0 Some(7) [false, false, false]");
    check_effect(r#""repeated-page""#, "0 0 None [true, false, false]");
    check_effect(r#""token-expired""#, "0 0 None [false, true, false]");
    check_effect(r#""throttle-burst""#, "0 0 None [false, false, true]");
}

#[test]
fn somebody_else_acts_before_or_after() {
    check_effect(
        r#"{"foreign": {"act": {"take-addresses": {"count": 3}}}}"#,
        "before TakeAddresses { subnet: None, count: 3 }",
    );
    check_effect(
        r#"{"foreign": {"act": {"zone-outage": {"zone": "eu-west-1a", "down": true}}, "timing": "after"}}"#,
        "after ZoneOutage { zone: \"eu-west-1a\", down: true }",
    );
    check_effect(
        r#"{"foreign": {"act": {"clock-jump": {"seconds": -90}}}}"#,
        "before ClockJump { seconds: -90 }",
    );
    check_effect(
        r#"{"foreign": {"act": {"revoke": {"action": "CreateTags"}}}}"#,
        "before Revoke { action: CreateTags }",
    );
}

#[track_caller]
fn check_refused(rule: &str, expected: &str) {
    let error = serde_json::from_str::<Rule>(rule).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_is_no_rule_is_refused() {
    check_refused(r#"{"actoin": "CreateTags", "effect": {"delay": 1}}"#, "unknown field `actoin`");
    check_refused(
        r#"{"action": "RunInstances", "effect": {"delay": 1}}"#,
        "`RunInstances` is no action",
    );
    check_refused(r#"{"effect": {"error": {"code": "Nonsense"}}}"#, "`Nonsense` is no code");
    check_refused(r#"{"action": "CreateTags"}"#, "missing field `effect`");
    check_refused(r#"{"subnet": "eni-0a1b2c3d", "effect": {"delay": 1}}"#, "is no id");
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let calls = "`0` is not a number of calls, which are counted from 1";
    for name in ["nth", "every", "times"] {
        check_refused(&format!(r#"{{"{name}": 0, {DELAY}"#), calls);
    }
    check_refused(
        &format!(r#"{{"probability": 1.5, {DELAY}"#),
        "`1.5` is not a chance from 0 to 1",
    );
    let status = "is not an HTTP status from 200 to 599";
    check_refused(r#"{"effect": {"html": 42}}"#, status);
    let error = r#"{"effect": {"error": {"code": "InternalError", "status": 7}}}"#;
    check_refused(error, status);
}

#[test]
fn the_longest_stale_read_says_how_much_history_is_needed() {
    let mut rules = Rules::new(Rng::with_seed(1));
    assert!(rules.longest_stale_read().is_zero());
    rules.add(Rule::always(Effect::StaleRead(10)));
    rules.add(Rule::nth(Action::DescribeVpcs, 1, Effect::StaleRead(70)));
    assert_eq!(rules.longest_stale_read().as_millis(), 70);
}

#[test]
fn tags_are_about_what_they_are_put_on() {
    let world = crate::world::World::default();
    let subnet = SubnetId::from_number(1);
    let resources = vec![subnet.to_string(), "vol-1".to_owned()];
    let call = crate::request::CreateTags { resources, tags: crate::model::Tags::new() };
    let subjects = Subjects::of(&crate::request::Operation::CreateTags(call), &world);
    assert_eq!(subjects, Subjects { subnets: vec![subnet], ..Subjects::default() });
}
