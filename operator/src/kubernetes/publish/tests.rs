//! The publisher against an object in memory, by scripts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use cilium_node::{Allocation, Allocations, Eni, EniStatus};
use ipam_core::agent::Release;
use serde_json::{Value, json};

use super::write::Body;
use super::*;
use crate::kubernetes::observed::object_of;

/// A publisher, one object, and what was written down.
struct Script {
    publisher: Publisher,
    object: Value,
    kept: Option<Value>,
    wanted: Option<Wanted>,
    sent: Option<Write>,
    now: u64,
    log: Vec<String>,
}

/// One door: commands, a line each, and what the publisher wrote and said.
///
/// `object JSON` a new object; `other JSON` somebody's merge patch; `keep`, `see`, `see kept` what is observed; `want [cidr]
/// ENI: ADDRESSES; ...` what is to be published, `release` what of entries; `kept by TEXT`, `passing` and `free` what the agent is to be told; `settle` writes until nothing is left; `send`, then `answer`, `lost` (done, and the
/// answer lost), `refuse`, `fail` (not done), `unheeded` (done, and nothing is different) or `gone`; `at MS`; `hold`, `resume`, `forget`.
fn check(script: &str, expected: &str) {
    let mut run = Script {
        publisher: Publisher::new(PublishSettings::default()),
        object: Value::Null,
        kept: None,
        wanted: None,
        sent: None,
        now: 0,
        log: vec![],
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        run.act(word, rest);
    }
    let lines = expected.lines().map(str::trim).filter(|line| !line.is_empty());
    let expected: Vec<&str> = lines.collect();
    assert_eq!(run.log, expected, "{script}");
}

fn name() -> NodeName {
    "n".parse().expect("a name")
}

impl Script {
    fn act(&mut self, word: &str, rest: &str) {
        let now = Tick::from_millis(self.now);
        match word {
            "object" => {
                self.make(rest);
                self.see(&self.object.clone());
            }
            "anew" => self.make(rest),
            "other" => {
                let version = self.version() + 1;
                let patch = serde_json::from_str(rest).expect("a test's own JSON");
                json_patch::merge(&mut self.object, &patch);
                self.touch(version);
            }
            "keep" => self.kept = Some(self.object.clone()),
            "see" if rest == "kept" => self.see(&self.kept.clone().expect("something kept")),
            "see" => self.see(&self.object.clone()),
            "want" => {
                self.wanted = Some(wanted(rest));
                self.publisher.on_wanted(&name());
            }
            "release" => {
                self.wanted.as_mut().expect("something wanted").releases = entries(rest);
                self.publisher.on_wanted(&name());
            }
            "kept" => self.tell(WantedError::Text(rest.trim_start_matches("by ").into())),
            "passing" => self.tell(WantedError::AsItIs),
            "free" => self.tell(WantedError::Absent),
            "settle" => {
                while self.send() {
                    self.answer(true);
                }
            }
            "send" => assert!(self.send(), "something to write"),
            "answer" => self.answer(true),
            "lost" => self.answer(false),
            "refuse" => self.result(WriteResult::Refused { problem: "no".into() }),
            "fail" => self.result(WriteResult::Failed { problem: "away".into() }),
            "unheeded" => {
                let object = object_of(&self.object.to_string()).expect("an object");
                self.result(WriteResult::Written(object));
            }
            "gone" => self.result(WriteResult::Gone),
            "at" => self.now = rest.parse().expect("milliseconds"),
            "hold" => self.publisher.hold((rest != "all").then(name).as_ref()),
            "resume" => self.publisher.resume((rest != "all").then(name).as_ref()),
            "forget" => self.publisher.forget(&name()),
            "ignore" => {
                let object = object_of(&self.object.to_string()).expect("an object");
                self.publisher.on_observed(&name(), &object, rest == "on");
            }
            _ => panic!("no command: {word}"),
        }
        assert!(self.publisher.deadline().is_none_or(|at| now < at || self.now == now.as_millis()));
        self.events();
    }

    fn tell(&mut self, error: WantedError) {
        self.wanted.as_mut().expect("something wanted").error = error;
        self.publisher.on_wanted(&name());
    }

    /// Makes another object under the name.
    fn make(&mut self, text: &str) {
        let version = self.version() + 1;
        let mut object: Value = serde_json::from_str(text).expect("a test's own JSON");
        object["metadata"] = json!({"name": "n", "uid": format!("uid-{version}")});
        self.object = object;
        self.touch(version);
    }

    fn version(&self) -> u64 {
        let text = self.object["metadata"]["resourceVersion"].as_str();
        text.map_or(0, |text| text.parse().expect("a number"))
    }

    fn touch(&mut self, version: u64) {
        self.object["metadata"]["resourceVersion"] = json!(version.to_string());
    }

    fn see(&mut self, object: &Value) {
        let object = object_of(&object.to_string()).expect("an object");
        self.publisher.on_observed(&name(), &object, false);
    }

    fn send(&mut self) -> bool {
        let wanted = self.wanted.clone();
        let write = self.publisher.poll_write(Tick::from_millis(self.now), |_| wanted.clone());
        let Some(write) = write else { return false };
        let (how, body) = match &write.body {
            Body::Merge(body) => ("merge", body),
            Body::Operations(body) if made(body).is_some() => ("make", body),
            Body::Operations(body) => ("replace", body),
        };
        self.log.push(format!("{how} {}", summary(body)));
        self.sent = Some(write);
        true
    }

    /// Does what was sent. The answer may get lost.
    fn answer(&mut self, arrives: bool) {
        let write = self.sent.clone().expect("something sent");
        let is_of_another = |uid: &Value| *uid != self.object["metadata"]["uid"];
        if named(&write).is_some_and(is_of_another) {
            return self.result(WriteResult::Failed { problem: "another object".into() });
        }
        match &write.body {
            Body::Merge(body) => json_patch::merge(&mut self.object, body),
            Body::Operations(body) => {
                let mut body = body.clone();
                // What is not there equals null.
                let is_made = self.object.get("status").is_none() && made(&body).is_some();
                if let Some(operations) = body.as_array_mut().filter(|_| is_made) {
                    operations.retain(|it| it["path"] != "/status" || it["op"] != "test");
                }
                let patch: json_patch::Patch = serde_json::from_value(body).expect("a JSON patch");
                if let Err(problem) = json_patch::patch(&mut self.object, &patch) {
                    return self.result(WriteResult::Failed { problem: problem.to_string() });
                }
            }
        }
        let version = self.version() + 1;
        self.touch(version);
        self.result(if arrives {
            WriteResult::Written(object_of(&self.object.to_string()).expect("an object"))
        } else {
            WriteResult::Failed { problem: "lost".into() }
        });
    }

    fn result(&mut self, result: WriteResult) {
        let write = self.sent.take().expect("something sent");
        self.publisher.on_written(Tick::from_millis(self.now), &write, result);
    }

    fn events(&mut self) {
        while let Some(event) = self.publisher.poll_event() {
            self.log.push(match event {
                PublishEvent::Published { .. } => continue,
                PublishEvent::Rival { deed, version, .. } => {
                    format!("rival {deed:?} at {}", version.expect("a version"))
                }
                PublishEvent::Refused { part, .. } => format!("refused {part:?}"),
                PublishEvent::Failed { part, .. } => format!("failed {part:?}"),
            });
        }
    }
}

/// The uid of the object that a patch is about, if the API server heeds it: in a merge patch of the status it does not.
fn named(write: &Write) -> Option<&Value> {
    match (&write.body, write.part()) {
        (Body::Merge(_), Part::EniStatus | Part::Error | Part::Releases) => None,
        (Body::Merge(body), Part::Pool | Part::PreAllocate) => body.pointer("/metadata/uid"),
        (Body::Operations(body), _) => {
            let mut operations = body.as_array()?.iter();
            let test = operations.find(|it| it["op"] == "test" && it["path"] == "/metadata/uid")?;
            test.get("value")
        }
    }
}

/// The whole status that operations make where there was none.
fn made(operations: &Value) -> Option<&Value> {
    let mut operations = operations.as_array()?.iter();
    operations.find(|it| it["op"] == "add" && it["path"] == "/status")?.get("value")
}

/// `eni-1: 10.0.0.1 10.0.0.2; eni-2:`, after `cidr` where the agent speaks that.
fn wanted(text: &str) -> Wanted {
    let (is_cidr, text) = text.strip_prefix("cidr").map_or((false, text), |rest| (true, rest));
    let mut eni_status = EniStatus::default();
    let mut pool = Allocations::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (id, addresses) = part.trim().split_once(':').expect("ENI: ADDRESSES");
        let addresses: Vec<String> = addresses.split_whitespace().map(str::to_owned).collect();
        let resource = Some(id.to_owned());
        let entry = Allocation { resource, ..Allocation::default() };
        pool.extend(addresses.iter().map(|address| (address.clone(), entry.clone())));
        let eni = Eni { addresses: Some(addresses), ..Eni::default() };
        eni_status.enis.get_or_insert_default().insert(id.to_owned(), eni);
    }
    let pool = if is_cidr { WantedPool::LeftOver } else { WantedPool::Exactly(pool) };
    let releases = BTreeMap::new();
    Wanted { eni_status, pool, pre_allocate: 8, error: WantedError::Absent, releases }
}

/// `1 marked, 2 released, 3 none`.
fn entries(text: &str) -> BTreeMap<Ipv4Addr, Option<Release>> {
    let entry = |text: &str| {
        let (last, says) = text.trim().split_once(' ').expect("an address and an entry");
        let says = match says {
            "marked" => Some(Release::Marked),
            "released" => Some(Release::Released),
            _ => None,
        };
        (Ipv4Addr::new(10, 0, 0, last.parse().expect("a number")), says)
    };
    text.split(',').filter(|text| !text.trim().is_empty()).map(entry).collect()
}

/// The members that are written, and the addresses in them.
fn summary(body: &Value) -> String {
    if let Some(status) = made(body) {
        return summary(&json!({"status": status}));
    }
    let operations = body.as_array().map(|operations| {
        let parts = operations.iter().filter(|it| it["op"] != "test").map(|it| {
            let path = it["path"].as_str().expect("a path").trim_start_matches('/');
            format!("{}={}", path.replace('/', "."), short(&it["value"]))
        });
        parts.collect::<Vec<_>>().join(" ")
    });
    operations.unwrap_or_else(|| {
        let eni = body.pointer("/status/eni").map(|it| format!("status.eni={}", short(it)));
        let pool =
            body.pointer("/spec/ipam/pool").map(|it| format!("spec.ipam.pool={}", short(it)));
        let seed = body.pointer("/spec/ipam/pre-allocate");
        let seed = seed.map(|it| format!("spec.ipam.pre-allocate={it}"));
        let error = body.pointer("/status/ipam/operator-status/error");
        let error = error.map(|it| format!("status.ipam.operator-status.error={it}"));
        let entries = body.pointer("/status/ipam/release-ips");
        let entries = entries.map(|it| format!("status.ipam.release-ips={it}"));
        eni.into_iter()
            .chain(entries)
            .chain(error)
            .chain(pool)
            .chain(seed)
            .collect::<Vec<_>>()
            .join(" ")
    })
}

/// Of a status each ENI with its addresses, of a pool its addresses.
fn short(value: &Value) -> String {
    let Some(members) = value.as_object() else { return value.to_string() };
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    if let Some(enis) = members.get("enis").and_then(Value::as_object) {
        let addresses =
            enis.values().flat_map(|eni| eni["addresses"].as_array().into_iter().flatten());
        let addresses = addresses.filter_map(Value::as_str).map(last);
        return format!("[{}]", addresses.collect::<Vec<_>>().join(","));
    }
    format!("[{}]", members.keys().map(|text| last(text)).collect::<Vec<_>>().join(","))
}

mod order;
mod others;
mod telling;
