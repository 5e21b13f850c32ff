//! The columns of nodes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{Heading, Layout, age, items, name, text, text_or};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";

pub(super) fn layout(now: Timestamp) -> Layout<'static> {
    let headings = vec![
        Heading::name(0),
        Heading::text("Status", 0, "The status of the node."),
        Heading::text("Roles", 0, "The roles of the node."),
        Heading::age(),
        Heading::text("Version", 0, "The version of its kubelet."),
        Heading::text("Internal-IP", 1, "Its first internal address."),
        Heading::text("External-IP", 1, "Its first external address."),
        Heading::text("OS-Image", 1, "Its operating system."),
        Heading::text("Kernel-Version", 1, "The version of its kernel."),
        Heading::text("Container-Runtime", 1, "What runs its containers."),
    ];
    Layout { headings, cells: Box::new(move |node| cells(node, now)) }
}

fn cells(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = &node["status"]["nodeInfo"];
    vec![
        name(node),
        status(node).into(),
        roles(node).into(),
        age::of(node, now),
        text(&info["kubeletVersion"]).into(),
        address(node, "InternalIP").into(),
        address(node, "ExternalIP").into(),
        text_or(&info["osImage"], "<unknown>").into(),
        kernel(info).into(),
        text_or(&info["containerRuntimeVersion"], "<unknown>").into(),
    ]
}

fn status(node: &Value) -> String {
    let ready = items(&node["status"]["conditions"]).iter().rfind(|one| one["type"] == "Ready");
    let status = match ready.map(|condition| text(&condition["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    if node["spec"]["unschedulable"] == true {
        return format!("{status},SchedulingDisabled");
    }
    status.into()
}

fn roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object();
    let role = |(key, value): (&String, &Value)| match key.strip_prefix(ROLE_PREFIX) {
        Some(role) => Some(role.to_owned()),
        None if key == ROLE_LABEL => Some(text(value).to_owned()),
        None => None,
    };
    let roles = labels.into_iter().flatten().filter_map(role).filter(|role| !role.is_empty());
    let roles: Vec<String> = roles.collect::<BTreeSet<_>>().into_iter().collect();
    if roles.is_empty() { "<none>".into() } else { roles.join(",") }
}

fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let found = items(&node["status"]["addresses"]).iter().find(|address| address["type"] == kind);
    found.map_or("<none>", |address| text(&address["address"]))
}

fn kernel(info: &Value) -> String {
    let version = text_or(&info["kernelVersion"], "<unknown>");
    match text(&info["architecture"]) {
        "" => version.into(),
        architecture => format!("{version} ({architecture})"),
    }
}
