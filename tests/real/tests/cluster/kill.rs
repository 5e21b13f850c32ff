//! An agent that is killed while pods come.

use std::thread::sleep;
use std::time::{Duration, Instant};

use real::cluster::Node;

use crate::bed::{Bed, SOON};
use crate::crowd;
use crate::everyone;
use crate::host;

const PODS: usize = 40;
/// Longer than a kubelet waits until it tries again.
const AWAY: Duration = Duration::from_secs(2);
/// So often it may be killed too late: whoever looks is not alone on the machine.
const ATTEMPTS: u32 = 5;

/// Kills it between the first pods and the last ones, and starts it again: nothing is lost, and nothing is there twice.
pub(crate) fn amid_a_roll_out(bed: &Bed) {
    let node = bed.cluster.node(0);
    let came = (0..ATTEMPTS).find_map(|_| killed_in_time(bed, node));
    let came = came.unwrap_or_else(|| panic!("{ATTEMPTS} times it was killed too late to matter"));
    sleep(AWAY);
    node.start_agent().unwrap();
    let pods = crowd::await_running(bed, PODS);
    everyone::checked(bed, &pods);
    everyone::reach_each_other(bed, &pods);
    everyone::goes(bed);
    bed.say(&format!("an agent was killed when {came} pods had come"));
}

/// Lets pods come, and kills it when the first ones are there. Answers how many these are, if the others were still to come; all is as before
/// otherwise.
fn killed_in_time(bed: &Bed, node: &Node) -> Option<usize> {
    crowd::scale(bed, PODS);
    let deadline = Instant::now() + SOON;
    // A kubelet makes many sandboxes at once: there is no time to lose.
    while host::wired(node).is_empty() {
        assert!(Instant::now() < deadline, "no pod came within {SOON:?}");
    }
    node.kill_agent().unwrap();
    let came = host::wired(node).len();
    if came < PODS / 2 {
        return Some(came);
    }
    bed.say(&format!("too late to matter: {came} pods had come"));
    node.start_agent().unwrap();
    everyone::goes(bed);
    None
}
