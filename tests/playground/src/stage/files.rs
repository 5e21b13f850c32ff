//! How many files this process may have open: each connection over loopback takes two, since both of its ends are here.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::news::News;
use crate::plan::Plan;

/// Files that a node takes, as counted with 50 and with 200 of them: some 16; and what its plugins take when pods start.
const PER_NODE: u64 = 20;
/// Those of everything else.
const REST: u64 = 200;

/// Lets this process have as many files open as it may, and says so if that is too few for the nodes of the plan.
pub(super) fn raise_limit(plan: &Plan, news: &News) {
    let limit = getrlimit(Resource::Nofile);
    // Without it the limit is as it was, and what it does not suffice for says so.
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let nodes: u64 = plan.nodes.iter().map(|group| u64::from(group.count)).sum();
    let (may, wanted) = (getrlimit(Resource::Nofile).current, nodes * PER_NODE + REST);
    if let Some(may) = may.filter(|may| *may < wanted) {
        news.warn(format!(
            "{nodes} nodes may take {wanted} open files, and {may} are allowed: see `ulimit -Hn`"
        ));
    }
}
