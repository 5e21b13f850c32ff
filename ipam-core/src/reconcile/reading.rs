//! What a reading says of the interfaces of one node, put together with what is known of them.
//!
//! EC2's readings may lag behind its answers to changes. A reading that was sent less than the settling time after a
//! change of an interface, or while one is under way, may add to what is known of it and takes nothing away.

mod missing;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use ipnet::Ipv4Net;

use super::Finding;
use super::giving::take_off;
use super::record::{Doubt, EniNote, Extent, Full, Record};
use crate::action::Action;
use crate::call::ListedEni;
use crate::ids::{EniId, InstanceId, SubnetId};
use crate::managed::made_for;
use crate::policy::MANAGED_TAG;
use crate::security_group::sorted;
use crate::time::Tick;
use crate::view::{AttachmentState, EniView, NodeView};
use missing::{drop_missing, is_missed, is_to_confirm, lacks};

/// One interface as it was read.
#[derive(Debug, Clone)]
pub(super) struct Collected {
    pub(super) eni: EniView,
    /// When the page was sent.
    pub(super) sent: Tick,
}

/// What a reading covers of one node: an interface that it covers and does not show is missing.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// When it was sent; the first page of several.
    pub(super) sent: Tick,
    /// Whether it covers what is attached to the instance.
    pub(super) attached: bool,
    /// Whether it covers what is attached to nothing.
    pub(super) loose: bool,
    /// Whether all of it could be read.
    pub(super) is_whole: bool,
    /// What else it covers.
    pub(super) ids: &'a BTreeSet<EniId>,
    pub(super) settle: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Differences that no change of the machine explains, and whether somebody else changed an interface of Berth's.
    pub(super) findings: Vec<(Finding, bool)>,
    /// Whether anything is different.
    pub(super) changed: bool,
    /// Whether something is missing that one more reading has to confirm.
    pub(super) confirm: bool,
    /// Actions whose fate is known now.
    pub(super) over: Vec<Action>,
    /// What interfaces hold that they did not hold before.
    pub(super) gained: Vec<(SubnetId, Ipv4Net)>,
    /// New interfaces that were made for the node and are attached to nothing.
    pub(super) loose: Vec<EniId>,
}

/// The instance whose node a listed interface belongs to.
pub(super) fn owner(listed: &ListedEni) -> Option<InstanceId> {
    match (&listed.instance, &listed.eni.attachment) {
        (Some(instance), _) => Some(instance.clone()),
        (None, None) => made_for(&listed.eni),
        (None, Some(_)) => None,
    }
}

/// The addresses of an interface as ranges: single ones as /32.
pub(super) fn ranges(eni: &EniView) -> impl Iterator<Item = Ipv4Net> + '_ {
    let single = eni.ipv4.addresses.iter().chain(core::iter::once(&eni.ipv4.primary));
    single.copied().map(Ipv4Net::from).chain(eni.ipv4.prefixes.iter().copied())
}

/// Puts a reading of a node into what is known of it.
pub(super) fn merge(record: &mut Record, seen: Vec<Collected>, scope: &Scope<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(view) = &record.view else { return outcome };
    let is_first = view.enis.iter().all(|eni| eni.attachment.is_none());
    let shows_instance = seen.iter().any(|it| it.eni.attachment.is_some());
    if scope.attached {
        record.observed = record.observed.max(Some(scope.sent));
        record.unseen = if shows_instance { 0 } else { record.unseen.saturating_add(1) };
        if scope.is_whole && shows_instance {
            record.extent = Extent::Whole;
        }
        outcome.confirm = !shows_instance;
    }
    let shown: BTreeSet<EniId> = seen.iter().map(|it| it.eni.id.clone()).collect();
    let is_alive = !record.gone && seen.iter().any(|it| is_primary(&it.eni));
    let attached = seen.iter().filter(|it| it.eni.attachment.is_some());
    let still_attached: BTreeSet<EniId> = attached.map(|it| it.eni.id.clone()).collect();
    for collected in seen {
        take_in(record, collected, scope.settle, is_first, &mut outcome);
    }
    let keeps_attached = scope.attached && !shows_instance;
    if scope.is_whole {
        drop_missing(record, &shown, scope, keeps_attached, &mut outcome);
    }
    if scope.attached && shows_instance {
        forget_marks(record, scope);
    }
    for (finding, is_others) in &mut outcome.findings {
        let has_stayed = !record.gone && still_attached.contains(finding.eni());
        *is_others &= is_alive || has_stayed || !finding.is_loss();
    }
    outcome
}

/// Whether it is the interface that an instance has as long as there is an instance: one that ends takes others along.
fn is_primary(eni: &EniView) -> bool {
    eni.attachment.as_ref().is_some_and(|at| at.network_card == 0 && at.device_index == 0)
}

/// One interface that was seen.
fn take_in(
    record: &mut Record,
    collected: Collected,
    settle: Duration,
    is_first: bool,
    outcome: &mut Outcome,
) {
    let Collected { mut eni, sent } = collected;
    bury(record, &mut eni, sent);
    let is_changing = record.is_changing(&eni.id);
    let note = record.notes.entry(eni.id.clone()).or_default();
    if note.read.is_some_and(|read| read > sent) {
        return;
    }
    note.read = Some(sent);
    note.missing = None;
    let is_fresh = !is_changing && is_settled(note, sent, settle);
    #[cfg(feature = "planted")]
    let is_fresh = is_fresh || crate::planted::is(crate::planted::Bug::UndoByStaleRead);
    let Some(view) = &mut record.view else { return };
    let mut known = view.enis.iter_mut().find(|known| known.id == eni.id);
    let id = eni.id.clone();
    if !is_changing && let Some(doubt) = record.doubts.get_mut(&id) {
        resolve(doubt, known.as_deref_mut(), &eni, is_fresh, outcome);
    }
    match known {
        None => {
            note_new(&eni, is_first, outcome);
            note.proven = Some(sent);
            view.enis.push(eni);
        }
        Some(known) => {
            let before = known.clone();
            let mut is_proven = !lacks(known, &eni);
            if is_fresh {
                if is_to_confirm(note, known, &eni, sent, settle) {
                    outcome.confirm = true;
                    add(known, eni);
                } else {
                    is_proven = true;
                    *known = eni;
                }
                if !record.doubts.contains_key(&id)
                    && outcome.over.iter().all(|it| it.eni() != Some(&id))
                {
                    compare(&before, known, outcome);
                }
            } else {
                add(known, eni);
            }
            if is_proven {
                note.proven = Some(sent);
            }
            if before != *known {
                let held: BTreeSet<Ipv4Net> = ranges(&before).collect();
                let new = ranges(known).filter(|range| !held.contains(range));
                outcome.gained.extend(new.map(|range| (known.subnet.clone(), range)));
                outcome.changed = true;
            }
        }
    }
    if record.doubts.get(&id).is_some_and(|doubt| doubt.actions.is_empty()) {
        record.doubts.remove(&id);
        outcome.changed = true;
    }
}

/// An interface that was not known.
fn note_new(eni: &EniView, is_first: bool, outcome: &mut Outcome) {
    let is_ours = eni.tags.contains_key(MANAGED_TAG);
    if !is_first && eni.attachment.is_some() {
        outcome.findings.push((Finding::EniAppeared { eni: eni.id.clone() }, is_ours));
    } else if eni.attachment.is_none() {
        outcome.loose.push(eni.id.clone());
    }
    outcome.gained.extend(ranges(eni).map(|range| (eni.subnet.clone(), range)));
    outcome.changed = true;
}

/// Whether a reading is late enough after the last change.
fn is_settled(note: &EniNote, sent: Tick, settle: Duration) -> bool {
    note.written.is_none_or(|written| sent >= written + settle)
}

/// Strikes what the reading shows to have happened; all, when it is late enough to tell.
fn resolve(
    doubt: &mut Doubt,
    known: Option<&mut EniView>,
    seen: &EniView,
    is_fresh: bool,
    outcome: &mut Outcome,
) {
    let Some(known) = known else { return };
    let new = |held: usize, before: usize| u32::try_from(held.saturating_sub(before)).unwrap_or(0);
    let mut addresses = new(seen.ipv4.addresses.len(), known.ipv4.addresses.len());
    let mut prefixes = new(seen.ipv4.prefixes.len(), known.ipv4.prefixes.len());
    let mut happened = |action: &Action| match action {
        Action::AssignAddresses { count, .. } => strike(&mut addresses, u32::from(*count)),
        Action::AssignPrefixes { count, .. } => strike(&mut prefixes, u32::from(*count)),
        Action::AssignIpv6Prefix { .. } => seen.ipv6.prefixes.len() > known.ipv6.prefixes.len(),
        Action::AttachEni { .. } => seen.attachment.is_some(),
        Action::SetDeleteOnTermination { .. } => {
            seen.attachment.as_ref().is_some_and(|at| at.delete_on_termination == Some(true))
        }
        Action::DetachEni { .. } => {
            matches!(seen.state(), None | Some(AttachmentState::Detaching))
        }
        Action::SetSecurityGroups { groups, .. } => sorted(seen.security_groups.clone()) == *groups,
        Action::UnassignAddresses { .. } | Action::UnassignPrefixes { .. } => {
            action.gives_back().all(|net| !holds(seen, net))
        }
        Action::CreateEni(_) | Action::DeleteEni { .. } => false,
    };
    let mut done = Vec::new();
    for action in core::mem::take(&mut doubt.actions) {
        let has_happened = happened(&action);
        if has_happened {
            done.push(action.clone());
        }
        if is_fresh || has_happened {
            outcome.over.push(action);
        } else {
            doubt.actions.push(action);
        }
    }
    for action in &done {
        take_effect(known, action);
    }
}

/// What an action that has happened took off an interface or made of it. What it brought is read.
fn take_effect(known: &mut EniView, action: &Action) {
    // One word is enough that what was to go is gone.
    let gone: Vec<Ipv4Net> = action.gives_back().collect();
    take_off(known, &gone);
    match (action, &mut known.attachment) {
        (Action::DetachEni { .. }, Some(at)) => at.state = AttachmentState::Detaching,
        (Action::SetSecurityGroups { groups, .. }, _) => known.security_groups.clone_from(groups),
        _ => {}
    }
}

/// Strikes from a reading what it shows only because it is older than the release.
fn bury(record: &Record, eni: &mut EniView, sent: Tick) {
    let buried: Vec<Ipv4Net> =
        ranges(eni).filter(|range| record.releases.is_buried(*range, sent)).collect();
    take_off(eni, &buried);
}

fn holds(eni: &EniView, net: Ipv4Net) -> bool {
    ranges(eni).any(|range| range == net)
}

fn strike(left: &mut u32, count: u32) -> bool {
    let fits = *left >= count;
    *left -= if fits { count } else { 0 };
    fits
}

/// Adds what a reading shows and takes nothing away.
fn add(known: &mut EniView, seen: EniView) {
    let union = |known: &mut Vec<_>, seen: Vec<_>| {
        let new: Vec<_> = seen.into_iter().filter(|it| !known.contains(it)).collect();
        known.extend(new);
    };
    union(&mut known.ipv4.addresses, seen.ipv4.addresses);
    for prefix in seen.ipv4.prefixes {
        if !known.ipv4.prefixes.contains(&prefix) {
            known.ipv4.prefixes.push(prefix);
        }
    }
    for prefix in seen.ipv6.prefixes {
        if !known.ipv6.prefixes.contains(&prefix) {
            known.ipv6.prefixes.push(prefix);
        }
    }
    match (&mut known.attachment, seen.attachment) {
        (at @ None, seen) => *at = seen,
        (Some(known), Some(seen)) => {
            known.id = known.id.take().or(seen.id);
            if seen.delete_on_termination == Some(true) {
                known.delete_on_termination = Some(true);
            }
        }
        (Some(_), None) => {}
    }
    known.mac = known.mac.take().or(seen.mac);
}

/// What is different although nothing that the machine did explains it.
fn compare(before: &EniView, after: &EniView, outcome: &mut Outcome) {
    let is_ours = after.tags.contains_key(MANAGED_TAG);
    let (held, holds) = (addresses(before), addresses(after));
    let eni = &before.id;
    let mut say = |finding| outcome.findings.push((finding, is_ours));
    let (count, first) = difference(&holds, &held);
    if let Some(first) = first {
        say(Finding::AddressesAppeared { eni: eni.clone(), count, first });
    }
    let (count, first) = difference(&held, &holds);
    if let Some(first) = first {
        say(Finding::AddressesVanished { eni: eni.clone(), count, first });
    }
    match (&before.attachment, &after.attachment) {
        (None, Some(_)) => say(Finding::EniAppeared { eni: eni.clone() }),
        // What was being detached is detached.
        (Some(at), None) if at.state != AttachmentState::Detaching => {
            let finding = Finding::EniVanished { eni: eni.clone() };
            outcome.findings.push((finding, is_missed(before)));
        }
        _ => {}
    }
}

fn addresses(eni: &EniView) -> BTreeSet<Ipv4Net> {
    let single = eni.ipv4.addresses.iter().copied().map(Ipv4Net::from);
    single.chain(eni.ipv4.prefixes.iter().copied()).collect()
}

/// How many addresses `all` has that `but` has not, and the first of them.
fn difference(all: &BTreeSet<Ipv4Net>, but: &BTreeSet<Ipv4Net>) -> (u32, Option<Ipv4Addr>) {
    let size = |net: &Ipv4Net| 1_u32 << (32 - u32::from(net.prefix_len())).min(31);
    let count = all.difference(but).map(size).sum();
    (count, all.difference(but).next().map(Ipv4Net::network))
}

/// Removes an interface from a view.
pub(super) fn remove(view: &mut NodeView, id: &EniId) {
    view.enis.retain(|eni| eni.id != *id);
    view.marks.doomed.retain(|doomed| doomed != id);
}

/// Forgets what EC2 said of the instance when a later observation had the time to show it.
fn forget_marks(record: &mut Record, scope: &Scope<'_>) {
    record.indexes.retain(|(_, since)| scope.sent < *since + scope.settle);
    let Some(view) = &record.view else { return };
    let attached = crate::capacity::on_card_0(view).count();
    let is_over = |full: Full| {
        let is_other = usize::from(full.enis) != attached;
        let shows_it = scope.sent >= full.since + scope.settle;
        shows_it && (is_other || scope.sent >= full.until)
    };
    if record.full.is_some_and(is_over) {
        record.full = None;
    }
}

#[cfg(test)]
mod tests;
