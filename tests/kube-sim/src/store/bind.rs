//! Binding pods to nodes: what a scheduler asks for.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Refusal, Store, Written, review};
use crate::resource::ResourceId;
use crate::status::Status;
use crate::stored::{Key, Stored};
use crate::{builtin, metadata};

impl Store {
    /// Gives the pod at `key` the node that a `Binding` names, and its labels and annotations.
    ///
    /// # Errors
    ///
    /// 400 for a body that is no binding of this pod, 404, 409 where the pod has a node, is going, is gated, or is
    /// another or another version than the binding says, 500 where the binding names no node.
    pub fn bind(
        &mut self,
        id: ResourceId,
        key: &Key,
        mut binding: Value,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        let kind = builtin::binding();
        review::check_kind(&kind, &mut binding)?;
        review::settle_namespace(&kind, &mut binding, &key.namespace)?;
        let node = target(&binding, &key.name)?;
        let stored = self.get(id, key)?;
        check_preconditions(&binding, &stored)?;
        let mut pod = stored.value();
        if let Some(why) = obstacle(&pod, &key.name) {
            return Err(Status::cannot_fulfil("pods/binding", &key.name, &why).into());
        }
        pod["spec"]["nodeName"] = node.into();
        for member in ["annotations", "labels"] {
            merge(&binding, &mut pod, member);
        }
        set_scheduled(&mut pod, now);
        let object = if dry_run {
            Arc::new(Stored::new(pod, stored.version()))
        } else {
            self.commit(id, Some(stored), pod, false)
        };
        Ok(Written { object, warnings: Vec::new() })
    }
}

/// The node that a binding of the pod `name` names.
fn target(binding: &Value, name: &str) -> Result<String, Refusal> {
    if metadata::text(binding, "name") != Some(name) {
        let why = "name in URL does not match name in Binding object";
        return Err(Status::bad_request(why).into());
    }
    let text = |member: &str| binding["target"][member].as_str().unwrap_or_default();
    let (kind, node) = (text("kind"), text("name"));
    let mut errors = Vec::new();
    if !matches!(kind, "" | "Node") {
        let supported = r#"supported values: "Node", "<empty>""#;
        errors.push(format!("target.kind: Unsupported value: {kind:?}: {supported}"));
    }
    if node.is_empty() {
        errors.push("target.name: Required value".to_owned());
    }
    // A real server does not tell these from errors of its own.
    match errors.as_slice() {
        [] => Ok(node.to_owned()),
        [one] => Err(Status::unforeseen(one).into()),
        more => Err(Status::unforeseen(format!("[{}]", more.join(", "))).into()),
    }
}

/// Refuses a binding of another pod of the same name, or of another version of it.
fn check_preconditions(binding: &Value, stored: &Stored) -> Result<(), Refusal> {
    let version = stored.version().to_string();
    let found = [("uid", "UID", stored.uid()), ("resourceVersion", "ResourceVersion", &version)];
    for (member, word, found) in found {
        let asked = metadata::text(binding, member).unwrap_or(found);
        if asked != found {
            let why = format!(
                "Precondition failed: {word} in precondition: {asked}, {word} in object meta: {found}"
            );
            return Err(Status::cannot_fulfil("pods", &stored.key().name, &why).into());
        }
    }
    Ok(())
}

/// Why a pod cannot be given a node; `None` where it can.
fn obstacle(pod: &Value, name: &str) -> Option<String> {
    if metadata::is_terminating(pod) {
        return Some(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if let Some(node) = pod["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
        return Some(format!("pod {name} is already assigned to node {node:?}"));
    }
    let gates = pod["spec"]["schedulingGates"].as_array();
    let is_gated = gates.is_some_and(|gates| !gates.is_empty());
    is_gated.then(|| format!("pod {name} has non-empty .spec.schedulingGates"))
}

/// Adds the entries that `from` has in a member of its metadata.
fn merge(from: &Value, to: &mut Value, member: &str) {
    let Some(entries) = from["metadata"][member].as_object() else { return };
    for (key, value) in entries {
        to["metadata"][member][key] = value.clone();
    }
}

/// Says that the pod is scheduled. When it became so is said once.
fn set_scheduled(pod: &mut Value, now: Timestamp) {
    let scheduled = json!({
        "type": "PodScheduled", "status": "True",
        "lastProbeTime": null, "lastTransitionTime": metadata::time(now),
    });
    let conditions = &mut pod["status"]["conditions"];
    let Some(list) = conditions.as_array_mut() else {
        *conditions = json!([scheduled]);
        return;
    };
    match list.iter_mut().find(|condition| condition["type"] == "PodScheduled") {
        Some(condition) if condition["status"] == "True" => {}
        Some(condition) => *condition = scheduled,
        None => list.push(scheduled),
    }
}
