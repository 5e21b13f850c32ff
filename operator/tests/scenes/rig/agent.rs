//! The agents of Cilium as they look from the API: one client each, whole objects written, 409 answered by reading again.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use ipnet::Ipv4Net;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::runtime::watcher;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Which generation an agent is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Up to Cilium 1.19.
    PerIp,
    /// From Cilium 1.20 on.
    Cidr,
}

/// What an agent has to do and what it has done.
#[derive(Debug)]
struct State {
    generation: Generation,
    /// How many pods want an address.
    pods: usize,
    /// Whether a first request is held back.
    silent: bool,
    /// Address to owner.
    used: BTreeMap<Ipv4Addr, String>,
    /// Counts the writes of something that is the agent's own, for conflicts.
    beats: u64,
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How the API knows `CiliumNode`s.
pub(crate) fn nodes(client: Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("cilium.io", "v2", "CiliumNode");
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "ciliumnodes"))
}

impl Agent {
    /// Starts an agent, which first creates `object` if it is not there.
    pub(crate) fn start(client: Client, generation: Generation, object: &Value) -> Self {
        let state = State { generation, pods: 0, silent: false, used: BTreeMap::new(), beats: 0 };
        let state = Arc::new(Mutex::new(state));
        let wake = Arc::new(Notify::new());
        let loop_ = Loop {
            api: nodes(client),
            name: object["metadata"]["name"].as_str().unwrap().to_owned(),
            state: Arc::clone(&state),
        };
        let object = serde_json::from_value(object.clone()).unwrap();
        let task = tokio::spawn(loop_.run(object, Arc::clone(&wake)));
        Self { state, wake, task }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.wake.notify_one();
    }

    /// From now on so many pods want an address.
    pub(crate) fn use_addresses(&self, pods: usize) {
        self.change(|state| state.pods = pods);
    }

    /// From now on so many pods have an address of these, and no other pod has one.
    pub(crate) fn keep(&self, pods: usize, of: &[Ipv4Addr]) {
        self.change(|state| {
            state.used.retain(|address, _| of.contains(address));
            while state.used.len() > pods {
                state.used.pop_last();
            }
            state.pods = pods;
        });
    }

    /// Withholds requests, or makes them: an agent that has not finished its start yet makes none.
    pub(crate) fn be_silent(&self, silent: bool) {
        self.change(|state| state.silent = silent);
    }

    /// Becomes an agent of the other generation, as in an upgrade.
    pub(crate) fn become_generation(&self, generation: Generation) {
        self.change(|state| state.generation = generation);
    }

    /// Writes the whole object with something new in it.
    pub(crate) fn beat(&self) {
        self.change(|state| state.beats += 1);
    }

    /// How often it was told to write something new.
    pub(crate) fn beats(&self) -> u64 {
        self.state.lock().unwrap().beats
    }

    /// The addresses in use, and by whom.
    pub(crate) fn used(&self) -> BTreeMap<Ipv4Addr, String> {
        self.state.lock().unwrap().used.clone()
    }

    /// How many pods have no address.
    pub(crate) fn lacks(&self) -> u32 {
        let state = self.state.lock().unwrap();
        (state.pods - state.used.len()).try_into().unwrap()
    }

    /// Of which generation it is.
    pub(crate) fn generation(&self) -> Generation {
        self.state.lock().unwrap().generation
    }
}

struct Loop {
    api: Api<DynamicObject>,
    name: String,
    state: Arc<Mutex<State>>,
}

impl Loop {
    async fn run(self, object: DynamicObject, wake: Arc<Notify>) {
        while let Err(error) = self.api.create(&PostParams::default(), &object).await {
            if matches!(&error, kube::Error::Api(status) if status.code == 409) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut seen = watcher::watch_object(self.api.clone(), &self.name).boxed();
        let mut latest: Option<DynamicObject> = None;
        loop {
            tokio::select! {
                event = seen.next() => match event {
                    Some(Ok(object)) => latest = object,
                    Some(Err(_)) => tokio::time::sleep(Duration::from_secs(1)).await,
                    None => return,
                },
                () = wake.notified() => {}
            }
            if let Some(object) = latest.take() {
                latest = Some(self.settle(object).await);
            }
        }
    }

    /// Writes what the agent has to say, if that differs from the object; after 409 with the object read anew.
    async fn settle(&self, mut object: DynamicObject) -> DynamicObject {
        loop {
            let mut wanted = object.clone();
            self.state.lock().unwrap().say(&mut wanted.data);
            let answer = if wanted.data["spec"] != object.data["spec"] {
                self.api.replace(&self.name, &PostParams::default(), &wanted).await
            } else if wanted.data["status"] != object.data["status"] {
                self.api.replace_status(&self.name, &PostParams::default(), &wanted).await
            } else {
                return object;
            };
            match answer {
                Ok(written) => object = written,
                Err(kube::Error::Api(status)) if status.code == 404 => return object,
                Err(kube::Error::Api(status)) if status.code == 409 => {
                    let read = self.api.get(&self.name).await;
                    object = read.unwrap_or(object);
                }
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }
}

impl State {
    /// Puts into an object what the agent has to say.
    fn say(&mut self, object: &mut Value) {
        if self.beats > 0 {
            object["spec"]["bootid"] = json!(format!("beat-{}", self.beats));
        }
        match self.generation {
            Generation::PerIp => self.say_per_ip(object),
            Generation::Cidr => self.say_cidr(object),
        }
    }

    fn say_per_ip(&mut self, object: &mut Value) {
        let pool: BTreeMap<Ipv4Addr, Value> = object["spec"]["ipam"]
            .get("pool")
            .map_or_else(BTreeMap::new, |pool| serde_json::from_value(pool.clone()).unwrap());
        let asked = releases(object);
        self.serve(
            pool.keys()
                .copied()
                .filter(|it| asked.get(it).is_none_or(|says| says == "do-not-release")),
        );
        self.answer(object, asked, &pool);
        let entry = |(address, owner): (&Ipv4Addr, &String)| {
            let resource = pool.get(address).map(|entry| entry["resource"].clone());
            (address.to_string(), json!({"owner": owner, "resource": resource}))
        };
        let used: serde_json::Map<String, Value> = self.used.iter().map(entry).collect();
        if used.is_empty() {
            forget_used(object);
        } else {
            object["status"]["ipam"]["used"] = Value::Object(used);
        }
    }

    fn say_cidr(&mut self, object: &mut Value) {
        if self.silent {
            return;
        }
        let cidrs = cidrs(object);
        self.serve(cidrs.iter().flat_map(|cidr| addresses(*cidr)));
        let pre = object["spec"]["ipam"]["pre-allocate"].as_u64().filter(|pre| *pre > 0);
        let needed = self.pods as u64 + pre.unwrap_or(8);
        let cidrs = self.kept(cidrs, needed);
        let mut pools = json!({
            "requested": [{"pool": "default", "needed": {"ipv4-addrs": needed}}],
        });
        if !cidrs.is_empty() {
            let cidrs: Vec<String> = cidrs.iter().map(ToString::to_string).collect();
            pools["allocated"] = json!([{
                "pool": "default", "cidrs": cidrs, "allowFirstIP": true, "allowLastIP": true,
            }]);
        }
        object["spec"]["ipam"]["pools"] = pools;
        forget_used(object);
    }

    /// Answers what the operator asks for, and forgets what is released.
    fn answer(
        &self,
        object: &mut Value,
        asked: BTreeMap<Ipv4Addr, String>,
        pool: &BTreeMap<Ipv4Addr, Value>,
    ) {
        if asked.is_empty() {
            return;
        }
        let answer =
            |address: &Ipv4Addr, says: String| match (says.as_str(), pool.contains_key(address)) {
                ("released", false) => None,
                ("marked-for-release", true) if !self.used.contains_key(address) => {
                    Some("ready-for-release".to_owned())
                }
                ("marked-for-release", _) => Some("do-not-release".to_owned()),
                _ => Some(says),
            };
        let answered = asked.into_iter().filter_map(|(address, says)| {
            Some((address.to_string(), json!(answer(&address, says)?)))
        });
        object["status"]["ipam"]["release-ips"] = Value::Object(answered.collect());
    }

    /// The CIDRs that are in use, and as many of the others, from the first on, as are needed.
    fn kept(&self, cidrs: Vec<Ipv4Net>, needed: u64) -> Vec<Ipv4Net> {
        let size = |cidr: &Ipv4Net| 1_u64 << (32 - cidr.prefix_len());
        let is_used = |cidr: &Ipv4Net| self.used.keys().any(|address| cidr.contains(address));
        let mut kept: u64 = cidrs.iter().filter(|cidr| is_used(cidr)).map(size).sum();
        let mut keep = |cidr: &Ipv4Net| {
            let wanted = kept < needed;
            kept += if wanted && !is_used(cidr) { size(cidr) } else { 0 };
            wanted || is_used(cidr)
        };
        cidrs.into_iter().filter(|cidr| keep(cidr)).collect()
    }

    /// Gives pods addresses that are free, and takes those of pods that are gone.
    fn serve(&mut self, usable: impl IntoIterator<Item = Ipv4Addr>) {
        for address in usable {
            if self.used.len() >= self.pods {
                break;
            }
            let owner = format!("default/pod-{address}");
            self.used.entry(address).or_insert(owner);
        }
        while self.used.len() > self.pods {
            self.used.pop_last();
        }
    }
}

/// What stands in `status.ipam.release-ips`.
fn releases(object: &Value) -> BTreeMap<Ipv4Addr, String> {
    let entries = object.pointer("/status/ipam/release-ips").cloned();
    entries.map_or_else(BTreeMap::new, |entries| serde_json::from_value(entries).unwrap())
}

fn forget_used(object: &mut Value) {
    if let Some(ipam) = object.pointer_mut("/status/ipam").and_then(Value::as_object_mut) {
        ipam.remove("used");
    }
}

/// The CIDRs that an agent of the second generation derives from `status.eni`, sorted.
fn cidrs(object: &Value) -> Vec<Ipv4Net> {
    let first = object["spec"]["eni"]["first-interface-index"].as_u64().unwrap_or(0);
    let enis = object["status"]["eni"]["enis"].as_object();
    let managed = enis.into_iter().flat_map(|enis| enis.values());
    let managed = managed.filter(|eni| eni["number"].as_u64().unwrap_or(0) >= first);
    let mut cidrs: Vec<Ipv4Net> = Vec::new();
    for eni in managed {
        let prefixes: Vec<Ipv4Net> = list(&eni["prefixes"]);
        let singles: Vec<Ipv4Addr> = list(&eni["addresses"]);
        let outside = |one: &Ipv4Addr| !prefixes.iter().any(|prefix| prefix.contains(one));
        cidrs.extend(singles.into_iter().filter(outside).map(Ipv4Net::from));
        cidrs.extend(prefixes);
    }
    cidrs.sort();
    cidrs
}

fn list<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> Vec<T> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().parse().unwrap()).collect()
}

/// Every address of a CIDR, the first and the last one, too.
fn addresses(cidr: Ipv4Net) -> impl Iterator<Item = Ipv4Addr> {
    (u32::from(cidr.network())..=u32::from(cidr.broadcast())).map(Ipv4Addr::from)
}
