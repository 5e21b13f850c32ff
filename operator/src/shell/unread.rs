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

/// The first of the places that cannot be read, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problems {
    named: Vec<String>,
    more: usize,
}

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// Places that were not named before, and how many there are beside those that are named.
    CameUp(Problems),
    /// All of it can be read again.
    Cleared,
}

impl Unread {
    /// Says what is new about `node`, of whose object `problems` cannot be read.
    pub(super) fn on_seen(&mut self, node: &NodeName, problems: Vec<String>) {
        match self.news(node, problems) {
            None => {}
            Some(News::CameUp(Problems { named, more })) => {
                for problem in named {
                    warn!(%node, problem, "a part of the CiliumNode cannot be read");
                }
                if more > 0 {
                    warn!(%node, more, "and so it is with more of the CiliumNode");
                }
            }
            Some(News::Cleared) => info!(%node, "all of the CiliumNode can be read again"),
        }
    }

    /// The node is gone.
    pub(super) fn forget(&mut self, node: &NodeName) {
        self.said.remove(node);
    }

    fn news(&mut self, node: &NodeName, mut problems: Vec<String>) -> Option<News> {
        if problems.is_empty() {
            return self.said.remove(node).map(|_| News::Cleared);
        }
        let more = problems.len().saturating_sub(MOST);
        problems.truncate(MOST);
        let now = Problems { named: problems, more };
        let before = self.said.insert(node.clone(), now.clone());
        let (named, had_more) = before.map_or((vec![], 0), |it| (it.named, it.more));
        let new = now.named.into_iter().filter(|problem| !named.contains(problem)).collect();
        // That there are more is said once, and not each time that one of them comes or goes.
        let new = Problems { named: new, more: if had_more == 0 { more } else { 0 } };
        (!new.named.is_empty() || new.more > 0).then_some(News::CameUp(new))
    }
}
