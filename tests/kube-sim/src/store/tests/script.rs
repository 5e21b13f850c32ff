//! The words of the scripts.
//!
//! `create RESOURCE NAMESPACE/NAME JSON`, `update`, `update-status`, `patch`, `patch-status` (merge patches),
//! `delete RESOURCE KEY [JSON]` (preconditions), `get RESOURCE KEY POINTER...`, `list RESOURCE QUERY`, `watch NUMBER
//! RESOURCE QUERY`, `events NUMBER`, `compact`. A key without a slash is cluster-scoped. In JSON, `@uid:RESOURCE:KEY`
//! stands for the uid of an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{Answer, Reply, Request, answer};
use crate::history::HistoryLimits;
use crate::status::Status;
use crate::store::{Store, WriteOptions};
use crate::stored::Key;
use crate::watchers::{Delivery, Next, WatchId};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) fn run(script: &str) -> String {
    let mut world = World::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.step(line);
    }
    world.said
}

struct World {
    store: Store,
    watches: BTreeMap<String, WatchId>,
    said: String,
}

impl World {
    fn new() -> Self {
        let mut store = Store::new(1, HistoryLimits::default(), NOW);
        for definition in [definition("Thing", "things", true), definition("Part", "parts", false)]
        {
            let id = store.find("apiextensions.k8s.io", "customresourcedefinitions").unwrap();
            store.create(id, "", definition, WriteOptions::default(), NOW).unwrap();
        }
        Self { store, watches: BTreeMap::new(), said: String::new() }
    }

    fn step(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["compact"] => self.store.compact(),
            ["version"] => self.say(&format!("version {}", self.store.version())),
            ["events", name] => self.events(name),
            ["watch", name, resource, query] => self.watch(name, resource, query),
            ["list", resource] => self.list(resource, ""),
            ["list", resource, query] => self.list(resource, query),
            [verb, resource, key, rest @ ..] => {
                self.call(verb, resource, key, rest.first().copied());
            }
            _ => panic!("not a call: {line}"),
        }
    }

    fn say(&mut self, text: &str) {
        writeln!(self.said, "{text}").unwrap();
    }

    fn send(&mut self, method: &Method, path: &str, query: &str, body: &str) -> Answer {
        let patches = *method == Method::PATCH;
        let content_type = if patches { crate::patch::MERGE } else { "application/json" };
        let body = body.as_bytes();
        let request = Request { method, path, query, accept: "", content_type, body, as_of: None };
        answer(&mut self.store, &request, NOW)
    }

    fn reply(&mut self, method: &Method, path: &str, query: &str, body: &str) -> (u16, Value) {
        match self.send(method, path, query, body) {
            Answer::Reply(reply) => (reply.code, read(&reply)),
            Answer::Watch(_) => panic!("{path} is a watch"),
        }
    }

    fn call(&mut self, verb: &str, resource: &str, key: &str, rest: Option<&str>) {
        if verb == "get" {
            return self.get(resource, key, rest.unwrap_or_default());
        }
        let (resource, query) = resource.split_once('?').unwrap_or((resource, ""));
        let (verb, part) = verb.split_once('-').map_or((verb, ""), |(verb, part)| (verb, part));
        let mut body = self.filled(rest.unwrap_or("{}"));
        let mut path = path(resource, Some(key), verb != "create");
        if !part.is_empty() {
            path = format!("{path}/{part}");
        }
        let method = match verb {
            "create" | "update" => {
                body = whole(resource, key, &body);
                if verb == "create" { Method::POST } else { Method::PUT }
            }
            "patch" => Method::PATCH,
            "delete" => Method::DELETE,
            _ => panic!("no such verb: {verb}"),
        };
        let (code, answer) = self.reply(&method, &path, query, &body);
        self.say(&told(code, &answer));
    }

    fn get(&mut self, resource: &str, key: &str, pointers: &str) {
        let (code, object) = self.reply(&Method::GET, &path(resource, Some(key), true), "", "");
        if code != 200 {
            let answer = told(code, &object);
            return self.say(&answer);
        }
        let found = pointers
            .split(' ')
            .map(|pointer| object.pointer(pointer).map_or("-".to_owned(), Value::to_string));
        let found: Vec<_> = found.collect();
        self.say(&found.join(" "));
    }

    fn list(&mut self, resource: &str, query: &str) {
        let (code, list) = self.reply(&Method::GET, &path(resource, None, false), query, "");
        if code != 200 {
            let answer = told(code, &list);
            return self.say(&answer);
        }
        let names = list["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
        let mut line = format!(
            "@{} {}",
            list["metadata"]["resourceVersion"].as_str().unwrap(),
            names.join(" ")
        );
        if let Some(token) = list["metadata"]["continue"].as_str() {
            let remaining = &list["metadata"]["remainingItemCount"];
            write!(line, " then {token} ({remaining})").unwrap();
        }
        self.say(&line);
    }

    fn watch(&mut self, name: &str, resource: &str, query: &str) {
        let query = format!("watch=true&{}", query.trim_matches('-'));
        match self.send(&Method::GET, &path(resource, None, false), &query, "") {
            Answer::Watch(watching) => {
                self.watches.insert(name.to_owned(), watching.id);
            }
            Answer::Reply(reply) => {
                self.say(&told(reply.code, &read(&reply)));
            }
        }
    }

    fn events(&mut self, name: &str) {
        let id = self.watches[name];
        let mut events = Vec::new();
        loop {
            match self.store.next_event(id) {
                Next::Event(delivery) => events.push(event(&delivery)),
                Next::Nothing => break,
                Next::End => {
                    events.push("end".to_owned());
                    break;
                }
            }
        }
        self.say(&format!("{name}: {}", events.join(", ")));
    }

    /// Puts uids in place of what stands for them.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut parts = text.split("@uid:");
        filled += parts.next().unwrap();
        for part in parts {
            let end = part.find('"').unwrap();
            let (resource, key) = part[..end].split_once(':').unwrap();
            let (namespace, name) = key.split_once('/').unwrap_or(("", key));
            let (group, plural) = group_and_plural(resource);
            let id = self.store.find(group, plural).unwrap();
            filled += self.store.get(id, &Key::new(namespace, name)).unwrap().uid();
            filled += &part[end..];
        }
        filled
    }
}

/// The body of an answer; `null` where it is text.
fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body.concat()).unwrap_or_default()
}

fn event(delivery: &Delivery) -> String {
    let object = |kind: &str, object: &crate::stored::Stored| {
        format!("{kind} {}@{}", object.key().name, object.version())
    };
    match delivery {
        Delivery::Added(it) => object("added", it),
        Delivery::Modified(it) => object("modified", it),
        Delivery::Deleted(it) => object("deleted", it),
        Delivery::Bookmark { version, initial_end } => format!("bookmark@{version} {initial_end}"),
        Delivery::Failed(status) => format!("failed {} {}", status.code(), Status::reason(status)),
    }
}

/// A code, and beside it the version of an object or the reason of a Status.
fn told(code: u16, answer: &Value) -> String {
    if answer.is_null() {
        return format!("{code} text");
    }
    if answer["kind"] != "Status" {
        let version = answer["metadata"]["resourceVersion"].as_str().unwrap_or("-");
        return format!("{code} {}@{version}", answer["metadata"]["name"].as_str().unwrap_or("-"));
    }
    let causes = answer["details"]["causes"].as_array().into_iter().flatten();
    let fields: Vec<_> = causes.filter_map(|cause| cause["field"].as_str()).collect();
    let reason = answer["reason"].as_str().or(answer["status"].as_str()).unwrap_or_default();
    format!("{code} {reason} {}", fields.join(" ")).trim_end().to_owned()
}

fn group_and_plural(resource: &str) -> (&str, &str) {
    match resource {
        "things" | "parts" => ("example.io", resource),
        "leases" => ("coordination.k8s.io", resource),
        "customresourcedefinitions" => ("apiextensions.k8s.io", resource),
        _ => ("", resource),
    }
}

fn path(resource: &str, key: Option<&str>, named: bool) -> String {
    let (group, plural) = group_and_plural(resource);
    let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let (namespace, name) = match key {
        Some(key) => key.split_once('/').map_or((None, key), |(space, name)| (Some(space), name)),
        None => (None, ""),
    };
    let namespace = namespace.map_or(String::new(), |it| format!("/namespaces/{it}"));
    let name = if named { format!("/{name}") } else { String::new() };
    format!("{root}{namespace}/{plural}{name}")
}

/// A body with kind and name.
fn whole(resource: &str, key: &str, body: &str) -> String {
    let mut object: Value = serde_json::from_str(body).unwrap();
    let name = key.rsplit('/').next().unwrap();
    if !name.is_empty() {
        object["metadata"]["name"] = name.into();
    }
    let kind = match resource {
        "things" => "Thing",
        "parts" => "Part",
        _ => return object.to_string(),
    };
    object["apiVersion"] = "example.io/v1".into();
    object["kind"] = kind.into();
    object.to_string()
}

fn definition(kind: &str, plural: &str, namespaced: bool) -> Value {
    let subresources = if namespaced { json!({"status": {}}) } else { json!({}) };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.example.io")},
        "spec": {
            "group": "example.io",
            "names": {"kind": kind, "plural": plural},
            "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": subresources,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {
                        "size": {"type": "integer", "minimum": 0},
                        "colour": {"type": "string", "default": "grey"},
                    }},
                    "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
                }}},
            }],
        },
    })
}
