//! A ledger driven by text. One command a line, one line of outcome each.
//!
//! `at 5s` in front of a command says when it is; without it no time has passed.

use std::fmt::Display;
use std::time::Duration;

use ipam_core::pool::{
    By, Claim, Expired, Family, Grant, GrantId, InvalidCidr, Ledger, LedgerSettings, ListedCidr,
    Owner, Refusal, SyncReport,
};
use ipam_core::time::Tick;
use ipnet::IpNet;

/// Runs `script` and compares what came out of it.
#[track_caller]
pub(crate) fn check(script: &str, expected: &str) {
    let mut run = Run { ledger: Ledger::new(LedgerSettings::default()), now: Tick::default() };
    let outcome: Vec<String> = lines(script).map(|line| run.command(line)).collect();
    let expected: Vec<&str> = lines(expected).collect();
    assert_eq!(outcome, expected, "script: {script}");
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

struct Run {
    ledger: Ledger,
    now: Tick,
}

impl Run {
    fn command(&mut self, line: &str) -> String {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if words[0] == "at" {
            self.now = Tick::default() + duration(words[1]);
            words.drain(..2);
        }
        match words[..] {
            ["settings", ref times @ ..] => self.settings(times),
            ["sync", ..] => self.sync(&words[1..]),
            ["allocate", family, owner, ..] => self.allocate(family, owner, claim(&words[3..])),
            ["fill", family, count] => self.fill(family, count.parse().unwrap()),
            ["exact", address, owner, ..] => self.exact(address, owner, claim(&words[3..])),
            ["release", address, ..] => self.release(address, words.get(2)),
            ["claim", address, id] => self.claim(address, id.parse().unwrap()),
            ["expire"] => self.expire(),
            ["promise", what] => self.promise(what),
            ["withdraw-promise", what] => self.withdraw_promise(what),
            ["restart"] => self.restart(),
            ["deadline"] => self.deadline(),
            ["tally", family] => self.ledger.tally(parse_family(family)).to_string(),
            ["cut-short"] => self.ledger.cooling_cut_short().to_string(),
            ["cidrs"] => self.cidrs(),
            ["used"] => self.used(),
            ["who", address] => self.who(address),
            _ => panic!("no such command: {line}"),
        }
    }

    /// Cool-down, time to claim and, if it is not the default, time to remember.
    fn settings(&mut self, times: &[&str]) -> String {
        let remember = times.get(2).map_or(LedgerSettings::REMEMBER_DEFAULT, |it| duration(it));
        match LedgerSettings::new(duration(times[0]), duration(times[1]), remember) {
            Ok(settings) => {
                self.ledger = Ledger::restore(self.ledger.snapshot(), settings, self.now).unwrap();
                "set".to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    fn sync(&mut self, words: &[&str]) -> String {
        let listed = words.iter().map(|word| {
            let (cidr, eni) = word.split_once('@').unwrap();
            ListedCidr { cidr: cidr.parse().unwrap(), eni: eni.parse().unwrap() }
        });
        sync_text(&self.ledger.sync(listed, self.now))
    }

    fn allocate(&mut self, family: &str, owner: &str, claim: Claim) -> String {
        let (family, owner) = (parse_family(family), owner.parse().unwrap());
        grant_text(self.ledger.allocate(family, owner, claim, self.now))
    }

    /// As many allocations, each for another pod.
    fn fill(&mut self, family: &str, count: usize) -> String {
        let outcomes = (0..count)
            .map(|number| self.allocate(family, &format!("fill/{number}"), Claim::NotNeeded));
        outcomes.last().unwrap()
    }

    fn exact(&mut self, address: &str, owner: &str, claim: Claim) -> String {
        let (address, owner) = (address.parse().unwrap(), owner.parse().unwrap());
        grant_text(self.ledger.allocate_exact(address, owner, claim, self.now))
    }

    /// By an owner, by a grant such as `#1`, or by anyone.
    fn release(&mut self, address: &str, by: Option<&&str>) -> String {
        let grant = by.and_then(|by| by.strip_prefix('#'));
        let owner = by.filter(|_| grant.is_none()).map(|owner| owner.parse::<Owner>().unwrap());
        let by = match (grant, &owner) {
            (Some(id), _) => By::Grant(GrantId::from_u64(id.parse().unwrap())),
            (None, Some(owner)) => By::Owner(owner),
            (None, None) => By::Anyone,
        };
        let address = address.parse().unwrap();
        let released = self.ledger.release(address, by, self.now);
        text(released.map(|owner| format!("released by {owner}")))
    }

    fn claim(&mut self, address: &str, id: u64) -> String {
        let id = GrantId::from_u64(id);
        let claimed = self.ledger.claim(address.parse().unwrap(), id);
        text(claimed.map(|()| "claimed"))
    }

    fn expire(&mut self) -> String {
        let expired = self.ledger.expire(self.now).into_iter();
        list(expired.map(|one| expired_text(&one)))
    }

    fn promise(&mut self, what: &str) -> String {
        let promised = match what.parse::<IpNet>() {
            Ok(cidr) => self.ledger.promise_cidr(cidr),
            Err(_) => self.ledger.promise(what.parse().unwrap()),
        };
        text(promised.map(|()| "promised"))
    }

    fn withdraw_promise(&mut self, what: &str) -> String {
        let now = self.now;
        let withdrawn = match what.parse::<IpNet>() {
            Ok(cidr) => self.ledger.withdraw_promise_cidr(cidr, now),
            Err(_) => self.ledger.withdraw_promise(what.parse().unwrap(), now),
        };
        text(withdrawn.map(|()| "promise withdrawn"))
    }

    fn restart(&mut self) -> String {
        let (snapshot, settings) = (self.ledger.snapshot(), self.ledger.settings());
        let same = Ledger::restore(snapshot.clone(), settings, snapshot.at).unwrap();
        assert_eq!(same, self.ledger);
        self.ledger = Ledger::restore(snapshot, settings, self.now).unwrap();
        "restarted".to_string()
    }

    fn deadline(&self) -> String {
        let deadline = self.ledger.next_deadline();
        deadline.map_or("none".to_string(), |at| format!("{} ms", at.as_millis()))
    }

    fn cidrs(&self) -> String {
        list(self.ledger.cidrs().map(|usage| {
            let gone = if usage.withdrawn { " withdrawn" } else { "" };
            let (free, used) = (usage.free, usage.used);
            let (cooling, promised) = (usage.cooling, usage.promised);
            format!("{}{gone} {free}/{used}/{cooling}/{promised}", usage.listed)
        }))
    }

    fn used(&self) -> String {
        list(self.ledger.holdings().map(|held| {
            let claim = claim_text(held.claim, held.id);
            format!("{} of {} on {}{claim}", held.address, held.owner, held.eni)
        }))
    }

    fn who(&self, address: &str) -> String {
        let held = self.ledger.holding(address.parse().unwrap());
        held.map_or("nobody".to_string(), |held| format!("{} by grant {}", held.owner, held.id))
    }
}

fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

fn parse_family(text: &str) -> Family {
    match text {
        "ipv4" => Family::Ipv4,
        "ipv6" => Family::Ipv6,
        _ => panic!("no such family: {text}"),
    }
}

fn claim(words: &[&str]) -> Claim {
    match words {
        [] => Claim::NotNeeded,
        ["claim"] => Claim::Expected,
        _ => panic!("not understood: {words:?}"),
    }
}

fn text<T: Display>(outcome: Result<T, Refusal>) -> String {
    match outcome {
        Ok(outcome) => outcome.to_string(),
        Err(refusal) => format!("{}: {refusal}", refusal.label()),
    }
}

fn grant_text(granted: Result<Grant, Refusal>) -> String {
    text(granted.map(|grant| {
        let claim = claim_text(grant.claim, grant.id);
        let instead = grant.expired.map(|one| format!(", instead of {}", expired_text(&one)));
        let early = if grant.cut_short { ", cut short" } else { "" };
        format!("{} on {}{claim}{early}{}", grant.address, grant.eni, instead.unwrap_or_default())
    }))
}

fn claim_text(claim: Claim, id: GrantId) -> String {
    match claim {
        Claim::Expected => format!(", claim {id}"),
        Claim::NotNeeded => String::new(),
    }
}

fn expired_text(expired: &Expired) -> String {
    format!("{} of {}, claim {}", expired.address, expired.owner, expired.id)
}

fn sync_text(report: &SyncReport) -> String {
    let SyncReport { added, removed, moved, withdrawn, refused } = report;
    let parts = [
        ("added", join(added)),
        ("removed", join(removed)),
        ("moved", join(moved)),
        ("withdrawn", join(withdrawn)),
        ("refused", join(&refused.iter().map(why).collect::<Vec<_>>())),
    ];
    let said = parts.iter().filter(|(_, what)| !what.is_empty());
    list(said.map(|(verb, what)| format!("{verb} {what}")))
}

fn why(refused: &InvalidCidr) -> String {
    format!("({}: {refused})", refused.label())
}

fn join(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "nothing".to_string() } else { items.join("; ") }
}
