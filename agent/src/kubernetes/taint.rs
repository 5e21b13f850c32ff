//! The taint that keeps pods away until the agent can serve them.

use std::time::Duration;

use ipam_core::ids::NodeName;
use k8s_openapi::api::core::v1::Node;
use kube::{Client, Resource};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::watching::say_once;
use super::write::{self, Body, Kind, WriteProblem};
use crate::backoff::Backoff;

/// The taint of Cilium's agents, if nothing else is said.
pub const KEY_DEFAULT: &str = "node.cilium.io/agent-not-ready";

/// The pauses after each attempt: whoever puts the taint back is not answered faster.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// How many taints were taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed(pub usize);

/// Takes the taints with this key off the Node, whatever their value and effect, and nothing else. Goes on until none is there,
/// ever more slowly while it cannot be done, as long as there is no Node, or when somebody puts them back; dropped, it ends.
///
/// Each attempt reads the Node and tests, in the patch itself, that what it takes off is what it read: a list that somebody else
/// has changed meanwhile is left alone, and read again.
pub async fn remove(client: &Client, node: &NodeName, key: &str) -> Removed {
    let path = format!("{}/{node}", Node::url_path(&(), None));
    let mut pauses = PAUSES;
    let mut said = String::new();
    let mut removed = 0;
    loop {
        match attempt(client, &path, key).await {
            Ok(0) => return Removed(removed),
            Ok(some) => removed += some,
            Err(problem) => {
                say_once(&mut said, "the taint cannot be taken off the Node", &problem.to_string());
            }
        }
        sleep(pauses.pause()).await;
    }
}

/// Takes off what is there. Answers how many; 0 when there was nothing to do.
async fn attempt(client: &Client, path: &str, key: &str) -> Result<usize, WriteProblem> {
    let Some(node) = write::get(client, path).await? else {
        let problem = "it is not registered yet".to_owned();
        return Err(WriteProblem { kind: Kind::NotFound, problem });
    };
    let taints = node.pointer("/spec/taints");
    let Some((operations, count)) = operations(taints, key) else { return Ok(0) };
    write::patch(client, path, &Body::Operations(operations)).await?;
    Ok(count)
}

/// What takes the taints with this key out of a list, and how many they are; `None` when there are none.
fn operations(taints: Option<&Value>, key: &str) -> Option<(Value, usize)> {
    let taints = taints?.as_array()?.iter().enumerate();
    // From the last on, so that the places of the others stay what they are.
    let ours = taints.rev().filter(|(_, taint)| taint.get("key") == Some(&json!(key)));
    let operations: Vec<Value> = ours
        .flat_map(|(at, taint)| {
            let path = format!("/spec/taints/{at}");
            let test = json!({"op": "test", "path": path, "value": taint});
            [test, json!({"op": "remove", "path": path})]
        })
        .collect();
    let count = operations.len() / 2;
    (count > 0).then_some((Value::Array(operations), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(taints: &Value, expected: Option<&str>) {
        let found = operations(Some(taints), KEY_DEFAULT).map(|(operations, count)| {
            let steps = operations.as_array().into_iter().flatten().map(|step| {
                format!("{} {}", step["op"].as_str().unwrap_or_default(), step["path"])
            });
            format!(
                "{count}: {}",
                steps.collect::<Vec<_>>().join(", ").replace("/spec/taints/", "")
            )
        });
        assert_eq!(found.as_deref(), expected, "{taints}");
    }

    #[test]
    fn only_the_taints_of_the_key_go() {
        let ours = json!({"key": KEY_DEFAULT, "value": "true", "effect": "NoExecute"});
        let also = json!({"key": KEY_DEFAULT, "effect": "NoSchedule"});
        let other = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"});
        check(&json!([ours]), Some(r#"1: test "0", remove "0""#));
        check(&json!([other, ours]), Some(r#"1: test "1", remove "1""#));
        check(
            &json!([ours, other, also]),
            Some(r#"2: test "2", remove "2", test "0", remove "0""#),
        );
        check(&json!([other]), None);
        check(&json!([]), None);
        check(&json!(null), None);
        assert_eq!(operations(None, KEY_DEFAULT), None);
    }
}
