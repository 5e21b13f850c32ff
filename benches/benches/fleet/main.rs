//! The operator at the size that its goals speak of: 1,000 fresh nodes at once, 5,000 idle ones for an hour.
//!
//! `cargo bench -p benches --bench fleet` runs the real operator between a simulated EC2 and a simulated Kubernetes, in simulated
//! time, and prints what it took beside the goals. With `BERTH_OPERATOR` set to a release build of the program, that
//! program also fills 1,000 nodes in real time (about 200 seconds), and its processor time and memory are measured.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

mod idle;
mod process;
mod scale_up;
mod world;

use benches::goals::{Goal, print};

fn main() {
    // What cargo passes when benches are only tried out.
    let is_trial = std::env::args().any(|argument| argument == "--test");
    let (fresh, idle) = if is_trial { (60, 300) } else { (1_000, 5_000) };
    let mut goals: Vec<Goal> = scale_up::measure(fresh);
    goals.extend(idle::measure(idle));
    goals.extend(process::measure(fresh));
    print(&goals);
}
