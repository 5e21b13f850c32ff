//! Answers that are lost, late, cut or somebody else's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use berth_operator::aws::{Aws, static_credentials};
use berth_operator::cloud::Cloud;
use ec2_sim::fault::{Code, Drop, Effect};
use ipam_core::call::Reply;

use crate::bed::{Bed, Face, Told, call, run, settings};
use crate::show;
use crate::words;

/// Each kind of fault once, at one request that reads and one that changes; what comes of it, and how EC2's answer is labelled.
async fn faults(bed: &mut Bed, faults: &[(Effect, &str, &str)]) {
    for (effect, expected, status) in faults {
        for (line, name) in [
            ("enis vpc vpc-0000000a", "DescribeNetworkInterfaces"),
            ("addresses eni-0000000b 1", "AssignPrivateIpAddresses"),
        ] {
            bed.once(effect.clone());
            bed.told();
            let answer = show::answer(&bed.call(line).await);
            let context = format!("{effect:?} at {line}: {answer}");
            assert!(answer.starts_with(expected), "{context}");
            assert_eq!(bed.told(), format!("{name}: {status}"), "{context}");
        }
    }
}

const WHOLE: &str = "no answer: ";

/// Those that need no time.
fn immediate() -> Vec<(Effect, &'static str, &'static str)> {
    let error = |code| Effect::Error {
        code: Code::find(code).expect("a code"),
        message: String::new(),
        status: None,
    };
    vec![
        (Effect::CommitThenDrop(Drop::Cut), WHOLE, "Failed"),
        (Effect::CommitThenDrop(Drop::InternalError), WHOLE, "Internal Server Error"),
        (Effect::CommitThenDrop(Drop::Unavailable), WHOLE, "Service Unavailable"),
        (Effect::DropBeforeCommit(Drop::Cut), WHOLE, "Failed"),
        (Effect::DropBeforeCommit(Drop::InternalError), WHOLE, "Internal Server Error"),
        (Effect::Html(200), WHOLE, "OK"),
        (Effect::Html(502), WHOLE, "Bad Gateway"),
        (Effect::Html(403), WHOLE, "Forbidden"),
        (Effect::MalformedXml(0), WHOLE, "OK"),
        (Effect::MalformedXml(120), WHOLE, "OK"),
        (Effect::MalformedXml(330), WHOLE, "OK"),
        (error("RequestLimitExceeded"), "throttled by EC2", "Service Unavailable"),
        (error("UnauthorizedOperation"), "Unauthorized (", "Forbidden"),
        (error("AuthFailure"), "Unauthorized (", "Unauthorized"),
        (error("OperationNotPermitted"), "NotPermitted (", "Bad Request"),
    ]
}

#[test]
fn every_fault_in_process() {
    run(Face::InProcess, async |bed: &mut Bed| {
        faults(bed, &immediate()).await;
        let late = Effect::Delay(31_000);
        faults(bed, &[(late, "no answer: request has timed out", "Failed")]).await;
        // Late, but not too late.
        bed.once(Effect::Delay(29_000));
        bed.check("vpc vpc-0000000a", "VPC …").await;
    });
}

#[test]
fn every_fault_over_http() {
    run(Face::Loopback, async |bed: &mut Bed| faults(bed, &immediate()).await);
}

/// Wherever a listing is cut, it is never a shorter one.
#[test]
fn a_cut_listing_is_never_a_shorter_one() {
    run(Face::InProcess, async |bed: &mut Bed| {
        for bytes in (0..4_000).step_by(50) {
            bed.once(Effect::MalformedXml(bytes));
            bed.check("enis vpc vpc-0000000a", "no answer: …").await;
        }
    });
}

#[test]
fn a_token_that_expires_in_the_middle() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.take_pages_of(5);
        for token in ["berth-1", "berth-2", "berth-3"] {
            let line = format!("create subnet-0000000b addresses 0 {token}");
            bed.call(&line).await.expect("an interface");
        }
        let Ok(Reply::Enis(page)) = bed.call("enis vpc vpc-0000000a").await else {
            panic!("no page of interfaces");
        };
        assert_eq!(page.items.len(), 5);
        let next = format!("enis vpc vpc-0000000a @{}", page.next.expect("a second page").0);
        bed.once(Effect::TokenExpired);
        bed.check(&next, "PageTokenExpired (InvalidPaginationToken)").await;
        let Ok(Reply::Enis(page)) = bed.call(&next).await else { panic!("no second page") };
        assert_eq!((page.items.len(), page.next), (2, None));
    });
}

#[test]
fn a_hanging_describe_instance_types_ends() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.once(Effect::Delay(u64::from(u32::MAX)));
        let before = tokio::time::Instant::now();
        bed.check("types m5.large", "no answer: request has timed out…").await;
        assert_eq!(before.elapsed(), Duration::from_secs(30));
        bed.check("types m5.large", "m5.large nitro 3: 10 + 10").await;
    });
}

/// What comes of a request to an endpoint where EC2 is not.
async fn elsewhere(endpoint: String) -> String {
    let mut settings = settings(&Told::default());
    settings.endpoint = Some(endpoint);
    let aws = Aws::with_credentials(static_credentials("AKIATEST"), &settings);
    let aws = aws.expect("settings that fit");
    show::answer(&aws.call(call(words::request("delete eni-0000000a"))).await)
}

/// Without a connection the request certainly did not leave.
#[test]
fn what_cannot_connect_is_not_sent() {
    run(Face::Loopback, async |bed: &mut Bed| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let free = listener.local_addr().expect("an address");
        drop(listener);
        let speaks_no_tls = bed.address();
        // No resolver is asked for a label of more than 63 characters (RFC 1035).
        let nowhere = "a".repeat(64);
        let endpoints = [
            format!("http://{free}"),
            format!("https://{speaks_no_tls}"),
            format!("http://{nowhere}.invalid"),
        ];
        for endpoint in endpoints {
            let answer = elsewhere(endpoint.clone()).await;
            assert!(answer.starts_with("not sent: "), "{endpoint}: {answer}");
        }
    });
}

/// Gives out another access key each time.
#[derive(Debug, Clone, Default)]
struct Rotating {
    given: Arc<AtomicUsize>,
    missing: Arc<Mutex<bool>>,
}

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        if *self.missing.lock().expect("no panic") {
            return future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("none")));
        }
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let credentials = Credentials::new(format!("AKIA{number}"), "secret", None, None, "test");
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

#[test]
fn missing_credentials_are_not_sent_and_found_later() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let provider = Rotating::default();
        *provider.missing.lock().expect("no panic") = true;
        bed.replace_credentials(provider.clone());
        bed.check("vpc vpc-0000000a", "not sent: …").await;
        assert_eq!(bed.told(), "");
        *provider.missing.lock().expect("no panic") = false;
        bed.check("vpc vpc-0000000a", "VPC …").await;
    });
}

#[test]
fn credentials_that_ec2_does_not_know_any_more_are_fetched_anew() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let provider = Rotating::default();
        bed.replace_credentials(provider.clone());
        bed.check("vpc vpc-0000000a", "VPC …").await;
        bed.check("vpc vpc-0000000a", "VPC …").await;
        assert_eq!(provider.given.load(Ordering::Relaxed), 1);
        bed.once(Effect::Error {
            code: Code::find("AuthFailure").expect("a code"),
            message: String::new(),
            status: None,
        });
        bed.check("vpc vpc-0000000a", "Unauthorized (AuthFailure)").await;
        bed.check("vpc vpc-0000000a", "VPC …").await;
        assert_eq!(provider.given.load(Ordering::Relaxed), 2);
    });
}

/// Gives out nothing, ever.
#[derive(Debug)]
struct Hanging;

impl ProvideCredentials for Hanging {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending())
    }
}

#[test]
fn credentials_that_never_come_are_not_waited_for() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.replace_credentials(Hanging);
        let before = tokio::time::Instant::now();
        bed.check("delete eni-0000000a", "not sent: …").await;
        assert!(before.elapsed() <= Duration::from_secs(30));
    });
}
