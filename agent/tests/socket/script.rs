//! A desk that answers what it was told to, and notes what it was asked.

use std::future::{Future, pending};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_agent::socket::Desk;
use ipam_core::agent::{Answer, Call, Counts, EniFacts, Held, Lease, Problems, Refused, Status};
use ipam_core::pool::{Claim, Family, GrantId, Refusal, Tally};

/// What the desk answers.
pub(crate) type Answers = fn(&Call) -> Option<Answer>;

/// A desk with fixed answers; a call without one waits for ever.
#[derive(Clone)]
pub(crate) struct Script {
    answers: Answers,
    status: Arc<Status>,
    notes: Arc<Notes>,
}

/// What became of calls.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) asked: Mutex<Vec<Call>>,
    pub(crate) waiting: AtomicUsize,
    pub(crate) abandoned: AtomicUsize,
}

/// A call that waits.
struct Waiting(Arc<Notes>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abandoned.fetch_add(1, Ordering::SeqCst);
    }
}

impl Script {
    pub(crate) fn new(answers: Answers) -> Self {
        Self { answers, status: Arc::new(status()), notes: Arc::default() }
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Status)) -> Self {
        let mut status = (*self.status).clone();
        change(&mut status);
        Self { status: Arc::new(status), ..self }
    }

    pub(crate) fn notes(&self) -> Arc<Notes> {
        Arc::clone(&self.notes)
    }
}

impl Desk for Script {
    fn call(&self, call: Call) -> impl Future<Output = Answer> + Send {
        let answer = (self.answers)(&call);
        let notes = self.notes();
        async move {
            notes.asked.lock().unwrap().push(call);
            if let Some(answer) = answer {
                return answer;
            }
            notes.waiting.fetch_add(1, Ordering::SeqCst);
            let _waiting = Waiting(notes);
            pending().await
        }
    }

    fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }
}

/// An agent with 10 of 15 addresses in use, and a router.
pub(crate) fn status() -> Status {
    let tally = Tally { attached: 15, free: 5, used: 10, ..Tally::default() };
    Status {
        instance: Some("i-1".parse().unwrap()),
        families: vec![(Family::Ipv4, tally)],
        cidrs: Vec::new(),
        enis: Vec::new(),
        holdings: vec![Held {
            address: "10.0.0.16".parse().unwrap(),
            owner: "router".parse().unwrap(),
            eni: "eni-1".parse().unwrap(),
            id: GrantId::from_u64(1),
            claim: Claim::NotNeeded,
            attachment: None,
        }],
        waiting: 0,
        attachments: 0,
        ready: Ok(()),
        word: None,
        publishing: None,
        problems: Problems::default(),
        counts: Counts::default(),
    }
}

/// An address on the first interface.
pub(crate) fn lease(address: &str, id: u64, claim: Claim) -> Lease {
    let eni = EniFacts {
        id: "eni-1".parse().unwrap(),
        mac: "02:00:00:00:00:01".to_owned(),
        number: 1,
        subnet: Some("10.0.0.0/24".parse().unwrap()),
        vpc: vec!["10.0.0.0/16".parse().unwrap(), "100.64.0.0/16".parse().unwrap()],
    };
    let address: IpAddr = address.parse().unwrap();
    let cidr = address.into();
    Lease { address, id: GrantId::from_u64(id), claim, cidr, eni: eni.into() }
}

/// Answers by the name of the pod's sandbox, or of the address, that is asked for.
pub(crate) fn by_name(call: &Call) -> Option<Answer> {
    let tally = Tally { attached: 15, used: 15, ..Tally::default() };
    let refused = |refused| Some(Answer::Refused(refused));
    match call {
        Call::Add { attachment, .. } => match attachment.container.as_str() {
            "waits" => None,
            "full" => refused(Refused::NoAddress {
                family: Family::Ipv4,
                tally,
                waited: Duration::from_secs(10),
                blocked: Some("subnet-1 has no free address".to_owned()),
                host: None,
            }),
            "crowd" => refused(Refused::TooManyWait { waiting: 1024 }),
            "disk" => refused(Refused::NotDurable { problem: "no space".to_owned() }),
            "early" => refused(Refused::NotReady { missing: "the metadata" }),
            "late" => refused(Refused::Stopping),
            "odd" => Some(Answer::Done),
            _ => Some(Answer::Granted(vec![
                lease("10.0.0.17", 2, Claim::NotNeeded),
                lease("fd00::17", 3, Claim::NotNeeded),
            ])),
        },
        Call::Check { addresses, .. } if addresses.is_empty() => Some(Answer::Done),
        Call::Check { addresses, .. } => {
            refused(Refused::NotHeld { address: addresses[0], held: Vec::new() })
        }
        Call::Status => refused(Refused::NotReady { missing: "the metadata" }),
        _ => Some(Answer::Done),
    }
}

/// Answers `/v1/ipam` by the address, or the owner, that is asked for.
pub(crate) fn by_address(call: &Call) -> Option<Answer> {
    let refused = |refusal| Some(Answer::Refused(Refused::Ledger(refusal)));
    match call {
        Call::Allocate { owner, families, claim } => match owner.to_string().as_str() {
            "shop/full" => refused(Refusal::Exhausted {
                family: Family::Ipv4,
                tally: Tally { attached: 15, used: 15, ..Tally::default() },
            }),
            _ if families.contains(&Family::Ipv6) => {
                Some(Answer::Refused(Refused::FamilyDisabled { family: Family::Ipv6 }))
            }
            _ => Some(Answer::Granted(vec![lease("10.0.0.17", 2, *claim)])),
        },
        Call::AllocateExact { address, owner } => match address.to_string().as_str() {
            "10.0.0.18" => refused(Refusal::InUse { address: *address, owner: owner.clone() }),
            "10.9.9.9" => refused(Refusal::Unknown { address: *address }),
            "fd00::1" => Some(Answer::Refused(Refused::FamilyDisabled { family: Family::Ipv6 })),
            _ => Some(Answer::Granted(vec![lease("10.0.0.17", 2, Claim::NotNeeded)])),
        },
        Call::Claim { address, id } if id.as_u64() != 2 => refused(Refusal::AnotherGrant {
            address: *address,
            standing: GrantId::from_u64(2),
            given: *id,
        }),
        Call::Release { address } | Call::Claim { address, .. } => {
            match address.to_string().as_str() {
                "10.0.0.19" => refused(Refusal::NotUsed { address: *address }),
                "10.0.0.20" => Some(Answer::Refused(Refused::HeldByAttachment {
                    address: *address,
                    attachment: ipam_core::agent::Attachment {
                        network: "pods".to_owned(),
                        container: "c1".to_owned(),
                        interface: "eth0".to_owned(),
                    },
                })),
                _ => Some(Answer::Done),
            }
        }
        _ => Some(Answer::Done),
    }
}
