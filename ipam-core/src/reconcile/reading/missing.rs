//! What a reading should show and does not: it is gone when a second one, late enough, does not show it either.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::Finding;
use super::super::record::{Doubt, EniNote, Record};
use super::{Outcome, Scope, is_settled, remove};
use crate::action::Action;
use crate::ids::EniId;
use crate::policy::MANAGED_TAG;
use crate::time::Tick;
use crate::view::{AttachmentState, EniView};

/// Whether an interface is shown with less than is known of it, and another reading has to say so too: pods may be on
/// what one reading alone lacks.
pub(super) fn is_to_confirm(
    note: &mut EniNote,
    known: &EniView,
    seen: &EniView,
    sent: Tick,
    settle: Duration,
) -> bool {
    #[cfg(feature = "planted")]
    if crate::planted::is(crate::planted::Bug::UndoByStaleRead) {
        return false;
    }
    if !lacks(known, seen) {
        note.less = None;
        return false;
    }
    let first = *note.less.get_or_insert(sent);
    let is_confirmed = sent >= first + settle;
    if is_confirmed {
        note.less = None;
    }
    !is_confirmed
}

/// Whether an attached interface is known to hold something that a reading does not show.
pub(super) fn lacks(known: &EniView, seen: &EniView) -> bool {
    let (held, shown) = (&known.ipv4, &seen.ipv4);
    let lacks_ipv6 = || known.ipv6.prefixes.iter().any(|it| !seen.ipv6.prefixes.contains(it));
    known.state().is_some_and(|state| state != AttachmentState::Detaching)
        && (seen.attachment.is_none()
            || held.addresses.iter().any(|it| !shown.addresses.contains(it))
            || held.prefixes.iter().any(|it| !shown.prefixes.contains(it))
            || lacks_ipv6())
}

/// What the reading covers and does not show.
pub(super) fn drop_missing(
    record: &mut Record,
    shown: &BTreeSet<EniId>,
    scope: &Scope<'_>,
    keeps_attached: bool,
    outcome: &mut Outcome,
) {
    let Some(view) = &record.view else { return };
    let is_detaching = |eni: &EniView| eni.state() == Some(AttachmentState::Detaching);
    let is_covered = |eni: &EniView| match &eni.attachment {
        Some(_) => (scope.attached && !keeps_attached) || scope.ids.contains(&eni.id),
        None => scope.loose || scope.ids.contains(&eni.id),
    };
    let missing = view.enis.iter().filter(|eni| !shown.contains(&eni.id) && is_covered(eni));
    let missing: Vec<(EniId, bool, bool)> =
        missing.map(|eni| (eni.id.clone(), eni.attachment.is_some(), is_detaching(eni))).collect();
    for (id, is_attached, is_detaching) in missing {
        let is_changing = record.is_changing(&id);
        let note = record.notes.entry(id.clone()).or_default();
        let is_stale = note.read.is_some_and(|read| read > scope.sent);
        if is_changing || is_stale || !is_settled(note, scope.sent, scope.settle) {
            continue;
        }
        match note.missing {
            _ if !is_attached => {}
            // It may only be attached to nothing by now, which a reading of the instance does not show.
            _ if is_detaching && !scope.loose && !scope.ids.contains(&id) => {
                note.missing.get_or_insert(scope.sent);
                outcome.confirm = true;
                continue;
            }
            Some(first) if scope.sent >= first + scope.settle => {}
            _ => {
                note.missing.get_or_insert(scope.sent);
                outcome.confirm = true;
                continue;
            }
        }
        lose(record, &id, outcome);
    }
}

/// Whether somebody who takes an interface away does the operator's work. One that holds nothing may have been given back by an
/// operator that this one took over from.
pub(super) fn is_missed(eni: &EniView) -> bool {
    eni.tags.contains_key(MANAGED_TAG) && !eni.holds_nothing()
}

/// Drops an interface that is no more.
fn lose(record: &mut Record, id: &EniId, outcome: &mut Outcome) {
    record.notes.remove(id);
    let doubt = record.doubts.remove(id);
    let was_deleted = |doubt: &Doubt| {
        doubt.actions.iter().any(|action| matches!(action, Action::DeleteEni { .. }))
    };
    let is_explained = doubt.as_ref().is_some_and(was_deleted);
    outcome.over.extend(doubt.into_iter().flat_map(|doubt| doubt.actions));
    outcome.changed = true;
    let Some(view) = &mut record.view else { return };
    if !is_explained {
        let is_ours = view.enis.iter().any(|eni| eni.id == *id && is_missed(eni));
        outcome.findings.push((Finding::EniVanished { eni: id.clone() }, is_ours));
    }
    remove(view, id);
}
