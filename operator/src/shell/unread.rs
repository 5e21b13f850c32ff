//! What of the `CiliumNode`s cannot be read: said when it comes up, and not again for as long as it stays.

use std::collections::HashMap;

use ipam_core::ids::NodeName;
use tracing::{info, warn};

#[cfg(test)]
mod tests;

/// How many places of one object are named. Whoever writes the object decides how many there are.
const MOST: usize = 10;

/// What was said of each node whose object cannot be read in full.
#[derive(Debug, Default)]
pub(super) struct Unread {
    said: HashMap<NodeName, Problems>,
}

/// The first of the places that cannot be read, and whether there are more.
#[derive(Debug, Default)]
struct Problems {
    named: Vec<String>,
    has_more: bool,
}

impl Unread {
    /// Says what is new about `node`, of whose object `problems` cannot be read.
    pub(super) fn on_seen(&mut self, node: &NodeName, mut problems: Vec<String>) {
        let before = self.said.remove(node);
        if problems.is_empty() {
            if before.is_some() {
                info!(%node, "all of the CiliumNode can be read again");
            }
            return;
        }
        let before = before.unwrap_or_default();
        let more = problems.len().saturating_sub(MOST);
        problems.truncate(MOST);
        for problem in problems.iter().filter(|problem| !before.named.contains(problem)) {
            warn!(%node, problem, "a part of the CiliumNode cannot be read");
        }
        // Once, and not each time that one of them comes or goes.
        if more > 0 && !before.has_more {
            warn!(%node, more, "and so it is with more of the CiliumNode");
        }
        self.said.insert(node.clone(), Problems { named: problems, has_more: more > 0 });
    }

    /// The node is gone.
    pub(super) fn forget(&mut self, node: &NodeName) {
        self.said.remove(node);
    }
}
