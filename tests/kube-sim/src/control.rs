//! `/_sim`: the simulator's own controls over HTTP. Faults and counters do not concern it.

use http::Method;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::Reply;
use crate::fault::{Rule, RuleId};
use crate::sim::KubeSim;
use crate::status::Status;
use crate::store::Refusal;

/// Which watches to cut. A member that is left out matches everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    client: Option<String>,
    resource: Option<String>,
}

/// Answers a request at `/_sim`.
pub(crate) fn answer(sim: &KubeSim, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().trim_start_matches("/_sim").trim_matches('/');
    match run(sim, &parts.method, path, body) {
        Ok(value) => Reply::document(&value),
        Err(status) => Reply::from(&*status),
    }
}

fn run(sim: &KubeSim, method: &Method, path: &str, body: &[u8]) -> Result<Value, Refusal> {
    match (method.as_str(), path) {
        ("GET", "") => Ok(state(sim)),
        ("GET", "faults") => Ok(faults(sim)),
        ("POST", "faults") => {
            let rule: Rule = read(body)?;
            Ok(json!({"id": sim.add_fault(rule)}))
        }
        ("DELETE", "faults") => {
            sim.clear_faults();
            Ok(faults(sim))
        }
        ("DELETE", path) if path.starts_with("faults/") => remove(sim, path),
        ("POST", "cut-watches") => {
            let cut: Cut = if body.is_empty() { Cut::default() } else { read(body)? };
            let count = sim.cut_watches(cut.client.as_deref(), cut.resource.as_deref());
            Ok(json!({"cut": count}))
        }
        ("POST", "compact") => {
            sim.compact();
            Ok(state(sim))
        }
        ("GET", "counters") => Ok(counters(sim)),
        ("DELETE", "counters") => {
            sim.reset_counters();
            Ok(counters(sim))
        }
        _ => Err(Status::path_not_found().into()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Status::bad_request(error.to_string()).into())
}

fn state(sim: &KubeSim) -> Value {
    sim.with_store(|store| {
        json!({
            "resourceVersion": store.version(),
            "oldestResourceVersion": store.oldest_version(),
            "openWatches": store.open_watches(),
        })
    })
}

fn faults(sim: &KubeSim) -> Value {
    let faults = sim.faults().into_iter().map(|(id, rule)| json!({"id": id, "rule": rule}));
    json!({"faults": faults.collect::<Vec<_>>()})
}

fn remove(sim: &KubeSim, path: &str) -> Result<Value, Refusal> {
    let id = path.trim_start_matches("faults/").parse().ok().map(RuleId);
    if id.is_some_and(|id| sim.remove_fault(id)) {
        return Ok(faults(sim));
    }
    Err(Status::path_not_found().into())
}

fn counters(sim: &KubeSim) -> Value {
    let counters = sim.counters();
    let counted = counters.iter().map(|(counted, times)| {
        let mut line = json!(counted);
        line["times"] = times.into();
        line
    });
    json!({"counters": counted.collect::<Vec<_>>()})
}
