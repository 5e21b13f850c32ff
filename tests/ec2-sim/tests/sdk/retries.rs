//! The SDK's own retries: what they save, and what they make worse.

use ec2_sim::fault::{Drop, Effect, Rule};
use ec2_sim::throttle::{Bucket, Size};
use ec2_sim::{Action, Settings, throttle};

use crate::bed::{Bed, through_both_faces};
use crate::world;

through_both_faces! {
    throttled_calls_are_refused_with_503 with two_assigns_and_no_more,
    throttled_calls_are_asked_again with two_assigns,
    a_lost_answer_gives_addresses_twice,
    a_client_token_saves_from_a_lost_answer,
    without_retries_the_effect_is_there_and_unknown,
    nothing_happened_when_the_request_was_lost,
}

/// Two calls at once and two more each second, for one action: fewer than the slowest client makes.
fn two_assigns() -> Settings {
    assigns(Size { capacity: 2.0, refill_per_second: 2.0 })
}

/// Two calls, and no more however long they take.
fn two_assigns_and_no_more() -> Settings {
    assigns(Size { capacity: 2.0, refill_per_second: 0.0 })
}

fn assigns(size: Size) -> Settings {
    let mut buckets = throttle::Settings::unlimited();
    buckets.unlimited = false;
    buckets.multiplier = 1_000_000.0;
    let bucket = Bucket::of(Action::AssignPrivateIpAddresses);
    buckets.overrides.insert(bucket, size);
    Settings { buckets, ..world::settings() }
}

const ASSIGN: &str =
    "AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 SecondaryPrivateIpAddressCount=1";

fn throttles(bed: &Bed) -> u64 {
    bed.with(|ec2| ec2.counters().of(Action::AssignPrivateIpAddresses).throttled)
}

async fn throttled_calls_are_refused_with_503(mut bed: Bed) {
    let script = [ASSIGN; 9].join("\n");
    let answers = bed.run(&script).await;
    let refused =
        answers.lines().filter(|line| *line == "RequestLimitExceeded: Request limit exceeded.");
    assert_eq!((refused.count(), throttles(&bed)), (7, 7), "{answers}");
    let error = bed
        .client
        .assign_private_ip_addresses()
        .network_interface_id(bed.names.id("node-1-eth0"))
        .secondary_private_ip_address_count(1)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(503));
}

async fn throttled_calls_are_asked_again(mut bed: Bed) {
    let client = bed.retrying_client();
    let answers = bed.run_with(&client, &[ASSIGN; 6].join("\n")).await;
    assert!(answers.lines().all(|line| line.starts_with("node-1-eth0 +")), "{answers}");
    assert!(throttles(&bed) > 0, "nothing was throttled");
}

/// The effect of the first call of `action`, and no answer to it.
fn lose_the_answer(bed: &Bed, action: Action, how: Drop) {
    bed.build(|mut builder| {
        builder.faults().add(Rule::nth(action, 1, Effect::CommitThenDrop(how)))
    });
}

async fn held(bed: &mut Bed) -> usize {
    let line = bed.run("DescribeNetworkInterfaces NetworkInterfaceIds=node-1-eth0").await;
    line.matches('+').count()
}

async fn a_lost_answer_gives_addresses_twice(mut bed: Bed) {
    let client = bed.retrying_client();
    for (how, held_then) in [(Drop::InternalError, 2), (Drop::Cut, 4), (Drop::Unavailable, 6)] {
        bed.build(|mut builder| builder.faults().clear());
        lose_the_answer(&bed, Action::AssignPrivateIpAddresses, how);
        let answer = bed.run_with(&client, ASSIGN).await;
        assert_eq!(answer.matches('+').count(), 1, "the caller knows of one: {answer}");
        assert_eq!(held(&mut bed).await, held_then, "and the interface has two more ({how:?})");
    }
}

async fn a_client_token_saves_from_a_lost_answer(mut bed: Bed) {
    let client = bed.retrying_client();
    let before = bed.with(|ec2| ec2.world().interface_count());
    for how in [Drop::InternalError, Drop::Cut, Drop::Unavailable] {
        bed.build(|mut builder| builder.faults().clear());
        lose_the_answer(&bed, Action::CreateNetworkInterface, how);
        bed.run_with(&client, "CreateNetworkInterface SubnetId=pods-a").await;
    }
    assert_eq!(
        bed.with(|ec2| ec2.world().interface_count()),
        before + 3,
        "the SDK sends a token of its own"
    );
    assert_eq!(bed.with(|ec2| ec2.counters().of(Action::CreateNetworkInterface).calls), 6);
}

async fn without_retries_the_effect_is_there_and_unknown(mut bed: Bed) {
    lose_the_answer(&bed, Action::AssignPrivateIpAddresses, Drop::Cut);
    bed.check(ASSIGN, "no answer").await;
    assert_eq!(held(&mut bed).await, 1);
}

async fn nothing_happened_when_the_request_was_lost(mut bed: Bed) {
    let rule =
        Rule::nth(Action::AssignPrivateIpAddresses, 1, Effect::DropBeforeCommit(Drop::Unavailable));
    bed.build(|mut builder| builder.faults().add(rule));
    bed.check(ASSIGN, "Unavailable: …").await;
    assert_eq!(held(&mut bed).await, 0);
}
