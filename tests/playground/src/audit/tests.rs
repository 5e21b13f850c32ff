use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use berth_agent::status::AddressReport;
use berth_operator::summaries::BlockedRow;
use ec2_sim::Settings;
use ec2_sim::build::{Holding, NewAttachment, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::id::{InterfaceId, SubnetId};
use ipam_core::policy::MANAGED_TAG;

use super::*;

/// A subnet with the nodes `n1` and `n2`, which are Berth's, and `n3`, which is not.
struct Stage {
    ec2: Shared,
    subnet: SubnetId,
    nodes: Nodes,
    book: Book,
    audit: Audit,
    at: Duration,
    asked: Option<Vec<(Instant, Use)>>,
    reports: BTreeMap<String, Report>,
    operator: Option<Operator>,
    outage: bool,
    made: Vec<InterfaceId>,
}

fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn number(node: &str) -> u64 {
    parsed(node.trim_start_matches('n'))
}

impl Stage {
    fn new() -> Self {
        let mut ec2 = Ec2::new(Settings::default());
        let vpc = ec2.build().vpc(NewVpc::new(parsed("10.0.0.0/16"))).unwrap();
        let new = NewSubnet::new(vpc, "eu-west-1a", parsed("10.0.1.0/24"));
        let subnet = ec2.build().subnet(new).unwrap();
        let nodes = Nodes::default();
        for name in ["n1", "n2", "n3"] {
            let instance = InstanceId::from_number(number(name));
            let new = NewInstance {
                id: Some(instance.clone()),
                ..NewInstance::new("m5.large", subnet.clone())
            };
            ec2.build().instance(new).unwrap();
            nodes.put(NodeAt {
                name: name.to_owned(),
                group: "all".to_owned(),
                instance,
                instance_type: "m5.large".to_owned(),
                zone: "eu-west-1a".to_owned(),
                socket: (name != "n3").then(|| "agent.sock".into()),
                queue: "queue".into(),
                pods_at_most: 20,
                is_draining: false,
            });
        }
        Self {
            ec2: Shared::new(ec2),
            subnet,
            nodes,
            book: Book::default(),
            audit: Audit::default(),
            at: Duration::ZERO,
            asked: None,
            reports: BTreeMap::new(),
            operator: Some(Operator { is_ready: true, rows: BTreeMap::new() }),
            outage: false,
            made: Vec::new(),
        }
    }

    fn step(&mut self, step: &str) -> Option<String> {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["eni", node, index, holds @ ..] => self.eni(node, index, holds),
            ["unassign", address] => self.unassign(parsed(address)),
            ["detach"] => {
                let id = self.made.last().unwrap();
                self.ec2.with(|ec2, _| ec2.build().detach(id)).unwrap();
            }
            ["terminate", node] => {
                let id = InstanceId::from_number(number(node));
                self.ec2.with(|ec2, _| ec2.build().terminate_instance(&id)).unwrap();
            }
            ["gone", node] => self.nodes.remove(node),
            ["pod", pod, node, address] => {
                self.book.made(pod);
                self.book.placed(pod, node);
                self.book.started(pod, vec![parsed(address)]);
            }
            ["waits", pod, node] => {
                self.book.made(pod);
                self.book.placed(pod, node);
            }
            ["ends", pod] => {
                self.book.ending(pod);
                self.book.ended(pod);
            }
            ["agent", node, "is", "away"] => drop(self.reports.remove(*node)),
            ["agent", node, figures @ ..] => self.agent(node, figures),
            ["operator", "is", how] => {
                let is_ready = *how == "ready";
                self.operator =
                    (*how != "away").then(|| Operator { is_ready, rows: BTreeMap::new() });
            }
            ["row", node, figures @ ..] => self.row(node, figures),
            ["outage"] => self.outage = true,
            ["outage", "ends"] => self.outage = false,
            ["wait", seconds] => self.wait(parsed(seconds)),
            ["ask"] => self.asked = Some(self.book.in_use_since()),
            ["look"] => return Some(self.look().join("; ")),
            ["findings"] => return Some(self.findings()),
            other => panic!("no step: {other:?}"),
        }
        None
    }

    fn eni(&mut self, node: &str, index: &str, holds: &[&str]) {
        let new = self.new_eni(node, index, holds);
        self.made.push(self.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap());
    }

    /// An interface of Berth's with these addresses.
    fn new_eni(&self, node: &str, index: &str, holds: &[&str]) -> NewInterface {
        let attachment = NewAttachment {
            instance: Some(InstanceId::from_number(number(node))),
            instance_owner: None,
            device_index: parsed(index),
            network_card: 0,
            delete_on_termination: true,
        };
        NewInterface {
            attachment: Some(attachment),
            ipv4: Holding {
                addresses: holds.iter().map(|address| parsed(address)).collect(),
                ..Holding::default()
            },
            tags: BTreeMap::from([(MANAGED_TAG.to_owned(), "true".to_owned())]),
            ..NewInterface::new(self.subnet.clone())
        }
    }

    fn unassign(&self, address: std::net::Ipv4Addr) {
        self.ec2.with(|ec2, _| {
            let holds = |it: &&Arc<ec2_sim::model::Interface>| it.secondary_ips.contains(&address);
            let id = ec2.world().truth().interfaces().find(holds).unwrap().id.clone();
            ec2.build().unassign(&id, &[address], &[]).unwrap();
        });
    }

    /// `attached=4 free=0 used=4 10.0.1.11=default/p1`
    fn agent(&mut self, node: &str, figures: &[&str]) {
        let mut family = FamilyReport { family: IPV4.to_owned(), ..FamilyReport::default() };
        let mut report = Report { ready: true, ..Report::default() };
        for figure in figures {
            match figure.split_once('=').unwrap() {
                ("attached", count) => family.attached = parsed(count),
                ("free", count) => family.free = parsed(count),
                ("used", count) => family.used = parsed(count),
                ("cooling", count) => family.cooling = parsed(count),
                ("promised", count) => family.promised = parsed(count),
                (address, owner) => report.addresses.push(AddressReport {
                    address: parsed(address),
                    owner: owner.to_owned(),
                    eni: "eni-1".to_owned(),
                    grant: 1,
                    unclaimed: false,
                    sandbox: None,
                }),
            }
        }
        report.families.push(family);
        self.reports.insert(node.to_owned(), report);
    }

    /// `needed=3 available=2 in-flight=1 blocked=SubnetsExhausted`
    fn row(&mut self, node: &str, figures: &[&str]) {
        let mut row = Row {
            name: node.to_owned(),
            instance: None,
            instance_type: None,
            contract: "per-ip",
            mode: "addresses",
            enis: 0,
            available: 0,
            used: 0,
            free: 0,
            needed: 0,
            capacity: None,
            leaving: 0,
            to_spare: 0,
            kept: None,
            idle_enis: 0,
            leaving_enis: 0,
            waiting: 0,
            in_flight: 0,
            blocked: Vec::new(),
            ignored: false,
            age_seconds: 0,
            observed_seconds_ago: None,
        };
        for figure in figures {
            match figure.split_once('=').unwrap() {
                ("needed", count) => row.needed = parsed(count),
                ("available", count) => row.available = parsed(count),
                ("in-flight", count) => row.in_flight = parsed(count),
                ("blocked", text) => {
                    let text = text.to_owned();
                    row.blocked.push(BlockedRow { reason: "SubnetsExhausted", text, short: 1 });
                }
                (other, _) => panic!("no figure: {other}"),
            }
        }
        self.operator.as_mut().unwrap().rows.insert(node.to_owned(), row);
    }

    /// Looks every second, as whoever watches does.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let second = Duration::from_secs(1);
            self.at += second;
            self.ec2.with(|ec2, now| ec2.advance(now + second));
            self.look();
        }
    }

    fn look(&mut self) -> Vec<String> {
        let said = Said {
            at: self.at,
            used_before: self.asked.take().unwrap_or_else(|| self.book.in_use_since()),
            reports: &self.reports,
            operator: self.operator.as_ref(),
            outage: self.outage,
        };
        self.audit.look(&self.ec2, &self.nodes, &self.book, &said)
    }

    fn findings(&self) -> String {
        let findings = self.audit.findings().iter();
        let texts = findings.map(|(at, text)| format!("{}s: {text}", at.as_secs()));
        texts.collect::<Vec<_>>().join("; ")
    }
}

/// Steps, one a line or behind a comma; what each look shows, one a line. Ids are shortened to their last digits.
#[track_caller]
fn check(steps: &str, expected: &str) {
    let mut stage = Stage::new();
    let steps = steps.split([',', '\n']).map(str::trim).filter(|step| !step.is_empty());
    let seen: Vec<String> = steps.filter_map(|step| stage.step(step)).collect();
    let seen = stage.made.iter().enumerate().fold(seen.join("\n"), |seen, (number, id)| {
        seen.replace(id.as_str(), &format!("eni-{number}"))
    });
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(seen, expected.join("\n"));
}

#[test]
fn pods_on_addresses_that_their_node_has_are_well() {
    check(
        "eni n1 1 10.0.1.11 10.0.1.12, pod default/p1 n1 10.0.1.11
         agent n1 attached=2 free=1 used=1 10.0.1.11=default/p1, row n1 needed=0 available=2
         wait 60, look, findings",
        "
        ",
    );
}

#[test]
fn an_address_that_is_taken_from_a_pod_is_found_once() {
    let lost = "10.0.1.11 of default/p1 is on no interface of n1";
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, look
         wait 2, unassign 10.0.1.11, look, wait 3, look, findings",
        &format!("\n{lost}\n{lost}\n2s: {lost}"),
    );
}

#[test]
fn an_address_that_leaves_with_its_interface_is_found() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, detach, look",
        "10.0.1.11 of default/p1 is on no interface of n1",
    );
}

#[test]
fn an_address_of_another_node_is_found() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n2 10.0.1.11, look",
        "10.0.1.11 of default/p1 is on no interface of n2",
    );
}

#[test]
fn a_pod_that_has_ended_may_lose_its_address() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, look
         ask, ends default/p1, unassign 10.0.1.11, look",
        "
        ",
    );
}

#[test]
fn an_address_that_two_pods_use_is_found() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, pod default/p2 n1 10.0.1.11, look",
        "10.0.1.11 is used by default/p1 and by default/p2",
    );
}

#[test]
fn a_node_that_ends_takes_its_pods_along() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, look, terminate n1, look, wait 60, look, gone n1, look",
        "


        ",
    );
}

#[test]
fn a_pod_on_a_node_that_never_was_is_found() {
    check(
        "pod default/p1 n9 10.0.1.11, look",
        "10.0.1.11 of default/p1 is on n9, which was never there",
    );
}

#[test]
fn an_interface_that_nobody_attaches_is_found_when_patience_ends() {
    check(
        "eni n1 1 10.0.1.11, wait 500, detach, wait 120, look, wait 1, look, wait 60, look, findings",
        "
         eni-0 is attached to nothing for 121s
         eni-0 is attached to nothing for 181s
         621s: eni-0 is attached to nothing for 121s",
    );
}

#[test]
fn an_interface_on_an_instance_of_others_is_found() {
    check(
        "look, eni n3 1 10.0.1.11, look",
        "
         eni-0 of somebody else was changed: Berth made it on i-00000000000000003, which is not Berth's",
    );
}

#[test]
fn a_ledger_that_does_not_add_up_is_found() {
    check(
        "agent n1 attached=4 free=1 used=1 cooling=1 promised=0, look
         agent n1 attached=4 free=1 used=1 cooling=1 promised=1, look",
        "the ledger of n1 does not add up: LedgerCounts { attached: 4, free: 1, used: 1, cooling: 1, promised: 0 }
        ",
    );
}

#[test]
fn an_address_that_the_ledger_does_not_know_is_found_when_it_cannot_be_late() {
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, agent n1 attached=1 free=1
         look, wait 4, look, wait 1, look",
        "

         default/p1 uses 10.0.1.11, which by the ledger of n1 is nobody's",
    );
    check(
        "eni n1 1 10.0.1.11, pod default/p1 n1 10.0.1.11, agent n1 attached=1 used=1 10.0.1.11=default/p2
         look, wait 5, look, agent n1 attached=1 used=1 10.0.1.11=default/p1, look",
        "
         default/p1 uses 10.0.1.11, which by the ledger of n1 is default/p2's
        ",
    );
}

#[test]
fn the_ledger_may_know_less_of_a_pod_that_is_made_anew() {
    // The pod is another one at each look, under the same name and on the same address.
    let anew = "ends default/p1, pod default/p1 n1 10.0.1.11, wait 3,";
    check(
        &format!(
            "eni n1 1 10.0.1.11, agent n1 attached=1 free=1, pod default/p1 n1 10.0.1.11, {anew} {anew} {anew} look"
        ),
        "",
    );
    // It was made after its agent was asked.
    check(
        "eni n1 1 10.0.1.11, agent n1 attached=1 free=1, ask, pod default/p1 n1 10.0.1.11, look, wait 4, look",
        "
        ",
    );
}

#[test]
fn a_node_that_is_short_in_silence_is_found_when_patience_ends() {
    check(
        "row n1 needed=3 available=1, look, wait 14, look, wait 1, look, wait 5, look, findings",
        "

         n1 is short by 3 and says nothing
         n1 is short by 3 and says nothing
         15s: n1 is short by 3 and says nothing",
    );
}

#[test]
fn whatever_is_said_or_done_begins_the_silence_anew() {
    for done in ["in-flight=1", "blocked=why", "available=2"] {
        check(
            &format!(
                "row n1 needed=3 available=1, wait 14, row n1 needed=3 {done}, wait 1
                 row n1 needed=3 available=1, wait 14, look, findings"
            ),
            "
            ",
        );
    }
}

#[test]
fn pods_that_wait_on_an_empty_node_are_a_need_whatever_the_operator_counts() {
    let waits = "waits default/p1 n1, row n1 needed=0 available=4,";
    check(
        &format!("{waits} agent n1 attached=4 used=4, wait 20, look"),
        "n1 is short by 1 and says nothing",
    );
    check(&format!("{waits} agent n1 attached=4 used=3 free=1, wait 20, look"), "");
    check(&format!("{waits} agent n1 attached=4 used=4, row n1 blocked=full, wait 20, look"), "");
    check(&format!("{waits} agent n1 attached=4 used=4, agent n1 is away, wait 20, look"), "");
}

#[test]
fn an_outage_excuses_silence_while_it_lasts() {
    check(
        "row n1 needed=3, outage, wait 60, look, outage ends, wait 15, look, wait 2, look",
        "

         n1 is short by 3 and says nothing",
    );
}

#[test]
fn an_operator_that_starts_excuses_silence_and_one_that_never_does_not() {
    let starved = "waits default/p1 n1, agent n1 attached=4 used=4,";
    check(&format!("{starved} operator is starting, wait 59, look"), "");
    check(
        &format!("{starved} operator is starting, wait 80, look"),
        "n1 is short by 1 and says nothing",
    );
    check(
        &format!("{starved} operator is away, wait 80, look"),
        "n1 is short by 1 and says nothing",
    );
    check(
        &format!("{starved} wait 5, operator is away, wait 59, operator is ready, wait 10, look"),
        "",
    );
}

#[test]
fn outages_end() {
    let outages = Outages::default();
    assert!(!outages.excuse(Duration::MAX / 4));
    outages.begin(Duration::ZERO);
    assert!(!outages.excuse(Duration::ZERO));
    assert!(outages.excuse(Duration::from_hours(1)));
    outages.begin(Duration::from_hours(1));
    outages.begin(Duration::ZERO);
    assert!(outages.excuse(Duration::ZERO), "a short one does not end a long one");
}

/// Somebody starts and ends a pod on an interface that is there no longer than the pod, as fast as can be.
#[test]
fn nothing_comes_between_the_book_and_ec2() {
    let mut stage = Stage::new();
    let (ec2, book) = (stage.ec2.clone(), stage.book.clone());
    let new = stage.new_eni("n1", "1", &["10.0.1.11"]);
    let (rounds, is_over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let (count, end) = (Arc::clone(&rounds), Arc::clone(&is_over));
    let churn = thread::spawn(move || {
        while !end.load(Ordering::Relaxed) {
            let id = ec2.with(|ec2, _| ec2.build().interface(new.clone())).unwrap();
            book.made("default/p1");
            book.placed("default/p1", "n1");
            book.started("default/p1", vec![parsed("10.0.1.11")]);
            thread::yield_now();
            book.ending("default/p1");
            book.ended("default/p1");
            ec2.with(|ec2, _| ec2.build().delete_interface(&id)).unwrap();
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (mut looks, mut found) = (0, Vec::new());
    while looks < 300 || rounds.load(Ordering::Relaxed) < 300 {
        found.extend(stage.look());
        looks += 1;
        assert!(!churn.is_finished());
    }
    is_over.store(true, Ordering::Relaxed);
    churn.join().unwrap();
    assert_eq!(found, [""; 0]);
}
