//! What is new since the last look, in short sentences.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment::{Moment, NodeState};

/// What was not there for so long is new when it comes again.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// Nodes that are named where something is so of many.
const NAMED: usize = 3;
/// Reasons that are no trouble: they end by themselves, or the node has all it can hold.
const HARMLESS: [&str; 5] =
    ["InstanceFull", "InterfaceInDoubt", "InterfaceInTransit", "MaxAllocateReached", "Throttled"];

/// Something new.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) is_trouble: bool,
}

/// Knows what was told.
#[derive(Debug, Default)]
pub(super) struct Teller {
    states: BTreeMap<String, NodeState>,
    /// When a node was blocked last for the reason of a label.
    blocked: BTreeMap<(String, String), Duration>,
    /// How often an action was throttled, and when it was seen to have been last.
    throttled: BTreeMap<&'static str, (u64, Option<Duration>)>,
}

impl Teller {
    /// What is new at a moment.
    pub(super) fn look(&mut self, moment: &Moment) -> Vec<Told> {
        let mut told = self.nodes(moment);
        told.extend(self.reasons(moment));
        told.extend(self.throttles(moment));
        told
    }

    fn nodes(&mut self, moment: &Moment) -> Vec<Told> {
        let (mut ready, mut silent, mut back) = (Vec::new(), Vec::new(), Vec::new());
        let mut states = BTreeMap::new();
        for node in &moment.nodes {
            let before = self.states.get(&node.name).copied().unwrap_or_default();
            match (before, node.state) {
                (NodeState::Joining, NodeState::Ready) => ready.push(node.name.as_str()),
                (NodeState::Silent, NodeState::Ready) => back.push(node.name.as_str()),
                (before, NodeState::Silent) if before != NodeState::Silent => {
                    silent.push(node.name.as_str());
                }
                _ => {}
            }
            // Who is silent and begins anew is not new.
            let begins_anew = before == NodeState::Silent && node.state == NodeState::Joining;
            states.insert(node.name.clone(), if begins_anew { before } else { node.state });
        }
        self.states = states;
        let all = [
            ("ready for pods", ready, false),
            ("the agent does not answer", silent, true),
            ("the agent answers again", back, false),
        ];
        let some = all.into_iter().filter(|(_, names, _)| !names.is_empty());
        let told = some.map(|(what, names, is_trouble)| Told {
            text: format!("{}: {what}", few(&names)),
            is_trouble,
        });
        told.collect()
    }

    fn reasons(&mut self, moment: &Moment) -> Vec<Told> {
        self.blocked.retain(|_, last| moment.at.saturating_sub(*last) < FORGOTTEN);
        let mut new: BTreeMap<&str, (Vec<&str>, &str)> = BTreeMap::new();
        for node in &moment.nodes {
            for (label, text) in &node.blocked {
                let key = (node.name.clone(), label.clone());
                if self.blocked.insert(key, moment.at).is_none() {
                    let (names, _) = new.entry(label).or_insert_with(|| (Vec::new(), text));
                    names.push(&node.name);
                }
            }
        }
        let told = new.into_iter().map(|(label, (names, text))| Told {
            text: format!("{}: {label}: {text}", few(&names)),
            is_trouble: !HARMLESS.contains(&label),
        });
        told.collect()
    }

    fn throttles(&mut self, moment: &Moment) -> Vec<Told> {
        let mut told = Vec::new();
        for (action, calls) in &moment.calls {
            let (count, last) = self.throttled.entry(action).or_default();
            if calls.throttled > *count {
                if last.is_none_or(|last| moment.at.saturating_sub(last) >= FORGOTTEN) {
                    let text = format!("EC2 throttles {action}");
                    told.push(Told { text, is_trouble: true });
                }
                *last = Some(moment.at);
            }
            *count = calls.throttled;
        }
        told
    }
}

/// The first few of many names, each once.
fn few(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.dedup();
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
