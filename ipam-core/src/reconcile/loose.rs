//! Interfaces that were made for a node and are attached to nothing, whenever that was.

use core::time::Duration;

use super::Reconciler;
use super::record::{EniNote, Slot};
use crate::managed::is_made_for;
use crate::time::Tick;

/// An interface that nobody attached for so long is not attached any more. Longer than any operator takes from its creation to
/// its attachment, and as long as a rival is waited for.
const FORSAKEN_AFTER: Duration = Duration::from_mins(10);

impl EniNote {
    /// When it is to be read again because it is attached to nothing.
    pub(super) fn forsaken_at(&self) -> Option<Tick> {
        self.loose.map(|since| since + FORSAKEN_AFTER)
    }

    /// Whether it was attached to nothing for long, and a reading of then says so.
    pub(super) fn is_forsaken(&self) -> bool {
        self.forsaken_at().is_some_and(|at| self.read.is_some_and(|read| at <= read))
    }
}

impl Reconciler {
    /// Keeps since when interfaces of a node are attached to nothing, and reads those again that are so for long: no other
    /// reading of the node shows them.
    pub(super) fn look_at_loose(&mut self, slot: Slot) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &record.view else { return };
        for eni in &view.enis {
            if eni.attachment.is_some() || !is_made_for(eni, &view.identity.instance) {
                if let Some(note) = record.notes.get_mut(&eni.id) {
                    (note.loose, note.is_looked_at) = (None, false);
                }
                continue;
            }
            let note = record.notes.entry(eni.id.clone()).or_default();
            note.loose.get_or_insert(now);
            let is_due = note.forsaken_at().is_some_and(|at| at <= now);
            if is_due && !note.is_forsaken() && !note.is_looked_at {
                note.is_looked_at = true;
                self.reads.enis.insert(eni.id.clone(), slot);
            }
        }
    }
}
