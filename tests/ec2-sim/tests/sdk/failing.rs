//! Every call of a small workload fails once, before its effect and after it; and answers that are no answers.

use aws_sdk_ec2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use ec2_sim::fault::{Drop, Effect, Rule};

use crate::bed::{Bed, Face, run, through_both_faces};
use crate::world;

through_both_faces! {
    broken_answers_are_errors_and_not_empty,
    cut_lists_are_errors_to_who_looks,
}

/// Eight mutating calls and a listing.
const WORKLOAD: &str = "
    a = CreateNetworkInterface SubnetId=pods-a Ipv4PrefixCount=1
    at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1
    ModifyNetworkInterfaceAttribute NetworkInterfaceId=a Attachment.AttachmentId=at Attachment.DeleteOnTermination=true
    AssignPrivateIpAddresses NetworkInterfaceId=a SecondaryPrivateIpAddressCount=2
    AssignIpv6Addresses NetworkInterfaceId=a Ipv6PrefixCount=1
    CreateTags Resources=a Tags=team:net
    DescribeNetworkInterfaces NetworkInterfaceIds=a
    UnassignPrivateIpAddresses NetworkInterfaceId=a Ipv4Prefixes=10.0.2.16/28
    DetachNetworkInterface AttachmentId=at";

fn steps() -> usize {
    WORKLOAD.lines().filter(|line| !line.trim().is_empty()).count()
}

/// The workload with a fault at its call number `nth`. The truth is audited after each call.
fn sweep(nth: usize, effect: Effect) -> (Vec<String>, String) {
    let (mut answers, mut truth) = (Vec::new(), String::new());
    run(Face::InProcess, world::settings(), async |mut bed: Bed| {
        let rule = Rule { nth: u64::try_from(nth).ok(), ..Rule::always(effect) };
        bed.build(|mut builder| builder.faults().add(rule));
        answers = bed.run(WORKLOAD).await.lines().map(str::to_owned).collect();
        bed.build(|mut builder| builder.faults().clear());
        truth = bed.run("DescribeNetworkInterfaces Filter=subnet-id=pods-a").await;
    });
    (answers, truth)
}

#[test]
fn every_call_fails_once_before_its_effect() {
    for nth in 1..=steps() {
        for how in [Drop::Cut, Drop::InternalError, Drop::Unavailable] {
            let (answers, truth) = sweep(nth, Effect::DropBeforeCommit(how));
            assert!(is_failure(&answers[nth - 1]), "call {nth}: {answers:?}");
            assert_eq!(truth == "nothing", nth == 1, "call {nth}: {truth}");
        }
    }
}

#[test]
fn every_call_fails_once_after_its_effect() {
    let (_, whole) = sweep(usize::MAX, Effect::Delay(0));
    for nth in 1..=steps() {
        for how in [Drop::Cut, Drop::InternalError, Drop::Unavailable] {
            let (answers, truth) = sweep(nth, Effect::CommitThenDrop(how));
            assert!(is_failure(&answers[nth - 1]), "call {nth}: {answers:?}");
            // Who does not know the id of what it made cannot go on with it.
            let made = nth <= 2;
            assert_eq!(truth == whole, !made, "call {nth}: {truth}\nwithout a fault: {whole}");
            assert_ne!(truth, "nothing", "call {nth}");
        }
    }
}

fn is_failure(answer: &str) -> bool {
    ["no answer", "InternalError: ", "Unavailable: "].iter().any(|start| answer.starts_with(start))
}

/// What a load balancer says in EC2's place, and XML that ends before the first item of a list could begin.
async fn broken_answers_are_errors_and_not_empty(mut bed: Bed) {
    let html = [Effect::Html(500), Effect::Html(503), Effect::Html(200)];
    let cuts = [0, 1, 40, 120].map(Effect::MalformedXml);
    for effect in html.into_iter().chain(cuts) {
        let answer = answer_under(&mut bed, &effect).await;
        let errors = ["an answer that cannot be read", "refused without a code"];
        assert!(errors.contains(&answer.as_str()), "{effect:?}: {answer}");
    }
    bed.check("DescribeNetworkInterfaces Filter=subnet-id=pods-a", "nothing").await;
}

async fn answer_under(bed: &mut Bed, effect: &Effect) -> String {
    let once = Rule { times: Some(1), ..Rule::always(effect.clone()) };
    bed.build(|mut builder| builder.faults().add(once));
    bed.run("DescribeNetworkInterfaces").await
}

/// The SDK takes XML that ends inside of a list for a shorter list, or for an empty one. Whoever must not read an error as "empty" has to
/// look at the end of the answer, as [`Whole`] does.
async fn cut_lists_are_errors_to_who_looks(mut bed: Bed) {
    let whole = bed.run("DescribeNetworkInterfaces").await;
    let mut shorter = 0;
    for bytes in [160, 200, 400, 800, 1_600, 3_000] {
        let answer = answer_under(&mut bed, &Effect::MalformedXml(bytes)).await;
        shorter +=
            usize::from(answer.lines().count() < whole.lines().count() && !is_unreadable(&answer));
    }
    assert_eq!(shorter, 6, "if this is fewer, the SDK has become more careful");
    bed.client = bed.client_with(Whole);
    assert_eq!(bed.run("DescribeNetworkInterfaces").await, whole);
    for bytes in [160, 200, 400, 800, 1_600, 3_000] {
        let answer = answer_under(&mut bed, &Effect::MalformedXml(bytes)).await;
        assert!(is_unreadable(&answer), "cut at {bytes}: {answer}");
    }
}

fn is_unreadable(answer: &str) -> bool {
    answer == "an answer that cannot be read" || answer == "never sent"
}

/// Refuses answers that end before their root element does.
#[derive(Debug)]
struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        if body.trim_ascii_end().ends_with(b"Response>") {
            return Ok(());
        }
        Err("the answer is cut off".into())
    }
}
