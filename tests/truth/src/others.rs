//! What somebody else has, and whether anybody changed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ec2_sim::id::{InstanceId, InterfaceId};
use ec2_sim::model::{AttachmentStatus, InstanceState, Interface};
use ec2_sim::world::World;
use ipam_core::policy::{CILIUM_MANAGED_TAG, MANAGED_TAG, NO_MANAGE_TAG, VPC_CNI_TAG};

/// The interfaces of somebody else, as they were when they were seen first. Berth has to leave them as they are.
///
/// An interface is somebody else's if neither Berth nor Cilium's operator marked it as made by them, and one of these holds:
/// it is attached to no instance; it is not the primary interface of its instance and has tags; it is tagged to be managed by nobody;
/// it is on an instance that Berth has to leave alone.
/// What is left are the primary interfaces of Berth's nodes and unmarked ones beside them: these are Berth's to fill. So are tagged ones on
/// Berth's nodes whose tags do not say that they are the AWS VPC CNI's or to be managed by nobody: their addresses may change, and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Others {
    seen: BTreeMap<InterfaceId, Arc<Interface>>,
    /// The instance that each interface ends with, also when it is not attached to it any more.
    ends_with: BTreeMap<InterfaceId, InstanceId>,
    intruders: BTreeSet<InterfaceId>,
}

/// What became of an interface of somebody else, or of an instance that is somebody else's to serve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The interface.
    pub interface: InterfaceId,
    /// What is different, such as `secondary addresses: 2 before, 3 now`.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of somebody else was changed: {}", self.interface, self.what)
    }
}

impl Others {
    /// Looks again. Answers what is different from the last look, each once; interfaces that are seen for the first time are remembered as
    /// they are. On the instances of `left_alone` every interface is somebody else's, and Berth may make none there.
    ///
    /// An instance that ends takes its interfaces along, which is no change of theirs.
    pub fn look(&mut self, world: &World, left_alone: &BTreeSet<InstanceId>) -> Vec<Change> {
        let mut changes = Vec::new();
        self.seen.retain(|id, before| {
            let now = world.truth().interface(id);
            if ended(world, before) {
                // It is seen anew where it stays.
                return false;
            }
            let different = now.map_or_else(
                || vec!["it is gone".to_owned()],
                |now| {
                    let mut different = differ(before, now);
                    if !is_to_fill(before, left_alone) {
                        different.extend(addresses_differ(before, now));
                    }
                    different
                },
            );
            let change = |what| Change { interface: id.clone(), what };
            changes.extend(different.into_iter().map(change));
            if let Some(now) = now {
                *before = Arc::clone(now);
            }
            now.is_some()
        });
        self.note_ends(world);
        for interface in world.truth().interfaces() {
            let is_ending = self.ends_with.get(&interface.id).is_some_and(|on| is_over(world, on));
            let is_new = !self.seen.contains_key(&interface.id);
            if is_new && !is_ending && is_others(interface, left_alone) {
                self.seen.insert(interface.id.clone(), Arc::clone(interface));
            }
        }
        changes.extend(self.intrusions(world, left_alone));
        changes
    }

    /// When an instance ends, its interfaces are attached to nothing for a moment before they go.
    fn note_ends(&mut self, world: &World) {
        self.ends_with.retain(|id, _| world.truth().interface(id).is_some());
        for interface in world.truth().interfaces() {
            let Some(at) = &interface.attachment else { continue };
            match &at.instance {
                Some(on) if at.delete_on_termination => {
                    self.ends_with.insert(interface.id.clone(), on.clone());
                }
                _ => drop(self.ends_with.remove(&interface.id)),
            }
        }
    }

    /// Interfaces that Berth made on an instance that it has to leave alone, each once.
    fn intrusions(&mut self, world: &World, left_alone: &BTreeSet<InstanceId>) -> Vec<Change> {
        let on_them = left_alone.iter().flat_map(|instance| world.truth().interfaces_of(instance));
        let made = on_them.filter(|interface| interface.tags.contains_key(MANAGED_TAG));
        let new = made.filter(|interface| self.intruders.insert(interface.id.clone()));
        let change = |interface: &Arc<Interface>| Change {
            interface: interface.id.clone(),
            what: match interface.instance() {
                Some(instance) => format!("Berth made it on {instance}, which is not Berth's"),
                None => "Berth made it".to_owned(),
            },
        };
        new.map(change).collect()
    }
}

fn is_others(interface: &Interface, left_alone: &BTreeSet<InstanceId>) -> bool {
    if [MANAGED_TAG, CILIUM_MANAGED_TAG].iter().any(|key| interface.tags.contains_key(*key)) {
        return false;
    }
    let Some(at) = &interface.attachment else { return true };
    let Some(instance) = &at.instance else { return true };
    let is_primary = at.device_index == 0 && at.network_card == 0;
    left_alone.contains(instance)
        || says(interface, NO_MANAGE_TAG)
        || !is_primary && !interface.tags.is_empty()
}

/// Whether the operator may give an interface of somebody else addresses: it is on a node of Berth's, and no tag says whose it is.
fn is_to_fill(interface: &Interface, left_alone: &BTreeSet<InstanceId>) -> bool {
    let is_on_ours = interface.instance().is_some_and(|instance| !left_alone.contains(instance));
    is_on_ours && !says(interface, NO_MANAGE_TAG) && !says(interface, VPC_CNI_TAG)
}

/// Whether an interface is tagged so; the value `false` is none.
fn says(interface: &Interface, tag: &str) -> bool {
    interface.tags.get(tag).is_some_and(|value| value != "false")
}

/// Whether the instance that an interface was attached to is at its end.
fn ended(world: &World, before: &Interface) -> bool {
    before.instance().is_some_and(|instance| is_over(world, instance))
}

fn is_over(world: &World, instance: &InstanceId) -> bool {
    let ends = [InstanceState::ShuttingDown, InstanceState::Terminated];
    world.truth().instance(instance).is_none_or(|found| ends.contains(&found.state))
}

/// What is different beside the addresses for pods, in words. How far an attachment has come is not: it comes by itself.
fn differ(before: &Interface, now: &Interface) -> Vec<String> {
    let tags = |interface: &Interface| {
        let tags = interface.tags.iter().map(|(key, value)| format!("{key}={value}"));
        tags.collect::<Vec<_>>()
    };
    let different = [
        lists("primary address", &[before.primary_ip], &[now.primary_ip]),
        lists("security groups", &before.groups, &now.groups),
        lists("tags", &tags(before), &tags(now)),
        lists("attachment", &[place(before)], &[place(now)]),
    ];
    different.into_iter().flatten().collect()
}

/// How the addresses for pods are different, in words.
fn addresses_differ(before: &Interface, now: &Interface) -> Vec<String> {
    let different = [
        lists("secondary addresses", &before.secondary_ips, &now.secondary_ips),
        lists("prefixes", &before.ipv4_prefixes, &now.ipv4_prefixes),
        lists("IPv6 addresses", &before.ipv6_addresses, &now.ipv6_addresses),
        lists("IPv6 prefixes", &before.ipv6_prefixes, &now.ipv6_prefixes),
    ];
    different.into_iter().flatten().collect()
}

/// How two lists differ, if they do.
fn lists<Item: fmt::Display + PartialEq>(
    what: &str,
    before: &[Item],
    now: &[Item],
) -> Option<String> {
    (before != now).then(|| format!("{what}: {} before, {} now", few(before), few(now)))
}

/// All of a few; of many how many they are.
fn few<Item: fmt::Display>(items: &[Item]) -> String {
    const SHOWN: usize = 8;
    match items.len() {
        0 => "none".to_owned(),
        1..=SHOWN => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        many => many.to_string(),
    }
}

fn place(interface: &Interface) -> String {
    let going = [AttachmentStatus::Detaching, AttachmentStatus::Detached];
    let staying = interface.attachment.as_ref().filter(|at| !going.contains(&at.status));
    staying.map_or_else(
        || "none".to_owned(),
        |at| {
            let instance =
                at.instance.as_ref().map_or(at.instance_owner.as_str(), InstanceId::as_str);
            let end = if at.delete_on_termination { ", ends with it" } else { "" };
            format!("{instance} at {}.{}{end}", at.network_card, at.device_index)
        },
    )
}
