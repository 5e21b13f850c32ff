//! The door through which most scenarios go: a cluster as text, then steps of changes and outcomes.

use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Rival, RivalDeed};
use ipam_core::view::{Demand, NodeSettings};

use crate::rig::Rig;
use crate::text::{Words, instance_of, rig};

/// How long a step lasts unless it says otherwise.
const STEP: Duration = Duration::from_mins(2);

/// Each step changes node-1, or the node that it names with `on NAME`, and says behind `->` how that node ends:
/// `used 7 -> 15 on 2 by create attach modify`, with the labels of what holds it back before `by`. Each step lasts
/// two minutes. All promises are audited after each call and each answer.
#[track_caller]
pub(crate) fn check(text: &str, steps: &str) -> Rig {
    let mut rig = rig(text);
    check_on(&mut rig, steps);
    rig
}

#[track_caller]
pub(crate) fn check_on(rig: &mut Rig, steps: &str) {
    for step in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (changes, expected) = step.split_once(" -> ").expect("an arrow");
        let before = rig.changes().count();
        let name = take_step(rig, changes);
        let found = outcome(rig, &name, before);
        assert_eq!(found, expected, "{step}\n{}", rig.describe());
    }
    rig.check_quiet();
}

/// Makes the changes of a step and lets its time pass. Answers with the node it is about.
pub(crate) fn take_step(rig: &mut Rig, changes: &str) -> NodeName {
    let mut name: NodeName = "node-1".parse().unwrap();
    let mut lasts = STEP;
    for change in changes.split(", ") {
        alter(rig, &mut name, &mut lasts, change);
    }
    rig.run(lasts);
    name
}

fn outcome(rig: &Rig, name: &NodeName, before: usize) -> String {
    let mut words = vec![format!("{} on {}", rig.available(name), rig.interfaces(name))];
    words.extend(labels(rig, name));
    let made = rig.changes().skip(before).filter(|(node, _)| *node == name);
    let made: Vec<&str> = made.map(|(_, action)| verb(action)).collect();
    if !made.is_empty() {
        words.push(format!("by {}", made.join(" ")));
    }
    words.join(" ")
}

/// What holds a node back, each once.
pub(crate) fn labels(rig: &Rig, name: &NodeName) -> Vec<String> {
    let summary = rig.machine.summary(name);
    let blocked = summary.into_iter().flat_map(|it| it.blocked);
    let mut labels: Vec<String> = blocked.map(|it| it.reason.label().into()).collect();
    labels.sort();
    labels.dedup();
    labels
}

const fn verb(action: &Action) -> &'static str {
    match action {
        Action::AssignAddresses { .. } => "assign",
        Action::AssignPrefixes { .. } => "prefix",
        Action::UnassignAddresses { .. } => "unassign",
        Action::UnassignPrefixes { .. } => "unprefix",
        Action::AssignIpv6Prefix { .. } => "ipv6",
        Action::CreateEni(_) => "create",
        Action::AttachEni { .. } => "attach",
        Action::SetDeleteOnTermination { .. } => "modify",
        Action::DetachEni { .. } => "detach",
        Action::SetSecurityGroups { .. } => "groups",
        Action::DeleteEni { .. } => "delete",
    }
}

/// Makes one change, or says which node the others are about and how long the step lasts.
pub(crate) fn alter(rig: &mut Rig, name: &mut NodeName, lasts: &mut Duration, change: &str) {
    let mut words = Words::new(change);
    match words.word().expect("a change") {
        "start" => rig.start(),
        "restart" => rig.restart(),
        "on" => *name = words.value(),
        "wait" => *lasts = Duration::from_secs(words.value()),
        "pods" => rig.set_pods(name, words.value()),
        "away" | "back" => {
            rig.agents.get_mut(name).unwrap().is_away = change == "away";
            rig.wake_agent(name);
        }
        "used" => rig.alter(name, |it| it.demand = Demand::PerIp { used: words.value() }),
        "cidr" => rig.alter(name, |it| {
            it.demand = Demand::Cidr { ipv4: words.value(), ipv6: words.value() };
        }),
        "waiting" => rig.set_waiting(name, words.value()),
        "settings" => {
            let settings = settings(change);
            rig.alter(name, |it| it.settings = Some(settings));
        }
        "unreadable" => rig.alter(name, |it| it.settings = None),
        "ignored" => rig.alter(name, |it| it.ignored = true),
        "heeded" => rig.alter(name, |it| it.ignored = false),
        "running" | "stopped" => {
            let running = change == "running";
            rig.cloud.instances.get_mut(&instance_of(name)).unwrap().running = running;
        }
        "take" => rig.cloud.others_take(words.value::<String>().as_str(), words.value(), false),
        "scatter" => rig.cloud.others_take(words.value::<String>().as_str(), words.value(), true),
        "regroup" => rig.cloud.other_regroups(words.word().unwrap(), words.word().unwrap()),
        "rival" => {
            let rival = Rival { who: "somebody".into(), did: RivalDeed::WroteEniStatus };
            rig.machine.on_rival(rig.now, name, rival);
        }
        "leave" => rig.cloud.others_leave(words.value::<String>().as_str(), words.value()),
        other => panic!("no change {other:?}"),
    }
}

/// Settings as a node line gives them: `settings min 20 pre 1`.
fn settings(change: &str) -> NodeSettings {
    let words = change.replace("settings", "node node-1 m5.large");
    let rig = rig(&format!("subnet subnet-1 10.0.0.0/24\n{words}"));
    let settings = rig.nodes.values().find_map(|node| node.settings.clone());
    settings.expect("settings")
}
