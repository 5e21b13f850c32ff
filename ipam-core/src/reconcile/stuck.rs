//! Interfaces that EC2 has been detaching for longer than it takes: the instance does not let go of them, and only a person can
//! look why, or force it.

use alloc::vec::Vec;
use core::time::Duration;

use super::Reconciler;
use super::record::{EniNote, Record, Slot};
use crate::reason::Reason;
use crate::time::Tick;
use crate::view::{AttachmentState, EniView, NodeView};

/// Many times what EC2 takes (reference ec2.md 4, background transitions: 2 to 15 s).
const STUCK_AFTER: Duration = Duration::from_mins(5);

impl EniNote {
    /// When it counts as stuck unless it is detached by then.
    pub(super) fn stuck_at(&self) -> Option<Tick> {
        self.detaching.map(|since| since + STUCK_AFTER)
    }
}

impl Reconciler {
    /// Keeps since when interfaces of a node are being detached.
    pub(super) fn note_detaching(&mut self, slot: Slot) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &record.view else { return };
        for eni in &view.enis {
            if eni.state() == Some(AttachmentState::Detaching) {
                record.notes.entry(eni.id.clone()).or_default().detaching.get_or_insert(now);
            } else if let Some(note) = record.notes.get_mut(&eni.id) {
                note.detaching = None;
            }
        }
    }

    /// The interfaces of a node that are stuck, as reasons.
    pub(super) fn stuck(&self, record: &Record, view: &NodeView) -> Vec<Reason> {
        let is_stuck = |eni: &&EniView| {
            let note = record.notes.get(&eni.id);
            note.and_then(EniNote::stuck_at).is_some_and(|at| at <= self.now)
        };
        let stuck = view.enis.iter().filter(is_stuck);
        stuck.map(|eni| Reason::InterfaceStuck { eni: eni.id.clone() }).collect()
    }
}
