//! Who wrote what the operator owns, as far as the API server noted it.

use std::time::Duration;

use cilium_node::CiliumNode;
use http::Request;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Rival, RivalDeed};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Resource};
use serde::Deserialize;
use serde_json::Value;

use super::publish::FIELD_MANAGER;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// An object of which only its metadata is read.
#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    managed_fields: Vec<Managed>,
}

/// One entry of `metadata.managedFields`: who wrote which members last.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Managed {
    manager: String,
    operation: String,
    time: Option<Timestamp>,
    fields_v1: Value,
}

/// Asks the API server who did it. Where it does not tell, nobody is named; the deed stands.
pub async fn who_wrote(client: &Client, node: &NodeName, did: &RivalDeed) -> Rival {
    let path = format!("{}/{node}", CiliumNode::url_path(&(), None));
    let object = async {
        let request = Request::get(path).body(vec![]).ok()?;
        client.request::<Object>(request).await.ok()
    };
    let object = tokio::time::timeout(PATIENCE, object).await.ok().flatten();
    let who = object.and_then(|object| owner(object.metadata.managed_fields, did));
    Rival { who: who.unwrap_or_default(), did: did.clone() }
}

/// The last one to write the member, others than the operator itself.
fn owner(managed: Vec<Managed>, did: &RivalDeed) -> Option<String> {
    let path = match did {
        RivalDeed::WroteEniStatus => "/f:status/f:eni",
        RivalDeed::WrotePool => "/f:spec/f:ipam/f:pool",
        RivalDeed::ChangedEni { .. } => return None,
    };
    let others = managed
        .into_iter()
        .filter(|entry| entry.manager != FIELD_MANAGER && entry.fields_v1.pointer(path).is_some());
    let last = others.max_by_key(|entry| entry.time)?;
    Some(match last.time {
        Some(time) => format!("{} ({}, {time})", last.manager, last.operation),
        None => last.manager,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One door: what is in `managedFields`, a line each, and who did it.
    fn check(lines: &str, did: &RivalDeed, expected: Option<&str>) {
        let managed = lines.lines().map(|line| {
            let mut words = line.split_whitespace();
            let mut word = || words.next().expect("a word").to_owned();
            let (manager, time, member) = (word(), word(), word());
            let mut fields_v1 = serde_json::json!({});
            for name in member.split('.').rev() {
                fields_v1 = serde_json::json!({ format!("f:{name}"): fields_v1 });
            }
            let (time, operation) = (time.parse().ok(), "Update".to_owned());
            Managed { manager, operation, time, fields_v1 }
        });
        assert_eq!(owner(managed.collect(), did).as_deref(), expected, "{lines}");
    }

    #[test]
    fn the_last_other_owner_is_named() {
        let lines = "cilium-agent 2026-01-01T00:00:09Z status.ipam.used
            berth-operator 2026-01-01T00:00:08Z status.eni.enis
            cilium-operator 2026-01-01T00:00:05Z status.eni.enis
            old 2026-01-01T00:00:01Z status.eni.enis
            cilium-operator 2026-01-01T00:00:06Z spec.ipam.pool";
        let status = "cilium-operator (Update, 2026-01-01T00:00:05Z)";
        check(lines, &RivalDeed::WroteEniStatus, Some(status));
        let pool = "cilium-operator (Update, 2026-01-01T00:00:06Z)";
        check(lines, &RivalDeed::WrotePool, Some(pool));
    }

    #[test]
    fn nobody_is_named_where_nothing_is_noted() {
        check("", &RivalDeed::WrotePool, None);
        let own = "berth-operator 2026-01-01T00:00:08Z spec.ipam.pool.x";
        check(own, &RivalDeed::WrotePool, None);
    }
}
