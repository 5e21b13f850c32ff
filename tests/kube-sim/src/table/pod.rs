//! The columns of pods. The status is not the phase but what holds a pod up, as far as its containers tell.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Heading, Layout, age, items, name, text, text_or};
use crate::resource::Resource;

pub(super) fn layout(now: Timestamp) -> Layout<'static> {
    let headings = vec![
        Heading::name(0),
        Heading::text("Ready", 0, "How many of its containers are ready."),
        Heading::text("Status", 0, "What its containers do."),
        Heading::text("Restarts", 0, "How often its containers were restarted, and when last."),
        Heading::age(),
        Heading::text("IP", 1, "Its first address."),
        Heading::text("Node", 1, "The node it runs on."),
        Heading::text("Nominated Node", 1, "The node that makes room for it."),
        Heading::text("Readiness Gates", 1, "How many of its readiness gates are open."),
    ];
    Layout { headings, cells: Box::new(move |pod| cells(pod, now)) }
}

/// Tells a client that the pod has ended; none for pods that have not, and for other kinds.
pub(super) fn row_conditions(resource: &Resource, object: &Value) -> Option<Value> {
    if !resource.group.is_empty() || resource.kind != "Pod" {
        return None;
    }
    let (reason, message) = match text(&object["status"]["phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": reason, "message": message}]))
}

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let mut view = View {
        reason: text_or(&status["reason"], text(&status["phase"])).into(),
        ready: 0,
        restarts: 0,
        restarted: Value::Null,
    };
    view.read(pod);
    let total = items(&spec["containers"]).len() + sidecars(pod).count();
    vec![
        name(pod),
        format!("{}/{total}", view.ready).into(),
        shown_status(pod, view.reason.clone()).into(),
        view.restarts(now).into(),
        age::of(pod, now),
        text_or(&status["podIPs"][0]["ip"], "<none>").into(),
        text_or(&spec["nodeName"], "<none>").into(),
        text_or(&status["nominatedNodeName"], "<none>").into(),
        readiness_gates(pod).into(),
    ]
}

/// What the containers of a pod come to.
struct View {
    reason: String,
    ready: usize,
    restarts: i64,
    /// When a container ended before its last restart.
    restarted: Value,
}

impl View {
    fn read(&mut self, pod: &Value) {
        let status = &pod["status"];
        let gated =
            |one: &Value| one["type"] == "PodScheduled" && one["reason"] == "SchedulingGated";
        if items(&status["conditions"]).iter().any(gated) {
            self.reason = "SchedulingGated".into();
        }
        let initializing = self.read_init_containers(pod);
        if initializing && !has_condition(pod, "Initialized") {
            return;
        }
        self.restarts = 0;
        self.restarted = Value::Null;
        for container in items(&status["initContainerStatuses"]) {
            if is_sidecar(pod, container) {
                self.count_restarts(container);
            }
        }
        self.read_containers(pod);
    }

    /// Reads the containers that run first, up to one that has not done its work. Whether there is one.
    fn read_init_containers(&mut self, pod: &Value) -> bool {
        let total = items(&pod["spec"]["initContainers"]).len();
        for (index, container) in items(&pod["status"]["initContainerStatuses"]).iter().enumerate()
        {
            self.count_restarts(container);
            let state = &container["state"];
            let ended = &state["terminated"];
            let waits_for = text(&state["waiting"]["reason"]);
            if ended.is_object() && ended["exitCode"].as_i64().unwrap_or(0) == 0 {
                continue;
            }
            if is_sidecar(pod, container) && container["started"] == true {
                self.ready += usize::from(container["ready"] == true);
                continue;
            }
            self.reason = if ended.is_object() {
                format!("Init:{}", ending(ended))
            } else if !matches!(waits_for, "" | "PodInitializing") {
                format!("Init:{waits_for}")
            } else {
                format!("Init:{index}/{total}")
            };
            return true;
        }
        false
    }

    fn read_containers(&mut self, pod: &Value) {
        let mut running = false;
        let mut failure = None;
        for container in items(&pod["status"]["containerStatuses"]).iter().rev() {
            self.count_restarts(container);
            let state = &container["state"];
            let ended = &state["terminated"];
            let waits_for = text(&state["waiting"]["reason"]);
            if !waits_for.is_empty() {
                self.reason = waits_for.into();
            } else if ended.is_object() {
                self.reason = ending(ended);
                if ended["exitCode"].as_i64().unwrap_or(0) != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        // One container that has completed does not make a pod complete.
        if self.reason == "Completed" {
            if running && has_condition(pod, "Ready") {
                self.reason = "Running".into();
            } else if let Some(failure) = failure {
                self.reason = failure;
            } else if running {
                self.reason = "NotReady".into();
            }
        }
    }

    fn count_restarts(&mut self, container: &Value) {
        self.restarts += container["restartCount"].as_i64().unwrap_or(0);
        let ended = &container["lastState"]["terminated"]["finishedAt"];
        // Times of one form sort as texts do.
        if text(ended) > text(&self.restarted) {
            self.restarted = ended.clone();
        }
    }

    fn restarts(&self, now: Timestamp) -> String {
        if self.restarts == 0 || self.restarted.is_null() {
            return self.restarts.to_string();
        }
        format!("{} ({} ago)", self.restarts, age::since(&self.restarted, now))
    }
}

/// How a container ended.
fn ending(ended: &Value) -> String {
    let number = |member: &str| ended[member].as_i64().unwrap_or(0);
    match (text(&ended["reason"]), number("signal")) {
        ("", 0) => format!("ExitCode:{}", number("exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.into(),
    }
}

/// The status, which for a pod that is being deleted says so.
fn shown_status(pod: &Value, reason: String) -> String {
    let status = &pod["status"];
    if text(&pod["metadata"]["deletionTimestamp"]).is_empty() {
        return reason;
    }
    if status["reason"] == "NodeLost" {
        return "Unknown".into();
    }
    match text(&status["phase"]) {
        "Succeeded" | "Failed" => reason,
        _ => "Terminating".into(),
    }
}

/// Containers that start first and go on running.
fn sidecars(pod: &Value) -> impl Iterator<Item = &Value> {
    items(&pod["spec"]["initContainers"]).iter().filter(|one| one["restartPolicy"] == "Always")
}

fn is_sidecar(pod: &Value, container: &Value) -> bool {
    sidecars(pod).any(|one| one["name"] == container["name"])
}

fn has_condition(pod: &Value, kind: &str) -> bool {
    let conditions = items(&pod["status"]["conditions"]);
    conditions.iter().any(|one| one["type"] == kind && one["status"] == "True")
}

fn readiness_gates(pod: &Value) -> String {
    let gates = items(&pod["spec"]["readinessGates"]);
    if gates.is_empty() {
        return "<none>".into();
    }
    let open = gates.iter().filter(|gate| has_condition(pod, text(&gate["conditionType"]))).count();
    format!("{open}/{}", gates.len())
}
