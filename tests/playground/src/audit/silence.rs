//! Nodes that are short of addresses, and for how long nobody has said why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Patience, Said};

/// How a node stands at one look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Situation {
    /// How many addresses it lacks.
    pub(super) short: u32,
    /// Whether steps are under way for it, or a reason is told.
    pub(super) is_explained: bool,
    /// How many addresses it has.
    pub(super) available: u32,
}

/// Since when each node is short in silence.
#[derive(Debug, Default)]
pub(super) struct Silence {
    nodes: BTreeMap<String, Silent>,
    /// When the operator was ready last, or had no way to be.
    ready: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Silent {
    since: Duration,
    available: u32,
}

impl Silence {
    /// Forgets all nodes but these.
    pub(super) fn keep(&mut self, nodes: &BTreeSet<String>) {
        self.nodes.retain(|name, _| nodes.contains(name));
    }

    /// Whether the operator works, or cannot.
    pub(super) fn operator(&mut self, at: Duration, is_excused: bool) {
        if is_excused {
            self.ready = at;
        }
    }

    /// How many addresses a node is short in silence: none as long as it may be.
    ///
    /// It has to be so at every look in all that time. Whatever is done for the node, or said, or has come of it, starts it anew; so
    /// does an outage, and an operator that is away for no longer than its start takes.
    pub(super) fn short(
        &mut self,
        node: &str,
        said: &Said<'_>,
        patience: Patience,
        situation: Situation,
    ) -> u32 {
        let Situation { short, is_explained, available } = situation;
        let away = said.at.saturating_sub(self.ready);
        let is_starting = !away.is_zero() && away < patience.start;
        if short == 0 || is_explained || said.outage || is_starting {
            self.nodes.remove(node);
            return 0;
        }
        let silent = Silent { since: said.at, available };
        let before = self.nodes.entry(node.to_owned()).or_insert(silent);
        if before.available < available {
            *before = silent;
        }
        let lasted = said.at.saturating_sub(before.since);
        // The first look of a silence is one look, however long nobody has looked.
        if !lasted.is_zero() && lasted >= patience.silent { short } else { 0 }
    }
}
