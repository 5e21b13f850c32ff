//! Worlds and calls as text, for tests: each line is a step, and each step that is a call says what came back.
//!
//! The world at the beginning is that of [`world::standard`]. Things are called by short names (`a`, `i1`, `e`), in lines and in what
//! comes back; `create a` calls its interface `e`, unless the line says `name=`. Addresses are picked lowest first.

mod calls;
mod names;
mod words;
mod world;

use std::time::Duration;

pub(crate) use self::world::standard;
use crate::error::ApiError;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::machine::Ec2;
use crate::model::{AttachmentStatus, Interface, InterfaceStatus};
use crate::reply::{Answer, Delivery};
use crate::request::{Action, Caller, Operation, Request};
use crate::script::names::Names;
use crate::script::words::Words;

/// A simulated EC2 and what its things are called.
pub(crate) struct Script {
    pub(crate) ec2: Ec2,
    names: Names,
    caller: Caller,
    /// What leads to the next page of interfaces.
    token: Option<String>,
    /// How many attempts the control handle has refused.
    refusals: u64,
}

/// Runs `steps` in the standard world and compares what they say. The truth is audited after each.
#[track_caller]
pub(crate) fn check(steps: &str, expected: &str) {
    standard().run(steps, expected);
}

impl Script {
    pub(crate) fn new(ec2: Ec2) -> Self {
        let caller = Caller {
            access_key: "tester".to_owned(),
            region: "eu-west-1".to_owned(),
            user_agent: String::new(),
        };
        Self { ec2, names: Names::default(), caller, token: None, refusals: 0 }
    }

    /// Runs further steps, as [`check`] does.
    #[track_caller]
    pub(crate) fn run(&mut self, steps: &str, expected: &str) {
        let mut said = Vec::new();
        for line in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
            said.extend(self.step(line));
            let findings: Vec<_> = self.ec2.audit().iter().map(ToString::to_string).collect();
            assert_eq!(findings, Vec::<String>::new(), "after `{line}`");
        }
        let expected = expected.lines().map(str::trim).filter(|line| !line.is_empty());
        assert_eq!(said, expected.collect::<Vec<_>>());
    }

    /// A line that may fail, whatever it is about. A name that nothing has yet is an id that nothing has.
    pub(crate) fn attempt(&mut self, line: &str) {
        let words = Words::parse(line);
        for name in words.named().map(|(_, value)| value).chain([words.at(0), words.at(1)]) {
            self.names.add_unknown(name);
        }
        let mut builder = self.ec2.build();
        // The control handle may refuse what a random step asks of it.
        let refused = match words.verb {
            "try-stop" => builder.stop_instance(&self.names.id(words.at(0))).is_err(),
            "try-start" => builder.start_instance(&self.names.id(words.at(0))).is_err(),
            "try-terminate" => builder.terminate_instance(&self.names.id(words.at(0))).is_err(),
            "try-let-go" => builder.detach(&self.names.id(words.at(0))).is_err(),
            "try-remove" => builder.delete_interface(&self.names.id(words.at(0))).is_err(),
            _ => {
                self.step(line);
                false
            }
        };
        self.refusals += u64::from(refused);
    }

    /// The answer to a call, as it is.
    pub(crate) fn answer(&mut self, line: &str) -> Answer {
        let request = Request { dry_run: false, operation: self.operation(&Words::parse(line)) };
        self.ec2.handle(self.ec2.now(), &self.caller, request)
    }

    /// The code that a call is refused with which could not be read.
    pub(crate) fn refused(&mut self, action: Option<Action>) -> &'static str {
        let error = ApiError::unknown_parameter("Nonsense");
        let answer = self.ec2.refuse(self.ec2.now(), &self.caller, action, error);
        answer.outcome.map_or_else(|error| error.code, |_| "none")
    }

    /// One line. Says something unless it only prepares.
    fn step(&mut self, line: &str) -> Option<String> {
        let words = Words::parse(line);
        match words.verb {
            "wait" => {
                let later = self.ec2.now() + Duration::from_secs(words.number(0));
                self.ec2.advance(later);
                None
            }
            "as" => {
                words.at(0).clone_into(&mut self.caller.access_key);
                None
            }
            "show" => Some(self.show(words.at(0))),
            "links" => Some(self.links(words.at(0))),
            _ if self.prepare(&words) => None,
            _ => {
                let operation = self.operation(&words);
                Some(self.call(operation, &words))
            }
        }
    }

    /// Makes a call now, and says what came back.
    fn call(&mut self, operation: Operation, words: &Words<'_>) -> String {
        let now = self.ec2.now();
        let request = Request { dry_run: words.has("dry"), operation };
        let answer = self.ec2.handle(now, &self.caller, request);
        let said = self.said(&answer, words);
        match &answer.delivery {
            Delivery::Whole => said,
            other => format!("{said} ({other:?})"),
        }
    }

    fn said(&mut self, answer: &Answer, words: &Words<'_>) -> String {
        match &answer.outcome {
            Ok(reply) => {
                self.learn(reply, words);
                self.names.shorten(&calls::said(reply))
            }
            Err(ApiError { code, message, .. }) => {
                self.names.shorten(&format!("{code}: {message}"))
            }
        }
    }

    /// An interface: its status, place and holdings.
    fn show(&self, name: &str) -> String {
        let id: InterfaceId = self.names.id(name);
        let Some(interface) = self.ec2.world().interface(&id) else {
            return "gone".to_owned();
        };
        self.names.shorten(&shown(interface))
    }

    fn links(&self, name: &str) -> String {
        let instance: InstanceId = self.names.id(name);
        let links = self.ec2.links(self.ec2.now(), &instance);
        let shown =
            |link: &crate::machine::Link| format!("{}@{}", link.interface, link.device_index);
        let shown: Vec<_> = links.iter().map(shown).collect();
        if shown.is_empty() { "none".to_owned() } else { self.names.shorten(&shown.join(" ")) }
    }

    pub(crate) fn subnet(&self, name: &str) -> SubnetId {
        self.names.id(name)
    }
}

fn shown(interface: &Interface) -> String {
    let mut parts = vec![
        match interface.status {
            InterfaceStatus::Pending => "pending",
            InterfaceStatus::Available => "available",
            InterfaceStatus::Attaching => "attaching",
            InterfaceStatus::InUse => "in-use",
            InterfaceStatus::Detaching => "detaching",
        }
        .to_owned(),
    ];
    if let Some(attachment) = &interface.attachment {
        let instance = interface.instance().map_or("nobody", InstanceId::as_str);
        let (card, index) = (attachment.network_card, attachment.device_index);
        let dot = if attachment.delete_on_termination { "*" } else { "" };
        assert_ne!(attachment.status, AttachmentStatus::Detached);
        parts.push(format!("{instance}/{card}/{index}{dot}"));
    }
    parts.push(interface.primary_ip.to_string());
    parts.extend(interface.secondary_ips.iter().map(|address| {
        match interface.associations.get(address) {
            Some(association) => format!("{address}={}", association.public_ip),
            None => address.to_string(),
        }
    }));
    parts.extend(interface.ipv4_prefixes.iter().map(ToString::to_string));
    parts.extend(interface.ipv6_addresses.iter().map(ToString::to_string));
    parts.extend(interface.ipv6_prefixes.iter().map(ToString::to_string));
    parts.join(" ")
}
